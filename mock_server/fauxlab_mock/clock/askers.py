"""Who asks for a wait or for the time: code under test, or somebody who lives in real time.

The standard library's own waiting code asks for whoever called it, so the stack is followed past it
to the first module of somebody else: `Queue.get(timeout=5)` of a program is the program's wait, an
`asyncio.sleep` of uvicorn is uvicorn's.
"""

from __future__ import annotations

import sys
import threading
from types import FrameType

from fauxlab_mock.clock.clock import THREAD_PREFIX

__all__ = ["PRIMITIVES", "REAL", "asker_of", "is_asked_for_real"]

# Top-level packages that wait for real things: the test runner, other processes, our own server.
REAL = frozenset(
    {
        "_pytest",
        "pytest",
        "pluggy",
        "xdist",
        "execnet",
        "pytest_timeout",
        "hypothesis",
        "subprocess",
        "multiprocessing",
        "socketserver",
        "uvicorn",
        "fauxlab_mock",
    }
)
# Those that wait for whoever calls them.
PRIMITIVES = frozenset(
    {"asyncio", "concurrent", "queue", "selectors", "threading", "trio", "uvloop"}
)
# Ours that run a program under test, or wait in its place: what asks directly above them, asks for
# the program; but for a worker's own.
_DRIVERS = frozenset(
    {
        "fauxlab_mock.client_check.running.worker",
        "fauxlab_mock.client_check.webhook_handler",
        "fauxlab_mock.inprocess.pauses",
    }
)
_OWN_WAITS = frozenset({"begin", "close"})


def asker_of(frame: FrameType | None) -> str:
    """Return the top-level package that asks; "" where nobody but PRIMITIVES is on the stack."""
    while frame is not None:
        module: str = frame.f_globals.get("__name__", "")
        package = module.partition(".")[0]
        if module in _DRIVERS and frame.f_code.co_name not in _OWN_WAITS:
            return ""
        if package not in PRIMITIVES and not _waits_for_threads(module, frame):
            return package
        frame = frame.f_back
    return ""


def _waits_for_threads(module: str, frame: FrameType) -> bool:
    """True in the result of a pool of threads, which is of the same module as one of processes."""
    if module != "multiprocessing.pool":
        return False
    pool = getattr(frame.f_locals.get("self"), "_pool", None)
    return type(pool).__name__ == "ThreadPool"


def is_asked_for_real() -> bool:
    """True when the caller's caller, in a thread of the mock's own or for REAL, asks for this."""
    if threading.current_thread().name.startswith(THREAD_PREFIX):
        return True
    return asker_of(sys._getframe(2)) in REAL
