"""The mock as a Starlette application.

Translation only: an HTTP request becomes a `Call`, an `Answer` an HTTP response with everything
that goes wrong on its way.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
import struct
import sys
import traceback
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool

from fauxlab_mock.admin.api import PREFIX, AdminCall, administer
from fauxlab_mock.behaviour.faults import DRIBBLE_PIECES, FaultEffect
from fauxlab_mock.engine.messages import Call
from fauxlab_mock.runtime.answer import Answer
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.settings import Limits, Settings

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

__all__ = ["LINGER_S", "Connection", "Stop", "create_app"]

LINGER_S = 1  # how long a client that was refused may go on sending before its connection is closed
MAX_LENGTH_DIGITS = 20  # of a Content-Length; h11 before 0.15 takes any number of them
_CLOSE = (b"connection", b"close")


@dataclass(slots=True)
class Stop:
    """When a server stops: what is sent on purpose after `at` (on the loop's clock) never is."""

    at: float = math.inf


@dataclass(slots=True)
class Connection:
    """A client's connection, which the server lends to the application: faults need it.

    Until `silent_until` (on the loop's clock) nothing is sent on purpose; 0 stands for now.
    """

    transport: asyncio.Transport
    stop: Stop
    silent_until: float = 0.0

    def be_silent(self, until: float) -> None:
        """Note a silence, and end the connection if the server stops before it is over."""
        self.silent_until = until
        if until > self.stop.at:
            self.transport.close()


def create_app(
    settings: Settings = Settings(),  # noqa: B008 # frozen
    *,
    mock: Mock | None = None,
    origin: str | None = None,
) -> Starlette:
    """Return a Starlette application that serves `mock`, or a new mock with `settings`.

    The mock is reachable as `app.state.mock`. Links point at `origin`, by default the mock's own.
    """
    mock = mock or Mock(settings)
    app = Starlette()
    # (host, port) of a client -> its `Connection`, if the server lends it
    app.state.connections = {}
    # no routes of our own: every path, `*` too, is the document's affair
    app.router.default = Endpoint(mock, origin, app.state.connections)
    app.state.mock = mock
    return app


class ClientGoneError(Exception):
    """The client went away before its request was complete, or before its answer was."""


class Endpoint:
    """The ASGI application below every path. Links point at `origin` (default: the mock's own)."""

    def __init__(
        self,
        mock: Mock,
        origin: str | None = None,
        connections: Mapping[Any, Connection] = MappingProxyType({}),
    ) -> None:
        self.mock, self.origin, self.connections = mock, origin, connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        connection = self.connections.get(tuple(scope["client"] or ()))
        hangs_s = 0.0
        try:
            with self.mock.traffic.answering():
                hangs_s = await self._answer(scope, receive, send, connection)
                if hangs_s:
                    await self._hang(hangs_s, receive, connection)
        except ClientGoneError:
            pass
        except asyncio.CancelledError:  # the server stops, and would answer with a page of its own
            if connection is not None:
                connection.transport.close()
            raise

    async def _answer(
        self, scope: Scope, receive: Receive, send: Send, connection: Connection | None
    ) -> float:
        """Read a request, answer it and do what follows the answer.

        Return the seconds for which the client is then left without an answer.
        """
        try:
            taken, close = await self._take(scope, receive)
        except ClientGoneError:
            raise
        except Exception as error:
            # a bug of ours: the server goes on, and says so without quoting the request
            _report(error)
            answer = self.mock.reject("internal", scope["method"], _path(scope))
            taken, close = contextlib.nullcontext(answer), True
        async with taken as answer:
            effect = answer.effect
            if effect.delay_s:
                await self._delay(effect.delay_s, receive, connection)
            match effect.kind:
                case "whole" | "cut":
                    await _send(answer, send, close=close)
                case "dribble":
                    await self._dribble(answer, receive, send, connection)
                case "close" | "reset":
                    _break(effect, connection)
                    await _gone(receive)
                case "hang":
                    return effect.lasts_s
        if close:
            await _linger(receive, self.mock.settings.limits.body_bytes)
            await send({"type": "http.response.body", "body": b""})
        return 0.0

    async def _dribble(
        self, answer: Answer, receive: Receive, send: Send, connection: Connection | None
    ) -> None:
        """Send an answer in pieces."""
        await _send_head(answer, send)
        size = -(-len(answer.content) // DRIBBLE_PIECES) or 1
        for start in range(0, len(answer.content), size):
            await self._delay(answer.effect.lasts_s / DRIBBLE_PIECES, receive, connection)
            piece = answer.content[start : start + size]
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _delay(self, seconds: float, receive: Receive, connection: Connection | None) -> None:
        """Hold an answer back; raise ClientGoneError if the connection ends meanwhile."""
        if connection is not None:
            connection.be_silent(asyncio.get_running_loop().time() + seconds)
        with contextlib.suppress(TimeoutError):
            async with self._silence(seconds, connection, self.mock.clock.running()):
                await _gone(receive)
                raise ClientGoneError
        if connection is not None:
            connection.silent_until = 0.0

    async def _hang(self, seconds: float, receive: Receive, connection: Connection | None) -> None:
        """Leave a client without an answer until its connection ends, and end it at last."""
        if connection is not None:
            connection.be_silent(math.inf)
        with contextlib.suppress(TimeoutError):
            async with self._silence(seconds, connection, self.mock.traffic.resting()):
                await _gone(receive)
        if connection is not None:
            connection.transport.close()
            await _gone(receive)

    @contextlib.asynccontextmanager
    async def _silence(
        self,
        seconds: float,
        connection: Connection | None,
        meanwhile: contextlib.AbstractContextManager[None],
    ) -> AsyncIterator[None]:
        """Raise TimeoutError inside the block when the mock has been silent for so long.

        In real time, unless the mock's traffic is held back in another way; `meanwhile` is for it.
        """
        traffic = self.mock.traffic
        if traffic.hold is None or connection is None:
            with meanwhile:
                async with asyncio.timeout(seconds):
                    yield
            return
        peer = connection.transport.get_extra_info("peername")
        with traffic.resting():
            async with traffic.hold(seconds, peer):
                yield

    async def _take(
        self, scope: Scope, receive: Receive
    ) -> tuple[contextlib.AbstractAsyncContextManager[Answer], bool]:
        """Read a request and decide.

        Return the answer, in a block that does what follows it, and True if the connection must be
        closed after it.
        """
        method, path = scope["method"], _path(scope)
        headers, size, hosts = _read_headers(scope)
        case, body = await self._body(scope, receive, headers, size, hosts)
        if case is not None:
            return contextlib.nullcontext(self.mock.reject(case, method, path)), True
        query = scope["query_string"].decode("latin-1")
        if path.startswith(PREFIX + "/"):
            admin_call = AdminCall(method, path, query, headers, body)
            answer = await run_in_threadpool(administer, self.mock, admin_call)
            return contextlib.nullcontext(answer), False
        responding = self.mock.respond(Call(method, path, headers, body, query, self.origin))
        await responding.prepare()
        return responding, False

    async def _body(
        self, scope: Scope, receive: Receive, headers: Mapping[str, str], size: int, hosts: int
    ) -> tuple[str | None, bytes]:
        """Return (why the request is refused, b"") or (None, its body)."""
        limits = self.mock.settings.limits
        if size > limits.header_bytes:
            return "headers_too_large", b""
        case = _framing_fault(scope, headers, hosts, limits)
        if case is not None:
            return case, b""
        body = await _body(receive, limits.body_bytes)
        if body is None:
            return "body_too_large", b""
        return None, body


def _path(scope: Scope) -> str:
    """Return the path as it was sent, percent-encoded.

    Of a target like `http://host/path` (RFC 9112, 3.2.2), which some servers leave whole, it is
    the path.
    """
    raw: bytes | None = scope.get("raw_path")
    path = quote(scope["path"]) if raw is None else raw.decode("utf-8", "replace")
    path = path.partition("?")[0]
    if path.startswith(("http://", "https://")):
        _, _, host_and_path = path.partition("://")
        _, _, rest = host_and_path.partition("/")
        path = f"/{rest}"
    return path


def _read_headers(scope: Scope) -> tuple[dict[str, str], int, int]:
    """Return (headers, bytes of request line and headers, number of Host headers).

    Names of headers are in lower case, repeated ones are joined.
    """
    headers: dict[str, str] = {}
    target = len(scope.get("raw_path") or scope["path"].encode())
    query = len(scope["query_string"]) + bool(scope["query_string"])
    size = len(scope["method"]) + target + query + len("  HTTP/1.1\r\n\r\n")
    hosts = 0
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        size += len(name) + len(value) + len(": \r\n")
        hosts += name == "host"
        if name in headers:
            value = f"{headers[name]}, {value}"
        headers[name] = value
    return headers, size, hosts


def _framing_fault(
    scope: Scope, headers: Mapping[str, str], hosts: int, limits: Limits
) -> str | None:
    """Return why a request is refused before its body is read; servers differ in what they pass."""
    if hosts > 1 or (hosts == 0 and scope["http_version"] == "1.1"):
        return "bad_framing"
    if "transfer-encoding" in headers and "content-length" in headers:
        return "bad_framing"
    length = headers.get("content-length", "0")
    if len(length) > MAX_LENGTH_DIGITS:
        return "bad_framing"
    is_too_large = length.isdecimal() and int(length) > limits.body_bytes
    return "body_too_large" if is_too_large else None


async def _body(receive: Receive, limit: int) -> bytes | None:
    """Return the whole body, or None as soon as it is over `limit` bytes."""
    data = bytearray()
    more = True
    while more and len(data) <= limit:
        message = await _next(receive)
        data += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(data) if len(data) <= limit else None


async def _send(answer: Answer, send: Send, *, close: bool) -> None:
    """Send an answer; one that closes its connection is left open for `_linger`."""
    await _send_head(answer, send, close=close)
    await send({"type": "http.response.body", "body": answer.content, "more_body": close})


async def _send_head(answer: Answer, send: Send, *, close: bool = False) -> None:
    headers = [
        (name.encode("latin-1"), value.encode("latin-1", "replace"))
        for name, value in answer.all_headers.items()
    ]
    if close:
        headers.append(_CLOSE)
    await send({"type": "http.response.start", "status": answer.code, "headers": headers})


def _break(effect: FaultEffect, connection: Connection | None) -> None:
    """Send the bytes of a fault past HTTP, and end the connection."""
    if connection is None:
        raise RuntimeError(
            "this server gives no access to its connections, so it cannot make faults on the wire"
        )
    transport = connection.transport
    if effect.kind == "reset":
        # with SO_LINGER of zero seconds, the end of a connection is a reset
        no_linger = struct.pack("ii", 1, 0)
        transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, no_linger
        )
        transport.abort()
        return
    if effect.data:
        transport.write(effect.data)
    transport.close()


async def _gone(receive: Receive) -> None:
    """Wait until the connection has ended."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _linger(receive: Receive, limit: int) -> None:
    """Read on for a moment.

    A connection that is closed at once is reset under a client that is still sending.
    """
    seen, more = 0, True
    with contextlib.suppress(ClientGoneError, TimeoutError):
        async with asyncio.timeout(LINGER_S):
            while more and seen <= limit:
                message = await _next(receive)
                seen += len(message.get("body", b""))
                more = message.get("more_body", False)


async def _next(receive: Receive) -> Message:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGoneError
    return message


def _report(error: Exception) -> None:
    frames = "".join(traceback.format_tb(error.__traceback__))
    with contextlib.suppress(OSError, ValueError):  # nobody may be reading any more
        print(f"fauxlab: internal error {type(error).__name__}\n{frames}", file=sys.stderr)
