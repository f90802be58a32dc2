"""Both sides of every rule: which values stand at the edges of a request's fields, and the finite
list of cases made of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fauxlab_contract.core.strict_json import INT64_MAX, INT64_MIN
from fauxlab_contract.openapi.operation import Operation
from fauxlab_contract.openapi.sample import sample
from fauxlab_contract.openapi.schema import required_of, resolve
from fauxlab_contract.openapi.validator import SchemaValidator

__all__ = [
    "URIS",
    "WEBHOOKS",
    "RequestCase",
    "RequestFields",
    "Value",
    "all_values",
    "bound_values",
    "boundary_requests",
    "branches_of",
    "checker_of",
    "fields_of",
    "judged",
    "listed_values",
    "range_of",
    "required_names",
    "smallest_request",
    "tree_of",
]

RequestFields = dict[str, Any]
STEP = 0.01  # the finest step that people write for a number
# the discard port: nobody is disturbed
WEBHOOKS = ("http://127.0.0.1:9/hook", "https://localhost:9/hook?job=1", "http://localhost:9/")
URIS = ("https://example.com/a", "http://127.0.0.1/", "urn:example:a")
_NOT_URIS = (
    "",
    "hook",
    "/hook",
    "//example.com/hook",
    "example.com/hook",
    "not a uri",
    "https://example.com/a b",
    "https://example.com/\n",
    "http://[",
)
_NOT_WEBHOOKS = (
    "ftp://example.com/hook",
    "mailto:a@example.com",
    "file:///etc/hostname",
    "http:///hook",
    "http://169.254.169.254/hook",
    "http://169.254.1.1/hook",
    "http://user@169.254.169.254/hook",
    "http://0xa9fea9fe/hook",
    "http://metadata.google.internal./hook",
    "http://metadata.google.internal/hook",
    "http://[fe80::1]/hook",
    "http://[::ffff:169.254.169.254]/hook",
    "http://2852039166/hook",  # 169.254.169.254 as one number
)


@dataclass(frozen=True, slots=True)
class RequestCase:
    """One request body. `pointer` and `keyword` name the rule that it breaks; both are empty for a
    body that keeps the contract.
    """

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


def boundary_requests(operation: Operation, **fixed: Any) -> tuple[RequestCase, ...]:
    """A finite, ordered list of cases; each changes one field of the smallest valid body."""
    return tuple(_boundary_cases(operation, fixed))


def _boundary_cases(operation: Operation, fixed: Mapping[str, Any]) -> Iterator[RequestCase]:
    base = smallest_request(operation, **fixed)
    yield RequestCase("smallest", base)
    yield RequestCase("undeclared field", {**base, "not_declared": "x"})
    for name, schema in fields_of(operation, fixed).items():
        schema = schema if isinstance(schema, dict) else {}
        if operation.request and name in operation.request.required:
            yield RequestCase(
                f"{name} missing",
                {other: value for other, value in base.items() if other != name},
                f"/{name}",
                "required",
            )
        for value in judged(operation, schema, all_values(operation, name, schema)):
            pointer = f"/{name}" if value.keyword else ""
            yield RequestCase(
                f"{name} {value.label}", {**base, name: value.value}, pointer, value.keyword
            )


def smallest_request(operation: Operation, **fixed: Any) -> RequestFields:
    """A valid body with the required fields alone, and those that are given."""
    names = operation.conventions.fields
    body = {
        name: sample(tree_of(operation), schema)
        for name, schema in fields_of(operation, fixed).items()
        if name in required_names(operation)
    }
    return {**body, **({names.key: "key-0123"} if names.key in body else {}), **fixed}


def all_values(operation: Operation, name: str, schema: Mapping[str, Any]) -> Iterator[Value]:
    yield from bound_values(schema)
    yield from _type_values(schema)
    yield from _text_values(operation, name, schema)


def judged(operation: Operation, schema: Mapping[str, Any], values: Iterable[Value]) -> list[Value]:
    """`values` without repetitions, each with the one rule of its field that it really breaks, or
    none.

    Values that break two are left out.
    """
    check = checker_of(operation, schema) if schema else None
    found = []
    for value in values:
        broken = [violation.keyword for violation in check.violations(value.value)] if check else []
        if len(broken) == 1 or (not broken and value.keyword in ("", "webhook")):
            found.append(replace(value, keyword=broken[0] if broken else value.keyword))
        elif not broken:
            found.append(replace(value, label=f"{value.label}, which is allowed", keyword=""))
    return list({(repr(value.value), value.keyword): value for value in reversed(found)}.values())[
        ::-1
    ]


def checker_of(operation: Operation, schema: Mapping[str, Any]) -> SchemaValidator:
    return SchemaValidator(tree_of(operation), dict(schema), "")


def bound_values(schema: Mapping[str, Any]) -> Iterator[Value]:
    """Both sides of every bound of a number: one apart for integers; one ulp and 0.01 apart for
    numbers.
    """
    kind = schema.get("type")
    if kind not in ("integer", "number") or "enum" in schema:
        return
    bounds = [
        (keyword, schema[keyword])
        for keyword in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
        if keyword in schema
    ]
    for keyword, bound in bounds:
        outward = -1 if keyword.lower().endswith("minimum") else 1
        steps = (
            [1.0]
            if kind == "integer"
            else [STEP, abs(math.nextafter(bound, outward * math.inf) - bound)]
        )
        yield Value(f"at {keyword}", bound, keyword if keyword.startswith("exclusive") else "")
        if kind == "number":
            yield Value(
                f"at {keyword}, as a float",
                float(bound),
                keyword if keyword.startswith("exclusive") else "",
            )
        for step in steps:
            outside, inside = (
                bound + outward * step,
                bound - outward * _inward(bound, outward, step, kind),
            )
            yield Value(
                f"past {keyword} by {step:.3g}",
                int(outside) if kind == "integer" else outside,
                keyword,
            )
            yield Value(
                f"inside {keyword} by {step:.3g}", int(inside) if kind == "integer" else inside
            )
    if kind == "integer":
        low, high = range_of(schema)
        step = schema.get("multipleOf", 1)
        if type(step) is int and step > 1:
            ends = (-(-math.ceil(low) // step) * step, math.floor(high) // step * step)
            yield from (Value(f"{end}, of {step}", end) for end in ends)
            yield from (
                Value(f"{end + 1}, not of {step}", end + 1, "multipleOf") for end in ends[:1]
            )
        yield from (
            Value(f"{value}", value)
            for value in (0, 1, -1, int(low), int(high))
            if low <= value <= high
        )
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
    inside = next((edge.value for edge in bound_values(schema) if not edge.keyword), 1)
    if kind in ("integer", "number"):
        yield Value("as text", str(inside), "type")
        yield Value("true", True, "type")
        low, high = range_of(schema)
        yield from (
            Value("whole as float", float(whole))
            for whole in {math.ceil(inside)}
            if low <= whole <= high and abs(whole) < 2**53
        )
    if kind == "integer":
        low, high = range_of(schema)
        yield from (
            Value(f"{half}", half, "type")
            for half in (inside + 0.5, inside - 0.5)
            if low < half < high and abs(half) < 2**50
        )
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
        yield from (Value(f"{text!r}", text) for text in (WEBHOOKS if webhook else URIS))
        yield from (Value(f"{text!r}", text, "webhook") for text in _NOT_WEBHOOKS if webhook)
    images = (operation.conventions.fields.face_image, operation.conventions.fields.init_image)
    if (
        schema.get("type") == "string"
        and name not in images
        and not schema.keys() & {"maxLength", "format", "enum", "pattern"}
    ):
        yield Value("of 1,000 characters", "long " * 200)
    if schema.get("type") == "string" and "minLength" in schema and schema["minLength"] > 0:
        yield Value("too short", "x" * (schema["minLength"] - 1), "minLength")
        yield Value("shortest", "x" * schema["minLength"])
    if schema.get("type") == "string" and "maxLength" in schema:
        yield Value("too long", "x" * (schema["maxLength"] + 1), "maxLength")
        yield Value("longest", "x" * schema["maxLength"])
    if "enum" in schema:
        yield from (Value(f"{value!r}", value) for value in listed_values(schema))
        if schema.get("type", "string") == "string":
            yield Value("not listed", "not-one-of-these", "enum")


def listed_values(schema: Mapping[str, Any]) -> list[Any]:
    """The enum's values, without those that another keyword of the same schema forbids."""
    check = SchemaValidator({}, dict(schema), "")
    return [value for value in schema["enum"] if check.is_valid(value)]


