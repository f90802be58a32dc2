"""A schema with its references followed and its allOf merged, as two documents are compared."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from fauxlab_contract.openapi.keywords import ANNOTATIONS
from fauxlab_contract.openapi.schema import Schema
from fauxlab_contract.openapi.types import TYPES, listed_values, types_of

__all__ = ["LEAST", "MOST", "Bound", "FlatSchema", "flatten"]

LEAST = ("minLength", "minItems", "minProperties", "minContains")
MOST = ("maxLength", "maxItems", "maxProperties", "maxContains")
# keywords that are no rules: they have a field of their own below, or forbid nothing
_NO_RULES = ANNOTATIONS | {
    "$ref", "$defs", "allOf", "oneOf", "anyOf", "properties", "required", "type", "enum", "const",
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
}  # fmt: skip


class Bound(NamedTuple):
    """A limit of a number; `value` is infinite where there is none."""

    value: float
    is_excluded: bool = False


@dataclass(frozen=True, slots=True)
class FlatSchema:
    """What a schema says about one value.

    `parts` are the schemas that were merged, `whole` all of them at once. `values` are what enum
    and const leave, None where neither stands. `rules` is every keyword that has no field here.
    """

    whole: Schema = field(repr=False)
    parts: tuple[Schema, ...] = field(repr=False)
    types: frozenset[str]
    properties: Mapping[str, Schema]
    required: tuple[str, ...]
    values: tuple[Any, ...] | None
    low: Bound
    high: Bound
    rules: Mapping[str, Any]
    branches: tuple[Schema, ...]

    @property
    def pointer(self) -> str:
        return self.whole.pointer

    def takes(self, value: Any) -> bool:
        return self.whole.validator.is_valid(value)

    def rule(self, keyword: str) -> Schema:
        """Return the schema that a keyword such as items holds; true when it is not there."""
        value = self.rules.get(keyword, True)
        return Schema(self.whole.tree, value, f"{self.pointer}/{keyword}")

    def alternatives(self) -> list[FlatSchema]:
        """Return one schema for each branch, with all that stands beside the branches.

        Without branches it is the schema itself.
        """
        beside = [_without(part, "oneOf", "anyOf") for part in self.parts]
        found = [_merged([*beside, *_parts(branch)], branch) for branch in self.branches]
        return [one.only(self.types & one.types) for one in found] or [self]

    def by_type(self) -> list[FlatSchema]:
        """Return the alternatives if each takes types of its own; `[]` if types do not do."""
        found = [
            one
            for branch in self.alternatives()
            for one in (branch.by_type() if branch is not self and branch.branches else [branch])
        ]
        types = [name for one in found for name in one.types]
        return found if len(types) == len(set(types)) else []

    def only(self, types: frozenset[str]) -> FlatSchema:
        """Return the same schema for values of some of its types."""
        return self if types == self.types else replace(self, types=types)

    @property
    def lists_values(self) -> bool:
        """True if all values are listed, in one place or branch by branch."""
        if not self.branches or self.values is not None:
            return self.values is not None
        found = self.alternatives()
        return any(one.lists_values for one in found) and all(
            one.lists_values or one.types <= {"null", "boolean"} for one in found
        )


def flatten(schema: Schema) -> FlatSchema:
    """Merge what a schema says itself, through `$ref` and through allOf."""
    if schema.keywords.keys() == {"$ref"}:
        schema = schema.resolved
    return _merged(list(_parts(schema)), schema)


def _parts(schema: Schema) -> Iterator[Schema]:
    """Yield what a schema refers to, its allOf, and itself without both."""
    if isinstance(reference := schema.keywords.get("$ref"), str):
        yield from _parts(schema.target(reference))
    for part in schema.each("allOf"):
        yield from _parts(part)
    yield _without(schema, "$ref", "allOf")


def _without(schema: Schema, *names: str) -> Schema:
    if not isinstance(schema.value, dict):
        return schema
    others = {key: value for key, value in schema.value.items() if key not in names}
    return schema.but(others)


def _merged(parts: list[Schema], place: Schema) -> FlatSchema:
    whole = place.but({"allOf": [part.value for part in parts]})
    lists = [values for part in parts for values in listed_values(part.keywords)]
    values = None
    if lists:
        values = tuple(value for value in lists[0] if whole.validator.is_valid(value))
    required = [name for part in parts for name in part.keywords.get("required") or []]
    lows, highs = _bounds(parts, "minimum"), _bounds(parts, "maximum")
    branches = next((part.branches for part in parts if part.branches), ())
    return FlatSchema(
        whole=whole,
        parts=tuple(parts),
        types=frozenset(TYPES).intersection(*map(types_of, parts)),
        properties=_properties(parts),
        required=tuple(dict.fromkeys(required)),
        values=values,
        low=max(lows, default=Bound(-math.inf)),
        high=min(highs, key=_tightest_high, default=Bound(math.inf)),
        rules=_rules(parts),
        branches=tuple(branches),
    )


def _bounds(parts: list[Schema], name: str) -> list[Bound]:
    """Return all bounds of one direction; `name` is minimum or maximum."""
    exclusive = f"exclusive{name.capitalize()}"
    return [
        Bound(part.keywords[keyword], keyword == exclusive)
        for part in parts
        for keyword in (name, exclusive)
        if keyword in part.keywords
    ]


def _tightest_high(bound: Bound) -> tuple[float, bool]:
    return bound.value, not bound.is_excluded


def _properties(parts: list[Schema]) -> dict[str, Schema]:
    found: dict[str, Schema] = {}
    for part in parts:
        for name, schema in part.member("properties").members():
            if name in found:
                schema = schema.but({"allOf": [found[name].value, schema.value]})
            found[name] = schema
    return found


def _rules(parts: list[Schema]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in parts:
        for keyword, value in part.keywords.items():
            if keyword in _NO_RULES or keyword.startswith("x-"):
                continue
            if keyword in found:
                found[keyword] = _both(keyword, found[keyword], value)
            else:
                found[keyword] = value
    return found


def _both(keyword: str, value: Any, other: Any) -> Any:
    """Return the value of a keyword that two parts have."""
    if keyword in LEAST:
        return max(value, other)
    if keyword in MOST:
        return min(value, other)
    if value == other or other is True:
        return value
    if False in (value, other):
        return False
    return {"allOf": [value, other]}
