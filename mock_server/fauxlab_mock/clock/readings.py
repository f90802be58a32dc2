"""What a program reads off its clocks in virtual time: it stands still between two waits.

All readings follow from the mock's clock, so a deadline that is set a while before somebody waits
for it (`until = loop.time() + eta`) loses none of that while. Only who does nothing but look at the
clock, or waits for something real, sees it go on: else a busy wait would never end.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from fauxlab_mock.clock.clock import Clock

__all__ = ["Readings", "next_tick"]

# (readings, real seconds) since the clock was moved: with as many of both, somebody spins. The
# second line is for who waits for something real in between, and for a deadline at the end.
SPINS = ((1_000, 0.25), (10, 10.0))
# All readings are multiples of this, so that sums and differences of them are exact; so are the
# seconds since 1970 in the years in which we live.
TICK_S = 2**-22


class Readings:
    """The seconds that have passed in a block of virtual time, as a program reads them.

    They are those of the clock, and the real ones for which somebody spun. They never go back,
    whatever thread reads. `monotonic` is real; virtual time begins with it.
    """

    def __init__(self, clock: Clock, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._real = clock, monotonic
        self._began = self._moment = clock.now()
        self._really_began = next_tick(monotonic())
        self._moved_at, self._count = monotonic(), 0
        self._spun_s = 0.0  # until the clock was moved
        self._spins_from: float | None = None  # in real time
        # a signal handler may read while its thread does
        self._lock = threading.RLock()

    def monotonic(self) -> float:
        """Return what `time.monotonic` and the event loops say."""
        return self._really_began + self.passed_s()

    def passed_s(self, *, counts: bool = True) -> float:
        """Return the seconds; an event loop's own look at the clock does not count as spinning."""
        with self._lock:
            moment, real = self._clock.now(), self._real()
            if moment != self._moment:
                self._spun_s = self._spun_until(real)
                self._moment, self._moved_at = moment, real
                self._count, self._spins_from = 0, None
            self._count += counts
            if self._spins_from is None and self._is_spinning(real - self._moved_at):
                self._spins_from = real
            ticks = (moment - self._began + self._spun_until(real)) / TICK_S
            return round(ticks) * TICK_S

    def _is_spinning(self, still_s: float) -> bool:
        return any(self._count >= count and still_s >= seconds for count, seconds in SPINS)

    def _spun_until(self, real: float) -> float:
        if self._spins_from is None:
            return self._spun_s
        return self._spun_s + real - self._spins_from


def next_tick(seconds: float) -> float:
    """Return the first multiple of `TICK_S` that is not less."""
    return math.ceil(seconds / TICK_S) * TICK_S
