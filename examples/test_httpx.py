"""Code that uses httpx, and its tests: the code keeps the production address and its pauses."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from fauxlab import Clock, Mock

API = "https://modelslab.com/api/v6/image_editing"


class HeadshotError(Exception):
    """The API refused a request, or the job failed."""


def make_headshot(
    client: httpx.Client, key: str, prompt: str, face_image: str, seed: int, patience_s: float = 120
) -> str:
    """Return a link to the finished picture.

    Raise HeadshotError for an error inside HTTP 200, for an unknown status, and for a timeout.
    """
    body = {"key": key, "prompt": prompt, "face_image": face_image, "seed": seed}
    reply = said(client.post(f"{API}/flux_headshot", json=body))
    deadline = time.monotonic() + patience_s
    job = reply["id"]
    pause_s = max(1.0, reply.get("eta") or 0)
    while reply["status"] == "processing":
        if time.monotonic() > deadline:
            raise HeadshotError(f"job {job} is not ready after {patience_s} s")
        time.sleep(pause_s)
        pause_s = 2.0
        reply = said(client.post(f"{API}/fetch/{job}", json={"key": key}))
    return str(reply["output"][0])


def said(response: httpx.Response) -> dict[str, Any]:
    reply: dict[str, Any] = response.raise_for_status().json()
    if reply.get("status") not in ("processing", "success"):
        raise HeadshotError(reply.get("message", "no message"))
    return reply


def call() -> str:
    with httpx.Client() as client:
        return make_headshot(
            client, "any-key", "studio portrait", "https://example.com/face.jpg", seed=7
        )


@pytest.mark.fauxlab(eta=45, clock="manual")
def test_a_slow_job_is_waited_for(fauxlab: Mock, fauxlab_time: Clock) -> None:
    """A wait of 45 seconds costs no time, and the link serves a real picture."""
    picture = httpx.get(call())

    assert picture.headers["content-type"] == "image/png"
    assert len(fauxlab.requests) == 3  # submit, fetch, picture


def test_a_failed_job_is_an_error(fauxlab: Mock, fauxlab_time: Clock) -> None:
    """A failed job raises, although every response is HTTP 200."""
    fauxlab.scenario("failed", times=1)

    with pytest.raises(HeadshotError, match="generation failed"):
        call()


@pytest.mark.parametrize("scenario", ["invalid_key", "no_credits", "rate_limited", "server_error"])
def test_refusals_are_errors(fauxlab: Mock, scenario: str) -> None:
    """Every refusal reaches the caller, and the request is not sent again."""
    fauxlab.scenario(scenario)

    with pytest.raises(HeadshotError):
        call()
    assert len(fauxlab.requests) == 1
