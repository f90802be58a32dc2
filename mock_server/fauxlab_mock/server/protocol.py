"""uvicorn's two HTTP protocols with our answers to broken framing, header limits and deadlines.

uvicorn has no public way to do any of this, so the classes here are mixed into its protocols and
use `USED` of them, which a test compares with the uvicorn that is installed.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, MutableMapping
from typing import Any

from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.server.app import LINGER_S, Connection, Stop
from fauxlab_mock.server.idle import IdleConnections

__all__ = ["USED", "http_protocol"]

HEAD_S = 10  # from the first byte of a request, or from connecting, to the end of its headers
BODY_S = 30  # from there to the end of its body
_REASONS = {400: b"Bad Request", 408: b"Request Timeout", 431: b"Request Header Fields Too Large"}

# What is used of uvicorn: class -> attributes and methods, those of a request's cycle included.
_OF_BOTH = (
    "client cycle data_received flow connection_lost connection_made loop on_response_complete"
    " send_400_response shutdown transport"
)
_OF_CYCLE = "disconnected keep_alive message_event more_body response_complete response_started"
USED = {
    "uvicorn.protocols.http.h11_impl:H11Protocol": f"{_OF_BOTH} conn",
    "uvicorn.protocols.http.h11_impl:RequestResponseCycle": _OF_CYCLE,
    "uvicorn.protocols.http.httptools_impl:HttpToolsProtocol": (
        f"{_OF_BOTH} _unsupported_upgrade_warning headers on_body on_header on_headers_complete"
        " on_message_begin on_message_complete on_url parser url"
    ),
    "uvicorn.protocols.http.httptools_impl:RequestResponseCycle": _OF_CYCLE,
}


class _OurAnswers(asyncio.Protocol):
    """What both protocols need.

    Refusals of the parser come as the API's envelope, requests have deadlines, and half-sent ones
    end when the server stops.
    """

    mock: Mock
    lent: MutableMapping[Any, Connection]  # by client; shared by all connections of a server
    idle: IdleConnections  # likewise
    stop: Stop  # likewise
    client: Any
    loop: asyncio.AbstractEventLoop
    transport: Any
    flow: Any
    cycle: Any
    _is_deaf = False  # nothing more is read from this connection
    # what is left to do when all that was read is answered
    _afterwards: Callable[[], None] | None = None
    _phase: object = None
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.lent[self.client] = Connection(self.transport, self.stop)
        self._watch()
        self.idle.opened(self.transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._unwatch()
        self.idle.discard(self.transport)
        self.lent.pop(self.client, None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self.idle.discard(self.transport)
        if not self._is_deaf:
            self.read(data)
            self._watch()

    def read(self, data: bytes) -> None:
        super().data_received(data)

    def eof_received(self) -> bool:
        """Close the connection, or return True to keep it until what was read is answered.

        A client that shuts down its side of a connection may still be waiting for answers; one that
        does so while an answer is held back on purpose has most likely gone.
        """
        connection = self.lent.get(self.client)
        if connection is not None and connection.silent_until:
            return False
        return self._when_answered(self.transport.close)

    def send_400_response(self, _: str) -> None:
        self.fail("bad_framing")

    def fail(self, case: str) -> None:
        """Refuse what cannot be read, after the answers to what was read before; then be deaf."""
        if self._is_deaf or self.transport.is_closing():
            return
        self._unwatch()
        if self._is_unfinished() and self.cycle.response_started:
            self.transport.close()
        elif not self._when_answered(lambda: self._refuse(case)):
            self._refuse(case)
        self._is_deaf = True

    def on_response_complete(self) -> None:
        super().on_response_complete()  # type: ignore[misc] # of the protocol that this is mixed into
        if self._is_owing() or self.transport.is_closing():
            return
        if self._afterwards is not None:
            self._afterwards()
        elif not self.is_midway():
            self.idle.add(self.transport)

    def shutdown(self) -> None:
        if self._is_unfinished():
            # the request will never be finished, so there is nothing to wait for
            self.transport.close()
        else:
            super().shutdown()  # type: ignore[misc] # likewise

    def is_midway(self) -> bool:
        """True when a part of the next request's head has arrived."""
        raise NotImplementedError

    def _is_unfinished(self) -> bool:
        """True when a part of a request's body is still to come."""
        cycle = self.cycle
        return cycle is not None and not cycle.response_complete and cycle.more_body

    def _is_owing(self) -> bool:
        """True when a complete request waits for its answer."""
        cycle = self.cycle
        return cycle is not None and not cycle.response_complete and not cycle.more_body

    def _when_answered(self, action: Callable[[], None]) -> bool:
        """Keep `action` for later, and return True, if a complete request waits for its answer."""
        is_owing = self._is_owing()
        if is_owing:
            self._is_deaf = True
            self._afterwards = self._afterwards or action
        return is_owing

    def _refuse(self, case: str) -> None:
        answer = self.mock.reject(case, "-", "-")
        head = (
            b"HTTP/1.1 %d %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n"
            b"connection: close\r\n\r\n"
        )
        head %= (answer.code, _REASONS[answer.code], len(answer.content))
        self.transport.write(head + answer.content)
        if self._is_unfinished():
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        # Read on without looking: closed at once, the connection is reset under a client that is
        # still sending.
        self.flow.resume_reading()
        self.transport.write_eof()
        self._deadline = self.loop.call_later(LINGER_S, self.transport.close)

    def _watch(self) -> None:
        """Set the deadline for what the client is sending now."""
        if self._is_deaf:
            return
        phase = self._sending()
        if phase is not self._phase:
            self._unwatch()
            self._phase = phase
            if phase is not None:
                within_s = HEAD_S if phase == "head" else BODY_S
                self._deadline = self.loop.call_later(within_s, self._too_slow)

    def _sending(self) -> object:
        """Return what the client is to send: "head", the cycle whose body it is, or None."""
        if self._is_owing():
            return None
        return self.cycle if self._is_unfinished() else "head"

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
    """What h11 needs besides."""

    conn: Any

    def send_400_response(self, _: str) -> None:
        is_too_large = getattr(sys.exception(), "error_status_hint", 400) == 431
        self.fail("headers_too_large" if is_too_large else "bad_framing")

    def is_midway(self) -> bool:
        return bool(self.conn.trailing_data[0])


