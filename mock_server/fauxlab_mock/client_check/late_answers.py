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
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from fauxlab_mock.clock.clock import Clock
from fauxlab_mock.clock.own_loop import own_loop

__all__ = ["LateAnswers"]

# Seconds for which an answer is held back beyond what was asked for, so that a client's timeout of
# the same length strikes first; aiohttp rounds its own up to a whole second.
BEYOND_S = 1.5


@dataclass(slots=True, eq=False)
class _Hold:
    """One answer that is held back for the client at an address; `let_go()` ends that."""

    client: Any
    let_go: Callable[[], None]


@dataclass(slots=True)
class LateAnswers:
    """The answers that are held back in one trial, and what was seen of the waits for them.

    While it `is_on`, timeouts of reads from the server's `port` are virtual. `untimed` says of each
    answer that came at the end of its time why the client would have waited for ever. `unseen` are
    the addresses of clients that got theirs in a way that was not seen.
    """

    clock: Clock
    port: int
    calls: Callable[[], int]  # how many have come
    is_caller_seen: Callable[[], bool]  # whether only what is seen here can end the call's own wait
    is_on: bool = False
    untimed: list[str] = field(default_factory=list)
    unseen: dict[Any, bool] = field(default_factory=dict)  # -> whether nothing else would wake it
    _holds: set[_Hold] = field(default_factory=set)

    def begin(self, *, is_on: bool) -> None:
        """Begin a trial; what is still held back is let go."""
        for hold in [*self._holds]:
            hold.let_go()
        self.is_on = is_on
        self.untimed, self.unseen = [], {}

    @contextlib.asynccontextmanager
    async def hold(self, seconds: float, client: Any) -> AsyncIterator[None]:
        """Raise TimeoutError inside the block after some seconds of the clock."""
        loop, calls = asyncio.get_running_loop(), self.calls()
        async with asyncio.timeout(None) as timeout:

            def end() -> None:
                with contextlib.suppress(RuntimeError):  # the block is left already
                    timeout.reschedule(loop.time())

            def let_go() -> None:
                with contextlib.suppress(RuntimeError):  # the loop is closed
                    loop.call_soon_threadsafe(end)

            def ring() -> None:
                is_alone = self.calls() == calls and not self.clock.is_waited_on()
                self.unseen[client] = is_alone
                let_go()

            cancel = self.clock.set_alarm(seconds + BEYOND_S, ring)
            hold = _Hold(client, let_go)
            self._holds.add(hold)
            try:
                yield
            finally:
                cancel()
                self._holds.discard(hold)

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
        if timeout_s == 0:
            if came_before and own_loop() is not None:  # a loop reads what has come
                self._seen(client, "nothing ends the wait of its task")
        elif not came_before and client in self.unseen:
            self._seen(client, "" if timeout_s else "its socket has no timeout")

    def _seen(self, client: Any, why: str) -> None:
        if why and (_has_timer() or not self.is_caller_seen()):
            return
        if self.unseen.pop(client) and why:
            self.untimed.append(why)


def _has_timer() -> bool:
    """True if a signal would end a wait: in real time, so nobody knows when."""
    asked = getattr(signal, "getitimer", None)
    return asked is not None and any(asked(signal.ITIMER_REAL))
