"""What a program reads off its clocks: they stand still between two waits."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fauxlab_mock.clock import virtual
from fauxlab_mock.clock.clock import Clock
from fauxlab_mock.clock.readings import SPINS, Readings
from fauxlab_mock.clock.virtual import virtual_time

pytestmark = pytest.mark.alone

REAL = {"sleep": time.sleep}  # not a name of this module, which would be replaced
START_S = 1_767_225_600.3  # 2026, a moment that no float is equal to


class Stopwatch:
    """A real clock that a test moves; each reading takes `read_s`."""

    def __init__(self, read_s: float = 0.0) -> None:
        self.now, self.read_s = 54_321.123_456_7, read_s

    def __call__(self) -> float:
        self.now += self.read_s
        return self.now


def seconds() -> st.SearchStrategy[float]:
    """Multiples of 1/64 s, so that sums are exact."""
    return st.integers(1, 64 * 3_600).map(lambda parts: parts / 64)


@given(
    st.lists(st.tuples(st.sampled_from(["work", "sleep", "pause", "wait"]), seconds()), max_size=9)
)
def test_readings_are_the_sum_of_all_waits(steps: list[tuple[str, float]]) -> None:
    """However long a program works between its waits, each of its clocks shows the waits alone."""
    stopwatch = Stopwatch()

    async def go(work: Callable[[float], None]) -> None:
        loop = asyncio.get_running_loop()
        clocks = (time.monotonic, time.perf_counter, loop.time, time.time)
        began = [now() for now in clocks]
        total = 0.0
        for what, length in steps:
            if what == "work":
                work(length)
            elif what == "sleep":
                await asyncio.to_thread(time.sleep, length)
            elif what == "pause":
                await asyncio.sleep(length)
            else:
                await asyncio.to_thread(threading.Event().wait, length)
            total += length * (what != "work")
            *read, wall = (now() - then for now, then in zip(clocks, began, strict=True))
            assert read == [total] * 3
            assert wall == pytest.approx(total, abs=1e-6)  # time-machine rounds

    def work(length: float) -> None:
        stopwatch.now += min(length, 1.0)  # ten seconds of it and as many readings are a spin

    clock = Clock("manual", start=START_S)
    with (
        patch.object(virtual, "Readings", lambda clock: Readings(clock, stopwatch)),
        virtual_time(clock),
    ):
        asyncio.run(go(work))


@pytest.mark.parametrize("eta", [7.0, 0.1, 3.3])
def test_a_deadline_loses_nothing_before_it_is_waited_for(eta: float) -> None:
    """One who waits until a moment that was set a while before waits once, for all of it."""
    clock = Clock("manual", start=START_S)
    waits: list[float] = []

    async def wait_until() -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + eta
        REAL["sleep"](0.02)  # as if something was prepared
        while (left := until - loop.time()) > 0:
            waits.append(left)
            await asyncio.sleep(left)

    def block_until() -> None:
        until = time.monotonic() + eta
        REAL["sleep"](0.02)
        while (left := until - time.monotonic()) > 0:
            waits.append(left)
            time.sleep(left)

    with virtual_time(clock):
        asyncio.run(wait_until())
        block_until()

    assert waits == [pytest.approx(eta)] * 2
    assert START_S + 2 * eta <= clock.now() <= START_S + 2 * eta + 2e-6


def test_timers_go_off_at_their_moment() -> None:
    """A timer for a moment, and a timeout, end then, whatever happened before they were armed."""
    clock = Clock("manual", start=1_000.0)
    ends: list[float] = []

    async def both() -> None:
        loop = asyncio.get_running_loop()
        moment, rung = loop.time() + 7, asyncio.Event()
        REAL["sleep"](0.02)
        loop.call_at(moment, rung.set)
        await rung.wait()
        ends.append(clock.now())
        with pytest.raises(TimeoutError):  # noqa: PT012
            async with asyncio.timeout_at(moment + 60):
                REAL["sleep"](0.02)
                await asyncio.Event().wait()
        ends.append(clock.now())

    with virtual_time(clock):
        asyncio.run(both())

    assert ends == [1_007.0, 1_067.0]


@pytest.mark.parametrize("readings, real_s", SPINS)
def test_who_spins_sees_real_time(readings: int, real_s: float) -> None:
    """A loop that only reads the clock comes to its end, so long after its deadline as it takes to
    be sure that it spins.
    """
    stopwatch = Stopwatch(read_s=2 * real_s / readings)
    clock = Readings(Clock("manual", start=START_S), stopwatch)
    began, until = stopwatch.now, clock.monotonic() + 60
    while clock.monotonic() < until:
        pass

    assert stopwatch.now - began == pytest.approx(2 * real_s + 60, rel=0.1)


def test_few_readings_and_short_work_are_no_spin() -> None:
    """A program that reads the clock often in a moment, or seldom in a while, sees it stand."""
    often, seldom = Stopwatch(read_s=1e-6), Stopwatch(read_s=1.0)

    assert {Readings(Clock("manual"), often).passed_s() for _ in range(9_999)} == {0.0}
    readings = Readings(Clock("manual"), seldom)
    assert {readings.passed_s() for _ in range(9)} == {0.0}


def test_what_was_spun_is_kept() -> None:
    """After a wait, the readings go on from where a spin had brought them, and stand again."""
    stopwatch, clock = Stopwatch(read_s=0.001), Clock("manual", start=1_000.0)
    readings = Readings(clock, stopwatch)
    while (spun := readings.passed_s()) < 5:
        pass
    clock.advance(3_600)
    after = [readings.passed_s() for _ in range(100)]

    assert after == [pytest.approx(spun + 3_600, abs=0.01)] * 100
    assert len(set(after)) == 1


def test_readings_never_go_back() -> None:
    """Whatever threads read while another moves the clock, each reads what never goes back."""
    clock = Clock("manual")
    readings = Readings(clock, Stopwatch(read_s=0.001))

    def read(number: int) -> list[float]:
        found = []
        for _ in range(2_000):
            found.append(readings.passed_s())
            if number == 0:
                clock.advance(0.125)
        return found

    with ThreadPoolExecutor(4) as pool:
        series = list(pool.map(read, range(4)))

    assert all(earlier <= later for found in series for earlier, later in pairwise(found))


def test_the_running_clock_is_read_as_it_runs() -> None:
    """On the clock that runs, readings run along, and a sleep adds to them."""
    tick = Stopwatch()
    clock = Clock("real", start=1_000.0, tick=tick)
    readings = Readings(clock, tick)
    tick.now += 5
    clock.advance(60)

    assert readings.passed_s() == pytest.approx(65)


def test_a_busy_wait_ends() -> None:
    """A loop that looks at the clock until a moment comes to its end, asleep or not; so much of the
    mock's time has passed then.
    """
    clock = Clock("manual", start=1_000.0)

    async def look() -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + 0.05
        while loop.time() < end:
            await asyncio.sleep(0)

    with virtual_time(clock):
        began = time.perf_counter()
        while time.perf_counter() < began + 0.05:
            pass
        asyncio.run(look())
        took_s = time.perf_counter() - began
        passed_s = clock.now() - 1_000.0

    assert passed_s == pytest.approx(took_s, abs=1e-6)
    assert took_s >= 0.1
