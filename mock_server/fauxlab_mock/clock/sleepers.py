"""Who waits in virtual time, and who is woken when.

One thread, the keeper, moves the clock to the end of the earliest wait, and does so only when
nobody can still be on the way to an earlier one. It looks, acts and looks again; what it sees is
the first of these states that fits:

    state     while                                            what the keeper does
    --------  -----------------------------------------------  -------------------------------------
    idle      nobody waits                                     waits until somebody does
    due       a wait has lasted as long in real time           as below
    running   an answer is held back for real, and the clock   wakes those whose waits are over,
              runs meanwhile                                   and looks again soon
    held      the last change is younger than HELD_S, and a    looks again soon
              call is answered or an event happens
    busy      a thread is at work, and all have used less of   looks again soon
              the processor than BUSY_S since the change, and
              than MOST_BUSY_S since the clock was moved and
              the wait that ends first began
    awaiting  another process owes an answer over TCP, but     looks again soon
              not for long
    unseen    a thread waits for something that cannot be      looks again soon
              seen, and the last change is younger than
              QUIET_S
    due       nothing of all that                              lets the next event happen, or moves
                                                               the clock and wakes the earliest

A change is a wait that begins or is over, and an event that begins or ends. An event (a webhook)
happens in a thread of its own, for its receiver may wait as well. Lock order: the lock here is
taken before the locks of the clock and its events, never after them.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from itertools import count
from time import monotonic, process_time
from typing import Literal

from fauxlab_mock.clock.clock import THREAD_PREFIX, Clock
from fauxlab_mock.clock.sockets import is_answer_awaited
from fauxlab_mock.clock.threads import ThreadWatch

__all__ = ["Sleeper", "Sleepers"]

# Real seconds without a change after which even those wake of whom it cannot be seen whether
# another thread is about to wait as well.
QUIET_S = 0.02
# Seconds of the processor after which threads at work hold nobody: one may compute for hours. Not
# of real time, of which a busy machine gives a thread little.
BUSY_S, MOST_BUSY_S = 1.0, 5.0
# Real seconds after which nothing holds the clock any more: a call that hangs must not stop time
# for everybody.
HELD_S = 5.0
# Real seconds between two looks: twice as many after each, up to the last.
LOOK_S, LAST_LOOK_S = 0.0002, 0.005
# Real seconds that a block of virtual time has to last, and virtual seconds for each of them, until
# it is said that the program perhaps looks at another clock.
RACE_S, RACE_RATIO = 5.0, 200.0

State = Literal["running", "held", "busy", "awaiting", "unseen", "due"]


@dataclass(order=True)
class Sleeper:
    """One wait: for `seconds`, until `end` on the clock, since `since` in real time.

    By then the process had used `used` seconds of the processor.

    Waits are ordered by their ends.
    `wake()` ends it. `on_end(left_s)` is called instead when virtual time ends before it. Who
    `stops_loop` waits in a coroutine without `await`, so that its event loop answers nobody.
    """

    end: float
    number: int
    wake: Callable[[], object] = field(compare=False)
    on_end: Callable[[float], object] = field(compare=False)
    seconds: float = field(compare=False)
    since: float = field(compare=False)
    used: float = field(compare=False)
    stops_loop: bool = field(compare=False)
    is_gone: bool = field(compare=False, default=False)

    def is_overdue(self, now: float) -> bool:
        """True when it would have ended by now (`time.monotonic`) if time were real."""
        return not self.is_gone and now >= self.since + self.seconds


class Sleepers:
    """The waits of one block of virtual time, and the keeper that ends them.

    Safe to use from several threads and event loops. Once `end` was called, nobody waits here.
    """

    def __init__(self, clock: Clock, bystanders: Collection[threading.Thread] = ()) -> None:
        self.clock = clock
        self.is_over = False
        self.endless: dict[threading.Thread, threading.Condition] = {}  # who waits without timeout
        self._heap: list[Sleeper] = []
        self._numbers = count(1)
        self._changed = threading.Condition()
        self._version = 0
        self._changed_at, self._used = monotonic(), process_time()
        self._used_at_move = self._used
        self._threads = ThreadWatch(bystanders)
        self._keeper: threading.Thread | None = None
        self._events: list[threading.Thread] = []
        self._began, self._began_at = monotonic(), clock.now()
        self._strangers: dict[str, None] = {}

    def is_alone(self) -> bool:
        """True while nobody waits and no other thread could: then the clock can just be moved."""
        return not self._heap and len(self._threads.users()) == 1

    def is_anybody_asleep(self) -> bool:
        with self._changed:
            return self._earliest() is not None

    def add(
        self,
        seconds: float,
        wake: Callable[[], object],
        on_end: Callable[[float], object] | None = None,
        *,
        stops_loop: bool = False,
        is_deadline: bool = False,
    ) -> Sleeper:
        """Begin a wait. Raise ValueError for one past the end of the clock, but for a deadline."""
        on_end = on_end or (lambda _: wake())
        with self._changed:
            after = self.clock.deadline_after if is_deadline else self.clock.moment_after
            end = after(seconds)
            number = next(self._numbers)
            since, used = monotonic(), process_time()
            sleeper = Sleeper(end, number, wake, on_end, seconds, since, used, stops_loop)
            if not self.is_over:
                heapq.heappush(self._heap, sleeper)
                if self._keeper is None:
                    self._keeper = threading.Thread(
                        target=self._keep, name=f"{THREAD_PREFIX}time", daemon=True
                    )
                    self._keeper.start()
                self._note_change()
                return sleeper
        on_end(seconds)  # the block ended between the call and this line
        return sleeper

    def set_alarm(self, seconds: float, ring: Callable[[], object]) -> Callable[[], None]:
        """Call `ring` when so much time has passed, or virtual time ends; return what undoes it."""
        sleeper = self.add(seconds, ring, is_deadline=True)

        def cancel() -> None:
            sleeper.is_gone = True

        return cancel

    def end(self) -> None:
        """End all waits, for real time goes on; return when no event happens any more."""
        with self._changed:
            self.is_over = True
            sleepers, self._heap = sorted(self._heap), []
            keeper = self._keeper
            self._changed.notify_all()
        now = self.clock.now()
        for sleeper in sleepers:
            if not sleeper.is_gone:
                sleeper.on_end(max(0.0, sleeper.end - now))
        if keeper is not None:
            keeper.join()
        for event in self._events:
            event.join()

    def note_stranger(self, clock: str) -> None:
        """Remember a clock of somebody else's, by which code waits that is to wait here."""
        self._strangers[clock] = None

    def warning(self) -> str:
        """Say what is odd about the waits, a line for each oddity; "" if nothing is.

        Odd is far more virtual time than a test is likely to want, and a clock of somebody else's.
        """
        lines = [f"{clock}: its waits did not move the mock's clock" for clock in self._strangers]
        real_s, virtual_s = monotonic() - self._began, self.clock.now() - self._began_at
        if real_s >= RACE_S and virtual_s >= real_s * RACE_RATIO:
            lines.append(
                f"{virtual_s:,.0f} virtual seconds passed while {real_s:.0f} real ones did: does"
                " the code wait by another clock than Python's (in C, in another process)?"
            )
        return "\n".join(lines)

    def _note_change(self) -> None:
        with self._changed:
            self._version += 1
            self._changed_at, self._used = monotonic(), process_time()
            self._changed.notify_all()

    # The keeper, a thread of its own

    def _keep(self) -> None:
        pause_s, version = LOOK_S, 0
        while not self.is_over:
            with self._changed:
                self._changed.wait_for(lambda: self._earliest() or self.is_over)
                pause_s = LOOK_S if version != self._version else min(2 * pause_s, LAST_LOOK_S)
                version = self._version
            # without the lock, or a thread that is about to wait would wait for it, not work
            if self._state() == "due":
                self._act(version)
            else:
                with self._changed:
                    self._changed.wait(pause_s)

    def _state(self) -> State:
        now, used = monotonic(), process_time()
        with self._changed:
            if any(sleeper.is_overdue(now) for sleeper in self._heap):
                return "due"
        if self.clock.catch_up():
            return "due" if self._is_any_over() else "running"
        quiet_s = now - self._changed_at

        def is_held() -> bool:
            return quiet_s < HELD_S and self._is_held()

        if is_held():
            return "held"
        may_work = used - self._used < BUSY_S and used - self._held_from() < MOST_BUSY_S
        # asked once more: a call may begin after the first time, and all wait again by now
        if may_work and not self._threads.are_all_waiting(is_held):
            return "busy"
        if is_answer_awaited():
            return "awaiting"
        if quiet_s < QUIET_S and (not self._threads.is_exact or self._threads.is_any_unseen()):
            return "unseen"
        return "due"

    def _held_from(self) -> float:
        """Return from when threads at work hold the clock, in seconds of the processor."""
        with self._changed:
            earliest = self._earliest()
        return max(self._used_at_move, earliest.used if earliest else 0.0)

    def _is_any_over(self) -> bool:
        with self._changed:
            earliest = self._earliest()
        return earliest is not None and earliest.end <= self.clock.now()

    def _act(self, version: int) -> None:
        """Do what is due, unless something has changed since the keeper began to look."""
        with self._changed:
            if version != self._version or self._earliest() is None:
                return
            sleepers = self._next_due()
        for sleeper in sleepers:
            sleeper.wake()

    def _is_held(self) -> bool:
        """True while something goes on that may bring new waits."""
        if self.clock.is_held():
            return True
        began = self.clock.events.busy_since()
        # an event that waits itself waits for the keeper, so the keeper must not wait for it; nor
        # for one whose receiver may be in a loop that stands still
        with self._changed:
            return began is not None and not any(
                sleeper.since >= began or sleeper.stops_loop
                for sleeper in self._heap
                if not sleeper.is_gone
            )

    # What follows is called with the lock held.

    def _earliest(self) -> Sleeper | None:
        while self._heap and self._heap[0].is_gone:
            heapq.heappop(self._heap)
        return self._heap[0] if self._heap else None

    def _next_due(self) -> list[Sleeper]:
        """Let the next event happen; if none is due before, return those whose wait ends first."""
        moment = self._heap[0].end
        event = self.clock.events.next_event(moment)
        self._note_change()
        self._used_at_move = self._used
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
