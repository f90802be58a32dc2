"""Sleeping for free: while `virtual_time(clock)` lasts, a sleep moves the mock's clock instead of waiting."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fauxlab_mock.clock import Clock
from fauxlab_mock.local import THREAD_PREFIX

__all__ = ["virtual_time"]

SETTLE_S = 0.001  # real seconds without a change, after which everybody who is going to sleep is taken to be asleep
STALL_S = 0.05  # real seconds after which an earlier sleeper that does not wake up is not waited for any longer
# Top-level packages that wait for real things: the runner, other processes, our own server.
_WAITS = frozenset({"_pytest", "pytest", "pluggy", "xdist", "execnet", "pytest_timeout", "hypothesis", "subprocess", "multiprocessing"})
_SLEEPS_REALLY = _WAITS | {"uvicorn", "fauxlab_mock"}
# Those whose deadlines are real as well (`loop.time`, `Queue.get(timeout=…)`); what they are given to call may sleep for free.
_REAL_CLOCK = _SLEEPS_REALLY | {"asyncio", "threading", "queue", "concurrent", "selectors", "socketserver", "sched"}
_CLOCKS = ("time", "monotonic", "perf_counter")

_sleep, _async_sleep, _monotonic = time.sleep, asyncio.sleep, time.monotonic


@contextlib.contextmanager
def virtual_time(clock: Clock) -> Iterator[Clock]:
    """While the block lasts, `time.sleep` and `asyncio.sleep` move `clock` to the moment at which they would have returned.

    `time.time`, `time.monotonic`, `time.perf_counter` and their `_ns` forms follow the clock. Names that modules have bound by
    `from time import sleep` are replaced too. Sleeps at the same time do not add up, and wake up in the order of their ends. Event
    loops, locks, queues, other processes, the test runner and the mock's own threads keep the real functions.
    """
    fakes = _fakes(clock)
    _swap(fakes)
    try:
        yield clock
    finally:
        _swap({fake: real for real, fake in fakes.items()})


def _fakes(clock: Clock) -> dict[Callable[..., Any], Callable[..., Any]]:
    """real function -> what stands in for it."""
    sleepers = _Sleepers(clock)
    fakes: dict[Callable[..., Any], Callable[..., Any]] = {_sleep: _sleeping(sleepers), _async_sleep: _async_sleeping(sleepers)}
    for name in _CLOCKS:
        real, real_ns = getattr(time, name), getattr(time, f"{name}_ns")
        ahead_s = (clock.now() if name == "time" else real()) - clock.now()
        fakes[real] = _clock(real, clock, ahead_s, lambda seconds: seconds)
        fakes[real_ns] = _clock(real_ns, clock, ahead_s, lambda seconds: round(seconds * 1e9))
    return fakes


def _swap(replacements: Mapping[Callable[..., Any], Callable[..., Any]]) -> None:
    """Replace functions wherever a loaded module has them under a name of its own; those that keep the real ones are left alone."""
    by_id = {id(old): new for old, new in replacements.items()}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] not in _REAL_CLOCK or name in ("asyncio", "asyncio.tasks"):
            names = getattr(module, "__dict__", {})
            if not by_id.keys().isdisjoint(map(id, list(names.values()))):  # most modules have none, and are told apart fast
                names.update({key: by_id[id(value)] for key, value in names.items() if id(value) in by_id})


def _keeps(real: frozenset[str], depth: int) -> bool:
    """Is the caller one that gets the real function?"""
    caller = sys._getframe(depth).f_globals.get("__name__", "")
    return caller.partition(".")[0] in real or threading.current_thread().name.startswith(THREAD_PREFIX)


def _clock(real: Callable[[], Any], clock: Clock, ahead_s: float, unit: Callable[[float], Any]) -> Callable[[], Any]:
    return lambda: real() if _keeps(_REAL_CLOCK, 2) else unit(clock.now() + ahead_s)


def _sleeping(sleepers: _Sleepers) -> Callable[[float], None]:
    def sleep(seconds: float, /) -> None:
        if _keeps(_SLEEPS_REALLY, 2) or not seconds > 0:
            _sleep(seconds)
            return
        with sleepers.asleep(seconds) as sleeper:
            while not (sleepers.is_alone() or sleeper.may_wake()):
                _sleep(SETTLE_S)
            sleeper.wake()

    return sleep


def _async_sleeping(sleepers: _Sleepers) -> Callable[..., Any]:
    async def sleep(delay: float, result: Any = None) -> Any:
        if _keeps(_SLEEPS_REALLY, 2) or not delay > 0:
            return await _async_sleep(delay, result)
        with sleepers.asleep(delay) as sleeper:
            await _async_sleep(SETTLE_S)
            while not sleeper.may_wake():
                await _async_sleep(SETTLE_S)
            if sleepers.clock.is_eventful():
                await asyncio.to_thread(sleeper.wake)  # what falls due may need this very loop
            else:
                sleeper.wake()
        return result

    return sleep


class _Sleepers:
    """Everybody who sleeps at the moment. The one with the earliest end wakes first, and moves the clock there."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.ends: list[float] = []
        self.changed_at = _monotonic()
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def asleep(self, seconds: float) -> Iterator[_Sleeper]:
        """Be one of them; whoever comes out of the block by an exception (a cancelled task) moves no clock."""
        end = self.clock.now() + seconds
        with self._lock:
            self.ends.append(end)
            self.changed_at = _monotonic()
        try:
            yield _Sleeper(self, end)
        finally:
            with self._lock:
                self.ends.remove(end)
                self.changed_at = _monotonic()

    def is_alone(self) -> bool:
        """Is this the only sleeper, in the only thread that could sleep?"""
        own = sum(thread.name.startswith(THREAD_PREFIX) for thread in threading.enumerate())
        return len(self.ends) == 1 and threading.active_count() - own == 1

    def earliest(self) -> float:
        with self._lock:
            return min(self.ends)


class _Sleeper:
    def __init__(self, all_of_them: _Sleepers, end: float) -> None:
        self._all, self._end = all_of_them, end

    def wake(self) -> None:
        self._all.clock.advance_to(self._end)

    def may_wake(self) -> bool:
        quiet_s = _monotonic() - self._all.changed_at
        if self._all.clock.now() >= self._end or quiet_s >= STALL_S:
            return True
        return quiet_s >= SETTLE_S and self._all.earliest() >= self._end
