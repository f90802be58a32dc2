"""docs/cli.md lists the commands and arguments that the command line has."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from fauxlab.cli.main import parsers

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
ELSEWHERE = {"serve", "check"}  # their options stand in pages of their own
COMMANDS = parsers()[1].choices


def arguments_of(parser: argparse.ArgumentParser) -> list[str]:
    """Each positional by its metavar and each option by its flag, as the parser has them."""
    actions = [action for action in parser._actions if action.dest != "help"]
    flags = [action.option_strings[0] for action in actions if action.option_strings]
    return [str(action.metavar) for action in actions if not action.option_strings] + flags


def test_the_page_lists_the_commands_with_their_summaries() -> None:
    """The first table has a row for each command, in the order of --help."""
    rows = re.findall(r"^\| `([\w-]+)` \| (.*?) \| \[", PAGE, re.MULTILINE)

    assert rows == [(name, parser.summary) for name, parser in COMMANDS.items()]


def test_the_page_lists_the_arguments_of_each_command() -> None:
    """Each section has a row for each argument, and no other; commands without any have none."""
    sections = dict(re.findall(r"^## ([\w-]+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
    listed = {
        name: re.findall(r"^\| `([^` ]+)", text, re.MULTILINE) for name, text in sections.items()
    }
    listed.pop("Exit", None)

    assert listed == {
        name: sorted(arguments_of(parser), key=lambda one: one.startswith("-"))
        for name, parser in COMMANDS.items()
        if name not in ELSEWHERE and arguments_of(parser)
    }


def test_the_page_says_of_each_command_how_it_exits() -> None:
    """The table of exit codes names each command."""
    head = re.search(r"^\| code \| meaning \|(.*)$", PAGE, re.MULTILINE)

    assert head
    assert sorted(re.findall(r"`([\w-]+)`", head[1])) == sorted(COMMANDS)
