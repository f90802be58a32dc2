"""Whether all threads wait, seen from one of them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from fauxlab_mock.clock import threads as module
from fauxlab_mock.clock.threads import ThreadWatch

pytestmark = pytest.mark.alone


def never() -> bool:
    """Nothing goes on for which anybody waits."""
    return False


@contextmanager
def beside(action: Callable[[], object]) -> Iterator[None]:
    """While the block lasts, a thread does something; the block has to end it."""
    begun = threading.Event()

    def act() -> None:
        begun.set()
        action()

    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    begun.wait(10)
    yield
    thread.join(10)


@pytest.mark.parametrize(
    "used_s, are_waiting",
    [
        pytest.param(0.0021, False, id="more than a tenth"),
        pytest.param(0.0019, True, id="less than a tenth"),
    ],
)
def test_a_tenth_of_the_processor_is_work(
    used_s: float, are_waiting: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """Where the system says nothing of threads, the processor time since the last look decides."""
    monkeypatch.setattr(module, "_TASKS", str(tmp_path))
    monkeypatch.setattr(module, "monotonic", iter([10.0, 10.02]).__next__)
    monkeypatch.setattr(module, "process_time", iter([5.0, 5.0 + used_s]).__next__)

    watch = ThreadWatch()

    assert (watch.is_exact, watch.are_all_waiting(never)) == (False, are_waiting)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what each thread does")
def test_a_thread_that_computes_is_at_work() -> None:
    """A computing thread is seen, however little processor time it gets; so is a waiting one."""
    over = threading.Event()

    def compute() -> None:
        while not over.is_set():
            sum(range(1_000))

    watch = ThreadWatch()
    with beside(compute):
        while_it_computes = [watch.are_all_waiting(never) for _ in range(20)]
        over.set()
    over.clear()
    with beside(lambda: over.wait(10)):
        is_seen_waiting = any(watch.are_all_waiting(never) for _ in range(1_000))
        over.set()

    assert (watch.is_exact, any(while_it_computes), is_seen_waiting) == (True, False, True)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what each thread does")
def test_two_threads_that_wake_each_other_are_at_work() -> None:
    """Of two threads that take turns one waits at each moment, but never both."""
    over = threading.Event()
    turns = threading.Semaphore(1), threading.Semaphore(0)

    def take_turns(mine: int) -> None:
        while not over.is_set():
            turns[mine].acquire(timeout=10)
            turns[1 - mine].release()

    watch = ThreadWatch()
    with beside(lambda: take_turns(0)), beside(lambda: take_turns(1)):
        seen = [watch.are_all_waiting(never) for _ in range(100)]
        over.set()

    assert any(seen) is False


def test_waiting_by_pythons_own_means_can_be_seen() -> None:
    """Who waits on an event is known to wait; on a lock or for a process, it may be about to go on.

    Waiting for a process is no exception because the standard library waits.
    """
    lock, event = threading.Lock(), threading.Event()
    lock.acquire()
    child = [sys.executable, "-c", "import sys; sys.stdin.read()"]

    with beside(lambda: event.wait(10)):
        on_an_event = ThreadWatch().is_any_unseen()
        event.set()
    with beside(lambda: lock.acquire(timeout=10)):
        on_a_lock = ThreadWatch().is_any_unseen()
        lock.release()
    read, write = os.pipe()
    with beside(lambda: subprocess.run(child, stdin=read, check=True, timeout=60)):
        while not any("subprocess" in str(frame) for frame in _frames()):
            pass
        for_a_process = ThreadWatch().is_any_unseen()
        os.close(write)
    os.close(read)

    assert (on_an_event, on_a_lock, for_a_process) == (False, True, True)


def _frames() -> Iterator[Any]:
    for frame in sys._current_frames().values():
        innermost: Any = frame
        while innermost is not None:
            yield innermost.f_code
            innermost = innermost.f_back


@pytest.mark.parametrize("is_held", [True, False])
def test_whether_something_goes_on_is_asked_while_all_wait(
    monkeypatch: pytest.MonkeyPatch, is_held: bool
) -> None:
    """A call that began after an earlier question, and for which all wait by now, is seen."""
    order = []

    def look(_: str) -> dict[str, bytes]:
        order.append("look")
        return {"1": b"7"}

    def ask() -> bool:
        order.append("asked")
        return is_held

    monkeypatch.setattr(module, "_look", look)
    watch = ThreadWatch()
    monkeypatch.setattr(watch, "is_exact", True)

    waiting = watch.are_all_waiting(ask)

    looks = ["look", "asked"] if is_held else ["look", "asked", "look"]
    assert (waiting, order) == (not is_held, looks)
