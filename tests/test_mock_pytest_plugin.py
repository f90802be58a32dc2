"""The fixtures, used the way a user's own suite uses them."""

from __future__ import annotations

import asyncio
import json
import urllib.request

import httpx
import pytest
import requests
import respx

import fauxlab_client as fc
from driving import KEY, VALID
from fauxlab_mock.mock import Mock

BASE = "https://modelslab.com/api/v6"
SUBMIT = f"{BASE}/image_editing/flux_headshot"
pytest_plugins = ["pytester"]


def test_httpx_calls_to_production_are_answered_in_process(fauxlab: Mock) -> None:
    """A call to the document's own server, as the code under test makes it in production, reaches the mock."""
    reply = httpx.post(SUBMIT, json=VALID)

    assert (reply.json()["status"], [exchange.code for exchange in fauxlab.requests]) == ("processing", [200])


def test_async_calls_too(fauxlab: Mock) -> None:
    """An async client gets the same answers."""

    async def call() -> httpx.Response:
        async with httpx.AsyncClient() as client:
            return await client.post(SUBMIT, json=VALID)

    assert asyncio.run(call()).json()["status"] == "processing"


def test_pictures_are_served_too(fauxlab: Mock) -> None:
    """The whole way in process: submit, two fetches, and the picture behind the link."""
    job = httpx.post(SUBMIT, json=VALID).json()
    statuses = [httpx.post(job["fetch_result"], json={"key": KEY}).json()["status"] for _ in range(2)]
    picture = httpx.get(job["future_links"][0])

    assert (statuses, picture.headers["content-type"], picture.content[:4]) == (["processing", "success"], "image/png", b"\x89PNG")


@pytest.mark.fauxlab(scenario="failed", eta=0.0, polls=1)
def test_the_marker_changes_settings(fauxlab: Mock) -> None:
    """The marker's arguments are settings of this test's mock."""
    job = httpx.post(SUBMIT, json=VALID).json()
    httpx.post(job["fetch_result"], json={"key": KEY})

    assert httpx.post(job["fetch_result"], json={"key": KEY}).json()["status"] == "failed"


def test_requests_calls_are_answered_in_process(fauxlab: Mock) -> None:
    """requests reaches the mock through its adapter: bodies, codes, headers and pictures."""
    job = requests.post(SUBMIT, json=VALID, headers={"Prefer": "eta=0"}, timeout=5)
    picture = requests.get(job.json()["output"][0], timeout=5)

    assert (job.status_code, job.headers["preference-applied"], job.json()["status"]) == (200, "eta=0", "success")
    assert (picture.headers["content-type"], picture.content[:4]) == ("image/png", b"\x89PNG")


def test_requests_calls_to_other_hosts_are_refused_by_name(fauxlab: Mock) -> None:
    """What would leave the machine is refused, naming where it wanted to go."""
    with pytest.raises(requests.exceptions.ConnectionError, match=r"GET to elsewhere\.example is not mocked"):
        requests.get("https://elsewhere.example/", timeout=5)


def test_requests_calls_to_loopback_pass(fauxlab: Mock, fauxlab_server: Mock) -> None:
    """A loopback server of the test's own is reached for real, by either library."""
    url = f"{fauxlab_server.base_url}/image_editing/flux_headshot"

    assert [requests.post(url, json=VALID, timeout=5).status_code, httpx.post(url, json=VALID).status_code] == [200, 200]
    assert (len(fauxlab.requests), len(fauxlab_server.requests)) == (0, 2)


def test_other_hosts_are_refused_by_name(fauxlab: Mock) -> None:
    """What would leave the machine is refused, naming where it wanted to go."""
    with pytest.raises(AssertionError, match=r"elsewhere\.example"):
        httpx.get("https://elsewhere.example/")


def test_a_users_own_routes_keep_working(fauxlab: Mock) -> None:
    """respx routes of the test itself answer beside the mock."""
    with respx.mock:
        respx.get("https://elsewhere.example/").respond(204)
        assert httpx.get("https://elsewhere.example/").status_code == 204
        assert httpx.post(SUBMIT, json=VALID).json()["status"] == "processing"


def test_our_client_runs_against_it_as_in_production(fauxlab: Mock) -> None:
    """The client with its default address needs no change at all."""
    with fc.Client("any-key", sleep=lambda _: None) as client:
        result = client.generate(prompt="p", face_image="https://example.com/face.png", seed=1)

    assert result.id == next(iter(fauxlab.jobs)).id


def test_the_server_fixture_serves_any_library(fauxlab_server: Mock) -> None:
    """The same mock over a real socket, here for the standard library."""
    request = urllib.request.Request(
        f"{fauxlab_server.base_url}/image_editing/flux_headshot", json.dumps(VALID).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as reply:
        assert json.load(reply)["status"] == "processing"


def test_a_failed_test_shows_what_was_refused(pytester: pytest.Pytester) -> None:
    """Below a failed test stand the last exchanges with their violations, and no key."""
    pytester.makepyfile(
        """
        import httpx

        def test_bad(fauxlab):
            body = {"key": "secret-key-123456", "prompt": "p", "face_image": "f", "seed": 1, "width": 1025}
            assert httpx.post("https://modelslab.com/api/v6/image_editing/flux_headshot", json=body).json()["status"] == "processing"
        """
    )

    result = pytester.runpytest_subprocess("-p", "no:randomly", "--show-capture=no", "--tb=no")

    result.assert_outcomes(failed=1)
    result = pytester.runpytest_subprocess("-p", "no:randomly", "--tb=line")
    result.stdout.fnmatch_lines(["*fauxlab: last exchanges*", "*width must be at most 1024, not 1025.*"])
    result.stdout.no_fnmatch_line("*secret-key-123456*")


def test_markers_and_fixtures_are_listed(pytester: pytest.Pytester) -> None:
    """The marker is known to strict runs, and `pytest --fixtures` tells what each fixture is for."""
    markers = pytester.runpytest_subprocess("--markers")
    fixtures = pytester.runpytest_subprocess("--fixtures")

    markers.stdout.fnmatch_lines(["@pytest.mark.fauxlab(*"])
    fixtures.stdout.fnmatch_lines(["fauxlab -- *", "fauxlab_server -- *"])
