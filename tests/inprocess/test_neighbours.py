"""Other mocking libraries beside the mock, used the way their own docs say.

Each runs in an inner pytest, in both orders of activation, and as context manager, decorator and
fixture.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.slow  # a process for each

# What each test file begins with.
HEAD = """
import asyncio
import contextlib
import datetime
import json
import socket
import time
import urllib.request

import aiohttp
import httpx
import pytest
import requests

from fauxlab import Mock, Settings, intercepted

URL = "https://modelslab.com/api/v6/image_editing/flux_headshot"
OTHER = "https://elsewhere.example/"
BODY = {"key": "any", "prompt": "p", "face_image": "https://example.com/f.png", "seed": 1}


def submit(library=requests):
    return library.post(URL, json=BODY).json()["status"]


async def submit_by_aiohttp():
    async with aiohttp.ClientSession() as session, session.post(URL, json=BODY) as reply:
        return (await reply.json())["status"]


async def submit_by_async_httpx():
    async with httpx.AsyncClient() as client:
        return (await client.post(URL, json=BODY)).json()["status"]

"""


def check(pytester: pytest.Pytester, source: str, *options: str, passed: int) -> None:
    """Run a test file of a user, with all plugins that are installed."""
    pytester.makepyfile(HEAD + textwrap.dedent(source))
    # a process of its own: what these libraries patch and keep is out of our suite's reach
    plain = ("-p", "no:randomly", "-p", "no:cacheprovider", "-p", "no:xdist", "-W", "error")
    result = pytester.runpytest_subprocess(*plain, *options, timeout=180)

    assert result.parseoutcomes() == {"passed": passed}


def test_every_neighbour_of_the_docs_has_a_test_here() -> None:
    """The table in docs/pytest.md has a row for each library that is tested here, and no other."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "pytest.md").read_text(encoding="utf-8")
    table = page.partition("## Beside other mocking libraries")[2].partition("\n## ")[0]
    rows = [line.split(" | ")[0].removeprefix("| ") for line in table.splitlines() if "| " in line]
    tests = [name for name in globals() if name.startswith("test_") and "docs" not in name]

    assert sorted(f"test_{row.replace('-', '_')}" for row in rows[1:]) == sorted(tests)


def test_responses(pytester: pytest.Pytester) -> None:
    """responses: its routes come first, strict or not; what it does not know is the mock's."""
    check(
        pytester,
        """
        import responses

        def theirs(mocked=responses):
            mocked.get(OTHER, json={"is": "theirs"})
            assert requests.get(OTHER).json() == {"is": "theirs"}
            with pytest.raises(requests.ConnectionError):
                requests.get("https://third.example/")

        @responses.activate
        def test_decorator(fauxlab):
            theirs()
            assert (submit(), len(fauxlab.requests)) == ("processing", 1)
            responses.post(URL, json={"status": "theirs"})
            assert (submit(), len(fauxlab.requests)) == ("theirs", 1)

        @pytest.fixture
        def mocked():
            with responses.RequestsMock(assert_all_requests_are_fired=False) as mocked:
                mocked.add_passthru("https://modelslab.com")
                yield mocked

        def test_fixture_before(mocked, fauxlab):
            theirs(mocked)
            assert submit() == "processing"

        def test_fixture_after(fauxlab, mocked):
            theirs(mocked)
            assert submit() == "processing"

        def test_context_managers_in_both_orders():
            with responses.RequestsMock() as mocked:
                with intercepted(Mock()):
                    theirs(mocked)
                    assert submit() == "processing"
                    mocked.add_passthru("http://127.0.0.1")
                assert mocked.passthru_prefixes == ("http://127.0.0.1",)
            with intercepted(Mock()), responses.RequestsMock() as mocked:
                theirs(mocked)
                assert submit() == "processing"

        def test_their_own_refusal_stays(mocked):
            with pytest.raises(requests.ConnectionError, match="refused by Responses"):
                requests.get(OTHER)
        """,
        passed=5,
    )


