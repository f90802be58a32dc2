"""`check_client` itself: its arguments, its limits, what it says, and that it always ends."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

import vendor_client
from client_mutants.drivers import make_of
from client_mutants.plain import Plain
from fauxlab_mock.client_check.check import KEY, check_client
from fauxlab_mock.client_check.report import ClientReport
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


def nothing(prompt: str) -> None:
    """A client that does nothing."""


def test_what_the_vendors_sdk_check_says() -> None:
    """The known defects, and no change without the page: sixty seconds after an end, failed is no
    end, no seed, redirects.
    """
    report = check_client(vendor_client.make)

    assert rules(report) == {
        "request-violation",
        "crashed",
        "error-taken-for-success",
        "key-sent-elsewhere",
        "plain-http",
        "polled-after-end",
        "polled-before-eta",
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
        "polled-before-eta",
        "retried-permanent-error",
        "waited-after-end",
        "wrong-result",
    }


def test_one_that_loops_without_a_call_or_a_pause_is_ended() -> None:
    """A call that only computes is interrupted when its real time is over."""

    def generate(**fields: Any) -> None:
        while True:
            pass

    report = check_client(calling(generate), trials=["success", "failed"], max_real_s=0.1)

    assert (rules(report), report.findings[0].times) == ({"endless"}, 2)


def test_one_that_cannot_be_ended_ends_the_check() -> None:
    """Whoever catches everything is left behind, and the rest is not judged."""

    def generate(**fields: Any) -> None:
        ends = time.perf_counter_ns() + 10**10  # ten seconds: nothing is left behind for long
        while time.perf_counter_ns() < ends:
            try:
                while time.perf_counter_ns() < ends:
                    pass
            except BaseException:  # noqa: S110
                pass

    report = check_client(calling(generate), trials=["success", "failed"], max_real_s=0.05)

    assert (rules(report), report.not_judged) == (
        {"endless"},
        ("failed: an earlier call could not be ended",),
    )


def test_a_sleep_past_the_end_of_time_ends_the_call() -> None:
    """A sleep of a day is cut, also in a task."""

    async def generate(**fields: Any) -> None:
        await asyncio.sleep(86_400)

    report = check_client(calling(generate), trials=["success"])

    assert (rules(report), report.virtual_s) == ({"endless"}, 0.0)


def test_one_that_calls_for_ever_is_ended() -> None:
    """After `max_calls` no call is answered, and the thread is asked to end."""

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
        ({"trials": ["nonsense"]}, "there is no trial 'nonsense'; the trials are success, "),
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


def test_an_argument_that_nobody_knows_is_asked_for() -> None:
    """A parameter that no field is called must be given."""

    def generate(folder: str, prompt: str) -> None:
        pass

    with pytest.raises(ValueError, match="the callable needs folder, which no field is called"):
        check_client(calling(generate), trials=["success"])


def test_a_waived_rule_is_no_finding() -> None:
    """The reason stands in the report, and it is fine."""
    report = check_client(
        calling(nothing), trials=["success"], waive={"wrong-result": "it has none"}
    )

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
    report = check_client(calling(nothing), trials=["success", "failed"])

    assert (
        str(report)
        == "1 finding about the client, in 2 trials\n  error: wrong-result: success: No success"
        " with an output had been told, and the call returned None. (2 times) Return output"
        " after status says success."
    )
