"""Code that uses requests, and its tests.

They run in process at the production address, and over a real socket at a loopback address.
"""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from fauxlab import Clock, Mock

PRODUCTION = "https://modelslab.com/api/v6"


def make_headshot(key: str, base_url: str = PRODUCTION, **fields: Any) -> Any:
    """Run a generation and return its last reply, whatever its status."""
    url = f"{base_url}/image_editing/flux_headshot"
    reply = requests.post(url, json={"key": key, **fields}, timeout=30).json()
    while reply["status"] == "processing":
        url = reply.get("fetch_result", url)
        time.sleep(5)
        reply = requests.post(url, json={"key": key}, timeout=30).json()
    return reply


FIELDS: dict[str, Any] = {
    "prompt": "studio portrait",
    "face_image": "https://example.com/face.jpg",
    "seed": 7,
}


@pytest.mark.fauxlab(clock="manual", eta=12)
def test_in_process(fauxlab: Mock, fauxlab_time: Clock) -> None:
    """Three pauses of five seconds pass on the mock's clock only."""
    started = fauxlab_time.now()

    reply = make_headshot("any-key", **FIELDS)

    assert (reply["status"], fauxlab_time.now() - started) == ("success", 15)


def test_over_a_socket(fauxlab_server: Mock, fauxlab_time: Clock) -> None:
    """The same code works against a loopback server, given its base URL."""
    assert make_headshot("any-key", fauxlab_server.url, **FIELDS)["status"] == "success"


def test_what_is_wrong_with_a_request(fauxlab: Mock) -> None:
    """A bad request is refused, and the journal names each wrong field."""
    reply = make_headshot("any-key", **FIELDS, width=2048, num_inference_steps=50)

    assert reply["status"] == "error"
    assert [violation.pointer for violation in fauxlab.requests[0].violations] == [
        "/num_inference_steps",
        "/width",
    ]
