"""What the commands share: documents, reports, and how they end when they cannot."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from fauxlab.cli.parser import Parser, add_choice
from fauxlab_contract.core.text import counted

if TYPE_CHECKING:
    from fauxlab_contract.core.rules import Findings
    from fauxlab_contract.openapi.document import Document

__all__ = [
    "DOCUMENT_HELP",
    "UsageError",
    "add_document",
    "add_format",
    "load",
    "print_json",
    "print_report",
    "warn_of_errors",
]

MOST_AUDITED_BYTES = 200 * 2**10
DOCUMENT_HELP = "OpenAPI document (default: the bundled one)"


class UsageError(Exception):
    """Ends the command with exit code 2 and this sentence."""


def add_document(parser: Parser) -> None:
    """Add the argument DOCUMENT, which may be left out."""
    parser.add_argument("document", nargs="?", metavar="DOCUMENT", help=DOCUMENT_HELP)


def add_format(parser: Parser) -> None:
    """Add the option --format; `print_report` obeys it."""
    add_choice(parser, "--format", ("text", "json"), "how to print the result")


def print_report(report: Findings, form: str) -> None:
    """Print a report as `form` says: text or json."""
    if form == "json":
        print_json(report.as_dict())
    else:
        print(report)


def print_json(value: Any) -> None:
    """Print a value as JSON, in ASCII where the terminal is not UTF-8."""
    encoding = (getattr(sys.stdout, "encoding", None) or "utf-8").lower()
    is_utf8 = encoding.replace("-", "") == "utf8"
    print(json.dumps(value, indent=2, ensure_ascii=not is_utf8))


def load(path: str | None, *, is_quiet: bool = False, is_served: bool = False) -> Document:
    """Read a document, and print its notices as warnings unless `is_quiet`.

    Raises UsageError for a document that cannot be used, with `is_served` for one without
    operations, too.
    """
    from fauxlab_contract.openapi.document import DocumentError, check_served, load_document

    try:
        document = load_document(path)
        if is_served:
            check_served(document)
    except DocumentError as error:
        raise UsageError(str(error)) from None
    if not is_quiet:
        for notice in document.notices:
            place = document.place_of(notice.pointers[0])
            print(f"fauxlab: warning: {place}: {notice}", file=sys.stderr)
    return document


def warn_of_errors(document: Document) -> None:
    """Say how many errors an audit names: `serve` and `routes` warn of what they see themselves.

    A large document is left out, since it would wait for this.
    """
    if len(document.data) > MOST_AUDITED_BYTES:
        return
    from fauxlab_contract.audit.report import audit_document

    audit = audit_document(document)
    errors = sum(finding.severity == "error" for finding in audit.findings)
    if errors:
        what = counted(errors, "errors")
        print(
            f"fauxlab: warning: {document.source}: fauxlab audit names {what} in it",
            file=sys.stderr,
        )