def test_requests_mock(pytester: pytest.Pytester) -> None:
    """requests-mock: its matchers come first; a call without one is the mock's."""
    check(
        pytester,
        """
        import requests_mock as library

        def theirs(mocked):
            mocked.get(OTHER, json={"is": "theirs"})
            assert requests.get(OTHER).json() == {"is": "theirs"}
            with pytest.raises(library.NoMockAddress):
                requests.get("https://third.example/")

        def test_fixture_after(fauxlab, requests_mock):
            theirs(requests_mock)
            assert (submit(), len(fauxlab.requests)) == ("processing", 1)
            requests_mock.post(URL, json={"status": "theirs"})
            assert (submit(), len(fauxlab.requests)) == ("theirs", 1)

        def test_fixture_before(requests_mock, fauxlab):
            theirs(requests_mock)
            assert submit() == "processing"

        @library.Mocker(kw="mocked")
        def test_decorator(fauxlab, mocked=None):
            theirs(mocked)
            assert submit() == "processing"

        def test_real_http(fauxlab):
            with library.Mocker(real_http=True) as mocked:
                mocked.get(OTHER, json={"is": "theirs"})
                assert requests.get(OTHER).json() == {"is": "theirs"}
                assert submit() == "processing"

        def test_context_manager_before():
            with library.Mocker() as mocked, intercepted(Mock()):
                theirs(mocked)
                assert submit() == "processing"
        """,
        passed=5,
    )


def test_respx(pytester: pytest.Pytester) -> None:
    """respx: its routes come first, in either order; a strict router leaves the rest to us."""
    check(
        pytester,
        """
        import respx

        def theirs(mocked=respx):
            mocked.get(OTHER).respond(json={"is": "theirs"})
            assert httpx.get(OTHER).json() == {"is": "theirs"}

        @respx.mock
        def test_decorator(fauxlab):
            theirs()
            assert (submit(httpx), len(fauxlab.requests)) == ("processing", 1)
            respx.post(URL).respond(json={"status": "theirs"})
            assert (submit(httpx), len(fauxlab.requests)) == ("theirs", 1)

        def test_fixture_before(respx_mock, fauxlab):
            theirs(respx_mock)
            assert submit(httpx) == "processing"
            assert asyncio.run(submit_by_async_httpx()) == "processing"

        def test_fixture_after(fauxlab, respx_mock):
            theirs(respx_mock)
            assert submit(httpx) == "processing"
            assert asyncio.run(submit_by_async_httpx()) == "processing"

        def test_context_managers_in_both_orders():
            with respx.mock as mocked, intercepted(Mock()):
                theirs(mocked)
                assert submit(httpx) == "processing"
            with intercepted(Mock()), respx.mock as mocked:
                theirs(mocked)
                assert submit(httpx) == "processing"
        """,
        passed=4,
    )


def test_pytest_httpx(pytester: pytest.Pytester) -> None:
    """pytest-httpx: its responses come first, and a call without one is the mock's."""
    check(
        pytester,
        """
        def theirs(mocked):
            mocked.add_response(url=OTHER, json={"is": "theirs"})
            assert httpx.get(OTHER).json() == {"is": "theirs"}

        def test_after(fauxlab, httpx_mock):
            theirs(httpx_mock)
            assert (submit(httpx), len(fauxlab.requests)) == ("processing", 1)
            httpx_mock.add_response(url=URL, json={"status": "theirs"})
            assert (submit(httpx), len(fauxlab.requests)) == ("theirs", 1)

        def test_before(httpx_mock, fauxlab):
            theirs(httpx_mock)
            assert submit(httpx) == "processing"

        def test_async(fauxlab, httpx_mock):
            theirs(httpx_mock)
            assert asyncio.run(submit_by_async_httpx()) == "processing"

        def test_their_exceptions_stay(fauxlab, httpx_mock):
            httpx_mock.add_exception(httpx.ReadTimeout("theirs"), url=URL)
            with pytest.raises(httpx.ReadTimeout, match="theirs"):
                submit(httpx)

        @pytest.mark.httpx_mock(should_mock=lambda request: "modelslab" not in request.url.host)
        def test_told_to_leave_it(httpx_mock, fauxlab):
            theirs(httpx_mock)
            assert submit(httpx) == "processing"

        @pytest.mark.httpx_mock(assert_all_requests_were_expected=False)
        def test_strangers_are_still_theirs_to_refuse(httpx_mock, fauxlab):
            with pytest.raises(httpx.TimeoutException, match="No response can be found"):
                httpx.get(OTHER)
        """,
        passed=6,
    )


