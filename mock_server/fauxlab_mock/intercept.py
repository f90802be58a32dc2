"""Answer calls to the document's production address in process: httpx through respx, requests through its adapter; no socket."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote, urlsplit

import httpx
import respx

from fauxlab_mock.engine import Call
from fauxlab_mock.mock import Mock
from fauxlab_mock.pictures import draw

__all__ = ["intercepted"]

_LOOPBACK = r"^(localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$"


@contextlib.contextmanager
def intercepted(mock: Mock) -> Iterator[None]:
    """While the block lasts, every httpx or requests call to the host of `mock.public_url` is answered by `mock`.

    Calls to loopback pass. httpx calls to anywhere else are left to other respx routers, and are refused by name when none takes
    them; requests calls to anywhere else are refused by name.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(_httpx(mock))
        if find_spec("requests") is not None:
            stack.enter_context(_requests(mock))
        yield


def _answer(mock: Mock, method: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes, dict[str, str]]:
    """(code, content, headers) of what the mock says to one call."""
    named = {name.lower(): value for name, value in headers.items()}
    answer = mock.handle(Call(method, unquote(urlsplit(url).path), named, body))
    content = answer.content if answer.picture is None else draw(answer.picture)
    kind = "application/json" if answer.picture is None else "image/png"
    return answer.code, content, {**answer.headers, "content-type": kind, "content-length": str(len(content))}


def _httpx(mock: Mock) -> respx.MockRouter:
    def answer(request: httpx.Request) -> httpx.Response:
        code, content, headers = _answer(mock, request.method, str(request.url), request.headers, request.content)
        return httpx.Response(code, content=content, headers=headers)

    router = respx.mock(assert_all_called=False)
    router.route(host=_host(mock)).mock(side_effect=answer)
    router.route(host__regex=_LOOPBACK).pass_through()
    return router


def _host(mock: Mock) -> str:
    return urlsplit(mock.public_url).hostname or ""


def _requests(mock: Mock) -> Any:
    """A patch of the one method through which requests sends everything."""
    from requests.adapters import HTTPAdapter
    from requests.exceptions import ConnectionError as RefusedConnectionError
    from urllib3 import HTTPResponse

    send_really = HTTPAdapter.send

    def send(adapter: Any, request: Any, *args: Any, **options: Any) -> Any:
        host = urlsplit(request.url).hostname or ""
        if re.match(_LOOPBACK, host):
            return send_really(adapter, request, *args, **options)
        if host != _host(mock):
            raise RefusedConnectionError(f"fauxlab: {request.method} to {host} is not mocked, and nothing leaves while the mock is active")
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        code, content, headers = _answer(mock, request.method, request.url, request.headers, body)
        raw = HTTPResponse(io.BytesIO(content), headers, code, preload_content=False, request_method=request.method)
        return adapter.build_response(request, raw)

    return patch.object(HTTPAdapter, "send", send)
