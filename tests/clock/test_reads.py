"""Reads from sockets in virtual time: the timeout or the answer, whichever comes first."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from fauxlab_mock.clock.clock import Clock
from fauxlab_mock.clock.reads import virtual_reads
from fauxlab_mock.clock.virtual import virtual_time

pytestmark = pytest.mark.alone
Pair = tuple[socket.socket, socket.socket]
Read = Callable[[socket.socket], bytes]


@dataclass
class Reads:
    """What is of interest: one connection, and how many reads of it are under way."""

    connection: socket.socket
    depth: int = 0
    count: int = 0

    def concern(self, connection: socket.socket) -> bool:
        return connection is self.connection

    @contextlib.contextmanager
    def under_way(self, _: socket.socket) -> Iterator[None]:
        self.depth, self.count = self.depth + 1, self.count + 1
        try:
            yield
        finally:
            self.depth -= 1


@pytest.fixture
def pair() -> Iterator[Pair]:
    """A connection, with a timeout of a minute at the first of its ends."""
    here, there = socket.socketpair()
    here.settimeout(60)
    with here, there:
        yield here, there


@pytest.fixture
def clock() -> Clock:
    return Clock("manual", start=0.0)


def by_recv(connection: socket.socket) -> bytes:
    return connection.recv(100)


def by_recv_into(connection: socket.socket) -> bytes:
    buffer = bytearray(100)
    return bytes(buffer[: connection.recv_into(buffer)])


def by_file(connection: socket.socket) -> bytes:
    with connection.makefile("rb") as file:
        return file.readline()


@pytest.mark.parametrize("read", [by_recv, by_recv_into, by_file])
def test_a_timeout_strikes_when_the_clock_has_come_to_it(
    pair: Pair, clock: Clock, read: Read
) -> None:
    """With the error of a real one, after a minute of the clock."""
    here, _ = pair
    reads = Reads(here)

    with (
        virtual_time(clock),
        virtual_reads(clock, reads),
        pytest.raises(TimeoutError, match=r"^timed out$"),
    ):
        read(here)

    assert (clock.now(), reads.depth, reads.count) == (60, 0, 1)


@pytest.mark.parametrize("read", [by_recv, by_recv_into, by_file])
def test_what_comes_before_the_timeout_is_read(pair: Pair, clock: Clock, read: Read) -> None:
    """Another thread sends it after ten seconds of the clock."""
    here, there = pair

    def send() -> None:
        time.sleep(10)
        there.sendall(b"an answer\n")

    with virtual_time(clock), virtual_reads(clock, Reads(here)):
        thread = threading.Thread(target=send)
        thread.start()
        came = read(here)
        thread.join()
        is_waited_on = clock.is_waited_on()

    assert (came, clock.now(), is_waited_on) == (b"an answer\n", 10, False)


def test_what_is_there_already_is_read_at_once(pair: Pair, clock: Clock) -> None:
    """The end of the connection as well."""
    here, there = pair
    there.sendall(b"an answer")
    there.shutdown(socket.SHUT_WR)

    with virtual_time(clock), virtual_reads(clock, Reads(here)):
        came = [here.recv(100), here.recv(100)]

    assert (came, clock.now()) == ([b"an answer", b""], 0)


def test_all_other_reads_are_left_alone(pair: Pair, clock: Clock) -> None:
    """Those of other connections, those with flags, and all after the block."""
    here, there = pair
    here.settimeout(0.01)
    there.settimeout(0.01)
    reads = Reads(here)

    with virtual_time(clock), virtual_reads(clock, reads):
        with pytest.raises(TimeoutError):
            there.recv(100)
        with pytest.raises(TimeoutError):
            here.recv(100, socket.MSG_PEEK)
        with pytest.raises(TimeoutError):
            here.recv_into(bytearray(100), 0, socket.MSG_PEEK)
    with pytest.raises(TimeoutError):
        here.recv(100)

    assert (clock.now(), reads.count) == (0, 0)
    assert "recv" not in vars(socket.socket)


def test_a_read_that_never_waits_does_not(pair: Pair, clock: Clock) -> None:
    """It has its turn among those that are of interest, and raises what it always does."""
    here, _ = pair
    here.setblocking(False)
    reads = Reads(here)

    with virtual_time(clock), virtual_reads(clock, reads), pytest.raises(BlockingIOError):
        here.recv(100)

    assert (clock.now(), reads.count) == (0, 1)
