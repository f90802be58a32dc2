"""Mocks that tests share: of a module, and of a whole run."""

from __future__ import annotations

import http.client

import pytest

from nested_pytest import run_pytest

pytest_plugins = ["pytester"]

SHARED = """
import httpx
import pytest

URL = "https://modelslab.com/api/v6/image_editing/flux_headshot"
BODY = {"key": "any", "prompt": "p", "face_image": "https://example.com/f.png", "seed": 1}

pytestmark = pytest.mark.fauxlab(scenario="instant")


def test_one(SHARED):
    assert httpx.post(URL, json=BODY).json()["status"] == "STATUS"


def test_two(SHARED):
    assert SHARED.url.startswith("http://127.0.0.1:")
    httpx.post(SHARED.url + "/image_editing/flux_headshot", json=BODY)
    assert len(SHARED.jobs) == 2


def test_own(fauxlab):
    assert (len(fauxlab.jobs), httpx.post(URL, json=BODY).json()["status"]) == (0, "success")
    assert len(fauxlab.jobs) == 1


def test_reset(SHARED):
    assert len(SHARED.jobs) == 2
    SHARED.reset()
    assert len(SHARED.jobs) == 0


def test_fails(SHARED):
    httpx.post(URL, json=BODY | {"width": 2000})
    assert False
"""


@pytest.mark.parametrize(
    "name, status", [("fauxlab_module", "success"), ("fauxlab_session", "processing")]
)
def test_a_mock_may_be_shared(pytester: pytest.Pytester, name: str, status: str) -> None:
    """A module or a run has one mock, at two doors; a test's own mock goes before it.

    Settings come from the module's marker, or from options. A failed test shows its own exchanges,
    and the last line of the run counts each generation once.
    """
    pytester.makepyfile(SHARED.replace("SHARED", name).replace("STATUS", status))
    result = run_pytest(pytester, "--tb=short")

    result.assert_outcomes(passed=4, failed=1)
    shown = [line for line in result.outlines if line.startswith("POST ")]
    assert shown == ["POST /api/v6/image_editing/flux_headshot -> 200 error 1 violation: width"]
    result.stdout.fnmatch_lines(["fauxlab: 3 generations were made, at no cost"])


def test_a_test_with_both_shows_its_own(pytester: pytest.Pytester) -> None:
    """What a shared mock was asked before says nothing about a test's own mock."""
    pytester.makepyfile("""
        import httpx

        URL = "https://modelslab.com/api/v6/image_editing/flux_headshot"
        BODY = {"key": "any", "prompt": "p", "face_image": "https://example.com/f.png", "seed": 1}

        def test_one(fauxlab_session):
            for _ in range(3):
                httpx.post(URL, json=BODY)

        def test_both(fauxlab_session, fauxlab):
            httpx.post(URL, json=BODY)
            assert False
        """)
    result = run_pytest(pytester, "--tb=short")

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["POST * -> 200 processing job 100000001", "fauxlab: 4 generations were made, at no cost"]
    )


def test_shared_mocks_of_two_modules_do_not_meet(pytester: pytest.Pytester) -> None:
    """Each module has a mock of its own, and after it the network is what it was."""
    test = """
        import socket, httpx

        BEFORE = socket.getaddrinfo

        def test_one(fauxlab_module):
            assert fauxlab_module.requests == ()
            httpx.get("https://modelslab.com/")
            assert socket.getaddrinfo is not BEFORE
        """
    pytester.makepyfile(test_a=test, test_b=test)
    pytester.makepyfile(
        test_c="import test_a, socket\ndef test_c(): assert socket.getaddrinfo is test_a.BEFORE"
    )

    run_pytest(pytester).assert_outcomes(passed=3)


def test_time_follows_the_mock_that_is_shared(pytester: pytest.Pytester) -> None:
    """With a shared mock alone, `fauxlab_time` moves the clock of that one."""
    pytester.makepyfile("""
        def test_shared(fauxlab_session, fauxlab_time):
            assert fauxlab_time is fauxlab_session.clock

        def test_own(fauxlab_session, fauxlab, fauxlab_time):
            assert fauxlab_time is fauxlab.clock is not fauxlab_session.clock
        """)

    run_pytest(pytester).assert_outcomes(passed=2)


def test_a_shared_mock_answers_after_the_end_of_one_that_began_before_it(
    pytester: pytest.Pytester,
) -> None:
    """The mock of a run goes on when one of a module or a test, open before it, has ended."""
    pytester.makepyfile(
        test_a="""
        def test_module(fauxlab_module): pass
        def test_run(fauxlab_session, fauxlab_module): pass
        """,
        test_b="""
        import requests

        URL = "https://modelslab.com/api/v6/image_editing/flux_headshot"

        def test_later(fauxlab_session):
            assert requests.post(URL, json={}).json()["status"] == "error"
            assert len(fauxlab_session.requests) == 1
        """,
        test_c="""
        def test_own(request, fauxlab):
            request.getfixturevalue("fauxlab_module")

        def test_then(fauxlab_module): pass
        """,
    )
    before = http.client.HTTPSConnection.connect

    run_pytest(pytester).assert_outcomes(passed=5)

    assert http.client.HTTPSConnection.connect is before


def test_time_follows_the_shared_mock_that_is_named(pytester: pytest.Pytester) -> None:
    """The mock of the module does not take the time of a test that names the one of the run."""
    pytester.makepyfile("""
        def test_of_the_module(fauxlab_module, fauxlab_time):
            assert fauxlab_time is fauxlab_module.clock

        def test_of_the_run(fauxlab_session, fauxlab_time):
            assert fauxlab_time is fauxlab_session.clock

        def test_asked_for_first(request):
            mock = request.getfixturevalue("fauxlab_session")
            assert request.getfixturevalue("fauxlab_time") is mock.clock
        """)

    run_pytest(pytester).assert_outcomes(passed=3)


