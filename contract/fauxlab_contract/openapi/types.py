"""Which of JSON's types a schema takes, and which keywords say something about which type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fauxlab_contract.openapi.schema import Schema

__all__ = ["APPLIES", "TYPES", "listed_values", "takes_type", "type_names", "types_of"]

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
