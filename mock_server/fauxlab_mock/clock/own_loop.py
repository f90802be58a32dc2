"""Whether the event loop that runs in this thread serves a port: then nobody may block it here."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from typing import Any

__all__ = ["own_loop", "ports_of_own_loop"]


def own_loop() -> Any:
    """Return the event loop that runs in this thread, None if none does; asyncio may be missing."""
    asyncio: Any = sys.modules.get("asyncio")
    return asyncio and asyncio._get_running_loop()


def ports_of_own_loop() -> frozenset[int]:
    """Return the ports at which this thread's running event loop accepts connections.

    Neither asyncio nor uvloop has a list of a loop's servers, so they are looked for among all
    objects; that takes some ten milliseconds.
    """
    loop = own_loop()
    return frozenset(
        listener.getsockname()[1]
        for server in _servers()
        if server.get_loop() is loop
        for listener in server.sockets
        if isinstance(listener.getsockname(), tuple)  # the name of a Unix socket is a path
    )


def _servers() -> Iterator[Any]:
    """Yield all that has what servers of loops have; a class tells, for an object may lie."""
    objects = gc.get_objects()
    kinds = {kind for kind in map(type, objects) if hasattr(kind, "get_loop")}
    kinds = {kind for kind in kinds if hasattr(kind, "sockets")}
    return (candidate for candidate in objects if type(candidate) in kinds)
