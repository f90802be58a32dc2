"""`check_client` and children by fork: not judged, nobody waits for them, nothing doubles."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest
import requests

from fauxlab_mock.client_check.check import check_client
from fauxlab_mock.client_check.webhook_handler import check_webhook_handler

Call = Callable[..., Any]
FORKING = multiprocessing.get_context("fork")
kept_fork = os.fork  # out of reach, as behind `from os import fork`


def generated(base_url: str, key: str, **fields: Any) -> Any:
    """One right generation."""

    def post(path: str, **body: Any) -> Any:
        url = f"{base_url}/image_editing/{path}"
        return requests.post(url, json={"key": key, **body}, timeout=30).json()

    job = post("flux_headshot", **fields)
    number = job.get("id")
    while job["status"] == "processing":
        time.sleep(job.get("eta", 5))
        job = post(f"fetch/{number}")
    if job["status"] != "success":
        raise RuntimeError(job.get("message"))
    return job["output"]


def by_fork(work: Callable[[], Any]) -> Any:
    if os.fork() == 0:
        work()
    return work()


def by_process(work: Callable[[], Any]) -> Any:
    process = FORKING.Process(target=work)
    process.start()
    process.join()


def by_pool(work: Callable[[], Any]) -> Any:
    with ProcessPoolExecutor(1, mp_context=FORKING) as pool:
        return pool.submit(work).result()


def by_pool_of_multiprocessing(work: Callable[[], Any]) -> Any:
    with FORKING.Pool(1) as pool:
        return pool.apply(work)


def making(call: Callable[[Callable[[], Any]], Any]) -> Callable[[str, str], Call]:
    def make(base_url: str, key: str) -> Call:
        def generate(prompt: str, face_image: str, seed: int) -> Any:
            fields = {"prompt": prompt, "face_image": face_image, "seed": seed}
            return call(lambda: generated(base_url, key, **fields))

        return generate

    return make


@pytest.mark.parametrize("call", [by_fork, by_process, by_pool, by_pool_of_multiprocessing])
def test_a_client_that_works_in_a_child_is_not_judged(call: Callable[[Any], Any]) -> None:
    """One sentence says where it forks; there never is a child, and nobody waits for one."""
    report = check_client(making(call), trials=["success", "failed", "stuck", "arguments"])

    assert (report.findings, report.is_judged, report.is_ok) == ((), False, False)
    assert report.headline() == ("nothing was judged: it works in another process, in 3 trials")
    (reason,) = report.not_judged
    assert reason.startswith("all trials: it works in another process, which it forks at ")
    assert f"{__file__}:" in reason
    assert reason.endswith("or start `fauxlab serve` and ask for the verdict.")
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_client_that_forks_now_and_then_is_judged_where_it_does_not() -> None:
    """The trials in which it forks are named."""

    def make(base_url: str, key: str) -> Call:
        def generate(prompt: str, face_image: str, seed: int) -> Any:
            try:
                return generated(base_url, key, prompt=prompt, face_image=face_image, seed=seed)
            except RuntimeError:
                os.fork()
                raise

        return generate

    report = check_client(make, trials=["success", "failed", "instant"])

    assert (report.findings, report.is_ok) == ((), True)
    (reason,) = report.not_judged
    assert reason.startswith("failed: it works in another process, which it forks at ")


def test_a_child_out_of_reach_checks_nothing() -> None:
    """It ends with its part of the call; the report is that of its parent alone."""

    def forked(work: Callable[[], Any]) -> Any:
        child = kept_fork()
        if child == 0:
            return None
        os.waitpid(child, 0)
        return work()

    report = check_client(making(forked), trials=["success", "instant"])

    assert (report.findings, report.not_judged, report.calls) == ((), (), 3)


def test_a_make_that_forks_is_told_so() -> None:
    """Nothing was made that could be checked."""

    def make(base_url: str, key: str) -> Call:
        os.fork()
        raise AssertionError

    with pytest.raises(RuntimeError, match=r"^make\(base_url, key\): it works in another process"):
        check_client(make)


def test_a_handler_that_forks_is_not_judged() -> None:
    """In none of its trials; and whoever forks after the check does so."""

    def make(ids: frozenset[int], act: Callable[[int], object]) -> Callable[[bytes], int]:
        return lambda _: by_fork(lambda: 200)

    report = check_webhook_handler(make)

    assert report.findings == ()
    assert {reason.partition(": ")[2][:30] for reason in report.not_judged} == {
        "it works in another process, w"
    }
    assert os.fork is kept_fork
