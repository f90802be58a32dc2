"""Sleeping for free: while `virtual_time(clock)` lasts, a sleep moves the mock's clock instead of
waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from fauxlab_mock.clock.clock import THREAD_PREFIX, Clock

__all__ = ["virtual_time"]

# real seconds of quiet where other threads may be about to sleep: nobody can see how far they are
THREADS_SETTLE_S = 0.02
ROUNDS = 3  # of an event loop, in which tasks that were woken get to their next sleep
# who settles longer than that is also held by a busy processor, for at most so long
WATCH_S, BUSY_S = 0.005, 1.0
# one part in so many of the processor is work: others on the machine may want the rest
BUSY_SHARE = 10
# real seconds for which a busy event loop, or a call that the mock is answering, keeps everybody
# asleep, at most
HELD_S = 5.0
# Top-level packages that wait for real things: the runner, other processes, our own server.
_WAITS = frozenset(
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
    }
)
_SLEEPS_REALLY = _WAITS | {"uvicorn", "fauxlab_mock"}
# Those whose deadlines are real as well (`loop.time`, `Queue.get(timeout=…)`); what they are given
# to call may sleep for free.
_REAL_CLOCK = _SLEEPS_REALLY | {
    "asyncio",
    "threading",
    "queue",
    "concurrent",
    "selectors",
    "socketserver",
}

_sleep, _async_sleep, _monotonic = time.sleep, asyncio.sleep, time.monotonic
_active = threading.Lock()
ENDLESS_S = 2**63 / 1e9  # no real sleep is longer: `time.sleep` refuses it, a task sleeps for ever


@contextlib.contextmanager
def virtual_time(clock: Clock) -> Iterator[Clock]:
    """While the block lasts, `time.sleep` and `asyncio.sleep` move `clock` to the moment at which
    they would have returned.

    `time.time` is the clock's; `time.monotonic` and `time.perf_counter` run on in real time and
    jump with every sleep (all three in their `_ns` forms too). Names that modules have bound by
    `from time import sleep` are replaced as well. Sleeps at the same time do not add up, and wake
    up in the order of their ends. Event loops, locks, queues, other processes, the test runner and
    the mock's own threads keep the real functions. RuntimeError inside another such block: there is
    one time.
    """
    if not _active.acquire(blocking=False):
        raise RuntimeError("virtual_time is active already; a process has one time")
    clock.is_slept_on = True
    sleepers = _Sleepers(clock)
    fakes = _fakes(sleepers)
    _swap(fakes)
    try:
        yield clock
    finally:
        _swap({fake: real for real, fake in fakes.items()})
        sleepers.end()
        _active.release()


def _fakes(sleepers: _Sleepers) -> dict[Callable[..., Any], Callable[..., Any]]:
    """real function -> what stands in for it. A stand-in that somebody kept is the real function
    again once the block is over.
    """
    clock = sleepers.clock
    started, real_start = clock.now(), time.monotonic()

    def jumped() -> float:
        """Seconds by which the clock is ahead of real time since the start."""
        elapsed = time.monotonic() - real_start if clock.mode == "real" else 0.0
        return clock.now() - started - elapsed

    def follows(real: Callable[[], Any], virtual: Callable[[], Any]) -> Callable[[], Any]:
        return lambda: real() if sleepers.ended or _keeps(_REAL_CLOCK, 2) else virtual()

    fakes: dict[Callable[..., Any], Callable[..., Any]] = {
        _sleep: _sleeping(sleepers),
        _async_sleep: _async_sleeping(sleepers),
    }
    fakes[time.time] = follows(time.time, clock.now)
    fakes[time.time_ns] = follows(time.time_ns, lambda: round(clock.now() * 1e9))
    for real, real_ns in (
        (time.monotonic, time.monotonic_ns),
        (time.perf_counter, time.perf_counter_ns),
    ):
        fakes[real] = follows(real, _ahead(real, jumped, 1))
        fakes[real_ns] = follows(real_ns, _ahead(real_ns, jumped, 10**9))
    return fakes


def _ahead(
    real: Callable[[], Any], jumped: Callable[[], float], per_second: int
) -> Callable[[], Any]:
    whole = per_second > 1
    return lambda: real() + (round(jumped() * per_second) if whole else jumped())


def _swap(replacements: Mapping[Callable[..., Any], Callable[..., Any]]) -> None:
    """Replace functions wherever a loaded module has them under a name of its own; those that keep
    the real ones are left alone.
    """
    by_id = {id(old): new for old, new in replacements.items()}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] not in _REAL_CLOCK or name in ("asyncio", "asyncio.tasks"):
            names = getattr(module, "__dict__", {})
            # most modules have none, and are told apart fast
            if not by_id.keys().isdisjoint(map(id, list(names.values()))):
                names.update(
                    {key: by_id[id(value)] for key, value in names.items() if id(value) in by_id}
                )


def _keeps(real: frozenset[str], depth: int) -> bool:
    """Is the caller one that gets the real function?"""
    caller = sys._getframe(depth).f_globals.get("__name__", "")
    return caller.partition(".")[0] in real or threading.current_thread().name.startswith(
        THREAD_PREFIX
    )


def _sleeping(sleepers: _Sleepers) -> Callable[[float], None]:
    def sleep(seconds: float, /) -> None:
        if sleepers.ended or _keeps(_SLEEPS_REALLY, 2) or not 0 < seconds < ENDLESS_S:
            _sleep(seconds)
        elif sleepers.is_alone():
            sleepers.clock.advance(seconds)
        else:
            awake = threading.Event()
            with sleepers.blocked():
                sleepers.add(seconds, awake.set, THREADS_SETTLE_S)
                awake.wait()

    return sleep


def _async_sleeping(sleepers: _Sleepers) -> Callable[..., Any]:
    async def sleep(delay: float, result: Any = None) -> Any:
        if sleepers.ended or _keeps(_SLEEPS_REALLY, 2) or not 0 < delay < ENDLESS_S:
            return await _async_sleep(delay, result)
        loop = asyncio.get_running_loop()
        awake = asyncio.Event()

        def wake() -> None:
            started = sleepers.rounds_of(loop, awake.set)
            try:
                loop.call_soon_threadsafe(started)
            except RuntimeError:  # the loop is closed
                sleepers.end_rounds(loop)

        sleeper = sleepers.add(delay, wake)
        loop.call_soon(sleepers.rounds_of(loop))
        try:
            await awake.wait()
        finally:
            sleepers.remove(sleeper)
        return result

    return sleep


@dataclass(order=True)
class _Sleeper:
    end: float
    number: int
    wake: Callable[[], None] = field(compare=False)
    settle_s: float = field(compare=False)
    since: float = field(compare=False)  # real time
    is_gone: bool = field(compare=False, default=False)


class _Sleepers:
    """Everybody who sleeps at the moment. A thread of ours wakes the earliest when nobody else is
    about to go to sleep: when nothing has changed for the clock's `settle_s` (real seconds). What
    falls due before that happens in threads of its own, one at a time unless it sleeps itself: a
    webhook's receiver may.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.ended = False
        self._heap: list[_Sleeper] = []
        self._numbers = 0
        # event loops that have to go round some more
        self._rounds: Counter[asyncio.AbstractEventLoop] = Counter()
        # those that cannot, for one of their tasks sleeps without await
        self._blocked: list[asyncio.AbstractEventLoop] = []
        self._changed_at = _monotonic()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._events: list[threading.Thread] = []
        # since when the use of the processor is watched, and what it was then
        self._window = 0.0, 0.0

    def add(self, seconds: float, wake: Callable[[], None], settle_s: float = 0.0) -> _Sleeper:
        with self._changed:
            self._numbers += 1
            sleeper = _Sleeper(
                self.clock.moment_after(seconds), self._numbers, wake, settle_s, _monotonic()
            )
            heapq.heappush(self._heap, sleeper)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name=f"{THREAD_PREFIX}time", daemon=True
                )
                self._thread.start()
            self._changed_at = _monotonic()
            self._changed.notify_all()
        return sleeper

    def rounds_of(
        self, loop: asyncio.AbstractEventLoop, first: Callable[[], object] = lambda: None
    ) -> Callable[[], None]:
        """A callback for `loop` that calls `first`; until the loop has gone round some more, tasks
        may be about to go to sleep.
        """
        with self._changed:
            self._rounds[loop] += 1

        def go_round(left: int) -> None:
            if left > 0:
                loop.call_soon(go_round, left - 1)
            else:
                self.end_rounds(loop)

        def start() -> None:
            first()
            go_round(ROUNDS)

        return start

    def remove(self, sleeper: _Sleeper) -> None:
        """A cancelled sleep moves no clock."""
        with self._changed:
            sleeper.is_gone = True

    def end_rounds(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._changed:
            self._rounds[loop] -= 1
            if not self._rounds[loop]:
                del self._rounds[loop]
            self._changed_at = _monotonic()

    @contextlib.contextmanager
    def blocked(self) -> Iterator[None]:
        """The event loop of this thread, if it runs one, stands still."""
        loop = asyncio._get_running_loop()
        if loop is not None:
            self._blocked.append(loop)
        try:
            yield
        finally:
            if loop is not None:
                self._blocked.remove(loop)

    def is_alone(self) -> bool:
        """Does nobody sleep, and is there no other thread that could?"""
        others = threading.enumerate()
        own = sum(
            thread.name.startswith(THREAD_PREFIX) or thread in self.clock.bystanders
            for thread in others
        )
        return not self._heap and len(others) - own == 1

    def end(self) -> None:
        """Wake everybody, for real time goes on."""
        with self._changed:
            self.ended = True
            left, self._heap = self._heap, []
            self._changed.notify_all()
            thread = self._thread
        for sleeper in left:
            sleeper.wake()
        if thread is not None:
            thread.join()
        for event in self._events:
            event.join()

    def _is_going_round(self) -> bool:
        return any(loop not in self._blocked for loop in self._rounds)

    def _is_working(self, settle_s: float) -> bool:
        """Is somebody using the processor, on the way to a sleep perhaps? Asked only where that
        cannot be seen otherwise.
        """
        if settle_s < WATCH_S:
            return False
        now, spent = _monotonic(), time.process_time()
        began, spent_before = self._window
        if now - began < settle_s:
            return now - self._changed_at < BUSY_S
        self._window = now, spent
        return spent - spent_before > (now - began) / BUSY_SHARE and now - self._changed_at < BUSY_S

    def _is_held(self) -> bool:
        """Is a call being answered, or an event happening, whose end may bring new sleepers? One
        that sleeps itself holds nobody.
        """
        since = self.clock.events.busy_since()
        return self.clock.is_held() or (
            since is not None
            and all(sleeper.since < since for sleeper in self._heap if not sleeper.is_gone)
        )

    def _must_wait(self, settle_s: float) -> bool:
        quiet_s = _monotonic() - self._changed_at
        return (
            self._is_working(settle_s)
            or quiet_s < settle_s
            or (quiet_s < HELD_S and (self._is_going_round() or self._is_held()))
        )

    def _work(self) -> None:
        while not self.ended:
            action = self._next_action()
            if action is not None:
                action()

    def _next_action(self) -> Callable[[], object] | None:
        """What is to be done next, if anything can be done already."""
        with self._changed:
            while self._heap and self._heap[0].is_gone:
                heapq.heappop(self._heap)
            if not self._heap:
                self._changed.wait_for(lambda: self._heap or self.ended)
                return None
            first = self._heap[0]
            settle_s = max(self.clock.settle_s, first.settle_s)
            if self._must_wait(settle_s):
                self._changed.wait(settle_s)
                return None
            event = self.clock.events.next_event(first.end)
            self._changed_at = _monotonic()
            if event is not None:
                return partial(self._start, event)
            waking = []
            while self._heap and self._heap[0].end == first.end:
                waking.append(heapq.heappop(self._heap))
            self.clock.move_to(first.end)
        return partial(_wake, [sleeper for sleeper in waking if not sleeper.is_gone])

    def _start(self, event: Callable[[], object]) -> None:
        """Let an event happen in a thread of its own."""

        def happen() -> None:
            event()
            with self._changed:
                self._changed_at = _monotonic()

        thread = threading.Thread(target=happen, name=f"{THREAD_PREFIX}event", daemon=True)
        self._events = [*(one for one in self._events if one.is_alive()), thread]
        thread.start()


def _wake(sleepers: Iterable[_Sleeper]) -> None:
    for sleeper in sleepers:
        sleeper.wake()
