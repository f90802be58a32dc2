"""The mock's time: one small class, three modes. Everything that a job waits for reads this clock and no other."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Literal

__all__ = ["THREAD_PREFIX", "Clock", "ClockMode"]

THREAD_PREFIX = "fauxlab-"  # of the names of all threads that a mock starts: they live in real time
ClockMode = Literal["real", "auto", "manual"]


class Clock:
    """Seconds since 1970. `real` runs, and `advance` adds to it; `manual` and `auto` stand still until they are advanced.

    (What makes `auto` move is decided by the engine: a second fetch of a running job.) Safe to use from several threads.
    """

    def __init__(self, mode: ClockMode = "real", *, start: float | None = None, tick: Callable[[], float] = time.monotonic) -> None:
        self.mode = mode
        self._tick = tick
        self._base = time.time() if start is None else start
        self._added = 0.0  # kept apart: added to the base one by one, small steps would be rounded each time
        self._origin = tick()
        self._lock = threading.Lock()
        self.on_advance: Callable[[float], None] = lambda _: None  # called with the moment that is to be reached
        self.settle_s = 0.001  # real seconds of quiet after which sleepers wake; more where calls come from outside
        self.is_slept_on = False  # has a sleep ever been a move of this clock?
        self.is_held: Callable[[], bool] = lambda: False  # is somebody's call being answered, so that sleepers had better wait?

    def now(self) -> float:
        if self.mode == "real":
            return self._base + (self._added + self._tick() - self._origin)
        return self._base + self._added

    def set_mode(self, mode: ClockMode) -> None:
        """Go on in another mode from now."""
        with self._lock:
            now = self.now()
            self.mode, self._base, self._added, self._origin = mode, now, 0.0, self._tick()

    def advance(self, seconds: float) -> None:
        """Move forward, event by event: what falls due on the way happens at its time.

        Raises ValueError for a negative or endless time: jobs never get younger.
        """
        if not isinstance(seconds, (int, float)) or not 0 <= seconds < float("inf"):
            raise ValueError(f"the clock can be advanced by 0 or more seconds, not by {str(seconds)[:40]!a}")
        goal = self._added + seconds
        self.on_advance(self.now() + seconds)
        with self._lock:
            self._added = max(self._added, goal)

    def advance_to(self, moment: float) -> None:
        """Move forward to `moment`, event by event; do nothing when it has passed."""
        self.on_advance(moment)
        self.move_to(moment)

    async def advance_async(self, seconds: float) -> None:
        """`advance` for tests whose webhook receiver runs in their own event loop: the loop goes on meanwhile."""
        await asyncio.to_thread(self.advance, seconds)

    def move_to(self, moment: float) -> None:
        """Move forward to `moment` past all events, which are left to be late."""
        with self._lock:
            self._added += max(0.0, moment - self.now())
