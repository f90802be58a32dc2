"""`check_client` keeps its trials apart: keys, threads, tasks and loops; and it cleans up."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import Any

import httpx
import pytest

from fauxlab_mock.client_check.check import check_client
from fauxlab_mock.client_check.report import ClientReport

Call = Callable[..., Any]


class _FailedError(Exception):
    """What these clients raise for a job without a result."""


def told(report: ClientReport) -> list[tuple[str, str]]:
    return [(finding.rule, finding.trial) for finding in report.findings]


def submitted(base_url: str, key: str, **fields: Any) -> Any:
    with httpx.Client(base_url=base_url) as http:
        return http.post("/image_editing/flux_headshot", json={"key": key, **fields}).json()


def fetched(base_url: str, key: str, number: Any) -> Any:
    with httpx.Client(base_url=base_url) as http:
        return http.post(f"/image_editing/fetch/{number}", json={"key": key}).json()


def generated(base_url: str, key: str, **fields: Any) -> Any:
    """One right generation, by sleeping."""
    job = submitted(base_url, key, **fields)
    number = job.get("id")
    for _ in range(20):
        if job["status"] != "processing":
            break
        time.sleep(job.get("eta", 5))
        job = fetched(base_url, key, number)
    if job["status"] != "success":
        raise _FailedError(job.get("message"))
    return job["output"]


def making(base_url: str, key: str) -> Call:
    """A `make` for a right client."""

    def generate(prompt: str, face_image: str, seed: int) -> Any:
        return generated(base_url, key, prompt=prompt, face_image=face_image, seed=seed)

    return generate


def test_each_trial_has_a_key_of_its_own() -> None:
    """So what still comes with an earlier key belongs to an earlier trial."""
    keys = []

    def make(base_url: str, key: str) -> Call:
        keys.append(key)
        return making(base_url, key)

    report = check_client(make, trials=["success", "instant", "slow"])

    assert (told(report), len(keys), len(set(keys))) == ([], 4, 4)


def test_requests_after_the_end_are_told_of_their_own_trial() -> None:
    """A poller that goes on is no fault of the next trial."""
    over = threading.Event()

    def make(base_url: str, key: str) -> Call:
        def generate(prompt: str, face_image: str, seed: int) -> Any:
            output = generated(base_url, key, prompt=prompt, face_image=face_image, seed=seed)
            if len(started) == 0:
                started.append(threading.Thread(target=poll, daemon=True))
                started[0].start()
            return output

        def poll() -> None:
            while not over.is_set():
                time.sleep(1)
                with contextlib.suppress(httpx.HTTPError):
                    fetched(base_url, key, 7)

        return generate

    started: list[threading.Thread] = []
    report = check_client(make, trials=["success", "slow", "failed", "flapping"])
    over.set()
    started[0].join(10)

    assert told(report) == [("left-running", "success")]


@pytest.mark.parametrize("kind", ["thread", "task"])
def test_what_each_call_leaves_behind_is_seen(kind: str) -> None:
    """One more thread, or one more task, for each call of one client; the sentence says where."""
    over = threading.Event()

    async def wait_for_ever() -> None:
        await asyncio.Event().wait()

    tasks: set[asyncio.Task[None]] = set()

    def make(base_url: str, key: str) -> Call:
        generate = making(base_url, key)

        def leave_a_thread(prompt: str, face_image: str, seed: int) -> Any:
            threading.Thread(target=over.wait, daemon=True).start()
            return generate(prompt, face_image, seed)

        async def leave_a_task(prompt: str, face_image: str, seed: int) -> Any:
            tasks.add(asyncio.create_task(wait_for_ever()))
            return await asyncio.to_thread(generate, prompt, face_image, seed)

        return leave_a_thread if kind == "thread" else leave_a_task

    report = check_client(make, trials=["success", "calls in a row"])
    over.set()

    assert told(report) == [("left-running", "calls in a row")]
    assert report.findings[0].message.startswith(
        f"After 3 calls of one client, 3 {kind}s were still running, one of them at "
    )


def test_a_pool_that_calls_share_is_no_sin() -> None:
    """Its threads idle between calls, and do not become more."""
    pool = ThreadPoolExecutor(2)

    def make(base_url: str, key: str) -> Call:
        generate = making(base_url, key)

        def in_pool(prompt: str, face_image: str, seed: int) -> Any:
            return pool.submit(generate, prompt, face_image, seed).result(timeout=600)

        return in_pool

    report = check_client(make, trials=["success", "stuck", "calls in a row", "side by side"])
    pool.shutdown()

    assert told(report) == []


def test_a_cache_and_a_partial_are_no_sin() -> None:
    """The same arguments may be answered from memory."""

    def make(base_url: str, key: str) -> Call:
        @functools.lru_cache
        def cached(seed: int, prompt: str, face_image: str) -> Any:
            return generated(base_url, key, prompt=prompt, face_image=face_image, seed=seed)

        def generate(held: str, seed: int, prompt: str = "p", face_image: str = "f") -> Any:
            return cached(seed, prompt, face_image)

        return functools.partial(generate, key)

    report = check_client(make, trials=["success", "calls in a row", "side by side", "instant"])

    assert told(report) == []


def test_a_client_that_sets_signals_is_called_in_the_main_thread() -> None:
    """Its deadline is an alarm, which Python allows there alone."""

    def give_up(number: int, frame: FrameType | None) -> None:
        raise TimeoutError("too late")

    def make(base_url: str, key: str) -> Call:
        generate = making(base_url, key)

        def with_alarm(prompt: str, face_image: str, seed: int) -> Any:
            before = signal.signal(signal.SIGALRM, give_up)
            signal.setitimer(signal.ITIMER_REAL, 60)
            try:
                return generate(prompt, face_image, seed)
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
                signal.signal(signal.SIGALRM, before)

        return with_alarm

    report = check_client(make, trials=["success", "failed", "stuck", "side by side"])

    assert told(report) == []
    assert report.not_judged == ("side by side: the client works in the main thread alone",)


@pytest.fixture
def in_background() -> Iterator[None]:
    """Let this process ignore SIGINT, as a shell does with what it runs in the background."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("in_background")
