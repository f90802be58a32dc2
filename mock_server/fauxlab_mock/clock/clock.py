"""The mock's time: one small class, three modes.

Everything that a job waits for reads this clock and no other.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, get_args

from fauxlab_mock.clock.own_loop import own_loop, ports_of_own_loop

__all__ = ["LAST_S", "THREAD_PREFIX", "Clock", "ClockMode", "Events"]

# Begins the names of all threads that a mock starts: they live in real time.
THREAD_PREFIX = "fauxlab-"
# The last second of the year 9999, in seconds since 1970: calendars end there.
LAST_S = 253_402_300_799.0
# Seconds; enough to be seen on every clock, so that waits for the rest of a time come to an end.
SHORTEST_S = 1e-6
ClockMode = Literal["real", "auto", "manual"]
Follower = Callable[[float, ClockMode], object]
EndlessWaits = Mapping[threading.Thread, threading.Condition]
Ring = Callable[[], object]
SetAlarm = Callable[[float, Ring], Ring]


class Events:
    """What falls due while a clock is advanced; here: nothing.

    Its methods are never called while the clock is locked.
    """

    def settle(self) -> bool:
        """Wait a moment for the events that have begun; return True if there were any."""
        return False

    def next_event(self, _moment: float, /) -> Callable[[], object] | None:
        """Move the clock to the first event that is due until a moment, and return its action.

        Return None when nothing is due until then.
        """
        return None

    def receivers(self, _moment: float, /) -> Set[int]:
        """Return the ports of this machine to which an event goes that is due until a moment."""
        return frozenset()

    def moved(self) -> None:
        """Take note that the clock was moved."""

    def busy_since(self) -> float | None:
        """Return when the latest of the events under way began (`time.monotonic`), else None."""
        return None


@dataclass(slots=True, eq=False)
class _Step:
    """An advance under way, and where it is to end: seconds in the clock's `_added`."""

    goal: float


def _known(mode: ClockMode) -> ClockMode:
    """Return the mode; raise ValueError for a word that is not a mode."""
    __tracebackhide__ = True  # pytest shows the caller's line, here and below
    if mode not in get_args(ClockMode):
        raise ValueError(f"clock must be real, auto or manual, not {mode!r:.40}")
    return mode


def _no_alarm(_seconds: float, _ring: Ring) -> Ring:
    """Set no alarm, for a clock that nobody's waits move."""
    return lambda: None


def _not_before(now: float, seconds: float) -> float:
    """Return `now + seconds`, or a little more: a wait never ends early, not even by a rounding."""
    seconds = max(seconds, SHORTEST_S)
    moment = now + seconds
    return moment if moment - now >= seconds else math.nextafter(moment, math.inf)


