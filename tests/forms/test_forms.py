"""The forms of a report: texts from a stranger become harmless, commands stay commands."""

from __future__ import annotations

import shlex
import subprocess
from xml.etree import ElementTree as ET

import pytest

from fauxlab_contract.forms.junit import junit
from fauxlab_contract.forms.printable import command_lines, shown
from fauxlab_contract.forms.sheet import Sheet, Told, TriedStep


@pytest.mark.parametrize(
    "value, expected",
    [
        ("\x1b[2Jgone", "\\x1b[2Jgone"),
        ("a\r\nb\x00", "a\\r\\nb\\x00"),
        ("\u202efdp.exe", "\\u202efdp.exe"),
        ("\ud800\ufffe", "\\ud800\\ufffe"),
        ("größe 😀 שלום", "größe 😀 שלום"),
        ("x" * 1_000, "x" * 1_000),
        ("x" * 1_002, "x" * 1_000 + "… (2 more characters)"),
    ],
)
def test_a_text_from_a_server_is_shown_as_one_harmless_line(value: str, expected: str) -> None:
    """Control characters and marks of direction become escapes, long texts are cut, all other
    scripts stay.
    """
    assert shown(value) == expected


def test_a_command_in_several_lines_is_the_same_command() -> None:
    """A shell reads the words of the one line, with variables where they stood."""
    words = ["printf", "%s|", "-H", "a b", "--data", f"it's {'{x}' * 200} end"]
    command = f"""{shlex.join(words)}"$KEY"'tail'"""

    lines = [*command_lines(command)]

    script = "KEY=k; " + "\n".join(lines)
    printed = subprocess.run(
        ["/bin/sh", "-c", script], capture_output=True, text=True, check=True
    ).stdout
    assert (len(lines) > 4, max(map(len, lines)) < 200) == (True, True)
    assert printed == "".join(f"{word}|" for word in words[2:-1]) + f"{words[-1]}ktail|"


def test_a_command_that_nobody_would_paste_is_left_out() -> None:
    """A command of thousands of characters has no lines."""
    assert [*command_lines("curl " + "x" * 5_000)] == []


def test_what_fails_is_said_by_the_sheet() -> None:
    """With `fails_at` a warning is a failure; a finding of no step is a test of its own."""
    told = Told("late", "warning", "It came late.", part="trial", title="late: trial")
    sheet = Sheet("fauxlab", "bad", findings=(told,), steps=(TriedStep("trial", "one"),))

    loose, strict = (
        ET.fromstring(junit(each).encode())  # noqa: S314 # our own XML
        for each in (sheet, Sheet("f", "b", findings=(told,), steps=(), fails_at="warning"))
    )

    assert [root.get("failures") for root in (loose, strict)] == ["0", "1"]
    assert [test.get("name") for test in loose.iter("testcase")] == ["one", "late: trial"]
