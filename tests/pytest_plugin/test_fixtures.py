"""The fixtures, used the way a user's own suite uses them."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiohttp
import httpx
import pytest
import requests
import respx

import fauxlab_client as fc
from driving import KEY, VALID
from fauxlab_contract.openapi.document import bundled_path
from fauxlab_mock.clock.clock import Clock
from fauxlab_mock.inprocess.interception import intercepted
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.settings import Limits
from nested_pytest import run_pytest

BASE = "https://modelslab.com/api/v6"
SUBMIT = f"{BASE}/image_editing/flux_headshot"
pytest_plugins = ["pytester"]


def test_httpx_calls_to_production_are_answered_in_process(fauxlab: Mock) -> None:
    """A call to the document's own server, as production code makes it, reaches the mock."""
    reply = httpx.post(SUBMIT, json=VALID)

    assert (reply.json()["status"], [exchange.code for exchange in fauxlab.requests]) == (
        "processing",
        [200],
    )


def test_async_calls_too(fauxlab: Mock) -> None:
    """An async client gets the same answers."""

    async def call() -> httpx.Response:
        async with httpx.AsyncClient() as client:
            return await client.post(SUBMIT, json=VALID)

    assert asyncio.run(call()).json()["status"] == "processing"


def test_pictures_are_served_too(fauxlab: Mock) -> None:
    """The whole way in process: submit, two fetches, and the picture behind the link."""
    job = httpx.post(SUBMIT, json=VALID).json()
    statuses = [
        httpx.post(job["fetch_result"], json={"key": KEY}).json()["status"] for _ in range(2)
    ]
    picture = httpx.get(job["future_links"][0])

    assert (statuses, picture.headers["content-type"], picture.content[:4]) == (
        ["processing", "success"],
        "image/png",
        b"\x89PNG",
    )


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

    assert (job.status_code, job.headers["preference-applied"], job.json()["status"]) == (
        200,
        "eta=0",
        "success",
    )
    assert (picture.headers["content-type"], picture.content[:4]) == ("image/png", b"\x89PNG")


def test_requests_calls_to_other_hosts_are_refused_by_name(fauxlab: Mock) -> None:
    """What would leave the machine is refused, naming where it wanted to go."""
    with pytest.raises(
        requests.exceptions.ConnectionError,
        match=r"a call to https://elsewhere\.example is not mocked",
    ):
        requests.get("https://elsewhere.example/", timeout=5)


def test_requests_calls_to_loopback_pass(fauxlab: Mock, fauxlab_server: Mock) -> None:
    """A loopback server is reached for real, by either library; here it is the same mock's."""
    url = f"{fauxlab_server.url}/image_editing/flux_headshot"

    assert [
        requests.post(url, json=VALID, timeout=5).status_code,
        httpx.post(url, json=VALID).status_code,
    ] == [200, 200]
    assert (fauxlab is fauxlab_server, len(fauxlab.requests)) == (True, 2)


def test_aiohttp_calls_are_answered_too(fauxlab: Mock) -> None:
    """aiohttp reaches the mock at the production address, and links lead to production as well."""

    async def whole() -> tuple[Any, list[str], bytes]:
        async with aiohttp.ClientSession() as session:
            async with session.post(SUBMIT, json=VALID) as reply:
                job = await reply.json()
            statuses = []
            for _ in range(2):
                async with session.post(job["fetch_result"], json={"key": KEY}) as reply:
                    statuses.append((await reply.json())["status"])
            async with session.get(job["future_links"][0]) as picture:
                return str(reply.url), statuses, await picture.read()

    url, statuses, picture = asyncio.run(whole())

    job = next(iter(fauxlab.jobs))
    assert (url, statuses, picture[:4]) == (
        f"{BASE}/image_editing/fetch/{job.id}",
        ["processing", "success"],
        b"\x89PNG",
    )
    assert len(fauxlab.requests) == 4


