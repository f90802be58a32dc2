"""A schema with its references followed and its allOf merged, as one frozen value: what two
documents are compared by.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fauxlab_contract.core.violation import pointer_to
from fauxlab_contract.openapi.schema import resolve, target_of
from fauxlab_contract.openapi.validator import SchemaValidator

__all__ = ["APPLIES", "TYPES", "Bound", "FlatSchema", "Placed", "merge", "types_of"]

TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
APPLIES: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(
        ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        frozenset({"integer", "number"}),
    ),
    **dict.fromkeys(("minLength", "maxLength", "pattern", "format"), frozenset({"string"})),
    **dict.fromkeys(
        ("minItems", "maxItems", "uniqueItems", "items", "prefixItems", "contains"),
        frozenset({"array"}),
    ),
    **dict.fromkeys(
        ("properties", "required", "additionalProperties", "minProperties", "maxProperties"),
        frozenset({"object"}),
    ),
}
_HIGHEST = ("minLength", "minItems", "minProperties", "minContains")
_LOWEST = ("maxLength", "maxItems", "maxProperties", "maxContains")
_OWN_FIELDS = {
    "$ref", "allOf", "oneOf", "anyOf", "properties", "required", "type", "enum", "const", "minimum", "maximum", "exclusiveMinimum",
    "exclusiveMaximum",
}  # fmt: skip
_ANNOTATIONS = {
    "title", "description", "default", "example", "examples", "deprecated", "readOnly", "writeOnly", "$comment", "$schema",
    "discriminator", "xml", "externalDocs", "contentEncoding", "contentMediaType", "nullable", "$defs",
}  # fmt: skip
Placed = tuple[Any, str]  # a schema and its pointer
Bound = tuple[float, bool]  # a number, and whether it is itself excluded


@dataclass(frozen=True, slots=True)
class FlatSchema:
    """What a schema says about one value. `properties` and `branches` carry their pointers; `rules`
    is every other keyword.

    `parts` are the schemas that were merged, `values` what enum and const leave (None: they say
    nothing).
    """

    tree: Mapping[str, Any] = field(repr=False)
    parts: tuple[Placed, ...] = field(repr=False)
    pointer: str
    types: frozenset[str]
    properties: Mapping[str, Placed]
    required: tuple[str, ...]
    values: tuple[Any, ...] | None
    low: Bound
    high: Bound
    rules: Mapping[str, Any]
    branches: tuple[Placed, ...]

    def takes(self, value: Any) -> bool:
        return _takes(self.tree, self.parts, value)

    def alternatives(self) -> list[FlatSchema]:
        """One for each branch, with all that stands beside the branches; without branches the
        schema itself.
        """
        beside = [(_without(part, "oneOf", "anyOf"), here) for part, here in self.parts]
        return [
            _merged(self.tree, (*beside, *_parts(self.tree, *branch)), branch[1])
            for branch in self.branches
        ] or [self]


def merge(tree: Mapping[str, Any], schema: Any, pointer: str) -> FlatSchema:
    """Merge what `schema`, which stands at `pointer`, says by itself, through `$ref` and through
    allOf.
    """
    if isinstance(schema, dict) and schema.keys() == {"$ref"}:
        schema, pointer = resolve(tree, schema, pointer)
    return _merged(tree, tuple(_parts(tree, schema, pointer)), pointer)


def types_of(tree: Mapping[str, Any], schema: Any) -> frozenset[str]:
    """The JSON types that a schema takes, as far as its types, values and branches say; `number`
    also means `integer`.
    """
    schema, _ = resolve(tree, schema)
    if not isinstance(schema, dict):
        return frozenset(TYPES if schema else ())
    named = schema.get("type", TYPES)
    found = frozenset([named] if isinstance(named, str) else named)
    found |= {"integer"} if "number" in found else frozenset()
    for values in _listed(schema):
        found &= frozenset(_type_of(value) for value in values)
    for part in schema.get("allOf") or ():
        found &= types_of(tree, part)
    for keyword in ("oneOf", "anyOf"):
        if schema.get(keyword):
            found &= frozenset[str]().union(*(types_of(tree, branch) for branch in schema[keyword]))
    return found


def _listed(schema: Mapping[str, Any]) -> list[list[Any]]:
    return ([[schema["const"]]] if "const" in schema else []) + (
        [schema["enum"]] if "enum" in schema else []
    )


def _type_of(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "integer" if value.is_integer() else "number"
        case str():
            return "string"
        case list():
            return "array"
    return "object"


def _parts(tree: Mapping[str, Any], schema: Any, pointer: str) -> Iterator[Placed]:
    """What a schema refers to, its allOf, and itself without both."""
    if not isinstance(schema, dict):
        yield schema, pointer
        return
    if isinstance(reference := schema.get("$ref"), str):
        yield from _parts(tree, target_of(tree, reference, pointer), reference[1:])
    for i, part in enumerate(schema.get("allOf") or ()):
        yield from _parts(tree, part, f"{pointer}/allOf/{i}")
    yield _without(schema, "$ref", "allOf"), pointer


def _without(schema: Any, *keywords: str) -> Any:
    return (
        {key: value for key, value in schema.items() if key not in keywords}
        if isinstance(schema, dict)
        else schema
    )


def _merged(tree: Mapping[str, Any], parts: tuple[Placed, ...], pointer: str) -> FlatSchema:
    schemas = [(part, here) for part, here in parts if isinstance(part, dict)]
    lists = [values for part, _ in schemas for values in _listed(part)]
    lows = [
        (part[name], name == "exclusiveMinimum")
        for part, _ in schemas
        for name in ("minimum", "exclusiveMinimum")
        if name in part
    ]
    highs = [
        (part[name], name == "exclusiveMaximum")
        for part, _ in schemas
        for name in ("maximum", "exclusiveMaximum")
        if name in part
    ]
    return FlatSchema(
        tree=tree,
        parts=parts,
        pointer=pointer,
        types=frozenset(TYPES).intersection(*(types_of(tree, part) for part, _ in parts)),
        properties=_properties(schemas),
        required=tuple(
            dict.fromkeys(name for part, _ in schemas for name in part.get("required") or ())
        ),
        values=tuple(value for value in lists[0] if _takes(tree, parts, value)) if lists else None,
        low=max(lows, default=(-math.inf, False)),
        high=min(highs, key=lambda bound: (bound[0], not bound[1]), default=(math.inf, False)),
        rules=_rules(schemas),
        branches=_branches(schemas),
    )


def _takes(tree: Mapping[str, Any], parts: tuple[Placed, ...], value: Any) -> bool:
    schema = {"allOf": [part for part, _ in parts]}
    # a whole document takes long to compile
    return SchemaValidator(tree if "$ref" in repr(schema) else {}, schema, "").is_valid(value)


def _properties(schemas: list[Placed]) -> dict[str, Placed]:
    found: dict[str, Placed] = {}
    for part, pointer in schemas:
        for name, schema in (part.get("properties") or {}).items():
            here = f"{pointer}/properties{pointer_to([name])}"
            found[name] = (
                ({"allOf": [found[name][0], schema]}, here) if name in found else (schema, here)
            )
    return found


def _branches(schemas: list[Placed]) -> tuple[Placed, ...]:
    """The branches of the first oneOf or anyOf."""
    for part, pointer in schemas:
        for keyword in ("oneOf", "anyOf"):
            if part.get(keyword):
                return tuple(
                    (branch, f"{pointer}/{keyword}/{i}") for i, branch in enumerate(part[keyword])
                )
    return ()


def _rules(schemas: list[Placed]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part, _ in schemas:
        for keyword, value in part.items():
            if keyword not in _OWN_FIELDS | _ANNOTATIONS and not keyword.startswith("x-"):
                found[keyword] = (
                    _both(keyword, found[keyword], value) if keyword in found else value
                )
    return found


def _both(keyword: str, one: Any, other: Any) -> Any:
    """The value of a keyword that two parts have."""
    if keyword in _HIGHEST:
        return max(one, other)
    if keyword in _LOWEST:
        return min(one, other)
    if one == other or other is True:
        return one
    return False if False in (one, other) else {"allOf": [one, other]}
