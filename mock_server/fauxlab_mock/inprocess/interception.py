"""Answer calls to the document's production address in process: httpx through respx, requests and
aiohttp at their own seams.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Mapping
from functools import cache
from http.client import responses
from importlib.util import find_spec
from typing import Any, NamedTuple
from unittest.mock import patch
from urllib.parse import unquote, urlsplit

import httpx
import respx
from respx.models import AllMockedAssertionError

from fauxlab_contract.core.hosts import DEFAULT_PORTS, is_loopback
from fauxlab_mock.behaviour.faults import FaultEffect
from fauxlab_mock.engine.messages import Call
from fauxlab_mock.inprocess.no_network import BlockedError, only_loopback
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.server.local import run_server
from fauxlab_mock.server.uvicorn_server import bind

__all__ = ["intercepted"]

AFTER_S = 0.01  # real seconds from an answer to the first webhook after it


@contextlib.contextmanager
def intercepted(mock: Mock) -> Iterator[None]:
    """While the block lasts, every httpx, requests or aiohttp call to the host of `mock.public_url`
    is answered by `mock`.

    Calls to loopback pass. httpx calls to anywhere else are left to other respx routers, and are
    refused by name when none takes them. Everything else that would leave the machine is refused by
    name, by whatever library it is sent.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(only_loopback(mock.blocked.append))
        stack.enter_context(_httpx(mock))
        if find_spec("requests") is not None:
            stack.enter_context(_requests(mock))
        if find_spec("aiohttp") is not None:
            stack.enter_context(_aiohttp(mock, stack))
        yield


class Broken(NamedTuple):
    """No answer, or half of one: what each library calls it."""

    httpx: type[httpx.TransportError]
    requests: str  # in requests.exceptions
    text: str


_TOO_LATE = Broken(httpx.ReadTimeout, "ReadTimeout", "no answer within the client's read timeout")
_BROKEN = {
    "EMPTY_RESPONSE": Broken(
        httpx.RemoteProtocolError,
        "ConnectionError",
        "Server disconnected without sending a response.",
    ),
    "CONNECTION_RESET_BY_PEER": Broken(
        httpx.ReadError, "ConnectionError", "[Errno 104] Connection reset by peer"
    ),
    "RANDOM_DATA_THEN_CLOSE": Broken(
        httpx.RemoteProtocolError, "ConnectionError", "illegal status line"
    ),
    "MALFORMED_RESPONSE_CHUNK": Broken(
        httpx.RemoteProtocolError, "ChunkedEncodingError", "malformed chunk header"
    ),
}


def _broken(effect: FaultEffect, read_timeout_s: float | None) -> Broken | None:
    """Return what a fault or a delay does to a call in process, at once.

    A client without a timeout would wait for ever, so it is told of a hanging answer too.
    """
    is_too_late = read_timeout_s is not None and effect.silence_s > read_timeout_s
    if is_too_late or effect.kind == "hang":
        return _TOO_LATE
    return _BROKEN.get(str(effect.fault))


def _answer(
    mock: Mock,
    method: str,
    url: str,
    headers: Mapping[str, Any],
    body: bytes,
    read_timeout_s: float | None,
) -> tuple[int, bytes, dict[str, str]] | Broken:
    """(code, content, headers) of what the mock says to one call; the content is empty for a HEAD.

    A delay passes on the mock's clock, not in real time.
    """
    named = {
        name.lower(): value.decode("latin-1") if isinstance(value, bytes) else value
        for name, value in headers.items()
    }
    parts = urlsplit(url)
    call = Call(method, unquote(parts.path), named, body, parts.query)
    with mock.respond(call, webhooks_after_s=AFTER_S) as answer:
        effect = answer.effect
        broken = _broken(effect, read_timeout_s)
        waited_s = effect.delay_s + effect.lasts_s
        if broken is _TOO_LATE:
            waited_s = read_timeout_s or effect.lasts_s
        if waited_s:
            mock.clock.advance(waited_s)
    if broken is not None:
        return broken
    return answer.code, b"" if method == "HEAD" else answer.content, answer.all_headers


def _origin(url: str) -> str:
    """Scheme, host and port, the default port left out."""
    parts = urlsplit(url)
    port = "" if parts.port in (None, DEFAULT_PORTS.get(parts.scheme)) else f":{parts.port}"
    return f"{parts.scheme}://{parts.hostname}{port}"


def _is_ours(mock: Mock, method: str, url: str) -> bool:
    """Does a call go to the very address of production (True), or to this machine (False)? Raises
    `BlockedError` for all others.

    By plain http, or at another port, a call would not arrive in production either.
    """
    origin, ours = _origin(url), _origin(mock.public_url)
    if origin == ours or is_loopback(urlsplit(url).hostname or ""):
        return origin == ours
    mock.blocked.append(f"{method} to {origin}")
    left = "nothing leaves this machine while the mock is active"
    raise BlockedError(
        f"fauxlab: {method} to {origin} is not mocked, and {left}; its address is {ours}"
    )


