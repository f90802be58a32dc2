"""requests: calls are seen in `Session.send`, above the adapters."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

from fauxlab_contract.core.http import HttpResponse
from fauxlab_contract.guard.hooks.watch import Watch, WatchedCall

__all__ = ["watched"]

__tracebackhide__ = True


@contextlib.contextmanager
def watched(library: Any, watch: Watch) -> Iterator[None]:
    """During a `with` block, show the calls and responses of every session to `watch`.

    requests sends each redirect as a separate call.
    """
    send_really = library.Session.send

    def send(session: Any, request: Any, **options: Any) -> Any:
        if not watch.wants(str(request.url)):
            return send_really(session, request, **options)
        headers = _lower(request.headers)
        is_verified = options.get("verify", session.verify) is not False
        method, url = str(request.method), str(request.url)
        body = _bytes(request.body)
        token = watch.sent(WatchedCall(method, url, headers, body, is_verified))
        response = send_really(session, request, **options)
        first = response.history[0] if response.history else response
        is_streamed = options.get("stream", session.stream)
        if first is not response or not is_streamed:
            came = HttpResponse(first.status_code, _lower(first.headers), first.content)
            watch.answered(token, came)
        return response

    # Below `Session.request`, so that the request is complete; above the adapters, so that mocks
    # which replace those are seen as well. `patch.object` puts it back.
    with patch.object(library.Session, "send", send):
        yield


def _lower(headers: Any) -> dict[str, str]:
    pairs = (
        (name, value.decode("latin-1") if isinstance(value, bytes) else value)
        for name, value in headers.items()
    )
    return {str(name).lower(): str(value) for name, value in pairs}


def _bytes(body: Any) -> bytes | None:
    """Return the bytes of a body, None for a stream that can be read only once.

    A file is read, and its position is restored.
    """
    if body is None or isinstance(body, (bytes, bytearray)):
        return bytes(body or b"")
    if isinstance(body, str):
        return body.encode()
    if not hasattr(body, "seek") or not hasattr(body, "read"):
        return None
    position = body.tell()
    data = body.read()
    body.seek(position)
    return data.encode() if isinstance(data, str) else bytes(data)
