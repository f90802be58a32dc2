"""httpx: calls are answered by a respx router, after all other respx routers."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Mapping
from contextvars import ContextVar

import anyio.lowlevel
import httpx
import respx
from respx.models import AllMockedAssertionError

from fauxlab_mock.inprocess.calls import Answered, Door, answer_call
from fauxlab_mock.inprocess.no_network import BlockedError
from fauxlab_mock.inprocess.pauses import pause, pause_async

__all__ = ["httpx_answered", "httpx_response", "httpx_response_async"]

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
_is_async: ContextVar[bool] = ContextVar("_is_async", default=False)  # who is being answered


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
        token = _is_async.set(True)
        try:
            return await super(_LastRouter, self._newest()).async_handler(request)
        finally:
            _is_async.reset(token)

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

    def answer(
        request: httpx.Request,
    ) -> httpx.Response | httpx.Request | Awaitable[httpx.Response]:
        try:
            is_ours = door.is_ours(request.method, str(request.url))
        except BlockedError as error:
            raise AllMockedAssertionError(str(error)) from None
        if not is_ours:
            return request  # which lets it pass
        respond = httpx_response_async if _is_async.get() else httpx_response
        return respond(door, request)

    router = _LastRouter(assert_all_called=False)
    router.route().mock(side_effect=answer)
    return router


def httpx_response(door: Door, request: httpx.Request) -> httpx.Response:
    """Return the mock's answer to a request, or raise what comes of it."""
    answered = _answered(door, request)
    pause(answered.pause_s)
    return _response(answered, request)


async def httpx_response_async(door: Door, request: httpx.Request) -> httpx.Response:
    """Do the same for a task, which leaves its event loop to others while it waits."""
    answered = _answered(door, request)
    await pause_async(answered.pause_s)
    return _response(answered, request)


def _answered(door: Door, request: httpx.Request) -> Answered:
    read_timeout_s = request.extensions.get("timeout", {}).get("read")
    method, url = request.method, str(request.url)
    return answer_call(door.mock, method, url, request.headers, request.content, read_timeout_s)


def _response(answered: Answered, request: httpx.Request) -> httpx.Response:
    if answered.is_too_late:
        raise httpx.ReadTimeout("no answer within the client's read timeout", request=request)
    answer = answered.answer
    fault = "EMPTY_RESPONSE" if answered.is_missing else answer.effect.fault
    if fault in _FAILURES:
        error_class, message = _FAILURES[fault]
        raise error_class(message, request=request)
    content = b"" if request.method == "HEAD" else answer.content
    return httpx.Response(answer.code, content=content, headers=answer.all_headers)
