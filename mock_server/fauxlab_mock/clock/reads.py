"""Reads from sockets in virtual time: a timeout strikes when the mock's clock has come to it.

Python's own libraries, and requests, urllib3 and httpx above them, wait for an answer inside of
`socket.recv` or `recv_into`, in C and in real time. For the connections that somebody names here,
such a read is a deadline on the clock, and whichever is first ends it: the answer or the clock.
What is readable is then read as ever. Tasks need none of this: their deadlines are timers of their
loop.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
from collections.abc import Callable, Iterator
from typing import Any, Protocol
from unittest.mock import patch

from fauxlab_mock.clock.clock import Clock

__all__ = ["Reads", "virtual_reads"]

__tracebackhide__ = True

# Method -> how many arguments it takes before its flags: who gives flags may not want to wait.
READS = {"recv": 1, "recv_into": 2}


class Reads(Protocol):
    """Which reads are of interest, and what is around each of them."""

    def concern(self, connection: socket.socket, /) -> bool:
        """Return True for a connection whose reads wait on the clock."""
        ...

    def under_way(self, connection: socket.socket, /) -> contextlib.AbstractContextManager[None]:
        """Return a block that is around a read from such a connection."""
        ...


@contextlib.contextmanager
def virtual_reads(clock: Clock, reads: Reads) -> Iterator[None]:
    """While the block lasts, inside `virtual_time(clock)`, let timeouts of reads be virtual."""
    kind = next(kind for kind in socket.socket.__mro__ if kind.__module__ == "socket")
    with contextlib.ExitStack() as stack:
        for name, most in READS.items():
            stand_in = _reading(getattr(kind, name), most, clock, reads)
            stack.enter_context(patch.object(kind, name, stand_in))
        yield


def _reading(
    really: Callable[..., Any], most: int, clock: Clock, reads: Reads
) -> Callable[..., Any]:
    def read(self: socket.socket, *args: Any, **options: Any) -> Any:
        if len(args) > most or "flags" in options or not reads.concern(self):
            return really(self, *args, **options)
        with reads.under_way(self):
            timeout_s = self.gettimeout()
            if timeout_s:
                _wait_until_readable(clock, self, timeout_s)
            return really(self, *args, **options)

    return read


def _wait_until_readable(clock: Clock, connection: socket.socket, seconds: float) -> None:
    """Return when there is something to read; raise what a socket raises at its timeout."""
    bell, hand = socket.socketpair()

    def ring() -> None:
        with contextlib.suppress(OSError):  # the read has ended at the same moment
            hand.send(b"!")

    with bell, hand, selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        selector.register(bell, selectors.EVENT_READ)
        cancel = clock.set_alarm(seconds, ring)
        try:
            ready = {key.fileobj for key, _ in selector.select()}
        finally:
            cancel()
    if connection not in ready:
        raise TimeoutError("timed out")
