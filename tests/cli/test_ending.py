"""How the command ends when its output cannot be written, or somebody stops it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from driving import KEY
from fauxlab.cli import documents, routes
from fauxlab.cli import main as main_module
from fauxlab.cli.main import main
from fauxlab_contract.check import run as check_run
from serving import serving

FULL = Path("/dev/full")


def run(arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a shell line in which `fauxlab` is the command of this Python."""
    command = f'fauxlab() {{ "{sys.executable}" -m fauxlab "$@"; }}; {arguments}'
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=os.environ | variables,
    )


@pytest.mark.parametrize("command, code", [("audit", 1), ("routes", 0), ("--help", 0)])
def test_a_reader_that_left_is_no_traceback(command: str, code: int) -> None:
    """With nobody behind the pipe nothing is said, and the exit code is the result's."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        result = subprocess.run(
            [sys.executable, "-m", "fauxlab", command],
            stdout=writing,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
            env={key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"},
        )
    finally:
        os.close(writing)

    assert (result.returncode, result.stderr) == (code, b"")


def test_a_reader_that_left_before_the_result_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that is cut off while it prints ends as shells expect, not as a success."""

    def cut_off(_: object) -> int:
        raise BrokenPipeError

    monkeypatch.setattr(routes, "_routes", cut_off)
    monkeypatch.setattr(main_module, "_write_nowhere", lambda: None)

    assert main(["routes"]) == 141


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
def test_output_that_cannot_be_written_is_told() -> None:
    """A full disk is one sentence and exit code 2, not a result."""
    result = run("fauxlab routes > /dev/full")

    assert (result.returncode, result.stderr) == (
        2,
        "fauxlab: standard output cannot be written: No space left on device\n",
    )


def test_a_terminal_that_is_not_utf_8_shows_escapes() -> None:
    """What the terminal's encoding lacks is escaped, not a traceback."""
    result = run("fauxlab serve --help", PYTHONIOENCODING="ascii")

    assert (result.returncode, result.stderr, "\\u2026" in result.stdout) == (0, "", True)


def test_closed_streams_are_no_traceback() -> None:
    """Without any stdout the command still ends with its code."""
    result = run("fauxlab routes >&-; fauxlab validate <&-")

    assert (result.returncode, result.stderr) == (
        2,
        "fauxlab: standard input: The body is empty; send a JSON object.\n",
    )


def test_an_interrupted_command_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C ends with one line and the exit code that shells expect."""

    def interrupt(*_: object) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr(documents, "_read", interrupt)

    assert (main(["validate", "x"]), capsys.readouterr().err) == (130, "fauxlab: interrupted\n")


def test_a_check_that_is_interrupted_is_no_green_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """After Ctrl-C `check` prints what it found until then, and ends as other commands do."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(check_run, "run_steps", interrupt)
    with serving() as running:
        code = main(["check", running.mock.url, "--key", KEY])

    out, err = capsys.readouterr()
    assert code == 130
    assert "stopped by hand before the end" in out
    assert err.endswith("fauxlab: interrupted\n")


def test_validate_says_that_it_waits_for_a_person(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """At a terminal, a command that reads standard input says so, on stderr."""
    typed = io.TextIOWrapper(io.BytesIO(b"[]"))
    monkeypatch.setattr(typed, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", typed)

    assert main(["validate"]) == 1
    assert capsys.readouterr().err == (
        "fauxlab: waiting for one JSON body on standard input; end it with Ctrl-D\n"
    )