def test_an_aiohttp_session_lives_through_several_mocks() -> None:
    """A session that is older than the mock reaches it, and then the next mock."""

    async def post(session: aiohttp.ClientSession) -> str:
        async with session.post(SUBMIT, json=VALID) as reply:
            return str((await reply.json())["status"])

    async def main() -> list[tuple[str, int]]:
        seen = []
        async with aiohttp.ClientSession() as session:
            for _ in range(4):
                mock = Mock()
                with intercepted(mock):
                    seen.append((await post(session), len(mock.requests)))
                    assert session.connector is not None
                    # nothing is left to be used after the block
                    assert not session.connector._conns
        return seen

    assert asyncio.run(main()) == [("processing", 1)] * 4


def test_head_has_no_body(fauxlab: Mock) -> None:
    """HEAD of a link is answered with the picture's length and nothing else, by both libraries."""
    link = httpx.post(SUBMIT, json=VALID, headers={"Prefer": "eta=0"}).json()["output"][0]
    whole = httpx.get(link)
    heads: list[Any] = [httpx.head(link), requests.head(link, timeout=5)]

    assert [
        (head.status_code, head.content, int(head.headers["content-length"])) for head in heads
    ] == [(200, b"", len(whole.content))] * 2


@pytest.mark.fauxlab(limits=Limits(body_bytes=1_000, header_bytes=2_000))
def test_limits_hold_in_process_too(fauxlab: Mock) -> None:
    """Too large a body or head is refused like by a server."""
    codes = [httpx.post(SUBMIT, json={**VALID, "prompt": "x" * 1_000}).status_code]
    codes.append(
        requests.post(SUBMIT, json=VALID, headers={"X-Long": "x" * 2_000}, timeout=5).status_code
    )
    reply = requests.post(SUBMIT, json=VALID, headers={"Prefer": b"eta=0"}, timeout=5)

    assert (codes, reply.json()["status"]) == ([413, 431], "success")


def test_a_users_own_routes_come_first(fauxlab: Mock) -> None:
    """A respx route of the test for the mock's own address wins; without it the mock answers."""
    with respx.mock:
        route = respx.post(SUBMIT).respond(503)
        inside = httpx.post(SUBMIT, json=VALID).status_code
        inside_async = asyncio.run(httpx.AsyncClient().post(SUBMIT, json=VALID)).status_code

    assert (inside, inside_async, route.call_count, httpx.post(SUBMIT, json=VALID).status_code) == (
        503,
        503,
        2,
        200,
    )


@pytest.mark.fauxlab(eta="45", scenario="failed")
class TestMarkers:
    """Markers of a class and of its tests."""

    @pytest.mark.fauxlab(scenario="instant")
    def test_the_closest_wins_setting_by_setting(self, fauxlab: Mock) -> None:
        """A test's marker changes what it names, the class's marker holds for the rest.

        Text becomes what the setting is.
        """
        assert (fauxlab.settings.scenario, fauxlab.settings.eta) == ("instant", 45.0)


def test_a_marker_without_names_is_refused(pytester: pytest.Pytester) -> None:
    """`fauxlab("failed")` is a usage error, and a test that runs twice has a new mock each time."""
    pytester.makepyfile("""
        import httpx, pytest
        from _pytest.runner import runtestprotocol

        @pytest.mark.fauxlab("failed")
        def test_positional(fauxlab):
            pass

        def test_again(fauxlab):
            assert fauxlab.requests == ()
            httpx.get("https://modelslab.com/")
        """)
    pytester.makeconftest("""
        from _pytest.runner import runtestprotocol

        def pytest_runtest_protocol(item, nextitem):
            runtestprotocol(item, nextitem=nextitem, log=False)
            item._initrequest()
        """)
    result = run_pytest(pytester, "--tb=short")

    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines(["*takes settings by name, such as fauxlab(scenario='failed')*"])


