"""Whether a thread of this process is at work, seen from another one.

A thread that works towards its next sleep shows in nothing else: building a TLS context takes
longer than any settling time that would be bearable, and on a busy machine a thread may be ready
to go on for longer still. Without this watch eight threads with a call and a sleep each slept four
times one after another, not once together.
"""

from __future__ import annotations

import threading
from pathlib import Path
from time import monotonic, process_time

__all__ = ["WorkWatch"]

# One part in so many of the processor is work: a process whose threads all wait uses less.
BUSY_SHARE = 10
# Linux alone says what each thread does: the first letter after its name is its state.
_TASKS = Path("/proc/self/task")
_AT_WORK = ("R", "D")  # running or ready to run; waiting for a disk


class WorkWatch:
    """Looks at the threads of this process. Safe to use from several threads."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Forget the processor time that was used until now."""
        self._mark = monotonic(), process_time()

    def is_at_work(self) -> bool:
        """True when a thread used the processor since the last look, or would now if it could."""
        began, spent_before = self._mark
        self.restart()
        now, spent = self._mark
        return (spent - spent_before) * BUSY_SHARE > now - began or _is_any_ready()


def _is_any_ready() -> bool:
    """True while another thread runs or is ready to; False where the system does not say."""
    own = str(threading.get_native_id())
    return any(_state_of(task) in _AT_WORK for task in _TASKS.glob("*") if task.name != own)


def _state_of(task: Path) -> str:
    """Return the state of a thread, "" if it has ended: `12 (a name) S 1 …` -> "S"."""
    try:
        line = (task / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return line.rpartition(")")[2].split()[0]
