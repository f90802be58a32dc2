"""What a hook tells about a call, and the hooks of all installed HTTP libraries at once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

from fauxlab_contract.core.http import HttpResponse

__all__ = ["Watch", "WatchedCall", "watching"]

_HOOKS = {
    "httpx": "httpx_hook",
    "httpx2": "httpx_hook",
    "requests": "requests_hook",
    "aiohttp": "aiohttp_hook",
    "http.client": "http_client_hook",
    "urllib3": "urllib3_hook",
}


@dataclass(frozen=True, slots=True)
class WatchedCall:
    """One request of a client.

    Header names are in lower case. `body` is None if it can be read only once. `is_verified` is
    False if the client does not verify the server's certificate.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)
    is_verified: bool = True


class Watch(Protocol):
    """What a hook calls: before a call is sent, and when its response has come."""

    def wants(self, url: str) -> bool:
        """Return True for a URL whose calls should be shown."""
        ...

    def sent(self, call: WatchedCall) -> Any:
        """Look at a call, and return a token for it; raise an exception to stop it."""

    def answered(self, token: Any, came: HttpResponse) -> None:
        """Look at the response to the call with this token."""


@contextlib.contextmanager
def watching(watch: Watch) -> Iterator[None]:
    """During a `with` block, show the calls of each installed HTTP library to `watch`."""
    with contextlib.ExitStack() as stack:
        for name, hook in _HOOKS.items():
            if find_spec(name) is not None:
                hooked = import_module(f"fauxlab_contract.guard.hooks.{hook}").watched
                stack.enter_context(hooked(import_module(name), watch))
        yield
