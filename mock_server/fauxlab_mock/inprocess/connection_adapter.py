"""http.client and all that is built on it (urllib, urllib3, requests): answered without a socket.

A connection to the mock's address gets a `_Wire` instead of a socket. What is above it (redirects,
retries, pools, streams, timeouts, errors) stays the library's own.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import ssl
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any
from unittest.mock import patch

from fauxlab_mock.inprocess.calls import Answered, Door, answer_call
from fauxlab_mock.inprocess.no_network import BlockedError
from fauxlab_mock.inprocess.pauses import pause

__all__ = ["connections_answered"]

__tracebackhide__ = True


@contextlib.contextmanager
def connections_answered(door: Door) -> Iterator[None]:
    """While the block lasts, the mock answers what is sent to its address by these libraries."""
    kinds = _connections()
    with contextlib.ExitStack() as stack:
        # The one method that opens a connection, in each class that has its own: below requests,
        # pools and retries, and above names, sockets and TLS. `patch.object` puts them back.
        for kind in kinds:
            stack.enter_context(patch.object(kind, "connect", _connecting(kind, door)))
        # The beginning of every request: a connection from before the block leads to production.
        begin = _beginning(kinds[0].putrequest, door)
        stack.enter_context(patch.object(kinds[0], "putrequest", begin))
        yield


def _connections() -> list[Any]:
    """Return the classes that open connections, `http.client.HTTPConnection` first."""
    cassettes = sys.modules.get("vcr.patch")  # one that is open has its own classes in their place
    names = ("_HTTPConnection", "_HTTPSConnection", "_connHTTPConnection", "_connHTTPSConnection")
    if cassettes is not None:
        return [getattr(cassettes, name) for name in names if hasattr(cassettes, name)]
    kinds: list[Any] = [http.client.HTTPConnection, http.client.HTTPSConnection]
    if find_spec("urllib3") is not None:
        from urllib3.connection import HTTPConnection, HTTPSConnection

        kinds += [HTTPConnection, HTTPSConnection]
    return kinds


def _connecting(kind: Any, door: Door) -> Callable[..., Any]:
    really = kind.connect

    def connect(connection: Any) -> Any:
        if not _is_ours(door, connection):
            return really(connection)
        connection.sock = _Wire(connection, door)
        # what urllib3 remembers of a connection that it has made
        connection.is_verified = _is_verified(connection)
        connection._has_connected_to_proxy = bool(getattr(connection, "proxy", None))
        return None

    return connect


def _beginning(really: Callable[..., Any], door: Door) -> Callable[..., Any]:
    def putrequest(connection: Any, *args: Any, **options: Any) -> Any:
        is_kept = connection.sock is not None and not isinstance(connection.sock, _Wire)
        if is_kept and _is_ours(door, connection):
            connection.sock.close()
            connection.sock = None  # so that it is connected anew
        return really(connection, *args, **options)

    return putrequest


def _is_ours(door: Door, connection: Any) -> bool:
    """Return True for a connection to the mock's address, also for one by way of a proxy."""
    host, port = connection._tunnel_host, connection._tunnel_port
    if host is None:
        host, port = connection.host, connection.port
    scheme = "https" if connection.default_port == http.client.HTTPS_PORT else "http"
    host = f"[{host}]" if ":" in host else host
    address = f"{scheme}://{host}:{port}"
    try:
        return door.is_ours("a call", address)
    except BlockedError as error:
        if not hasattr(connection, "socket_options"):  # not of urllib3
            raise
        from urllib3.exceptions import MaxRetryError

        # an error that is not tried again; the path is not known where connections are opened
        raise MaxRetryError(connection, f"{address}/…", error) from None


def _is_verified(connection: Any) -> bool:
    """Return True if urllib3 would have verified the certificate; it warns if not."""
    return getattr(connection, "cert_reqs", None) not in ("CERT_NONE", "NONE", ssl.CERT_NONE)


class _Wire:
    """Stands in for the socket of one connection, for one request and the response to it.

    The request is answered when the response is asked for; the next one gets a new wire, so that
    none outlives its mock.
    """

    def __init__(self, connection: Any, door: Door) -> None:
        self._connection, self._door = connection, door
        self._sent = bytearray()
        timeout_s = connection.timeout
        has_none = not isinstance(timeout_s, (int, float))  # None, or the mark of the default
        self._timeout_s = socket.getdefaulttimeout() if has_none else timeout_s

    def sendall(self, data: Any) -> None:
        self._sent += data

    def settimeout(self, timeout_s: float | None) -> None:
        self._timeout_s = timeout_s

    def gettimeout(self) -> float | None:
        return self._timeout_s

    def setsockopt(self, *_: object) -> None:
        """Do nothing."""

    def shutdown(self, how: int) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""

    def makefile(self, *_: object, **__: object) -> io.BufferedReader:
        """Answer what was sent, and return the response as a file."""
        self._connection.sock = None
        method, target, headers, body = _read_request(bytes(self._sent))
        answered = answer_call(self._door.mock, method, target, headers, body, self._timeout_s)
        pause(answered.pause_s)
        return io.BufferedReader(_Incoming(*_wired(method, answered)))


def _read_request(sent: bytes) -> tuple[str, str, dict[str, str], bytes]:
    """Return method, target, headers and body of the bytes of one request."""
    head, _, body = sent.partition(b"\r\n\r\n")
    line, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = line.split(" ", 2)
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        name, value = name.lower(), value.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = b"".join(_chunks(io.BytesIO(body)))
    return method, target, headers, body


def _chunks(body: io.BytesIO) -> Iterator[bytes]:
    while size := int(body.readline().partition(b";")[0] or b"0", 16):
        yield body.read(size)
        body.readline()


def _wired(method: str, answered: Answered) -> tuple[bytes, OSError | None]:
    """Return the bytes of a response, and what then goes wrong."""
    answer, effect = answered.answer, answered.answer.effect
    if answered.is_too_late:
        return b"", TimeoutError("timed out")
    if answered.is_missing:
        return b"", None
    match effect.kind:
        case "reset":
            return b"", ConnectionResetError(104, "Connection reset by peer")
        case "close":
            return effect.data, None
    reason = http.client.responses.get(answer.code, "")
    lines = [f"HTTP/1.1 {answer.code} {reason}"]
    lines += [f"{name}: {value}" for name, value in answer.all_headers.items()]
    head = "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")
    return head if method == "HEAD" else head + answer.content, None


class _Incoming(io.RawIOBase):
    """The bytes of a response, and then their end or an error."""

    def __init__(self, data: bytes, error: OSError | None) -> None:
        self._data, self._error = io.BytesIO(data), error

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._error is not None:
            raise self._error
        return self._data.readinto(buffer)
