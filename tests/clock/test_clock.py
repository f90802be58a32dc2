"""The three clocks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from fauxlab_mock.clock.clock import LAST_S, Clock, Events


def test_the_real_clock_runs_and_can_be_pushed() -> None:
    """The real clock follows its tick, and advance adds to it."""
    ticks = [100.0]
    clock = Clock("real", start=1000.0, tick=lambda: ticks[-1])

    before = clock.now()
    ticks.append(103.5)
    later = clock.now()
    clock.advance(10)

    assert (before, later, clock.now()) == (1000.0, 1003.5, 1013.5)


@pytest.mark.parametrize(
    "start, text",
    [
        (1_800_000_000.25, "<Clock manual: 2027-01-15T08:00:00.250+00:00>"),
        (-1e20, "<Clock manual: -1e+20 s>"),
    ],
)
def test_a_clock_says_its_mode_and_time(start: float, text: str) -> None:
    """As a date where it is one."""
    assert repr(Clock("manual", start=start)) == text


@pytest.mark.parametrize("mode", ["manual", "auto"])
def test_the_other_clocks_stand_still(mode: str) -> None:
    """Manual and auto clocks move only when they are advanced."""
    clock = Clock(mode, start=1000.0, tick=iter(range(10)).__next__)  # type: ignore[arg-type] # the parametrized literal
    before = clock.now()
    clock.advance(2.5)

    assert (before, clock.now()) == (1000.0, 1002.5)


def test_advance_to_never_goes_back() -> None:
    """Advancing to a moment that has passed changes nothing."""
    clock = Clock("manual", start=1000.0)
    clock.advance_to(1005)
    clock.advance_to(1001)

    assert clock.now() == 1005.0


@pytest.mark.parametrize("seconds", [-0.1, float("inf"), float("nan")])
def test_impossible_steps_are_refused(seconds: float) -> None:
    """A negative or endless step raises ValueError and does not move the clock."""
    clock = Clock("manual", start=1000.0)

    with pytest.raises(ValueError, match="can be advanced by 0 or more seconds"):
        clock.advance(seconds)

    assert clock.now() == 1000.0


@pytest.mark.parametrize(
    "seconds", [LAST_S - 999, 1e300, 10**5_000], ids=["a second", "a float", "a long integer"]
)
def test_the_clock_ends_with_the_year_9999(seconds: float) -> None:
    """A step past that year raises ValueError and moves nothing; one up to its end is fine."""
    clock = Clock("manual", start=1_000.0)

    with pytest.raises(ValueError, match="the clock ends with the year 9999"):
        clock.advance(seconds)
    with pytest.raises(ValueError, match="the clock ends with the year 9999"):
        clock.advance_to(LAST_S + 1)

    assert clock.now() == 1_000.0
    clock.advance(LAST_S - 1_000)
    assert clock.now() == LAST_S


class Together(Events):
    """No advance ends before another has begun."""

    def __init__(self) -> None:
        self.barrier = threading.Barrier(2)

    def settle(self) -> bool:
        self.barrier.wait(10)
        return False


@pytest.mark.parametrize("mode", ["manual", "real"])
def test_advances_of_two_threads_add_up(mode: str) -> None:
    """Two threads that advance 1 s a thousand times each end at 2,000 s, in whatever mode."""
    clock = Clock(mode, start=1_000.0, tick=lambda: 7.0)  # type: ignore[arg-type] # the parametrized literal
    clock.attach(Together())
    together = threading.Barrier(3)

    def work(step: Callable[[], None]) -> None:
        together.wait(10)
        for _ in range(1_000):
            step()

    steps: list[Callable[[], None]] = [
        lambda: clock.advance(1),
        lambda: clock.advance(1),
        lambda: clock.set_mode(clock.mode),
    ]
    threads = [threading.Thread(target=work, args=(step,)) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert clock.now() == 3_000.0


class OneEvent(Events):
    """One event, due at `due`, that does `action`."""

    def __init__(self, clock: Clock, due: float, action: Callable[[], object]) -> None:
        self.clock, self.due, self.action = clock, due, action

    def next_event(self, moment: float) -> Callable[[], object] | None:
        if not self.clock.now() <= self.due <= moment:
            return None
        self.clock.move_to(self.due)
        due, self.due = self.due, -1.0
        return lambda: self.action() if due > 0 else None


def test_an_advance_inside_an_advance_adds_to_it() -> None:
    """What an event on the way adds is on top; the event's advance returns at its own moment."""
    clock = Clock("manual", start=1_000.0)
    seen: list[float] = []

    def nested() -> None:
        clock.advance(5)
        seen.append(clock.now())

    clock.attach(OneEvent(clock, 1_010.0, nested))
    clock.advance(100)

    assert (seen, clock.now()) == ([1_015.0], 1_105.0)


def test_an_advance_goes_on_in_another_mode() -> None:
    """A change of mode in the midst of an advance loses nothing and counts nothing twice."""
    ticks = [0.0]
    clock = Clock("manual", start=1_000.0, tick=lambda: ticks[-1])

    def run_for_3_s() -> None:
        clock.set_mode("real")
        ticks.append(3.0)
        clock.set_mode("manual")

    clock.attach(OneEvent(clock, 1_010.0, run_for_3_s))
    clock.advance(100)

    assert clock.now() == 1_103.0


def test_an_unknown_mode_is_refused() -> None:
    """A misspelt mode is an error at once, not a clock that stands still."""
    mode: Any = "manul"

    with pytest.raises(ValueError, match=r"^clock must be real, auto or manual, not 'manul'$"):
        Clock(mode)


def test_the_real_time_that_is_not_counted() -> None:
    """A clock that stands leaves real time uncounted; one that runs counts it."""
    times = [100.0]
    clock = Clock("manual", start=0.0, tick=lambda: times[0])
    uncounted = [clock.uncounted_s()]
    for mode in ("real", "manual", "auto"):
        times[0] += 5
        uncounted.append(clock.uncounted_s())
        clock.set_mode(mode)
    times[0] += 5
    uncounted.append(clock.uncounted_s())

    assert [later - uncounted[0] for later in uncounted] == [0, 5, 5, 10, 15]
