"""Answer calls to the mock's address in process, whichever HTTP library makes them.

There is one adapter for each kind of library, at that library's own seam; below them all, no socket
leaves this machine.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from urllib.parse import urlsplit

from fauxlab_contract.core.text import must_be
from fauxlab_mock.inprocess.allowed_hosts import AllowedHosts
from fauxlab_mock.inprocess.calls import Door
from fauxlab_mock.inprocess.connection_adapter import connections_answered
from fauxlab_mock.inprocess.httpx_adapter import httpx_answered
from fauxlab_mock.inprocess.neighbours import neighbours_asked_first
from fauxlab_mock.inprocess.no_network import only_loopback
from fauxlab_mock.runtime.mock import Mock

__all__ = ["intercepted"]


@contextlib.contextmanager
def intercepted(mock: Mock, *, allow_hosts: Iterable[str] = ()) -> Iterator[Mock]:
    """While the block lasts, `mock` answers all calls to its address; the block gets the mock.

    Its address is the host of `mock.public_url`; calls are those of httpx, aiohttp, and all that
    is built on http.client: requests, urllib3, urllib. What other mocking libraries have an answer
    for is theirs, whoever came first. Calls to loopback, to this machine's own name and to
    `allow_hosts` (`["postgres:5432", "10.0.0.0/8"]`) pass. Everything else that would leave the
    machine is refused by name, by whatever library it is sent.
    """
    if not isinstance(mock, Mock):
        raise TypeError(must_be("mock", "a Mock, such as Mock()", mock))
    allowed = AllowedHosts(allow_hosts, urlsplit(mock.public_url).hostname)
    door = Door(mock, allowed)
    with contextlib.ExitStack() as stack:
        stack.enter_context(only_loopback(mock.blocked.append, allowed=allowed))
        stack.enter_context(httpx_answered(door))
        stack.enter_context(connections_answered(door))
        if find_spec("aiohttp") is not None:
            from fauxlab_mock.inprocess.aiohttp_adapter import aiohttp_answered

            stack.enter_context(aiohttp_answered(door))
        stack.enter_context(neighbours_asked_first(door))
        yield mock
