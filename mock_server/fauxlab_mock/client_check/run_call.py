"""One call of a client under test, in a thread of its own, and what was overheard of it.

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
import math
import sys
import sysconfig
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fauxlab_mock.client_check.stage import OutOfBoundsError, Stage

__all__ = [
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
LOOK_S = 0.02  # between two looks at a thread
ASK_S = 2.0  # for which a call may go on past its bounds until it is stuck
ARRIVE_S = 0.5  # for which a webhook that is under way as a call ends is waited for
IDLE_S = 0.06  # without a request, after which a client is taken to wait for its webhook
CANCELS = 3
# Where files lie whose lines say nothing about a client: Python, installed packages, ourselves.
_NOT_THEIRS = (
    *(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")),
    str(Path(__file__).resolve().parents[1]),
    "<frozen",
)
MakeClient = Callable[[str, str], Callable[..., Any]]


@dataclass(slots=True)
class CallOutcome:
    """How a call ended: with a `value`, with an `error`, or with neither when it was stopped.

    It was stopped if it passed its bounds, whatever it made of that: what a library raises for a
    connection that we cut is not the client's own end.
    `ended_at` is a moment of the mock's clock, `said` all that was overheard. `stuck_at` says where
    the thread stands (`client.py:12`) if it goes on all the same; else it is empty.
    """

    value: Any = None
    error: BaseException | None = None
    is_stopped: bool = False
    stuck_at: str = ""
    ended_at: float = 0.0
    said: str = ""

    @property
    def has_returned(self) -> bool:
        return self.error is None and not self.is_stopped


def perform(stage: Stage, script: Callable[[], Any]) -> CallOutcome:
    """Run a script in a thread of its own, within the bounds of the stage."""
    outcome = CallOutcome(is_stopped=True)

    def run() -> None:
        value, error = None, None
        try:
            value = script()
        except BaseException as raised:  # whatever a client raises is what we came for
            error = raised
        if not (stage.clock.is_over or isinstance(error, OutOfBoundsError)):
            outcome.value, outcome.error, outcome.is_stopped = value, error, False
        outcome.ended_at = stage.clock.now()

    thread = threading.Thread(target=run, name="client-under-test", daemon=True)
    with _overheard() as heard:
        thread.start()
        outcome.stuck_at = _watch(stage, thread)
        _let_webhooks_arrive(stage)
        outcome.said = heard()
    return replace(outcome)  # a thread that was left behind may come to its end later


def _watch(stage: Stage, thread: threading.Thread) -> str:
    """Wait until a thread ends, past its bounds for ASK_S; return where it is stuck, if it is."""
    others = set(threading.enumerate()) - {thread}
    ends_at = time.monotonic() + stage.limits.real_s
    idle_since, calls = time.monotonic(), 0
    while thread.is_alive():
        thread.join(LOOK_S)
        now = time.monotonic()
        if len(stage.scene.calls) != calls or not stage.is_quiet():
            calls, idle_since = len(stage.scene.calls), now
        if now > ends_at or stage.clock.is_over:
            stage.clock.end_call()
            ends_at = min(ends_at, now)
            if now > ends_at + ASK_S:
                started = set(threading.enumerate()) - others - {thread}
                return _place_of([thread, *started])
        elif now - idle_since > IDLE_S and _has_webhooks_to_come(stage):
            # a client that waits on a lock moves no clock
            moment = min(stage.clock.now() + 1, stage.clock.last)
            stage.clock.advance_to(moment)
    return ""


def _let_webhooks_arrive(stage: Stage) -> None:
    """Wait for a webhook whose receiver ended the call before it answered; then it is logged."""
    ends_at = time.monotonic() + ARRIVE_S
    while stage.clock.events.busy_since() is not None and time.monotonic() < ends_at:
        time.sleep(LOOK_S / 10)


def _place_of(threads: list[threading.Thread]) -> str:
    """Return file:line of the innermost line of a client's own in its threads.

    If all their lines are Python's or ours, the innermost of the first thread: `selectors.py:468`.
    """
    places = []
    frames = sys._current_frames()
    running = [frames[thread.ident] for thread in threads if thread.ident in frames]
    for innermost in running:
        for frame, line in traceback.walk_stack(innermost):
            file = frame.f_code.co_filename
            places.append(f"{file}:{line}")
            if not file.startswith(_NOT_THEIRS):
                return places[-1]
    return places[0] if places else "an unknown place"


def _has_webhooks_to_come(stage: Stage) -> bool:
    delivered = {attempt.job_id for attempt in stage.mock.webhooks}
    return any(
        job.webhook and job.ends_at < math.inf and job.id not in delivered
        for job in stage.mock.jobs
    )


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


def call_once(call: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Return the result of one call; an async one runs in an event loop of its own."""
    result = call(**arguments)
    return asyncio.run(_awaited(result)) if inspect.isawaitable(result) else result


async def _awaited(result: Any) -> Any:
    return await result


def side_by_side(call: Callable[..., Any], wishes: list[Mapping[str, Any]]) -> list[Any]:
    """Return the results of calls at the same time: tasks of one event loop, or threads.

    Raise the first error.
    """
    if is_async(call):
        return asyncio.run(_gathered([call(**wish) for wish in wishes]))
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


async def _gathered(calls: list[Any]) -> list[Any]:
    return await asyncio.gather(*calls)


def _function(call: Any) -> Any:
    """Return what is really called: a method of an object, the function behind a partial."""
    while hasattr(call, "func"):
        call = call.func
    if inspect.isroutine(call):
        return call
    return getattr(call, "__call__", call)  # noqa: B004 # its function is wanted


def is_async(call: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(_function(call))


def cancelled_calls(
    stage: Stage, call: Callable[..., Any], arguments: Mapping[str, Any]
) -> tuple[int, int]:
    """Return how many (tasks, connections) are left of calls that were cancelled while waiting."""
    return asyncio.run(_cancelled(stage, call, arguments))


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
        left = [task for task in asyncio.all_tasks() - others if not task.done()]
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
