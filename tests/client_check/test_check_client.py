"""`check_client` itself: its arguments, its limits, what it says, and that it always ends."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import Any

import httpx
import pytest

import vendor_client
from client_mutants.drivers import make_of
from client_mutants.plain import Plain
from fauxlab_mock.client_check.check import KEY, SPECIAL_TRIALS, check_client
from fauxlab_mock.client_check.demands.servers import TRIALS
from fauxlab_mock.client_check.report import ClientReport
from fauxlab_mock.client_check.run_call import call_once
from receiving import receiving

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "check_client.md").read_text(
    encoding="utf-8"
)


def rules(report: ClientReport) -> set[str]:
    return {finding.rule for finding in report.findings}


def calling(generate: Callable[..., Any]) -> Callable[[str, str], Callable[..., Any]]:
    """A `make` for a client that needs no address."""

    def make(base_url: str, key: str) -> Callable[..., Any]:
        return generate

    return make


REFUSED = "error-taken-for-success"


def by_prompt(prompt: str) -> None:
    """No `make` at all."""


def asking(base_url: str, key: str) -> Callable[..., Any]:
    """A client that asks, and returns nothing."""

    def generate(prompt: str) -> None:
        httpx.head(base_url)

    return generate


def test_what_the_vendors_sdk_check_says() -> None:
    """It has its known defects, and no others than the page in docs shows."""
    report = check_client(vendor_client.make)

    assert rules(report) == {
        "bad-argument-sent",
        "valid-arguments-refused",
        "request-violation",
        "crashed",
        "gave-up",
        "unknown-id",
        "error-taken-for-success",
        "key-repeated",
        "key-sent-elsewhere",
        "http-accepted",
        "no-timeout",
        "polled-after-end",
        "retried-permanent-error",
        "waited-after-end",
        "wrong-result",
    }
    assert untimed(str(report)) == untimed(vendor_text())


def vendor_text() -> str:
    found = re.search(r"<!-- vendor -->\n```\n(.*?)\n```", PAGE, re.DOTALL)
    assert found
    return found[1]


def untimed(text: str) -> str:
    """Pauses have tenths of seconds that depend on the machine."""
    return re.sub(r"\d+\.\d s", "n s", text)


def test_the_vendors_async_side_is_no_better() -> None:
    """The same rules are broken by the SDK's async half."""
    report = check_client(
        vendor_client.make_async, trials=["success", "failed", "fetch refused", "redirecting_fetch"]
    )

    assert rules(report) == {
        "request-violation",
        "error-taken-for-success",
        "key-sent-elsewhere",
        "polled-after-end",
        "retried-permanent-error",
        "waited-after-end",
        "wrong-result",
    }


@pytest.fixture
def computing() -> Iterator[Callable[..., Any]]:
    """A client that only computes, without a call or a pause, until the test is over."""
    over = threading.Event()

    def generate(**fields: Any) -> None:
        while not over.is_set():
            hash(str(fields))

    yield generate
    over.set()


def test_a_call_that_only_computes_is_stuck(computing: Callable[..., Any]) -> None:
    """It is left behind, the finding says at which line, and the rest is not judged."""
    report = check_client(calling(computing), trials=["success", "failed"], max_real_s=0.1)

    first = computing.__code__.co_firstlineno
    where = ("", " on threading.Event.is_set")
    places = [f"{__file__}:{line}{on}" for line in (first + 1, first + 2) for on in where]
    assert [(finding.rule, finding.message) for finding in report.findings] in [
        [
            (
                "endless",
                "The call did not end within 0 requests and its time limit. It is"
                f" stuck at {place}, and was left behind there.",
            )
        ]
        for place in places
    ]
    assert report.not_judged[0].startswith(f"failed: an earlier call still computes at {__file__}:")


@pytest.mark.parametrize("library", ["requests", "httpx", "aiohttp"])
def test_a_call_that_goes_on_regardless_is_ended_by_its_next_connection(library: str) -> None:
    """A client that tries again after each error without a pause ends, and the check goes on."""
    call = make_of(Plain, library)

    def make(base_url: str, key: str) -> Callable[..., Any]:
        def generate(prompt: str, face_image: str, seed: int) -> Any:
            while True:
                with contextlib.suppress(Exception):
                    call_once(
                        call(base_url, key),
                        {"prompt": prompt, "face_image": face_image, "seed": seed},
                    )

        return generate

    report = check_client(make, trials=["no_credits", "failed"], max_calls=10)

    endless = [finding.times for finding in report.findings if finding.rule == "endless"]
    assert (endless, report.not_judged) == ([2], ())


def test_a_call_that_waits_in_pauses_of_nothing_is_ended() -> None:
    """A loop around `sleep(0)`, which moves no clock, ends with the real time of its call."""

    def generate(**fields: Any) -> None:
        while True:
            time.sleep(0)

    report = check_client(calling(generate), trials=["success", "failed"], max_real_s=0.1)

    assert (rules(report), report.findings[0].times, report.not_judged) == ({"endless"}, 2, ())


