"""Where a call stands: at which line of the client, and what it waits for there."""

from __future__ import annotations

import asyncio
import sys
import sysconfig
import threading
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

__all__ = ["has_own_lines", "is_only_waiting", "place_of", "place_of_error", "place_of_task"]

_STDLIB = sysconfig.get_path("stdlib")
_PACKAGES = tuple(sysconfig.get_path(name) for name in ("purelib", "platlib"))
# Where files lie whose lines say nothing about a client: Python, installed packages, ourselves.
_NOT_THEIRS = (
    _STDLIB,
    *_PACKAGES,
    str(Path(__file__).resolve().parents[2]),
    "<frozen",
)


def place_of(threads: Iterable[threading.Thread]) -> str:
    """Return the innermost line of a client's own in its threads, and what it called there.

    `client.py:31 on threading.Event.wait`. If all lines are Python's or ours, the innermost of the
    first thread: `selectors.py:468`.
    """
    frames = sys._current_frames()
    running = [frames[thread.ident] for thread in threads if thread.ident in frames]
    stacks = [[*traceback.walk_stack(innermost)] for innermost in running]
    places = [place for stack in stacks if (place := _own_place(stack))]
    if places:
        return places[0]
    for stack in stacks:
        frame, line = stack[0]
        return f"{frame.f_code.co_filename}:{line}"
    return "an unknown place"


def place_of_task(task: asyncio.Task[Any]) -> str:
    """Return the same of a task that waits; "" when no line of it is the client's own."""
    return _own_place([*reversed([*_awaiting(task.get_coro())])])


def is_only_waiting(task: asyncio.Task[Any]) -> bool:
    """True for a task that runs nothing but Python's own code, such as `asyncio.sleep`."""
    files = [frame.f_code.co_filename for frame, _ in _awaiting(task.get_coro())]
    return all(file.startswith(_STDLIB) and not file.startswith(_PACKAGES) for file in files)


def has_own_lines(thread: threading.Thread) -> bool:
    """True when a line of the client's own is on the thread's stack."""
    frame = sys._current_frames().get(thread.ident or 0)
    return frame is not None and bool(_own_place([*traceback.walk_stack(frame)]))


def _own_place(stack: list[tuple[FrameType, int]]) -> str:
    """Return the client's innermost line, with the function that it called; innermost first."""
    called = ""
    for frame, line in stack:
        file = frame.f_code.co_filename
        if not file.startswith(_NOT_THEIRS):
            return f"{file}:{line}{called}"
        module = frame.f_globals.get("__name__", "")
        if not module.startswith("fauxlab_mock"):
            called = f" on {module}.{frame.f_code.co_qualname}"
    return ""


def _awaiting(coroutine: Any) -> Iterator[tuple[FrameType, int]]:
    """Yield the frames of a coroutine and of what it awaits, outermost first."""
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
        if frame is None:
            return
        yield frame, frame.f_lineno
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "gi_yieldfrom", None)


def place_of_error(error: BaseException) -> str:
    """Return `client.py:31`, the innermost line of the client's own on the way of an exception.

    Empty if there is none. Of an exception group, the place of its first exception counts.
    """
    if isinstance(error, BaseExceptionGroup):
        return place_of_error(error.exceptions[0])
    lines = [*traceback.walk_tb(error.__traceback__)]
    places = [(frame.f_code.co_filename, line) for frame, line in lines]
    own = [f"{_short(file)}:{line}" for file, line in places if not file.startswith(_NOT_THEIRS)]
    return own[-1] if own else ""


def _short(file: str) -> str:
    """Return a path as it is written from here, if it is below."""
    here = Path.cwd()
    return str(Path(file).relative_to(here)) if Path(file).is_relative_to(here) else file
