"""The traffic guard in pytest, used the way a user's own suite uses it."""

from __future__ import annotations

import pytest

from nested_pytest import run_pytest

pytest_plugins = ["pytester"]
CLIENT = """
import httpx

KEY = "secret-" + "key-123456"
URL = "https://modelslab.com/api/v6/image_editing/flux_headshot"
BODY = {"key": KEY, "prompt": "p", "face_image": "https://e.com/f.png", "seed": 1}


def submit(**fields):  # no local names: pytest before 9 shows them for a function with **fields
    return httpx.post(URL, json=BODY | fields).json()


def careful(**fields):
    try:
        return submit(**fields)
    except Exception:
        return None
"""
TOO_WIDE = (
    "*request-violation: width must be at most 1024, not 2000. Send what the document allows."
)


def run(pytester: pytest.Pytester, test: str, *options: str, ini: str = "") -> pytest.RunResult:
    """Run tests against the client above."""
    pytester.makepyfile(
        client=CLIENT,
        test_it=(
            f"import contextlib, threading, unittest\nimport pytest, respx\nimport client\n{test}"
        ),
    )
    if ini:
        pytester.makeini(ini)
    result = run_pytest(pytester, "-W", "error", *options)
    assert "secret-key-123456" not in result.stdout.str()
    return result


def test_the_test_that_sent_it_fails_at_the_call(pytester: pytest.Pytester) -> None:
    """The report ends at the line of the code under test, not inside a library."""
    result = run(
        pytester,
        """
def test_bad(fauxlab, fauxlab_guard):
    client.submit(width=2000)

def test_good(fauxlab, fauxlab_guard):
    assert client.submit()["status"] == "processing"
    assert fauxlab_guard.calls == ["POST /api/v6/image_editing/flux_headshot"]
""",
    )

    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(
        [
            ">       return httpx.post(URL, json=BODY | fields).json()",
            f"E       fauxlab_contract.guard.GuardError: {TOO_WIDE[1:]}",
            "E           POST /api/v6/image_editing/flux_headshot, sent at client.py:9, in submit",
            (
                "E           see openapi.yaml at"
                " /components/schemas/FluxHeadshotRequest/properties/width"
            ),
            "client.py:9: GuardError",
            "fauxlab: the guard judged 2 calls of 2 tests",
        ]
    )
    result.stdout.no_fnmatch_line("*site-packages*")


