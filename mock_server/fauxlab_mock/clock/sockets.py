"""Whether somebody outside of this process owes it an answer, as Linux tells of TCP connections.

A database or a service on this machine takes real time to answer, so timeouts around its calls must
not end meanwhile. Connections within this process are no matter: threads at their ends are seen.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["is_answer_awaited"]

# Milliseconds for which an answer is waited for; with less, whether it came is not clear, for all
# that is known of both is the same few milliseconds in which question and answer were sent.
AWAITED_MS, UNCLEAR_MS = 5_000, 250
_FILES = "/proc/self/fd"
# Linux's `struct tcp_info`: state, …, unacknowledged segments, …, milliseconds since data were
# sent, …, since data came, since an acknowledgement came.
_TCP_INFO = struct.Struct("=B23xI16xI4xII")
_ESTABLISHED = 1


@dataclass(frozen=True, slots=True)
class _Connection:
    """One end of a connection: both addresses, and what `tcp_info` says."""

    here: Any
    there: Any
    unacknowledged: int
    sent_ms: int
    received_ms: int
    acknowledged_ms: int

    def awaits_answer(self) -> bool:
        if self.sent_ms > AWAITED_MS:
            return False
        if self.unacknowledged or min(self.sent_ms, self.acknowledged_ms) < self.received_ms:
            return True
        return self.sent_ms == self.received_ms < UNCLEAR_MS


def is_answer_awaited() -> bool:
    """True while this process has asked another one something over TCP, for a few seconds."""
    if sys.platform != "linux":
        return False
    connections = list(_connections())
    ends = {(connection.here, connection.there) for connection in connections}
    return any(
        connection.awaits_answer()
        for connection in connections
        if (connection.there, connection.here) not in ends
    )


def _connections() -> Iterator[_Connection]:
    for file in os.listdir(_FILES):
        try:
            # neither a copy nor a socket of somebody's who replaced `socket.socket`
            borrowed = socket.SocketType(fileno=int(file))
        except OSError:  # no socket
            continue
        try:
            info = borrowed.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size)
            state, *numbers = _TCP_INFO.unpack(info)
            if state == _ESTABLISHED:
                yield _Connection(borrowed.getsockname(), borrowed.getpeername(), *numbers)
        except (OSError, struct.error):  # not TCP, or closed meanwhile
            continue
        finally:
            borrowed.detach()