def test_aiohttp_calls_to_other_hosts_are_refused_by_name(fauxlab: Mock) -> None:
    """What would leave the machine is refused, naming where it wanted to go; loopback passes."""

    async def call(url: str) -> None:
        async with aiohttp.ClientSession() as session, session.get(url):
            raise AssertionError("somebody answered")

    with pytest.raises(
        aiohttp.ClientConnectionError, match=r"GET to https://elsewhere\.example is not mocked"
    ):
        asyncio.run(call("https://elsewhere.example/"))
    with pytest.raises(aiohttp.ClientConnectorError, match=r"127\.0\.0\.1:9"):
        asyncio.run(call("http://127.0.0.1:9/"))
    assert list(fauxlab.blocked) == ["a call to https://elsewhere.example"]


@pytest.mark.parametrize(
    "url", ["http://modelslab.com/api/v6/x", "https://modelslab.com:8443/api/v6/x"]
)
def test_production_by_another_door_is_refused(fauxlab: Mock, url: str) -> None:
    """Calls by plain http, or to another port, do not reach the mock by any library."""

    async def call() -> None:
        async with aiohttp.ClientSession() as session, session.post(url):
            raise AssertionError("somebody answered")

    origin = url.removesuffix("/api/v6/x")
    with pytest.raises(
        AssertionError,
        match=f"fauxlab: POST to {origin} is not mocked, .*; its address is https://modelslab.com",
    ):
        httpx.post(url)
    with pytest.raises(requests.exceptions.ConnectionError, match=origin):
        requests.post(url, timeout=5)
    with pytest.raises(aiohttp.ClientConnectionError, match=origin):
        asyncio.run(call())
    assert list(fauxlab.blocked) == [f"a call to {origin}"] * 3


def test_the_server_keeps_calls_on_this_machine_too(fauxlab_server: Mock) -> None:
    """Who forgets to configure the base URL does not reach the real API."""
    with pytest.raises(
        httpx.ConnectError,
        match=r"modelslab\.com:443 is not mocked, .*; its calls are answered at the `url` of the"
        " fixture fauxlab_server",
    ):
        httpx.post(SUBMIT, json=VALID)

    assert list(fauxlab_server.blocked) == ["a connection to modelslab.com:443"]


@pytest.mark.fauxlab(allow_hosts=["modelslab.com"])
def test_the_real_api_cannot_be_allowed(fauxlab: Mock) -> None:
    """A library that is not answered in process is refused, and told of `fauxlab_server`."""
    with pytest.raises(OSError, match="answered at the `url` of the fixture fauxlab_server"):
        socket.create_connection(("modelslab.com", 443))

    assert httpx.post(SUBMIT, json=VALID).json()["status"] == "processing"


@pytest.mark.alone
@pytest.mark.parametrize("kind", ["threads", "tasks"])
@pytest.mark.fauxlab(clock="manual")
def test_many_at_once_sleep_for_one_minute_together(
    fauxlab: Mock, fauxlab_time: Clock, kind: str
) -> None:
    """Many tasks or threads that each call and sleep a minute let one minute pass."""
    began = fauxlab_time.now()

    async def task(session: aiohttp.ClientSession) -> None:
        async with session.post(SUBMIT, json=VALID):
            pass
        await asyncio.sleep(60)

    async def tasks() -> None:
        async with aiohttp.ClientSession() as session:
            await asyncio.gather(*(task(session) for _ in range(30)))

    def thread(_: int) -> None:
        httpx.post(SUBMIT, json=VALID)
        time.sleep(60)

    if kind == "tasks":
        asyncio.run(tasks())
    else:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(thread, range(8)))

    assert fauxlab_time.now() - began == 60


def test_any_other_library_is_refused_at_the_socket(fauxlab: Mock) -> None:
    """A library without a seam of ours cannot leave either, and is remembered."""
    with pytest.raises(OSError, match=r"a connection to elsewhere\.example:80 is not mocked"):
        socket.create_connection(("elsewhere.example", 80), timeout=5)

    assert list(fauxlab.blocked) == ["a connection to elsewhere.example:80"]


