"""One call of a client under test, in a thread of its own that always ends, and what was overheard
of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import inspect
import io
import logging
import math
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
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

# real seconds between two looks at a thread; for which a thread is asked to end
LOOK_S, ASK_S = 0.02, 2.0
IDLE_S = 0.06  # real seconds without a call after which a client is taken to wait for its webhook
CANCELS = 3
MakeClient = Callable[[str, str], Callable[..., Any]]


@dataclass(slots=True)
class CallOutcome:
    """How a call ended: `value`, or `error`, or neither when it was stopped. Times are the clock's;
    `said` is all that was overheard.

    `is_stuck`: its thread could not be ended.
    """

    value: Any = None
    error: BaseException | None = None
    is_stopped: bool = False
    is_stuck: bool = False
    ended_at: float = 0.0
    said: str = ""

    @property
    def has_returned(self) -> bool:
        return self.error is None and not self.is_stopped


def perform(stage: Stage, script: Callable[[], Any]) -> CallOutcome:
    """Run a script in a thread; past the limits its sleeps raise, its calls get no answers, and it
    is asked to end.
    """
    outcome = CallOutcome(is_stopped=True)

    def run() -> None:
        try:
            outcome.value, outcome.is_stopped = script(), False
        except OutOfBoundsError:
            pass
        except BaseException as error:  # whatever a client raises is what we came for
            outcome.error, outcome.is_stopped = error, False
        outcome.ended_at = stage.clock.now()

    thread = threading.Thread(target=run, name="client-under-test", daemon=True)
    with _overheard() as heard:
        thread.start()
        outcome.is_stuck = not _watch(stage, thread)
        outcome.said = heard()
    return outcome


def _watch(stage: Stage, thread: threading.Thread) -> bool:
    """Wait for the end of a thread, and bring it about when it takes too long; False when that
    cannot be done.
    """
    started = idle_since = time.monotonic()
    calls, asked_at = 0, 0.0
    while thread.is_alive():
        thread.join(LOOK_S)
        now = time.monotonic()
        if len(stage.scene.calls) != calls or not stage.is_quiet():
            calls, idle_since = len(stage.scene.calls), now
        if stage.scene.is_overrun or now - started > stage.limits.real_s:
            asked_at = asked_at or now
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(thread.ident or 0), ctypes.py_object(OutOfBoundsError)
            )
            if now - asked_at > ASK_S:
                return False
        elif now - idle_since > IDLE_S and _has_webhooks_to_come(stage):
            # whoever waits on a lock moves no clock
            stage.clock.advance_to(min(stage.clock.now() + 1, stage.clock.last))
    return True


def _has_webhooks_to_come(stage: Stage) -> bool:
    told = {attempt.job_id for attempt in stage.mock.webhooks}
    return any(
        job.webhook and job.ends_at < math.inf and job.id not in told for job in stage.mock.jobs
    )


@contextlib.contextmanager
def _overheard() -> Iterator[Callable[[], str]]:
    """What is printed, logged and warned of while the block lasts."""
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
        warnings.simplefilter("always")
        root.handlers = [handler]
        root.setLevel(logging.DEBUG)
        try:
            yield lambda: text.getvalue() + "".join(str(one.message) for one in caught)
        finally:
            root.setLevel(level)
            root.handlers = others


def call_once(call: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """The result of one call, of an async one in an event loop of its own."""
    result = call(**arguments)
    return asyncio.run(_awaited(result)) if inspect.isawaitable(result) else result


async def _awaited(result: Any) -> Any:
    return await result


def side_by_side(call: Callable[..., Any], wishes: list[Mapping[str, Any]]) -> list[Any]:
    """The results of calls at the same time: tasks of one loop, or threads. The first error is
    raised.
    """
    first = call(**wishes[0]) if inspect.iscoroutinefunction(_function(call)) else None
    if first is not None:
        return asyncio.run(_gathered([first, *(call(**wish) for wish in wishes[1:])]))
    results: list[Any] = [None] * len(wishes)
    errors: list[BaseException] = []

    def one(place: int) -> None:
        try:
            results[place] = call_once(call, wishes[place])
        except BaseException as error:  # handed on below
            errors.append(error)

    threads = [
        threading.Thread(target=one, args=(place,), name=f"client-{place}", daemon=True)
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
    """What really is called: a method of an object, the function behind a partial."""
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
    """(tasks, connections) that are left of calls that were cancelled while they waited for their
    jobs.
    """
    return asyncio.run(_cancelled(stage, call, arguments))


async def _cancelled(
    stage: Stage, call: Callable[..., Any], arguments: Mapping[str, Any]
) -> tuple[int, int]:
    stage.clock.holds = True
    gc.disable()  # or luck would close what was left open
    before, others = stage.connections(), asyncio.all_tasks()
    try:
        for _ in range(CANCELS):
            seen = len(stage.scene.calls)
            task = asyncio.ensure_future(call(**arguments))
            while not task.done() and (len(stage.scene.calls) == seen or not stage.is_quiet()):
                await asyncio.sleep(LOOK_S)
            await asyncio.sleep(LOOK_S)
            task.cancel()
            await asyncio.wait({task}, timeout=ASK_S)
        await asyncio.sleep(LOOK_S * 3)
        left = [one for one in asyncio.all_tasks() - others if not one.done()]
        return len(left), max(0, stage.connections() - before)
    finally:
        gc.enable()
        stage.clock.holds = False


def shown(error: BaseException) -> str:
    """All that a traceback would show of an exception and its causes, without source lines."""
    lines = traceback.TracebackException.from_exception(
        error, lookup_lines=False, capture_locals=False
    )
    texts, seen, current = ["".join(lines.format_exception_only())], set(), error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        texts += [str(current), repr(current), *getattr(current, "__notes__", ())]
        current = current.__cause__ or current.__context__  # type: ignore[assignment]
    return "\n".join(texts)