class Clock:
    """Seconds since 1970. Safe to use from several threads.

    In mode `real` the clock runs, and `advance` adds to it; in `manual` and `auto` it stands still
    until it is advanced. What moves it in `auto` the engine decides: a second fetch of a running
    job. `is_slept_on` says whether a sleep has ever moved it,
    `is_virtual` whether what waits in this process moves it now.
    """

    def __init__(
        self,
        mode: ClockMode = "real",
        *,
        start: float | None = None,
        tick: Callable[[], float] = time.monotonic,
    ) -> None:
        self.mode = _known(mode)
        self._tick = tick
        self._base = time.time() if start is None else start
        # kept apart: added to the base one by one, small steps would be rounded each time
        self._added = 0.0
        self._origin = tick()
        self._counted = 0.0  # real seconds, in mode `real`
        self._steps: list[_Step] = []
        self._lock = threading.Lock()
        self.events = Events()
        self._is_held: Callable[[], bool] = lambda: False
        self.is_slept_on = False
        self.warning: Callable[[], str] = lambda: ""
        self.is_waited_on: Callable[[], bool] = lambda: False
        self.endless_waits: Callable[[], EndlessWaits] = dict
        self.set_alarm: SetAlarm = _no_alarm
        self._followers: list[Follower] = []
        self.is_virtual = False
        self._ahead_s: list[float] = []  # of real time, for each block in which the clock runs

    def __repr__(self) -> str:
        now = self.now()
        moment = f"{now:g} s"
        if 0 <= now <= LAST_S:
            moment = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
        return f"<Clock {self.mode}: {moment}>"

    def attach(
        self,
        events: Events,
        *,
        is_held: Callable[[], bool] = lambda: False,
    ) -> None:
        """Connect the clock with the mock whose time it is.

        These are no arguments of the constructor because a clock comes first: a user makes it and
        hands it to a mock, whose events need it to be there.
        """
        self.events, self._is_held = events, is_held

    def is_held(self) -> bool:
        """True while the mock answers a call; sleepers must not wake meanwhile."""
        return self._is_held()

    @contextlib.contextmanager
    def followed_by(self, follower: Follower) -> Iterator[None]:
        """While the block lasts, call `follower(now, mode)` whenever the clock is moved or set."""
        self._followers.append(follower)
        try:
            yield
        finally:
            self._followers.remove(follower)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """While the block lasts, a virtual clock runs as real time does; others go on as they are.

        What holds an answer back for real has its place among the waits that cost nothing.
        """
        if not self.is_virtual or self.mode == "real":
            yield
            return
        ahead_s = self.now() - self._tick()
        self._ahead_s.append(ahead_s)
        try:
            yield
        finally:
            self.catch_up()
            self._ahead_s.remove(ahead_s)

    def catch_up(self) -> bool:
        """Move to where a clock that is `running` should be by now; return False for all others."""
        ahead_s = max(self._ahead_s, default=None)
        if ahead_s is None:
            return False
        self.move_to(self._tick() + ahead_s)
        self.events.moved()
        return True

    def mark_slept_on(
        self,
        warning: Callable[[], str] = lambda: "",
        *,
        is_waited_on: Callable[[], bool] = lambda: False,
        endless_waits: Callable[[], EndlessWaits] = dict,
        set_alarm: SetAlarm | None = None,
    ) -> None:
        """Remember in `is_slept_on` that from now on waiting moves this clock.

        `warning()` says what is odd about the waits, "" if nothing is; so does the clock's.
        `is_waited_on()` says whether somebody waits in virtual time, `endless_waits()` which
        threads wait for others without a timeout. `set_alarm(seconds, ring)` lets `ring` be called
        when so much time has passed, and returns what takes the alarm back.
        """
        self.is_slept_on = True
        self.warning = warning
        self.is_waited_on, self.endless_waits = is_waited_on, endless_waits
        self.set_alarm = set_alarm or _no_alarm

    def now(self) -> float:
        with self._lock:
            return self._moment(self._added)

    def uncounted_s(self) -> float:
        """Return the real seconds that the clock does not count, from any moment.

        On a clock that runs they stand still.
        """
        with self._lock:
            return self._tick() - self._counted - self._elapsed()

    def set_mode(self, mode: ClockMode) -> None:
        """Go on in another mode from now; an advance that is under way goes on, too."""
        __tracebackhide__ = True
        mode = _known(mode)
        with self._lock:
            elapsed, self._origin = self._elapsed(), self._tick()
            self._added += elapsed
            self._counted += elapsed
            for step in self._steps:
                step.goal += elapsed
            self.mode = mode
            self._tell_followers()

    def advance(self, seconds: float) -> None:
        """Move forward by some seconds, event by event.

        What falls due on the way happens at its time, and is over when this returns. Each call adds
        its own seconds, even if another thread or a webhook's receiver advances the clock
        meanwhile: then a call that is under way ends later by as much. No call waits for the events
        of another, for it may come out of one of them. Raise ValueError for a negative or endless
        time (jobs never get younger) and for one that leads past the year 9999; RuntimeError where
        a webhook falls due whose receiver runs in the event loop that calls this, for it could not
        answer meanwhile: `advance_async` is for that.
        """
        __tracebackhide__ = True
        if not isinstance(seconds, (int, float)) or not 0 <= seconds < float("inf"):
            raise ValueError(
                f"the clock can be advanced by 0 or more seconds, not by {str(seconds)[:40]!a}"
            )
        port = self._deaf_port(seconds)
        if port is not None:
            raise RuntimeError(
                f"clock.advance({seconds:g}) cannot deliver a webhook that falls due: its receiver"
                f" at port {port} runs in the event loop that calls this, which stands still"
                f" meanwhile; use `await clock.advance_async({seconds:g})`"
            )
        with self._lock:
            latest = max([self._added, *(step.goal for step in self._steps)])
            self._check(self._moment(latest), seconds)
            for other in self._steps:
                other.goal += seconds
            step = _Step(self._added + seconds)
            self._steps.append(step)
        try:
            self._pass_events(lambda: self._moment(step.goal))
        finally:
            with self._lock:
                self._steps.remove(step)
                self._added = max(self._added, step.goal)
                self._tell_followers()
            self.events.moved()

    def let_pass(self, seconds: float) -> None:
        """Move forward by some seconds as `advance` does, where a caller cannot help who it is.

        What this thread's own event loop would have to receive comes late, when the loop goes on.
        """
        if self._deaf_port(seconds) is None:
            self.advance(seconds)
        else:
            self.move_to(self.moment_after(seconds))
            self.events.moved()

    def advance_to(self, moment: float) -> None:
        """Move forward to `moment`, event by event; do nothing when it has passed.

        Raise ValueError past the year 9999.
        """
        self._check(moment, 0.0)
        self._pass_events(lambda: moment)
        self.move_to(moment)

    async def advance_async(self, seconds: float) -> None:
        """Do the same while the caller's event loop goes on: a webhook's receiver may run in it."""
        import asyncio  # takes longer to import than all that the command needs to start

        await asyncio.to_thread(self.advance, seconds)

    def move_to(self, moment: float) -> None:
        """Move forward to `moment` past all events, which will then be late."""
        with self._lock:
            self._added += max(0.0, moment - self._moment(self._added))
            self._tell_followers()

    def moment_after(self, seconds: float) -> float:
        """Return the first moment after a wait of that many seconds, from now.

        Raise ValueError past the year 9999.
        """
        now = self.now()
        self._check(now, seconds)
        return _not_before(now, seconds)

    def deadline_after(self, seconds: float) -> float:
        """Return the moment that many seconds from now, or the end of the clock if it is earlier.

        Who sets a deadline hopes not to reach it, so one past all calendars is no error.
        """
        return min(_not_before(self.now(), seconds), LAST_S)

    def _pass_events(self, until: Callable[[], float]) -> None:
        while True:
            self.events.settle()
            event = self.events.next_event(until())
            if event is not None:
                event()
            elif not self.events.settle():  # another has not taken one just now
                return

    def _deaf_port(self, seconds: float) -> int | None:
        """Return a port to which an event that falls due goes, and which this thread serves."""
        if own_loop() is None:
            return None
        ports = self.events.receivers(self.now() + seconds)
        return min(ports & ports_of_own_loop(), default=None) if ports else None

    def _tell_followers(self) -> None:
        if self._followers:
            now = self._moment(self._added)
            for follow in self._followers:
                follow(now, self.mode)

    def _elapsed(self) -> float:
        return self._tick() - self._origin if self.mode == "real" else 0.0

    def _moment(self, added: float) -> float:
        return self._base + (added + self._elapsed())

    @staticmethod
    def _check(moment: float, seconds: float) -> None:
        __tracebackhide__ = True
        if not (seconds <= LAST_S and moment + seconds <= LAST_S):
            raise ValueError(
                "the clock ends with the year 9999: it can go on by"
                f" {max(0.0, LAST_S - moment):.0f} s at most"
            )
