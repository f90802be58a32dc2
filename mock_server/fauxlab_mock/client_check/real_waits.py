"""What waits in real time (for a database, say) while the rest of a program sleeps on the clock.

The clock is held for it: or it would be outrun by what sleeps in other threads, and seem late.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from time import monotonic
from types import FrameType

from fauxlab_mock.client_check.stage import Stage
from fauxlab_mock.clock.clock import THREAD_PREFIX
from fauxlab_mock.clock.threads import ThreadWatch
from fauxlab_mock.clock.waits import virtual_sleep

__all__ = ["HOLD_S", "RealWait", "holding"]

# Real seconds: of waiting, and of all, for which the clock is held; between two looks, and the
# most that one look counts for: on a busy machine it comes late
HOLD_S, LONGEST_HOLD_S, LOOK_S, MOST_LOOK_S = 0.5, 5.0, 0.01, 0.05
SLEEPS, SLEEP_DEPTH = ("sleep", "_wait"), 5  # where it defines `virtual_sleep`; how deep


@dataclass(slots=True)
class RealWait:
    """What was seen of the waits of one answer: for how many real seconds the clock was held.

    If that `has_run_out`, what sleeps may have outrun the answer; not so if it is `for_another`: if
    it waits for a thread or a task of its own.
    """

    waited_s: float = 0.0
    has_run_out: bool = False
    for_another: bool = False


@contextlib.contextmanager
def holding(stage: Stage) -> Iterator[RealWait]:
    """Hold the clock while this thread waits in real time, for a moment of such waits in all.

    Let go while the thread itself sleeps on the clock.
    """
    thread, is_over, seen = threading.current_thread(), threading.Event(), RealWait()
    clock, threads = stage.clock, ThreadWatch()

    def hold() -> None:
        looked = monotonic()
        ends_at = looked + LONGEST_HOLD_S
        while seen.waited_s < HOLD_S and looked < ends_at:
            if is_over.wait(LOOK_S):
                return
            before, looked = looked, monotonic()
            if threads.is_waiting(thread) and not _calls(thread, _is_bounded):
                seen.waited_s += min(looked - before, MOST_LOOK_S)
        seen.for_another = thread in clock.endless_waits() or stage.worker.is_awaiting()
        seen.has_run_out = True
        clock.holds = False

    clock.lets_go, clock.holds = partial(_calls, thread, _is_sleep), True
    holder = threading.Thread(target=hold, name=f"{THREAD_PREFIX}hold", daemon=True)
    holder.start()
    try:
        yield seen
    finally:
        is_over.set()
        holder.join()
        clock.holds = False


def _calls(thread: threading.Thread, is_it: Callable[[FrameType], bool]) -> bool:
    """True while one of a thread's innermost frames is the one that is asked for."""
    frame = sys._current_frames().get(thread.ident or 0)
    for _ in range(SLEEP_DEPTH):
        if frame is None:
            return False
        if is_it(frame):
            return True
        frame = frame.f_back
    return False


def _is_sleep(frame: FrameType) -> bool:
    """True for a wait for a moment of the mock's clock, and for nothing else."""
    is_ours = frame.f_globals.get("__name__") == virtual_sleep.__module__
    return is_ours and frame.f_code.co_name in SLEEPS


def _is_bounded(frame: FrameType) -> bool:
    """True for such a wait, and for `thread.join(timeout)`: a real one, until its timeout."""
    is_join = frame.f_globals.get("__name__") == "threading" and frame.f_code.co_name == "join"
    return _is_sleep(frame) or (is_join and frame.f_locals.get("timeout") is not None)
