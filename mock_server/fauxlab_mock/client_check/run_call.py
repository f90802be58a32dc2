"""One call of a client under test, and what was overheard of it.

A call that passes its bounds is ended where it meets us: its sleeps and connections raise, and the
server answers no more. A call that meets us no more (it computes, or waits on a lock) is stuck; its
thread is left behind. No exception is ever raised in it from outside: it would strike anywhere, a
tracer or a lock of somebody else's included, and stop the whole process.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import io
import logging
import os
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from fauxlab_mock.client_check.making import function_of
from fauxlab_mock.client_check.running.bounded_clock import OutOfBoundsError
from fauxlab_mock.client_check.running.standing import is_only_waiting
from fauxlab_mock.client_check.running.watching import LOOK_S, CallWatch
from fauxlab_mock.client_check.running.worker import Worker, WorkerTask
from fauxlab_mock.client_check.stage import Stage
from fauxlab_mock.clock.clock import THREAD_PREFIX

__all__ = [
    "ONLY_IN_MAIN",
    "CallOutcome",
    "MakeClient",
    "call_once",
    "cancelled_calls",
    "is_async",
    "perform",
    "shown",
    "side_by_side",
]

# Real seconds
ASK_S = 2.0  # for which a cancelled task may clean up
ARRIVE_S = 0.5  # for which a webhook that is under way as a call ends is waited for
CANCELS = 3
ONLY_IN_MAIN = "only works in main thread"  # what Python says of signals elsewhere
MakeClient = Callable[[str, str], Callable[..., Any]]


@dataclass(slots=True)
class CallOutcome:
    """How a call ended: with a `value`, with an `error`, or with neither when it was stopped.

    It was stopped if it passed its bounds, whatever it made of that: what a library raises for a
    connection that we cut is not the client's own end.
    `ended_at` is a moment of the mock's clock, before the client was closed, `said` all that was
    overheard. A call that did not
    end by itself may have stood at a place (`client.py:31 on threading.Event.wait`): `stuck_at` if
    it goes on there all the same, `waits_at` if it waited there in real time, `hangs_at` if nothing
    was left that could wake it; it was ended where it `forks_at`. What waits in real time, or works
    in another process, is not judged.
    """

    value: Any = None
    error: BaseException | None = None
    is_stopped: bool = False
    stuck_at: str = ""
    waits_at: str = ""
    hangs_at: str = ""
    forks_at: str = ""
    ended_at: float = 0.0
    said: str = ""

    @property
    def has_returned(self) -> bool:
        return self.error is None and not self.is_stopped

    @property
    def why_unjudged(self) -> str:
        """Say why nobody knows how it would have ended; "" if that is known."""
        if self.forks_at:
            return f"it works in another process, which it forks at {self.forks_at}"
        return f"it waits at {self.waits_at}" if self.waits_at else ""


def perform(stage: Stage, script: Callable[[], Any]) -> CallOutcome:
    """Run a script as the stage's worker does, within the bounds of the stage."""
    outcome, process = CallOutcome(is_stopped=True), os.getpid()

    def run() -> None:
        value, error = None, None
        try:
            task.is_at_work = True
            value = script()
        except BaseException as raised:  # whatever a client raises is what we came for
            error = raised
        if os.getpid() != process:  # a child by fork that has done its part: it checks nothing
            os._exit(0)
        task.is_at_work = False
        is_cut = isinstance(error, OutOfBoundsError) or watch.has_interrupted
        if not (stage.clock.is_over or is_cut):
            outcome.value, outcome.error, outcome.is_stopped = value, error, False
        outcome.ended_at = stage.clock.now() if scene.ended_at is None else scene.ended_at
        scene.has_ended, scene.was_cut = True, outcome.is_stopped

    scene = stage.scene
    task = WorkerTask(run)
    watch = CallWatch(stage, task)
    with _overheard() as heard:
        _watched(stage, task, watch)
        _let_webhooks_arrive(stage)
        outcome.said = heard()
    scene.has_ended, scene.was_cut = True, outcome.is_stopped
    if watch.stuck_at:
        stage.leave_behind(task.thread)
    places = (watch.stuck_at, watch.waits_at, watch.hangs_at)
    outcome.stuck_at, outcome.waits_at, outcome.hangs_at = places
    outcome.forks_at = scene.forks_at
    if stage.worker.is_here and isinstance(outcome.error, KeyboardInterrupt):
        raise outcome.error  # the user's
    return replace(outcome)  # a thread that was left behind may come to its end later


def _watched(stage: Stage, task: WorkerTask, watch: CallWatch) -> None:
    """Let the worker do its task, and look at it until it has ended or is stuck."""
    if not stage.worker.is_here:
        stage.worker.begin(task)
        watch.until_over()
        return
    helper = threading.Thread(target=watch.until_over, name=f"{THREAD_PREFIX}watch", daemon=True)
    helper.start()
    stage.worker.begin(task)
    helper.join()