def test_a_call_in_the_main_thread_that_computes_is_ended() -> None:
    """It cannot be left behind, so it is interrupted as by Ctrl-C; the next trial goes on."""

    def make(base_url: str, key: str) -> Call:
        generate = making(base_url, key)

        def compute(prompt: str, face_image: str, seed: int) -> Any:
            signal.signal(signal.SIGALRM, signal.getsignal(signal.SIGALRM))
            try:
                return generate(prompt, face_image, seed)
            except _FailedError:
                while True:
                    hash(prompt)

        return compute

    report = check_client(make, trials=["success", "failed", "no_credits"], max_real_s=0.2)

    assert [(one.rule, one.times) for one in report.findings] == [("endless", 2)]
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_async_trials_share_a_loop() -> None:
    """A client that keeps its session for its loop finds the loop again."""
    loops = set()

    def make(base_url: str, key: str) -> Call:
        async def generate(prompt: str, face_image: str, seed: int) -> Any:
            loops.add(asyncio.get_running_loop())
            return await asyncio.to_thread(making(base_url, key), prompt, face_image, seed)

        return generate

    report = check_client(make, trials=["success", "failed", "calls in a row", "side by side"])

    assert (told(report), len(loops)) == ([], 1)


@pytest.mark.parametrize("is_own", [False, True])
def test_a_pause_that_a_cancelled_call_leaves_does_no_harm(is_own: bool) -> None:
    """A task that is Python's own, such as `asyncio.sleep`, is no leak; one of the client's is."""
    tasks: set[asyncio.Task[None]] = set()

    async def pause() -> None:
        await asyncio.sleep(2)

    def make(base_url: str, key: str) -> Call:
        async def generate(prompt: str, face_image: str, seed: int) -> Any:
            fields = {"prompt": prompt, "face_image": face_image, "seed": seed}
            async with httpx.AsyncClient(base_url=base_url) as http:
                await http.post("/image_editing/flux_headshot", json={"key": key, **fields})
                tasks.add(asyncio.create_task(pause() if is_own else asyncio.sleep(2)))
                await asyncio.wait(tasks)

        return generate

    report = check_client(make, trials=["cancelled"])

    assert told(report) == ([("cancel-leaks", "cancelled")] if is_own else [])


