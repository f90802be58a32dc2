"""The date in virtual time: `datetime.now`, `date.today`, `time.time`, `gmtime` and their like.

time-machine replaces them in C, under whatever name. It has one wall clock for all threads.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from fauxlab_mock.clock.clock import Clock

__all__ = ["wall_clock"]


@contextlib.contextmanager
def wall_clock(clock: Clock) -> Iterator[bool]:
    """While the block lasts, the wall clock is `clock`, unless somebody has set it already.

    Yield whether it is. Who has set it (time-machine or freezegun, around this block) keeps it.
    """
    try:
        import time_machine
    except ImportError:  # it is for CPython alone
        yield False
        return
    if time_machine.escape_hatch.is_travelling():
        yield False
        return
    travel = time_machine.travel(clock.now(), tick=clock.mode == "real")
    try:
        traveller = travel.start()
    except RuntimeError:  # freezegun is active
        yield False
        return
    try:
        with clock.followed_by(lambda now, mode: traveller.move_to(now, tick=mode == "real")):
            yield True
    finally:
        travel.stop()
