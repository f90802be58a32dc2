"""The three clocks."""

from __future__ import annotations

import pytest

from fauxlab_mock.clock import Clock


def test_the_real_clock_runs_and_can_be_pushed() -> None:
    """The real clock follows its tick, and advance adds to it."""
    ticks = iter([100.0, 100.0, 103.5, 103.5, 103.5])
    clock = Clock("real", start=1000.0, tick=lambda: next(ticks))

    before, later = clock.now(), clock.now()
    clock.advance(10)

    assert (before, later, clock.now()) == (1000.0, 1003.5, 1013.5)


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
