"""requests: calls are answered in `HTTPAdapter.send`."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from http.client import responses
from typing import Any
from unittest.mock import patch

from requests import exceptions
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from fauxlab_mock.inprocess.calls import CallFailure, answer_call, is_ours
from fauxlab_mock.inprocess.no_network import BlockedError
from fauxlab_mock.runtime.mock import Mock

__all__ = ["requests_answered"]


@contextlib.contextmanager
def requests_answered(mock: Mock) -> Iterator[None]:
    """While the block lasts, `mock` answers the calls of requests to its address."""
    send_really = HTTPAdapter.send

    def send(adapter: Any, request: Any, *args: Any, **options: Any) -> Any:
        try:
            if not is_ours(mock, request.method, request.url):
                return send_really(adapter, request, *args, **options)
        except BlockedError as error:
            raise exceptions.ConnectionError(str(error)) from None
        timeout = options.get("timeout")
        read_timeout_s = timeout[1] if isinstance(timeout, tuple) else timeout
        body = _bytes_of(request.body)
        answered = answer_call(
            mock, request.method, request.url, request.headers, body, read_timeout_s
        )
        if isinstance(answered, CallFailure):
            raise getattr(exceptions, answered.requests)(answered.message, request=request)
        return adapter.build_response(request, _raw_response(request.method, *answered))

    # The one method through which requests sends everything: below sessions, redirects and cookies,
    # which stay the library's, and above urllib3's sockets. `patch.object` puts it back.
    with patch.object(HTTPAdapter, "send", send):
        yield


def _raw_response(method: str, code: int, content: bytes, headers: dict[str, str]) -> HTTPResponse:
    """Return what urllib3 would have read from a socket."""
    return HTTPResponse(
        io.BytesIO(content),
        headers,
        code,
        reason=responses.get(code),
        preload_content=False,
        request_method=method,
    )


def _bytes_of(body: Any) -> bytes:
    """Return what requests would send: of text, bytes, a file or an iterable of bytes."""
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, (bytes, bytearray)):
        return bytes(body)
    if hasattr(body, "read"):
        return _bytes_of(body.read())
    return b"".join(map(_bytes_of, body))
