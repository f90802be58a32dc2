"""Answer calls to the mock's address in process, whichever HTTP library makes them.

There is one adapter for each library, at that library's own seam; below them all, no socket leaves
this machine.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from importlib.util import find_spec

from fauxlab_mock.inprocess.httpx_adapter import httpx_answered
from fauxlab_mock.inprocess.no_network import only_loopback
from fauxlab_mock.runtime.mock import Mock

__all__ = ["intercepted"]


@contextlib.contextmanager
def intercepted(mock: Mock) -> Iterator[None]:
    """While the block lasts, `mock` answers all httpx, requests and aiohttp calls to its address.

    That is the host of `mock.public_url`. Calls to loopback pass. httpx calls to anywhere else are
    left to other respx routers, and are refused by name when none takes them. Everything else that
    would leave the machine is refused by name, by whatever library it is sent.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(only_loopback(mock.blocked.append))
        stack.enter_context(httpx_answered(mock))
        if find_spec("requests") is not None:
            from fauxlab_mock.inprocess.requests_adapter import requests_answered

            stack.enter_context(requests_answered(mock))
        if find_spec("aiohttp") is not None:
            from fauxlab_mock.inprocess.aiohttp_adapter import aiohttp_answered

            stack.enter_context(aiohttp_answered(mock))
        yield