def test_both_fixtures_are_one_mock(fauxlab: Mock, fauxlab_server: Mock) -> None:
    """A job made in process is fetched over the socket; links lead back to the door they left."""
    inside = httpx.post(SUBMIT, json=VALID).json()
    fetch = f"{fauxlab_server.url}/image_editing/fetch/{inside['id']}"
    statuses = [httpx.post(fetch, json={"key": KEY}).json()["status"]]
    outside = httpx.post(fetch, json={"key": KEY}).json()

    assert ([*statuses, outside["status"]], fauxlab is fauxlab_server) == (
        ["processing", "success"],
        True,
    )
    assert inside["fetch_result"] == f"{BASE}/image_editing/fetch/{inside['id']}"
    assert [link.rpartition("/")[0] for link in (*inside["future_links"], *outside["output"])] == [
        "https://modelslab.com/generations",
        fauxlab.url.removesuffix("/api/v6") + "/generations",
    ]


def test_a_scenario_for_the_next_call(fauxlab: Mock) -> None:
    """`fauxlab.scenario(name, times=1)` is one bad answer, then all is well again."""
    fauxlab.scenario("rate_limited", times=1)

    assert [httpx.post(SUBMIT, json=VALID).json()["status"] for _ in range(2)] == [
        "error",
        "processing",
    ]


@pytest.mark.fauxlab(clock="manual", eta=20.0)
def test_sleeping_is_free(fauxlab: Mock, fauxlab_time: Clock) -> None:
    """The client of production gets through a whole job; its pauses pass on the mock's clock."""
    started = time.time()
    with fc.Client("any-key") as client:
        client.generate(prompt="p", face_image="https://example.com/face.png", seed=1)

    assert time.time() - started >= 20
    assert (fauxlab_time, round(time.time() - started)) == (
        fauxlab.clock,
        round(fauxlab.clock.now() - started),
    )


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
        f"{fauxlab_server.url}/image_editing/flux_headshot",
        json.dumps(VALID).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as reply:
        assert json.load(reply)["status"] == "processing"


def test_a_failed_test_shows_what_was_refused(pytester: pytest.Pytester) -> None:
    """Below a failed test stand the last exchanges with their violations, and no key."""
    pytester.makepyfile("""
        import httpx

        def test_bad(fauxlab):
            url = "https://modelslab.com/api/v6/image_editing/flux_headshot"
            body = {"key": "secret-key-123456", "prompt": "p", "face_image": "f", "seed": 1}
            assert httpx.post(url, json=body | {"width": 1025}).json()["status"] == "processing"
        """)

    result = run_pytest(pytester, "--tb=short")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*fauxlab: last exchanges*", "*width must be at most 1024, not 1025.*"]
    )
    result.stdout.no_fnmatch_line("*secret-key-123456*")


def test_a_failed_test_shows_why_by_the_documents_own_names(pytester: pytest.Pytester) -> None:
    """Where a document names its message otherwise, that member is shown."""
    text = bundled_path().read_text(encoding="utf-8").replace("message", "reason")
    pytester.makefile(".yaml", api=text + "\nx-fauxlab: {fields: {message: reason}}\n")
    pytester.makepyfile("""
        import httpx

        def test_bad(fauxlab):
            url = "https://modelslab.com/api/v6/image_editing/fetch/7"
            assert httpx.post(url, json={"key": "any"}).json()["status"] == "processing"
        """)

    result = run_pytest(pytester, "--tb=short", "--fauxlab-document", "api.yaml")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*fauxlab: last exchanges*",
            "POST /api/v6/image_editing/fetch/7 -> 200 failed (unknown_id)",
            "    Request not found",
        ]
    )


