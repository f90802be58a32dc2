"""Many ways to wait for a job, each free: on every kind of clock, wait and deadline of Python's."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import queue
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from concurrent.futures import wait as wait_for_futures
from typing import Any, NamedTuple

import aiohttp
import httpx
import pytest
import requests

from driving import VALID
from fauxlab_mock.clock.clock import LAST_S, Clock
from fauxlab_mock.clock.virtual import virtual_time
from fauxlab_mock.inprocess.interception import intercepted
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.server.serving import attach_server
from fauxlab_mock.settings import Settings

pytestmark = pytest.mark.alone
REAL = {"monotonic": time.monotonic}  # virtual time replaces names of modules, not this
KEY = {"key": VALID["key"]}
CONTEXT = ssl.create_default_context()  # takes httpx longer to make than all the rest
ETA_S = 60.0
REAL_S = 30.0  # who waits for real takes longer, and nothing else does on a loaded machine
Post = Callable[[str, Any], Any]


class Place(NamedTuple):
    """A mock whose jobs take a minute, how it is called, and the clock."""

    url: str
    post: Post
    clock: Clock


def _post_by_requests(url: str, body: Any) -> Any:
    return requests.post(url, json=body, timeout=30).json()


def _post_by_httpx(url: str, body: Any) -> Any:
    return httpx.post(url, json=body, timeout=30, verify=CONTEXT).json()


@pytest.fixture(
    params=[
        (door, post)
        for door in ("in process", "served")
        for post in (_post_by_requests, _post_by_httpx)
    ],
    ids=lambda param: f"{param[0]}, {param[1].__name__.rpartition('_')[2]}",
)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """Each door of the mock, by each library that threads use."""
    door, post = request.param
    with _open(door) as mock, virtual_time(mock.clock):
        yield Place(mock.url, post, mock.clock)


@pytest.fixture(params=["in process", "served"])
def mock(request: pytest.FixtureRequest) -> Iterator[Mock]:
    with _open(request.param) as mock, virtual_time(mock.clock):
        yield mock


class _open:  # noqa: N801 # a context manager
    def __init__(self, door: str) -> None:
        settings = Settings(clock="manual", eta=ETA_S)
        self.mock = Mock(settings, clock=Clock("manual", start=1_000_000.0))
        self.door = intercepted(self.mock) if door == "in process" else attach_server(self.mock)

    def __enter__(self) -> Mock:
        self.door.__enter__()
        return self.mock

    def __exit__(self, *error: Any) -> None:
        self.door.__exit__(*error)
        self.mock.close()


def by_event(place: Place, ask: Callable[[], str]) -> None:
    """Pauses that its user can end: `Event.wait`."""
    stop = threading.Event()
    while ask() == "processing" and not stop.wait(5):
        pass


def by_predicate(place: Place, ask: Callable[[], str]) -> None:
    """Another thread polls; this one waits on a condition's predicate, with a deadline."""
    done, statuses = threading.Condition(), [""]

    def poll() -> None:
        while statuses[0] != "success":
            time.sleep(7)
            with done:
                statuses[0] = ask()
                done.notify_all()

    thread = threading.Thread(target=poll)
    thread.start()
    with done:
        assert done.wait_for(lambda: statuses[0] == "success", timeout=300)
    thread.join(10)


def by_queue(place: Place, ask: Callable[[], str]) -> None:
    """A worker that takes its orders from a queue, and polls whenever none comes for a while."""
    orders: queue.Queue[str] = queue.Queue()
    results: queue.Queue[str] = queue.Queue()

    def work() -> None:
        while True:
            try:
                if orders.get(timeout=6) == "stop":
                    return
            except queue.Empty:
                results.put(ask())

    worker = threading.Thread(target=work)
    worker.start()
    while results.get(timeout=100) != "success":
        pass
    orders.put("stop")
    worker.join(10)


