"""Watches one call of a client: its time, its limits, and where it stands when it does not end.

The clock stands still while a client works, and jumps when it waits in virtual time. What waits in
another way (on a lock, in a selector, for another process) waits in real time: when every thread
waits and nobody does so in virtual time, the clock runs as real time does; and while somebody
computes without end, by the processor's time. So whoever really waits gets on.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import threading
from dataclasses import dataclass, field
from time import monotonic, process_time

from fauxlab_mock.client_check.running.standing import has_own_lines, place_of, place_of_task
from fauxlab_mock.client_check.running.worker import WorkerTask
from fauxlab_mock.client_check.stage import Stage
from fauxlab_mock.clock.threads import ThreadWatch

__all__ = ["LOOK_S", "CallWatch"]

# A call that computes has passed its real time when it used as much of the processor, or when it
# took so many times as long: a busy machine gives a call little.
MOST_TIMES = 3
# What makes requests or sleeps is bounded by these, and by so many times its real seconds.
LONGEST_TIMES = 10
# Real seconds
LOOK_S = 0.02  # between two looks at a call
ASK_S = 2.0  # for which a call may go on past its bounds until it is stuck
CANCEL_S = 0.5  # between two cancellations of a task that is over its bounds
IDLE_S = 0.06  # without a request, after which a client is taken to wait for its webhook
STILL_S = 0.1  # in which nothing moves, after which a client is taken to wait in real time
HOPELESS_S = 1.0  # for which it must be seen that nothing can wake a client
GETS_ON_S = 5.0  # between two steps of a call that gets on, on a busy machine
COMPUTES_S = 0.3  # of the processor, after which a client is taken to wait for the time to pass


class _Pace:
    """Moves the clock for a client that waits, but not in virtual time."""

    def __init__(self, stage: Stage) -> None:
        self._stage, self._threads = stage, ThreadWatch()
        self._mark: tuple[int, float] = (-1, 0.0)
        self._idle_since = self._counted = monotonic()
        self._used = process_time()
        self._moved_at, self._has_idled = self._counted, False

    @property
    def idle_s(self) -> float:
        """Real seconds for which all threads have waited and nothing has happened."""
        return monotonic() - self._idle_since

    def gets_on(self) -> bool:
        """True while a call makes requests or sleeps, without a wait in real time."""
        return not self._has_idled and monotonic() - self._moved_at < GETS_ON_S

    def look(self) -> None:
        """Move the clock if it is time to."""
        now, used, stage = monotonic(), process_time(), self._stage
        mark = (len(stage.scene.arrivals), stage.clock.now())
        if mark != self._mark or not stage.is_quiet() or stage.clock.is_waited_on():
            if mark != self._mark:
                self._moved_at, self._has_idled = now, False
            self._mark, self._used = mark, used
            self._idle_since = self._counted = now
        elif self._threads.are_all_waiting(lambda: not stage.is_quiet()):
            self._pass_idle(now)
        else:
            self._idle_since = self._counted = now
            if used - self._used > COMPUTES_S:
                self._pass(used - self._used - COMPUTES_S)
                self._used = used - COMPUTES_S

    def _pass_idle(self, now: float) -> None:
        if self.idle_s > IDLE_S and self._stage.has_webhooks_to_come():
            self._pass(1.0)
        elif self.idle_s > STILL_S:
            self._pass(now - self._counted)
            self._counted, self._has_idled = now, True

    def _pass(self, seconds: float) -> None:
        clock = self._stage.clock
        clock.advance_to(min(clock.now() + seconds, clock.last))
        self._mark = (self._mark[0], clock.now())


@dataclass(slots=True)
class CallWatch:
    """One call under way, and what became of it if it did not end by itself.

    Each of these is a place, such as `client.py:31 on threading.Event.wait`, or "". `stuck_at`: its
    thread goes on there all the same. `waits_at`: it waited there in real time when that was over.
    `hangs_at`: it waited there, and nothing was left that could wake it.
    """

    stage: Stage
    task: WorkerTask
    stuck_at: str = ""
    waits_at: str = ""
    hangs_at: str = ""
    has_interrupted: bool = False
    _threads: ThreadWatch = field(default_factory=ThreadWatch)

    def until_over(self) -> None:
        """Look at the call until it has ended, or is stuck."""
        pace = _Pace(self.stage)
        ends_at, cancel_at, stuck_at = monotonic() + self.stage.limits.real_s, 0.0, math.inf
        looked_at, used = monotonic(), process_time()
        latest = looked_at + LONGEST_TIMES * self.stage.limits.real_s
        while not self.task.done.wait(LOOK_S):
            now, took_s = monotonic(), monotonic() - looked_at
            looked_at = now
            if self.stage.clock.is_over:
                stuck_at = min(stuck_at, now + ASK_S)
                is_stuck = now > stuck_at
                if is_stuck and not self.task.is_in_main:
                    self.stuck_at = self._place()
                    return
                if now > cancel_at:
                    cancel_at = now + CANCEL_S
                    self._break_off()
                    if is_stuck:
                        self._interrupt()
            elif now > ends_at and self._is_too_long(now - ends_at, process_time() - used):
                self.stage.clock.end_call()
            else:
                pace.look()
                if pace.gets_on():  # on a busy machine it may take long
                    ends_at = min(ends_at + took_s, latest)
                if pace.idle_s > HOPELESS_S and self._is_hopeless():
                    self.hangs_at = self._place()
                    self.stage.clock.end_call()

    def _is_too_long(self, beyond_s: float, used_s: float) -> bool:
        """True when a call waits somewhere past its time (which is noted), or has computed enough.

        `beyond_s` are the real seconds past its end, `used_s` those of the processor.
        """
        if self._threads.is_waiting(self.task.thread):
            self.waits_at = self._place()
            return True
        real_s = self.stage.limits.real_s
        return used_s > real_s or beyond_s > real_s * (MOST_TIMES - 1)

    def _break_off(self) -> None:
        """Wake whoever waits without end: its wait raises, for the call is over."""
        self.task.cancel()
        for thread, condition in [*self.stage.clock.endless_waits().items()]:
            if thread not in self.task.before or thread is self.task.thread:
                with contextlib.suppress(RuntimeError):
                    if condition.acquire(blocking=False):
                        condition.notify_all()
                        condition.release()

    def _interrupt(self) -> None:
        """Interrupt a call in the main thread, as Ctrl-C does: it cannot be left behind."""
        self.has_interrupted = True
        if self.task.is_at_work:
            signal.pthread_kill(self.task.thread.ident or 0, signal.SIGINT)

    def _place(self) -> str:
        awaits = self.task.awaits
        in_task = place_of_task(awaits) if awaits is not None else ""
        started = set(threading.enumerate()) - self.task.before - {self.task.thread}
        return in_task or place_of([self.task.thread, *started])

    def _is_hopeless(self) -> bool:
        """True when it is certain that nothing will ever wake the call."""
        clock = self.stage.clock
        endless = clock.endless_waits()
        is_waiting = self.task.thread in endless or _is_without_timers(self.task)
        others = set(self._threads.users()) - self.task.before - {self.task.thread}
        return (
            is_waiting
            and self._threads.is_exact
            and not self.stage.has_webhooks_to_come()
            and not clock.events.receivers(math.inf)
            and all(thread in endless or not has_own_lines(thread) for thread in others)
            and not _has_children()
        )


def _is_without_timers(task: WorkerTask) -> bool:
    """True when it waits in a loop of asyncio in which nothing is due, now or later."""
    loop = task.loop
    if task.awaits is None or loop is None:
        return False
    due = (getattr(loop, name, True) for name in ("_ready", "_scheduled"))
    return not any(due)


def _has_children() -> bool:
    """True unless it is certain that this process has no child that could end or write."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT | os.WNOHANG)
    except ChildProcessError:
        return False
    except (AttributeError, OSError):
        return True
    return True
