"""Other mocking libraries: what they have no answer for, and would refuse, the mock answers.

They stand above our adapters, so their own answers come first. But some refuse a call that they do
not know, before it comes down to us; for calls to the mock's address they let it pass instead. Only
libraries that the program has loaded are looked at.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any
from unittest.mock import patch

from fauxlab_mock.inprocess.calls import Door
from fauxlab_mock.inprocess.httpx_adapter import httpx_response, httpx_response_async

__all__ = ["NEIGHBOURS", "neighbours_asked_first"]

__tracebackhide__ = True


@contextlib.contextmanager
def neighbours_asked_first(door: Door) -> Iterator[None]:
    """While the block lasts, no other library refuses a call to the mock's address."""
    with contextlib.ExitStack() as stack:
        for name, opened in NEIGHBOURS.items():
            if name in sys.modules:
                stack.enter_context(opened(sys.modules[name], door))
        yield


@contextlib.contextmanager
def _responses(library: Any, door: Door) -> Iterator[None]:
    """Add the mock's address to those that every `RequestsMock` lets pass (`add_passthru`)."""
    ours = f"{door.origin}/"

    def read(theirs: Any) -> Any:
        return (*vars(theirs).get("passthru_prefixes", ()), ours)

    def write(theirs: Any, prefixes: Any) -> None:
        kept = tuple(prefix for prefix in prefixes if prefix is not ours)
        vars(theirs)["passthru_prefixes"] = kept

    prefixes = property(read, write)
    with patch.object(library.RequestsMock, "passthru_prefixes", prefixes, create=True):
        yield


@contextlib.contextmanager
def _requests_mock(library: Any, door: Door) -> Iterator[None]:
    """Let a call without a matcher pass, as one that is registered with `real_http=True`."""
    really = library.Adapter.send

    def send(theirs: Any, request: Any, **options: Any) -> Any:
        try:
            return really(theirs, request, **options)
        except library.NoMockAddress:
            if not door.leads_to_mock(request.url):
                raise
        raise library.adapter._RunRealHTTP

    with patch.object(library.Adapter, "send", send):
        yield


class _UnmatchedError(Exception):
    """pytest-httpx has no response to a call to the mock's address."""


@contextlib.contextmanager
def _pytest_httpx(library: Any, door: Door) -> Iterator[None]:
    """Answer a call without a response, as if `should_mock` had said no."""
    kind = library.HTTPXMock
    refuse, handle, handle_async = (
        kind._request_not_matched,
        kind._handle_request,
        kind._handle_async_request,
    )

    def not_matched(theirs: Any, transport: Any, request: Any) -> Any:
        if door.leads_to_mock(str(request.url)):
            raise _UnmatchedError
        return refuse(theirs, transport, request)

    def answer(theirs: Any, transport: Any, request: Any) -> Any:
        with contextlib.suppress(_UnmatchedError):
            return handle(theirs, transport, request)
        return httpx_response(door, request)

    async def answer_async(theirs: Any, transport: Any, request: Any) -> Any:
        with contextlib.suppress(_UnmatchedError):
            return await handle_async(theirs, transport, request)
        return await httpx_response_async(door, request)

    stand_ins: dict[str, Any] = {
        "_request_not_matched": not_matched,
        "_handle_request": answer,
        "_handle_async_request": answer_async,
    }
    with patch.multiple(kind, **stand_ins):
        yield


@contextlib.contextmanager
def _aioresponses(library: Any, door: Door) -> Iterator[None]:
    """Let a call without a match pass, as with `passthrough_unmatched=True`."""
    is_ours: ContextVar[bool] = ContextVar("is_ours", default=False)
    kind = library.aioresponses
    really = kind.match

    async def match(theirs: Any, method: str, url: Any, *args: Any, **options: Any) -> Any:
        found = await really(theirs, method, url, *args, **options)
        is_ours.set(found is None and door.leads_to_mock(str(url)))
        return found

    def read(theirs: Any) -> Any:
        return is_ours.get() or vars(theirs)["passthrough_unmatched"]

    def write(theirs: Any, passes: bool) -> None:
        vars(theirs)["passthrough_unmatched"] = passes

    unmatched = property(read, write)
    with (
        patch.object(kind, "match", match),
        patch.object(kind, "passthrough_unmatched", unmatched, create=True),
    ):
        yield


# A library's top-level module -> what makes it let calls to the mock's address pass.
NEIGHBOURS: Mapping[str, Callable[[Any, Door], contextlib.AbstractContextManager[None]]] = (
    MappingProxyType(
        {
            "aioresponses": _aioresponses,
            "pytest_httpx": _pytest_httpx,
            "requests_mock": _requests_mock,
            "responses": _responses,
        }
    )
)
