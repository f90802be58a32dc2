"""The mock as a Starlette application. Translation only: an HTTP request becomes a `Call`, a
`Reply` an HTTP response.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys
import traceback
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool

from fauxlab_contract.core.strict_json import Limits
from fauxlab_mock.admin.api import PREFIX, AdminCall, administer
from fauxlab_mock.behaviour.faults import DRIBBLE_PIECES, DRIBBLE_S, HANG_S
from fauxlab_mock.engine.engine import Call
from fauxlab_mock.runtime.answer import Answer
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.settings import Settings

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

__all__ = ["LINGER_S", "create_app"]

LINGER_S = 1  # how long a client that was refused may go on sending before its connection is closed
_CLOSE = (b"connection", b"close")


def create_app(
    settings: Settings = Settings(),  # noqa: B008 # frozen
    *,
    mock: Mock | None = None,
    origin: str | None = None,
) -> Starlette:
    """A Starlette application that serves the document of `settings`, or an existing `mock`
    (reachable as `app.state.mock`).

    Links point at `origin`, by default the mock's own.
    """
    mock = mock or Mock(settings)
    app = Starlette()
    # (host, port) of a client -> its connection, if the server lends it: faults need it
    app.state.transports = {}
    # no routes of our own: every path, `*` too, is the document's affair
    app.router.default = Endpoint(mock, origin, app.state.transports)
    app.state.mock = mock
    return app


class ClientGoneError(Exception):
    """The client went away before its request was complete."""


class Endpoint:
    """The ASGI application below every path. Links point at `origin` (default: the mock's own)."""

    def __init__(
        self,
        mock: Mock,
        origin: str | None = None,
        transports: Mapping[Any, Any] = MappingProxyType({}),
    ) -> None:
        self.mock, self.origin, self.transports = mock, origin, transports

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        with self.mock.answering():
            hangs = await self._answer(scope, receive, send)
        if hangs:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HANG_S):
                    await _gone(receive)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> bool:
        """Read a request, answer it and do what follows; True when the client is left to hang."""
        async with contextlib.AsyncExitStack() as stack:
            try:
                answer, close = await self._taken(scope, receive, stack)
            except ClientGoneError:
                return False
            except Exception as error:
                # a bug of ours: the server goes on, and says so without quoting the request
                _report(error)
                answer, close = self.mock.reject("internal", scope["method"], _path(scope)), True
            if answer.delay_s:
                await asyncio.sleep(answer.delay_s)
            if answer.fault is not None and await self._hurt(answer, scope, receive, send):
                return answer.fault == "HANG"
            await send(
                {
                    "type": "http.response.start",
                    "status": answer.code,
                    "headers": _answer_headers(answer, close),
                }
            )
            await send({"type": "http.response.body", "body": answer.content, "more_body": close})
        if close:
            await _linger(receive, self.mock.settings.limits.body_bytes)
            await send({"type": "http.response.body", "body": b""})
        return False

    async def _hurt(self, reply: Answer, scope: Scope, receive: Receive, send: Send) -> bool:
        """Do what a fault asks for; True when the answer is dealt with."""
        transport = self.transports.get(tuple(scope["client"] or ()))
        match reply.fault:
            case "TRUNCATED_JSON":
                return False
            case "DRIBBLE":
                await _dribble(reply, send)
            case "HANG":
                pass
            case _ if transport is None:
                raise RuntimeError(
                    "this server lends no connections, so it cannot make faults on the wire"
                )
            case fault:
                _break(transport, str(fault), reply.noise)
                await _gone(receive)
        return True

    async def _taken(
        self, scope: Scope, receive: Receive, stack: contextlib.AsyncExitStack
    ) -> tuple[Answer, bool]:
        """(the answer, must the connection be closed after it); `stack` does what follows it."""
        limits = self.mock.settings.limits
        headers, size, hosts = _read_headers(scope)
        case = (
            _fault(scope, headers, hosts, limits)
            if size <= limits.header_bytes
            else "headers_too_large"
        )
        body = None if case else await _body(receive, limits.body_bytes)
        method, path = scope["method"], _path(scope)
        if body is None:
            return self.mock.reject(case or "body_too_large", method, path), True
        query = scope["query_string"].decode("latin-1")
        if path.startswith(PREFIX + "/"):
            admin_call = AdminCall(method, path, query, headers, body)
            return await run_in_threadpool(administer, self.mock, admin_call), False
        call = Call(method, path, headers, body, query, self.origin)
        return await stack.enter_async_context(self.mock.respond_async(call)), False


