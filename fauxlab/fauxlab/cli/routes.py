"""`fauxlab routes` lists what the mock serves for a document."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from fauxlab.cli.command import add_document, load, warn_of_errors
from fauxlab.cli.parser import Commands, add_command
from fauxlab_contract.core.text import either

if TYPE_CHECKING:
    from fauxlab_contract.openapi.document import Document
    from fauxlab_contract.openapi.operation import Operation

__all__ = ["add_routes"]


def add_routes(commands: Commands) -> None:
    """Add `fauxlab routes`."""
    parser = add_command(
        commands,
        "routes",
        _routes,
        "list the operations that the mock serves for a document",
        example="routes openapi.yaml",
    )
    add_document(parser)


def _routes(parsed: argparse.Namespace) -> int:
    document = load(parsed.document)
    if parsed.document is not None:
        warn_of_errors(document)
    title, base_path = document.title or document.source, document.base_path or "/"
    print(f"{title}, OpenAPI {document.version}, base path {base_path}")
    if not document.operations:
        print("\nno operations, so there is nothing to serve")
    for operation in document.operations:
        elsewhere = operation.base_path != document.base_path
        below = f", below {operation.base_path or '/'}" if elsewhere else ""
        print(f"\n{operation.name} ({operation.kind}){below}")
        needs = ", ".join(operation.request.required) if operation.request else ""
        _print(f"needs {needs or 'nothing'}")
        _print(f"answers {_answers(operation)}")
    if document.operations and all(one.kind == "plain" for one in document.operations):
        print()
        for paragraph in _without_lifecycle(document):
            print(paragraph)
    return 0


def _print(line: str) -> None:
    print(textwrap.fill(line, 79, initial_indent="  ", subsequent_indent="    "))


def _answers(operation: Operation) -> str:
    schema = operation.reply_schema.resolved if operation.reply_schema else None
    shapes = len(schema.branches) if schema else 0
    in_shapes = f"in {shapes} shapes, which no {operation.conventions.fields.status} tells apart"
    return ", ".join(operation.variants) or (in_shapes if shapes > 1 else "in one shape")


def _without_lifecycle(document: Document) -> Iterator[str]:
    """Yield why no operation has a lifecycle, and what may be said in `x-fauxlab` to mend it."""
    from fauxlab_contract.openapi.roles import is_fetch_path, status_words

    names, words = document.conventions.fields, document.conventions.words
    both = {words.processing, words.success}
    has_words = [one.name for one in document.operations if both <= one.variants.keys()]
    yield "no operation has a lifecycle: nothing is submitted, fetched and done"
    if has_words:
        yield (
            f"  {either(has_words)} can say {words.processing}, but nothing fetches a job: no path"
            " ends with /fetch/{id}"
        )
        return
    yield f"  no reply has a field {names.status} that says {words.processing} and {words.success}"
    found: dict[str, dict[str, str]] = {}
    for operation in document.operations:
        found |= status_words(operation)
    for field, meant in found.items():
        changed = ", ".join(f"{state}: {word}" for state, word in meant.items() if state != word)
        said = f"fields: {{status: {field}}}" + (f", words: {{{changed}}}" if changed else "")
        yield f"  {field} looks like the status; to say so, write at the top of the document"
        yield f"    x-fauxlab: {{{said}}}"
        yield "  docs/contract.md (Roles) lists the other roles, such as key, id and output"
    if not any(is_fetch_path(one.path) for one in document.operations):
        yield "  nothing fetches a job: no path ends with /fetch/{id}"