def test_aioresponses(pytester: pytest.Pytester) -> None:
    """aioresponses: its matches come first, and a call without one is the mock's.

    Its matches here are exceptions: it cannot build a response of the newest aiohttp.
    """
    check(
        pytester,
        """
        import unittest
        from aioresponses import aioresponses

        async def get(url):
            async with aiohttp.ClientSession() as session, session.get(url):
                raise AssertionError

        async def theirs(mocked):
            mocked.get(OTHER, exception=KeyError("theirs"))
            with pytest.raises(KeyError, match="theirs"):
                await get(OTHER)
            with pytest.raises(aiohttp.ClientConnectionError, match="Connection refused"):
                await get("https://third.example/")

        def test_inside_an_async_test(fauxlab):
            async def main():
                with aioresponses() as mocked:
                    await theirs(mocked)
                    assert await submit_by_aiohttp() == "processing"
                    mocked.post(URL, exception=KeyError("theirs"))
                    with pytest.raises(KeyError, match="theirs"):
                        await submit_by_aiohttp()

            asyncio.run(main())
            assert len(fauxlab.requests) == 1

        @pytest.mark.usefixtures("fauxlab")
        class TestDecorated(unittest.IsolatedAsyncioTestCase):
            @aioresponses()
            async def test_decorator(self, mocked):
                await theirs(mocked)
                assert await submit_by_aiohttp() == "processing"

        @pytest.fixture
        def mocked():
            with aioresponses() as mocked:
                yield mocked

        def test_fixture_before(mocked, fauxlab):
            asyncio.run(theirs(mocked))
            assert asyncio.run(submit_by_aiohttp()) == "processing"

        def test_fixture_after(fauxlab, mocked):
            asyncio.run(theirs(mocked))
            assert asyncio.run(submit_by_aiohttp()) == "processing"

        def test_passthrough(fauxlab):
            with aioresponses(passthrough=["https://modelslab.com"]) as mocked:
                assert asyncio.run(submit_by_aiohttp()) == "processing"
            with aioresponses() as mocked:
                assert mocked.passthrough_unmatched is False
        """,
        passed=5,
    )


def test_moto(pytester: pytest.Pytester) -> None:
    """moto: AWS is moto's and the API is the mock's, in either order."""
    check(
        pytester,
        """
        import boto3
        import moto

        def store(name):
            client = boto3.client("s3", region_name="us-east-1")
            client.create_bucket(Bucket=name)
            client.put_object(Bucket=name, Key="k", Body=submit().encode())
            return client.get_object(Bucket=name, Key="k")["Body"].read()

        @moto.mock_aws
        def test_decorator(fauxlab):
            assert store("one") == b"processing"

        @pytest.fixture
        def aws():
            with moto.mock_aws():
                yield

        def test_fixture_before(aws, fauxlab):
            assert store("two") == b"processing"

        def test_fixture_after(fauxlab, aws):
            assert store("three") == b"processing"
            assert submit(httpx) == asyncio.run(submit_by_aiohttp()) == "processing"

        def test_context_managers_in_both_orders():
            with moto.mock_aws(), intercepted(Mock()):
                assert store("four") == b"processing"
            with intercepted(Mock()), moto.mock_aws():
                assert store("five") == b"processing"
        """,
        "-W",
        "ignore::DeprecationWarning",
        passed=4,
    )


def test_vcrpy(pytester: pytest.Pytester) -> None:
    """vcrpy: a cassette answers what it holds; it records the mock's answers like any others.

    With `ignore_hosts` the mock is asked each time.
    """
    check(
        pytester,
        """
        import vcr

        LIBRARIES = pytest.mark.parametrize("library", [requests, httpx])

        def by_urllib():
            headers = {"Content-Type": "application/json"}
            request = urllib.request.Request(URL, json.dumps(BODY).encode(), headers)
            with urllib.request.urlopen(request) as reply:
                return json.load(reply)["status"]

        @pytest.fixture
        def cassette():
            with vcr.use_cassette("no.yaml", ignore_hosts=["modelslab.com"], record_mode="none"):
                yield

        def test_cassette_before(cassette, fauxlab):
            assert submit() == submit(httpx) == by_urllib() == "processing"
            assert asyncio.run(submit_by_aiohttp()) == "processing"

        def test_cassette_after(fauxlab, cassette):
            assert submit() == submit(httpx) == by_urllib() == "processing"
            assert asyncio.run(submit_by_aiohttp()) == "processing"

        @LIBRARIES
        def test_what_is_recorded_is_played(tmp_path, library):
            path = str(tmp_path / "cassette.yaml")
            for order in (0, 1):
                with contextlib.ExitStack() as stack:
                    if order == 0:
                        mock = stack.enter_context(intercepted(Mock()))
                    stack.enter_context(vcr.use_cassette(path))
                    if order == 1:
                        mock = stack.enter_context(intercepted(Mock()))
                    assert submit(library) == "processing"
                assert len(mock.requests) == 1 - order  # played from the cassette

        @LIBRARIES
        def test_ignored(tmp_path, library, fauxlab):
            path = str(tmp_path / "cassette.yaml")
            for _ in range(2):
                with vcr.use_cassette(path, ignore_hosts=["modelslab.com"], record_mode="none"):
                    assert submit(library) == "processing"
            assert (len(fauxlab.requests), (tmp_path / "cassette.yaml").exists()) == (2, False)

        @vcr.use_cassette(ignore_hosts=["modelslab.com"], record_mode="none", path="no.yaml")
        def test_decorator(fauxlab):
            assert submit() == submit(httpx) == "processing"
            with pytest.raises(vcr.errors.CannotOverwriteExistingCassetteException):
                requests.get(OTHER)
        """,
        passed=7,
    )


