"""Hypothesis strategies and boundary cases for the requests of an operation, derived from its schema.

    valid_requests(operation, key="k")      bodies that keep the contract; edges of every bound are really drawn
    boundary_requests(operation, key="k")   a finite list: both sides of every bound, type neighbours, missing fields, formats
    invalid_requests(operation, key="k")    bodies that break exactly one rule, labelled with it

Every value fits what may travel (`wire.py`). Fields that are given by name are fixed in every body and never broken.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from fauxlab_contract.checker import Checker
from fauxlab_contract.operation import Operation
from fauxlab_contract.sample import sample
from fauxlab_contract.schema import required_of, resolve
from fauxlab_contract.wire import INT64_MAX, INT64_MIN

__all__ = ["Case", "boundary_requests", "invalid_requests", "valid_requests"]

Body = dict[str, Any]
STEP = 0.01  # the finest step that people write for a number
_WEBHOOKS = ("http://127.0.0.1:9/hook", "https://example.com/hook?job=1", "http://localhost/")
_URIS = ("https://example.com/a", "http://127.0.0.1/", "urn:example:a")
_NOT_URIS = ("", "hook", "/hook", "not a uri", "https://example.com/a b", "https://example.com/\n", "http://[")
_NOT_WEBHOOKS = ("ftp://example.com/hook", "mailto:a@example.com", "http:///hook", "http://169.254.169.254/hook")
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@dataclass(frozen=True, slots=True)
class Case:
    """One request body. `pointer` and `keyword` name the rule that it breaks; both are empty for a body that keeps the contract."""

    label: str
    body: Mapping[str, Any]
    pointer: str = ""
    keyword: str = ""

    @property
    def is_valid(self) -> bool:
        return not self.keyword


@dataclass(frozen=True, slots=True)
class Value:
    """A value of one field for a case; `keyword` is the rule that it breaks, empty for none."""

    label: str
    value: Any
    keyword: str = ""


def valid_requests(operation: Operation, **fixed: Any) -> st.SearchStrategy[Body]:
    """Bodies that keep the contract: every required field, and any of the others. `fixed` fields have those values."""
    fields = _fields(operation, fixed)
    required = [name for name in fields if name in _required(operation)]
    optional = [name for name in fields if name not in required and name not in _other_shapes(operation)]
    drawn = [_drawn(operation, name, fields[name], is_required=name in required) for name in (*required, *optional)]
    bodies = _bodies(dict(fixed), drawn)
    return bodies.filter(operation.request.check.is_valid) if operation.request and _branches(operation) else bodies


@dataclass(frozen=True, slots=True)
class _Drawn:
    """How a field is drawn: first one of `choices` (absent, an edge, or anything), then anything from `between`."""

    name: str
    choices: st.SearchStrategy[Any] | None
    between: st.SearchStrategy[Any]


_ABSENT, _ANYTHING = object(), object()


def _drawn(operation: Operation, name: str, schema: Any, *, is_required: bool) -> _Drawn:
    """One choice per field is what makes this fast. Edges are as likely as absence and anything together."""
    schema = schema if isinstance(schema, dict) else {}
    edges = _unique([edge for edge in _bound_values(schema) if not edge.keyword])
    share = max(1, len(edges) // 2)
    choices = [*([] if is_required else [_ABSENT] * share), *[_ANYTHING] * share, *(edge.value for edge in edges)]
    return _Drawn(name, st.sampled_from(choices) if len(choices) > 1 else None, _between(operation, name, schema))


@st.composite
def _bodies(draw: st.DrawFn, fixed: Body, fields: list[_Drawn]) -> Body:
    body = dict(fixed)
    for field in fields:
        value = _ANYTHING if field.choices is None else draw(field.choices)
        if value is not _ABSENT:
            body[field.name] = draw(field.between) if value is _ANYTHING else value
    return body


def _fields(operation: Operation, fixed: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that are not fixed: name -> schema, references followed. Some documents require fields that they do not declare."""
    properties = {name: {} for name in _required(operation)} | dict(operation.request.properties if operation.request else {})
    return {name: resolve(_tree(operation), schema)[0] for name, schema in properties.items() if name not in fixed}


def _tree(operation: Operation) -> Mapping[str, Any]:
    return operation.request.check.root if operation.request else {}


def _branches(operation: Operation) -> list[Any]:
    """The alternatives of a request as a whole; empty for most."""
    tree = _tree(operation)
    return [resolve(tree, branch)[0] for keyword in ("oneOf", "anyOf") for branch in tree.get(keyword) or ()]


def _required(operation: Operation) -> tuple[str, ...]:
    """The required fields; of a request with alternatives, those of the first."""
    names = operation.request.required if operation.request else ()
    return (*names, *(required_of(_tree(operation), _branches(operation)[0]) if _branches(operation) else ()))