def _let_webhooks_arrive(stage: Stage) -> None:
    """Wait for a webhook whose receiver ended the call before it answered; then it is logged."""
    ends_at = time.monotonic() + ARRIVE_S
    while stage.clock.events.busy_since() is not None and time.monotonic() < ends_at:
        time.sleep(LOOK_S / 10)


@contextlib.contextmanager
def _overheard() -> Iterator[Callable[[], str]]:
    """Yield a function that returns what was printed, logged and warned of inside the block."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    root = logging.getLogger()
    # the others would drown in the debug messages of a thousand requests
    level, others = root.level, root.handlers

    with (
        warnings.catch_warnings(record=True) as caught,
        contextlib.redirect_stdout(text),
        contextlib.redirect_stderr(text),
    ):

        def heard() -> str:
            return text.getvalue() + "".join(str(warning.message) for warning in caught)

        warnings.simplefilter("always")
        root.handlers = [handler]
        root.setLevel(logging.DEBUG)
        try:
            yield heard
        finally:
            root.setLevel(level)
            root.handlers = others


def call_once(
    call: Callable[..., Any], arguments: Mapping[str, Any], worker: Worker | None = None
) -> Any:
    """Return the result of one call; an async one runs in the worker's event loop."""
    if worker is None:
        result = call(**arguments)
        return asyncio.run(_awaited(result)) if inspect.isawaitable(result) else result
    if is_async(call):
        return worker.run(partial(call, **arguments))
    return worker.resolved(call(**arguments))


async def _awaited(result: Any) -> Any:
    return await result


def side_by_side(
    call: Callable[..., Any], wishes: list[Mapping[str, Any]], worker: Worker
) -> list[Any]:
    """Return the results of calls at the same time: tasks of one event loop, or threads.

    Raise the first error.
    """
    if is_async(call):
        return list(worker.run(_gathered, [partial(call, **wish) for wish in wishes]))
    results: list[Any] = [None] * len(wishes)
    errors: list[BaseException] = []

    def call_at(place: int) -> None:
        try:
            results[place] = call_once(call, wishes[place])
        except BaseException as error:  # handed on below
            errors.append(error)

    threads = [
        threading.Thread(target=call_at, args=(place,), name=f"client-{place}", daemon=True)
        for place in range(len(wishes))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results


async def _gathered(calls: list[Callable[[], Any]]) -> list[Any]:
    return await asyncio.gather(*(call() for call in calls))


def is_async(call: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(function_of(call))


def cancelled_calls(
    stage: Stage, call: Callable[..., Any], arguments: Mapping[str, Any]
) -> tuple[int, int]:
    """Return how many (tasks, connections) are left of calls that were cancelled while waiting."""
    left: tuple[int, int] = stage.worker.run(_cancelled, stage, call, arguments)
    return left


async def _cancelled(
    stage: Stage, call: Callable[..., Any], arguments: Mapping[str, Any]
) -> tuple[int, int]:
    before, others = stage.connections(), asyncio.all_tasks()
    stage.clock.holds = True
    try:
        for _ in range(CANCELS):
            task = asyncio.ensure_future(call(**arguments))
            await _until_it_waits(stage, task)
            task.cancel()
            await asyncio.wait({task}, timeout=ASK_S)
        await asyncio.sleep(LOOK_S * 3)
        left = [
            task
            for task in asyncio.all_tasks() - others
            # a lone asyncio.sleep does no harm, and what nobody holds is collected
            if not task.done() and not is_only_waiting(task)
        ]
    finally:
        stage.clock.holds = False
    return len(left), max(0, stage.connections() - before)


async def _until_it_waits(stage: Stage, task: asyncio.Future[Any]) -> None:
    """Return when a call has submitted its job and waits for it, or has come to its end."""
    calls = len(stage.scene.calls)
    while not task.done() and not stage.clock.is_over:
        await asyncio.sleep(LOOK_S)
        if len(stage.scene.calls) > calls and stage.is_quiet():
            break
    await asyncio.sleep(LOOK_S)


def shown(error: BaseException) -> str:
    """Return what a traceback would show of an exception and its causes, less source lines."""
    lines = traceback.TracebackException.from_exception(
        error, lookup_lines=False, capture_locals=False
    )
    texts = ["".join(lines.format_exception_only())]
    seen: set[int] = set()
    current = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        texts += [str(current), repr(current), *getattr(current, "__notes__", ())]
        current = current.__cause__ or current.__context__  # type: ignore[assignment]
    return "\n".join(texts)
