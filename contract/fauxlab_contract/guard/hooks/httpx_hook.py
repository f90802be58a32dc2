"""httpx and httpx2: calls are seen in `Client.send` and `AsyncClient.send`, above transports."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

from fauxlab_contract.core.http import HttpResponse
from fauxlab_contract.guard.hooks.watch import Watch, WatchedCall

__all__ = ["watched"]

__tracebackhide__ = True


@contextlib.contextmanager
def watched(library: Any, watch: Watch) -> Iterator[None]:
    """During a `with` block, show the calls and responses of all clients of `library` to `watch`.

    Each redirect is a separate call.
    """
    send_really, send_really_async = library.Client.send, library.AsyncClient.send

    def send(client: Any, request: Any, *args: Any, **options: Any) -> Any:
        token = None
        if watch.wants(str(request.url)):
            if isinstance(request.stream, library.SyncByteStream):
                request.read()
            token = watch.sent(_call(client, request, library))
        response = send_really(client, request, *args, **options)
        _show(watch, token, client, response, library, is_read=not options.get("stream"))
        return response

    async def send_async(client: Any, request: Any, *args: Any, **options: Any) -> Any:
        token = None
        if watch.wants(str(request.url)):
            if isinstance(request.stream, library.AsyncByteStream):
                await request.aread()
            token = watch.sent(_call(client, request, library))
        response = await send_really_async(client, request, *args, **options)
        _show(watch, token, client, response, library, is_read=not options.get("stream"))
        return response

    # Where requests are complete, above every transport: mocks which replace those are seen as
    # well. `patch.object` puts both methods back.
    with (
        patch.object(library.Client, "send", send),
        patch.object(library.AsyncClient, "send", send_async),
    ):
        yield


def _show(
    watch: Watch, token: Any, client: Any, response: Any, library: Any, *, is_read: bool
) -> None:
    """Show the responses, and the calls that followed redirects, which are already over."""
    for number, hop in enumerate([*response.history, response]):
        if number:
            is_wanted = watch.wants(str(hop.request.url))
            token = watch.sent(_call(client, hop.request, library)) if is_wanted else None
        if token is not None and (is_read or hop is not response):
            watch.answered(token, HttpResponse(hop.status_code, _lower(hop.headers), hop.content))


def _call(client: Any, request: Any, library: Any) -> WatchedCall:
    try:
        body = request.content
    except library.RequestNotRead:  # of a redirect, which sends the same bytes again
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
    """Return False if the connection pool for a call trusts any certificate."""
    pool = getattr(client._transport_for_url(request.url), "_pool", None)
    context = getattr(pool, "_ssl_context", None)
    return context is None or context.verify_mode != ssl.CERT_NONE
