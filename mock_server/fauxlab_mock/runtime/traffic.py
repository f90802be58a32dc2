"""What the servers of one mock are doing: virtual time waits for it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["Hold", "Traffic"]

# Real seconds. An answer that was sent is still on its way to the client for a moment.
ANSWER_ARRIVES_S = 0.005


# (seconds, address of the client) -> a block inside which TimeoutError is raised after the seconds
Hold = Callable[[float, Any], contextlib.AbstractAsyncContextManager[None]]


class Traffic:
    """The ports at which a mock is served, and the calls that are being answered there.

    `hold` says how servers hold an answer back; None is in real time.
    """

    def __init__(self) -> None:
        self.ports: set[int] = set()
        self.hold: Hold | None = None
        self._calls, self._last_answer = 0, 0.0
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def served_at(self, port: int) -> Iterator[None]:
        """While the block lasts, calls may come to this port, and no webhook is sent to it."""
        self.ports.add(port)
        try:
            yield
        finally:
            self.ports.discard(port)

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """While the block lasts, and a moment longer, a call is under way."""
        with self._lock:
            self._calls += 1
        try:
            yield
        finally:
            with self._lock:
                self._calls -= 1
                self._last_answer = time.monotonic()

    @contextlib.contextmanager
    def resting(self) -> Iterator[None]:
        """While the block lasts, the answer to a call that is under way waits for time to pass."""
        with self._lock:
            self._calls -= 1
        try:
            yield
        finally:
            with self._lock:
                self._calls += 1

    def is_busy(self) -> bool:
        """True while a call or its answer is under way."""
        return self._calls > 0 or time.monotonic() < self._last_answer + ANSWER_ARRIVES_S
