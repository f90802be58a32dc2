"""Runs the calls of a client one after the other: in one thread, and in one event loop.

So a client that belongs to a thread or to a loop stays where it was made. The thread is one of its
own, which can be left behind; a client that sets signals is called in the main thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import signal
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

__all__ = ["Worker", "WorkerTask"]

CLOSE_S = 2.0  # real seconds for a thread to come to its end


class WorkerTask:
    """One script that a thread runs; `done` is set at its end.

    `before` are the threads that were there when it began, `awaits` is the task in which it awaits
    something, if it does.
    """

    def __init__(self, script: Callable[[], None]) -> None:
        self.script, self.done = script, threading.Event()
        self.before = frozenset(threading.enumerate())
        self.thread: threading.Thread = threading.current_thread()
        self.is_at_work = False  # in the client's code
        self.loop: asyncio.AbstractEventLoop | None = None
        self.awaits: asyncio.Task[Any] | None = None

    @property
    def is_in_main(self) -> bool:
        return self.thread is threading.main_thread()

    def run(self) -> None:
        self.thread = threading.current_thread()
        try:
            self.script()
        finally:
            self.done.set()

    def cancel(self) -> None:
        """Cancel what the job awaits, if it awaits anything."""
        loop, task = self.loop, self.awaits
        if loop is not None and task is not None:
            with contextlib.suppress(RuntimeError):  # it is closed
                loop.call_soon_threadsafe(task.cancel)


class Worker:
    """A thread, with an event loop if it is needed; or the thread that asks, if `is_here`."""

    def __init__(self, *, is_here: bool = False) -> None:
        self.is_here = is_here
        self._jobs: queue.SimpleQueue[WorkerTask | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._runner: asyncio.Runner | None = None
        self._job: WorkerTask | None = None

    @property
    def thread(self) -> threading.Thread | None:
        return self._thread

    def begin(self, job: WorkerTask) -> None:
        """Begin a job; when the worker is here, return at its end."""
        self._job = job
        if self.is_here:
            with _interruptible():
                job.run()
            return
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._work, name="client-under-test", daemon=True
            )
            self._thread.start()
        job.thread = self._thread
        self._jobs.put(job)

    def resolved(self, value: Any) -> Any:
        """Return a value, or what comes of awaiting it in the loop; for a job's script."""
        return self.run(_awaited, value) if hasattr(value, "__await__") else value

    def run(self, function: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        """Return the result of an async function, which is called in the loop."""
        if self._runner is None:
            self._runner = asyncio.Runner()
        job = self._job

        async def whole() -> Any:
            if job is not None:
                job.loop, job.awaits = asyncio.get_running_loop(), asyncio.current_task()
            try:
                return await function(*arguments)
            finally:
                if job is not None:
                    job.awaits = None

        return self._runner.run(whole())

    def is_awaiting(self) -> bool:
        """True while a job awaits something in the loop."""
        return self._job is not None and self._job.awaits is not None

    def close(self) -> None:
        """End the thread and the loop; what still runs in it is cancelled."""
        if self.is_here:
            self._close_loop()
        elif self._thread is not None:
            self._jobs.put(None)
            self._thread.join(CLOSE_S)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job.run()
        self._close_loop()

    def _close_loop(self) -> None:
        if self._runner is not None:
            with contextlib.suppress(Exception):
                self._runner.close()


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Let the main thread be interrupted, also in a process that was started to ignore Ctrl-C.

    A shell starts so what it runs in the background.
    """
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


async def _awaited(value: Any) -> Any:
    return await value
