"""Lanes: order within each, no waiting for others, a bound on the threads."""

from __future__ import annotations

import threading
from functools import partial

import pytest

from fauxlab_mock.webhooks.host_queues import HostQueues

WAIT_S = 10
NAME = "fauxlab-test-lanes"


def test_a_lane_that_is_held_up_holds_up_no_other() -> None:
    """While the first task of one lane waits, another lane does all of its own; then the first goes
    on, in order.
    """
    lanes = HostQueues(NAME, 2)
    done: list[tuple[str, int]] = []
    go_on, others_done = threading.Event(), threading.Event()
    lanes.do("slow", lambda: go_on.wait(WAIT_S))
    for number in range(5):
        for lane in ("slow", "quick"):
            lanes.do(lane, partial(done.append, (lane, number)))
    lanes.do("quick", others_done.set)
    others_done.wait(WAIT_S)
    before = [*done]
    go_on.set()
    lanes.join(WAIT_S)

    assert before == [("quick", number) for number in range(5)]
    assert done == before + [("slow", number) for number in range(5)]


def test_there_are_no_more_threads_than_asked_for() -> None:
    """Ten lanes that all wait have three threads; when nothing is left to do there is none."""
    lanes, go_on = HostQueues(NAME, 3), threading.Event()
    done: list[int] = []

    def wait(number: int) -> None:
        go_on.wait(WAIT_S)
        done.append(number)

    for number in range(10):
        lanes.do(str(number), partial(wait, number))
    most = sum(thread.name == NAME for thread in threading.enumerate())
    go_on.set()
    lanes.join(WAIT_S)

    assert (most, sorted(done)) == (3, list(range(10)))
    assert [thread for thread in threading.enumerate() if thread.name == NAME] == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_task_that_fails_does_not_block_its_lane() -> None:
    """What comes after it in its lane is done all the same."""
    lanes, done, go_on = HostQueues(NAME, 1), threading.Event(), threading.Event()

    def fail() -> None:
        go_on.wait(WAIT_S)
        raise LookupError

    lanes.do("a", fail)
    lanes.do("a", done.set)
    go_on.set()

    assert done.wait(WAIT_S)
    lanes.join(WAIT_S)
