"""The commands about documents and bodies: `validate`, `audit` and `diff`."""

from __future__ import annotations

import argparse
import re
import sys
from typing import TYPE_CHECKING, Any

from fauxlab.cli.command import (
    DOCUMENT_HELP,
    UsageError,
    add_document,
    add_format,
    load,
    print_report,
)
from fauxlab.cli.gate import Gate, add_gate
from fauxlab.cli.parser import Commands, add_command
from fauxlab_contract.core.text import counted, no_such

if TYPE_CHECKING:
    from fauxlab_contract.audit.samples import Sample
    from fauxlab_contract.core.strict_json import WireError
    from fauxlab_contract.core.violation import Violation
    from fauxlab_contract.openapi.document import Document
    from fauxlab_contract.openapi.operation import Operation
    from fauxlab_contract.validation.misspelt import Misspelt

__all__ = ["add_audit", "add_diff", "add_validate"]

EFFECTS = ("breaking", "risky", "harmless")  # the severities, as readers of a diff see them
# finds the version that an OpenAPI document begins with, in YAML or JSON
IS_DOCUMENT = re.compile(
    rb"""(?:\A\s*\{\s*|^)["']?(?:openapi|swagger)["']?\s*:\s*["']?[23]\.\d""", re.MULTILINE
).search


def add_validate(commands: Commands) -> None:
    """Add `fauxlab validate`."""
    parser = add_command(
        commands,
        "validate",
        _validate,
        "check a JSON body against the contract",
        example="validate body.json",
    )
    parser.add_argument(
        "file",
        nargs="?",
        default="-",
        metavar="FILE",
        help="file with one JSON body; - is standard input (the default)",
    )
    parser.add_argument("--document", metavar="DOCUMENT", help=DOCUMENT_HELP)
    parser.add_argument(
        "--operation",
        metavar="PATH",
        help="path of the operation (default: the only operation that starts jobs)",
    )
    parser.add_argument(
        "--response", action="store_true", help="the body is a reply, not a request"
    )
    parser.add_argument(
        "--code",
        type=int,
        metavar="CODE",
        help="HTTP code of the reply, which says by what schema it is judged (with --response)",
    )


def _validate(parsed: argparse.Namespace) -> int:
    from fauxlab_contract.validation.bodies import request_violations, response_violations
    from fauxlab_contract.validation.misspelt import misspelt_fields

    if parsed.code is not None and not parsed.response:
        raise UsageError("--code is of a reply; give --response as well")
    operation = _operation(load(parsed.document, is_served=True), parsed.operation)
    body = _read_body(parsed.file)
    misspelt: list[Misspelt] = []
    if parsed.response:
        violations = response_violations(operation, body, _declared_code(operation, parsed.code))
        what = f"a reply of {operation.name}"
        what += f" with HTTP {parsed.code}" if parsed.code else ""
    else:
        violations = request_violations(operation, body)
        what = f"a request of {operation.name}"
        if operation.request and isinstance(body, dict):
            request = operation.request
            misspelt += misspelt_fields(request.properties, body, request.required)
    counts = {"violations": len(violations), "misspelt fields": len(misspelt)}
    found = [counted(number, noun) for noun, number in counts.items() if number]
    print(f"{' and '.join(found)} as {what}:" if found else f"valid as {what}")
    for violation in violations:
        print(f"  {_line(violation)}")
    for field in misspelt:
        print(f"  /{field.name}: {field}")
    return 1 if found else 0


def _declared_code(operation: Operation, code: int | None) -> int | None:
    """Return the code of a reply; raise UsageError for one without a schema to judge by."""
    if code is None:
        return None
    declared = operation.reply_for(code)
    if declared is None or declared.schema is None:
        lack = "no such code" if declared is None else "no JSON schema for it"
        codes = ", ".join(name for name, one in operation.replies.items() if one.schema)
        raise UsageError(
            f"--code {code}: {operation.name} declares {lack}, so the reply is not judged; it has"
            f" schemas for {codes or 'none'}"
        )
    return code


def _line(violation: Violation) -> str:
    """Return "/width: width must be at most 1024, not 1025.", with the hint behind it."""
    sentences = f"{violation} {violation.hint}" if violation.hint else str(violation)
    return f"{violation.pointer or '/'}: {sentences}"


