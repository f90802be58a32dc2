"""The examples do what they say."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from driving import KEY, VALID
from fauxlab_mock.runtime.mock import Mock
from serving import post_json

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def test_the_example_suites_pass(tmp_path: Path) -> None:
    """Each example suite passes as it stands, with no configuration of ours."""
    names = sorted(path.name for path in EXAMPLES.glob("test_*.py"))
    for name in names:
        shutil.copy(EXAMPLES / name, tmp_path)
    # a process of its own: our configuration and helpers are out of its reach
    command = [
        *(sys.executable, "-m", "pytest", "-v", "--tb=short"),
        *("-p", "no:cacheprovider", "-p", "no:randomly"),
    ]

    result = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=120, cwd=tmp_path
    )

    passed = set(re.findall(r"^(test_\w+\.py)::.* PASSED", result.stdout, re.MULTILINE))
    assert (result.returncode, sorted(passed)) == (0, names), result.stdout


def test_curl_goes_the_whole_way(fauxlab_server: Mock, tmp_path: Path) -> None:
    """The shell script saves a picture, and stops with an error when the job fails."""
    if shutil.which("curl") is None and not os.environ.get("CI"):
        pytest.skip("curl is not installed")

    def curl() -> subprocess.CompletedProcess[str]:
        command = ["sh", str(EXAMPLES / "curl.sh"), fauxlab_server.url]
        environment = {**os.environ, "PAUSE_S": "0"}
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            cwd=tmp_path,
            env=environment,
        )

    result = curl()
    fauxlab_server.scenario("failed", times=1)
    failed = curl()

    assert result.stdout.splitlines() == [
        "processing: job 100000001",
        "processing: job 100000001",
        "success: headshot.png",
    ]
    assert (tmp_path / "headshot.png").read_bytes().startswith(b"\x89PNG")
    assert (failed.returncode, "The generation failed" in failed.stderr) == (1, True)


def answer(url: str, event: object) -> int:
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, json.dumps(event).encode()), timeout=10
        ) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


@pytest.mark.fauxlab(clock="manual")
def test_the_webhook_handler_believes_the_api_alone(fauxlab_server: Mock) -> None:
    """A real event is confirmed by a fetch, once; forged, early and broken ones are refused."""
    job = post_json(
        fauxlab_server.url + "/image_editing/flux_headshot", {**VALID, "key": "any-key"}
    )
    event = {"status": "success", "id": job["id"], "output": job["future_links"]}
    command = [sys.executable, str(EXAMPLES / "webhook_handler.py"), fauxlab_server.url]
    handler = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert handler.stdout is not None
        url = handler.stdout.readline().split()[-1]
        early, forged, broken = (
            answer(url, event),
            answer(url, {**event, "id": 5}),
            answer(url, "hello"),
        )
        fauxlab_server.clock.advance(5)
        twice = answer(url, event), answer(url, event)
        told = handler.stdout.readline()
    finally:
        handler.terminate()
        handler.communicate(timeout=10)

    assert (early, forged, broken, twice) == (404, 404, 400, (200, 200))
    assert told == f"job {job['id']} is ready: {job['future_links'][0]}\n"
    assert KEY not in told
    # submit, two fetches
    assert (
        len([exchange for exchange in fauxlab_server.requests if exchange.job_id == job["id"]]) == 3
    )