def _other_shapes(operation: Operation) -> set[str]:
    """Fields that belong to another alternative than the first."""
    others = {name for branch in _branches(operation)[1:] for name in required_of(_tree(operation), branch)}
    return others - set(_required(operation))


def _between(operation: Operation, name: str, schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Any valid value of one field."""
    if name == operation.conventions.fields.key:
        return st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=4, max_size=24)
    if name == operation.conventions.fields.webhook:
        return st.sampled_from(_WEBHOOKS)
    if "enum" in schema:
        return st.sampled_from(_listed(schema))
    match schema.get("type"):
        case "integer":
            low, high = _range(schema)
            return st.integers(math.ceil(low), math.floor(high))
        case "number":
            low, high = _range(schema)
            return st.floats(low, high, exclude_min="exclusiveMinimum" in schema, exclude_max="exclusiveMaximum" in schema)
        case "boolean":
            return st.booleans()
        case "string" if schema.get("format") == "uri":
            return st.sampled_from(_URIS)
        case "string" if "pattern" not in schema and "format" not in schema:
            least = schema.get("minLength", 0)
            return st.text(
                st.characters(exclude_categories=["Cs"]), min_size=least, max_size=min(schema.get("maxLength", least + 40), least + 40)
            )
    return st.just(sample(_tree(operation), schema))


def _listed(schema: Mapping[str, Any]) -> list[Any]:
    """The enum's values, without those that another keyword of the same schema forbids."""
    check = Checker({}, dict(schema), "")
    return [value for value in schema["enum"] if check.is_valid(value)]


def _range(schema: Mapping[str, Any]) -> tuple[float, float]:
    """(lowest, highest) value that a bounded or unbounded number may have; whole numbers fit into 64 bits."""
    whole = schema.get("type") == "integer"
    low = schema.get("minimum", schema.get("exclusiveMinimum", INT64_MIN if whole else -1e300))
    high = schema.get("maximum", schema.get("exclusiveMaximum", INT64_MAX if whole else 1e300))
    return low + (whole and "exclusiveMinimum" in schema), high - (whole and "exclusiveMaximum" in schema)


def _bound_values(schema: Mapping[str, Any]) -> Iterator[Value]:
    """Both sides of every bound of a number: one apart for integers; one ulp and 0.01 apart for numbers."""
    kind = schema.get("type")
    if kind not in ("integer", "number") or "enum" in schema:
        return
    bounds = [(keyword, schema[keyword]) for keyword in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum") if keyword in schema]
    for keyword, bound in bounds:
        outward = -1 if keyword.lower().endswith("minimum") else 1
        steps = [1.0] if kind == "integer" else [STEP, abs(math.nextafter(bound, outward * math.inf) - bound)]
        yield Value(f"at {keyword}", bound, keyword if keyword.startswith("exclusive") else "")
        for step in steps:
            outside, inside = bound + outward * step, bound - outward * _inward(bound, outward, step, kind)
            yield Value(f"past {keyword} by {step:.3g}", int(outside) if kind == "integer" else outside, keyword)
            yield Value(f"inside {keyword} by {step:.3g}", int(inside) if kind == "integer" else inside)
    if kind == "integer":
        low, high = _range(schema)
        yield from (Value(f"{value}", value) for value in (0, 1, -1, int(low), int(high)) if low <= value <= high)
    elif not bounds:
        yield from (Value(f"{value}", value) for value in (0.0, -0.5, 1e300))


def _inward(bound: float, outward: int, step: float, kind: str) -> float:
    """The same step to the inside; for one ulp that is the ulp on that side, which may be smaller."""
    if kind == "integer" or step == STEP:
        return step
    return abs(math.nextafter(bound, -outward * math.inf) - bound)


def _type_values(schema: Mapping[str, Any]) -> Iterator[Value]:
    """Values of neighbouring types: what careless code sends instead."""
    kind = schema.get("type")
    if "enum" in schema:
        return  # a value of another type is not listed either: two rules at once
    inside = next((edge.value for edge in _bound_values(schema) if not edge.keyword), 1)
    if kind in ("integer", "number"):
        yield Value("as text", str(inside), "type")
        yield Value("true", True, "type")
        low, high = _range(schema)
        yield from (Value("whole as float", float(whole)) for whole in {math.ceil(inside)} if low <= whole <= high and abs(whole) < 2**53)
    if kind == "integer":
        low, high = _range(schema)
        yield from (Value(f"{half}", half, "type") for half in (inside + 0.5, inside - 0.5) if low < half < high and abs(half) < 2**50)
    if kind == "string":
        yield Value("number", 5, "type")
    if kind == "boolean":
        yield from (Value("as text", "true", "type"), Value("as number", 1, "type"))
    if isinstance(kind, str) and kind != "null":
        yield Value("null", None, "type")
        yield Value("array", [], "type") if kind != "array" else Value("object", {}, "type")


def _text_values(operation: Operation, name: str, schema: Mapping[str, Any]) -> Iterator[Value]:
    webhook = name == operation.conventions.fields.webhook
    if schema.get("format") == "uri":
        yield from (Value(f"{text!r}", text, "format") for text in _NOT_URIS)
        yield from (Value(f"{text!r}", text) for text in (_WEBHOOKS if webhook else _URIS))
        yield from (Value(f"{text!r}", text, "webhook") for text in _NOT_WEBHOOKS if webhook)
    if schema.get("type") == "string" and "minLength" in schema and schema["minLength"] > 0:
        yield Value("too short", "x" * (schema["minLength"] - 1), "minLength")
        yield Value("shortest", "x" * schema["minLength"])
    if schema.get("type") == "string" and "maxLength" in schema:
        yield Value("too long", "x" * (schema["maxLength"] + 1), "maxLength")
        yield Value("longest", "x" * schema["maxLength"])
    if "enum" in schema:
        yield from (Value(f"{value!r}", value) for value in _listed(schema))
        if schema.get("type", "string") == "string":
            yield Value("not listed", "not-one-of-these", "enum")


def boundary_requests(operation: Operation, **fixed: Any) -> tuple[Case, ...]:
    """A finite, ordered list of cases; each changes one field of the smallest valid body."""
    return tuple(_boundary_cases(operation, fixed))


def _boundary_cases(operation: Operation, fixed: Mapping[str, Any]) -> Iterator[Case]:
    base = _smallest(operation, fixed)
    yield Case("smallest", base)
    yield Case("undeclared field", {**base, "not_declared": "x"})
    for name, schema in _fields(operation, fixed).items():
        schema = schema if isinstance(schema, dict) else {}
        if operation.request and name in operation.request.required:
            yield Case(f"{name} missing", {other: value for other, value in base.items() if other != name}, f"/{name}", "required")
        for value in _unique([*_bound_values(schema), *_type_values(schema), *_text_values(operation, name, schema)]):
            pointer = f"/{name}" if value.keyword else ""
            yield Case(f"{name} {value.label}", {**base, name: value.value}, pointer, value.keyword)


def _unique(values: list[Value]) -> list[Value]:
    return list({(repr(value.value), value.keyword): value for value in reversed(values)}.values())[::-1]


def _smallest(operation: Operation, fixed: Mapping[str, Any]) -> Body:
    names = operation.conventions.fields
    body = {name: sample(_tree(operation), schema) for name, schema in _fields(operation, fixed).items() if name in _required(operation)}
    return {**body, **({names.key: "key-0123"} if names.key in body else {}), **fixed}


def invalid_requests(operation: Operation, **fixed: Any) -> st.SearchStrategy[Case]:
    """Bodies with exactly one broken rule: a valid body in which one field is missing or has a value past a bound."""
    faults = [fault for name, schema in _fields(operation, fixed).items() for fault in _faults(operation, name, schema)]
    valid = valid_requests(operation, **fixed)
    return st.sampled_from(faults).flatmap(valid.flatmap)


_Fault = Callable[[Body], st.SearchStrategy[Case]]


def _faults(operation: Operation, name: str, schema: Any) -> Iterator[_Fault]:
    schema = schema if isinstance(schema, dict) else {}
    if operation.request and name in operation.request.required:
        yield lambda body: st.just(Case(f"{name} missing", {k: v for k, v in body.items() if k != name}, f"/{name}", "required"))
    listed = [*_bound_values(schema), *_type_values(schema), *_text_values(operation, name, schema)]
    by_keyword: dict[str, list[Any]] = {}
    for value in listed:
        if value.keyword:
            by_keyword.setdefault(value.keyword, []).append(value.value)
    for keyword, values in by_keyword.items():
        yield _broken(name, keyword, st.one_of(st.sampled_from(values), *_beyond(schema, keyword)))


def _broken(name: str, keyword: str, values: st.SearchStrategy[Any]) -> _Fault:
    return lambda body: values.map(lambda value: Case(f"{name} {keyword}", {**body, name: value}, f"/{name}", keyword))


def _beyond(schema: Mapping[str, Any], keyword: str) -> list[st.SearchStrategy[Any]]:
    """Further values on the wrong side of a bound, and further values of a wrong type."""
    whole = schema.get("type") == "integer"
    if keyword in ("maximum", "exclusiveMaximum"):
        high = schema[keyword]
        return [st.integers(high + 1, INT64_MAX) if whole else st.floats(high, 1e300, exclude_min=keyword == "maximum")]
    if keyword in ("minimum", "exclusiveMinimum"):
        low = schema[keyword]
        return [st.integers(INT64_MIN, low - 1) if whole else st.floats(-1e300, low, exclude_max=keyword == "minimum")]
    if keyword == "type" and schema.get("type") != "string" and "enum" not in schema:
        return [_TEXT]
    return []
