"""The connections on which a call was answered and the next has not begun: how many are kept."""

from __future__ import annotations

import asyncio
import contextlib
import select
import sys

from fauxlab_mock.settings import Limits

__all__ = ["IdleConnections"]

SPARE_FILES = 4


class IdleConnections:
    """Keeps at most `limits.idle_connections`; the one that has been idle longest is closed first.

    An eighth of the files that the system lets this process open is left to calls that are under
    way, to webhooks and to whatever else the program does.
    """

    def __init__(self, limits: Limits) -> None:
        self._files, self._has_warned = _open_files(), False
        self.most = min(limits.idle_connections, self._files * 7 // 8)
        self._idle: dict[asyncio.Transport, None] = {}  # in the order in which they became idle

    def __len__(self) -> int:
        return len(self._idle)

    def opened(self, connection: asyncio.Transport) -> None:
        """Warn if there are hardly any files left for more connections than this new one."""
        if _descriptor(connection) >= self._files - SPARE_FILES:
            self.warn()

    def warn(self) -> None:
        """Say once that connections are lost; event loops say nothing, or the same all the time."""
        if self._has_warned:
            return
        self._has_warned = True
        with contextlib.suppress(OSError, ValueError):  # nobody may be reading any more
            print(
                f"fauxlab: warning: this process may have {self._files} files open, and has hardly"
                " any left: further connections wait, or are lost. Raise `ulimit -n`, or let"
                " clients close connections.",
                file=sys.stderr,
            )

    def add(self, connection: asyncio.Transport) -> None:
        """Note that nothing is under way on a connection, and close one if there are too many."""
        self._idle.pop(connection, None)
        self._idle[connection] = None
        if len(self._idle) > self.most:
            self._close_one()

    def discard(self, connection: asyncio.Transport) -> None:
        """Note that something has come on a connection, or that it has ended."""
        self._idle.pop(connection, None)

    def _close_one(self) -> None:
        for connection in self._idle:
            if not _has_news(connection):
                del self._idle[connection]
                connection.close()
                return


def _open_files() -> int:
    """Return how many files this process may have open, now."""
    try:
        import resource
    except ImportError:  # not on Windows, which has no such limit
        return 2**31
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 2**31 if most == resource.RLIM_INFINITY else most


def _has_news(connection: asyncio.Transport) -> bool:
    """Return True if something has come that has not been read: the next call, or the end.

    Closed now, the connection would be reset under a client that is sending.
    """
    if not hasattr(select, "poll"):  # on Windows
        return False
    poller = select.poll()
    poller.register(_descriptor(connection), select.POLLIN)
    return bool(poller.poll(0))


def _descriptor(connection: asyncio.Transport) -> int:
    """Return the number of a connection's file: the lowest that was free."""
    number: int = connection.get_extra_info("socket").fileno()
    return number
