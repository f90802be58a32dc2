"""The commands that judge documents: `fauxlab audit` and `fauxlab diff`. Exit codes: 0 fine, 1
findings.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any

__all__ = ["add_audit", "add_diff", "run_audit", "run_diff"]


def add_audit(parser: argparse.ArgumentParser) -> None:
    """The arguments of `fauxlab audit`."""
    parser.add_argument(
        "document",
        nargs="?",
        metavar="DOCUMENT",
        help="OpenAPI document (default: the bundled one)",
    )
    parser.add_argument(
        "--samples",
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE",
        help=(
            "files with sample requests or replies to judge by the document: one JSON body, a list"
            " of them, or one on each line"
        ),
    )
    parser.add_argument(
        "--operation",
        metavar="PATH",
        help="the operation that the samples belong to (default: the one they fit best)",
    )
    _format_argument(parser)


def add_diff(parser: argparse.ArgumentParser) -> None:
    """The arguments of `fauxlab diff`."""
    parser.add_argument("old", metavar="OLD", help="OpenAPI document that clients were written for")
    parser.add_argument("new", metavar="NEW", help="OpenAPI document that they will meet")
    _format_argument(parser)


def _format_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--format",
        choices=("text", "json"),
        default="text",
        help="how to print what was found (default: text)",
    )


def run_audit(document: Any, operation: Any, files: Sequence[str], form: str) -> int:
    """Print what is wrong; 1 when something is worse than a note. ValueError, with a sentence, for
    a file that cannot be used.
    """
    from fauxlab_contract.audit.report import audit_document

    found = audit_document(
        document, [sample for file in files for sample in _samples(file, operation)]
    )
    _print(found, form)
    return 0 if found.is_ok else 1


def _samples(file: str, operation: Any) -> Sequence[Any]:
    from fauxlab_contract.audit.samples import read_samples
    from fauxlab_contract.core.strict_json import DEFAULT_LIMITS, WireError

    try:
        with open(file, "rb") as stream:
            data = stream.read(DEFAULT_LIMITS.body_bytes + 1)
        return read_samples(data, file, operation)
    except OSError as error:
        raise ValueError(f"{file} cannot be read: {error.strerror or error}") from None
    except WireError as error:
        raise ValueError(f"{file}: {error}") from None


def run_diff(old: Any, new: Any, form: str) -> int:
    """Print what changes for clients; 1 when something breaks them. ValueError for a callback that
    cannot be compared.
    """
    from fauxlab_contract.diff.report import compare_documents
    from fauxlab_contract.openapi.references import SchemaError

    try:
        changes = compare_documents(old, new)
    except SchemaError as error:
        raise ValueError(f"at {error.pointer}: {error}") from None
    _print(changes, form)
    return 1 if changes.is_breaking else 0


def _print(found: Any, form: str) -> None:
    print(json.dumps(found.as_dict(), indent=2, ensure_ascii=False) if form == "json" else found)
