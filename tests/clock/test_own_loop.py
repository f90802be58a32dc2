"""Advancing the clock in an event loop, with a webhook's receiver in the same loop or elsewhere."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from aiohttp import web

from driving import SUBMIT, VALID, make_mock, submit
from fauxlab_mock.clock.own_loop import ports_of_own_loop
from fauxlab_mock.clock.virtual import virtual_time
from fauxlab_mock.inprocess.interception import intercepted
from receiving import receiving

KINDS = ["asyncio", "uvloop"]


def run(main: Any, kind: str) -> Any:
    """Run a coroutine in an event loop of a kind; skip the test where there is none."""
    factory: Any = asyncio.new_event_loop
    if kind == "uvloop":
        factory = pytest.importorskip("uvloop").new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main)


@asynccontextmanager
async def receiver(
    tell: Callable[[], object] = lambda: None,
) -> AsyncIterator[tuple[int, list[Any]]]:
    """A receiver in the running loop, which calls `tell`: its port, and what has come."""
    came: list[Any] = []

    async def take(request: web.Request) -> web.Response:
        came.append((await request.json())["status"])
        tell()
        return web.Response()

    application = web.Application()
    application.router.add_post("/hook", take)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1], came
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("kind", KINDS)
def test_an_advance_that_would_wait_for_its_own_loop_is_refused(kind: str) -> None:
    """It raises at once, names what does it right, and moves nothing."""
    mock = make_mock(eta=10)
    began = mock.clock.now()

    async def main() -> tuple[float, list[Any]]:
        async with receiver() as (port, came):
            submit(mock, webhook=f"http://127.0.0.1:{port}/hook")
            mock.clock.advance(5)
            message = rf"webhook .* port {port} .*await clock\.advance_async\(20\)"
            with pytest.raises(RuntimeError, match=message):
                mock.clock.advance(20)
            moved_s = mock.clock.now() - began
            await mock.clock.advance_async(20)
            return moved_s, came

    assert (run(main(), kind), mock.clock.now() - began) == ((5, ["success"]), 25)
    mock.close()


def test_an_advance_in_a_loop_delivers_to_receivers_elsewhere() -> None:
    """In a coroutine `advance` works as ever if the receiver runs in a thread of its own."""
    mock = make_mock(eta=10)

    async def main() -> list[Any]:
        async with receiver():
            with receiving() as elsewhere:
                submit(mock, webhook=elsewhere.url)
                mock.clock.advance(20)
                return [event["status"] for event in elsewhere.all()]

    assert asyncio.run(main()) == ["success"]
    mock.close()


def test_a_blocking_sleep_in_a_loop_goes_past_its_own_receiver() -> None:
    """`time.sleep` in a coroutine, careless as it is, ends at once; the webhook comes later."""
    mock = make_mock(eta=10)
    began = mock.clock.now()

    async def main() -> tuple[float, list[Any]]:
        async with receiver() as (port, came):
            submit(mock, webhook=f"http://127.0.0.1:{port}/hook")
            time.sleep(20)  # that is the point
            slept_s = mock.clock.now() - began
            await asyncio.sleep(1)
            return slept_s, came

    with virtual_time(mock.clock):
        assert asyncio.run(main()) == (20, ["success"])
    mock.close()


def test_a_slow_answer_in_process_goes_past_its_own_receiver() -> None:
    """A delay in which a webhook to the caller's own loop falls due is no error of the call's."""
    mock = make_mock(eta=10)
    began = mock.clock.now()

    async def main() -> tuple[int, list[Any]]:
        async with receiver() as (port, came), httpx.AsyncClient() as client:
            submit(mock, webhook=f"http://127.0.0.1:{port}/hook")
            url = mock.url.removesuffix("/api/v6") + SUBMIT
            reply = await client.post(url, json=VALID, headers={"Prefer": "delay=20"}, timeout=60)
            async with asyncio.timeout(10):
                while not came:
                    await asyncio.sleep(0.01)
            return reply.status_code, came

    with intercepted(mock):
        assert (asyncio.run(main()), mock.clock.now() - began) == ((200, ["success"]), 20)
    mock.close()


def test_outside_of_loops_no_port_is_looked_for() -> None:
    """A thread that runs no loop serves no port by one."""
    assert ports_of_own_loop() == frozenset()


@pytest.mark.parametrize("kind", KINDS)
def test_a_task_that_waits_for_its_webhook_gets_it(kind: str) -> None:
    """A deadline around an event that a webhook sets ends with the webhook, at the job's end."""
    mock = make_mock(eta=45)
    began = mock.clock.now()

    async def main() -> float:
        has_come = asyncio.Event()
        async with receiver(has_come.set) as (port, _):
            submit(mock, webhook=f"http://127.0.0.1:{port}/hook")
            await asyncio.wait_for(has_come.wait(), 300)
            return mock.clock.now() - began

    with virtual_time(mock.clock):
        assert run(main(), kind) == 45
    mock.close()


def test_a_thread_that_waits_for_its_webhook_gets_it() -> None:
    """A queue that a webhook's receiver fills, in a thread of its own, has it at the job's end."""
    mock = make_mock(eta=45)
    began = mock.clock.now()

    with receiving() as elsewhere, virtual_time(mock.clock):
        submit(mock, webhook=elsewhere.url)
        status = elsewhere.events.get(timeout=300)["status"]
        passed_s = mock.clock.now() - began
    mock.close()

    assert (status, passed_s) == ("success", 45)
