"""What may be wrong with the schemas of a document, each taken by itself: values, bounds, names,
branches.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from fauxlab_contract.audit.rules import Defect, Defects
from fauxlab_contract.core.secrets import in_words
from fauxlab_contract.core.violation import describe
from fauxlab_contract.diff.flat_schema import APPLIES
from fauxlab_contract.openapi.sample import sample
from fauxlab_contract.openapi.schema import properties_of, required_of, schemas_of, subschemas
from fauxlab_contract.openapi.validator import SchemaValidator

__all__ = ["checker_for", "field_of", "schema_defects", "shown"]

_LENGTHS = (
    ("minLength", "maxLength", "characters"),
    ("minItems", "maxItems", "items"),
    ("minProperties", "maxProperties", "members"),
)
_IN_PLACE = re.compile(r"/(?:(?:allOf|anyOf|oneOf|dependentSchemas)/[^/]+|if|then|else|not)$")
_MAX_SHOWN_CHARS = 120


def schema_defects(tree: Mapping[str, Any]) -> Defects:
    """The defects of every schema of a (standardised) document."""
    for top, schema in schemas_of(tree):
        for pointer, inner in subschemas(schema, top):
            if isinstance(inner, dict):
                yield from _values(tree, inner, pointer)
                yield from _bounds(inner, pointer)
                yield from _enum(tree, inner, pointer)
                yield from _required(tree, inner, pointer)
                yield from _idle_keywords(inner, pointer)
                yield from _overlaps(tree, inner, pointer)


def field_of(pointer: str) -> str:
    """The nearest name that people know: a property's or a component's; empty for the body of an
    operation.
    """
    found = re.findall(r"/(?:properties|schemas|parameters|headers)/([^/]+)", pointer)
    return found[-1].replace("~1", "/").replace("~0", "~") if found else ""


def checker_for(tree: Mapping[str, Any], schema: Any, pointer: str = "") -> SchemaValidator:
    """A checker that carries the whole document only when the schema refers to it."""
    return SchemaValidator(tree if "$ref" in repr(schema) else {}, schema, pointer)


def shown(value: Any) -> str:
    """A value as JSON, cut to what a line holds."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_SHOWN_CHARS else text[: _MAX_SHOWN_CHARS - 3] + "..."


def _values(tree: Mapping[str, Any], schema: dict[str, Any], pointer: str) -> Defects:
    """Examples and defaults beside the keywords that they break."""
    named = [("invalid-default", "default", [schema["default"]] if "default" in schema else [])]
    named += [("invalid-example", "example", [schema["example"]] if "example" in schema else [])]
    named += [
        (
            "invalid-example",
            "example",
            schema["examples"] if isinstance(schema.get("examples"), list) else [],
        )
    ]
    for rule, word, values in named:
        for value in values:
            violations = checker_for(tree, schema, pointer).violations(value)
            if violations:
                field = field_of(pointer)
                yield Defect(
                    rule,
                    pointer,
                    f"The {word} of {field or 'the body'} breaks its schema:"
                    f" {in_words(violations, field)}",
                )


def _bounds(schema: Mapping[str, Any], pointer: str) -> Defects:
    field = field_of(pointer) or "the body"
    low = (
        max((schema[name], name) for name in ("minimum", "exclusiveMinimum"))
        if _has_all(schema, "minimum", "exclusiveMinimum")
        else None
    )
    low = low or next(
        ((schema[name], name) for name in ("minimum", "exclusiveMinimum") if name in schema), None
    )
    high = next(
        ((schema[name], name) for name in ("exclusiveMaximum", "maximum") if name in schema), None
    )
    if low and high and not _has_between(schema, *low, *high):
        yield Defect(
            "impossible-bounds",
            pointer,
            f"{field} has {low[1]} {low[0]} and {high[1]} {high[0]}: no number is within both.",
        )
    for least, most, what in _LENGTHS:
        if _has_all(schema, least, most) and schema[least] > schema[most]:
            yield Defect(
                "impossible-bounds",
                pointer,
                f"{field} needs {schema[least]} {what} at least and {schema[most]} at most.",
            )


