"""One plain value for a schema: the example or default it brings, else the smallest that fits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from fauxlab_contract.generation.search import text_of
from fauxlab_contract.openapi.formats import matches
from fauxlab_contract.openapi.schema import Schema

__all__ = ["sample"]

_MAX_DEPTH = 12
_MAX_OPTIONAL_DEPTH = 3  # below it, only required properties are filled in
_BY_FORMAT = {"uri": "https://example.com/sample", "uuid": "00000000-0000-4000-8000-000000000000"}


def sample(schema: Schema, depth: int = 0) -> Any:
    """Return a value that fits the type, the bounds, the lengths and the pattern.

    What is required is in it. Check it before you rely on it: a condition, `uniqueItems` and the
    like are not looked at. `depth` is the number of values around it.
    """
    whole = schema.resolved
    schema = whole.merged
    keywords = schema.keywords
    if not keywords or depth > _MAX_DEPTH:
        return {}
    examples = keywords.get("examples") or ()
    for value in (keywords.get("example"), *examples, keywords.get("default")):
        if value is not None and whole.validator.is_valid(value):
            return value
    if "const" in keywords:
        return keywords["const"]
    if keywords.get("enum"):
        return keywords["enum"][0]
    if schema.branches:
        return sample(schema.branches[0], depth + 1)
    return _by_type(schema, depth)


def _by_type(schema: Schema, depth: int) -> Any:
    match _type(schema):
        case "object":
            return _object(schema, depth)
        case "array":
            return _array(schema, depth)
        case "string":
            return _text(schema.keywords)
        case "integer":
            return _number(schema.keywords, 1)
        case "number":
            return _number(schema.keywords, schema.keywords.get("multipleOf", 0.5))
        case "boolean":
            return True
        case "null":
            return None
    return {}


def _type(schema: Schema) -> Any:
    """Return the first type; "object" for a schema with properties and without a type."""
    kind = schema.keywords.get("type", "object" if schema.properties else None)
    return kind[0] if isinstance(kind, list) and kind else kind


def _object(schema: Schema, depth: int) -> dict[str, Any]:
    required = schema.required
    result = {
        name: sample(member, depth + 1)
        for name, member in schema.properties.items()
        if name in required or (depth < _MAX_OPTIONAL_DEPTH and not member.is_left_out)
    }
    return result | {name: "" for name in required if name not in result}


def _array(schema: Schema, depth: int) -> list[Any]:
    least, most = schema.keywords.get("minItems", 0), schema.keywords.get("maxItems", math.inf)
    first, items = schema.each("prefixItems"), schema.member("items")
    count = max(least, min(len(first) or 1, most))  # one, or the whole tuple, if the bounds allow
    return [
        sample(first[index] if index < len(first) else items, depth + 1) for index in range(count)
    ]


def _text(keywords: Mapping[str, Any]) -> str:
    text, pattern = _plain_text(keywords), keywords.get("pattern")
    if pattern is None or matches(pattern, text):
        return text
    return text_of(pattern, keywords.get("minLength", 0), keywords.get("maxLength")) or text


def _plain_text(keywords: Mapping[str, Any]) -> str:
    text = _BY_FORMAT.get(keywords.get("format", ""), "sample")
    text = text.ljust(keywords.get("minLength", 0), "x")
    return text[: keywords["maxLength"]] if "maxLength" in keywords else text


def _number(keywords: Mapping[str, Any], step: float) -> float:
    """Return the number nearest to `step` within the bounds, on a multiple of `multipleOf`."""
    below, above = keywords.get("exclusiveMinimum"), keywords.get("exclusiveMaximum")
    low = keywords.get("minimum", -math.inf if below is None else below)
    high = keywords.get("maximum", math.inf if above is None else above)
    value = min(max(step, low), high)
    unit = keywords.get("multipleOf", 0)
    kind = keywords.get("type")
    if kind == "integer" or (isinstance(kind, list) and kind[:1] == ["integer"]):
        unit = max(unit, 1)
    if unit and math.isfinite(value / unit):
        value = math.ceil(value / unit) * unit
    if value == below:
        value += unit or step
    if value > high or value == above:
        value -= unit or step
    return int(value) if float(value).is_integer() else value
