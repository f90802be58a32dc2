"""Waits that the mock makes in the place of a program: for an answer in process that is held back.

They are waits like the program's own (`clock.askers` knows this module), so in virtual time
deadlines around them strike, and others go on meanwhile.
"""

from __future__ import annotations

import time

import anyio

__all__ = ["pause", "pause_async"]

__tracebackhide__ = True


def pause(seconds: float) -> None:
    """Wait in a program's thread."""
    if seconds:
        time.sleep(seconds)


async def pause_async(seconds: float) -> None:
    """Wait in a program's task."""
    if seconds:
        await anyio.sleep(seconds)
