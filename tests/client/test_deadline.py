"""The time limit of a whole answer, against real servers on loopback that never come to an end."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import fauxlab_client as fc
from fauxlab_client._deadline import Cutter

FIELDS: dict[str, Any] = {"prompt": "p", "face_image": "https://example.com/face.png", "seed": 7}
LIMIT_S, PATIENCE_S = 0.3, 5.0


class Endless:
    """Answers every request with `start`, and then with `drip` until the client has gone.

    It stops when its patience is over.
    """

    def __init__(self, start: bytes, drip: bytes) -> None:
        self.start, self.drip, self.requests = start, drip, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/api/v6"
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        while not self.over.is_set():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65_536)
                self.requests += 1
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        ends = time.monotonic() + PATIENCE_S
        try:
            connection.sendall(self.start)
            while time.monotonic() < ends and not self.over.wait(0.02):
                connection.sendall(self.drip)
        except OSError:
            pass

    def close(self) -> None:
        self.over.set()
        self.listener.close()
        self.thread.join(PATIENCE_S)


@pytest.fixture
def endless() -> Iterator[Callable[[bytes, bytes], Endless]]:
    made: list[Endless] = []

    def start(first: bytes, drip: bytes) -> Endless:
        made.append(Endless(first, drip))
        return made[-1]

    yield start
    for one in made:
        one.close()


KINDS = {
    "headers": (b"HTTP/1.1 200 OK\r\nX-Long: ", b"x"),
    "informational answers": (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "a body": (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b" "),
    "an extension of a chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=", b"y"),
    "nothing": (b"", b""),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("twin", ["sync", "async"])
def test_an_answer_that_never_ends_is_cut_off(
    endless: Callable[[bytes, bytes], Endless], twin: str, kind: str
) -> None:
    """Whatever drips, the call ends at its limit, sends no second submit and leaves no thread."""
    server = endless(*KINDS[kind])
    began = time.monotonic()

    async def generate_async() -> None:
        async with fc.AsyncClient(
            "any-key-of-mine", base_url=server.url, timeout_s=LIMIT_S
        ) as client:
            await client.generate(**FIELDS)

    def generate() -> None:
        with fc.Client("any-key-of-mine", base_url=server.url, timeout_s=LIMIT_S) as client:
            client.generate(**FIELDS)

    with pytest.raises(fc.ConnectionFailedError) as caught:
        asyncio.run(generate_async()) if twin == "async" else generate()

    assert (caught.value.sent, server.requests) == (True, 1)
    assert LIMIT_S * 0.9 <= time.monotonic() - began < PATIENCE_S / 2
    assert [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)] == []


class Stream:
    """A connection of a transport, with a socket or without."""

    def __init__(self, own: socket.socket | None) -> None:
        self.own = own

    def get_extra_info(self, _: str) -> socket.socket | None:
        return self.own


def test_only_open_sockets_are_watched() -> None:
    """A stream without a socket, as other transports have, and a closed socket are passed over."""
    cutter = Cutter()
    with socket.socket() as watched, socket.socket() as closed:
        closed.close()
        for own in (watched, None, closed):
            cutter.trace("connection.connect_tcp.complete", {"return_value": Stream(own)})

        assert cutter._sockets == [watched]