def test_a_misspelt_scenario_fails_a_test_that_took_it_for_an_error(
    pytester: pytest.Pytester,
) -> None:
    """A test that passes although its mock was misused fails at its end, with what was meant; one
    that means it, and one that failed anyway, end as they did.
    """
    pytester.makepyfile("""
        import httpx

        URL = "https://modelslab.com/api/v6/image_editing/flux_headshot"
        BODY = {"key": "mock_no_credit", "prompt": "p", "face_image": "f", "seed": 1}

        def test_green_for_a_wrong_reason(fauxlab):
            assert "processing" not in httpx.post(URL, json=BODY).text

        def test_red_anyway(fauxlab):
            assert httpx.post(URL, json=BODY).status_code == 402

        def test_meant(fauxlab):
            assert httpx.post(URL, json=BODY).status_code == 501
            fauxlab.own_replies.clear()
        """)

    result = run_pytest(pytester)

    result.assert_outcomes(passed=2, failed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*ERROR at teardown of test_green_for_a_wrong_reason*",
            "fauxlab answered in its own name, not as the API would; *",
            "*-> 501 misuse (A key that begins with mock_ chooses a scenario. There is no scenario"
            " 'no_credit'; did you mean no_credits[?])",
        ]
    )


def test_of_many_failed_webhooks_the_first_and_the_last_are_shown(
    pytester: pytest.Pytester,
) -> None:
    """The first often explains the others; how many are left out is said."""
    pytester.makepyfile("""
        import httpx, pytest

        @pytest.mark.fauxlab(clock="manual", eta=10.0)
        def test_bad(fauxlab):
            url = "https://modelslab.com/api/v6/image_editing/flux_headshot"
            body = {"key": "any", "prompt": "p", "face_image": "https://example.com/f.png"}
            hook = {"seed": 1, "webhook": "http://127.0.0.1:1/hook"}
            for _ in range(7):
                httpx.post(url, json=body | hook)
            fauxlab.clock.advance(10)
            raise AssertionError
        """)
    result = run_pytest(pytester, "--tb=short")

    lines = [line for line in result.outlines if line.startswith(("webhook of", "…"))]
    jobs = {line.partition(",")[0] for line in lines if line.startswith("webhook of")}
    assert (len(lines), lines[1], len(jobs)) == (6, "… 2 more, and then", 5)


def test_a_failed_test_shows_which_webhooks_failed(pytester: pytest.Pytester) -> None:
    """An attempt that no receiver took is told below the failed test, even if no call came."""
    pytester.makepyfile("""
        import httpx, pytest

        @pytest.mark.fauxlab(clock="manual", eta=10.0)
        def test_bad(fauxlab):
            url = "https://modelslab.com/api/v6/image_editing/flux_headshot"
            body = {"key": "any", "prompt": "p", "face_image": "https://example.com/f.png"}
            hook = {"seed": 1, "webhook": "http://127.0.0.1:1/hook"}
            httpx.post(url, json=body | hook)
            fauxlab.clock.advance(10)
            raise AssertionError
        """)

    result = run_pytest(pytester, "--tb=short")

    result.stdout.fnmatch_lines(
        ["*fauxlab: last exchanges*", "webhook of job *, attempt 1: ConnectionRefusedError: *"]
    )


def test_a_failed_test_says_that_time_has_raced(pytester: pytest.Pytester) -> None:
    """Where hours passed in seconds, another clock may be at work, and the report says so."""
    pytester.makeconftest("""
        from fauxlab_mock.clock import sleepers

        sleepers.RACE_S = 0.01
        """)
    pytester.makepyfile("""
        import threading, time

        def test_bad(fauxlab, fauxlab_time):
            lock = threading.Lock()
            lock.acquire()
            lock.acquire(timeout=0.02)
            time.sleep(7_200)
            raise AssertionError
        """)

    result = run_pytest(pytester, "--tb=short")

    result.stdout.fnmatch_lines(["7,200 virtual seconds passed while 0 real ones did: does the *"])


