"""A real socket around the app: uvicorn with our answers to broken framing, header limits, and a
clean stop on signals.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import uvicorn

from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.server.app import LINGER_S, create_app

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["Server", "bind"]

HEAD_S = 10  # from the first byte of a request, or from connecting, to the end of its headers
BODY_S = 30  # from there to the end of its body
KEEP_ALIVE_S = 5
GRACEFUL_STOP_S = 5
_REASONS = {400: b"Bad Request", 408: b"Request Timeout", 431: b"Request Header Fields Too Large"}


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


class _OurAnswers(asyncio.Protocol):
    """Mixed into uvicorn's two HTTP protocols: refusals of the parser come as the envelope,
    requests have deadlines and half-sent ones end at a stop.
    """

    mock: Mock
    transports: dict[Any, Any]  # client -> connection, shared by all connections of a server
    client: Any
    loop: asyncio.AbstractEventLoop
    transport: Any
    flow: Any
    cycle: Any
    _deaf = False  # nothing more is read from this connection
    # what is left to do when all that was read is answered
    _afterwards: Callable[[], None] | None = None
    _phase: object = None
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transports[self.client] = transport
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unwatch()
        self.transports.pop(self.client, None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._deaf:
            self.read(data)
            self._watch()

    def read(self, data: bytes) -> None:
        super().data_received(data)

    def eof_received(self) -> bool:
        """A client that shuts down its side of the connection still gets the answers to what it
        sent before.
        """
        return self._when_answered(self.transport.close)

    def send_400_response(self, _: str) -> None:
        self.fail("bad_framing")

    def fail(self, case: str) -> None:
        """What comes cannot be read. Answer that after what was read before, and listen no more."""
        if self._deaf or self.transport.is_closing():
            return
        self._unwatch()
        if self._is_unfinished() and self.cycle.response_started:
            self.transport.close()
        elif not self._when_answered(lambda: self._refuse(case)):
            self._refuse(case)
        self._deaf = True

    def on_response_complete(self) -> None:
        super().on_response_complete()  # type: ignore[misc] # of the protocol that this is mixed into
        if (
            self._afterwards is not None
            and not self._is_owing()
            and not self.transport.is_closing()
        ):
            self._afterwards()

    def shutdown(self) -> None:
        if self._is_unfinished():
            # the request will never be finished, so there is nothing to wait for
            self.transport.close()
        else:
            super().shutdown()  # type: ignore[misc] # likewise

    def is_midway(self) -> bool:
        """Has a part of the next request's head arrived?"""
        raise NotImplementedError

    def _is_unfinished(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete and self.cycle.more_body

    def _is_owing(self) -> bool:
        return (
            self.cycle is not None and not self.cycle.response_complete and not self.cycle.more_body
        )

    def _when_answered(self, action: Callable[[], None]) -> bool:
        """Keep `action` for later if a complete request still waits for its answer."""
        owing = self._is_owing()
        if owing:
            self._deaf = True
            self._afterwards = self._afterwards or action
        return owing

    def _refuse(self, case: str) -> None:
        reply = self.mock.reject(case, "-", "-")
        head = (
            b"HTTP/1.1 %d %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection:"
            b" close\r\n\r\n"
        )
        self.transport.write(
            head % (reply.code, _REASONS[reply.code], len(reply.content)) + reply.content
        )
        if self._is_unfinished():
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        # Read on without looking: closed at once, the connection is reset under a client that is
        # still sending.
        self.flow.resume_reading()
        self.transport.write_eof()
        self._deadline = self.loop.call_later(LINGER_S, self.transport.close)

    def _watch(self) -> None:
        """Set the deadline for what the client is sending now: a head, the body of this cycle, or
        nothing.
        """
        if self._deaf:
            return
        phase = None if self._is_owing() else self.cycle if self._is_unfinished() else "head"
        if phase is not self._phase:
            self._unwatch()
            self._phase = phase
            if phase is not None:
                self._deadline = self.loop.call_later(
                    HEAD_S if phase == "head" else BODY_S, self._too_slow
                )

    def _unwatch(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        if self._is_unfinished() or self.is_midway():
            self.fail("too_slow")
        else:
            self.transport.close()


class _ByH11(_OurAnswers):
    """What h11 needs beyond that."""

    conn: Any

    def send_400_response(self, _: str) -> None:
        too_large = getattr(sys.exception(), "error_status_hint", 400) == 431
        self.fail("headers_too_large" if too_large else "bad_framing")

    def is_midway(self) -> bool:
        return bool(self.conn.trailing_data[0])


class _ByHttptools(_OurAnswers):
    """What httptools needs: it takes heads of any size, trailers for headers, and leaves the body
    of an upgrade unread.
    """

    parser: Any
    url: bytes
    headers: list[tuple[bytes, bytes]]
    in_head = False
    unread = 0  # bytes since the parser last got somewhere
    latest = b""  # what it is fed

    def read(self, data: bytes) -> None:
        self.unread += len(data)
        self.latest = data
        super().read(data)
        if self.unread > self.mock.settings.limits.header_bytes:
            self.fail("headers_too_large")

    def is_midway(self) -> bool:
        return self.in_head

    def on_message_begin(self) -> None:
        self.in_head, self.unread = True, 0
        super().on_message_begin()  # type: ignore[misc] # here and below: of the protocol that this is mixed into

    def on_url(self, url: bytes) -> None:
        super().on_url(url)  # type: ignore[misc]
        if len(self.url) > self.mock.settings.limits.header_bytes:
            self.fail("headers_too_large")
            raise ValueError("the URL is over the limit")  # makes the parser stop

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.in_head:  # trailers have no say
            super().on_header(name, value)  # type: ignore[misc]

    def on_headers_complete(self) -> None:
        self.in_head, self.unread = False, 0
        if not self._is_upgrade():
            super().on_headers_complete()  # type: ignore[misc]

    def on_body(self, body: bytes) -> None:
        self.unread = 0
        super().on_body(body)  # type: ignore[misc]

    def on_message_complete(self) -> None:
        self.unread = 0
        if not self._is_upgrade():
            super().on_message_complete()  # type: ignore[misc]

    def _is_upgrade(self) -> bool:
        return bool(self.parser.should_upgrade()) and self.parser.get_method() != b"CONNECT"

    def _unsupported_upgrade_warning(self) -> None:
        """Nobody must be upgraded: read the request as if it had not asked."""
        # httptools' HttpParserUpgrade; its argument is where in `latest` it stopped
        stop = sys.exception()
        if not self._is_upgrade():
            self.cycle.keep_alive = False
        elif stop is not None:
            lines = [
                b"%b %b HTTP/%b"
                % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
            ]
            lines += [name + b": " + value for name, value in self.headers if name != b"upgrade"]
            self.parser = type(self.parser)(self)
            self.read(b"\r\n".join(lines) + b"\r\n\r\n" + self.latest[stop.args[0] :])


def _protocol(mock: Mock, transports: dict[Any, Any]) -> type[Any]:
    """uvicorn's HTTP protocol for this mock: httptools where it is installed, else h11."""
    try:
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
    except ImportError:
        from uvicorn.protocols.http.h11_impl import H11Protocol

        return type("Protocol", (_ByH11, H11Protocol), {"mock": mock, "transports": transports})
    return type(
        "Protocol", (_ByHttptools, HttpToolsProtocol), {"mock": mock, "transports": transports}
    )


class Server(uvicorn.Server):
    """Serves one mock on an already bound socket. `run()` returns after SIGINT, SIGTERM or
    `stop()`.
    """

    def __init__(
        self,
        mock: Mock,
        listener: socket.socket,
        *,
        origin: str | None = None,
        on_ready: Callable[[], None] = lambda: None,
    ) -> None:
        app = create_app(mock=mock, origin=origin)
        config = uvicorn.Config(
            app,
            http=_protocol(mock, app.state.transports),
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            h11_max_incomplete_event_size=mock.settings.limits.header_bytes,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=GRACEFUL_STOP_S,
        )
        super().__init__(config)
        self._mock, self._listener, self._on_ready = mock, listener, on_ready
        self._transports = app.state.transports

    @property
    def connections(self) -> int:
        """How many are open now."""
        return len(self._transports)

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        port = self._listener.getsockname()[1]
        self._mock.serves_at(port)
        try:
            super().run(sockets or [self._listener])
        finally:
            self._mock.own_ports.discard(port)

    def stop(self) -> None:
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Like uvicorn's, but a signal that was obeyed is not raised again: a clean stop exits with
        0.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {
            number: signal.signal(number, self._on_signal)
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, _: int, __: FrameType | None) -> None:
        self.force_exit = self.should_exit  # the second signal does not wait
        self.should_exit = True
