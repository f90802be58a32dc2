"""What the commands share: their subparsers, their documents, and how they end when they cannot."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from fauxlab_contract.core.rules import Findings
    from fauxlab_contract.openapi.document import Document

__all__ = [
    "Commands",
    "UsageError",
    "add_command",
    "add_document",
    "add_format",
    "load",
    "print_report",
]

DOCUMENT_HELP = "OpenAPI document (default: the bundled one)"


class UsageError(Exception):
    """Ends the command with exit code 2 and this sentence."""


class Commands(Protocol):
    """What `add_subparsers` returns, as far as it is used here."""

    def add_parser(self, name: str, **options: Any) -> argparse.ArgumentParser: ...


def add_command(
    commands: Commands, name: str, run: Callable[[argparse.Namespace], int], summary: str
) -> argparse.ArgumentParser:
    """Add the command `name`: `run` gets its arguments and returns the exit code."""
    description = summary[0].upper() + summary[1:] + "."
    parser = commands.add_parser(name, help=summary, description=description)
    parser.set_defaults(run=run)
    return parser


def add_document(parser: argparse.ArgumentParser) -> None:
    """Add the argument DOCUMENT, which may be left out."""
    parser.add_argument("document", nargs="?", metavar="DOCUMENT", help=DOCUMENT_HELP)


def add_format(parser: argparse.ArgumentParser) -> None:
    """Add the option --format; `print_report` obeys it."""
    parser.add_argument(
        "--format",
        choices=("text", "json"),
        default="text",
        help="how to print the result (default: text)",
    )


def print_report(report: Findings, form: str) -> None:
    """Print a report as `form` says: text or json."""
    if form == "json":
        print(json.dumps(report.as_dict(), indent=2, ensure_ascii=False))
    else:
        print(report)


def load(path: str | None, *, is_quiet: bool = False) -> Document:
    """Read a document, and print its notices as warnings unless `is_quiet`.

    Raises UsageError for a document that cannot be used.
    """
    from fauxlab_contract.openapi.document import DocumentError, load_document

    try:
        document = load_document(path)
    except DocumentError as error:
        raise UsageError(str(error)) from None
    if not is_quiet:
        for notice in document.notices:
            print(f"fauxlab: warning: {notice}", file=sys.stderr)
    return document
