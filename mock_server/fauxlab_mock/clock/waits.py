"""Threads that wait in virtual time: `time.sleep`, and all that ends in `Condition.wait`.

That is `threading.Event`, `Condition`, `Semaphore`, `Barrier` and `Timer`, `queue.Queue`, and the
futures of `concurrent.futures`. A `Lock` and a `SimpleQueue` wait in C, out of reach.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any

from fauxlab_mock.clock.askers import is_asked_for_real
from fauxlab_mock.clock.clock import THREAD_PREFIX
from fauxlab_mock.clock.own_loop import own_loop
from fauxlab_mock.clock.sleepers import Sleepers

__all__ = ["ENDLESS_S", "virtual_sleep", "virtual_wait"]

__tracebackhide__ = True

# Seconds. No real sleep is longer: `time.sleep` refuses it, a task sleeps for ever.
ENDLESS_S = 2**63 / 1e9

_sleep, _condition_wait = time.sleep, threading.Condition.wait


def virtual_sleep(sleepers: Sleepers) -> Callable[[float], None]:
    """Return what stands in for `time.sleep`."""

    def sleep(seconds: float, /) -> None:
        if sleepers.is_over or is_asked_for_real():
            _sleep(seconds)
        elif not 0 < seconds < ENDLESS_S:
            sleepers.clock.moment_after(0.0)  # raises on a clock that has come to its end
            _sleep(seconds)
        elif own_loop() is None and sleepers.is_alone():
            end = sleepers.clock.moment_after(seconds)
            sleepers.clock.advance(max(seconds, end - sleepers.clock.now()))
        else:
            awake = threading.Event()
            sleepers.add(seconds, awake.set, stops_loop=own_loop() is not None)
            awake.wait()

    return sleep


def virtual_wait(sleepers: Sleepers) -> Callable[[Any, float | None], bool]:
    """Return what stands in for `threading.Condition.wait`, a method."""

    def wait(condition: Any, timeout: float | None = None) -> bool:
        if sleepers.is_over or is_asked_for_real():
            return _condition_wait(condition, timeout)
        if timeout is None:
            return _wait_for_ever(sleepers, condition)
        if not 0 < timeout < ENDLESS_S:
            return _condition_wait(condition, timeout)
        return _wait(sleepers, condition, timeout)

    return wait


def _wait_for_ever(sleepers: Sleepers, condition: Any) -> bool:
    """Wait for somebody else; on a clock that has come to its end, raise what it raises."""
    thread = threading.current_thread()
    sleepers.clock.deadline_after(0.0)
    sleepers.endless[thread] = condition
    try:
        woken = _condition_wait(condition)
    finally:
        sleepers.endless.pop(thread, None)
    sleepers.clock.deadline_after(0.0)
    return woken


def _wait(sleepers: Sleepers, condition: Any, seconds: float) -> bool:
    """Wait as `Condition.wait` does, but for its timeout; False when that has passed.

    `notify` takes whom it wakes out of `_waiters`, with the lock held; that tells the two apart.
    """
    if not condition._is_owned():
        raise RuntimeError("cannot wait on un-acquired lock")
    waiter = threading.Lock()
    waiter.acquire()

    def wake() -> None:
        with contextlib.suppress(RuntimeError):  # it was notified at the same moment
            waiter.release()

    def go_on_for_real(left_s: float) -> None:
        def wake_later() -> None:
            _sleep(left_s)
            wake()

        threading.Thread(target=wake_later, name=f"{THREAD_PREFIX}late", daemon=True).start()

    condition._waiters.append(waiter)
    state = condition._release_save()
    try:
        stops_loop = own_loop() is not None
        sleeper = sleepers.add(
            seconds, wake, go_on_for_real, stops_loop=stops_loop, is_deadline=True
        )
        try:
            waiter.acquire()
        finally:
            sleeper.is_gone = True
    finally:
        condition._acquire_restore(state)
        was_notified = waiter not in condition._waiters
        if not was_notified:
            condition._waiters.remove(waiter)
    return was_notified