def test_a_verdict_that_did_not_judge_pauses_is_told_at_the_end(
    pytester: pytest.Pytester,
) -> None:
    """On the default clock pauses do not count, and the end of the run says so; with fauxlab_time
    the clock is one on which they do.
    """
    pytester.makepyfile("""
        import time
        import httpx

        URL = "https://modelslab.com/api/v6/image_editing/flux_headshot"
        BODY = {"key": "any", "prompt": "p", "face_image": "https://example.com/f.png", "seed": 1}

        def poll():
            job = httpx.post(URL, json=BODY).json()
            while httpx.post(job["fetch_result"], json=BODY).json()["status"] == "processing":
                time.sleep(0.02)

        def test_on_the_default_clock(fauxlab):
            poll()
            fauxlab.verdict().assert_ok()

        def test_in_virtual_time(fauxlab, fauxlab_time):
            poll()
            assert fauxlab.settings.clock == "manual"
            assert {finding.rule for finding in fauxlab.verdict().findings} == {
                "polled-before-eta", "polled-too-fast",
            }
            assert fauxlab.verdict().not_judged == ()
        """)

    result = run_pytest(pytester)

    result.assert_outcomes(passed=2)
    assert [line for line in result.outlines if "the verdict of" in line] == [
        "fauxlab: the verdict of 1 test: not judged: polled-before-eta, polled-too-fast,"
        " ignored-retry-after (pauses do not count on this clock; use the fixture fauxlab_time, or"
        " the real or manual clock)"
    ]


IDLE_RULES = """
    import httpx
    import pytest

    URL = "https://modelslab.com/api/v6/image_editing/flux_headshot"
    BODY = {"key": "any", "prompt": "p", "face_image": "https://example.com/f.png", "seed": 1}

    def test_idle(fauxlab):
        fauxlab.scenario("failed", times=2, after=3)
        httpx.post(URL, json=BODY)

    def test_used(fauxlab):
        fauxlab.scenario("failed", times=1)
        httpx.post(URL, json=BODY)

    @pytest.mark.fauxlab(strict_rules=STRICT)
    def test_marked(fauxlab):
        fauxlab.fault("HANG", kind="fetch")
    """


def test_rules_that_never_acted_are_told_at_the_end(pytester: pytest.Pytester) -> None:
    """By default a test passes all the same, and the end of the run names test and rule."""
    pytester.makepyfile(test_it=IDLE_RULES.replace("STRICT", "False"))

    result = run_pytest(pytester)

    result.assert_outcomes(passed=3)
    at = result.outlines.index("fauxlab: warning: 2 rules of mocks never acted:")
    assert result.outlines[at + 1 : at + 3] == [
        "  test_it.py::test_idle: scenario 'failed', times 2, after 3: it matched 1 call, and acted"
        " on none",
        "  test_it.py::test_marked: fault 'HANG', kind 'fetch': no call matched it",
    ]


@pytest.mark.parametrize("options, errors", [((), 1), (("--fauxlab-strict-rules",), 2)])
def test_rules_that_never_acted_fail_a_strict_test(
    pytester: pytest.Pytester, options: tuple[str, ...], errors: int
) -> None:
    """The marker, or an option for the whole run, makes them an error."""
    pytester.makepyfile(test_it=IDLE_RULES.replace("STRICT", "True"))

    result = run_pytest(pytester, *options)

    result.assert_outcomes(passed=3, errors=errors)
    result.stdout.fnmatch_lines(
        [
            "fauxlab: 1 rule of the mock never acted:",
            "  fault 'HANG', kind 'fetch': no call matched it",
        ]
    )


def test_a_failed_test_shows_what_was_blocked(pytester: pytest.Pytester) -> None:
    """A call to somewhere else that the code under test swallowed is told below the failed test."""
    pytester.makepyfile("""
        import contextlib, socket

        def test_bad(fauxlab):
            with contextlib.suppress(OSError):
                socket.create_connection(("elsewhere.example", 80))
            raise AssertionError
        """)
    result = run_pytest(pytester, "--tb=short")

    result.stdout.fnmatch_lines(
        ["*fauxlab: last exchanges*", "refused: a connection to elsewhere.example:80"]
    )


