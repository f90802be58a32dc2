"""Waiting for free: what moves the clock, and what goes on in real time."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
import types
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import TimeoutError as PoolTimeoutError
from multiprocessing.pool import ThreadPool
from typing import Any

import aiohttp
import pytest

from driving import VALID
from fauxlab_mock.clock.clock import THREAD_PREFIX, Clock
from fauxlab_mock.clock.virtual import virtual_time
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.server.serving import serve

pytestmark = pytest.mark.alone


REAL = {
    name: getattr(time, name)
    for name in (
        "sleep",
        "time",
        "monotonic",
        "perf_counter",
        "time_ns",
        "monotonic_ns",
        "perf_counter_ns",
    )
}
ASYNC_SLEEP = asyncio.sleep
HOUR = 3_600.0
# A module of somebody else's that bound the names long ago.
other: Any = types.ModuleType("somebody_elses")
exec("from time import sleep, time, monotonic\nfrom asyncio import sleep as pause", other.__dict__)  # noqa: S102


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setitem(sys.modules, "somebody_elses", other)
    return Clock("manual", start=1_000.0)


def test_a_sleep_moves_the_clock(clock: Clock) -> None:
    """An hour passes on every clock inside the block, and none outside."""
    monotonic = time.monotonic()
    with virtual_time(clock):
        time.sleep(HOUR)
        assert (clock.now(), time.time(), time.time_ns()) == (4_600.0, 4_600.0, 4_600_000_000_000)
        assert [
            round(read() - monotonic)
            for read in (time.monotonic, lambda: time.monotonic_ns() / 1e9)
        ] == [3_600, 3_600]
        assert time.perf_counter() - REAL["perf_counter"]() > HOUR - 60

    assert {name: getattr(time, name) for name in REAL} == REAL
    assert (asyncio.sleep, asyncio.tasks.sleep) == (ASYNC_SLEEP, ASYNC_SLEEP)


def test_names_bound_before_are_free_too(clock: Clock) -> None:
    """A module that said `from time import sleep` long ago sleeps for free inside the block."""
    with virtual_time(clock):
        other.sleep(HOUR)
        asyncio.run(other.pause(HOUR))
        assert (other.time(), clock.now()) == (8_200.0, 8_200.0)

    assert (other.sleep, other.time, other.pause) == (REAL["sleep"], REAL["time"], ASYNC_SLEEP)


def test_names_bound_meanwhile_are_real_afterwards(clock: Clock) -> None:
    """A module that is loaded inside the block does not keep the stand-ins."""
    with virtual_time(clock):
        exec("from time import sleep, monotonic_ns", other.__dict__)  # noqa: S102

    assert (other.sleep, other.monotonic_ns) == (REAL["sleep"], REAL["monotonic_ns"])


def test_parallel_sleeps_of_tasks_do_not_add_up(clock: Clock) -> None:
    """Tasks that sleep at the same time wake in the order of their ends, each at its own moment."""
    woken: list[tuple[str, float]] = []

    async def nap(name: str, *seconds: float) -> None:
        for part in seconds:
            await asyncio.sleep(part)
            woken.append((name, clock.now()))

    async def all_of_them() -> None:
        await asyncio.gather(
            nap("long", 50), nap("twice", 20, 20), nap("short", 10), nap("same", 10)
        )

    with virtual_time(clock):
        asyncio.run(all_of_them())

    assert woken == [
        ("short", 1_010.0),
        ("same", 1_010.0),
        ("twice", 1_020.0),
        ("twice", 1_040.0),
        ("long", 1_050.0),
    ]


def test_parallel_sleeps_of_threads_do_not_add_up(clock: Clock) -> None:
    """Four threads that sleep an hour each, side by side, let one hour pass."""
    together = threading.Barrier(4)

    def nap(_: int) -> None:
        together.wait(10)
        time.sleep(HOUR)

    with virtual_time(clock), ThreadPoolExecutor(4) as pool:
        list(pool.map(nap, range(4)))

    assert clock.now() == 4_600.0


def test_a_sleep_handed_to_a_thread_is_free(clock: Clock) -> None:
    """`asyncio.to_thread(time.sleep, …)` is free, though the standard library makes the call."""
    with virtual_time(clock):
        asyncio.run(asyncio.to_thread(time.sleep, HOUR))

    assert clock.now() == 4_600.0


def test_a_cancelled_sleep_moves_nothing(clock: Clock) -> None:
    """A task that is cancelled in its sleep leaves the clock alone, and nobody waits for it."""

    before: list[float] = []

    async def change_of_mind() -> None:
        task = asyncio.create_task(asyncio.sleep(HOUR))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        REAL["sleep"](0.03)  # time enough to wake a sleeper who is not gone
        await asyncio.sleep(0)
        before.append(clock.now())
        await asyncio.sleep(5)

    with virtual_time(clock):
        asyncio.run(change_of_mind())

    assert (before, clock.now()) == ([1_000.0], 1_005.0)


def test_sleep_keeps_its_manners(clock: Clock) -> None:
    """Zero moves no clock, nonsense raises what it always raises, a result is handed through."""
    with virtual_time(clock):
        time.sleep(0)
        asyncio.run(asyncio.sleep(0))
        with pytest.raises(ValueError, match="non-negative"):
            time.sleep(-1)
        with pytest.raises(TypeError):
            time.sleep("1")  # type: ignore[arg-type] # that is the point
        assert (asyncio.run(asyncio.sleep(1, "result")), clock.now()) == ("result", 1_001.0)


def test_a_blocking_sleep_beside_a_sleeping_task_ends(clock: Clock) -> None:
    """A task that blocks its loop does not wait for a sleeper that cannot wake meanwhile."""

    async def careless() -> None:
        early = asyncio.create_task(asyncio.sleep(1))
        await asyncio.sleep(0)
        time.sleep(HOUR)  # that is the point
        await early

    with virtual_time(clock):
        asyncio.run(careless())

    assert clock.now() in (4_600.0, 4_601.0)  # the task may or may not have woken before


def test_real_waiting_stays_real(clock: Clock) -> None:
    """Locks, other processes and the mock's own threads wait in real time."""
    waited: list[bool] = []

    def own() -> None:
        time.sleep(0.000_001)
        waited.append(threading.Event().wait(0.001))

    with virtual_time(clock):
        thread = threading.Thread(target=own, name=f"{THREAD_PREFIX}test")
        thread.start()
        thread.join(10)
        lock = threading.Lock()
        waited.extend((lock.acquire(timeout=1), lock.acquire(timeout=0.001)))
        subprocess.run([sys.executable, "-c", ""], check=True, timeout=60)

    assert (waited, clock.now()) == ([False, True, False], 1_000.0)


