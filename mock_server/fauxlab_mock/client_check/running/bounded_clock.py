"""The clock of a client under test, which has an end for each of its calls."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

from fauxlab_mock.clock.clock import THREAD_PREFIX, Clock
from fauxlab_mock.clock.own_loop import own_loop

__all__ = ["BoundedClock", "OutOfBoundsError"]


class OutOfBoundsError(BaseException):
    """Ends a call that took too much time or too many requests.

    A client meets it where it sleeps or connects. It is no `Exception`, so that a client which
    tries again after every error does not catch it.
    """


class BoundedClock(Clock):
    """A manual clock that gives each call of a client a bounded time: until `last`.

    Once a call `is_over`, every sleep and every connection of the client raises OutOfBoundsError.
    While it `holds`, and does not let go for a moment, sleepers stay asleep.
    """

    def __init__(self) -> None:
        super().__init__("manual")
        self.last = self._virtual_s = math.inf
        self.is_over = self.holds = False
        self.lets_go: Callable[[], bool] = lambda: False
        self.outlaws: set[threading.Thread] = set()  # whose calls were given up

    def begin_call(self, virtual_s: float) -> None:
        self._virtual_s = virtual_s
        self.last, self.is_over = self.now() + virtual_s, False

    def end_call(self) -> None:
        self.is_over = True

    def is_held(self) -> bool:
        return (self.holds and not self.lets_go()) or super().is_held()

    def advance(self, seconds: float) -> None:
        """Move forward for somebody who alone can: nothing can end the pause before its end."""
        self._check_bounds(seconds)
        super().advance(seconds)

    def moment_after(self, seconds: float) -> float:
        """Return the end of a pause, which may lie beyond the end of the call.

        A deadline, or another thread, may end either before; else `move_to` ends the call.
        A thread's lone pause that is longer than the whole call is not begun: some housekeeper of
        the client's may sleep for a day while the call goes on.
        """
        is_too_long = seconds > self._virtual_s and own_loop() is None
        self._check_bounds(seconds if is_too_long else 0.0)
        return super().moment_after(seconds)

    def deadline_after(self, seconds: float) -> float:
        self._check_bounds(0.0)
        return super().deadline_after(seconds)

    def move_to(self, moment: float) -> None:
        """Move forward, but not past the end of the call, which is over then."""
        if moment > self.last:
            self.end_call()
        super().move_to(min(moment, self.last))

    def check_connection(self) -> None:
        """Raise OutOfBoundsError in a client's thread after the end of its call."""
        self._check_bounds(0.0)

    def _check_bounds(self, seconds: float) -> None:
        """Raise OutOfBoundsError past the end of the call, which is over then; never in our own."""
        if threading.current_thread().name.startswith(THREAD_PREFIX):
            return
        if self.now() + seconds > self.last and seconds <= self._virtual_s:
            self.end_call()
        is_outlaw = threading.current_thread() in self.outlaws
        if is_outlaw or self.is_over or self.now() + seconds > self.last:
            raise OutOfBoundsError("this call of the client has used up its time or its requests")
