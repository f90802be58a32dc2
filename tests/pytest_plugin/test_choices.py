"""What a test's mock is made with: markers, options, the ini file, and what is wrong with them."""

from __future__ import annotations

import pytest

from fauxlab_contract.openapi.document import bundled_path
from nested_pytest import run_pytest

pytest_plugins = ["pytester"]


def test_options_are_defaults_and_markers_go_before_them(pytester: pytest.Pytester) -> None:
    """`pytest --fauxlab-scenario NAME` holds for every mock of the run; a test's marker wins."""
    pytester.makepyfile("""
        import pytest

        def test_option(fauxlab):
            chosen = fauxlab.settings
            assert (chosen.scenario, chosen.eta, chosen.clock) == ("failed", 7.0, "auto")

        @pytest.mark.fauxlab(scenario="instant")
        def test_marker(fauxlab):
            assert (fauxlab.settings.scenario, fauxlab.settings.eta) == ("instant", 7.0)
        """)

    run_pytest(pytester, "--fauxlab-scenario=failed", "--fauxlab-eta", "7").assert_outcomes(
        passed=2
    )


def test_a_bad_option_is_a_usage_error(pytester: pytest.Pytester) -> None:
    """An option out of range ends the run before it starts, saying what it must be."""
    result = run_pytest(pytester, "--fauxlab-polls=many")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["*--fauxlab-polls must be a whole number from 0 to 1000, not 'many'*"]
    )


def test_options_stand_in_the_help(pytester: pytest.Pytester) -> None:
    """`pytest --help` lists an option for each setting of a test's mock, and none of a server's."""
    result = run_pytest(pytester, "--help")

    names = sorted(
        line.split()[0].removeprefix("--fauxlab-").partition("=")[0]
        for line in result.outlines
        if "  --fauxlab-" in line
    )
    assert names == [
        "allow-hosts",
        "clock",
        "credits",
        "document",
        "errors",
        "eta",
        "guard",
        "guard-baseline",
        "guard-needs-calls",
        "guard-url",
        "guard-waive",
        "guard-warn-only",
        "guard-write-baseline",
        "limits",
        "polls",
        "queue-limit",
        "queue-mode",
        "refunds",
        "rules",
        "scenario",
        "seed",
        "strict-rules",
        "validation",
        "webhooks",
    ]


@pytest.mark.parametrize(
    "marker, said",
    [
        ("scenaro='failed'", "the marker fauxlab has no setting scenaro; did you mean scenario?"),
        ("xyzzy=1", "has no setting xyzzy; there are document, allow_hosts, strict_rules, host, "),
        ("scenario='faild'", "scenario cannot be 'faild'; did you mean failed?"),
        ("allow_hosts=['http://db']", "the marker fauxlab: allow_hosts takes names, IP addresses"),
        ("allow_hosts=7", "10.0.0.0/8, not 7"),
        ("allow_hosts=[5432]", "10.0.0.0/8, not 5432"),
        ("allow_hosts=[('postgres', 5432)]", "10.0.0.0/8, not ('postgres', 5432)"),
        ("allow_hosts={'postgres': 5432}", "10.0.0.0/8, not {'postgres': 5432}"),
        ("document='nowhere.yaml'", "nowhere.yaml: it cannot be read: No such file"),
        ("limits={'jobs': 1}", "limits must be a Limits, or text such as 'jobs=5', not "),
        ("eta='soon'", "eta must be a number of seconds from 0 to 86400, not 'soon'"),
    ],
)
def test_mistakes_in_a_marker_are_named(pytester: pytest.Pytester, marker: str, said: str) -> None:
    """A misspelt setting, or a value that makes no sense, ends the test with one line."""
    pytester.makepyfile(
        f"import pytest\n@pytest.mark.fauxlab({marker})\ndef test_it(fauxlab): pass\n"
    )
    result = run_pytest(pytester)

    result.assert_outcomes(errors=1)
    lines = result.outlines
    shown = lines[lines.index(next(line for line in lines if "ERROR at setup" in line)) + 1 :]
    assert (said in shown[0], shown[1].startswith("====")) == (True, True), shown


def test_the_ini_file_has_a_key_for_each_option(pytester: pytest.Pytester) -> None:
    """A key in the ini file holds for the run; an option goes before it, and a marker before both.

    A file is looked for beside the ini file.
    """
    text = bundled_path().read_text(encoding="utf-8").replace("/api/v6", "/api/v7")
    pytester.mkdir("apis").joinpath("api.yaml").write_text(text, encoding="utf-8")
    pytester.makeini("""
        [pytest]
        fauxlab_scenario = failed
        fauxlab_eta = 7
        fauxlab_polls = 2
        fauxlab_document = apis/api.yaml
        fauxlab_allow_hosts = postgres:5432 10.0.0.0/8
        """)
    pytester.mkdir("sub").joinpath("test_it.py").write_text("""
import socket

import pytest


@pytest.mark.fauxlab(polls=4)
def test_it(fauxlab):
    chosen = fauxlab.settings
    assert (chosen.scenario, chosen.eta, chosen.polls, chosen.clock) == ("failed", 3, 4, "auto")
    assert fauxlab.url.endswith("/api/v7")
    with pytest.raises(OSError, match="Name or service|resolution|unreachable") as raised:
        socket.getaddrinfo("postgres", 5432)
    assert isinstance(raised.value, socket.gaierror)


@pytest.mark.fauxlab(allow_hosts="redis")
def test_marker(fauxlab_server):
    with pytest.raises(ConnectionRefusedError, match="allow_hosts"):
        socket.getaddrinfo("postgres", 5432)
""")

    run_pytest(pytester, "sub", "--fauxlab-eta=3").assert_outcomes(passed=2)