def test_a_thousand_tasks_wake_in_order(clock: Clock) -> None:
    """Many sleepers with ends of their own wake one after the other, each at its moment."""
    woken: list[float] = []

    async def nap(seconds: int) -> None:
        await asyncio.sleep(seconds)
        woken.append(clock.now() - 1_000)

    async def all_of_them() -> None:
        await asyncio.gather(*(nap(number * 7 % 1_000 + 1) for number in range(1_000)))

    with virtual_time(clock):
        asyncio.run(all_of_them())

    assert woken == [float(second) for second in range(1, 1_001)]


def test_time_stands_still_while_the_mock_answers() -> None:
    """A watchdog that sleeps five minutes does not beat a call that a real server is answering."""

    async def race(url: str) -> str:
        async with aiohttp.ClientSession() as session:

            async def call() -> str:
                async with session.post(url, json=VALID, headers={"Prefer": "delay=0.05"}) as reply:
                    return str((await reply.json())["status"])

            tasks = [
                asyncio.create_task(call()),
                asyncio.create_task(asyncio.sleep(300, "the watchdog")),
            ]
            done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in rest:
                task.cancel()
            return done.pop().result()

    with serve() as mock, virtual_time(mock.clock):
        assert [asyncio.run(race(f"{mock.url}/image_editing/flux_headshot")) for _ in range(5)] == [
            "processing"
        ] * 5


