"""trio in virtual time: its sleeps, deadlines and clock, also under anyio and as a guest."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

import anyio
import httpx
import pytest
import trio
import trio.testing

from driving import VALID
from fauxlab_mock.clock.clock import LAST_S, Clock
from fauxlab_mock.clock.virtual import virtual_time
from fauxlab_mock.server.serving import serve

pytestmark = pytest.mark.alone

HOUR = 3_600.0
START_S = 1_767_225_600.3  # 2026, a moment that no float is equal to
REAL = {"perf_counter": time.perf_counter}  # virtual time replaces names of modules, not this


@pytest.fixture
def clock() -> Clock:
    return Clock("manual", start=START_S)


def seconds_of(clock: Clock, main: Callable[[], Awaitable[Any]]) -> float:
    """Run a coroutine by trio in virtual time; return the seconds that passed on the clock."""
    with virtual_time(clock):
        trio.run(main)
    return round(clock.now() - START_S, 3)


def test_sleeps_of_tasks_do_not_add_up(clock: Clock) -> None:
    """Sleeps at the same time end in the order of their ends, each clock showing their moments."""
    woken: list[tuple[float, float]] = []

    async def main() -> None:
        began, began_at = trio.current_time(), time.monotonic()

        async def nap(seconds: float) -> None:
            await trio.sleep(seconds)
            woken.append((trio.current_time() - began, time.monotonic() - began_at))

        async with trio.open_nursery() as nursery:
            for seconds in (30.0, 0.1, HOUR, 5.0, 0.4):
                nursery.start_soon(nap, seconds)

    passed_s = seconds_of(clock, main)

    assert passed_s == HOUR
    assert [(round(a, 3), round(b, 3)) for a, b in woken] == [
        (0.1, 0.1), (0.4, 0.4), (5.0, 5.0), (30.0, 30.0), (HOUR, HOUR)
    ]  # fmt: skip


def test_deadlines_come_at_their_moments(clock: Clock) -> None:
    """move_on_after and fail_after end what never comes, and longer sleeps, in virtual time."""
    met: list[float] = []

    async def main() -> None:
        began = trio.current_time()
        for wait in (trio.sleep_forever, trio.Event().wait, lambda: trio.sleep(20)):
            with trio.move_on_after(10) as scope:
                await wait()
            with pytest.raises(trio.TooSlowError), trio.fail_after(10):
                await wait()
            met.append(round(trio.current_time() - began, 3) + scope.cancelled_caught)

    assert (seconds_of(clock, main), met) == (60.0, [21.0, 41.0, 61.0])


def test_a_deadline_that_was_not_needed_moves_nothing(clock: Clock) -> None:
    """A deadline that is met, moved or cancelled leaves the clock where its work was done."""

    async def main() -> None:
        with trio.fail_after(HOUR):
            await trio.sleep(1)
        with trio.move_on_after(2) as scope:
            scope.deadline += 10
            await trio.sleep(5)
        with trio.CancelScope(deadline=trio.current_time() + HOUR) as cancelled:
            cancelled.cancel()
            await trio.sleep(HOUR)
        await trio.to_thread.run_sync(time.sleep, 3)

    assert seconds_of(clock, main) == 9.0


def test_anyio_on_trio_waits_for_free(clock: Clock) -> None:
    """anyio's sleeps and deadlines are trio's."""

    async def main() -> None:
        with anyio.move_on_after(30):
            await anyio.sleep(HOUR)
        with pytest.raises(TimeoutError), anyio.fail_after(30):
            await anyio.Event().wait()

    with virtual_time(clock):
        anyio.run(main, backend="trio")

    assert round(clock.now() - START_S, 3) == 60.0


def test_a_guest_waits_for_free(clock: Clock) -> None:
    """As a guest of asyncio trio waits for free, beside the tasks of its host."""
    ended: list[str] = []

    async def guest() -> None:
        await trio.sleep(HOUR)
        ended.append("guest")

    async def main() -> None:
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        trio.lowlevel.start_guest_run(
            guest,
            run_sync_soon_threadsafe=loop.call_soon_threadsafe,
            done_callback=lambda _: done.set(),
        )
        await asyncio.sleep(60)
        ended.append("host")
        await done.wait()

    with virtual_time(clock):
        asyncio.run(main())

    assert (ended, round(clock.now() - START_S, 3)) == (["host", "guest"], HOUR)


def test_a_blocking_sleep_in_a_task_lets_time_pass(clock: Clock) -> None:
    """A time.sleep in a task stops the run, not the clock; deadlines it passes are due after it."""

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep, 2)
            await trio.sleep(1)
            time.sleep(10)

    assert seconds_of(clock, main) == 11.0


def test_time_stands_still_while_the_mock_answers() -> None:
    """A deadline of five minutes does not beat a call that a real server is answering."""

    async def main(url: str) -> list[str]:
        statuses = []
        async with httpx.AsyncClient() as client:
            for _ in range(5):
                with trio.fail_after(300):
                    reply = await client.post(url, json=VALID, headers={"Prefer": "delay=0.05"})
                statuses.append(reply.json()["status"])
        return statuses

    with serve() as mock, virtual_time(mock.clock):
        url = f"{mock.url}/image_editing/flux_headshot"
        statuses = trio.run(main, url)

    assert statuses == ["processing"] * 5


def test_a_run_that_never_rests_reaches_its_deadline(clock: Clock) -> None:
    """A task that only gives way, again and again, is ended at its deadline."""
    began = REAL["perf_counter"]()

    async def main() -> None:
        with trio.move_on_after(HOUR):
            for _ in count():
                await trio.sleep(0)

    passed_s = seconds_of(clock, main)

    assert (passed_s, REAL["perf_counter"]() - began < 60) == (HOUR, True)


def test_a_run_that_outlives_the_block_goes_on_in_real_time(clock: Clock) -> None:
    """Trio's time never goes back: at the end of the block it goes on from where it is."""
    readings: list[float] = []

    async def main() -> None:
        began = trio.current_time()
        with virtual_time(clock):
            await trio.sleep(HOUR)
            readings.append(trio.current_time() - began)
        readings.append(trio.current_time() - began)
        await trio.sleep(0.001)
        readings.append(trio.current_time() - began)

    trio.run(main)

    assert (sorted(readings), [int(reading // 60) for reading in readings]) == (readings, [60] * 3)


def test_a_wait_past_all_calendars_never_ends() -> None:
    """A sleep past the year 9999 is one for ever, as for all practical purposes in real time."""
    clock = Clock("manual", start=LAST_S - 100)

    async def main() -> None:
        with trio.move_on_after(5):
            await trio.sleep(1_000)

    with virtual_time(clock):
        trio.run(main)

    assert clock.now() == LAST_S - 95


def test_a_clock_of_its_own_is_told(clock: Clock) -> None:
    """A run that is given another clock keeps it, and the clock's warning says so."""
    with virtual_time(clock):
        trio.run(trio.sleep, 5, clock=trio.testing.MockClock(autojump_threshold=0))

    assert (clock.now(), clock.warning()) == (
        START_S,
        "trio with a clock of its own, MockClock: its waits did not move the mock's clock",
    )
