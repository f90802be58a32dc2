"""urllib3: calls are seen in `HTTPConnectionPool.urlopen`, but for those of requests.

Those are seen above. A retry is one more call of urllib3's own, and not judged again.
"""

from __future__ import annotations

import contextlib
import ssl
import sys
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

from fauxlab_contract.core.http import HttpResponse
from fauxlab_contract.guard.hooks.watch import Watch, WatchedCall

__all__ = ["watched"]

__tracebackhide__ = True

_SEEN_ABOVE = ("requests.", "urllib3.connectionpool")


@contextlib.contextmanager
def watched(library: Any, watch: Watch) -> Iterator[None]:
    """During a `with` block, show the calls and responses of all pools to `watch`.

    A response that the client streams is not shown.
    """
    pool_type = library.HTTPConnectionPool
    open_really = pool_type.urlopen

    def urlopen(
        pool: Any,
        method: str,
        url: str,
        body: Any = None,
        headers: Any = None,
        *places: Any,  # urllib3 itself gives more of them so, when it tries again
        **options: Any,
    ) -> Any:
        caller = sys._getframe(1).f_globals.get("__name__", "")
        call = _call(pool, method, url, body, headers)
        if caller.startswith(_SEEN_ABOVE) or not watch.wants(call.url):
            return open_really(pool, method, url, body, headers, *places, **options)
        token = watch.sent(call)
        response = open_really(pool, method, url, body, headers, *places, **options)
        if options.get("preload_content", True):
            lower = {name.lower(): value for name, value in response.headers.items()}
            watch.answered(token, HttpResponse(response.status, lower, response.data))
        return response

    # Where a request is complete and above the connections; `patch.object` puts it back.
    with patch.object(pool_type, "urlopen", urlopen):
        yield


def _call(pool: Any, method: str, url: str, body: Any, headers: Any) -> WatchedCall:
    is_whole = urlsplit(url).scheme in ("http", "https")  # by a proxy without a tunnel
    server = f"[{pool.host}]" if ":" in pool.host else pool.host
    port = f":{pool.port}" if pool.port else ""
    sent = pool.headers if headers is None else headers
    return WatchedCall(
        method.upper(),
        url if is_whole else f"{pool.scheme}://{server}{port}{url}",
        {str(name).lower(): str(value) for name, value in dict(sent).items()},
        _bytes(body),
        pool.scheme == "http" or pool.cert_reqs not in (ssl.CERT_NONE, "CERT_NONE"),
    )


def _bytes(body: Any) -> bytes | None:
    """Return the bytes of a body; None for a stream."""
    if isinstance(body, str):
        return body.encode()
    return bytes(body or b"") if body is None or isinstance(body, (bytes, bytearray)) else None
