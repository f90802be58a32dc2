"""What is wrong with the function that makes what is checked, in one sentence."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from typing import Any

__all__ = ["check_made", "check_make"]


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


def check_made(made: Any, wanted: str) -> Callable[..., Any]:
    """Return what was made; TypeError for what cannot be called."""
    __tracebackhide__ = True
    if callable(made):
        return made  # type: ignore[no-any-return] # a callable
    raise TypeError(
        f"the first argument must be {wanted}; it returned a value of type {type(made).__name__}"
    )


def _takes_two(signature: inspect.Signature) -> bool:
    try:
        signature.bind(None, None)
    except TypeError:
        return False
    return True


def _shown(make: Any) -> str:
    name = getattr(make, "__qualname__", "")
    return name or f"a value of type {type(make).__name__}"
