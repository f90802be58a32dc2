"""requests: calls are seen in `Session.send`, above the adapters."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

from fauxlab_contract.core.http import HttpResponse
from fauxlab_contract.guard.hooks.watch import Watch, WatchedCall

__all__ = ["watched"]


@contextlib.contextmanager
def watched(library: Any, watch: Watch) -> Iterator[None]:
    """While the block lasts, `watch` sees what every session sends and is told. A redirect comes as
    a call of its own.
    """
    send_really = library.Session.send

    def send(session: Any, request: Any, **options: Any) -> Any:
        if not watch.wants(str(request.url)):
            return send_really(session, request, **options)
        headers = _lower(request.headers)
        is_verified = options.get("verify", session.verify) is not False
        token = watch.sent(
            WatchedCall(
                str(request.method), str(request.url), headers, _bytes(request.body), is_verified
            )
        )
        response = send_really(session, request, **options)
        answer = response.history[0] if response.history else response
        if answer is not response or not options.get("stream", session.stream):
            watch.answered(
                token, HttpResponse(answer.status_code, _lower(answer.headers), answer.content)
            )
        return response

    with patch.object(library.Session, "send", send):
        yield


def _lower(headers: Any) -> dict[str, str]:
    pairs = (
        (name, value.decode("latin-1") if isinstance(value, bytes) else value)
        for name, value in headers.items()
    )
    return {str(name).lower(): str(value) for name, value in pairs}


def _bytes(body: Any) -> bytes | None:
    """The body's bytes; a file is read and wound back, and a stream that cannot be wound back is
    left alone.
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
