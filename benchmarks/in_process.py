"""Inside a test process: one exchange with the mock, and a suite of jobs with a client that sleeps.

The exchange is held against `httpx.MockTransport`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import httpx
from common import BODY, PATH

from fauxlab import Mock, Settings, intercepted

ROUNDS, CALLS = 15, 300
URL = f"https://modelslab.com{PATH}"
SUITE = """
import pytest

from fauxlab import Client


@pytest.mark.parametrize("seed", range(50))
@pytest.mark.fauxlab(eta=20, clock="manual")
def test_job(fauxlab, fauxlab_time, seed):
    with Client("any-key") as client:
        client.generate(prompt="portrait", face_image="https://example.com/face.png", seed=seed)
"""
EMPTY = """
import pytest


@pytest.mark.parametrize("seed", range(50))
def test_nothing(seed):
    pass
"""


def per_call(client: httpx.Client) -> float:
    """Seconds of one POST and the reading of its reply."""
    started = time.perf_counter()
    for _ in range(CALLS):
        assert client.post(URL, json=BODY).json()["status"] == "processing"
    return (time.perf_counter() - started) / CALLS


def exchanges() -> None:
    mock = Mock(Settings(clock="manual"))
    with intercepted(mock), httpx.Client() as through_mock:
        reply = through_mock.post(URL, json=BODY).json()
        with httpx.Client(
            transport=httpx.MockTransport(lambda _: httpx.Response(200, json=reply))
        ) as bare:
            rounds = [(per_call(through_mock), per_call(bare)) for _ in range(ROUNDS)]
    ours, theirs = (median(times) for times in zip(*rounds, strict=True))
    ratio = median(through_mock / bare for through_mock, bare in rounds)
    print(
        f"one exchange in process: {ours * 1e6:.0f} us, bare MockTransport {theirs * 1e6:.0f} us,"
        f" ratio {ratio:.1f}"
    )


def suite(source: str) -> float:
    """Wall seconds of pytest over one file."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "test_suite.py")
        file.write_text(source)
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", file],
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return time.perf_counter() - started


def main() -> None:
    exchanges()
    rounds = [(suite(SUITE), suite(EMPTY)) for _ in range(5)]
    ours, empty = (median(times) for times in zip(*rounds, strict=True))
    print(
        f"50 tests, each a job of 20 s through a client that sleeps: {ours:.2f} s; 50 empty tests"
        f" {empty:.2f} s (aim: under 2 s)"
    )


if __name__ == "__main__":
    main()
