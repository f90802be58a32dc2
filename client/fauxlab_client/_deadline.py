"""A deadline for a whole response; httpx has one for each wait only, and headers may drip in."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["Cutter"]


class Cutter:
    """Shuts the sockets of a client down when a response is late, which ends every wait for it.

    httpx's extension `trace` tells it of sockets, and of the moment at which waiting begins. A
    client without sockets (with a transport of a test) needs no thread. Not for use by two threads
    at once.
    """

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []
        self._timer: threading.Timer | None = None
        self._within_s = 0.0

    @contextlib.contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Give the response inside the block so many real seconds, counted from its request."""
        self._within_s = seconds
        try:
            yield
        finally:
            if self._timer is not None:
                self._timer.cancel()
                self._timer.join()
                self._timer = None

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Take an event of httpx; give this method as `extensions={"trace": …}`."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            new = info["return_value"].get_extra_info("socket")
            known = self._sockets if new is None else [*self._sockets, new]
            self._sockets = [sock for sock in known if sock.fileno() >= 0]  # the open ones
        elif event.endswith("receive_response_headers.started") and self._timer is None:
            self._timer = threading.Timer(max(0.0, self._within_s), self._cut)
            self._timer.daemon = True
            self._timer.start()

    def _cut(self) -> None:
        for sock in self._sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
