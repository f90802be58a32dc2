"""Sample bodies against a document: which operation each belongs to, and each contradiction between
the two, in words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fauxlab_contract.audit.rules import Defect, Defects
from fauxlab_contract.core.secrets import in_words
from fauxlab_contract.core.strict_json import WireError, read_json
from fauxlab_contract.core.violation import Violation, dotted, pointer_to
from fauxlab_contract.openapi.document import Document
from fauxlab_contract.openapi.operation import Operation
from fauxlab_contract.openapi.schema import (
    properties_at,
    properties_of,
    required_of,
    resolve,
    target_of,
)
from fauxlab_contract.validation.bodies import (
    coerce_request,
    request_violations,
    response_violations,
)

__all__ = ["Sample", "read_samples", "sample_defects", "samples_inside"]


@dataclass(frozen=True, slots=True)
class Sample:
    """One body and where it stands. `operation` is the one that it was said to belong to, if that
    was said.
    """

    place: str
    body: Any
    operation: Operation | None = None


def read_samples(data: bytes, name: str, operation: Operation | None = None) -> tuple[Sample, ...]:
    """The bodies of the file `name`: one JSON value, a list of bodies, or one body on each line.
    Raises WireError.
    """
    try:
        value = read_json(data)
    except WireError as error:
        lines = [
            (number, line) for number, line in enumerate(data.split(b"\n"), start=1) if line.strip()
        ]
        if error.rule != "json" or len(lines) < 2 or not _is_json(lines[0][1]):
            raise
        return tuple(
            Sample(f"{name}:{number}#", _line(line, number), operation) for number, line in lines
        )
    if isinstance(value, list):
        return tuple(Sample(f"{name}#/{i}", body, operation) for i, body in enumerate(value))
    return (Sample(f"{name}#", value, operation),)


def _is_json(line: bytes) -> bool:
    try:
        read_json(line)
    except WireError:
        return False
    return True


def _line(line: bytes, number: int) -> Any:
    try:
        return read_json(line)
    except WireError as error:
        raise WireError(error.rule, f"line {number}: {error}") from None


def samples_inside(document: Document) -> Iterator[Sample]:
    """The bodies that a document itself brings: `x-fauxlab: {samples: […]}` beside the schema of a
    request.
    """
    for operation in document.operations:
        body, pointer = resolve(
            document.tree,
            target_of(document.tree, "#" + operation.pointer).get("requestBody"),
            operation.pointer + "/requestBody",
        )
        for name, media in (body.get("content") or {}).items() if isinstance(body, dict) else ():
            extension = media.get("x-fauxlab")
            bodies = extension.get("samples") if isinstance(extension, dict) else None
            for i, sample in enumerate(bodies if isinstance(bodies, list) else ()):
                yield Sample(
                    f"{pointer}/content{pointer_to([name])}/x-fauxlab/samples/{i}",
                    sample,
                    operation,
                )


def sample_defects(document: Document, samples: Sequence[Sample]) -> Defects:
    """Every contradiction between a document and samples of its requests and replies."""
    for sample in samples:
        operations = (sample.operation,) if sample.operation else document.operations
        views = [
            view for operation in operations for view in _views(document, operation, sample.body)
        ]
        best = max(views, key=lambda view: view.fit(sample.body), default=None)
        if best and (sample.operation or best.fit(sample.body)[0] or not best.violations):
            yield from _defects(document, best, sample)
        else:
            yield Defect(
                "sample-not-placed",
                "",
                "No operation declares anything in this body.",
                sample.place,
            )


@dataclass(frozen=True, slots=True)
class _View:
    """A body taken as the request or as a reply of one operation. `pointer` leads to the schema
    that judges it.
    """

    operation: Operation
    is_request: bool
    pointer: str
    declared: frozenset[str]
    required: frozenset[str]
    violations: tuple[Violation, ...]

    @property
    def name(self) -> str:
        return f"{'request' if self.is_request else 'reply'} of {self.operation.name}"

    def fit(self, body: Any) -> tuple[bool, int, int]:
        """How well it fits: it knows a member at all; the more members are declared and the fewer
        missing; the fewer violations.
        """
        names = frozenset(body if isinstance(body, dict) else ())
        known = self.declared & names
        return bool(known), len(known) - len(self.required - names), -len(self.violations)


def _views(document: Document, operation: Operation, body: Any) -> Iterator[_View]:
    request, reply = operation.request, operation.reply
    if request:
        declared, required = frozenset(request.properties), frozenset(request.required)
        yield _View(
            operation,
            True,
            request.pointer,
            declared,
            required,
            request_violations(operation, body),
        )
    if reply is None:
        return
    word = body.get(operation.conventions.fields.status) if isinstance(body, dict) else None
    variant = operation.variants.get(word) if isinstance(word, str) else None
    violations = response_violations(operation, body)
    if variant:
        yield _View(
            operation,
            False,
            variant.pointer,
            frozenset(variant.properties),
            frozenset(variant.required),
            violations,
        )
    else:
        schema, pointer = resolve(document.tree, operation.reply_schema, reply.pointer)
        declared = frozenset(properties_of(document.tree, schema)).union(
            *(other.properties for other in operation.variants.values())
        )
        yield _View(
            operation,
            False,
            pointer,
            declared,
            frozenset(required_of(document.tree, schema)),
            violations,
        )


def _defects(document: Document, view: _View, sample: Sample) -> Defects:
    taken = _taken_by_coerce(view, sample.body)
    for violation in view.violations:
        rule, text = _told(view, sample.body, violation)
        if view.is_request:
            text += (
                " --validation strict"
                f" {'refuses it, coerce takes it' if violation in taken else 'and coerce refuse it'}."
            )
        yield Defect(
            rule, _declaration(document, view, violation), text, sample.place + violation.pointer
        )
    told = {violation.pointer for violation in view.violations}
    for name in sample.body if isinstance(sample.body, dict) and view.declared else ():
        if name not in view.declared and pointer_to([name]) not in told:
            yield Defect(
                "sample-undeclared",
                view.pointer,
                f"{name} is no field of the {view.name}.",
                sample.place + pointer_to([name]),
            )


def _taken_by_coerce(view: _View, body: Any) -> frozenset[Violation]:
    """The violations that are gone once the body was read as the live API reads it."""
    if not view.is_request or not isinstance(body, dict):
        return frozenset()
    left = {
        violation.pointer
        for violation in request_violations(
            view.operation, coerce_request(view.operation, body, seed=1)
        )
    }
    return frozenset(violation for violation in view.violations if violation.pointer not in left)


def _told(view: _View, body: Any, violation: Violation) -> tuple[str, str]:
    """(rule, sentence) of one contradiction."""
    text = f"{in_words((violation,))} {violation.hint}".strip()
    if violation.keyword != "type" or not view.is_request:
        return "sample-violation", text
    name, value = violation.field or "The body", _value_at(body, violation.pointer)
    wanted = (
        violation.expected
        if isinstance(violation.expected, str)
        else " or ".join(violation.expected)
    )
    if value is None and name in view.required:
        return (
            "sample-null-for-required",
            f"{name}: the document says {wanted} and requires the field, the sample sends null.",
        )
    if value is None:
        return "sample-null", f"{name}: the document says {wanted}, the sample sends null."
    if isinstance(value, str) and violation.hint.startswith("Send the number"):
        return (
            "sample-number-as-text",
            f"{name}: the document says {wanted}, the sample sends {violation.found}.",
        )
    return "sample-violation", text


def _value_at(body: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        body = body[
            int(part) if isinstance(body, list) else part.replace("~1", "/").replace("~0", "~")
        ]
    return body


def _declaration(document: Document, view: _View, violation: Violation) -> str:
    """Where the document declares the field; the schema of the body when it does not."""
    first = violation.pointer.split("/")[1:2]
    places = properties_at(document.tree, {"$ref": "#" + view.pointer}, view.pointer)
    return (
        places[dotted("/" + first[0])][1]
        if first and dotted("/" + first[0]) in places
        else view.pointer
    )
