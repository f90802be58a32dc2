"""`fauxlab check` beside its report: what it refuses to send, and what it leaves behind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fauxlab.cli.main import main
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.server.serving import serve

FOLDER = "HYPOTHESIS_STORAGE_DIRECTORY"


@pytest.fixture
def served_mock() -> Iterator[Mock]:
    with serve(eta=0.0) as mock:
        yield mock


def checked(mock: Mock, *arguments: str) -> int:
    return main(["check", mock.url, "--key", "any", "--any-key", "--only", "examples", *arguments])


@pytest.mark.parametrize("folder", [None, "elsewhere"])
def test_a_check_leaves_the_environment_as_it_was(
    served_mock: Mock, folder: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder that Hypothesis is given meanwhile is taken back; one of the user's stays."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(FOLDER, raising=False)
    if folder is not None:
        monkeypatch.setenv(FOLDER, folder)

    code = checked(served_mock)

    assert (code, os.environ.get(FOLDER), [*tmp_path.iterdir()]) == (0, folder, [])


def test_a_server_elsewhere_is_sent_nothing_without_yes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """For another machine the command prints what it would send, and exits with 2."""
    code = main(["check", "https://elsewhere.example", "--key", "any", "--only", "examples"])

    captured = capsys.readouterr()
    assert code == 2
    assert captured.out.startswith(
        "https://elsewhere.example would get up to 3 requests, which may start up to"
    )
    assert captured.err == (
        "fauxlab: nothing was sent: the server is not on this machine; add --yes to run this plan\n"
    )


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ([], "give a key that the server accepts with --key or the variable FAUXLAB_KEY; "),
        (["--key", "k", "--other-key", "k"], "--other-key must differ from --key"),
        (
            ["--key", "k", "--only", "lifecycel"],
            "there is no phase 'lifecycel'; did you mean lifecycle?",
        ),
        (["--key", "k", "--report", "x.pdf"], "--report x.pdf: the ending must be one of .txt, "),
        (["--key", "k", "--report", "/nowhere/x.txt"], "--report /nowhere/x.txt: there is no "),
    ],
)
def test_options_that_make_no_sense_exit_with_2(
    arguments: list[str],
    sentence: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A wrong option ends with one sentence, before anything is sent."""
    monkeypatch.delenv("FAUXLAB_KEY", raising=False)

    code = main(["check", "http://127.0.0.1:9", *arguments])

    assert (code, capsys.readouterr().err.startswith(f"fauxlab: {sentence}")) == (2, True)


@pytest.mark.parametrize("name", ["dir.html", "nowhere/x.html"])
def test_a_report_that_cannot_be_written_is_told_before_the_check(
    served_mock: Mock, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody waits for a check, or pays for one, whose report is lost."""
    (tmp_path / "dir.html").mkdir()

    code = checked(served_mock, "--report", str(tmp_path / name))

    assert (code, capsys.readouterr().out, len(served_mock.requests)) == (2, "", 0)


def test_a_key_of_the_environment_is_no_unknown_setting(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `check` and the client read is not reported by `serve` as a misspelt setting."""
    monkeypatch.setenv("FAUXLAB_KEY", "k")
    monkeypatch.setenv("FAUXLAB_OTHER_KEY", "o")
    monkeypatch.setenv("FAUXLAB_SCENARO", "failed")

    main(["serve", "--port", "0", "/nonexistent"])

    assert capsys.readouterr().err.splitlines()[0] == (
        "fauxlab: warning: FAUXLAB_SCENARO is not a setting; did you mean FAUXLAB_SCENARIO?"
    )


@pytest.fixture
def wrong_mock() -> Iterator[Mock]:
    """A mock whose ids are texts: one error, of the rule reply-schema, about the field id."""
    with serve(eta=0.0, scenario="string_id") as mock:
        yield mock


@pytest.mark.parametrize(
    "arguments, expected",
    [
        ([], 1),
        (["--waive", "reply-schema:id=the API sends texts"], 0),
        (["--waive", "reply-schema:seed=about another field"], 1),
        (["--waive", "reply-schema@POST /image_editing/flux_headshot=known there"], 0),
        (["--fail-on", "note"], 1),
    ],
)
def test_a_check_is_a_gate(wrong_mock: Mock, arguments: list[str], expected: int) -> None:
    """Waivers by rule, field and operation let findings pass; the exit code says what is left."""
    assert checked(wrong_mock, *arguments) == expected


def test_only_new_findings_fail_with_a_baseline(
    wrong_mock: Mock, served_mock: Mock, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the baseline names passes, what is gone is told, and a server without it passes too."""
    file = str(tmp_path / "known.json")

    codes = [
        checked(wrong_mock, "--write-baseline", file),
        checked(wrong_mock, "--baseline", file),
        checked(served_mock, "--baseline", file),
    ]

    assert codes == [0, 0, 0]
    out = capsys.readouterr().out
    assert out.count("in the baseline: 1 finding\n") == 2
    assert (
        "in the baseline, and not found this time:"
        " reply-schema:id@POST /image_editing/flux_headshot\n"
    ) in out


def test_a_waiver_that_is_none_is_told_before_the_check(
    served_mock: Mock, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is sent for a rule that does not exist."""
    code = checked(served_mock, "--waive", "reply-shema=x")

    assert (code, len(served_mock.requests)) == (2, 0)
    assert capsys.readouterr().err.startswith(
        "fauxlab: --waive: no rule is called 'reply-shema'; did you mean reply-schema"
    )


def test_the_first_screen_says_where_the_rest_is(
    wrong_mock: Mock, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --verbose what was sent and came is printed; without it the last line says so."""
    hint = "--verbose shows what was sent and came; --report FILE writes it"

    checked(wrong_mock)
    short = capsys.readouterr().out
    checked(wrong_mock, "--verbose")
    long = capsys.readouterr().out

    assert (short.splitlines()[-1], hint in long) == (hint, False)
    assert ("\n   sent    POST" in short, "\n   sent    POST" in long) == (False, True)