def test_a_stuck_call_of_a_traced_process_stops_nobody(computing: Callable[..., Any]) -> None:
    """A tracer with a lock of its own, such as a coverage tool has, is never left locked."""
    lock, given_up = threading.Lock(), []

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        if not lock.acquire(timeout=2):
            given_up.append(f"{frame.f_code.co_filename}:{frame.f_lineno}")
            return None
        for _ in range(100):  # an exception from outside would strike here
            pass
        lock.release()
        return trace

    before, before_in_threads = sys.gettrace(), threading.gettrace()
    threading.settrace(trace)
    sys.settrace(trace)
    try:
        report = check_client(calling(computing), trials=["success", "failed"], max_real_s=0.1)
    finally:
        sys.settrace(before)
        threading.settrace(before_in_threads)

    assert (given_up, rules(report)) == ([], {"endless"})


def test_a_sleep_past_the_end_of_time_ends_the_call() -> None:
    """A sleep of a day is cut where the time of the call ends, also in a task."""

    async def generate(**fields: Any) -> None:
        await asyncio.sleep(86_400)

    report = check_client(calling(generate), trials=["success"])

    assert (rules(report), report.virtual_s) == ({"endless"}, 3_600.0)


def test_one_that_calls_for_ever_is_ended() -> None:
    """After `max_calls` no call is answered, and no connection is made."""

    def make(base_url: str, key: str) -> Callable[..., Any]:
        def generate(**fields: Any) -> None:
            with httpx.Client() as http:
                while True:
                    try:
                        http.post(base_url, json={})
                    except httpx.HTTPError:
                        continue

        return generate

    report = check_client(make, trials=["success"], max_calls=20)

    assert "endless" in rules(report)


def test_a_client_that_waits_on_a_lock_gets_its_webhook() -> None:
    """Nobody sleeps, so nobody moves the clock: the check does, while a webhook is outstanding."""
    with receiving() as receiver:

        def make(base_url: str, key: str) -> Callable[..., Any]:
            def generate(prompt: str, face_image: str, seed: int) -> Any:
                body = {
                    "key": key,
                    "prompt": prompt,
                    "face_image": face_image,
                    "seed": seed,
                    "webhook": receiver.url,
                }
                httpx.post(f"{base_url}/image_editing/flux_headshot", json=body)
                return receiver.next()["output"]

            return generate

        report = check_client(make, trials=["success"])

    assert (report.findings, report.virtual_s >= 5.0) == ((), True)


def test_arguments_are_mapped_and_given() -> None:
    """`names` says which parameter a field is, `arguments` gives what no field is called."""
    call = make_of(Plain, "requests")

    def make(base_url: str, key: str) -> Callable[..., Any]:
        def generate(photo: str, words: str, folder: str, seed: int) -> Any:
            assert folder == "here"
            return call(base_url, key)(face_image=photo, prompt=words, seed=seed)

        return generate

    report = check_client(
        make,
        {"folder": "here"},
        names={"face_image": "photo", "prompt": "words"},
        trials=["success", "arguments", "side by side"],
    )

    assert report.findings == ()
    assert report.not_judged[0] == "width: no argument reaches it"


@pytest.mark.parametrize(
    "options, message",
    [
        ({"trials": ["nonsense"]}, "there is no trial 'nonsense'; the "),
        ({"trials": ["sucess"]}, "there is no trial 'sucess'; did you mean success"),
        ({"trials": "sucess"}, "there is no trial 'sucess'; did you mean success"),
        (
            {"waive": {"nonsense": "why"}},
            "no rule is called 'nonsense'; there are argument-lost, ",
        ),
        ({"waive": {"endless": " "}}, "waive 'endless' with a reason; "),
        ({"names": {"nonsense": "x"}}, "names has nonsense, which the document does not declare; "),
        ({"operation": "/nonsense"}, "the document has no operation /nonsense that starts jobs"),
    ],
)
def test_a_mistake_of_the_caller_is_one_clear_error(options: dict[str, Any], message: str) -> None:
    """Unknown names are told with those that there are."""
    with pytest.raises(ValueError, match=re.escape(message)):
        check_client(make_of(Plain, "requests"), **options)


def test_a_lone_trial_may_be_named_by_its_text() -> None:
    """It is one trial, not its letters."""
    report = check_client(make_of(Plain, "requests"), trials="success")

    assert report.trials == ("success",)


def generating(prompt: str, face_image: str) -> str:
    """The callable in the place of `make`."""
    return prompt + face_image


async def making(base_url: str, key: str) -> Callable[..., Any]:
    """A `make` that is async itself."""
    return by_prompt


