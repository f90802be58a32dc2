"""The `fauxlab` command: its parser, its subcommands and its exit codes.

0 fine · 1 findings · 2 wrong usage, unreadable input, or an address that cannot be used.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from fauxlab.cli.check import add_check
from fauxlab.cli.command import UsageError
from fauxlab.cli.documents import add_audit, add_diff, add_routes, add_validate
from fauxlab.cli.serve import add_scenarios, add_serve
from fauxlab.cli.verdict import add_verdict

__all__ = ["main"]

COMMANDS = (  # in the order of --help
    add_serve,
    add_validate,
    add_routes,
    add_verdict,
    add_check,
    add_audit,
    add_diff,
    add_scenarios,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; without `arguments` those of the process."""
    parsed = _parser().parse_args(arguments)
    try:
        code: int = parsed.run(parsed)
    except UsageError as error:
        print(f"fauxlab: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # the reader has left: say nothing, not even when Python flushes stdout at its end
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        return 0
    return code


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\nTry {self.prog} --help\n")


class _Version(argparse.Action):
    """Print the version; it is looked up only now, for that takes longer than the rest."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from importlib.metadata import PackageNotFoundError, version

        try:
            print(f"fauxlab {version('fauxlab')}")
        except PackageNotFoundError:
            print("fauxlab (not installed)")
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="fauxlab",
        description=(
            "An offline stand-in for an asynchronous image API, driven by its OpenAPI document."
        ),
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in COMMANDS:
        add(commands)
    return parser
