"""Whether a thread is at work, seen from another one."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from fauxlab_mock.clock import work
from fauxlab_mock.clock.work import WorkWatch

pytestmark = pytest.mark.alone


@pytest.mark.parametrize(
    "used_s, is_at_work",
    [
        pytest.param(0.0021, True, id="more than a tenth"),
        pytest.param(0.0019, False, id="less than a tenth"),
    ],
)
def test_a_tenth_of_the_processor_is_work(
    used_s: float, is_at_work: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where the system says nothing of threads, the processor time since the last look decides."""
    monkeypatch.setattr(work, "_TASKS", tmp_path)
    monkeypatch.setattr(work, "monotonic", iter([10.0, 10.02]).__next__)
    monkeypatch.setattr(work, "process_time", iter([5.0, 5.0 + used_s]).__next__)

    assert WorkWatch().is_at_work() == is_at_work


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what each thread does")
def test_a_thread_that_is_ready_is_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """A computing thread is, however little processor time it gets; a waiting one is not."""
    monkeypatch.setattr(work, "process_time", lambda: 0.0)
    over = threading.Event()

    def compute() -> None:
        while not over.is_set():
            sum(range(1_000))

    watch = WorkWatch()
    thread = threading.Thread(target=compute, daemon=True)
    thread.start()
    while_it_computes = [watch.is_at_work() for _ in range(100)]
    over.set()
    thread.join(10)
    over.clear()
    waiting = threading.Thread(target=over.wait, args=(10,), daemon=True)
    waiting.start()
    while_it_waits = [watch.is_at_work() for _ in range(100)]
    over.set()
    waiting.join(10)

    assert (any(while_it_computes), all(while_it_waits)) == (True, False)
