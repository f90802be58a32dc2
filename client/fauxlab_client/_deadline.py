"""A deadline for a whole answer, where the HTTP library knows only one for each wait: headers that
drip in are cut off, too.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["Cutter"]


class Cutter:
    """Shuts the sockets of one client down when an answer is not complete in time, which ends every
    wait for it.

    It learns of sockets, and of when an answer is waited for, by httpx's `trace` extension; a
    client that has no sockets (a transport of a test) costs nothing. Not for use by two threads at
    once.
    """

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []
        self._timer: threading.Timer | None = None
        self._within_s = 0.0

    @contextlib.contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """The answer that is asked for inside the block has so many real seconds from when its
        request was sent.
        """
        self._within_s = seconds
        try:
            yield
        finally:
            if self._timer is not None:
                self._timer.cancel()
                self._timer.join()
                self._timer = None

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """What `extensions={"trace": …}` calls."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            made = info["return_value"].get_extra_info("socket")
            self._sockets = [
                one for one in (*self._sockets, made) if one is not None and one.fileno() >= 0
            ]
        elif event.endswith("receive_response_headers.started") and self._timer is None:
            self._timer = threading.Timer(max(0.0, self._within_s), self._cut)
            self._timer.daemon = True
            self._timer.start()

    def _cut(self) -> None:
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
