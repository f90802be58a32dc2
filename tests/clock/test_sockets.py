"""Real services keep their time: an answer of another process is waited for."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from fauxlab_mock.clock.clock import Clock
from fauxlab_mock.clock.sockets import is_answer_awaited
from fauxlab_mock.clock.virtual import virtual_time

pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(sys.platform != "linux", reason="Linux tells of connections"),
]
# A service that takes a real moment to answer each line.
SERVICE = """
import socket, time
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
connection, _ = listener.accept()
while line := connection.recv(100):
    time.sleep(float(line))
    connection.sendall(b"done")
"""


@pytest.fixture
def port() -> Iterator[int]:
    """The port of another process that answers slowly."""
    command = [sys.executable, "-c", SERVICE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.kill()


@pytest.mark.parametrize("waits_s", [[0.2], [0.0, 0.0, 0.2]], ids=["one", "several"])
def test_a_timeout_around_a_real_answer_does_not_fire(port: int, waits_s: list[float]) -> None:
    """A deadline around a call of another process ends after the answer, though it is virtual."""
    clock = Clock("manual", start=1_000_000.0)
    beside: list[float] = []

    async def sleeper() -> None:
        await asyncio.sleep(3_600)
        beside.append(clock.now())

    async def main() -> list[bytes]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        answers = []
        task = asyncio.create_task(sleeper())
        for wait_s in waits_s:
            writer.write(str(wait_s).encode())
            async with asyncio.timeout(60):
                answers.append(await reader.read(100))
        early = list(beside)
        await task
        writer.close()
        return [*answers, *(b"early" for _ in early)]

    with virtual_time(clock):
        assert asyncio.run(main()) == [b"done"] * len(waits_s)


def test_threads_wait_for_real_answers_too(port: int) -> None:
    """A thread that sleeps an hour does not beat another one's call of another process."""
    clock = Clock("manual", start=1_000_000.0)
    order: list[str] = []

    def ask() -> None:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            begun.set()
            connection.sendall(b"0.2")
            connection.recv(100)
        order.append("answer")

    with virtual_time(clock):
        begun = threading.Event()
        thread = threading.Thread(target=ask)
        thread.start()
        begun.wait()
        time.sleep(3_600)
        order.append("sleep")
        thread.join(10)

    assert order == ["answer", "sleep"]


def test_connections_within_the_process_are_no_matter() -> None:
    """Who waits for another thread of this process is not waited for: that thread may sleep."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        client = stack.enter_context(socket.create_connection(listener.getsockname()))
        accepted, _ = listener.accept()
        stack.enter_context(accepted)
        client.sendall(b"question")

        assert is_answer_awaited() is False
