"""What a program reads off its clocks in virtual time: it stands still between two waits.

All readings follow from the mock's clock, so a deadline that is set a while before somebody waits
for it (`until = loop.time() + eta`) loses none of that while. Only who does nothing but look at the
clock, or waits for something real, sees it go on, and the mock's clock with it: else a busy wait
would never end.
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

    They are those of the clock, which runs while somebody spins. They never go back, whatever
    thread reads. `monotonic` is real; virtual time begins with it.
    """

    def __init__(self, clock: Clock, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._real = clock, monotonic
        self._began = self._moment = clock.now()
        self._really_began = next_tick(monotonic())
        self._moved_at, self._count = monotonic(), 0
        self._spun_at: float | None = None  # in real time: until when a spin has moved the clock
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
                self._moment, self._moved_at = moment, real
                self._count, self._spun_at = 0, None
            self._count += counts
            if self._spun_at is not None:
                self._clock.move_to(moment + real - self._spun_at)
                self._clock.events.moved()
                self._moment = self._clock.now()
            if self._spun_at is not None or self._is_spinning(real - self._moved_at):
                self._spun_at = real
            return round((self._moment - self._began) / TICK_S) * TICK_S

    def _is_spinning(self, still_s: float) -> bool:
        return any(self._count >= count and still_s >= seconds for count, seconds in SPINS)


def next_tick(seconds: float) -> float:
    """Return the first multiple of `TICK_S` that is not less."""
    return math.ceil(seconds / TICK_S) * TICK_S
