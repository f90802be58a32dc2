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
    "has_states",
    [
        pytest.param(True, marks=pytest.mark.skipif(sys.platform != "linux", reason="no /proc")),
        False,
    ],
    ids=["by its state", "by its time"],
)
def test_a_computing_thread_is_at_work_and_a_waiting_one_is_not(
    has_states: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Both ways of seeing it, of which Linux has two and others one."""
    monkeypatch.setattr(work, "BUSY_SHARE", 0 if has_states else work.BUSY_SHARE)
    monkeypatch.setattr(work, "_TASKS", work._TASKS if has_states else tmp_path)
    over, computed = threading.Event(), threading.Event()

    def compute() -> None:
        while not over.is_set():
            sum(range(1_000))
            computed.set()

    watch = WorkWatch()
    thread = threading.Thread(target=compute, daemon=True)
    thread.start()
    assert computed.wait(10)
    while_it_computes = watch.is_at_work()
    over.set()
    thread.join(10)
    watch.restart()
    threading.Event().wait(0.05)

    assert (while_it_computes, watch.is_at_work()) == (True, False)
