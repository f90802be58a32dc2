"""httpx: calls are answered by a respx router, after all other respx routers."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import anyio.lowlevel
import httpx
import respx
from respx.models import AllMockedAssertionError

from fauxlab_mock.inprocess.calls import Door, answer_call
from fauxlab_mock.inprocess.no_network import BlockedError

__all__ = ["httpx_answered", "httpx_response"]

__tracebackhide__ = True
_FAILURES: Mapping[str | None, tuple[type[httpx.TransportError], str]] = {
    "EMPTY_RESPONSE": (
        httpx.RemoteProtocolError,
        "Server disconnected without sending a response.",
    ),
    "CONNECTION_RESET_BY_PEER": (httpx.ReadError, "[Errno 104] Connection reset by peer"),
    "RANDOM_DATA_THEN_CLOSE": (httpx.RemoteProtocolError, "illegal status line"),
    "MALFORMED_RESPONSE_CHUNK": (httpx.RemoteProtocolError, "malformed chunk header"),
}


class _LastRouter(respx.MockRouter):
    """A router that answers after all others, so that a user's own routes come first.

    What it patches: respx puts `Mocker.handler` in the place of httpcore's connection pools, and
    that asks the routers in `Mocker.routers`, the oldest first; this router overrides `handler` and
    `async_handler`, and asks all the others in that list before it answers. Why: it answers every
    call or refuses it by name, so a router that was made later would never be asked. Restored: by
    respx, when the last router is left.
    """

    def handler(self, request: httpx.Request) -> httpx.Response:
        for router in self._others():
            with contextlib.suppress(AllMockedAssertionError):
                return router.handler(request)
        return super(_LastRouter, self._newest()).handler(request)

    # gives way to others first, as a call over the network does; else no deadline would strike
    async def async_handler(self, request: httpx.Request) -> httpx.Response:
        for router in self._others():
            with contextlib.suppress(AllMockedAssertionError):
                return await router.async_handler(request)
        await anyio.lowlevel.checkpoint()
        return await super(_LastRouter, self._newest()).async_handler(request)

    def _others(self) -> list[respx.Router]:
        return [router for router in self._routers() if not isinstance(router, _LastRouter)]

    def _newest(self) -> _LastRouter:
        """Return the router of the innermost mock."""
        return [router for router in self._routers() if isinstance(router, _LastRouter)][-1]

    def _routers(self) -> list[respx.Router]:
        return self.Mocker.routers if self.Mocker else []


def httpx_answered(door: Door) -> respx.MockRouter:
    """Return a context manager; while it lasts, the mock answers the calls of httpx to its address.

    Calls to this machine and to allowed hosts pass. Others are refused unless another router takes
    them.
    """

    def answer(request: httpx.Request) -> httpx.Response | httpx.Request:
        try:
            is_ours = door.is_ours(request.method, str(request.url))
        except BlockedError as error:
            raise AllMockedAssertionError(str(error)) from None
        return httpx_response(door, request) if is_ours else request  # which lets it pass

    router = _LastRouter(assert_all_called=False)
    router.route().mock(side_effect=answer)
    return router


def httpx_response(door: Door, request: httpx.Request) -> httpx.Response:
    """Return the mock's answer to a request, or raise what comes of it."""
    read_timeout_s = request.extensions.get("timeout", {}).get("read")
    method, url = request.method, str(request.url)
    answer, is_too_late = answer_call(
        door.mock, method, url, request.headers, request.content, read_timeout_s
    )
    if is_too_late:
        raise httpx.ReadTimeout("no answer within the client's read timeout", request=request)
    if answer.effect.fault in _FAILURES:
        error_class, message = _FAILURES[answer.effect.fault]
        raise error_class(message, request=request)
    content = b"" if method == "HEAD" else answer.content
    return httpx.Response(answer.code, content=content, headers=answer.all_headers)