def test_what_was_swallowed_fails_the_test(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An `except Exception`, a thread, another failure, a skip or `raises` hides no finding."""
    monkeypatch.delenv("CI", raising=False)  # there pytest cuts no line of its summary
    result = run(
        pytester,
        """
def test_except(fauxlab, fauxlab_guard):
    client.careful(width=2000)

def test_thread(fauxlab, fauxlab_guard):
    thread = threading.Thread(target=client.careful, kwargs={"width": 2000})
    thread.start()
    thread.join()

def test_raises(fauxlab, fauxlab_guard):
    with pytest.raises(AssertionError):
        client.submit(width=2000)

def test_fails(fauxlab, fauxlab_guard):
    client.careful(width=2000)
    assert not "this"

def test_skips(fauxlab, fauxlab_guard):
    client.careful(width=2000)
    pytest.skip()

@pytest.fixture
def before(fauxlab, fauxlab_guard):
    client.careful(width=2000)

def test_before(before):
    pass

@pytest.fixture
def after(fauxlab, fauxlab_guard):
    yield
    client.careful(width=2000)

def test_after(after):
    pass
""",
    )

    result.assert_outcomes(failed=5, skipped=1, passed=1, errors=2)
    lines = result.stdout.lines
    assert (
        sum("request-violation: width must be" in line and "..." not in line for line in lines) == 7
    )
    assert (
        lines.count("    POST /api/v6/image_editing/flux_headshot, sent at client.py:9, in submit")
        == 7
    )
    result.stdout.fnmatch_lines(["*fauxlab guard: also found*"])
    result.stdout.no_fnmatch_line("*traceback entries are hidden*")


def test_a_unittest_case_is_guarded(pytester: pytest.Pytester) -> None:
    """With the option, tests without fixtures are guarded as well."""
    test = """
class TestIt(unittest.TestCase):
    @respx.mock
    def test_lie(self):
        respx.post(client.URL).respond(json={"status": "done"})
        client.careful()
"""

    run(pytester, test).assert_outcomes(passed=1)
    result = run(pytester, test, "--fauxlab-guard")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*reply-violation: status must be one of *"])


def test_the_marker_waives_and_adds_addresses(pytester: pytest.Pytester) -> None:
    """A class's waivers hold beside the test's own; `url` and `document` guard other addresses."""
    test = """
@pytest.mark.fauxlab_guard(waive={"request-violation:width": "the refusal is the point"})
class TestIt:
    def test_waived(self, fauxlab, fauxlab_guard):
        assert client.submit(width=2000)["status"] == "error"
        assert [finding.waived for finding in fauxlab_guard.waived] == ["the refusal is the point"]

    @pytest.mark.fauxlab_guard(waive={"misspelt-field": "why not"})
    def test_both(self, fauxlab):
        client.submit(width=2000, guidence_scale=1)

    def test_other(self, fauxlab):
        client.submit(guidence_scale=1)

@respx.mock
@pytest.mark.fauxlab_guard(url="http://fake.example/base")
def test_url(monkeypatch):
    monkeypatch.setattr(client, "URL", "http://fake.example/base/image_editing/fetch")
    client.submit()

@pytest.mark.fauxlab_guard(document="no-such-file.yaml")
def test_document():
    pass
"""
    result = run(pytester, test)

    result.assert_outcomes(passed=2, failed=2, errors=1)
    result.stdout.fnmatch_lines(
        ["FAILED *test_other*", "FAILED *test_url*", "ERROR *test_document*"]
    )


def test_options_and_the_ini_file_hold_for_all_tests(pytester: pytest.Pytester) -> None:
    """The option and the ini file turn the guard on, waive rules and name addresses."""
    test = """
def test_served(fauxlab_server, monkeypatch):
    monkeypatch.setattr(client, "URL", fauxlab_server.url + "/image_editing/flux_headshot")
    client.submit(width=2000, guidence_scale=1)

def test_fake(monkeypatch):
    monkeypatch.setattr(client, "URL", "http://127.0.0.1:9/nowhere")
    client.submit()
"""
    ini = (
        "[pytest]\nfauxlab_guard = true\nfauxlab_guard_waive =\n    request-violation ="
        " known\nfauxlab_guard_url = http://127.0.0.1:9\n"
    )
    result = run(
        pytester,
        test,
        "--fauxlab-guard-waive",
        "misspelt-field=known, too",
        "--deselect",
        "test_it.py::test_fake",
        ini=ini,
    )

    result.assert_outcomes(passed=1, deselected=1)
    result.stdout.fnmatch_lines(["fauxlab: the guard judged 1 call of 1 test"])


@pytest.mark.parametrize(
    "marker, option, said",
    [
        (
            "waive={'typo': 'x'}",
            "--fauxlab-guard",
            "no rule is called 'typo'; there are request-violation, ",
        ),
        ("waive={'key-in-url': ''}", "--fauxlab-guard", "waive 'key-in-url' with a reason; "),
        (
            "waive=['key-in-url']",
            "--fauxlab-guard",
            "the marker fauxlab_guard: waive takes {rule: reason}, not \"['key-in-url']\"",
        ),
        (
            "rules=3",
            "--fauxlab-guard",
            "takes waive, document, url, warn_only, needs_calls by name, not rules",
        ),
        (
            "",
            "--fauxlab-guard-waive=key-in-url",
            "a waiver is RULE[:FIELD][@PLACE]=REASON, and 'key-in-url' has no reason",
        ),
        ("", "--fauxlab-guard-waive=typo=x", "--fauxlab-guard-waive: no rule is called 'typo'; "),
        ("url=8000", "--fauxlab-guard", "the marker fauxlab_guard: url takes base URLs such as "),
        (
            "",
            "--fauxlab-guard-url=localhost:8000",
            "--fauxlab-guard-url takes base URLs such as http://127.0.0.1:9000/api/v6, not"
            " 'localhost:8000'; write http://localhost:8000",
        ),
        ("", "--fauxlab-guard-url=ftp://x", "not 'ftp://x'\n"),
    ],
)
def test_mistakes_are_named(pytester: pytest.Pytester, marker: str, option: str, said: str) -> None:
    """A misspelt rule, a waiver without a reason or an unknown argument is a usage error."""
    pytester.makepyfile(
        f"import pytest\n@pytest.mark.fauxlab_guard({marker})\ndef test_it(): pass\n"
    )
    result = run_pytest(pytester, option)

    assert said in result.stdout.str() + result.stderr.str()
    assert result.ret != pytest.ExitCode.OK


def test_a_misspelt_field_of_a_waiver_is_told_below_the_failed_test(
    pytester: pytest.Pytester,
) -> None:
    """With the finding that it was perhaps meant for."""
    result = run(
        pytester,
        """
@pytest.mark.fauxlab_guard(waive={"request-violation:widht": "known"})
def test_it(fauxlab):
    client.submit(width=2000)
""",
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*waived but never found: request-violation:widht; did you mean"
            " request-violation:width[?]"
        ]
    )


@pytest.mark.parametrize(
    "how", ["--fauxlab-guard-warn-only", "fauxlab_guard_warn_only = true", "warn_only=True"]
)
def test_a_guard_that_only_warns_fails_no_test(pytester: pytest.Pytester, how: str) -> None:
    """The calls go out, and the end of the run names what is wrong with them, and where."""
    marker = how if how.endswith("True") else ""
    result = run(
        pytester,
        f"""
@pytest.mark.fauxlab_guard({marker})
def test_it(fauxlab):
    assert client.submit(width=2000)["status"] == "error"
""",
        *([how] if how.startswith("--") else []),
        ini=f"[pytest]\n{how}\n" if "= true" in how else "",
    )

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            "fauxlab: the guard only warns of 1 finding:",
            "  test_it.py::test_it: request-violation: width must be at most 1024, not 2000.*",
            "*sent at client.py:9, in submit",
        ]
    )


KNOWN = (
    '{"rule": "request-violation", "severity": "error", "field": "width",'
    ' "place": "POST /api/v6/image_editing/flux_headshot"}'
)
WIDE_AND_HIGH = """
def test_wide(fauxlab): client.careful(width=2000)
def test_high(fauxlab): client.careful(height=2000)
"""


def baseline_of(*findings: str) -> str:
    listed = ",\n".join(f"  {finding}" for finding in findings)
    return f'{{"fauxlab_baseline": 1, "judge": "guard", "findings": [\n{listed}\n]}}\n'


@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
def test_a_run_writes_a_baseline(pytester: pytest.Pytester, workers: list[str]) -> None:
    """It holds what was found and not waived; in this run no test fails for it."""
    result = run(
        pytester,
        WIDE_AND_HIGH,
        "--fauxlab-guard",
        "--fauxlab-guard-write-baseline=known.json",
        "--fauxlab-guard-waive=request-violation:height=not now",
        *workers,
    )

    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["fauxlab: wrote known.json: 1 finding"])
    assert (pytester.path / "known.json").read_text() == baseline_of(KNOWN)


@pytest.mark.parametrize("path", ["known.json", "./known.json"])
def test_a_run_writes_the_baseline_that_the_ini_file_names(
    pytester: pytest.Pytester, path: str
) -> None:
    """The first time it is not there yet, which is no mistake; afterwards it counts."""
    written = f"--fauxlab-guard-write-baseline={path}"
    ini = "[pytest]\nfauxlab_guard_baseline = known.json\n"
    first = run(pytester, WIDE_AND_HIGH, "--fauxlab-guard", written, ini=ini)
    again = pytester.runpytest("--fauxlab-guard")

    first.assert_outcomes(passed=2)
    first.stdout.fnmatch_lines([f"fauxlab: wrote {path}: 2 findings"])
    again.assert_outcomes(passed=2)
    again.stdout.fnmatch_lines(["fauxlab: the guard's baseline knows 2 findings of this run"])


@pytest.mark.parametrize("how", ["option", "ini"])
def test_only_what_is_not_in_the_baseline_fails(pytester: pytest.Pytester, how: str) -> None:
    """The end of the run counts what is known, and names what is gone."""
    gone = KNOWN.replace("width", "seed")
    pytester.makefile(".json", known=baseline_of(gone, KNOWN))
    result = run(
        pytester,
        WIDE_AND_HIGH,
        "--fauxlab-guard",
        *(["--fauxlab-guard-baseline=known.json"] if how == "option" else []),
        ini="[pytest]\nfauxlab_guard_baseline = known.json\n" if how == "ini" else "",
    )

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*height must be at most 1024, not 2000*",
            "fauxlab: the guard's baseline knows 1 finding of this run",
            "  not found this time:"
            " request-violation:seed@POST /api/v6/image_editing/flux_headshot",
        ]
    )


@pytest.mark.parametrize(
    "option, said",
    [
        (
            "--fauxlab-guard-baseline=nowhere.json",
            "--fauxlab-guard-baseline nowhere.json cannot be read: No such file or directory",
        ),
        (
            "--fauxlab-guard-baseline=client.py",
            "--fauxlab-guard-baseline: client.py is no baseline: it is not JSON",
        ),
        (
            "--fauxlab-guard-baseline=audit.json",
            "--fauxlab-guard-baseline: audit.json is a baseline of 'audit', not of guard",
        ),
        (
            "--fauxlab-guard-write-baseline=nowhere/known.json",
            "--fauxlab-guard-write-baseline nowhere/known.json: there is no such folder",
        ),
        (
            "--fauxlab-guard-write-baseline=.",
            "--fauxlab-guard-write-baseline .: it is a folder",
        ),
    ],
)
def test_a_baseline_that_is_none_ends_the_run(
    pytester: pytest.Pytester, option: str, said: str
) -> None:
    """One line says which option, which file, and what is wrong with it."""
    pytester.makefile(".json", audit=baseline_of(KNOWN).replace("guard", "audit"))
    result = run(pytester, "def test_it(): pass", option)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"ERROR: {said}" in result.errlines


def test_options_of_a_guard_that_guards_no_test_are_told(pytester: pytest.Pytester) -> None:
    """A test may ask for the guard, so it is no mistake; but here none does."""
    result = run(
        pytester,
        "def test_it(fauxlab): client.submit()",
        "--fauxlab-guard-warn-only",
        "--fauxlab-guard-write-baseline=known.json",
    )

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            "fauxlab: no test was guarded, so --fauxlab-guard-warn-only,"
            " --fauxlab-guard-write-baseline had no effect; --fauxlab-guard guards every test"
        ]
    )
    assert not (pytester.path / "known.json").exists()


def test_options_of_a_guard_that_a_test_asks_for_have_their_effect(
    pytester: pytest.Pytester,
) -> None:
    """Then nothing is said of them."""
    result = run(
        pytester,
        "def test_it(fauxlab, fauxlab_guard): client.submit()",
        "--fauxlab-guard-warn-only",
    )

    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*had no effect*")


def test_a_test_that_asks_for_the_guard_may_have_to_call(pytester: pytest.Pytester) -> None:
    """With needs_calls, a test with the fixture or the marker fails if no call was judged; one
    that the guard only watches does not, nor one that was skipped.
    """
    result = run(
        pytester,
        """
def test_nothing(fauxlab, fauxlab_guard): pass

@pytest.mark.fauxlab_guard
def test_marked(fauxlab): pass

@pytest.mark.fauxlab_guard(needs_calls=False)
def test_refuses_to_call(fauxlab): pass

def test_called(fauxlab, fauxlab_guard):
    client.submit()

def test_skipped(fauxlab_guard):
    pytest.skip("no")

def test_watched(fauxlab): pass
""",
        "--fauxlab-guard",
        "--fauxlab-guard-needs-calls",
    )

    result.assert_outcomes(passed=3, failed=2, skipped=1)
    result.stdout.fnmatch_lines(
        ["fauxlab guard: no call to https://modelslab.com was judged; docs/guard.md says*"]
    )


def test_waivers_that_nothing_needs_are_told_once(pytester: pytest.Pytester) -> None:
    """Those of the run at its end, in one line, and not below a failed test that has nothing to do
    with them; those of a passed test with its name.
    """
    result = run(
        pytester,
        """
@pytest.mark.fauxlab_guard(waive={"key-in-url": "not here"})
def test_passes(fauxlab):
    assert client.submit(width=2000)["status"] == "error"

def test_fails(fauxlab):
    client.submit(seed=2)
    assert False
""",
        "--fauxlab-guard",
        "--fauxlab-guard-waive=request-violation:width@POST /api/v6/image_editing/flux_headshot=x",
        "--fauxlab-guard-waive=malformed-body=an old client",
    )

    result.assert_outcomes(passed=1, failed=1)
    assert [line for line in result.outlines if line.startswith("fauxlab: ")][1:3] == [
        "fauxlab: waivers of the guard that nothing needed: malformed-body",
        "fauxlab: test_it.py::test_passes: waived but never found: key-in-url",
    ]
    assert "fauxlab guard: waivers" not in result.stdout.str()


def test_replies_that_a_test_asked_for_are_not_judged(pytester: pytest.Pytester) -> None:
    """The mock's own lies, by scenario or fault, are what the test is about."""
    result = run(
        pytester,
        """
@pytest.mark.parametrize("scenario", ["maintenance_html", "float_eta", "failed"])
def test_scenario(fauxlab, fauxlab_guard, scenario):
    fauxlab.scenario(scenario)
    client.careful()

def test_fault(fauxlab, fauxlab_guard):
    fauxlab.fault("TRUNCATED_JSON")
    assert client.careful() is None
""",
    )

    assert result.ret == pytest.ExitCode.OK


@pytest.mark.slow
def test_the_guard_works_in_parallel(pytester: pytest.Pytester) -> None:
    """Under xdist each test has a guard of its own, and the last line counts them all."""
    test = (
        "@pytest.mark.parametrize('n', range(4))\ndef test_it(fauxlab, fauxlab_guard, n):\n   "
        " client.submit(width=1023 + n)\n"
    )
    result = run(pytester, test, "-n", "2", "--fauxlab-guard")

    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(["fauxlab: the guard judged 4 calls of 4 tests"])
