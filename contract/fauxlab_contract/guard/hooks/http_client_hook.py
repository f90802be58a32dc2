"""http.client, and so urllib: calls are seen in `HTTPConnection.request` and `getresponse`.

urllib3's classes, which are built upon it, are not seen here: urllib3 and requests are seen above.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from fauxlab_contract.core.http import HttpResponse
from fauxlab_contract.guard.hooks.watch import Watch, WatchedCall

__all__ = ["watched"]

__tracebackhide__ = True


@contextlib.contextmanager
def watched(library: Any, watch: Watch) -> Iterator[None]:
    """During a `with` block, show the calls and responses of all connections to `watch`.

    A response is shown when the client reads the whole of it.
    """
    connection_type = library.HTTPConnection
    request_really, get_really = connection_type.request, connection_type.getresponse
    tokens: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()

    def request(connection: Any, method: str, url: str, *args: Any, **options: Any) -> Any:
        tokens.pop(connection, None)
        if not _is_urllib3s(connection):
            given = {**dict(zip(("body", "headers"), args, strict=False)), **options}
            call = _call(connection, method, url, given.get("body"), given.get("headers") or {})
            if watch.wants(call.url):
                tokens[connection] = watch.sent(call)
        return request_really(connection, method, url, *args, **options)

    def getresponse(connection: Any) -> Any:
        response = get_really(connection)
        token = tokens.pop(connection, None)
        if token is not None:
            _show(watch, token, response)
        return response

    # Where a request is complete and above the socket; `patch.object` puts both methods back.
    with (
        patch.object(connection_type, "request", request),
        patch.object(connection_type, "getresponse", getresponse),
    ):
        yield


def _is_urllib3s(connection: Any) -> bool:
    packages = {kind.__module__.partition(".")[0] for kind in type(connection).__mro__}
    return "urllib3" in packages


def _show(watch: Watch, token: Any, response: Any) -> None:
    read_really = response.read

    def read(amount: int | None = None) -> bytes:
        body: bytes = read_really(amount)
        if response.__dict__.pop("read", None) is not None and amount is None:  # only once
            headers = {name.lower(): value for name, value in response.getheaders()}
            watch.answered(token, HttpResponse(response.status, headers, body))
        return body

    response.read = read


def _call(connection: Any, method: str, url: str, body: Any, headers: Any) -> WatchedCall:
    """Return the call that a connection will make of the arguments of `request`."""
    context = getattr(connection, "_context", None)
    scheme = "http" if context is None else "https"
    host = connection._tunnel_host or connection.host
    port = connection._tunnel_port or connection.port
    server = f"[{host}]" if ":" in host else host
    # whoever uses a proxy without a tunnel gives the whole address
    is_whole = urlsplit(url).scheme in ("http", "https")
    address = url if is_whole else f"{scheme}://{server}:{port}{url}"
    return WatchedCall(
        method.upper(),
        address,
        {str(name).lower(): _text(value) for name, value in dict(headers).items()},
        _bytes(body),
        context is None or context.verify_mode != ssl.CERT_NONE,
    )


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _bytes(body: Any) -> bytes | None:
    """Return the bytes of a body; None for a stream, and for what http.client will refuse."""
    if body is None or isinstance(body, (bytes, bytearray)):
        return bytes(body or b"")
    return body.encode("latin-1", "replace") if isinstance(body, str) else None
