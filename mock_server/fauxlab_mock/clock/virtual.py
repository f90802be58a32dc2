"""Waiting for free: inside `virtual_time(clock)` a wait moves the clock instead of waiting.

What is replaced: `time.sleep`, and the readings `time.monotonic` and `time.perf_counter` with their
`_ns` forms, in that module and under every name to which another loaded module has bound them
(`from time import sleep`); `threading.Condition.wait`; the timers of event loops (`loops.py`); the
clock of trio's runs (`trio_runs.py`); and the wall clock (`wall.py`). There is no narrower seam: a
program under test may wait and look at the clock anywhere. The same search puts the real functions
back. Whoever kept a stand-in elsewhere (a default argument, a list) has the real function in it
after the block.
"""

from __future__ import annotations

import contextlib
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from types import FunctionType
from typing import Any
from unittest.mock import patch

from fauxlab_mock.clock.askers import REAL, is_asked_for_real
from fauxlab_mock.clock.clock import Clock
from fauxlab_mock.clock.loops import loop_patches
from fauxlab_mock.clock.readings import Readings, next_tick
from fauxlab_mock.clock.sleepers import Sleepers
from fauxlab_mock.clock.trio_runs import virtual_trio
from fauxlab_mock.clock.waits import virtual_sleep, virtual_wait
from fauxlab_mock.clock.wall import wall_clock

__all__ = ["virtual_time"]

Function = Callable[..., Any]
_INSTALLED = tuple(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib"))
# Top-level packages that keep the real functions: event loops compare real timers with them.
KEEP_REAL = REAL | {"asyncio", "selectors", "trio"}

_active = threading.Lock()


@contextlib.contextmanager
def virtual_time(clock: Clock, *, bystanders: Collection[threading.Thread] = ()) -> Iterator[Clock]:
    """While the block lasts, a wait moves `clock` to the moment at which it would have ended.

    The wall clock is `clock`; `time.monotonic`, `time.perf_counter` and the time of event loops
    stand still and jump with it (`readings.py`). Waits at the same time do not add up, and end in
    the order of their ends. Other processes, the test runner and the mock's own threads keep
    the real functions. Threads in `bystanders` only wait for what happens here, so nobody waits
    for them to go to sleep. Raise RuntimeError inside another such block: there is one time.
    """
    if not isinstance(clock, Clock):
        kind = type(clock).__name__
        raise TypeError(f"virtual_time needs a Clock, such as mock.clock, not a {kind}")
    if not _active.acquire(blocking=False):
        raise RuntimeError("virtual_time is active already; a process has one time")
    try:
        with contextlib.ExitStack() as stack:
            # first, for the block's beginning and end: all waits end when nothing is patched
            sleepers = Sleepers(clock, bystanders)
            clock.mark_slept_on(
                sleepers.warning,
                is_waited_on=sleepers.is_anybody_asleep,
                endless_waits=sleepers.endless.copy,
                set_alarm=sleepers.set_alarm,
            )
            stack.callback(sleepers.end)
            _patch(stack, sleepers)
            clock.is_virtual = True
            yield clock
    finally:
        clock.is_virtual = False
        _active.release()


def _patch(stack: contextlib.ExitStack, sleepers: Sleepers) -> None:
    clock = sleepers.clock
    readings = Readings(clock)
    stack.enter_context(wall_clock(clock))
    # below Event, Queue and the others; `patch.object` puts it back, and the loops' methods
    stack.enter_context(patch.object(threading.Condition, "wait", virtual_wait(sleepers)))
    for kind, name, stand_in in loop_patches(sleepers, readings.monotonic):
        stack.enter_context(patch.object(kind, name, stand_in))
    stack.enter_context(virtual_trio(sleepers, readings))
    stand_ins = _stand_ins(sleepers, readings)
    stack.callback(_swap, {stand_in: real for real, stand_in in stand_ins.items()})
    _swap(stand_ins)


def _stand_ins(sleepers: Sleepers, readings: Readings) -> dict[Function, Function]:
    """Return real function -> what stands in for it, and is the real one again after the block."""
    counted, counted_ns = next_tick(time.perf_counter()), time.perf_counter_ns()
    began_ns = time.monotonic_ns()

    def passed_ns() -> int:
        return round(readings.passed_s() * 1e9)

    virtual: dict[Function, Function] = {
        time.monotonic: readings.monotonic,
        time.perf_counter: lambda: counted + readings.passed_s(),
        time.monotonic_ns: lambda: began_ns + passed_ns(),
        time.perf_counter_ns: lambda: counted_ns + passed_ns(),
    }
    return {
        time.sleep: virtual_sleep(sleepers),
        **{real: _reading(sleepers, real, virtual[real]) for real in virtual},
    }


def _reading(sleepers: Sleepers, real: Function, virtual: Function) -> Function:
    def read() -> Any:
        return real() if sleepers.is_over or is_asked_for_real() else virtual()

    return read


def _swap(replacements: Mapping[Function, Function]) -> None:
    """Replace functions under all their names in the loaded modules of those who live virtually.

    In modules that are neither Python's nor installed, so are defaults of arguments
    (`def wait(sleep=time.sleep)`).
    """
    by_id = {id(old): new for old, new in replacements.items()}
    for module_name, module in list(sys.modules.items()):
        if module_name.partition(".")[0] in KEEP_REAL:
            continue
        names = getattr(module, "__dict__", {})
        if not str(names.get("__file__") or "").startswith(_INSTALLED):
            for function in _functions_of(module_name, names):
                _swap_defaults(function, by_id)
        if by_id.keys().isdisjoint(map(id, list(names.values()))):  # nearly always, and fast
            continue
        for name, value in list(names.items()):
            if id(value) in by_id:
                names[name] = by_id[id(value)]


def _functions_of(module: str, names: Mapping[str, Any]) -> Iterator[FunctionType]:
    """Yield the functions and methods that a module defines."""
    for value in list(names.values()):
        inner = [*vars(value).values()] if isinstance(value, type) else [value]
        for function in inner:
            if isinstance(function, FunctionType) and function.__module__ == module:
                yield function


def _swap_defaults(function: FunctionType, by_id: Mapping[int, Function]) -> None:
    defaults, by_name = function.__defaults__ or (), function.__kwdefaults__ or {}
    if not by_id.keys().isdisjoint(map(id, (*defaults, *by_name.values()))):
        function.__defaults__ = tuple(by_id.get(id(value), value) for value in defaults) or None
        for name, value in by_name.items():
            by_name[name] = by_id.get(id(value), value)
