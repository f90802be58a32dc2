"""A real socket around the app: uvicorn with our answers to broken framing, header limits, and a clean stop on signals."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import uvicorn

from fauxlab_mock.app import create_app
from fauxlab_mock.mock import Mock

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["Server", "bind"]

KEEP_ALIVE_S = 5
GRACEFUL_STOP_S = 5
_REASONS = {400: b"Bad Request", 431: b"Request Header Fields Too Large"}


def bind(host: str, port: int) -> socket.socket:
    """A listening TCP socket; OSError when the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(512)
    except BaseException:
        listener.close()
        raise
    return listener


class _OurAnswers:
    """Mixed into uvicorn's two HTTP protocols: refusals of the parser come as the envelope, half-sent requests end at a stop."""

    mock: Mock
    transport: Any
    cycle: Any
    header_bytes = 0

    def refuse(self, case: str) -> None:
        reply = self.mock.reject(case, "-", "-")
        content = json.dumps(reply.body).encode()
        head = b"HTTP/1.1 %d %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
        self.transport.write(head % (reply.code, _REASONS[reply.code], len(content)) + content)
        self.transport.close()

    def send_400_response(self, _: str) -> None:
        if not self.transport.is_closing():
            self.refuse("bad_framing")

    def shutdown(self) -> None:
        if self.cycle is not None and self.cycle.more_body:
            self.transport.close()  # the request was never finished, so there is nothing to wait for
        else:
            super().shutdown()  # type: ignore[misc] # of the protocol that this is mixed into


def _protocol(mock: Mock) -> type[Any]:
    """uvicorn's HTTP protocol for this mock: httptools where it is installed, else h11."""
    try:
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
    except ImportError:
        from uvicorn.protocols.http.h11_impl import H11Protocol

        return type("Protocol", (_OurAnswers, H11Protocol), {"mock": mock})

    class Protocol(_OurAnswers, HttpToolsProtocol):
        def on_message_begin(self) -> None:
            self.header_bytes = 0
            super().on_message_begin()

        def on_url(self, url: bytes) -> None:
            self._count(len(url))
            super().on_url(url)

        def on_header(self, name: bytes, value: bytes) -> None:
            self._count(len(name) + len(value) + 4)
            super().on_header(name, value)

        def _count(self, size: int) -> None:
            """httptools itself takes headers of any size."""
            self.header_bytes += size
            if self.header_bytes > mock.settings.limits.header_bytes:
                if not self.transport.is_closing():
                    self.refuse("headers_too_large")
                raise ValueError("headers over the limit")  # makes the parser stop

    Protocol.mock = mock
    return Protocol


class Server(uvicorn.Server):
    """Serves one mock on an already bound socket. `run()` returns after SIGINT, SIGTERM or `stop()`."""

    def __init__(self, mock: Mock, listener: socket.socket, *, on_ready: Callable[[], None] = lambda: None) -> None:
        config = uvicorn.Config(
            create_app(mock=mock),
            http=_protocol(mock),
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=GRACEFUL_STOP_S,
        )
        super().__init__(config)
        self._listener, self._on_ready = listener, on_ready

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        super().run(sockets or [self._listener])

    def stop(self) -> None:
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Like uvicorn's, but a signal that was obeyed is not raised again: a clean stop exits with 0."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, _: int, __: FrameType | None) -> None:
        self.force_exit = self.should_exit  # the second signal does not wait
        self.should_exit = True