def test_the_result_of_a_pool_of_threads_is_waited_for_in_virtual_time(clock: Clock) -> None:
    """`ThreadPool.apply_async(…).get(timeout=…)` ends with what comes first."""

    def nap(seconds: float) -> None:
        time.sleep(seconds)

    with virtual_time(clock), ThreadPool(2) as pool:
        began = clock.now()
        with pytest.raises(PoolTimeoutError):
            pool.apply_async(nap, (60,)).get(timeout=10)
        assert clock.now() - began == 10
        pool.apply_async(nap, (5,)).get(timeout=10)
        assert clock.now() - began == 15


def test_an_endless_sleep_does_not_poison_the_clock(clock: Clock) -> None:
    """A task that sleeps for ever sleeps for ever; the clock stays where it is."""

    async def wait_a_little() -> None:
        forever = asyncio.create_task(asyncio.sleep(float("inf")))
        await asyncio.sleep(1)
        forever.cancel()

    with virtual_time(clock):
        asyncio.run(wait_a_little())

    assert clock.now() == 1_001.0


def test_a_sleep_past_all_calendars_is_refused(clock: Clock) -> None:
    """A sleep past the year 9999 raises ValueError; one past all real sleeps OverflowError."""
    clock.advance(250_000_000_000)
    long = 130 * 366 * 24 * HOUR

    with virtual_time(clock):
        with pytest.raises(ValueError, match="the year 9999"):
            time.sleep(long)
        with pytest.raises(ValueError, match="the year 9999"):
            asyncio.run(asyncio.wait_for(asyncio.sleep(long), 10))
        with pytest.raises(OverflowError):
            time.sleep(1e13)


def test_a_deadline_of_real_waiting_is_reached(clock: Clock) -> None:
    """A loop around real waits until a moment of the monotonic clock comes to its end."""
    lock = threading.Lock()
    lock.acquire()
    with virtual_time(clock):
        end = time.monotonic() + 0.02
        while time.monotonic() < end:
            lock.acquire(timeout=0.000_2)

    assert clock.now() >= 1_000.02


def pausing(seconds: float, sleep: Callable[[float], None] = time.sleep) -> None:
    """Wait by a function that may be given."""
    sleep(seconds)


def test_a_default_argument_is_virtual_and_real_again(clock: Clock) -> None:
    """A function that was bound as a default when its module was loaded is replaced as well."""
    before = pausing.__defaults__
    with virtual_time(clock):
        pausing(HOUR)

    assert (clock.now(), pausing.__defaults__) == (1_000.0 + HOUR, before)


def test_kept_stand_ins_are_real_afterwards(clock: Clock) -> None:
    """A stand-in that was kept in a variable is the real function once the block is over."""
    with virtual_time(clock):
        kept_time, kept_sleep = time.time, time.sleep
    kept_sleep(0.000_001)

    assert (abs(kept_time() - REAL["time"]()) < 60, clock.now()) == (True, 1_000.0)


def test_there_is_one_time(clock: Clock) -> None:
    """A second block inside the first is refused, and the first goes on."""
    with virtual_time(clock):
        with pytest.raises(RuntimeError, match="active already"), virtual_time(Clock("manual")):
            pass
        time.sleep(5)

    assert clock.now() == 1_005.0


def test_it_works_on_the_running_clock_too() -> None:
    """On the real clock a sleep adds to the time that passes anyway."""
    clock = Clock("real", start=0.0, tick=lambda: 7.0)
    with virtual_time(clock):
        time.sleep(HOUR)

    assert clock.now() == HOUR


def test_virtual_time_needs_a_clock() -> None:
    """A mock in place of its clock is refused, and no time is left virtual."""
    mock: Any = Mock()

    with pytest.raises(TypeError, match=r"needs a Clock, such as mock\.clock, not a Mock"):
        virtual_time(mock).__enter__()
    with virtual_time(mock.clock) as clock:
        assert clock is mock.clock
