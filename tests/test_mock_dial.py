"""Where webhooks may go, decided on the address that is dialled; and what receivers may do to us."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from driving import VALID, make_mock, submit
from fauxlab_mock.dial import Outcome, Targets, post
from fauxlab_mock.mock import Mock

ANYWHERE = Targets()


@pytest.mark.parametrize(
    "host, address, objection",
    [
        ("localhost", "127.0.0.1", ""),
        ("localhost", "::1", ""),
        ("named.example", "192.0.2.7", ""),
        ("NAMED.example", "192.0.2.7", ""),
        ("named.example", "127.0.0.1", ""),
        ("named.example", "169.254.169.254", "link-local"),
        ("named.example", "fe80::1", "link-local"),
        ("named.example", "::ffff:169.254.169.254", "link-local"),
        ("named.example", "224.0.0.1", "multicast"),
        ("named.example", "0.0.0.0", "unspecified"),
        ("other.example", "192.0.2.7", "not among the hosts of --webhooks"),
        ("other.example", "10.0.0.7", "not among the hosts of --webhooks"),
    ],
)
def test_targets(host: str, address: str, objection: str) -> None:
    """This machine and named hosts; never link-local, multicast or unspecified addresses, whatever the name."""
    why = Targets.named("named.example, second.example", frozenset).objection(host, 80, ipaddress.ip_address(address))

    assert (objection in why, bool(why)) == (True, bool(objection))


def test_off_means_nowhere() -> None:
    """With --webhooks off even this machine is not dialled; the log says so."""
    mock = make_mock(webhooks="off", eta=1.0)
    submit(mock, webhook="http://127.0.0.1:9/")
    mock.clock.advance(1)

    assert [(attempt.suppressed, attempt.error) for attempt in mock.webhooks] == [(True, "webhooks are switched off")]


@pytest.mark.fauxlab(clock="manual", eta=1)
def test_never_the_mock_itself(fauxlab_server: Mock) -> None:
    """A webhook that names the mock's own port is suppressed, and told."""
    submit(fauxlab_server, webhook=f"{fauxlab_server.url}/image_editing/fetch/1")
    fauxlab_server.clock.advance(1)

    assert [(attempt.suppressed, "the mock's own" in attempt.error) for attempt in fauxlab_server.webhooks] == [(True, True)]


def test_other_machines_are_suppressed_unless_named() -> None:
    """A host elsewhere is not dialled, nor tried again."""
    mock = make_mock(eta=1.0)
    submit(mock, webhook="http://192.0.2.7/hook")
    mock.clock.advance(1_000)

    assert [(attempt.suppressed, attempt.attempt) for attempt in mock.webhooks] == [(True, 1)]


class Listener:
    """A raw receiver that answers each connection with `answer`, byte by byte if that is asked for, or never."""

    def __init__(self, answer: bytes | None) -> None:
        self.answer, self.received = answer, b""
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/hook?a=b"
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.over = threading.Event()
        self.thread.start()

    def _serve(self) -> None:
        connection, _ = self.socket.accept()
        with connection:
            while b"}" not in self.received:
                self.received += connection.recv(65_536)
            if self.answer is None:
                self.over.wait(10)
            else:
                connection.sendall(self.answer)

    def close(self) -> None:
        self.over.set()
        self.thread.join(10)
        self.socket.close()


@pytest.fixture
def listen() -> Iterator[Any]:
    made: list[Listener] = []

    def start(answer: bytes | None) -> Listener:
        made.append(Listener(answer))
        return made[-1]

    yield start
    for one in made:
        one.close()


@pytest.mark.parametrize(
    "answer, code, error",
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", 200, ""),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\n\r\n", 302, "answered 302"),
        (b"", None, "ValueError: closed without an answer"),
        (b"HTTP/1.1 200 OK\r\nX:", None, "ValueError: the answer ended before its headers did"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", None, "ValueError: the answer is no HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000, None, "ValueError: the answer's headers are over 65536 bytes"),
        (None, None, "no answer within 0.2 s"),
    ],
)
def test_what_receivers_may_answer(listen: Any, answer: bytes | None, code: int | None, error: str) -> None:
    """A status, redirects that are not followed, nothing, nonsense, too much, too late: each is told as what it is."""
    listener = listen(answer)
    outcome = post(listener.url, b'{"a":1}', ANYWHERE, 0.2 if answer is None else 5)

    assert (outcome.code, outcome.error, outcome.suppressed) == (code, error, False)


def test_what_is_sent(listen: Any) -> None:
    """One POST with the JSON, the receiver's own path and query, and no word about the mock's key."""
    listener = listen(b"HTTP/1.1 200 OK\r\n\r\n")
    assert post(listener.url, b'{"a":1}', ANYWHERE, 5).delivered
    head, _, body = listener.received.partition(b"\r\n\r\n")

    assert (head.splitlines()[0], body) == (b"POST /hook?a=b HTTP/1.1", b'{"a":1}')
    assert b"Content-Type: application/json" in head.splitlines()
    assert VALID["key"].encode() not in listener.received


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999/", "http://[::1/", "ftp://127.0.0.1/", "http://"])
def test_addresses_that_are_none(url: str) -> None:
    """What cannot be dialled is a failed attempt, not a crash."""
    assert post(url, b"{}", ANYWHERE, 1).code is None


def test_an_outcome_knows_whether_it_was_delivered() -> None:
    """2xx alone counts."""
    assert [Outcome(code=code).delivered for code in (None, 199, 200, 299, 300, 500)] == [False, False, True, True, False, False]
