"""Sleeping for free: inside `virtual_time(clock)` a sleep moves the clock instead of waiting.

What is replaced: `time.sleep`, `asyncio.sleep`, and the readings `time.time`, `time.monotonic` and
`time.perf_counter` with their `_ns` forms; in those modules, and under every name to which another
loaded module has bound them (`from time import sleep`). There is no narrower seam: a program under
test may wait and look at the clock anywhere. The same search puts the real functions back. Whoever
kept a stand-in elsewhere (a default argument, a list) has the real function in it after the block.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from fauxlab_mock.clock.clock import THREAD_PREFIX, Clock
from fauxlab_mock.clock.sleepers import Sleepers

__all__ = ["virtual_time"]

# Top-level packages whose calls get the real functions, beside the threads that a mock starts.
# Those that wait for real things: the test runner, other processes, our own server.
SLEEP_FOR_REAL = frozenset(
    {
        "_pytest",
        "pytest",
        "pluggy",
        "xdist",
        "execnet",
        "pytest_timeout",
        "hypothesis",
        "subprocess",
        "multiprocessing",
        "uvicorn",
        "fauxlab_mock",
    }
)
# Those whose deadlines are real as well (`loop.time`, `Queue.get(timeout=…)`). They may sleep for
# free: `asyncio.to_thread(time.sleep, 60)` sleeps for whoever has asked for it.
READ_REAL_TIME = SLEEP_FOR_REAL | {
    "asyncio",
    "threading",
    "queue",
    "concurrent",
    "selectors",
    "socketserver",
}
# Seconds. No real sleep is longer: `time.sleep` refuses it, a task sleeps for ever.
ENDLESS_S = 2**63 / 1e9

Function = Callable[..., Any]

_sleep, _async_sleep = time.sleep, asyncio.sleep
_active = threading.Lock()


@contextlib.contextmanager
def virtual_time(clock: Clock, *, bystanders: Collection[threading.Thread] = ()) -> Iterator[Clock]:
    """While the block lasts, a sleep moves `clock` to the moment at which it would have ended.

    `time.time` is the clock's; `time.monotonic` and `time.perf_counter` run on in real time and
    jump with every sleep. Sleeps at the same time do not add up, and wake in the order of their
    ends. Event loops, locks, queues, other processes, the test runner and the mock's own threads
    keep the real functions. Threads in `bystanders` only wait for what happens here, so nobody
    waits for them to go to sleep. Raise RuntimeError inside another such block: there is one time.
    """
    if not isinstance(clock, Clock):
        kind = type(clock).__name__
        raise TypeError(f"virtual_time needs a Clock, such as mock.clock, not a {kind}")
    if not _active.acquire(blocking=False):
        raise RuntimeError("virtual_time is active already; a process has one time")
    clock.mark_slept_on()
    sleepers = Sleepers(clock, bystanders)
    stand_ins = _stand_ins(sleepers)
    _swap(stand_ins)
    try:
        yield clock
    finally:
        _swap({stand_in: real for real, stand_in in stand_ins.items()})
        sleepers.end()
        _active.release()


def _stand_ins(sleepers: Sleepers) -> dict[Function, Function]:
    """Return real function -> what stands in for it, and is the real one again after the block."""
    clock = sleepers.clock
    began, really_began = clock.now(), time.monotonic()

    def jumped_s() -> float:
        """Return the seconds that the clock is ahead of real time since the block began."""
        elapsed_s = time.monotonic() - really_began if clock.mode == "real" else 0.0
        return clock.now() - began - elapsed_s

    readings: dict[Function, Function] = {
        time.time: clock.now,
        time.time_ns: lambda: round(clock.now() * 1e9),
        time.monotonic: _ahead(time.monotonic, jumped_s),
        time.monotonic_ns: _ahead_ns(time.monotonic_ns, jumped_s),
        time.perf_counter: _ahead(time.perf_counter, jumped_s),
        time.perf_counter_ns: _ahead_ns(time.perf_counter_ns, jumped_s),
    }
    return {
        _sleep: _virtual_sleep(sleepers),
        _async_sleep: _virtual_async_sleep(sleepers),
        **{real: _virtual_reading(sleepers, real, read) for real, read in readings.items()},
    }


def _ahead(real: Callable[[], float], jumped_s: Callable[[], float]) -> Callable[[], float]:
    return lambda: real() + jumped_s()


def _ahead_ns(real: Callable[[], int], jumped_s: Callable[[], float]) -> Callable[[], int]:
    return lambda: real() + round(jumped_s() * 1e9)


def _virtual_reading(sleepers: Sleepers, real: Function, virtual: Function) -> Function:
    def read() -> Any:
        return real() if sleepers.is_over or _calls_from(READ_REAL_TIME) else virtual()

    return read


def _virtual_sleep(sleepers: Sleepers) -> Function:
    def sleep(seconds: float, /) -> None:
        if sleepers.is_over or _calls_from(SLEEP_FOR_REAL):
            _sleep(seconds)
        elif 0 < seconds < ENDLESS_S:
            sleepers.sleep(seconds)
        else:
            sleepers.clock.moment_after(0.0)  # raises on a clock that has come to its end
            _sleep(seconds)

    return sleep


def _virtual_async_sleep(sleepers: Sleepers) -> Function:
    async def sleep(delay: float, result: Any = None) -> Any:
        if sleepers.is_over or _calls_from(SLEEP_FOR_REAL):
            return await _async_sleep(delay, result)
        if 0 < delay < ENDLESS_S:
            await sleepers.sleep_in_task(delay)
            return result
        sleepers.clock.moment_after(0.0)  # raises on a clock that has come to its end
        return await _async_sleep(delay, result)

    return sleep


def _calls_from(packages: frozenset[str]) -> bool:
    """True when the stand-in was called by one of `packages`, or in a thread of the mock's own."""
    caller = sys._getframe(2).f_globals.get("__name__", "")
    is_ours = threading.current_thread().name.startswith(THREAD_PREFIX)
    return is_ours or caller.partition(".")[0] in packages


def _swap(replacements: Mapping[Function, Function]) -> None:
    """Replace functions under all their names in the loaded modules that may sleep for free."""
    by_id = {id(old): new for old, new in replacements.items()}
    for module_name, module in list(sys.modules.items()):
        is_real = module_name.partition(".")[0] in READ_REAL_TIME
        if is_real and module_name not in ("asyncio", "asyncio.tasks"):  # homes of `sleep`
            continue
        names = getattr(module, "__dict__", {})
        values = list(names.items())
        if by_id.keys().isdisjoint(id(value) for _, value in values):  # nearly always, and fast
            continue
        for name, value in values:
            if id(value) in by_id:
                names[name] = by_id[id(value)]
