"""Sample bodies against a document: the operation of each, and what contradicts the document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fauxlab_contract.audit.rules import Defect, Defects
from fauxlab_contract.core.pointers import parts_of, pointer_to, value_at
from fauxlab_contract.core.secrets import in_words
from fauxlab_contract.core.strict_json import WireError, read_json
from fauxlab_contract.core.text import must_be
from fauxlab_contract.core.violation import Violation
from fauxlab_contract.openapi.document import Document
from fauxlab_contract.openapi.operation import Operation
from fauxlab_contract.openapi.schema import Schema
from fauxlab_contract.validation.bodies import (
    coerce_request,
    request_violations,
    response_violations,
)

__all__ = ["Sample", "check_samples", "read_samples", "sample_defects", "samples_inside"]


@dataclass(frozen=True, slots=True)
class Sample:
    """One body and where it stands; `operation` is what it belongs to, None where nobody said."""

    place: str
    body: Any
    operation: Operation | None = None


def read_samples(data: bytes, name: str, operation: Operation | None = None) -> tuple[Sample, ...]:
    """Read the bodies of the file `name`. Raise WireError.

    `data` is one body, a list of bodies, or one body on each line.
    """
    try:
        value = read_json(data)
    except WireError as error:
        numbered = enumerate(data.split(b"\n"), start=1)
        lines = [(number, line) for number, line in numbered if line.strip()]
        if error.rule != "json" or len(lines) < 2:
            raise
        _, first_line = lines[0]
        if not _is_json(first_line):
            raise
        samples = []
        for number, line in lines:
            body = _line(line, number)
            samples.append(Sample(f"{name}:{number}#", body, operation))
        return tuple(samples)
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


def check_samples(samples: Iterable[Sample]) -> list[Sample]:
    """Return the samples; raise TypeError for other bodies, such as plain objects."""
    __tracebackhide__ = True
    found = list(samples)
    for item in [samples] if isinstance(samples, Mapping) else found:
        if not isinstance(item, Sample):
            wanted = 'a list of what read_samples returns, or of Sample("a name for it", body)'
            raise TypeError(must_be("samples", wanted, item))
    return found


def samples_inside(document: Document) -> Iterator[Sample]:
    """Yield the bodies in `x-fauxlab: {samples: […]}` beside the schemas of requests."""
    for operation in document.operations:
        body = document.at(operation.pointer).member("requestBody").resolved
        for _, media in body.member("content").members():
            for node in media.member("x-fauxlab").member("samples").items():
                yield Sample(node.pointer, node.value, operation)


def sample_defects(document: Document, samples: Sequence[Sample]) -> Defects:
    """Yield every contradiction between a document and samples of its requests and replies."""
    for sample in samples:
        operations = (sample.operation,) if sample.operation else document.operations
        views = [view for operation in operations for view in _views(operation, sample.body)]
        best = max(views, key=lambda view: view.fit(sample.body), default=None)
        if best and (sample.operation or best.fit(sample.body)[0] or not best.violations):
            yield from _defects(best, sample)
        else:
            message = "No operation declares anything in this body."
            yield Defect("sample-not-placed", "", message, sample.place)


@dataclass(frozen=True, slots=True)
class _View:
    """A body taken as the request or as a reply of one operation; `schema` judges it."""

    operation: Operation
    is_request: bool
    schema: Schema
    declared: frozenset[str]
    required: frozenset[str]
    violations: tuple[Violation, ...]

    @property
    def name(self) -> str:
        side = "request" if self.is_request else "reply"
        return f"{side} of {self.operation.name}"

    def fit(self, body: Any) -> tuple[bool, int, int]:
        """Return how well the body fits, best last.

        First of all a member is declared; then many are declared and few missing; then there are
        few violations.
        """
        names = frozenset(body if isinstance(body, dict) else ())
        known, missing = self.declared & names, self.required - names
        return bool(known), len(known) - len(missing), -len(self.violations)


def _error_views(operation: Operation, body: Any) -> Iterator[_View]:
    """Yield the body as a reply of each code that has a schema of its own."""
    for codes, reply in operation.replies.items():
        if reply.schema is None or reply.check is None or codes == operation.success:
            continue
        schema = reply.schema.resolved
        yield _View(
            operation,
            is_request=False,
            schema=schema,
            declared=frozenset(schema.properties),
            required=frozenset(schema.required),
            violations=reply.check.violations(body),
        )


def _views(operation: Operation, body: Any) -> Iterator[_View]:
    if request := operation.request:
        yield _View(
            operation,
            is_request=True,
            schema=request.schema,
            declared=frozenset(request.properties),
            required=frozenset(request.required),
            violations=request_violations(operation, body),
        )
    yield from _error_views(operation, body)
    if operation.reply_schema is None:
        return
    word = body.get(operation.conventions.fields.status) if isinstance(body, dict) else None
    variant = operation.variants.get(word) if isinstance(word, str) else None
    if variant:
        schema, required = variant.schema, variant.required
        declared = frozenset(variant.properties)
    else:
        schema = operation.reply_schema.resolved
        required = schema.required
        members = [variant.properties for variant in operation.variants.values()]
        declared = frozenset(schema.properties).union(*members)
    yield _View(
        operation,
        is_request=False,
        schema=schema,
        declared=declared,
        required=frozenset(required),
        violations=response_violations(operation, body),
    )


def _defects(view: _View, sample: Sample) -> Defects:
    coerced = _taken_by_coerce(view, sample.body)
    for violation in view.violations:
        rule, text = _contradiction(view, sample.body, violation)
        if view.is_request:
            taken = (
                "refuses it, coerce takes it" if violation in coerced else "and coerce refuse it"
            )
            text += f" --validation strict {taken}."
        place = sample.place + violation.pointer
        yield Defect(rule, _declaration(view.schema, violation), text, place)
    if not isinstance(sample.body, dict) or not view.declared:
        return
    broken = {violation.pointer for violation in view.violations}
    for name in sample.body:
        pointer = pointer_to([name])
        if name not in view.declared and pointer not in broken:
            message = f"{name} is not a field of the {view.name}."
            place = sample.place + pointer
            yield Defect("sample-undeclared", view.schema.pointer, message, place, name)


def _taken_by_coerce(view: _View, body: Any) -> frozenset[Violation]:
    """Return the violations that are gone once the body was read as the live API reads it."""
    if not view.is_request or not isinstance(body, dict):
        return frozenset()
    coerced = coerce_request(view.operation, body, seed=1)
    left = {violation.pointer for violation in request_violations(view.operation, coerced)}
    return frozenset(violation for violation in view.violations if violation.pointer not in left)


def _contradiction(view: _View, body: Any, violation: Violation) -> tuple[str, str]:
    """Return (rule, sentence)."""
    text = f"{in_words((violation,))} {violation.hint}".strip()
    if violation.keyword != "type" or not view.is_request:
        return "sample-violation", text
    name = violation.field or "The body"
    value = value_at(body, violation.pointer)
    expected = violation.expected
    wanted = expected if isinstance(expected, str) else " or ".join(expected)
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


def _declaration(schema: Schema, violation: Violation) -> str:
    """Return where the schema declares the field; the place of the schema where it does not."""
    declared = schema.properties
    for name in parts_of(violation.pointer)[:1]:
        if name in declared:
            return declared[name].pointer
    return schema.pointer