def by_timer(place: Place, ask: Callable[[], str]) -> None:
    """A chain of `threading.Timer`s."""
    done = threading.Event()

    def look() -> None:
        if ask() == "success":
            done.set()
        else:
            threading.Timer(10, look).start()

    threading.Timer(10, look).start()
    assert done.wait(timeout=300)


def by_datetime(place: Place, ask: Callable[[], str]) -> None:
    """A loop with a deadline by the calendar, as retry libraries have it."""
    deadline = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5)
    while ask() != "success":
        if dt.datetime.now(dt.UTC) > deadline:
            raise TimeoutError
        time.sleep(5)


def by_pool(place: Place, ask: Callable[[], str]) -> None:
    """A pool does the polling; its future is waited for in slices."""

    def poll() -> str:
        while (status := ask()) != "success":
            time.sleep(5)
        return status

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(poll)
        waits = 0
        while waits < 100:
            try:
                assert future.result(timeout=7) == "success"
                return
            except FutureTimeoutError:
                waits += 1


@pytest.mark.parametrize(
    "style", [by_event, by_predicate, by_queue, by_timer, by_datetime, by_pool]
)
def test_threads_wait_for_free(place: Place, style: Callable[..., None]) -> None:
    """However a thread waits for a job, the job's minute passes, little more, and no real time."""
    began, really_began = place.clock.now(), REAL["monotonic"]()
    job = place.post(f"{place.url}/image_editing/flux_headshot", VALID)
    asked = []

    def ask() -> str:
        asked.append(place.clock.now())
        return str(place.post(job["fetch_result"], KEY)["status"])

    style(place, ask)

    passed_s, took_s = place.clock.now() - began, REAL["monotonic"]() - really_began
    assert (ETA_S <= passed_s <= ETA_S + 10, len(asked) <= 14, took_s < REAL_S) == (
        True,
        True,
        True,
    )


def test_deadlines_of_threads_come_in_virtual_time(place: Place) -> None:
    """A deadline before the job's end is met, by every wait with a timeout, at its moment."""
    began = place.clock.now()
    place.post(f"{place.url}/image_editing/flux_headshot", VALID)
    met = []

    assert threading.Event().wait(10) is False
    met.append(round(place.clock.now() - began, 2))
    with pytest.raises(queue.Empty):
        queue.Queue[int]().get(timeout=10)
    met.append(round(place.clock.now() - began, 2))
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(time.sleep, 45)
        with pytest.raises(FutureTimeoutError):
            future.result(timeout=10)
        met.append(round(place.clock.now() - began, 2))
        assert wait_for_futures([future], timeout=10).done == set()
        met.append(round(place.clock.now() - began, 2))
    met.append(round(place.clock.now() - began, 2))
    assert threading.Semaphore(0).acquire(timeout=10) is False
    met.append(round(place.clock.now() - began, 2))
    with pytest.raises(threading.BrokenBarrierError):
        threading.Barrier(2).wait(10)
    met.append(round(place.clock.now() - began, 2))

    assert met == [10, 20, 30, 40, 65, 75, 85]


# Tasks


class Session:
    """A job of a mock, asked for by an async library."""

    def __init__(self, post: Callable[[str, Any], Any]) -> None:
        self.post = post
        self.job: Any = None
        self.asked = 0

    async def submit(self, url: str) -> None:
        self.job = await self.post(f"{url}/image_editing/flux_headshot", VALID)

    async def ask(self) -> str:
        self.asked += 1
        return str((await self.post(self.job["fetch_result"], KEY))["status"])


async def in_timeout(session: Session) -> None:
    """A loop of pauses inside `asyncio.timeout`."""
    async with asyncio.timeout(300):
        while await session.ask() != "success":
            await asyncio.sleep(5)


async def in_wait_for(session: Session) -> None:
    """An event that another task sets, waited for in slices."""
    done = asyncio.Event()

    async def poll() -> None:
        while await session.ask() != "success":
            await asyncio.sleep(5)
        done.set()

    async with asyncio.TaskGroup() as group:
        group.create_task(poll())
        while not done.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), timeout=7)


