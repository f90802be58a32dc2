"""Event loops in virtual time: `loop.time`, `call_later` and `call_at`.

All timers of asyncio end there: `asyncio.sleep`, `timeout`, `wait_for`, `wait(timeout=…)`. A timer
that code under test asks for is a wait on the mock's clock; one that uvicorn or the mock's own
threads ask for is the loop's, and real.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from asyncio.base_events import BaseEventLoop
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from fauxlab_mock.clock.askers import is_asked_for_real
from fauxlab_mock.clock.sleepers import Sleeper, Sleepers
from fauxlab_mock.clock.waits import ENDLESS_S

__all__ = ["loop_patches"]

__tracebackhide__ = True

Function = Callable[..., Any]


class _Timer(asyncio.TimerHandle):
    """A timer of a loop that goes off when the mock's clock says so."""

    sleeper: Sleeper | None = None

    def cancel(self) -> None:
        if self.sleeper is not None:
            self.sleeper.is_gone = True
        asyncio.Handle.cancel(self)  # past TimerHandle, whose loop would look for it in its heap

    def go_off(self) -> None:
        if not self.cancelled():
            self._run()  # as every loop does


@dataclass(frozen=True, slots=True)
class _Kind:
    """A class of event loops, with the methods that it has by itself."""

    sleepers: Sleepers
    now: Callable[[], float]
    time: Function
    call_at: Function
    call_later: Function

    def begin(  # what `call_later` takes
        self,
        loop: Any,
        delay: float,
        callback: Function,
        args: Any,
        context: Any,
        *,
        is_deadline: bool = True,
    ) -> Any:
        """Begin a timer in virtual time, unless no time passes until it goes off, or all time."""
        if not 0 < delay < ENDLESS_S:
            self.sleepers.clock.moment_after(0.0)  # raises on a clock that has come to its end
            return self.call_later(loop, delay, callback, *args, context=context)
        timer = _Timer(self.now() + delay, callback, args, loop, context)

        def wake() -> None:
            _hand(loop, timer.go_off)

        def go_on_for_real(left_s: float) -> None:
            _hand(loop, self.call_later, loop, left_s, timer.go_off)

        timer.sleeper = self.sleepers.add(delay, wake, go_on_for_real, is_deadline=is_deadline)
        return timer


def loop_patches(
    sleepers: Sleepers, now: Callable[[], float]
) -> Iterator[tuple[Any, str, Function]]:
    """Yield (class, name of a method, what stands in for it) for each class of event loops.

    `now()` is what `loop.time` says in virtual time.
    """
    classes: list[Any] = [BaseEventLoop]
    with contextlib.suppress(ImportError):
        import uvloop  # not everywhere; who imports it later has virtual timers as well

        classes.append(uvloop.Loop)
    for loops in classes:
        kind = _Kind(sleepers, now, loops.time, loops.call_at, loops.call_later)
        for stand_in in (_time(kind), _call_at(kind), _call_later(kind)):
            yield loops, stand_in.__name__, stand_in


def _time(kind: _Kind) -> Function:
    def time(loop: Any) -> float:
        turns = sys._getframe(1).f_code.co_name == "_run_once"  # compares it with real timers
        is_real = turns or kind.sleepers.is_over or is_asked_for_real()
        return float(kind.time(loop)) if is_real else kind.now()

    return time


def _call_at(kind: _Kind) -> Function:
    def call_at(loop: Any, when: float, callback: Function, *args: Any, context: Any = None) -> Any:
        if kind.sleepers.is_over or is_asked_for_real():
            return kind.call_at(loop, when, callback, *args, context=context)
        return kind.begin(loop, when - kind.now(), callback, args, context)

    return call_at


def _call_later(kind: _Kind) -> Function:
    def call_later(
        loop: Any, delay: float, callback: Function, *args: Any, context: Any = None
    ) -> Any:
        if delay is None or kind.sleepers.is_over or is_asked_for_real():
            return kind.call_later(loop, delay, callback, *args, context=context)
        is_deadline = sys._getframe(1).f_code is not asyncio.sleep.__code__
        return kind.begin(loop, delay, callback, args, context, is_deadline=is_deadline)

    return call_later


def _hand(loop: Any, callback: Function, *args: Any) -> None:
    """Let a loop call something in its own thread; one that is closed has no use for it."""
    try:
        loop.call_soon_threadsafe(callback, *args)
    except RuntimeError:
        if not loop.is_closed():
            raise
