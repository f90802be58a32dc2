"""Which of JSON's types a schema takes, and which keywords say something about which type."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fauxlab_contract.openapi.schema import Schema

__all__ = [
    "APPLIES",
    "TYPES",
    "TYPES_CONTRADICT",
    "contradictions",
    "listed_values",
    "takes_type",
    "type_names",
    "types_of",
]

TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
_BY_TYPES: tuple[tuple[tuple[str, ...], str], ...] = (
    (("integer", "number"), "minimum maximum exclusiveMinimum exclusiveMaximum multipleOf"),
    (("string",), "minLength maxLength pattern format"),
    (("array",), "minItems maxItems uniqueItems items prefixItems contains"),
    (("object",), "properties required additionalProperties minProperties maxProperties"),
)
# keyword -> the types of the values that it says something about
APPLIES: Mapping[str, frozenset[str]] = {
    keyword: frozenset(types) for types, keywords in _BY_TYPES for keyword in keywords.split()
}


def types_of(schema: Schema) -> frozenset[str]:
    """Return the JSON types that a schema takes, as far as its types, values and branches say.

    `number` also means `integer`.
    """
    schema = schema.resolved
    if not isinstance(schema.value, dict):
        return frozenset(TYPES if schema.value else ())
    named = schema.keywords.get("type", TYPES)
    found = frozenset([named] if isinstance(named, str) else named)
    if "number" in found:
        found |= {"integer"}
    for values in listed_values(schema.keywords):
        found &= frozenset(map(_type_of, values))
    for part in schema.each("allOf"):
        found &= types_of(part)
    for keyword in ("oneOf", "anyOf"):
        if branches := schema.each(keyword):
            found &= frozenset[str]().union(*map(types_of, branches))
    return found


TYPES_CONTRADICT = "has types and values that exclude each other"
_LENGTHS = (
    ("minLength", "maxLength", "characters"),
    ("minItems", "maxItems", "items"),
    ("minProperties", "maxProperties", "members"),
)


def contradictions(schema: Schema) -> Iterator[str]:
    """Yield why no value fits the bounds of a schema, its lengths, or its types and listed values.

    `{"minimum": 10, "maximum": 1}` -> `has minimum 10 and maximum 1: no number is within both`
    """
    keywords = schema.merged.keywords if schema.each("allOf") else schema.keywords
    low, high = _low(keywords), _high(keywords)
    is_whole = keywords.get("type") == "integer"
    if low and high and not _has_between(low, high, is_whole=is_whole):
        (least, low_name), (most, high_name) = low, high
        yield f"has {low_name} {least} and {high_name} {most}: no number is within both"
    for first, last, what in _LENGTHS:
        if first in keywords and last in keywords and keywords[first] > keywords[last]:
            yield f"needs at least {keywords[first]} {what} and at most {keywords[last]}"
    if schema.keywords and not types_of(schema):
        yield TYPES_CONTRADICT


_Bound = tuple[float, str]  # a number, and the keyword that says it


def _low(keywords: Mapping[str, Any]) -> _Bound | None:
    """Return the lower bound that decides."""
    names = [name for name in ("minimum", "exclusiveMinimum") if name in keywords]
    return max(((keywords[name], name) for name in names), default=None)


def _high(keywords: Mapping[str, Any]) -> _Bound | None:
    """Return the upper bound that decides."""
    names = [name for name in ("exclusiveMaximum", "maximum") if name in keywords]
    return min(((keywords[name], name) for name in names), default=None)


def _has_between(low: _Bound, high: _Bound, *, is_whole: bool) -> bool:
    """Return True if a number is within the bounds, a whole one if `is_whole`."""
    (least, low_name), (most, high_name) = low, high
    if is_whole:
        first = math.floor(least) + 1 if low_name == "exclusiveMinimum" else math.ceil(least)
        last = math.ceil(most) - 1 if high_name == "exclusiveMaximum" else math.floor(most)
        return first <= last
    are_included = (low_name, high_name) == ("minimum", "maximum")
    return least < most or (are_included and least == most)


def takes_type(schema: Schema, value: Any) -> bool:
    """Return True if a schema takes values of the type that `value` has."""
    return _type_of(value) in types_of(schema)


def listed_values(keywords: Mapping[str, Any]) -> list[list[Any]]:
    """Return the lists of values that const and enum leave: `{"const": 1}` -> `[[1]]`."""
    const = [[keywords["const"]]] if "const" in keywords else []
    return [*const, keywords["enum"]] if "enum" in keywords else const


def type_names(types: Iterable[str]) -> list[str]:
    """Return the names in the order of TYPES, without integer where number says it too."""
    names = [name for name in TYPES if name in types]
    if "number" in names and "integer" in names:
        names.remove("integer")
    return names


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