async def in_call_later(session: Session) -> None:
    """A chain of callbacks, by `call_later` and `call_at`."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    tasks = []

    async def look() -> None:
        if await session.ask() == "success":
            done.set_result(None)
        else:
            loop.call_at(loop.time() + 5, start)

    def start() -> None:
        tasks.append(loop.create_task(look()))

    loop.call_later(5, start)
    await done


async def in_wait(session: Session) -> None:
    """`asyncio.wait` with a timeout on a task that never ends by itself, then a look."""
    never = asyncio.create_task(asyncio.Event().wait())
    while await session.ask() != "success":
        done, _ = await asyncio.wait([never], timeout=5)
        assert done == set()
    never.cancel()


async def in_queue(session: Session) -> None:
    """A producer and a consumer around an `asyncio.Queue`, with a deadline by `loop.time`."""
    statuses: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    async def produce() -> None:
        while True:
            await statuses.put(await session.ask())
            await asyncio.sleep(5)

    producer = asyncio.create_task(produce())
    deadline = loop.time() + 300
    while await asyncio.wait_for(statuses.get(), 100) != "success":
        assert loop.time() < deadline
    producer.cancel()


STYLES = [in_timeout, in_wait_for, in_call_later, in_wait, in_queue]


@pytest.mark.parametrize("library", ["httpx", "aiohttp"])
@pytest.mark.parametrize("kind", ["asyncio", "uvloop"])
@pytest.mark.parametrize("style", STYLES)
def test_tasks_wait_for_free(
    mock: Mock, style: Callable[[Session], Any], library: str, kind: str
) -> None:
    """However a task waits for a job, the job's minute passes, little more, and no real time."""
    began, really_began = mock.clock.now(), REAL["monotonic"]()

    async def main() -> Session:
        if library == "aiohttp":
            async with aiohttp.ClientSession() as client:

                async def post(url: str, body: Any) -> Any:
                    async with client.post(url, json=body) as reply:
                        return await reply.json()

                return await drive(Session(post))
        async with httpx.AsyncClient(verify=CONTEXT) as other:

            async def post_by_httpx(url: str, body: Any) -> Any:
                return (await other.post(url, json=body)).json()

            return await drive(Session(post_by_httpx))

    async def drive(session: Session) -> Session:
        await session.submit(mock.url)
        await style(session)
        return session

    session = run(main, kind)

    passed_s, took_s = mock.clock.now() - began, REAL["monotonic"]() - really_began
    assert (ETA_S <= passed_s <= ETA_S + 10, session.asked <= 14, took_s < REAL_S) == (
        True,
        True,
        True,
    )


def run(main: Callable[[], Any], kind: str) -> Any:
    """Run a coroutine in an event loop of a kind; skip the test where there is none."""
    factory: Any = asyncio.new_event_loop
    if kind == "uvloop":
        factory = pytest.importorskip("uvloop").new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main())


def test_a_deadline_past_all_calendars_is_none() -> None:
    """A timeout past the year 9999 around a short wait is no error, as a sleep would be."""
    clock = Clock("manual", start=LAST_S - 100)

    async def main() -> None:
        async with asyncio.timeout(1_000):
            await asyncio.sleep(5)

    with virtual_time(clock):
        asyncio.run(main())

    assert clock.now() == LAST_S - 95


@pytest.mark.parametrize("kind", ["asyncio", "uvloop"])
def test_deadlines_of_tasks_come_in_virtual_time(kind: str) -> None:
    """A timeout around what never comes ends at its moment; so does one around a longer sleep."""
    clock = Clock("manual", start=1_000_000.0)
    began, met = clock.now(), []

    async def main() -> None:
        for wait in (
            lambda: asyncio.Event().wait(),
            lambda: asyncio.sleep(20),
            lambda: asyncio.get_running_loop().create_future(),
        ):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(wait(), 10)
            met.append(round(clock.now() - began, 2))
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(10):
                    await wait()
            met.append(round(clock.now() - began, 2))

    with virtual_time(clock):
        run(main, kind)

    assert met == [10, 20, 30, 40, 50, 60]
