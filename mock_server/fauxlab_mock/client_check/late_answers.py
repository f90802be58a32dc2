"""Answers that a server holds back on the mock's clock, and how a client waits for them.

The server says how long an answer is held back; deadlines of the client end before, or do not. A
wait of which nothing was seen (in C, in another process, in a selector) proves nothing: its own
timeout is in real time, and the clock does not stand still for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from fauxlab_mock.clock.clock import Clock
from fauxlab_mock.clock.own_loop import own_loop

__all__ = ["LateAnswers"]

# Seconds for which an answer is held back beyond what was asked for, so that a client's timeout of
# the same length strikes first; aiohttp rounds its own up to a whole second.
BEYOND_S = 1.5
# Real seconds within which two alarms are the same, looked at twice.
SAME_S = 0.1


@dataclass(slots=True)
class LateAnswers:
    """The answers that are held back in one trial, and what was seen of the waits for them.

    While it `is_on`, timeouts of reads from the server's `port` are virtual. `untimed` says of each
    answer that came at the end of its time why the client would have waited for ever. `unseen` are
    the addresses of clients that got theirs in a way that was not seen.
    """

    clock: Clock
    port: int
    is_caller_seen: Callable[[], bool]  # whether only what is seen here can end the call's own wait
    is_on: bool = False
    untimed: list[str] = field(default_factory=list)
    unseen: dict[Any, bool] = field(default_factory=dict)  # -> whether nothing else would wake it
    _alarm_at: float = 0.0  # what the trial began with
    _held: set[Callable[[], None]] = field(default_factory=set)  # each lets one answer go

    def begin(self, *, is_on: bool) -> None:
        """Begin a trial; what is still held back is let go."""
        for let_go in [*self._held]:
            let_go()
        self.is_on, self._alarm_at = is_on, _alarm_at()
        self.untimed, self.unseen = [], {}

    @contextlib.asynccontextmanager
    async def hold(self, seconds: float, client: Any) -> AsyncIterator[None]:
        """Raise TimeoutError inside the block after some seconds of the clock."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(None) as timeout:

            def end() -> None:
                with contextlib.suppress(RuntimeError):  # the block is left already
                    timeout.reschedule(loop.time())

            def let_go() -> None:
                with contextlib.suppress(RuntimeError):  # the loop is closed
                    loop.call_soon_threadsafe(end)

            def ring() -> None:
                self.unseen[client] = not self.clock.is_waited_on()
                let_go()

            cancel = self.clock.set_alarm(seconds + BEYOND_S, ring)
            self._held.add(let_go)
            try:
                yield
            finally:
                cancel()
                self._held.discard(let_go)

    # What `virtual_reads` asks

    def concern(self, connection: socket.socket) -> bool:
        if not self.is_on or connection.family != socket.AF_INET:
            return False
        try:
            return bool(connection.getpeername()[1] == self.port)
        except OSError:  # not connected, or closed
            return False

    @contextlib.contextmanager
    def under_way(self, connection: socket.socket) -> Iterator[None]:
        client, timeout_s = connection.getsockname(), connection.gettimeout()
        came_before = client in self.unseen
        yield
        if _has_option(connection):  # what ends the read is in C
            return
        if timeout_s == 0:
            if came_before and own_loop() is not None:  # a loop reads what has come
                self._seen(client, "nothing ends the wait of its task")
        elif not came_before and client in self.unseen:
            self._seen(client, "" if timeout_s else "its socket has no timeout")

    def _seen(self, client: Any, why: str) -> None:
        # a signal of the client's ends its waits in real time; a test runner may have set another
        has_alarm = abs(_alarm_at() - self._alarm_at) > SAME_S
        if why and (has_alarm or not self.is_caller_seen()):
            return
        if self.unseen.pop(client) and why:
            self.untimed.append(why)


def _has_option(connection: socket.socket) -> bool:
    """True for a socket to whose reads the system sets an end, in real time."""
    with contextlib.suppress(OSError):  # closed, or not known to the system
        size = struct.calcsize("ll")  # of seconds and microseconds
        return any(connection.getsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, size))
    return False


def _alarm_at() -> float:
    """Return when a signal is to come, in real seconds from any moment; 0 if none is."""
    asked = getattr(signal, "getitimer", None)  # not everywhere
    left_s = asked(signal.ITIMER_REAL)[0] if asked else 0.0
    return monotonic() + left_s if left_s else 0.0