def test_pytest_socket(pytester: pytest.Pytester) -> None:
    """pytest-socket: in process no socket is needed, but by aiohttp; nothing is left behind."""
    check(
        pytester,
        """
        import pytest_socket

        TRUE = socket.socket, socket.socket.connect, socket.getaddrinfo

        def calls():
            return submit(), submit(httpx)

        @pytest.mark.disable_socket
        def test_disabled(fauxlab):
            assert calls() == ("processing", "processing")
            with pytest.warns(UserWarning), pytest.raises(pytest_socket.SocketBlockedError):
                socket.socket()

        def test_nothing_is_left_of_that():
            assert (socket.socket, socket.socket.connect, socket.getaddrinfo) == TRUE

        def test_by_fixture(socket_disabled, fauxlab):
            assert calls() == ("processing", "processing")

        def test_nothing_is_left_of_that_either():
            assert (socket.socket, socket.socket.connect, socket.getaddrinfo) == TRUE

        @pytest.mark.allow_hosts(["127.0.0.1"])
        def test_allowed(fauxlab, fauxlab_server):
            assert calls() == ("processing", "processing")
            assert asyncio.run(submit_by_aiohttp()) == "processing"
            url = f"{fauxlab_server.url}/image_editing/flux_headshot"
            assert requests.post(url, json=BODY).json()["status"] == "processing"

        def test_nothing_is_left_of_that_too():
            assert (socket.socket, socket.socket.connect, socket.getaddrinfo) == TRUE

        def test_inside(fauxlab):
            pytest_socket.disable_socket()
            assert calls() == ("processing", "processing")
            pytest_socket.enable_socket()
            assert calls() == ("processing", "processing")
        """,
        passed=7,
    )


def test_freezegun(pytester: pytest.Pytester) -> None:
    """freezegun: a frozen clock does not stop the mock, in process or on a server."""
    check(
        pytester,
        """
        import freezegun

        NOON = datetime.datetime(2020, 1, 1, 12)

        @freezegun.freeze_time(NOON)
        def test_decorator(fauxlab):
            assert (submit(), datetime.datetime.now()) == ("processing", NOON)

        @pytest.fixture
        def frozen():
            with freezegun.freeze_time(NOON) as frozen:
                yield frozen

        def test_before(frozen, fauxlab):
            job = requests.post(URL, json=BODY).json()
            frozen.tick(60)
            fetched = requests.post(job["fetch_result"], json={"key": "any"}).json()
            assert (job["status"], submit(httpx)) == ("processing", "processing")
            assert (datetime.datetime.now() - NOON).seconds == 60

        def test_after(fauxlab, frozen):
            assert submit() == submit(httpx) == "processing"

        def test_server(frozen, fauxlab_server):
            url = f"{fauxlab_server.url}/image_editing/flux_headshot"
            assert requests.post(url, json=BODY).json()["status"] == "processing"

        def test_aiohttp(fauxlab):
            with freezegun.freeze_time(NOON, real_asyncio=True):
                assert asyncio.run(submit_by_aiohttp()) == "processing"
        """,
        passed=5,
    )


def test_time_machine(pytester: pytest.Pytester) -> None:
    """time-machine: travel does not stop the mock, in process or on a server."""
    check(
        pytester,
        """
        import time_machine as library

        NOON = datetime.datetime(2020, 1, 1, 12, tzinfo=datetime.UTC)

        @library.travel(NOON, tick=False)
        def test_decorator(fauxlab):
            assert (submit(), time.time()) == ("processing", NOON.timestamp())

        def test_before(time_machine, fauxlab):
            time_machine.move_to(NOON, tick=False)
            assert submit() == submit(httpx) == asyncio.run(submit_by_aiohttp()) == "processing"

        def test_context_manager_before():
            with library.travel(NOON, tick=False), intercepted(Mock()):
                assert submit() == submit(httpx) == "processing"

        def test_server(time_machine, fauxlab_server):
            time_machine.move_to(NOON)
            url = f"{fauxlab_server.url}/image_editing/flux_headshot"
            assert requests.post(url, json=BODY).json()["status"] == "processing"
        """,
        passed=4,
    )
