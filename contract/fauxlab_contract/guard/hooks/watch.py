"""What a hook tells of a call, whom it tells, and the hooks of all installed libraries at once."""

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
}


@dataclass(frozen=True, slots=True)
class WatchedCall:
    """One request of a client. Header names are in lower case; `body` is None when it cannot be
    read without using it up.

    `is_verified` is False when the client does not check the server's certificate.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)
    is_verified: bool = True


class Watch(Protocol):
    """Is asked before a call is sent (and may raise instead), and told of its answer."""

    def wants(self, url: str) -> bool: ...

    def sent(self, call: WatchedCall) -> Any:
        """Something by which to name the call when its answer comes."""

    def answered(self, token: Any, came: HttpResponse) -> None: ...


@contextlib.contextmanager
def watching(watch: Watch) -> Iterator[None]:
    """While the block lasts, each HTTP library that is installed shows its calls to `watch`."""
    with contextlib.ExitStack() as stack:
        for name, hook in _HOOKS.items():
            if find_spec(name) is not None:
                hooked = import_module(f"fauxlab_contract.guard.hooks.{hook}").watched
                stack.enter_context(hooked(import_module(name), watch))
        yield