class _ByHttptools(_OurAnswers):
    """What httptools needs besides.

    It takes heads of any size, takes trailers for headers, and leaves an upgrade's body unread.
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
        if self.in_head:  # a trailer is ignored
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
        """Read a request that asks for an upgrade as if it had not asked.

        The parser has stopped after its head, so a new one is fed with that head, without the
        upgrade, and with what had come after it.
        """
        # httptools' HttpParserUpgrade; its argument is where in `latest` it stopped
        stop = sys.exception()
        if not self._is_upgrade():
            self.cycle.keep_alive = False
        elif stop is not None:
            rest = self.latest[stop.args[0] :]
            version = self.parser.get_http_version().encode()
            lines = [b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, version)]
            lines += [name + b": " + value for name, value in self.headers if name != b"upgrade"]
            self.parser = type(self.parser)(self)
            self.read(b"\r\n".join(lines) + b"\r\n\r\n" + rest)


def http_protocol(mock: Mock, lent: MutableMapping[Any, Connection]) -> type[Any]:
    """Return uvicorn's HTTP protocol for a mock: on httptools where it is installed, else on h11.

    Its connections enter themselves into `lent` by their client's address.
    """
    members = {
        "mock": mock,
        "lent": lent,
        "idle": IdleConnections(mock.settings.limits),
        "stop": Stop(),
    }
    try:
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
    except ImportError:
        from uvicorn.protocols.http.h11_impl import H11Protocol

        return type("Protocol", (_ByH11, H11Protocol), members)
    return type("Protocol", (_ByHttptools, HttpToolsProtocol), members)