def _path(scope: Scope) -> str:
    """The decoded path, also of a target like `http://host/path` (RFC 9112, 3.2.2), which some
    servers leave whole.
    """
    path: str = scope["path"]
    if path.startswith(("http://", "https://")):
        path = "/" + "/".join(path.split("/")[3:])
    return path


def _answer_headers(answer: Answer, close: bool) -> list[tuple[bytes, bytes]]:
    headers = [
        (name.encode("latin-1"), value.encode("latin-1", "replace"))
        for name, value in answer.all_headers.items()
    ]
    return [*headers, _CLOSE] if close else headers


def _read_headers(scope: Scope) -> tuple[dict[str, str], int, int]:
    """(headers: names in lower case, repeated ones joined; bytes of request line and headers; how
    many Host headers)
    """
    found: dict[str, str] = {}
    target = (
        len(scope.get("raw_path") or scope["path"].encode())
        + len(scope["query_string"])
        + bool(scope["query_string"])
    )
    size = len(scope["method"]) + target + len("  HTTP/1.1\r\n\r\n")
    hosts = 0
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        size += len(name) + len(value) + len(": \r\n")
        hosts += name == "host"
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found, size, hosts


def _fault(scope: Scope, headers: dict[str, str], hosts: int, limits: Limits) -> str | None:
    """Why this request is refused before its body is read; servers differ in what they let through."""
    if hosts > 1 or (hosts == 0 and scope["http_version"] == "1.1"):
        return "bad_framing"
    length = headers.get("content-length", "0")
    if "transfer-encoding" in headers and "content-length" in headers:
        return "bad_framing"
    return "body_too_large" if length.isdecimal() and int(length[:20]) > limits.body_bytes else None


async def _body(receive: Receive, limit: int) -> bytes | None:
    """The whole body, or None as soon as it is over `limit` bytes."""
    data = bytearray()
    more = True
    while more and len(data) <= limit:
        message = await _next(receive)
        data += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(data) if len(data) <= limit else None


async def _dribble(answer: Answer, send: Send) -> None:
    headers, content = _answer_headers(answer, close=False), answer.content
    await send({"type": "http.response.start", "status": answer.code, "headers": headers})
    size = -(-len(content) // DRIBBLE_PIECES) or 1
    for start in range(0, len(content), size):
        await asyncio.sleep(DRIBBLE_S / DRIBBLE_PIECES)
        await send(
            {"type": "http.response.body", "body": content[start : start + size], "more_body": True}
        )
    await send({"type": "http.response.body", "body": b""})


def _break(transport: Any, fault: str, noise: bytes) -> None:
    """Bypass HTTP: the bytes or the end that a fault consists of."""
    if fault == "CONNECTION_RESET_BY_PEER":
        transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        transport.abort()
        return
    if fault == "RANDOM_DATA_THEN_CLOSE":
        transport.write(noise)
    if fault == "MALFORMED_RESPONSE_CHUNK":
        transport.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding:"
            b" chunked\r\n\r\n" + noise
        )
    transport.close()


async def _gone(receive: Receive) -> None:
    """Wait until the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _linger(receive: Receive, limit: int) -> None:
    """Read on a little: closed at once, the connection is reset under a client that is still
    sending.
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