class _Session:
    """A client with a way to close it, which is written down."""

    def __init__(self, base_url: str, key: str, closed: list[str]) -> None:
        self.generate_one, self.closed = making(base_url, key), closed

    def generate(self, prompt: str, face_image: str, seed: int) -> Any:
        return self.generate_one(prompt, face_image, seed)


class _Closing(_Session):
    def close(self) -> None:
        self.closed.append("closed")


class _ClosingAsync(_Session):
    async def aclose(self) -> None:
        await asyncio.sleep(0)
        self.closed.append("closed")


def in_a_manager(base_url: str, key: str, closed: list[str]) -> Any:
    @contextlib.contextmanager
    def manager() -> Iterator[Call]:
        yield making(base_url, key)
        closed.append("closed")

    return manager()


def in_an_async_manager(base_url: str, key: str, closed: list[str]) -> Any:
    @contextlib.asynccontextmanager
    async def manager() -> AsyncIterator[Call]:
        yield making(base_url, key)
        closed.append("closed")

    return manager()


@pytest.mark.parametrize(
    "made, at_first",
    [
        (lambda *given: _Closing(*given).generate, 0),
        (lambda *given: _ClosingAsync(*given).generate, 0),
        (in_a_manager, 1),
        (in_an_async_manager, 1),
    ],
    ids=["close", "aclose", "manager", "async manager"],
)
def test_what_was_made_is_closed_after_its_trial(
    made: Callable[[str, str, list[str]], Any], at_first: int
) -> None:
    """`make` may return a context manager, or a method of what can be closed."""
    closed: list[str] = []

    report = check_client(
        lambda base_url, key: made(base_url, key, closed), trials=["success", "calls in a row"]
    )

    assert (told(report), len(closed)) == ([], at_first + 2)


def test_what_refused_calls_have_taken_must_be_given_back() -> None:
    """A place in a queue that only a good call gives back is missed in a later call."""

    def make(base_url: str, key: str) -> Call:
        places = threading.BoundedSemaphore(5)

        def generate(prompt: str, face_image: str, seed: int) -> Any:
            if not places.acquire(timeout=30):
                raise _FailedError("all places are taken")
            result = generated(base_url, key, prompt=prompt, face_image=face_image, seed=seed)
            places.release()
            return result

        return generate

    report = check_client(make, trials=["after refusals"])

    assert [(one.rule, one.message) for one in report.findings] == [
        ("gave-up", "_FailedError: all places are taken")
    ]


def test_a_breaker_of_circuits_closes_again() -> None:
    """Who asks no more for half an hour after three errors is right."""

    def make(base_url: str, key: str) -> Call:
        errors: list[float] = []

        def generate(prompt: str, face_image: str, seed: int) -> Any:
            if len(errors) >= 3 and time.monotonic() - errors[-1] < 1_800:
                raise _FailedError("the circuit is open")
            try:
                return generated(base_url, key, prompt=prompt, face_image=face_image, seed=seed)
            except _FailedError:
                errors.append(time.monotonic())
                raise

        return generate

    report = check_client(make, trials=["after refusals"])

    assert (report.findings, report.not_judged, report.calls) == ((), (), 5)


@pytest.mark.parametrize(
    "most, says, found",
    [(6, True, []), (6, False, []), (1, False, ["gave-up", "message-lost"]),
     (10_000, True, ["endless"])],
)  # fmt: skip
def test_a_job_that_is_never_found(most: int, says: bool, found: list[str]) -> None:
    """Who forgives it a few times is right, and may say then that its own patience is over."""

    def make(base_url: str, key: str) -> Call:
        def generate(prompt: str, face_image: str, seed: int) -> Any:
            job = submitted(base_url, key, prompt=prompt, face_image=face_image, seed=seed)
            for _ in range(most):
                time.sleep(5)
                if (reply := fetched(base_url, key, job["id"]))["status"] == "success":
                    return reply["output"]
            raise _FailedError(reply["message"] if says else "no picture")

        return generate

    report = check_client(make, trials=["never found", "early_not_found"], max_virtual_s=200)

    assert [one.rule for one in report.findings] == found
