"""Code that uses urllib, and its tests as unittest.TestCase: they run under pytest or unittest."""

from __future__ import annotations

import json
import time
import unittest
import urllib.request
from typing import Any

from fauxlab import Mock, Settings, intercepted, serve, virtual_time

PRODUCTION = "https://modelslab.com/api/v6"
FIELDS = {
    "prompt": "studio portrait",
    "face_image": "https://example.com/face.jpg",
    "seed": 7,
}


def post(url: str, body: dict[str, Any]) -> Any:
    """POST JSON, and return the JSON of the reply."""
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as reply:
        return json.load(reply)


def make_headshot(key: str, base_url: str = PRODUCTION) -> Any:
    """Run a generation and return its last reply, whatever its status."""
    url = f"{base_url}/image_editing/flux_headshot"
    reply = post(url, {"key": key, **FIELDS})
    while reply["status"] == "processing":
        url = reply.get("fetch_result", url)
        time.sleep(5)
        reply = post(url, {"key": key})
    return reply


class InProcess(unittest.TestCase):
    """Each test has a mock of its own, which answers the production address."""

    def setUp(self) -> None:
        mock = Mock(Settings(clock="manual", eta=12))
        self.mock = self.enterContext(intercepted(mock))
        self.enterContext(virtual_time(mock.clock))

    def test_success(self) -> None:
        self.assertEqual(make_headshot("any-key")["status"], "success")

    def test_failure(self) -> None:
        self.mock.scenario("failed", times=1)

        self.assertEqual(make_headshot("any-key")["status"], "failed")
        self.assertEqual(self.mock.generations, 1)


class OverASocket(unittest.TestCase):
    """The tests of this class share a mock on a loopback address; each begins anew."""

    mock: Mock

    @classmethod
    def setUpClass(cls) -> None:
        cls.mock = cls.enterClassContext(serve())

    def setUp(self) -> None:
        self.mock.reset()
        self.enterContext(virtual_time(self.mock.clock))

    def test_success(self) -> None:
        self.assertEqual(make_headshot("any-key", self.mock.url)["status"], "success")

    def test_no_credits(self) -> None:
        self.mock.scenario("no_credits")

        self.assertEqual(make_headshot("any-key", self.mock.url)["status"], "error")
        self.assertEqual(len(self.mock.requests), 1)


if __name__ == "__main__":
    unittest.main()
