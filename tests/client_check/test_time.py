"""`check_client` and time: every client ends, in whatever way it waits, and is told the truth."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import select
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
import requests

from fauxlab_mock.client_check.check import check_client
from fauxlab_mock.client_check.report import ClientReport


def rules(report: ClientReport) -> list[str]:
    return [finding.rule for finding in report.findings]


def polling(
    pause: Callable[[float], object], most_polls: int | None = None
) -> Callable[[str, str], Callable[..., Any]]:
    """A `make` of a client that waits for its job by `pause(seconds)`."""

    def make(base_url: str, key: str) -> Callable[..., Any]:
        def post(path: str, body: dict[str, Any]) -> Any:
            url = f"{base_url}/image_editing/{path}"
            return requests.post(url, json={"key": key, **body}, timeout=30).json()

        def generate(prompt: str, face_image: str, seed: int) -> Any:
            job = post("flux_headshot", {"prompt": prompt, "face_image": face_image, "seed": seed})
            number, polls = job["id"], 0
            while job["status"] not in ("success", "failed", "error"):
                if polls == most_polls:
                    raise RuntimeError("this takes too long")
                pause(job.get("eta", 5))
                polls += 1
                job = post(f"fetch/{number}", {})
            if job["status"] != "success":
                raise RuntimeError(job.get("message"))
            return job["output"]

        return generate

    return make


@pytest.mark.parametrize("seconds", [2, 60])
@pytest.mark.parametrize("run", [1, 2])
def test_a_client_without_a_deadline_is_endless(seconds: float, run: int) -> None:
    """On every run, whichever limit it meets first, and whatever it raises then."""
    report = check_client(
        polling(lambda _: time.sleep(seconds)), trials=["stuck"], max_calls=100, max_virtual_s=3600
    )

    assert [rule for rule in rules(report) if not rule.startswith("polled-")] == ["endless"]


def test_a_client_that_was_cut_off_did_not_give_up() -> None:
    """A result that it could have had after the limit is none of its business."""

    def make(base_url: str, key: str) -> Callable[..., Any]:
        def generate(prompt: str, face_image: str, seed: int) -> Any:
            body = {"key": key, "prompt": prompt, "face_image": face_image, "seed": seed}
            url = f"{base_url}/image_editing/flux_headshot"
            for _ in range(1_000):
                job = requests.post(url, json=body, timeout=30).json()
                time.sleep(1)
            return job["output"]

        return generate

    report = check_client(make, trials=["success"], max_calls=60)

    assert [rule for rule in rules(report) if rule in ("endless", "gave-up")] == ["endless"]


def event_wait(seconds: float) -> None:
    threading.Event().wait(seconds)


def queue_get(seconds: float) -> None:
    with contextlib.suppress(queue.Empty):
        queue.Queue[None]().get(timeout=seconds)


def spinning_on_the_wall_clock(seconds: float) -> None:
    ends_at = time.time() + seconds
    while time.time() < ends_at:
        pass


def spinning_on_a_counter(seconds: float) -> None:
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        pass


def locked(seconds: float) -> None:
    lock = threading.Lock()
    lock.acquire()
    lock.acquire(timeout=seconds)  # in C, out of reach of virtual time


def selecting(seconds: float) -> None:
    select.select([], [], [], seconds)


def in_a_task(seconds: float) -> None:
    asyncio.run(asyncio.sleep(seconds))


def in_a_bare_task(seconds: float) -> None:
    async def wait() -> None:
        await asyncio.wait({asyncio.create_task(asyncio.sleep(seconds))})

    asyncio.run(wait())


@pytest.mark.parametrize("pause", [event_wait, queue_get, in_a_task, in_a_bare_task])
def test_a_wait_costs_no_real_time(pause: Callable[[float], object]) -> None:
    """In whatever way a right client waits: minutes pass on the clock, nobody is accused."""
    report = check_client(polling(pause, 60), trials=["success", "stuck"])

    assert [rule for rule in rules(report) if not rule.startswith("polled-")] == []
    assert (report.virtual_s > 250, report.real_s < 60) == (True, True)


@pytest.mark.slow
@pytest.mark.parametrize(
    "pause", [spinning_on_the_wall_clock, spinning_on_a_counter, locked, selecting]
)
def test_what_waits_in_real_time_gets_on(pause: Callable[[float], object]) -> None:
    """The job is ready when so many real seconds have passed, on every clock that there is."""
    report = check_client(polling(lambda _: pause(2), 5), trials=["success"])

    found = [rule for rule in rules(report) if rule != "polled-before-eta"]
    assert (found, report.not_judged) == ([], ())
    assert 5 <= report.virtual_s < 9


def waiting_for_ever(in_task: bool) -> Callable[[str, str], Callable[..., Any]]:
    """A client that hangs when its job does not succeed: nobody wakes it."""

    def make(base_url: str, key: str) -> Callable[..., Any]:
        generate = polling(time.sleep, 3)(base_url, key)

        def wait(prompt: str, face_image: str, seed: int) -> Any:
            try:
                return generate(prompt, face_image, seed)
            except RuntimeError:
                return queue.Queue[None]().get()

        async def wait_in_task(prompt: str, face_image: str, seed: int) -> Any:
            try:
                return await asyncio.to_thread(generate, prompt, face_image, seed)
            except RuntimeError:
                await asyncio.Event().wait()

        return wait_in_task if in_task else wait

    return make


@pytest.mark.parametrize("in_task", [False, True])
def test_a_call_that_nothing_can_wake_is_endless(in_task: bool) -> None:
    """It is seen soon, the finding says where it hangs, and the next trials go on."""
    report = check_client(waiting_for_ever(in_task), trials=["stuck", "failed", "success"])

    name = "asyncio.locks.Event.wait" if in_task else "queue.Queue.get"
    found = [finding for finding in report.findings if finding.rule == "endless"]
    assert [(finding.trial, finding.times) for finding in found] == [("stuck", 2)]
    assert f"test_time.py:{line_of(name)} on {name}, and nothing is left" in found[0].message
    assert (report.not_judged, report.trials) == ((), ("success", "stuck", "failed"))
    assert report.real_s < 30  # not twice until `max_real_s`


def line_of(name: str) -> int:
    """The line of this file on which `waiting_for_ever` waits."""
    code = "await asyncio.Event().wait()" if "asyncio" in name else "queue.Queue[None]().get()"
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.strip().endswith(code))


def test_a_call_that_waits_in_real_time_too_long_is_not_judged() -> None:
    """Nobody knows what it waits for: it is no finding, and the next trials go on."""
    # the first callable is made for its signature alone
    pauses = iter([time.sleep, locked_for_long])

    def make(base_url: str, key: str) -> Callable[..., Any]:
        return polling(next(pauses, time.sleep), 60)(base_url, key)

    report = check_client(make, trials=["success", "failed"], max_real_s=0.5)

    assert rules(report) == []
    assert [line.partition(" at ")[0] for line in report.not_judged] == ["success: it waits"]
    assert report.trials == ("success", "failed")


def locked_for_long(seconds: float) -> None:
    lock = threading.Lock()
    lock.acquire()
    lock.acquire(timeout=30)


async def in_a_timeout(seconds: float) -> None:
    async with asyncio.timeout(600):
        await asyncio.sleep(seconds)


async def in_wait_for(seconds: float) -> None:
    await asyncio.wait_for(asyncio.sleep(seconds), 600)


async def in_wait(seconds: float) -> None:
    task = asyncio.create_task(asyncio.sleep(seconds))
    done, _ = await asyncio.wait({task}, timeout=600)
    task.cancel()
    if not done:
        raise TimeoutError("600 s are over")


async def in_fail_after(seconds: float) -> None:
    with anyio.fail_after(600):
        await anyio.sleep(seconds)


def waiting_as_told(
    wait: Callable[[float], Any], *, is_sync: bool = False
) -> Callable[[str, str], Callable[..., Any]]:
    """A client that waits as long as a reply says, by `await wait(seconds)`."""

    def make(base_url: str, key: str) -> Callable[..., Any]:
        def post(path: str, **body: Any) -> Any:
            url = f"{base_url}/image_editing/{path}"
            return requests.post(url, json={"key": key, **body}, timeout=30).json()

        async def generate(prompt: str, face_image: str, seed: int) -> Any:
            job = post("flux_headshot", prompt=prompt, face_image=face_image, seed=seed)
            number = job["id"]
            while job["status"] != "success":
                await wait(job.get("retry_after", job.get("eta", 5)))
                job = post(f"fetch/{number}")
            return job["output"]

        def in_a_run(prompt: str, face_image: str, seed: int) -> Any:
            return asyncio.run(generate(prompt, face_image, seed))

        return in_a_run if is_sync else generate

    return make


DAYS = ["eta of a day", "fetch 429 for a day"]


@pytest.mark.parametrize("is_sync", [False, True])
@pytest.mark.parametrize("wait", [in_a_timeout, in_wait_for, in_wait, in_fail_after])
def test_a_sleep_inside_a_deadline_ends_with_the_deadline(
    wait: Callable[[float], Any], is_sync: bool
) -> None:
    """What counts is the time that passes, not the length that was asked for."""
    report = check_client(waiting_as_told(wait, is_sync=is_sync), trials=DAYS)

    assert (report.findings, report.not_judged) == ((), ())
    assert report.virtual_s < 3_600


@pytest.mark.parametrize("wait", [in_a_timeout, in_fail_after])
def test_a_sleep_longer_than_the_whole_call_may_be_inside_a_deadline(
    wait: Callable[[float], Any],
) -> None:
    """Only the deadline is to come before the end of the call."""
    report = check_client(
        waiting_as_told(lambda _: wait(10 * 86_400)), trials=DAYS, max_virtual_s=700
    )

    assert (report.findings, report.not_judged) == ((), ())


async def asleep(seconds: float) -> None:
    time.sleep(seconds)


@pytest.mark.parametrize("wait", [asyncio.sleep, asleep])
def test_a_client_that_waits_as_it_was_told_is_not_endless(wait: Callable[[float], Any]) -> None:
    """It did what the server asked for; only that it took a day is told."""
    report = check_client(waiting_as_told(wait, is_sync=True), trials=DAYS)

    assert [str(finding) for finding in report.findings] == [
        "warning: waited-a-day: eta of a day: The call lasted 86,400 s, because a reply said so."
        " (in 2 trials) Give the whole call a deadline, whatever a reply asks for."
    ]
    assert report.not_judged == ()
