"""trio in virtual time: the clock that its runs have unless somebody gives them another.

All waits of trio are deadlines: of `trio.sleep`, `move_on_after`, `fail_after`, and so of anyio on
trio. A run waits for its earliest deadline alone, so each run is one wait on the mock's clock.
"""

from __future__ import annotations

import contextlib
import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from fauxlab_mock.clock.askers import is_asked_for_real
from fauxlab_mock.clock.clock import LAST_S
from fauxlab_mock.clock.readings import Readings, next_tick
from fauxlab_mock.clock.sleepers import Sleeper, Sleepers

__all__ = ["virtual_trio"]

Function = Callable[..., Any]


@contextlib.contextmanager
def virtual_trio(sleepers: Sleepers, readings: Readings) -> Iterator[None]:
    """While the block lasts, the time of trio's runs is virtual; do nothing where there is no trio.

    A run that outlives the block goes on in real time from where it is: its time never goes back.
    One that has a clock of its own (`trio.testing.MockClock`) keeps it, and is told of.
    """
    try:
        from trio._core import _run as trio

        kind = trio.SystemClock
    except (ImportError, AttributeError):  # none, or one of a make that nobody has seen yet
        yield
        return
    clocks = _Clocks(trio, sleepers, readings)
    with contextlib.ExitStack() as stack:
        for owner, name, stand_in in (
            (kind, "current_time", _current_time(clocks)),
            (kind, "deadline_to_sleep_time", _deadline_to_sleep_time(clocks)),
            (trio, "setup_runner", _setup_runner(clocks)),
        ):
            stack.enter_context(patch.object(owner, name, stand_in))
        yield
    clocks.go_on_for_real()


@dataclass(slots=True, eq=False)
class _Run:
    """A run of trio, by its clock, and the wait that it has here: until `deadline`, `inf` if none.

    The deadline is one of trio's, in seconds on that clock.
    """

    clock: Any
    deadline: float = math.inf
    sleeper: Sleeper | None = None


@dataclass(slots=True, eq=False)
class _Clocks:
    """All clocks of one class, `trio.SystemClock`: `time.perf_counter` and an offset."""

    trio: Any
    sleepers: Sleepers
    readings: Readings
    counted: float = field(default_factory=lambda: next_tick(time.perf_counter()))
    runs: dict[int, _Run] = field(default_factory=dict)

    def now(self, clock: Any, *, counts: bool) -> float:
        return float(clock.offset + self.counted + self.readings.passed_s(counts=counts))

    def wait_until(self, clock: Any, deadline: float, now: float) -> None:
        """Let the run that is at work in this thread be woken at its deadline, and no earlier."""
        run = self.runs.setdefault(id(clock), _Run(clock))
        if deadline == run.deadline:
            return
        if run.sleeper is not None:
            run.sleeper.is_gone = True
        run.deadline, run.sleeper = math.inf, None
        if not 0 < deadline - now <= LAST_S - self.sleepers.clock.now():
            return  # past all calendars is never
        token = self.trio.current_trio_token()

        def wake() -> None:
            run.deadline = math.inf
            with contextlib.suppress(self.trio.RunFinishedError):
                token.run_sync_soon(_nothing, idempotent=True)

        run.deadline = deadline
        run.sleeper = self.sleepers.add(
            deadline - now, wake, lambda _left_s: wake(), is_deadline=True
        )

    def go_on_for_real(self) -> None:
        ahead_s = self.counted + self.readings.passed_s() - time.perf_counter()
        for run in self.runs.values():
            object.__setattr__(run.clock, "offset", run.clock.offset + max(0.0, ahead_s))


def _nothing() -> None:
    """Do nothing: a run looks at its clock when it is given something to do."""


def _current_time(clocks: _Clocks) -> Function:
    real = clocks.trio.SystemClock.current_time

    def current_time(clock: Any) -> float:
        if clocks.sleepers.is_over or is_asked_for_real():
            return float(real(clock))
        turns = sys._getframe(1).f_code.co_name == "unrolled_run"  # the run itself, not a task
        now = clocks.now(clock, counts=not turns)
        if turns:  # it may have work for ever, and never wait
            runner = clocks.trio.GLOBAL_RUN_CONTEXT.runner
            clocks.wait_until(clock, runner.deadlines.next_deadline(), now)
        return now

    return current_time


def _deadline_to_sleep_time(clocks: _Clocks) -> Function:
    real = clocks.trio.SystemClock.deadline_to_sleep_time

    def deadline_to_sleep_time(clock: Any, deadline: float) -> float:
        if clocks.sleepers.is_over or is_asked_for_real():
            return float(real(clock, deadline))
        now = clocks.now(clock, counts=False)
        clocks.wait_until(clock, deadline, now)
        return math.inf if deadline > now else 0.0

    return deadline_to_sleep_time


def _setup_runner(clocks: _Clocks) -> Function:
    real = clocks.trio.setup_runner

    def setup_runner(clock: Any, *args: Any, **options: Any) -> Any:
        if clock is not None and not isinstance(clock, clocks.trio.SystemClock):
            clocks.sleepers.note_stranger(f"trio with a clock of its own, {type(clock).__name__}")
        return real(clock, *args, **options)

    return setup_runner
