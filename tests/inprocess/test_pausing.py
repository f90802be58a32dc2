"""A call in process gives way to others, as a call over the network does."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from driving import KEY, VALID, make_mock
from fauxlab_mock.clock.virtual import virtual_time
from fauxlab_mock.inprocess.interception import intercepted

API = "https://modelslab.com/api/v6/image_editing"


def test_a_call_gives_way_to_other_tasks() -> None:
    """Tasks that call side by side take turns, and a task that was cancelled calls no more."""
    order: list[str] = []

    async def call(name: str) -> None:
        async with httpx.AsyncClient() as http:
            for _ in range(2):
                await http.post(f"{API}/flux_headshot", json=VALID)
                order.append(name)

    async def main() -> None:
        await asyncio.gather(call("a"), call("b"))

    with intercepted(make_mock()):
        asyncio.run(main())

    assert order == ["a", "b", "a", "b"]


@pytest.mark.alone
def test_a_poller_without_a_pause_ends_with_its_deadline() -> None:
    """A loop of fetches inside `asyncio.timeout` raises TimeoutError."""
    mock = make_mock(eta=86_400)

    async def poll() -> None:
        async with httpx.AsyncClient() as http, asyncio.timeout(60):
            job = (await http.post(f"{API}/flux_headshot", json=VALID)).json()["id"]
            while True:
                await http.post(f"{API}/fetch/{job}", json={"key": KEY})

    with intercepted(mock), virtual_time(mock.clock), pytest.raises(TimeoutError):
        asyncio.run(poll())

    assert mock.clock.is_slept_on