def _has_all(schema: Mapping[str, Any], *names: str) -> bool:
    return all(name in schema for name in names)


def _has_between(
    schema: Mapping[str, Any], low: float, low_name: str, high: float, high_name: str
) -> bool:
    """Is there a number within the bounds, and a whole one if only those are allowed?"""
    if schema.get("type") == "integer":
        first = math.floor(low) + 1 if low_name.startswith("exclusive") else math.ceil(low)
        last = math.ceil(high) - 1 if high_name.startswith("exclusive") else math.floor(high)
        return first <= last
    return low < high or (low == high and "exclusive" not in low_name + high_name)


def _enum(tree: Mapping[str, Any], schema: Mapping[str, Any], pointer: str) -> Defects:
    for keyword in ("enum", "const"):
        if keyword not in schema:
            continue
        others = {
            name: value
            for name, value in schema.items()
            if name not in ("enum", "const", "default", "example", "examples")
        }
        check = checker_for(tree, others, pointer)
        field = field_of(pointer) or "the body"
        for value in schema["enum"] if keyword == "enum" else [schema["const"]]:
            if not check.is_valid(value):
                broken = in_words(check.violations(value), field)
                yield Defect(
                    "impossible-enum", pointer, f"{keyword} lists {describe(value)}, but {broken}"
                )


def _required(tree: Mapping[str, Any], schema: Mapping[str, Any], pointer: str) -> Defects:
    """Names in required without a property. A part of another schema is judged as a part of that."""
    declared = properties_of(tree, schema)
    if not declared or "$ref" in schema or _IN_PLACE.search(pointer):
        return
    inside = _names_inside(tree, schema)
    patterns = schema.get("patternProperties") or {}
    for name in required_of(tree, schema):
        if name not in declared | inside and not any(
            re.search(pattern, name) for pattern in patterns
        ):
            closed = schema.get("additionalProperties") is False
            text = f"{name} is required and not declared" + (
                ", and additionalProperties is false." if closed else "."
            )
            yield Defect("required-impossible" if closed else "required-undeclared", pointer, text)


def _names_inside(tree: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The properties that branches declare."""
    parts = [part for keyword in ("oneOf", "anyOf") for part in schema.get(keyword) or ()]
    parts += [schema[keyword] for keyword in ("if", "then", "else") if keyword in schema]
    return {name: value for part in parts for name, value in properties_of(tree, part).items()}


def _idle_keywords(schema: Mapping[str, Any], pointer: str) -> Defects:
    if "type" not in schema:
        return
    types = frozenset([schema["type"]] if isinstance(schema["type"], str) else schema["type"])
    for keyword, needed in APPLIES.items():
        if keyword in schema and not types & needed:
            kind = " or ".join(sorted(types))
            yield Defect(
                "keyword-without-effect",
                pointer,
                f"{keyword} does not apply to {field_of(pointer) or 'a body'} of type {kind}.",
            )


def _overlaps(tree: Mapping[str, Any], schema: Mapping[str, Any], pointer: str) -> Defects:
    """A oneOf of which one plain body fits several branches: an empty object, or what fits one of
    them.
    """
    branches = schema.get("oneOf") or ()
    checks = [checker_for(tree, branch) for branch in branches]
    for probe in _probes(tree, branches):
        fitting = [i for i, check in enumerate(checks) if check.is_valid(probe)]
        if len(fitting) > 1:
            what = "A body without any member, {}," if probe == {} else f"The value {shown(probe)}"
            yield Defect("branches-overlap", pointer, f"{what} fits several branches of the oneOf.")
            return


def _probes(tree: Mapping[str, Any], branches: Any) -> Iterator[Any]:
    yield {}
    for branch in branches:
        yield sample(tree, branch)
