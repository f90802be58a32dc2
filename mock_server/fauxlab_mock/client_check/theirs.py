"""Which lines are a client's own, and at which of them an exception was raised."""

from __future__ import annotations

import sysconfig
import traceback
from pathlib import Path

__all__ = ["is_theirs", "place_of_error"]

# Where files lie whose lines say nothing about a client: Python, installed packages, ourselves.
_NOT_THEIRS = (
    *(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")),
    str(Path(__file__).resolve().parents[1]),
    "<frozen",
)


def is_theirs(file: str) -> bool:
    return not file.startswith(_NOT_THEIRS)


def place_of_error(error: BaseException) -> str:
    """Return `client.py:31`, the innermost line of the client's own on the way of an exception.

    Empty if there is none. Of an exception group, the place of its first exception counts.
    """
    if isinstance(error, BaseExceptionGroup):
        return place_of_error(error.exceptions[0])
    lines = [*traceback.walk_tb(error.__traceback__)]
    places = [(frame.f_code.co_filename, line) for frame, line in lines]
    own = [f"{_short(file)}:{line}" for file, line in places if is_theirs(file)]
    return own[-1] if own else ""


def _short(file: str) -> str:
    """Return a path as it is written from here, if it is below."""
    here = Path.cwd()
    return str(Path(file).relative_to(here)) if Path(file).is_relative_to(here) else file
