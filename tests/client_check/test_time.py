"""`check_client` and time: every client ends, in whatever way it waits, and is told the truth."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

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
