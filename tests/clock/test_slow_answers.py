"""Answers that are held back, in virtual time: deadlines strike, and others go on meanwhile."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiohttp
import anyio
import httpx
import pytest
import requests

from driving import VALID, make_mock
from fauxlab_mock.clock.virtual import virtual_time
from fauxlab_mock.inprocess.interception import intercepted
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.server.serving import attach_server

pytestmark = pytest.mark.alone
Post = Callable[[str, dict[str, str], float | None], Awaitable[str]]


async def by_httpx(url: str, headers: dict[str, str], timeout_s: float | None) -> str:
    async with httpx.AsyncClient(timeout=timeout_s) as client:
        return str((await client.post(url, json=VALID, headers=headers)).json()["status"])


async def by_aiohttp(url: str, headers: dict[str, str], timeout_s: float | None) -> str:
    timeout = aiohttp.ClientTimeout(total=timeout_s)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.post(url, json=VALID, headers=headers) as reply,
    ):
        return str((await reply.json())["status"])


@pytest.fixture
def mock() -> Iterator[Mock]:
    """In process, in virtual time."""
    mock = make_mock()
    with intercepted(mock), virtual_time(mock.clock):
        yield mock
    mock.close()


@pytest.fixture
def served() -> Iterator[Mock]:
    """The same on a server, where a delay is real."""
    mock = make_mock()
    with attach_server(mock), virtual_time(mock.clock):
        yield mock
    mock.close()


def url_of(mock: Mock) -> str:
    return f"{mock.url}/image_editing/flux_headshot"


def timed(mock: Mock, call: Callable[[], Any]) -> tuple[Any, float]:
    """What a call returns or raises, and the mock's seconds that it takes."""
    began = mock.clock.now()
    try:
        result = call()
    except Exception as error:
        result = type(error)
    return result, round(mock.clock.now() - began, 6)


@pytest.mark.parametrize("post", [by_httpx, by_aiohttp])
@pytest.mark.parametrize("wait_s", [0.0, 5.0])
@pytest.mark.parametrize("fixture", ["mock", "served"])
def test_a_timeout_in_a_task_strikes_before_a_slow_answer(
    request: pytest.FixtureRequest, fixture: str, wait_s: float, post: Post
) -> None:
    """`asyncio.timeout` ends the wait for an answer that comes later, slept before or not."""
    mock: Mock = request.getfixturevalue(fixture)

    async def main() -> str:
        async with asyncio.timeout(wait_s + 0.1):
            await asyncio.sleep(wait_s)
            return await post(url_of(mock), {"Prefer": "delay=0.4"}, 60)

    result, took_s = timed(mock, lambda: asyncio.run(main()))

    assert result is TimeoutError
    assert took_s == pytest.approx(wait_s + 0.1, abs=0.09)


def test_slow_answers_at_the_same_time_take_the_time_of_one(mock: Mock) -> None:
    """Three tasks and three threads that wait ten seconds each wait ten seconds, not sixty."""
    headers = {"Prefer": "delay=10"}

    async def tasks() -> list[str]:
        return await asyncio.gather(*(by_httpx(url_of(mock), headers, 60) for _ in range(3)))

    def post(_: int) -> str:
        reply = requests.post(url_of(mock), json=VALID, headers=headers, timeout=60)
        return str(reply.json()["status"])

    def threads() -> list[str]:
        with ThreadPoolExecutor(3) as pool:
            return list(pool.map(post, range(3)))

    assert timed(mock, lambda: asyncio.run(tasks())) == (["processing"] * 3, 10)
    assert timed(mock, threads) == (["processing"] * 3, 10)


def test_others_go_on_while_an_answer_is_awaited(mock: Mock) -> None:
    """A heartbeat beats, a timer goes off and a future's timeout strikes during a slow call."""
    beats: list[float] = []
    began = mock.clock.now()

    async def main() -> str:
        async def beat() -> None:
            while True:
                await asyncio.sleep(0.5)
                beats.append(mock.clock.now() - began)

        heart = asyncio.create_task(beat())
        status = await by_httpx(url_of(mock), {"Prefer": "delay=1.75"}, 60)
        heart.cancel()
        return status

    assert (asyncio.run(main()), beats) == ("processing", [0.5, 1.0, 1.5])

    rang = threading.Event()
    timer = threading.Timer(1.5, rang.set)
    timer.start()
    headers = {"Prefer": "delay=20"}
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(requests.post, url_of(mock), json=VALID, headers=headers, timeout=60)
        assert timed(mock, lambda: call.result(timeout=10)) == (TimeoutError, 10)
        assert rang.is_set()
        assert call.result().json()["status"] == "processing"


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancel_scope_of_anyio_strikes(mock: Mock, backend: str) -> None:
    """`move_on_after` around a slow answer cancels it at its time, on both kinds of loops."""

    async def main() -> bool:
        with anyio.move_on_after(5) as scope:
            await by_httpx(url_of(mock), {"Prefer": "delay=8"}, 60)
        return scope.cancelled_caught

    assert timed(mock, lambda: anyio.run(main, backend=backend)) == (True, 5)


@pytest.mark.parametrize(
    "timeout_s, limit_s, expected",
    [
        (None, 2, (TimeoutError, 2)),
        (10, 2, (TimeoutError, 2)),
        (10, 20, (httpx.ReadTimeout, 10)),
        (None, 1_000, (httpx.RemoteProtocolError, 300)),
    ],
)
def test_an_answer_that_never_comes_is_given_up_by_whoever_is_first(
    mock: Mock, timeout_s: float | None, limit_s: float, expected: tuple[type, float]
) -> None:
    """A task's deadline, the client's read timeout, or the end of the connection."""

    async def main() -> str:
        async with asyncio.timeout(limit_s):
            return await by_httpx(url_of(mock), {"Prefer": "fault=HANG"}, timeout_s)

    assert timed(mock, lambda: asyncio.run(main())) == expected


def test_a_slow_server_moves_the_clock_as_it_goes(served: Mock) -> None:
    """A delay over a socket is real, and the mock's clock runs with it, watched or not."""

    def post() -> int:
        headers = {"Prefer": "delay=0.3"}
        return requests.post(url_of(served), json=VALID, headers=headers, timeout=60).status_code

    code, took_s = timed(served, post)

    assert code == 200
    assert took_s == pytest.approx(0.3, abs=0.1)
