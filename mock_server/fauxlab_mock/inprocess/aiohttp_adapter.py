"""aiohttp: connections to the mock's address go to a loopback server, without TLS."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import cache
from inspect import iscoroutinefunction
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

from aiohttp import ClientConnectionError, TCPConnector

from fauxlab_mock.inprocess.calls import Door
from fauxlab_mock.inprocess.no_network import BlockedError
from fauxlab_mock.server.serving import run_server
from fauxlab_mock.server.uvicorn_server import bind

__all__ = ["aiohttp_answered"]

__tracebackhide__ = True


@contextlib.contextmanager
def aiohttp_answered(door: Door) -> Iterator[None]:
    """While the block lasts, the mock answers the calls of aiohttp to its address."""
    mock = door.mock
    connect_really, reuse_really = TCPConnector._create_connection, TCPConnector._get

    @cache
    def port() -> int:
        """Return the port of a server that starts when it is first asked for."""
        listener = bind("127.0.0.1", 0)
        stack.enter_context(run_server(mock, listener))
        address: tuple[str, int] = listener.getsockname()
        return address[1]

    async def connect(connector: Any, request: Any, *args: Any) -> Any:
        try:
            if not door.is_ours(request.method, str(request.url)):
                return await connect_really(connector, request, *args)
        except BlockedError as error:
            raise ClientConnectionError(str(error)) from None
        _, protocol = await connector._loop.create_connection(
            connector._factory, "127.0.0.1", port()
        )
        protocol._should_close = True  # what `force_close` does, which 3.11.0 to 3.11.4 lack
        return protocol

    async def nothing() -> None: ...

    def reuse(connector: Any, key: Any, *args: Any) -> Any:
        is_to_mock = key.host == urlsplit(mock.public_url).hostname
        if is_to_mock or not door.allowed.allows(key.host, key.port):
            return nothing() if iscoroutinefunction(reuse_really) else None  # before 3.10.11: None
        return reuse_really(connector, key, *args)

    with contextlib.ExitStack() as stack:
        # Where a session opens a connection, below everything that it makes of a request: aiohttp
        # has no public seam there that a session made by the program under test would use.
        # `patch.object` puts both methods back.
        stack.enter_context(patch.object(TCPConnector, "_create_connection", connect))
        # Where a session takes a connection that it has kept: one from before the block would lead
        # to production, so none is taken; and ours are closed, for they must not outlive it.
        stack.enter_context(patch.object(TCPConnector, "_get", reuse))
        yield
