"""Whether all threads of this process wait, and whether it can be seen for what.

On Linux this is a proof: `/proc/self/task/*/status` says of each thread whether it waits, and how
often it was put to wait since it began. If all wait in two looks, and none was put to wait in
between, then no thread was at work between the looks, and none can wake another. Elsewhere the
processor time that the process uses has to do, and a time of quiet.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Collection
from time import monotonic, process_time, sleep
from types import FrameType

from fauxlab_mock.clock.askers import PRIMITIVES, REAL, asker_of
from fauxlab_mock.clock.clock import THREAD_PREFIX

__all__ = ["ThreadWatch"]

_TASKS = "/proc/self/task"
_AT_WORK = b"RD"  # running or ready to run; waiting for a disk
_STATE, _SWITCHES = b"\nState:\t", b"\nvoluntary_ctxt_switches:\t"
# One part in so many of the processor is work: a process whose threads all wait uses less.
BUSY_SHARE = 10
# Real seconds between two looks at one thread.
LOOK_S = 0.02
# Of those who live in real time, these make a thread of the program wait for something real.
_OTHER_PROCESSES = frozenset({"subprocess", "multiprocessing"})


class ThreadWatch:
    """Looks at the threads of this process, of which `bystanders` are of no interest."""

    def __init__(self, bystanders: Collection[threading.Thread] = ()) -> None:
        self._bystanders = frozenset(bystanders)
        self.is_exact = _SWITCHES in _status(threading.get_native_id())
        self._mark = monotonic(), process_time()

    def users(self) -> list[threading.Thread]:
        """Return the threads that may go to sleep: all but the mock's own and the bystanders."""
        return [
            thread
            for thread in threading.enumerate()
            if not thread.name.startswith(THREAD_PREFIX) and thread not in self._bystanders
        ]

    def are_all_waiting(self, is_held: Callable[[], bool]) -> bool:
        """True when all threads but the caller's wait, each for something else than the GIL.

        `is_held` says that they wait for something that goes on; it is asked between two looks, so
        what it says was true while nobody was at work.
        """
        if not self.is_exact:
            began, used_before = self._mark
            self._mark = now, used = monotonic(), process_time()
            return (used - used_before) * BUSY_SHARE <= now - began and not is_held()
        own = str(threading.get_native_id())
        first = _look(own)
        return first is not None and not is_held() and first == _look(own)

    def is_waiting(self, thread: threading.Thread) -> bool:
        """True when a thread waits for something else than the GIL."""
        task = str(thread.native_id)
        if not self.is_exact:
            return sys._current_frames().get(thread.ident or 0) is not None and (
                self.are_all_waiting(lambda: False)
            )
        first = _status(task)
        sleep(LOOK_S)
        second = _status(task)
        is_at_work = any(_state_of(status) in _AT_WORK for status in (first, second))
        return not is_at_work and _switches_of(first) == _switches_of(second)

    def is_any_unseen(self) -> bool:
        """True when a thread waits for something that cannot be seen: a lock, a socket, C code."""
        frames = sys._current_frames()
        return any(
            _is_unseen(frames[thread.ident]) for thread in self.users() if thread.ident in frames
        )


def _look(own: str) -> dict[str, bytes] | None:
    """Return how often each thread was put to wait; None while one is at work."""
    found: dict[str, bytes] = {}
    for task in os.listdir(_TASKS):
        if task == own:
            continue
        status = _status(task)
        if _state_of(status) in _AT_WORK:
            return None
        found[task] = _switches_of(status)
    return found


def _state_of(status: bytes) -> bytes:
    """Return the letter of a thread's state; what is in no `_AT_WORK` when it is unknown."""
    return status.partition(_STATE)[2][:1] or b"?"


def _switches_of(status: bytes) -> bytes:
    return status.partition(_SWITCHES)[2].partition(b"\n")[0]


def _status(task: str | int) -> bytes:
    """Return what the system says of a thread; b"" when it says nothing or it has ended."""
    try:
        file = os.open(f"{_TASKS}/{task}/status", os.O_RDONLY)
    except OSError:
        return b""
    try:
        return os.read(file, 4_096)
    except OSError:
        return b""
    finally:
        os.close(file)


def _is_unseen(frame: FrameType) -> bool:
    module: str = frame.f_globals.get("__name__", "")
    asker = asker_of(frame)
    if asker in _OTHER_PROCESSES or frame.f_code.co_name == "_do_waitpid":  # asyncio's own thread
        return True
    if asker in REAL and not module.startswith("fauxlab_mock"):
        return False  # the test runner's own thread
    return not (module.partition(".")[0] in PRIMITIVES or module.startswith("fauxlab_mock.clock"))
