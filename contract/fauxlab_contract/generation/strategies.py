"""Hypothesis strategies for the requests of an operation, derived from its schema.

`valid_requests(operation, key="k")` draws bodies that keep the contract, with the edges of every
bound among them. `invalid_requests(operation, key="k")` draws bodies that break exactly one rule,
labelled with it. `boundary_requests` is the finite list of the same edges.

Every body keeps the limits of `read_json`. Fields that are given by name have that value in every
body, and are never broken.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from fauxlab_contract.core.pointers import pointer_to
from fauxlab_contract.core.strict_json import INT64_MAX, INT64_MIN
from fauxlab_contract.generation.boundaries import RequestCase, boundary_requests, breaks_alone
from fauxlab_contract.generation.drawing import CHARACTERS, found, values_of
from fauxlab_contract.generation.nested import all_values
from fauxlab_contract.generation.shapes import NoValueError, kinds_of, shape_of
from fauxlab_contract.generation.smallest import (
    RequestFields,
    branches_of,
    fields_of,
    has_valid_body,
    integers_in,
    required_names,
    smallest_request,
)
from fauxlab_contract.generation.values import (
    URIS,
    WEBHOOKS,
    Value,
    bound_values,
    judged,
)
from fauxlab_contract.openapi.operation import Operation
from fauxlab_contract.openapi.schema import Schema

__all__ = [
    "NoValueError",
    "RequestCase",
    "boundary_requests",
    "invalid_requests",
    "valid_requests",
]

# keywords that the strategies keep, and those that forbid nothing
_SIMPLE = {
    "type", "minimum", "maximum", "enum",
    "title", "description", "default", "example", "examples", "deprecated", "x-source",
}  # fmt: skip
# those of a request as a whole that the strategies keep
_PLAIN_BODY = {
    "type", "properties", "required", "additionalProperties", "$ref",
    "title", "description", "default", "example", "examples", "deprecated", "$schema",
}  # fmt: skip
_TEXT = st.text(CHARACTERS, max_size=40)


def valid_requests(operation: Operation, **fixed: Any) -> st.SearchStrategy[RequestFields]:
    """Draw bodies that keep the contract: every required field, and any of the others.

    `fixed` fields have the values that are given. Raise NoValueError if no valid body can be made.
    """
    fields, always = fields_of(operation, fixed), required_names(operation)
    elsewhere = _other_shapes(operation)
    if not has_valid_body(operation, smallest_request(operation, **fixed)):
        raise NoValueError(f"{operation.name}: no valid body could be made")
    drawn = []
    # the required ones first
    for name in sorted(fields, key=lambda name: name not in always):
        if name in always or name not in elsewhere:
            is_required = name in always
            try:
                field = _drawn(operation, name, fields[name], is_required=is_required)
            except NoValueError:  # a field that may be left out, and has to be
                if is_required:
                    raise
            else:
                drawn.append(field)
    bodies = _bodies(dict(fixed), drawn).map(partial(integers_in, operation))
    if operation.request and not _is_plain(operation):
        return bodies.filter(operation.request.check.is_valid)
    return bodies


def _is_plain(operation: Operation) -> bool:
    """Return True if fields that are valid one by one are valid together."""
    if operation.request is None:
        return True
    keywords = operation.request.schema.keywords
    unknown = {name for name in keywords if name not in _PLAIN_BODY and not name.startswith("x-")}
    return not unknown


@dataclass(frozen=True, slots=True)
class _Drawn:
    """How a field is drawn: from `choices` (absent, an edge, anything), then from `between`."""

    name: str
    choices: st.SearchStrategy[Any] | None
    between: st.SearchStrategy[Any]


_ABSENT, _ANYTHING = object(), object()


def _drawn(operation: Operation, name: str, schema: Schema, *, is_required: bool) -> _Drawn:
    """Draw edges as often as absence and anything together; one choice per field is fast.

    Raise NoValueError if the field has no value.
    """
    edges = [edge for edge in judged(schema, _edges(operation, name, schema)) if not edge.keyword]
    share = max(1, len(edges) // 2)
    absent = [] if is_required else [_ABSENT] * share
    anything = [_ANYTHING] * share
    choices = [*absent, *anything, *(edge.value for edge in edges)]
    choice = st.sampled_from(choices) if len(choices) > 1 else None
    return _Drawn(name, choice, _between(operation, name, schema))


def _edges(operation: Operation, name: str, schema: Schema) -> Iterator[Value]:
    keywords = shape_of(schema).keywords
    kinds = kinds_of(keywords)
    if "array" in kinds or "object" in kinds:
        yield from all_values(operation, name, schema)
    for kind in kinds:
        yield from bound_values({**keywords, "type": kind})


@st.composite
def _bodies(draw: st.DrawFn, fixed: RequestFields, fields: list[_Drawn]) -> RequestFields:
    body = dict(fixed)
    for field in fields:
        value = _ANYTHING if field.choices is None else draw(field.choices)
        if value is not _ABSENT:
            body[field.name] = draw(field.between) if value is _ANYTHING else value
    return body


def _other_shapes(operation: Operation) -> set[str]:
    """Return the fields that only other alternatives than the first require."""
    others = {name for branch in branches_of(operation)[1:] for name in branch.required}
    return others - set(required_names(operation))


def _between(operation: Operation, name: str, schema: Schema) -> st.SearchStrategy[Any]:
    """Draw any valid value of one field. Raise NoValueError if there is none."""
    keywords = schema.keywords
    if name == operation.conventions.fields.key and not keywords.keys() - _SIMPLE:
        return st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=4, max_size=24)
    if name == operation.conventions.fields.webhook:
        return _some_of(schema, WEBHOOKS)
    if keywords.get("type") == "string" and keywords.get("format") == "uri":
        return _some_of(schema, URIS)
    if schema.value is not False and not keywords:  # anything goes
        return st.just({})
    try:
        drawn = values_of(schema)
        drawn.validate()
    except InvalidArgument:  # such as minimum 10 and maximum 1
        raise NoValueError(f"{schema.pointer}: there is no valid value") from None
    if keywords.keys() - _SIMPLE or kinds_of(keywords) == []:
        found(schema)  # something that the strategy may not know of
        return drawn.filter(schema.validator.is_valid)
    return drawn


def _some_of(schema: Schema, values: tuple[str, ...]) -> st.SearchStrategy[Any]:
    valid = [value for value in values if schema.validator.is_valid(value)]
    return st.sampled_from(valid) if valid else st.just(found(schema))


def invalid_requests(operation: Operation, **fixed: Any) -> st.SearchStrategy[RequestCase]:
    """Draw bodies with one broken rule: a field is missing or has a value past a bound.

    Raise NoValueError if no rule can be broken alone, or no valid body can be made.
    """
    faults = [
        fault
        for name, schema in fields_of(operation, fixed).items()
        for fault in _faults(operation, name, schema)
    ]
    valid = valid_requests(operation, **fixed)
    if not faults:
        raise NoValueError(f"{operation.name}: a body can break no rule of the document")
    cases = st.sampled_from(faults).flatmap(valid.flatmap)
    return cases if _is_plain(operation) else cases.filter(partial(_is_fault, operation))


def _is_fault(operation: Operation, case: RequestCase) -> bool:
    return case.keyword == "webhook" or breaks_alone(operation, case)


_Fault = Callable[[RequestFields], st.SearchStrategy[RequestCase]]


def _faults(operation: Operation, name: str, schema: Schema) -> Iterator[_Fault]:
    """Yield what turns a valid body into one that breaks a rule of the field `name`."""
    if operation.request and name in operation.request.required:
        yield partial(_without, name)
    by_rule: dict[tuple[str, str], list[Any]] = {}
    for value in judged(schema, all_values(operation, name, schema)):
        if value.keyword:
            by_rule.setdefault((value.place, value.keyword), []).append(value.value)
    for (place, keyword), values in by_rule.items():
        further = [] if place else _beyond(shape_of(schema).keywords, keyword)
        if schema.keywords.keys() - _SIMPLE:
            breaks = partial(_breaks_only, schema, keyword)
            further = [strategy.filter(breaks) for strategy in further]
        listed = st.sampled_from(values)
        yield _broken(name, place, keyword, st.one_of(listed, *further))


def _without(name: str, body: RequestFields) -> st.SearchStrategy[RequestCase]:
    rest = {other: value for other, value in body.items() if other != name}
    case = RequestCase(f"{name} missing", rest, pointer_to([name]), "required")
    return st.just(case)


def _breaks_only(schema: Schema, keyword: str, value: Any) -> bool:
    violations = schema.validator.violations(value)
    broken = [(violation.pointer, violation.keyword) for violation in violations]
    return broken == [("", keyword)]


def _broken(name: str, place: str, keyword: str, values: st.SearchStrategy[Any]) -> _Fault:
    label, pointer = f"{name} {keyword}", pointer_to([name]) + place
    return lambda body: values.map(
        lambda value: RequestCase(label, {**body, name: value}, pointer, keyword)
    )


def _beyond(keywords: Mapping[str, Any], keyword: str) -> list[st.SearchStrategy[Any]]:
    """Return strategies for further values that break `keyword`: past a bound, or of a wrong type.

    `[]` for a keyword that stands in a part of the schema, such as an allOf.
    """
    is_whole = keywords.get("type") == "integer"
    match keyword:
        case "type" if keywords.get("type") != "string" and "enum" not in keywords:
            return [_TEXT]
        case "maximum" | "exclusiveMaximum" if keyword in keywords:
            high = keywords[keyword]
            if not is_whole:
                return [st.floats(high, 1e300, exclude_min=keyword == "maximum")]
            least = math.floor(high) + 1
            return [st.integers(least, INT64_MAX)] if least <= INT64_MAX else []
        case "minimum" | "exclusiveMinimum" if keyword in keywords:
            low = keywords[keyword]
            if not is_whole:
                return [st.floats(-1e300, low, exclude_max=keyword == "minimum")]
            most = math.ceil(low) - 1
            return [st.integers(INT64_MIN, most)] if most >= INT64_MIN else []
    return []