LIBRARY_CALLS = {
    "httpx": "httpx.get(URL)",
    "requests": "requests.get(URL)",
    "urllib": "urllib.request.urlopen(URL)",
    "aiohttp": "asyncio.run(by_aiohttp())",
    "socket": "socket.create_connection(('elsewhere.example', 80))",
}


@pytest.mark.parametrize("fixtures", ["fauxlab", "fauxlab, fauxlab_guard, fauxlab_time"])
@pytest.mark.parametrize("library", LIBRARY_CALLS)
def test_a_traceback_shows_no_code_of_ours(
    pytester: pytest.Pytester, library: str, fixtures: str
) -> None:
    """A refused call shows the user's code and the library's; how to allow it is the last line."""
    pytester.makepyfile(f"""
        import asyncio, socket, urllib.request
        import aiohttp, httpx, requests

        URL = "http://elsewhere.example/"

        async def by_aiohttp():
            async with aiohttp.ClientSession() as session, session.get(URL):
                pass

        def test_it({fixtures}):
            {LIBRARY_CALLS[library]}
        """)
    result = run_pytest(pytester, "--tb=short")

    result.assert_outcomes(failed=1)
    places = [line for line in result.outlines if re.match(r"\S+\.py:\d+: in", line)]
    assert [place for place in places if "fauxlab" in place.rpartition("/test_")[0]] == []
    assert any(place.startswith("test_a_traceback_shows_no_code_of_ours.py:") for place in places)
    assert "allow_hosts" in result.stdout.str()


def test_assertions_and_sleeps_end_at_the_users_line(pytester: pytest.Pytester) -> None:
    """The last line of the traceback is the test's own call of `assert_ok`, or of `time.sleep`."""
    pytester.makepyfile("""
        import time
        import httpx

        def test_verdict(fauxlab):
            httpx.post("https://modelslab.com/api/v6/image_editing/flux_headshot", json={})
            fauxlab.verdict().assert_ok()

        def test_rules(fauxlab):
            fauxlab.scenario("failed")
            fauxlab.assert_all_used()

        def test_sleep(fauxlab, fauxlab_time):
            time.sleep(-1)
        """)
    result = run_pytest(pytester, "--tb=short")

    result.assert_outcomes(failed=3)
    places = [line for line in result.outlines if re.match(r"\S+\.py:\d+: in", line)]
    assert [place.partition(":")[0] for place in places] == [
        "test_assertions_and_sleeps_end_at_the_users_line.py"
    ] * 3


@pytest.mark.slow
def test_tests_in_parallel_do_not_meet(pytester: pytest.Pytester) -> None:
    """Under xdist each test has a mock, a port and a clock of its own."""
    pytester.makepyfile("""
        import time
        import httpx
        import pytest

        BODY = {"key": "k", "prompt": "p", "face_image": "f", "seed": 1}

        @pytest.mark.parametrize("number", range(12))
        def test_one(fauxlab, fauxlab_server, fauxlab_time, number):
            before = time.time()
            time.sleep(100 * number)
            assert time.time() == before + 100 * number
            job = httpx.post(fauxlab_server.url + "/image_editing/flux_headshot", json=BODY).json()
            assert (job["id"], len(fauxlab.requests)) == (100_000_001, 1)
        """)

    run_pytest(pytester, "-n", "2").assert_outcomes(passed=12)


def test_markers_and_fixtures_are_listed(pytester: pytest.Pytester) -> None:
    """The marker is known to strict runs, and `pytest --fixtures` lists each fixture."""
    markers = run_pytest(pytester, "--markers")
    fixtures = run_pytest(pytester, "--fixtures")

    markers.stdout.fnmatch_lines(["@pytest.mark.fauxlab(*"])
    listed = {line.partition(" -- ")[0] for line in fixtures.outlines}
    assert {"fauxlab", "fauxlab_guard", "fauxlab_server", "fauxlab_time"} <= listed
