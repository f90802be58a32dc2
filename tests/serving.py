"""A real loopback server in a thread, and requests as raw bytes; each wait has a deadline."""

from __future__ import annotations

import contextlib
import io
import json
import socket
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from driving import SUBMIT, VALID
from fauxlab_mock.runtime.journal import Log
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.server import serving as server_module
from fauxlab_mock.server.uvicorn_server import bind
from fauxlab_mock.settings import Settings

DEADLINE_S = 10  # for starting and stopping
ANSWER_S = 1  # for one answer
Address = tuple[str, int]


class Answer(NamedTuple):
    """One HTTP answer: header names in lower case."""

    code: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Running:
    """A server that listens on `address`; `log` is what it wrote about its exchanges."""

    mock: Mock
    address: Address
    log: io.StringIO


@contextlib.contextmanager
def serving(**settings: Any) -> Iterator[Running]:
    """A mock on a free loopback port, on the manual clock, stopped and joined at the end."""
    listener = bind("127.0.0.1", 0)
    address: Address = listener.getsockname()
    log = io.StringIO()
    mock = Mock(
        Settings(**{"clock": "manual", **settings}),
        public_url=f"http://{address[0]}:{address[1]}",
        on_exchange=Log("json", log),
    )
    with server_module.run_server(mock, listener):
        yield Running(mock, address, log)


def address_of(mock: Mock) -> Address:
    """Where the server of a mock listens."""
    url = urlsplit(mock.url)
    return url.hostname or "", url.port or 0


@contextlib.contextmanager
def connected(
    address: Address, *sent: bytes, timeout_s: float = ANSWER_S
) -> Iterator[socket.socket]:
    """A connection on which `sent` has been sent."""
    with socket.create_connection(address, timeout=timeout_s) as connection:
        for part in sent:
            connection.sendall(part)
        yield connection


def raw(address: Address, data: bytes, *, timeout_s: float = ANSWER_S) -> Answer:
    """Send bytes on a fresh connection and read one answer."""
    with connected(address, timeout_s=timeout_s) as connection:
        with contextlib.suppress(ConnectionError):  # the answer may come before everything was sent
            connection.sendall(data)
        return read_answer(connection, head_only=data.startswith(b"HEAD "))


def read_answer(connection: socket.socket, *, head_only: bool = False) -> Answer:
    """The next answer on a connection, exactly its bytes; interim answers (100) are passed over."""
    while True:
        head = bytearray()
        while not head.endswith(b"\r\n\r\n"):
            head += _receive(connection, 1)
        status, *lines = head.decode("latin-1").split("\r\n")[:-2]
        if not status.startswith("HTTP/1.1 1"):
            break
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    body = bytearray()
    while not head_only and len(body) < int(headers["content-length"]):
        body += _receive(connection, int(headers["content-length"]) - len(body))
    return Answer(int(status.split()[1]), headers, bytes(body))


def _receive(connection: socket.socket, size: int) -> bytes:
    data = connection.recv(size)
    if not data:
        raise EOFError("the server closed the connection before its answer was complete")
    return data


def is_closed(connection: socket.socket) -> bool:
    """True once the server has closed a connection on which it has nothing more to say."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def request(
    body: Any = VALID,
    *,
    method: str = "POST",
    path: str = SUBMIT,
    headers: Iterable[str] = (),
    version: str = "1.1",
) -> bytes:
    """A well-formed request; `body` is bytes or what becomes JSON. `headers` are whole lines in
    place of the usual ones.
    """
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/{version}", *headers]
    named = {line.partition(":")[0].strip().lower() for line in lines[1:]}
    usual = {
        "Host": "mock.test",
        "Content-Type": "application/json",
        "Content-Length": str(len(data)),
    }
    lines += [f"{name}: {value}" for name, value in usual.items() if name.lower() not in named]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + data


def chunked(body: bytes, *, size: int = 64 * 2**10, trailers: bytes = b"") -> bytes:
    """The request with `body` in chunks."""
    head = (
        f"POST {SUBMIT} HTTP/1.1\r\nHost: mock.test\r\nContent-Type:"
        " application/json\r\nTransfer-Encoding: chunked"
    )
    chunks = b"".join(
        b"%x\r\n%b\r\n" % (len(body[at : at + size]), body[at : at + size])
        for at in range(0, len(body), size)
    )
    return head.encode() + b"\r\n\r\n" + chunks + b"0\r\n" + trailers + b"\r\n"


def written(server: Running) -> str:
    """Everything that the server has written down: log lines and journal."""
    return server.log.getvalue() + repr(server.mock.requests)


def read_all(connection: socket.socket) -> bytes:
    """Everything until the server closes the connection."""
    return b"".join(iter(lambda: connection.recv(64 * 2**10), b""))


def post_json(url: str, body: dict[str, Any]) -> Any:
    """The JSON that a real server answers to a JSON body."""
    posted = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(posted, timeout=10) as reply:
        return json.load(reply)