@pytest.mark.parametrize(
    "make, message",
    [
        (generating, "it is generating, which takes (prompt: 'str', face_image: 'str')"),
        (by_prompt, "it is by_prompt, which takes (prompt: 'str')"),
        (making, "it is async, and only what it returns may be"),
        (7, "it is a value of type int"),
        (lambda *_: 7, "it returned a value of type int"),
    ],
)
def test_a_make_that_makes_no_client_is_one_clear_error(make: Any, message: str) -> None:
    """What is called, how, and what came instead."""
    wanted = "make(base_url, key), which returns a callable that does one whole generation"

    with pytest.raises(TypeError) as caught:
        check_client(make)

    assert str(caught.value) == f"the first argument must be {wanted}; {message}"


@pytest.mark.parametrize(
    "options, message",
    [
        ({"trials": 5}, "trials must be names, such as ['success'], not a value of type int"),
        ({"document": "x"}, "document must be what load_document returns, not 'x'"),
        ({"arguments": ["x"]}, "arguments must be a mapping, not a value of type list"),
        ({"names": ["x"]}, "names must be a mapping, not a value of type list"),
        ({"waive": ["endless"]}, "waive takes {rule: reason}, not \"['endless']\""),
    ],
)
def test_an_argument_of_the_wrong_type_is_one_clear_error(
    options: dict[str, Any], message: str
) -> None:
    """Before anything is tried."""
    with pytest.raises(TypeError) as caught:
        check_client(make_of(Plain, "requests"), **options)

    assert str(caught.value) == message


def test_an_argument_that_nobody_knows_is_asked_for() -> None:
    """A parameter that no field is called must be given."""

    def generate(folder: str, prompt: str) -> None:
        pass

    with pytest.raises(ValueError, match="the callable needs folder, which no field is called"):
        check_client(calling(generate), trials=["success"])


def test_a_waived_rule_is_no_finding() -> None:
    """The reason stands in the report, and it is fine."""
    report = check_client(asking, trials=["success"], waive={REFUSED: "it has none"})

    assert (report.is_ok, report.waived[0].waived) == (True, "it has none")
    report.assert_ok()


def test_the_key_stands_nowhere_in_the_report() -> None:
    """Even of a client that shows it wherever it can."""

    def make(base_url: str, key: str) -> Callable[..., Any]:
        def generate(**fields: Any) -> None:
            httpx.post(
                f"{base_url}/image_editing/flux_headshot?key={key}",
                json={"key": key, key: key, "prompt": key},
            )
            raise KeyError(f"{key} is the key")

        return generate

    report = check_client(make, trials=["success", "no_credits"])

    assert {"crashed", "key-in-url", "key-leaked"} <= rules(report)
    assert KEY not in str(report) + str(report.as_dict())


def test_a_finding_reads_well() -> None:
    """Rule, trial, what happened, how often, what to do."""
    report = check_client(asking, trials=["success", "failed"])

    assert (
        str(report)
        == f"1 finding about the client, in 2 trials\n  error: {REFUSED}: success: The call"
        " returned None, although the server had said error. (in 2 trials) Read status in the"
        " reply; HTTP 200 says nothing."
    )


@pytest.mark.parametrize("kind", ["task", "thread"])
def test_a_generous_deadline_is_no_endless_call(kind: str) -> None:
    """A client may wait for at most a day, in whatever way: a deadline is not a sleep."""

    def make(base_url: str, key: str) -> Callable[..., Any]:
        def poll(**fields: Any) -> Any:
            with httpx.Client(base_url=base_url) as http:
                job = http.post("/image_editing/flux_headshot", json={"key": key, **fields}).json()
                while job["status"] == "processing":
                    time.sleep(job.get("eta", 5))
                    job = http.post(f"/image_editing/fetch/{job['id']}", json={"key": key}).json()
                return job["output"]

        async def in_a_task(**fields: Any) -> Any:
            async with asyncio.timeout(86_400):
                return await asyncio.to_thread(poll, **fields)

        def in_a_thread(**fields: Any) -> Any:
            with ThreadPoolExecutor(1) as pool:
                return pool.submit(poll, **fields).result(timeout=86_400)

        return in_a_task if kind == "task" else in_a_thread

    report = check_client(make, trials=["success"])

    assert rules(report) == set()


def test_a_client_that_pauses_on_an_event_for_ever_is_ended() -> None:
    """The hour of a call also ends for waits with a timeout, and the call with it."""

    def generate(**fields: Any) -> None:
        with httpx.Client() as http:
            while True:
                threading.Event().wait(600)
                with contextlib.suppress(httpx.HTTPError):
                    http.get("http://127.0.0.1:1/")

    report = check_client(calling(generate), trials=["success"], max_real_s=10)

    assert rules(report) == {"endless"}


def test_no_name_of_a_trial_has_a_comma() -> None:
    """Commas part them in `--trials`."""
    assert [name for name in (*TRIALS, *SPECIAL_TRIALS) if "," in name] == []
