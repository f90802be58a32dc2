"""Answer calls to the document's production address in process: httpx through respx, requests and aiohttp at their own seams."""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote, urlsplit

import httpx
import respx

from fauxlab_mock.engine import Call
from fauxlab_mock.local import THREAD_PREFIX, serving
from fauxlab_mock.mock import Mock
from fauxlab_mock.pictures import draw
from fauxlab_mock.server import bind
from fauxlab_mock.sockets import BlockedError, is_loopback, only_loopback

__all__ = ["intercepted"]

AFTER_S = 0.01  # real seconds from an answer to the first webhook after it
_LOOPBACK = r"^(localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$"


@contextlib.contextmanager
def intercepted(mock: Mock) -> Iterator[None]:
    """While the block lasts, every httpx, requests or aiohttp call to the host of `mock.public_url` is answered by `mock`.

    Calls to loopback pass. httpx calls to anywhere else are left to other respx routers, and are refused by name when none takes
    them. Everything else that would leave the machine is refused by name, by whatever library it is sent.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(only_loopback(mock.blocked.append))
        stack.enter_context(_httpx(mock))
        if find_spec("requests") is not None:
            stack.enter_context(_requests(mock))
        if find_spec("aiohttp") is not None:
            stack.enter_context(_aiohttp(mock, stack))
        yield


def _answer(mock: Mock, method: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes, dict[str, str]]:
    """(code, content, headers) of what the mock says to one call."""
    named = {name.lower(): value for name, value in headers.items()}
    answer = mock.handle(Call(method, unquote(urlsplit(url).path), named, body))
    if answer.early is not None:
        answer.early()
    if answer.after is not None:
        afterwards = threading.Timer(AFTER_S, answer.after)
        afterwards.name = f"{THREAD_PREFIX}after"
        afterwards.start()
    content = answer.content if answer.picture is None else draw(answer.picture)
    kind = "application/json" if answer.picture is None else "image/png"
    return answer.code, content, {"content-type": kind, **answer.headers, "content-length": str(len(content))}


def _host(mock: Mock) -> str:
    return urlsplit(mock.public_url).hostname or ""


def _blocked(mock: Mock, method: str, host: str) -> BlockedError:
    mock.blocked.append(f"{method} to {host}")
    return BlockedError(f"fauxlab: {method} to {host} is not mocked, and nothing leaves this machine while the mock is active")


def _httpx(mock: Mock) -> respx.MockRouter:
    def answer(request: httpx.Request) -> httpx.Response:
        code, content, headers = _answer(mock, request.method, str(request.url), request.headers, request.content)
        return httpx.Response(code, content=content, headers=headers)

    router = respx.mock(assert_all_called=False)
    router.route(host=_host(mock)).mock(side_effect=answer)
    router.route(host__regex=_LOOPBACK).pass_through()
    return router


def _requests(mock: Mock) -> Any:
    """A patch of the one method through which requests sends everything."""
    from requests.adapters import HTTPAdapter
    from requests.exceptions import ConnectionError as NoConnectionError
    from urllib3 import HTTPResponse

    send_really = HTTPAdapter.send

    def send(adapter: Any, request: Any, *args: Any, **options: Any) -> Any:
        host = urlsplit(request.url).hostname or ""
        if is_loopback(host):
            return send_really(adapter, request, *args, **options)
        if host != _host(mock):
            raise NoConnectionError(str(_blocked(mock, request.method, host)))
        code, content, headers = _answer(mock, request.method, request.url, request.headers, _body(request.body))
        raw = HTTPResponse(io.BytesIO(content), headers, code, preload_content=False, request_method=request.method)
        return adapter.build_response(request, raw)

    return patch.object(HTTPAdapter, "send", send)


def _body(body: Any) -> bytes:
    """What requests would send: text, bytes, a file or an iterable of bytes."""
    if isinstance(body, str):
        return body.encode()
    if hasattr(body, "read"):
        return _body(body.read())
    return bytes(body or b"") if isinstance(body, (bytes, bytearray, type(None))) else b"".join(map(_body, body))


def _aiohttp(mock: Mock, stack: contextlib.ExitStack) -> Any:
    """A patch of where aiohttp makes its connections: those to the production address go to a loopback server, without TLS."""
    from aiohttp import ClientConnectionError, TCPConnector

    connect_really = TCPConnector._create_connection
    port: Callable[[], int] = _started_once(mock, stack)

    async def connect(connector: Any, request: Any, *args: Any) -> Any:
        host = request.url.host or ""
        if is_loopback(host):
            return await connect_really(connector, request, *args)
        if host != _host(mock):
            raise ClientConnectionError(str(_blocked(mock, request.method, host)))
        _, protocol = await connector._loop.create_connection(connector._factory, "127.0.0.1", port())
        return protocol

    return patch.object(TCPConnector, "_create_connection", connect)


def _started_once(mock: Mock, stack: contextlib.ExitStack) -> Callable[[], int]:
    """The port of a server whose links lead to the production address; started when it is first asked for."""
    ports: list[int] = []

    def port() -> int:
        if not ports:
            listener = bind("127.0.0.1", 0)
            stack.enter_context(serving(mock, listener))
            ports.append(listener.getsockname()[1])
        return ports[0]

    return port
