"""Who sleeps in virtual time, and who is woken when.

One thread, the keeper, moves the clock to the end of the earliest sleep, and does so only when
nobody can still be on the way to an earlier one. It looks, acts and looks again; what it sees is
one of five states, the first that fits:

    state     while                                           what the keeper does
    --------  ----------------------------------------------  --------------------------------------
    idle      nobody sleeps                                   waits until somebody does
    settling  the last change is younger than the settling    waits for that time
              time of the earliest sleeper
    held      the last change is younger than HELD_S, and an  waits for the settling time
              event loop goes round, a call is answered or
              an event happens
    busy      the last change is younger than BUSY_S, and a   waits for the settling time
              thread is at work that may be about to sleep
    due       nothing of all that                             lets the next event happen, or moves
                                                              the clock and wakes the earliest

A change is a sleeper that comes or is woken, an event that begins or ends, a loop that has gone
round; each leads back to settling. An event (a webhook) happens in a thread of its own, for its
receiver may sleep as well. Lock order: the lock here is taken before the locks of the clock and
its events, never after them.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from time import monotonic
from typing import Literal

from fauxlab_mock.clock.clock import THREAD_PREFIX, Clock
from fauxlab_mock.clock.work import WorkWatch

__all__ = ["Sleepers"]

# Real seconds for which a sleeping thread lets others go to sleep as well. How far another thread
# is on its way there cannot be seen; twenty milliseconds are a few turns of every thread.
THREADS_SETTLE_S = 0.02
# With at least so many real seconds to settle, threads are about, and watched. Tasks alone settle
# faster: their loops say when they are through.
WATCH_S = 0.005
# Real seconds after which threads at work hold nobody: one may compute for hours.
BUSY_S = 1.0
# Turns of an event loop until a task that was woken has got to its next sleep: its wake-up, its
# gather's or task group's, and a turn to spare.
ROUNDS = 3
# Real seconds after which nothing holds the clock any more: a loop that does not turn, or a call
# that hangs, must not stop time for everybody.
HELD_S = 5.0

State = Literal["idle", "settling", "held", "due"]  # whether it is busy is seen last


@dataclass(order=True)
class _Sleeper:
    """One sleep: until `end` on the clock, since `since` in real time; ordered by its end."""

    end: float
    number: int
    wake: Callable[[], None] = field(compare=False)
    settle_s: float = field(compare=False)
    since: float = field(compare=False)
    is_gone: bool = field(compare=False, default=False)


class Sleepers:
    """The sleepers of one block of virtual time, and the keeper that wakes them.

    Safe to use from several threads and event loops. Once `end` was called, nobody sleeps here.
    """

    def __init__(self, clock: Clock, bystanders: Collection[threading.Thread] = ()) -> None:
        self.clock = clock
        self._bystanders = frozenset(bystanders)
        self.is_over = False
        self._heap: list[_Sleeper] = []
        self._numbers = count(1)
        # event loops that have rounds to go, and those whose thread sleeps so that they cannot
        self._rounds: Counter[asyncio.AbstractEventLoop] = Counter()
        self._blocked: Counter[asyncio.AbstractEventLoop] = Counter()
        self._changed = threading.Condition()
        self._changed_at = monotonic()
        self._work = WorkWatch()
        self._keeper: threading.Thread | None = None
        self._events: list[threading.Thread] = []

    def sleep(self, seconds: float) -> None:
        """Sleep in this thread. Raise ValueError for a sleep past the end of the clock."""
        if self._is_alone():
            self.clock.advance(seconds)
            return
        awake = threading.Event()
        with self._loop_blocked():
            self._add(seconds, awake.set, THREADS_SETTLE_S)
            awake.wait()

    async def sleep_in_task(self, seconds: float) -> None:
        """Sleep in this task. Raise ValueError for a sleep past the end of the clock.

        A sleep that is cancelled moves no clock.
        """
        loop = asyncio.get_running_loop()
        awake = asyncio.Event()
        # first, for the loop is on its way to further sleeps from this moment on
        loop.call_soon(self._going_round(loop))
        sleeper = self._add(seconds, partial(self._wake_task, loop, awake))
        try:
            await awake.wait()
        finally:
            with self._changed:
                sleeper.is_gone = True

    def end(self) -> None:
        """Wake everybody, for real time goes on; return when no event happens any more."""
        with self._changed:
            self.is_over = True
            sleepers, self._heap = self._heap, []
            keeper = self._keeper
            self._changed.notify_all()
        for sleeper in sleepers:
            sleeper.wake()
        if keeper is not None:
            keeper.join()
        for event in self._events:
            event.join()

    def _is_alone(self) -> bool:
        """True while nobody sleeps and no other thread could."""
        threads = threading.enumerate()
        others = [
            thread
            for thread in threads
            if not thread.name.startswith(THREAD_PREFIX) and thread not in self._bystanders
        ]
        return not self._heap and len(others) == 1

    def _add(self, seconds: float, wake: Callable[[], None], settle_s: float = 0.0) -> _Sleeper:
        with self._changed:
            end = self.clock.moment_after(seconds)
            sleeper = _Sleeper(end, next(self._numbers), wake, settle_s, monotonic())
            if not self.is_over:
                heapq.heappush(self._heap, sleeper)
                if self._keeper is None:
                    self._keeper = threading.Thread(
                        target=self._keep, name=f"{THREAD_PREFIX}time", daemon=True
                    )
                    self._keeper.start()
                self._note_change()
                return sleeper
        wake()  # the block ended between the call and this line, and nobody else would
        return sleeper

    def _note_change(self) -> None:
        with self._changed:
            self._changed_at = monotonic()
            self._work.restart()
            self._changed.notify_all()

    # Event loops

    def _going_round(
        self, loop: asyncio.AbstractEventLoop, first: Callable[[], object] = lambda: None
    ) -> Callable[[], None]:
        """Return a callback for `loop` that calls `first`; then the loop has ROUNDS to go.

        Until they are over its tasks may be about to go to sleep, and the keeper is held.
        """
        with self._changed:
            self._rounds[loop] += 1

        def go_round(left: int) -> None:
            if left > 0:
                loop.call_soon(go_round, left - 1)
            else:
                self._end_rounds(loop)

        def start() -> None:
            first()
            go_round(ROUNDS)

        return start

    def _end_rounds(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._changed:
            self._rounds[loop] -= 1
            self._rounds += Counter()  # forgets the loops that have none to go
            self._note_change()

    def _wake_task(self, loop: asyncio.AbstractEventLoop, awake: asyncio.Event) -> None:
        start = self._going_round(loop, awake.set)
        try:
            loop.call_soon_threadsafe(start)
        except RuntimeError:  # the loop is closed
            self._end_rounds(loop)

    @contextlib.contextmanager
    def _loop_blocked(self) -> Iterator[None]:
        """While the block lasts, the event loop of this thread (if it runs one) stands still."""
        loop = asyncio._get_running_loop()
        if loop is None:
            yield
            return
        with self._changed:
            self._blocked[loop] += 1
        try:
            yield
        finally:
            with self._changed:
                self._blocked[loop] -= 1
                self._blocked += Counter()

    # The keeper, a thread of its own

    def _keep(self) -> None:
        while not self.is_over:
            with self._changed:
                state = self._state()
                if state == "idle":
                    self._changed.wait_for(lambda: self._heap or self.is_over)
                elif state != "due":
                    self._changed.wait(self._settle_s())
                is_watched = state == "due" and self._settle_s() >= WATCH_S
            if state == "due":
                # without the lock, or a thread that is about to sleep would wait for it, not work
                self._act(is_busy=is_watched and self._work.is_at_work())

    def _act(self, *, is_busy: bool) -> None:
        """Do what is due, unless something has changed or (for BUSY_S) threads are at work."""
        with self._changed:
            if self._state() != "due":
                return
            if is_busy and monotonic() - self._changed_at < BUSY_S:
                self._changed.wait(self._settle_s())
                return
            sleepers = self._next_due()
        for sleeper in sleepers:
            sleeper.wake()

    # What follows is called with the lock held.

    def _state(self) -> State:
        while self._heap and self._heap[0].is_gone:
            heapq.heappop(self._heap)
        if not self._heap:
            return "idle"
        quiet_s = monotonic() - self._changed_at
        if quiet_s < self._settle_s():
            return "settling"
        if quiet_s < HELD_S and self._is_held():
            return "held"
        return "due"

    def _settle_s(self) -> float:
        """Return the real seconds for which nothing must change before the earliest wakes."""
        return max(self.clock.settle_s, self._heap[0].settle_s)

    def _is_held(self) -> bool:
        """True while something goes on that may bring new sleepers."""
        # a loop that was stopped never makes the rounds that it has left
        turning = (loop for loop in self._rounds if loop.is_running())
        if any(loop not in self._blocked for loop in turning) or self.clock.is_held():
            return True
        began = self.clock.events.busy_since()
        # an event that sleeps itself waits for the keeper, so the keeper must not wait for it
        return began is not None and not any(
            sleeper.since >= began for sleeper in self._heap if not sleeper.is_gone
        )

    def _next_due(self) -> list[_Sleeper]:
        """Let the next event happen; if none is due before, return those whose sleep ends first."""
        moment = self._heap[0].end
        event = self.clock.events.next_event(moment)
        self._note_change()
        if event is not None:
            self._start(event)
            return []
        sleepers = []
        while self._heap and self._heap[0].end == moment:
            sleepers.append(heapq.heappop(self._heap))
        self.clock.move_to(moment)
        return [sleeper for sleeper in sleepers if not sleeper.is_gone]

    def _start(self, event: Callable[[], object]) -> None:
        def happen() -> None:
            event()
            self._note_change()

        thread = threading.Thread(target=happen, name=f"{THREAD_PREFIX}event", daemon=True)
        self._events = [*(earlier for earlier in self._events if earlier.is_alive()), thread]
        thread.start()
