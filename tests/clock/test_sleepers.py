"""Who sleeps, and who is woken when: what the keeper of virtual time waits for, and what not."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from fauxlab_mock.clock import sleepers as module
from fauxlab_mock.clock.clock import Clock, Events
from fauxlab_mock.clock.sleepers import Sleepers
from fauxlab_mock.clock.virtual import virtual_time
from fauxlab_mock.clock.waits import virtual_sleep

pytestmark = pytest.mark.alone
REAL = {"monotonic": time.monotonic}  # virtual time replaces names of modules, not this


def in_a_thread(action: Any) -> bool:
    """Run `action` beside this thread; True when it ended in time."""
    thread = threading.Thread(target=action, daemon=True)
    thread.start()
    thread.join(10)
    return not thread.is_alive()


def test_a_sleep_that_begins_as_the_block_ends_is_over_at_once() -> None:
    """A thread that was about to sleep when virtual time ended is not left asleep for ever."""
    clock = Clock("manual", start=1_000.0)
    sleepers = Sleepers(clock)
    awake = threading.Event()
    sleepers.end()

    sleepers.add(60, awake.set)

    assert (awake.is_set(), clock.now()) == (True, 1_000.0)


def test_a_call_that_is_answered_for_ever_does_not_stop_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever holds the clock holds it for HELD_S real seconds at most."""
    monkeypatch.setattr(module, "HELD_S", 0.1)
    clock = Clock("manual", start=1_000.0)
    clock.attach(Events(), is_held=lambda: True)
    sleepers = Sleepers(clock)

    has_ended = in_a_thread(lambda: virtual_sleep(sleepers)(60))
    sleepers.end()

    assert (has_ended, clock.now()) == (True, 1_060.0)


def test_no_wait_takes_longer_than_in_real_time() -> None:
    """Whatever holds the clock, a tenth of a second is over after a tenth of a second."""
    clock = Clock("manual", start=1_000.0)
    clock.attach(Events(), is_held=lambda: True)
    sleepers = Sleepers(clock)
    began = time.monotonic()

    has_ended = in_a_thread(lambda: virtual_sleep(sleepers)(0.1))
    took_s = time.monotonic() - began
    sleepers.end()

    assert (has_ended, clock.now(), took_s < module.HELD_S / 2) == (True, 1_000.1, True)


def test_a_thread_that_computes_for_ever_does_not_stop_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Threads at work keep sleepers asleep until they have used BUSY_S of the processor."""
    monkeypatch.setattr(module, "BUSY_S", 0.1)
    over = threading.Event()

    def compute() -> None:
        while not over.is_set():
            pass

    busy = threading.Thread(target=compute, daemon=True)
    busy.start()
    clock = Clock("manual", start=1_000.0)
    sleepers = Sleepers(clock)

    has_ended = in_a_thread(lambda: virtual_sleep(sleepers)(60))
    over.set()
    busy.join(10)
    sleepers.end()

    assert (has_ended, clock.now()) == (True, 1_060.0)


def test_what_was_computed_before_a_deadline_does_not_let_it_strike(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A deadline waits for threads at work, however much was computed since the clock moved."""
    monkeypatch.setattr(module, "MOST_BUSY_S", 0.2)
    clock = Clock("manual", start=1_000.0)
    sleepers = Sleepers(clock)
    ends_at = time.process_time() + 0.3
    while time.process_time() < ends_at:
        pass
    struck = threading.Event()

    deadline = sleepers.add(60, struck.set, is_deadline=True)
    ends_at = time.process_time() + 0.1
    while time.process_time() < ends_at:
        pass
    deadline.is_gone = True
    sleepers.end()

    assert (struck.is_set(), clock.now()) == (False, 1_000.0)


def test_a_loop_that_has_stopped_holds_nobody() -> None:
    """A loop that ends with rounds left to run does not keep later sleeps waiting."""
    clock = Clock("manual", start=1_000.0)
    with virtual_time(clock):
        loop = asyncio.new_event_loop()
        loop.run_until_complete(asyncio.sleep(1))
        began = REAL["monotonic"]()
        in_a_thread(lambda: time.sleep(1))
        took_s = REAL["monotonic"]() - began
        loop.close()

    assert (clock.now(), took_s < module.HELD_S / 2) == (1_002.0, True)
