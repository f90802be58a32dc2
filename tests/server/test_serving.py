"""A mock for the length of a with block."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
import urllib.request
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

import fauxlab_client as fc
from driving import SUBMIT, VALID
from fauxlab_mock import Answer, serve
from fauxlab_mock.behaviour import faults
from fauxlab_mock.behaviour.faults import FaultEffect
from serving import address_of, connected, post_json, read_all, request


def test_serve_answers_on_a_loopback_port_of_its_own() -> None:
    """Two mocks can run side by side; each knows its own jobs and requests."""
    with serve() as first, serve(scenario="failed") as second:
        job = post_json(first.public_url + SUBMIT, VALID)

        assert job["fetch_result"].startswith(first.url + "/")
        assert [(len(list(mock.jobs)), len(mock.requests)) for mock in (first, second)] == [
            (1, 1),
            (0, 0),
        ]


def test_serving_leaves_the_loops_of_the_process_alone() -> None:
    """A server with uvloop does not make it the loop of the program that starts the server."""

    async def loop() -> type[asyncio.AbstractEventLoop]:
        return type(asyncio.get_running_loop())

    before = asyncio.run(loop())
    with serve():
        during = asyncio.run(loop())

    assert during is before


def test_our_client_reaches_success_on_the_auto_clock_without_waiting() -> None:
    """With the auto clock a job of a day is ready at its second fetch."""
    pauses: list[float] = []
    with (
        serve(eta=86_400.0) as mock,
        fc.Client("key", base_url=mock.url, sleep=pauses.append) as client,
    ):
        result = client.generate(prompt="p", face_image="https://example.com/face.png", seed=1)

    assert (len(result.output), [round(pause) for pause in pauses]) == (1, [60, 1])


def test_what_others_could_reach_needs_a_token() -> None:
    """Off loopback the control API would be open to everybody, so the mock does not even listen."""
    with (
        pytest.raises(
            ValueError,
            match=(
                r"0\.0\.0\.0 can be reached from other machines, so the control API needs an"
                r" admin_token"
            ),
        ),
        serve(host="0.0.0.0"),
    ):
        pass


def test_the_server_is_gone_afterwards() -> None:
    """No thread and no socket outlives the block, also when the block raises."""
    with pytest.raises(ZeroDivisionError), serve() as mock:
        raise ZeroDivisionError

    assert [thread for thread in threading.enumerate() if thread.name == "fauxlab-server"] == []
    with pytest.raises(urllib.error.URLError):
        post_json(mock.public_url + SUBMIT, VALID)


@pytest.mark.parametrize(
    "prefer, half_closed",
    [("fault=HANG", False), ("fault=HANG", True), ("delay=60", False), ("fault=DRIBBLE", False)],
)
def test_the_block_is_left_at_once(prefer: str, half_closed: bool) -> None:
    """A client that is kept waiting on purpose is not waited for at the end."""
    sent = request(headers=[f"Prefer: {prefer}"])
    with contextlib.ExitStack() as stack:
        with serve() as mock:
            waiting = stack.enter_context(connected(address_of(mock), sent))
            if half_closed:
                waiting.shutdown(socket.SHUT_WR)
            while not mock.requests:
                time.sleep(0.01)
            began = time.monotonic()
        took_s = time.monotonic() - began

    assert took_s < 0.5


@pytest.mark.parametrize("is_held", [False, True])
def test_a_connection_that_hangs_is_closed_at_last(
    monkeypatch: pytest.MonkeyPatch, is_held: bool
) -> None:
    """Without an answer, in real time and where somebody else says how time passes."""
    short = FaultEffect("HANG", "hang", lasts_s=0.05)
    monkeypatch.setitem(faults._EFFECTS, "HANG", short)
    held: list[float] = []

    @contextlib.asynccontextmanager
    async def hold(seconds: float, _client: object) -> AsyncIterator[None]:
        held.append(seconds)
        async with asyncio.timeout(0):
            yield

    with serve() as mock:
        mock.traffic.hold = hold if is_held else None
        hanging = request(headers=["Prefer: fault=HANG"])
        with connected(address_of(mock), hanging) as connection:
            came = read_all(connection)

    assert (came, held) == (b"", [0.05] if is_held else [])


def test_a_reply_in_progress_is_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that stops answers the call that it is working on."""
    began, go_on = threading.Event(), threading.Event()

    def draw_slowly(answer: Answer) -> Answer:
        began.set()
        go_on.wait(10)
        return answer

    monkeypatch.setattr(Answer, "drawn", draw_slowly)
    with ThreadPoolExecutor(1) as pool:
        with serve(eta=0.0) as mock:
            link = post_json(mock.public_url + SUBMIT, VALID)["output"][0]
            reply = pool.submit(httpx.get, link)
            began.wait(10)
            threading.Timer(0.3, go_on.set).start()

        assert reply.result().status_code == 200
