"""The mock as a Starlette application. Translation only: an HTTP request becomes a `Call`, a `Reply` an HTTP response."""

from __future__ import annotations

import json
import sys
import traceback
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.routing import Mount

from fauxlab_mock.engine import Call, Reply
from fauxlab_mock.mock import Mock
from fauxlab_mock.pictures import draw
from fauxlab_mock.settings import Settings

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

__all__ = ["create_app"]

_JSON = (b"content-type", b"application/json")
_CLOSE = (b"connection", b"close")


def create_app(settings: Settings = Settings(), *, mock: Mock | None = None) -> Starlette:  # noqa: B008 # frozen
    """A Starlette application that serves the document of `settings`, or an existing `mock` (reachable as `app.state.mock`)."""
    mock = mock or Mock(settings)
    app = Starlette(routes=[Mount("/", app=Endpoint(mock))])
    app.state.mock = mock
    return app


class ClientGoneError(Exception):
    """The client went away before its request was complete."""


class Endpoint:
    """The ASGI application below every path."""

    def __init__(self, mock: Mock) -> None:
        self.mock = mock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            reply, close = await self._reply(scope, receive)
        except ClientGoneError:
            return
        except Exception as error:  # a bug of ours: the server must go on, and say so without quoting the request
            _report(error)
            reply, close = self.mock.engine.refuse("internal"), True
        headers = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in reply.headers.items()]
        if reply.picture is not None:
            content = await run_in_threadpool(draw, reply.picture)
            headers.append((b"content-type", b"image/png"))
        else:
            content = json.dumps(reply.body, separators=(",", ":")).encode()
            headers.append(_JSON)
        headers.append((b"content-length", str(len(content)).encode()))
        if close:
            headers.append(_CLOSE)
        await send({"type": "http.response.start", "status": reply.code, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    async def _reply(self, scope: Scope, receive: Receive) -> tuple[Reply, bool]:
        """(reply, must the connection be closed after it)"""
        headers = _headers(scope)
        if headers is None:
            return self.mock.reject("bad_framing", scope["method"], scope["path"]), True
        body = await _body(receive, headers, self.mock.settings.limits.body_bytes)
        if body is None:
            return self.mock.reject("body_too_large", scope["method"], scope["path"]), True
        return self.mock.handle(Call(scope["method"], scope["path"], headers, body)), False


def _headers(scope: Scope) -> dict[str, str] | None:
    """Names in lower case, repeated ones joined; None when an HTTP/1.1 request has no Host, or two."""
    found: dict[str, str] = {}
    hosts = 0
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        hosts += name == "host"
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found if hosts == 1 or (hosts == 0 and scope["http_version"] == "1.0") else None


async def _body(receive: Receive, headers: dict[str, str], limit: int) -> bytes | None:
    """The whole body, or None as soon as it is known to be over `limit` bytes."""
    length = headers.get("content-length", "0")
    if length.isdecimal() and int(length[:20]) > limit:
        await _drain(receive, limit)
        return None
    data = bytearray()
    more = True
    while more:
        message = await _next(receive)
        data += message.get("body", b"")
        more = message.get("more_body", False)
        if len(data) > limit:
            if more:
                await _drain(receive, limit)
            return None
    return bytes(data)


async def _drain(receive: Receive, limit: int) -> None:
    """Read on a little, so that a client that sends first and reads later gets the answer; then give up."""
    seen, more = 0, True
    while more and seen < limit:
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
    print(f"fauxlab: internal error {type(error).__name__}\n{frames}", file=sys.stderr)