class _Last(respx.MockRouter):
    """Answers what no other router wants: the routes of a user's own come first, whenever they were
    made.
    """

    def handler(self, request: httpx.Request) -> httpx.Response:
        for router in self._others():
            with contextlib.suppress(AllMockedAssertionError):
                return router.handler(request)
        return super().handler(request)

    async def async_handler(self, request: httpx.Request) -> httpx.Response:
        for router in self._others():
            with contextlib.suppress(AllMockedAssertionError):
                return await router.async_handler(request)
        return await super().async_handler(request)

    def _others(self) -> list[respx.Router]:
        routers = self.Mocker.routers if self.Mocker else []
        return [router for router in routers if not isinstance(router, _Last)]


def _httpx(mock: Mock) -> respx.MockRouter:
    def answer(request: httpx.Request) -> httpx.Response | httpx.Request:
        try:
            if not _is_ours(mock, request.method, str(request.url)):
                return request  # which lets it pass
        except BlockedError as error:
            raise AllMockedAssertionError(str(error)) from None
        read_s = request.extensions.get("timeout", {}).get("read")
        told = _answer(
            mock, request.method, str(request.url), request.headers, request.content, read_s
        )
        if isinstance(told, Broken):
            raise told.httpx(told.text, request=request)
        code, content, headers = told
        return httpx.Response(code, content=content, headers=headers)

    router = _Last(assert_all_called=False)
    router.route().mock(side_effect=answer)
    return router


def _requests(mock: Mock) -> Any:
    """A patch of the one method through which requests sends everything."""
    from requests import exceptions
    from requests.adapters import HTTPAdapter
    from urllib3 import HTTPResponse

    send_really = HTTPAdapter.send

    def send(adapter: Any, request: Any, *args: Any, **options: Any) -> Any:
        try:
            if not _is_ours(mock, request.method, request.url):
                return send_really(adapter, request, *args, **options)
        except BlockedError as error:
            raise exceptions.ConnectionError(str(error)) from None
        read_s = timeout[1] if isinstance(timeout := options.get("timeout"), tuple) else timeout
        told = _answer(
            mock, request.method, request.url, request.headers, _body(request.body), read_s
        )
        if isinstance(told, Broken):
            raise getattr(exceptions, told.requests)(told.text, request=request)
        code, content, headers = told
        raw = HTTPResponse(
            io.BytesIO(content),
            headers,
            code,
            reason=responses.get(code),
            preload_content=False,
            request_method=request.method,
        )
        return adapter.build_response(request, raw)

    return patch.object(HTTPAdapter, "send", send)


def _body(body: Any) -> bytes:
    """What requests would send: text, bytes, a file or an iterable of bytes."""
    if isinstance(body, str):
        return body.encode()
    if hasattr(body, "read"):
        return _body(body.read())
    return (
        bytes(body or b"")
        if isinstance(body, (bytes, bytearray, type(None)))
        else b"".join(map(_body, body))
    )


@contextlib.contextmanager
def _aiohttp(mock: Mock, stack: contextlib.ExitStack) -> Iterator[None]:
    """aiohttp's connections to the production address go to a loopback server, without TLS.

    They are used once: a session may have kept a real one from before, and must not keep ours
    afterwards.
    """
    from aiohttp import ClientConnectionError, TCPConnector

    connect_really, keep_really = TCPConnector._create_connection, TCPConnector._get

    @cache
    def port() -> int:
        """Where a server listens whose links lead to the production address; it starts when it is
        first asked for.
        """
        listener = bind("127.0.0.1", 0)
        stack.enter_context(run_server(mock, listener))
        address: tuple[str, int] = listener.getsockname()
        return address[1]

    async def connect(connector: Any, request: Any, *args: Any) -> Any:
        try:
            if not _is_ours(mock, request.method, str(request.url)):
                return await connect_really(connector, request, *args)
        except BlockedError as error:
            raise ClientConnectionError(str(error)) from None
        _, protocol = await connector._loop.create_connection(
            connector._factory, "127.0.0.1", port()
        )
        protocol.force_close()
        return protocol

    async def kept(connector: Any, key: Any, *args: Any) -> Any:
        ours = urlsplit(mock.public_url).hostname
        return (
            await keep_really(connector, key, *args)
            if is_loopback(key.host) and key.host != ours
            else None
        )

    with (
        patch.object(TCPConnector, "_create_connection", connect),
        patch.object(TCPConnector, "_get", kept),
    ):
        yield
