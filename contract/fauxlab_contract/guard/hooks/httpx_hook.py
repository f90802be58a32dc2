"""httpx and httpx2 (the same design): calls are seen in `Client.send` and `AsyncClient.send`, above
every transport.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

from fauxlab_contract.core.http import HttpResponse
from fauxlab_contract.guard.hooks.watch import Watch, WatchedCall

__all__ = ["watched"]


@contextlib.contextmanager
def watched(library: Any, watch: Watch) -> Iterator[None]:
    """While the block lasts, `watch` sees what the clients of `library` send and are told, each
    redirect of its own.
    """
    send_really, send_really_async = library.Client.send, library.AsyncClient.send

    def send(client: Any, request: Any, *args: Any, **options: Any) -> Any:
        token = None
        if watch.wants(str(request.url)):
            if isinstance(request.stream, library.SyncByteStream):
                request.read()
            token = watch.sent(_call(client, request, library))
        response = send_really(client, request, *args, **options)
        _tell(watch, token, client, response, library, is_read=not options.get("stream"))
        return response

    async def send_async(client: Any, request: Any, *args: Any, **options: Any) -> Any:
        token = None
        if watch.wants(str(request.url)):
            if isinstance(request.stream, library.AsyncByteStream):
                await request.aread()
            token = watch.sent(_call(client, request, library))
        response = await send_really_async(client, request, *args, **options)
        _tell(watch, token, client, response, library, is_read=not options.get("stream"))
        return response

    with (
        patch.object(library.Client, "send", send),
        patch.object(library.AsyncClient, "send", send_async),
    ):
        yield


def _tell(
    watch: Watch, token: Any, client: Any, response: Any, library: Any, *, is_read: bool
) -> None:
    """The answers, and the calls that followed redirects: these are seen when they are over."""
    for number, one in enumerate([*response.history, response]):
        if number:
            token = (
                watch.sent(_call(client, one.request, library))
                if watch.wants(str(one.request.url))
                else None
            )
        if token is not None and (is_read or one is not response):
            watch.answered(token, HttpResponse(one.status_code, _lower(one.headers), one.content))


def _call(client: Any, request: Any, library: Any) -> WatchedCall:
    try:
        body = request.content
    except library.RequestNotRead:  # of a redirect: it goes on with the bytes that were read before
        body = request.read() if isinstance(request.stream, library.ByteStream) else None
    return WatchedCall(
        request.method,
        str(request.url),
        _lower(request.headers),
        body,
        _is_verified(client, request),
    )


def _lower(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _is_verified(client: Any, request: Any) -> bool:
    """False when the connection pool that a call would take trusts any certificate."""
    pool = getattr(client._transport_for_url(request.url), "_pool", None)
    context = getattr(pool, "_ssl_context", None)
    return context is None or context.verify_mode != ssl.CERT_NONE
