"""Children by fork: a client is ended where it forks, for what its child does cannot be judged.

In the child only the thread lives on that forked: nobody moves the clock there, and a lock that
another thread held stays locked for ever. A program that is started anew (`subprocess`, the method
`spawn` of `multiprocessing`) is no such child.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

from fauxlab_mock.client_check.running.standing import place_of
from fauxlab_mock.clock.clock import THREAD_PREFIX

__all__ = ["forks_refused"]

FORKS = ("fork", "forkpty")  # of `os`; not on every system


@contextlib.contextmanager
def forks_refused(
    refuse: Callable[[str], object], is_client: Callable[[threading.Thread], bool]
) -> Iterator[None]:
    """While the block lasts, call `refuse(place)`, which raises, where a client's thread forks."""

    def stand_in(fork: Callable[[], Any]) -> Callable[[], Any]:
        def begin() -> Any:
            thread = threading.current_thread()
            if is_client(thread) and not thread.name.startswith(THREAD_PREFIX):
                refuse(place_of([thread]))
            return fork()

        return begin

    with contextlib.ExitStack() as stack:
        for name in FORKS:
            if fork := getattr(os, name, None):
                stack.enter_context(patch.object(os, name, stand_in(fork)))
        yield
