"""What goes on after a call has ended: threads and tasks, of which each call leaves one more."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from fauxlab_contract.core.text import counted
from fauxlab_mock.client_check.run_call import perform
from fauxlab_mock.client_check.running.standing import has_own_lines, place_of, place_of_task
from fauxlab_mock.client_check.stage import Stage, close_leftovers
from fauxlab_mock.clock.clock import THREAD_PREFIX

__all__ = ["Leftovers", "left_after", "more_each_time", "there_now"]

SETTLE_S, LOOK_S = 0.4, 0.01  # real seconds: for what ends by itself a moment later; for one look


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What is still there a moment after a call; `thread_at` and `task_at` say where one stands."""

    threads: int = 0
    tasks: int = 0
    thread_at: str = ""
    task_at: str = ""


def there_now(stage: Stage) -> frozenset[object]:
    """Return the threads and tasks that there are."""
    tasks = perform(stage, lambda: stage.worker.run(_tasks, 0.0)).value or []
    return frozenset((*threading.enumerate(), *tasks))


def left_after(stage: Stage, before: frozenset[object]) -> Leftovers:
    """Look at what a call has left, beside what was there `before` the first."""
    close_leftovers()  # a pool that nobody holds ends its threads
    tasks = perform(stage, lambda: stage.worker.run(_tasks, SETTLE_S)).value or []
    tasks = [task for task in tasks if task not in before]
    ends_at = time.monotonic() + SETTLE_S
    while (threads := _threads(stage, before)) and time.monotonic() < ends_at:
        time.sleep(LOOK_S)
    return Leftovers(
        len(threads),
        len(tasks),
        _where(threads[-1]) if threads else "",
        place_of_task(tasks[-1]) if tasks else "",
    )


def more_each_time(left: Sequence[Leftovers]) -> Iterator[tuple[str, str]]:
    """Yield (what, sentence) for what became more with each call of the same client.

    A pool, a session or a poller that all calls share does not.
    """
    for what, counts, place in (
        ("thread", [one.threads for one in left], left[-1].thread_at),
        ("task", [one.tasks for one in left], left[-1].task_at),
    ):
        if all(earlier < later for earlier, later in pairwise(counts)):
            where = f", one of them at {place}" if place else ""
            told = f"{counted(counts[-1], f'{what}s')} were still running{where}"
            yield what, f"After {counted(len(left), 'calls')} of one client, {told}."


def _where(thread: threading.Thread) -> str:
    """Return where a thread stands, or what it runs if that is not the client's own code."""
    _, _, target = thread.name.partition("(")  # Thread-7 (serve_forever)
    return place_of([thread]) if has_own_lines(thread) or not target else target.rstrip(")")


def _threads(stage: Stage, before: frozenset[object]) -> list[threading.Thread]:
    ours = {*before, stage.worker.thread}
    return [
        thread
        for thread in threading.enumerate()
        if thread not in ours and not thread.name.startswith(THREAD_PREFIX)
    ]


async def _tasks(within_s: float) -> list[asyncio.Task[object]]:
    """Return the other tasks of the loop, after a while in which they may come to their end."""
    own = asyncio.current_task()
    ends_at = time.monotonic() + within_s
    while True:
        tasks = [task for task in asyncio.all_tasks() if task is not own and not task.done()]
        if not tasks or time.monotonic() > ends_at:
            return tasks
        await asyncio.sleep(LOOK_S)