def range_of(schema: Mapping[str, Any]) -> tuple[float, float]:
    """(lowest, highest) value that a bounded or unbounded number may have; whole numbers fit into
    64 bits.
    """
    whole = schema.get("type") == "integer"
    low = schema.get("minimum", schema.get("exclusiveMinimum", INT64_MIN if whole else -1e300))
    high = schema.get("maximum", schema.get("exclusiveMaximum", INT64_MAX if whole else 1e300))
    return low + (whole and "exclusiveMinimum" in schema), high - (
        whole and "exclusiveMaximum" in schema
    )


def fields_of(operation: Operation, fixed: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that are not fixed: name -> schema, references followed. Some documents require
    fields that they do not declare.
    """
    properties = {name: {} for name in required_names(operation)} | dict(
        operation.request.properties if operation.request else {}
    )
    return {
        name: resolve(tree_of(operation), schema)[0]
        for name, schema in properties.items()
        if name not in fixed
    }


def tree_of(operation: Operation) -> Mapping[str, Any]:
    return operation.request.check.root if operation.request else {}


def branches_of(operation: Operation) -> list[Any]:
    """The alternatives of a request as a whole; empty for most."""
    tree = tree_of(operation)
    return [
        resolve(tree, branch)[0]
        for keyword in ("oneOf", "anyOf")
        for branch in tree.get(keyword) or ()
    ]


def required_names(operation: Operation) -> tuple[str, ...]:
    """The required fields; of a request with alternatives, those of the first."""
    names = operation.request.required if operation.request else ()
    return (
        *names,
        *(
            required_of(tree_of(operation), branches_of(operation)[0])
            if branches_of(operation)
            else ()
        ),
    )
