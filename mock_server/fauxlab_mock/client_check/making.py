"""The function that makes what is checked: what is wrong with it, and what comes of it, opened."""

from __future__ import annotations

import contextlib
import inspect
import re
from collections.abc import Callable, Collection, Iterator
from typing import Any

from fauxlab_mock.client_check.running.worker import Worker

__all__ = ["check_made", "check_make", "function_of", "opened", "swapped"]


def check_make(make: Any, wanted: str, fields: Collection[str] = ()) -> None:
    """Raise TypeError for what cannot be called with two values, or takes fields of a request.

    `wanted` says what it must be: `make(base_url, key), which returns …`.
    """
    __tracebackhide__ = True
    if not callable(make):
        raise TypeError(f"the first argument must be {wanted}; it is {_shown(make)}")
    try:
        signature = inspect.signature(make)
    except (TypeError, ValueError):  # of a callable in C: calling it will tell
        return
    first = next(iter(signature.parameters), "")
    if first in fields or not _takes_two(signature):
        raise TypeError(
            f"the first argument must be {wanted}; it is {_shown(make)}, which takes"
            f" {str(signature).partition(' -> ')[0]:.80}"
        )
    if inspect.iscoroutinefunction(make):
        raise TypeError(
            f"the first argument must be {wanted}; it is async, and only what it returns may be"
        )


def swapped(make: Callable[..., Any]) -> str:
    """Return `key, base_url` if the parameters of `make` seem to be in that order; else ""."""
    try:
        names = [*inspect.signature(make).parameters][:2]
    except (TypeError, ValueError):  # of a callable in C
        return ""
    is_key = re.search("key|token|secret", names[0].lower())
    is_url = re.search("url|base|host", names[-1].lower())
    return ", ".join(names) if is_key and is_url else ""


def check_made(made: Any, wanted: str) -> Callable[..., Any]:
    """Return what was made; TypeError for what cannot be called."""
    __tracebackhide__ = True
    if callable(made):
        return made  # type: ignore[no-any-return] # a callable
    raise TypeError(
        f"the first argument must be {wanted}; it returned a value of type {type(made).__name__}"
    )


@contextlib.contextmanager
def opened(
    made: Any, wanted: str, worker: Worker, shared: Any = None
) -> Iterator[Callable[..., Any]]:
    """Yield the callable that was made, and close what it came from at the end, in a worker's job.

    A context manager is entered and left, sync or async. What has `aclose` or `close` is closed:
    the callable, or the object whose method it is, unless that is `shared` by several clients.
    """
    kind = type(made)
    with contextlib.ExitStack() as stack:
        if hasattr(kind, "__enter__"):
            made = _entered(made, stack.enter_context(made))
        elif hasattr(kind, "__aenter__"):
            manager = made
            made = _entered(manager, worker.run(kind.__aenter__, manager))
            stack.callback(worker.run, kind.__aexit__, manager, None, None, None)
        else:
            stack.callback(_close, made, worker, shared)
        yield check_made(made, wanted)


def _entered(manager: Any, inner: Any) -> Any:
    """Return what can be called: what a context manager gives, or the manager itself."""
    return manager if not callable(inner) and callable(manager) else inner


def _close(made: Any, worker: Worker, shared: Any) -> None:
    """Close what was made, or its owner; what goes wrong there is no matter of the call."""
    for owner in (made, getattr(made, "__self__", None)):
        close = getattr(owner, "aclose", None) or getattr(owner, "close", None)
        if owner is not shared and callable(close) and not inspect.isclass(owner):
            with contextlib.suppress(Exception):
                worker.resolved(close())
            return


def _takes_two(signature: inspect.Signature) -> bool:
    try:
        signature.bind(None, None)
    except TypeError:
        return False
    return True


def _shown(make: Any) -> str:
    name = getattr(make, "__qualname__", "")
    return name or f"a value of type {type(make).__name__}"


def function_of(call: Any) -> Any:
    """Return what is really called: a method of an object, the function behind a partial."""
    while hasattr(call, "func"):
        call = call.func
    if inspect.isroutine(call):
        return call
    return getattr(call, "__call__", call)  # noqa: B004 # its function is wanted