def test_pauses_count_on_a_shared_mock(pytester: pytest.Pytester) -> None:
    """`fauxlab_time` makes the clock of a shared mock manual for its test, as that of an own."""
    pytester.makepyfile("""
        def test_auto(fauxlab_session):
            assert fauxlab_session.clock.mode == "auto"

        def test_manual(fauxlab_session, fauxlab_time):
            assert fauxlab_time.mode == "manual"

        def test_auto_again(fauxlab_session):
            assert fauxlab_session.clock.mode == "auto"
        """)

    run_pytest(pytester).assert_outcomes(passed=3)
    run_pytest(pytester, "--fauxlab-clock", "real").assert_outcomes(failed=3)


def test_a_shared_mock_whose_time_is_not_moved_fails_the_test(pytester: pytest.Pytester) -> None:
    """A test that gets a shared mock behind the back of `fauxlab_time` is told how to name it."""
    pytester.makepyfile("""
        import requests

        def test_first(fauxlab_session): pass

        def test_behind(request, fauxlab_time):
            requests.get(request.getfixturevalue("fauxlab_session").url)
        """)

    result = run_pytest(pytester)

    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*fauxlab: this test called fauxlab_session, whose clock fauxlab_time did not move;"
            " name fauxlab_session among the test's arguments, or ask for it before fauxlab_time"
        ]
    )


def test_time_alone_brings_a_mock(pytester: pytest.Pytester) -> None:
    """A test that names no mock beside `fauxlab_time` does not call the API itself."""
    pytester.makepyfile("""
        import httpx

        def test_time(fauxlab_time):
            url = "https://modelslab.com/api/v6/image_editing/flux_headshot"
            assert httpx.post(url, json={}).json()["status"] == "error"
        """)

    run_pytest(pytester).assert_outcomes(passed=1)


def test_a_shared_mock_that_was_misused_fails_the_test_that_did_it(
    pytester: pytest.Pytester,
) -> None:
    """A misspelt scenario is told once, by its own test, also if the mock is reset after it."""
    pytester.makepyfile("""
        import httpx
        import pytest

        URL = "https://modelslab.com/api/v6/image_editing/flux_headshot"

        @pytest.fixture(autouse=True)
        def clean(fauxlab_session):
            yield
            fauxlab_session.reset()

        def test_misspelt():
            httpx.post(URL, json={"key": "any"}, headers={"Prefer": "scenario=faild"})

        def test_right():
            httpx.post(URL, json={"key": "any"})
        """)
    result = run_pytest(pytester)

    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_misspelt*", "fauxlab answered in *"])


def test_what_the_verdict_of_a_shared_mock_did_not_judge_is_told(
    pytester: pytest.Pytester,
) -> None:
    """Once for each test that asked for it; and so is that no call was seen."""
    pytester.makepyfile("""
        import httpx

        URL = "https://modelslab.com/api/v6/image_editing/flux_headshot"
        BODY = {"key": "any", "prompt": "p", "face_image": "https://example.com/f.png", "seed": 1}

        def test_nothing(fauxlab_module):
            fauxlab_module.verdict().assert_ok()

        def test_call(fauxlab_module):
            httpx.post(URL, json=BODY)
            fauxlab_module.verdict().assert_ok()

        def test_that_does_not_ask(fauxlab_module): pass
        """)
    result = run_pytest(pytester)

    result.assert_outcomes(passed=3)
    assert [line for line in result.outlines if "the verdict of" in line] == [
        "fauxlab: the verdict of 1 test: no call was seen, so nothing was judged",
        "fauxlab: the verdict of 1 test: not judged: polled-before-eta, polled-too-fast,"
        " ignored-retry-after (pauses do not count on this clock; use the fixture fauxlab_time, or"
        " the real or manual clock)",
    ]


@pytest.mark.parametrize(
    "name, where",
    [
        ("fauxlab_module", "the module's pytestmark, an option or the ini file"),
        ("fauxlab_session", "an option or the ini file"),
    ],
)
def test_a_marker_that_a_shared_mock_cannot_follow_is_told(
    pytester: pytest.Pytester, name: str, where: str
) -> None:
    """A test's own settings, and its class's, end it with one line; those of a module or of no
    shared mock do not.
    """
    pytester.makepyfile(f"""
        import pytest

        pytestmark = pytest.mark.fauxlab(scenario="failed")

        @pytest.mark.fauxlab(scenario="instant", eta=3)
        def test_ignored({name}): pass

        @pytest.mark.fauxlab(scenaro="instant")
        def test_misspelt({name}): pass

        @pytest.mark.fauxlab
        def test_says_nothing({name}): pass

        def test_of_the_module({name}): pass

        @pytest.mark.fauxlab(scenario="instant")
        def test_own({name}, fauxlab):
            assert fauxlab.settings.scenario == "instant"

        @pytest.mark.fauxlab(polls=2)
        class TestAll:
            def test_ignored(self, {name}): pass
        """)
    result = run_pytest(pytester)

    result.assert_outcomes(passed=3, errors=3)
    assert f"the marker fauxlab of a class cannot set polls of {name}, which" in str(result.stdout)
    assert (
        f"the marker fauxlab of a test cannot set scenario, eta of {name}, which other tests share:"
        f" use the fixture fauxlab, or set it for all of them by {where}"
    ) in result.outlines
    assert "the marker fauxlab has no setting scenaro; did you mean scenario?" in result.outlines