@pytest.mark.parametrize(
    "line, said",
    [
        ("fauxlab_polls = many", "fauxlab_polls must be a whole number from 0 to 1000, not 'many'"),
        ("fauxlab_allow_hosts = a:b", "fauxlab_allow_hosts takes names, IP addresses *'a:b'"),
        ("fauxlab_guard = ja", "the ini key fauxlab_guard: * 'ja'; write true or false"),
        (
            "fauxlab_strict_rules = ja",
            "the ini key fauxlab_strict_rules: * 'ja'; write true or false",
        ),
        ("fauxlab_guard_waive = typo=x", "fauxlab_guard_waive: no rule is called 'typo'; *"),
        ("fauxlab_guard_waive = typo", "fauxlab_guard_waive: a waiver is *, and 'typo' has no *"),
        (
            "fauxlab_guard_url = localhost:8000",
            "fauxlab_guard_url takes base URLs such as http://127.0.0.1:9000/api/v6, not"
            " 'localhost:8000'; write http://localhost:8000",
        ),
    ],
)
def test_a_bad_ini_key_is_a_usage_error(pytester: pytest.Pytester, line: str, said: str) -> None:
    """A value in the ini file that makes no sense ends the run before it starts."""
    pytester.makeini(f"[pytest]\n{line}\n")
    result = run_pytest(pytester)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{said}*"])


def test_the_ini_keys_stand_in_the_help(pytester: pytest.Pytester) -> None:
    """`pytest --help` lists an ini key beside each option, but for what is done once."""
    text = run_pytest(pytester, "--help").outlines
    options = {line.split()[0].split("=")[0] for line in text if "  --fauxlab-" in line}
    keys = {line.split()[0] for line in text if line.startswith("  fauxlab_")}

    once = {"--fauxlab-guard-write-baseline"}
    assert {"--" + key.replace("_", "-") for key in keys} == options - once


def test_the_marker_alone_gives_a_mock(pytester: pytest.Pytester) -> None:
    """A test, class or module that has the marker but names no mock is answered in process."""
    lines = """
        import httpx, pytest, unittest

        URL = "https://modelslab.com/api/v6/image_editing/flux_headshot"
        BODY = {"key": "any", "prompt": "p", "face_image": "https://example.com/f.png", "seed": 1}

        def status():
            return httpx.post(URL, json=BODY).json()["status"]
        """
    pytester.makepyfile(
        common=lines,
        test_marked="""
        import pytest, unittest
        from common import status

        @pytest.mark.fauxlab(scenario="instant")
        def test_it(): assert status() == "success"

        @pytest.mark.fauxlab
        def test_without_settings(): assert status() == "processing"

        @pytest.mark.fauxlab(scenario="instant")
        def test_time(fauxlab_time): assert status() == "success"

        @pytest.mark.fauxlab(scenario="instant")
        class TestIt(unittest.TestCase):
            def test_case(self): assert status() == "success"

        @pytest.mark.fauxlab(scenaro="instant")
        def test_misspelt(): pass
        """,
        test_module="""
        import pytest, socket
        from common import status

        pytestmark = pytest.mark.fauxlab(scenario="instant")

        def test_it(): assert status() == "success"

        def test_server(fauxlab_server):
            with pytest.raises(OSError, match="fauxlab_server"):
                socket.getaddrinfo("modelslab.com", 443)
        """,
    )
    result = run_pytest(pytester)

    result.assert_outcomes(passed=6, errors=1)
    assert "the marker fauxlab has no setting scenaro; did you mean scenario?" in result.outlines


def test_a_wrong_word_fails_at_the_line_that_gave_it(pytester: pytest.Pytester) -> None:
    """No traceback of a mistake in a test shows a line of fauxlab's."""
    pytester.makepyfile("""
        import pytest
        import fauxlab as ours

        @pytest.mark.parametrize("wrong", [
            lambda mock: mock.scenario("faild"),
            lambda mock: mock.scenario("failed", kidn="submit"),
            lambda mock: mock.scenario("failed", kind="fetch"),
            lambda mock: mock.fault("RESSET"),
            lambda mock: mock.set_clock("manul"),
            lambda mock: mock.clock.advance(-1),
            lambda mock: mock.verdict({"x": "y"}),
            lambda mock: mock.verdict().waive("x", "y"),
            lambda mock: mock.verdict().assert_ok("eror"),
            lambda mock: ours.check_client(lambda *_: None, trials=["x"]),
            lambda mock: ours.check_client(7),
        ])
        def test_it(fauxlab, wrong):
            wrong(fauxlab)
        """)
    result = run_pytest(pytester)

    result.assert_outcomes(failed=11)
    ends = [line for line in result.outlines if line.endswith(("ValueError", "TypeError"))]
    assert (len(ends), {line.partition(":")[0] for line in ends}) == (
        11,
        {"test_a_wrong_word_fails_at_the_line_that_gave_it.py"},
    )
