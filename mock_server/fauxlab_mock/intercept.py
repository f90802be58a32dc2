"""Answer httpx calls to the document's production address in process, through respx: no socket, sync and async alike."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import httpx
import respx

from fauxlab_mock.engine import Call
from fauxlab_mock.mock import Mock
from fauxlab_mock.pictures import draw

__all__ = ["intercepted"]

_LOOPBACK = r"^(localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$"


@contextlib.contextmanager
def intercepted(mock: Mock) -> Iterator[respx.MockRouter]:
    """While the block lasts, every httpx call to the host of `mock.public_url` is answered by `mock`.

    Calls to loopback pass. Calls to anywhere else are left to other respx routers, and are refused by name when none takes them.
    """
    router = respx.mock(assert_all_called=False)
    router.route(host=httpx.URL(mock.public_url).host).mock(side_effect=lambda request: _answer(mock, request))
    router.route(host__regex=_LOOPBACK).pass_through()
    with router:
        yield router


def _answer(mock: Mock, request: httpx.Request) -> httpx.Response:
    path = request.url.path  # httpx has decoded it
    answer = mock.handle(Call(request.method, path, _headers(request), request.content))
    content = answer.content if answer.picture is None else draw(answer.picture)
    kind = "application/json" if answer.picture is None else "image/png"
    return httpx.Response(answer.code, content=content, headers={**answer.headers, "content-type": kind})


def _headers(request: httpx.Request) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}