def _operation(document: Document, path: str | None) -> Operation:
    """Return the operation with this path, or the only one that starts jobs.

    Raises UsageError unless there is exactly one.
    """
    if path is None:
        chosen = [operation for operation in document.operations if operation.kind == "submit"]
    else:
        chosen = [
            operation
            for operation in document.operations
            if path in (operation.path, operation.name, document.base_path + operation.path)
        ]
    if len(chosen) != 1:
        paths = list(dict.fromkeys(operation.path for operation in document.operations))
        if path is not None and not chosen:
            raise UsageError(f"--operation: {no_such('operation', path, paths)}")
        raise UsageError(
            f"name one operation with --operation; the document has {', '.join(paths)}"
        )
    return chosen[0]


def _read_body(file: str) -> Any:
    from fauxlab_contract.core.strict_json import WireError, read_json

    data = _read(file)
    try:
        return read_json(data)
    except WireError as error:
        raise UsageError(_with_place(file, error)) from None


def _with_place(file: str, error: WireError) -> str:
    name = "standard input" if file == "-" else file
    if not error.line:
        return f"{name}: {error}"
    sentence = str(error).replace(f" at line {error.line} column {error.column}", "")
    return f"{name}:{error.line}:{error.column}: {sentence}"


def _read(file: str) -> bytes:
    """Return the bytes of a file, or of standard input for "-"; one byte too many is enough."""
    from fauxlab_contract.core.strict_json import DEFAULT_LIMITS

    most = DEFAULT_LIMITS.body_bytes + 1
    try:
        if file == "-":
            return _standard_input(most)
        with open(file, "rb") as stream:
            return stream.read(most)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}") from None


def _standard_input(most: int) -> bytes:
    """Return at most `most` bytes of standard input; a person at a terminal is told to type."""
    if sys.stdin is None:  # closed
        return b""
    if sys.stdin.isatty():
        print(
            "fauxlab: waiting for one JSON body on standard input; end it with Ctrl-D",
            file=sys.stderr,
        )
    return sys.stdin.buffer.read(most)


def add_audit(commands: Commands) -> None:
    """Add `fauxlab audit`."""
    parser = add_command(
        commands,
        "audit",
        _audit,
        "report defects in a document, and contradictions between it and sample bodies",
        example="audit openapi.yaml --samples body.json other.json",
    )
    add_document(parser)
    parser.add_argument(
        "--samples",
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE",
        help=(
            "files with sample bodies: one JSON body, a list of bodies, or one body per line;"
            " DOCUMENT stands before this option"
        ),
    )
    parser.add_argument(
        "--operation",
        metavar="PATH",
        help="operation that the samples belong to (default: the operation that fits best)",
    )
    add_gate(parser, "warning", "PLACE")
    add_format(parser)


def _audit(parsed: argparse.Namespace) -> int:
    from fauxlab_contract.audit.report import audit_document
    from fauxlab_contract.audit.rules import RULES

    gate = Gate(parsed, RULES)
    document = load(parsed.document, is_quiet=True)  # its notices are among the findings
    operation = _operation(document, parsed.operation) if parsed.operation else None
    samples: list[Sample] = []
    for file in parsed.samples:
        samples += _samples(file, operation)
    audit = gate.apply(audit_document(document, samples))
    print_report(audit, parsed.format)
    return gate.exit_code(audit)


def _samples(file: str, operation: Operation | None) -> tuple[Sample, ...]:
    from fauxlab_contract.audit.samples import read_samples
    from fauxlab_contract.core.strict_json import WireError

    data = _read(file)
    if IS_DOCUMENT(data):
        raise UsageError(
            f"{file} is an OpenAPI document, and no sample; DOCUMENT stands before --samples, or"
            " behind another option"
        )
    try:
        return read_samples(data, file, operation)
    except WireError as error:
        raise UsageError(_with_place(file, error)) from None


def add_diff(commands: Commands) -> None:
    """Add `fauxlab diff`."""
    parser = add_command(
        commands,
        "diff",
        _diff,
        "report what changes for clients between two documents",
        example="diff old.yaml new.yaml",
    )
    parser.add_argument("old", metavar="OLD", help="OpenAPI document that clients were written for")
    parser.add_argument("new", metavar="NEW", help="OpenAPI document that these clients will meet")
    add_gate(parser, "error", "OPERATION", EFFECTS)
    add_format(parser)


def _diff(parsed: argparse.Namespace) -> int:
    from fauxlab_contract.diff.kinds import KINDS
    from fauxlab_contract.diff.report import compare_documents
    from fauxlab_contract.openapi.document import DocumentError

    gate = Gate(parsed, KINDS)
    old = load(parsed.old, is_quiet=True)
    new = load(parsed.new, is_quiet=True)
    try:
        diff = gate.apply(compare_documents(old, new))
    except DocumentError as error:
        raise UsageError(str(error)) from None
    print_report(diff, parsed.format)
    return gate.exit_code(diff)
