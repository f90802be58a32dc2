"""Hypothesis strategies and boundary cases for the requests of an operation, derived from its
schema.

    valid_requests(operation, key="k")      bodies that keep the contract; edges of every bound are
    really drawn boundary_requests(operation, key="k")   a finite list: both sides of every bound,
    type neighbours, missing fields, formats invalid_requests(operation, key="k")    bodies that
    break exactly one rule, labelled with it

Every value fits what may travel (`wire.py`). Fields that are given by name are fixed in every body
and never broken.
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
    checker_of,
    fields_of,
    judged,
    listed_values,
    range_of,
    required_names,
    tree_of,
)
from fauxlab_contract.openapi.operation import Operation
from fauxlab_contract.openapi.sample import sample
from fauxlab_contract.openapi.schema import required_of
from fauxlab_contract.openapi.validator import SchemaValidator

__all__ = ["RequestCase", "boundary_requests", "invalid_requests", "valid_requests"]

_SIMPLE = {
    "type",
    "minimum",
    "maximum",
    "enum",
    "title",
    "description",
    "default",
    "example",
    "examples",
    "deprecated",
    "x-source",
}
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def valid_requests(operation: Operation, **fixed: Any) -> st.SearchStrategy[RequestFields]:
    """Bodies that keep the contract: every required field, and any of the others. `fixed` fields
    have those values.
    """
    fields, always, elsewhere = (
        fields_of(operation, fixed),
        required_names(operation),
        _other_shapes(operation),
    )
    required = [name for name in fields if name in always]
    optional = [name for name in fields if name not in always and name not in elsewhere]
    drawn = [
        _drawn(operation, name, fields[name], is_required=name in required)
        for name in (*required, *optional)
    ]
    bodies = _bodies(dict(fixed), drawn)
    return (
        bodies.filter(operation.request.check.is_valid)
        if operation.request and branches_of(operation)
        else bodies
    )


@dataclass(frozen=True, slots=True)
class _Drawn:
    """How a field is drawn: first one of `choices` (absent, an edge, or anything), then anything
    from `between`.
    """

    name: str
    choices: st.SearchStrategy[Any] | None
    between: st.SearchStrategy[Any]


_ABSENT, _ANYTHING = object(), object()


def _drawn(operation: Operation, name: str, schema: Any, *, is_required: bool) -> _Drawn:
    """One choice per field is what makes this fast. Edges are as likely as absence and anything
    together.
    """
    schema = schema if isinstance(schema, dict) else {}
    edges = [edge for edge in judged(operation, schema, bound_values(schema)) if not edge.keyword]
    share = max(1, len(edges) // 2)
    choices = [
        *([] if is_required else [_ABSENT] * share),
        *[_ANYTHING] * share,
        *(edge.value for edge in edges),
    ]
    between = _between(operation, name, schema)
    if schema.keys() - _SIMPLE:  # something that the strategy knows nothing of
        between = between.filter(checker_of(operation, schema).is_valid)
    return _Drawn(name, st.sampled_from(choices) if len(choices) > 1 else None, between)


@st.composite
def _bodies(draw: st.DrawFn, fixed: RequestFields, fields: list[_Drawn]) -> RequestFields:
    body = dict(fixed)
    for field in fields:
        value = _ANYTHING if field.choices is None else draw(field.choices)
        if value is not _ABSENT:
            body[field.name] = draw(field.between) if value is _ANYTHING else value
    return body


def _other_shapes(operation: Operation) -> set[str]:
    """Fields that belong to another alternative than the first."""
    others = {
        name
        for branch in branches_of(operation)[1:]
        for name in required_of(tree_of(operation), branch)
    }
    return others - set(required_names(operation))


def _between(operation: Operation, name: str, schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Any valid value of one field."""
    if name == operation.conventions.fields.key:
        return st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=4, max_size=24)
    if name == operation.conventions.fields.webhook:
        return st.sampled_from(WEBHOOKS)
    if "enum" in schema:
        return st.sampled_from(listed_values(schema))
    if "const" in schema:
        return st.just(schema["const"])
    match schema.get("type"):
        case "integer":
            low, high = range_of(schema)
            step = schema.get("multipleOf", 1)
            if type(step) is int:
                return st.integers(-(-math.ceil(low) // step), math.floor(high) // step).map(
                    step.__mul__
                )
            return st.integers(math.ceil(low), math.floor(high))
        case "number":
            low, high = range_of(schema)
            return st.floats(
                low,
                high,
                exclude_min="exclusiveMinimum" in schema,
                exclude_max="exclusiveMaximum" in schema,
            )
        case "boolean":
            return st.booleans()
        case "string" if schema.get("format") == "uri":
            return st.sampled_from(URIS)
        case "string" if "pattern" not in schema and "format" not in schema:
            least = schema.get("minLength", 0)
            return st.text(
                st.characters(exclude_categories=["Cs"]),
                min_size=least,
                max_size=min(schema.get("maxLength", least + 40), least + 40),
            )
    return st.just(sample(tree_of(operation), schema))


def invalid_requests(operation: Operation, **fixed: Any) -> st.SearchStrategy[RequestCase]:
    """Bodies with exactly one broken rule: a valid body in which one field is missing or has a
    value past a bound.
    """
    faults = [
        fault
        for name, schema in fields_of(operation, fixed).items()
        for fault in _faults(operation, name, schema)
    ]
    valid = valid_requests(operation, **fixed)
    return st.sampled_from(faults).flatmap(valid.flatmap)


_Fault = Callable[[RequestFields], st.SearchStrategy[RequestCase]]


def _faults(operation: Operation, name: str, schema: Any) -> Iterator[_Fault]:
    schema = schema if isinstance(schema, dict) else {}
    if operation.request and name in operation.request.required:
        yield lambda body: st.just(
            RequestCase(
                f"{name} missing",
                {k: v for k, v in body.items() if k != name},
                f"/{name}",
                "required",
            )
        )
    by_keyword: dict[str, list[Any]] = {}
    for value in judged(operation, schema, all_values(operation, name, schema)):
        if value.keyword:
            by_keyword.setdefault(value.keyword, []).append(value.value)
    for keyword, values in by_keyword.items():
        further = _beyond(schema, keyword)
        if schema.keys() - _SIMPLE:
            breaks = partial(_breaks_only, checker_of(operation, schema), keyword)
            further = [strategy.filter(breaks) for strategy in further]
        yield _broken(name, keyword, st.one_of(st.sampled_from(values), *further))


def _breaks_only(check: SchemaValidator, keyword: str, value: Any) -> bool:
    return [violation.keyword for violation in check.violations(value)] == [keyword]


def _broken(name: str, keyword: str, values: st.SearchStrategy[Any]) -> _Fault:
    return lambda body: values.map(
        lambda value: RequestCase(f"{name} {keyword}", {**body, name: value}, f"/{name}", keyword)
    )


def _beyond(schema: Mapping[str, Any], keyword: str) -> list[st.SearchStrategy[Any]]:
    """Further values on the wrong side of a bound, and further values of a wrong type."""
    whole = schema.get("type") == "integer"
    if keyword != "type" and keyword not in schema:
        return []  # a rule of a part of the schema
    if keyword in ("maximum", "exclusiveMaximum"):
        high = schema[keyword]
        if whole:
            least = math.floor(high) + 1
            return [st.integers(least, INT64_MAX)] if least <= INT64_MAX else []
        return [st.floats(high, 1e300, exclude_min=keyword == "maximum")]
    if keyword in ("minimum", "exclusiveMinimum"):
        low = schema[keyword]
        if whole:
            most = math.ceil(low) - 1
            return [st.integers(INT64_MIN, most)] if most >= INT64_MIN else []
        return [st.floats(-1e300, low, exclude_max=keyword == "minimum")]
    if keyword == "type" and schema.get("type") != "string" and "enum" not in schema:
        return [_TEXT]
    return []
