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

from fauxlab_contract.core.strict_json import INT64_MAX, INT64_MIN
from fauxlab_contract.generation.boundaries import (
    URIS,
    WEBHOOKS,
    RequestCase,
    RequestFields,
    all_values,
    bound_values,
    boundary_requests,
    branches_of,
    fields_of,
    judged,
    listed_values,
    multiples_of,
    range_of,
    required_names,
)
from fauxlab_contract.openapi.operation import Operation
from fauxlab_contract.openapi.sample import sample
from fauxlab_contract.openapi.schema import Schema

__all__ = ["RequestCase", "boundary_requests", "invalid_requests", "valid_requests"]

# keywords that the strategies keep, and those that forbid nothing
_SIMPLE = {
    "type", "minimum", "maximum", "enum",
    "title", "description", "default", "example", "examples", "deprecated", "x-source",
}  # fmt: skip
_CHARACTERS = st.characters(exclude_categories=["Cs"])
_TEXT = st.text(_CHARACTERS, max_size=40)


def valid_requests(operation: Operation, **fixed: Any) -> st.SearchStrategy[RequestFields]:
    """Draw bodies that keep the contract: every required field, and any of the others.

    `fixed` fields have the values that are given.
    """
    fields, always = fields_of(operation, fixed), required_names(operation)
    elsewhere = _other_shapes(operation)
    required = [name for name in fields if name in always]
    optional = [name for name in fields if name not in always and name not in elsewhere]
    drawn = [
        *(_drawn(operation, name, fields[name], is_required=True) for name in required),
        *(_drawn(operation, name, fields[name], is_required=False) for name in optional),
    ]
    bodies = _bodies(dict(fixed), drawn)
    if operation.request and branches_of(operation):
        return bodies.filter(operation.request.check.is_valid)
    return bodies


@dataclass(frozen=True, slots=True)
class _Drawn:
    """How a field is drawn: from `choices` (absent, an edge, anything), then from `between`."""

    name: str
    choices: st.SearchStrategy[Any] | None
    between: st.SearchStrategy[Any]


_ABSENT, _ANYTHING = object(), object()


def _drawn(operation: Operation, name: str, schema: Schema, *, is_required: bool) -> _Drawn:
    """Draw edges as often as absence and anything together; one choice per field is fast."""
    bounds = judged(schema, bound_values(schema.keywords))
    edges = [edge for edge in bounds if not edge.keyword]
    share = max(1, len(edges) // 2)
    absent = [] if is_required else [_ABSENT] * share
    anything = [_ANYTHING] * share
    choices = [*absent, *anything, *(edge.value for edge in edges)]
    between = _between(operation, name, schema)
    if schema.keywords.keys() - _SIMPLE:  # something that the strategy knows nothing of
        between = between.filter(schema.validator.is_valid)
    choice = st.sampled_from(choices) if len(choices) > 1 else None
    return _Drawn(name, choice, between)


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
    """Draw any valid value of one field."""
    keywords = schema.keywords
    if name == operation.conventions.fields.key:
        return st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=4, max_size=24)
    if name == operation.conventions.fields.webhook:
        return st.sampled_from(WEBHOOKS)
    if "enum" in keywords:
        return st.sampled_from(listed_values(schema))
    if "const" in keywords:
        return st.just(keywords["const"])
    match keywords.get("type"):
        case "integer":
            return _integers(keywords)
        case "number":
            return _floats(keywords)
        case "boolean":
            return st.booleans()
        case "string" if keywords.get("format") == "uri":
            return st.sampled_from(URIS)
        case "string" if "pattern" not in keywords and "format" not in keywords:
            least = keywords.get("minLength", 0)
            most = min(keywords.get("maxLength", least + 40), least + 40)
            return st.text(_CHARACTERS, min_size=least, max_size=most)
    return st.just(sample(schema))


def _integers(keywords: Mapping[str, Any]) -> st.SearchStrategy[int]:
    first, last, step = multiples_of(keywords)
    return st.integers(first, last).map(step.__mul__)


def _floats(keywords: Mapping[str, Any]) -> st.SearchStrategy[float]:
    low, high = range_of(keywords)
    exclude_min, exclude_max = "exclusiveMinimum" in keywords, "exclusiveMaximum" in keywords
    return st.floats(low, high, exclude_min=exclude_min, exclude_max=exclude_max)


def invalid_requests(operation: Operation, **fixed: Any) -> st.SearchStrategy[RequestCase]:
    """Draw bodies with one broken rule: a field is missing or has a value past a bound."""
    faults = [
        fault
        for name, schema in fields_of(operation, fixed).items()
        for fault in _faults(operation, name, schema)
    ]
    valid = valid_requests(operation, **fixed)
    return st.sampled_from(faults).flatmap(valid.flatmap)


_Fault = Callable[[RequestFields], st.SearchStrategy[RequestCase]]


def _faults(operation: Operation, name: str, schema: Schema) -> Iterator[_Fault]:
    """Yield what turns a valid body into one that breaks a rule of the field `name`."""
    if operation.request and name in operation.request.required:
        yield partial(_without, name)
    by_keyword: dict[str, list[Any]] = {}
    for value in judged(schema, all_values(operation, name, schema)):
        if value.keyword:
            by_keyword.setdefault(value.keyword, []).append(value.value)
    for keyword, values in by_keyword.items():
        further = _beyond(schema.keywords, keyword)
        if schema.keywords.keys() - _SIMPLE:
            breaks = partial(_breaks_only, schema, keyword)
            further = [strategy.filter(breaks) for strategy in further]
        listed = st.sampled_from(values)
        yield _broken(name, keyword, st.one_of(listed, *further))


def _without(name: str, body: RequestFields) -> st.SearchStrategy[RequestCase]:
    rest = {other: value for other, value in body.items() if other != name}
    case = RequestCase(f"{name} missing", rest, f"/{name}", "required")
    return st.just(case)


def _breaks_only(schema: Schema, keyword: str, value: Any) -> bool:
    violations = schema.validator.violations(value)
    return [violation.keyword for violation in violations] == [keyword]


def _broken(name: str, keyword: str, values: st.SearchStrategy[Any]) -> _Fault:
    label, pointer = f"{name} {keyword}", f"/{name}"
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
