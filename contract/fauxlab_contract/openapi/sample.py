"""One plain value for a schema: the example or default it brings, else the smallest that fits its
keywords.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from fauxlab_contract.openapi.schema import properties_of, required_of, resolve
from fauxlab_contract.openapi.validator import SchemaValidator

__all__ = ["sample"]

_MAX_DEPTH = 12
_BY_FORMAT = {"uri": "https://example.com/sample", "uuid": "00000000-0000-4000-8000-000000000000"}


def sample(tree: Mapping[str, Any], schema: Any, depth: int = 0) -> Any:
    """A value for `schema`: its type, its bounds and lengths, what it requires. Check it before you
    rely on it: a pattern, a condition, `uniqueItems` and the like are not looked at.
    """
    schema, _ = resolve(tree, schema)
    if not isinstance(schema, dict) or depth > _MAX_DEPTH:
        return {}
    for value in (schema.get("example"), *(schema.get("examples") or ()), schema.get("default")):
        if value is not None and SchemaValidator(tree, schema, "").is_valid(value):
            return value
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    for part in schema.get("allOf") or ():
        found, _ = resolve(tree, part)
        schema = {**found, **schema} if isinstance(found, dict) else schema
    for keyword in ("oneOf", "anyOf"):
        if schema.get(keyword):
            return sample(tree, schema[keyword][0], depth + 1)
    return _by_type(tree, schema, depth)


def _by_type(tree: Mapping[str, Any], schema: Mapping[str, Any], depth: int) -> Any:
    match _type(schema):
        case "object":
            return _object(tree, schema, depth)
        case "array":
            return _array(tree, schema, depth)
        case "string":
            return _text(schema)
        case "integer":
            return _number(schema, 1)
        case "number":
            return _number(schema, schema.get("multipleOf", 0.5))
        case "boolean":
            return True
        case "null":
            return None
    return {}


def _type(schema: Mapping[str, Any]) -> Any:
    kind = schema.get("type", "object" if "properties" in schema else None)
    return kind[0] if isinstance(kind, list) and kind else kind


def _object(tree: Mapping[str, Any], schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
    properties, required = properties_of(tree, schema), required_of(tree, schema)
    wanted = [name for name in properties if name in required or depth < 3]
    result = {name: sample(tree, properties[name], depth + 1) for name in wanted}
    return result | {name: "" for name in required if name not in result}


def _array(tree: Mapping[str, Any], schema: Mapping[str, Any], depth: int) -> list[Any]:
    least, most = schema.get("minItems", 0), schema.get("maxItems", 1)
    return [
        sample(tree, schema.get("items", {}), depth + 1) for _ in range(max(least, min(1, most)))
    ]


def _text(schema: Mapping[str, Any]) -> str:
    text = _BY_FORMAT.get(schema.get("format", ""), "sample")
    text = text.ljust(schema.get("minLength", 0), "x")
    return text[: schema["maxLength"]] if "maxLength" in schema else text


def _number(schema: Mapping[str, Any], step: float) -> float:
    low = schema.get("minimum", schema.get("exclusiveMinimum", -math.inf))
    high = schema.get("maximum", schema.get("exclusiveMaximum", math.inf))
    value = min(max(step, low), high)
    unit = max(schema.get("multipleOf", 0), 1 if _type(schema) == "integer" else 0)
    if unit and math.isfinite(value / unit):
        value = math.ceil(value / unit) * unit
    if value == schema.get("exclusiveMinimum"):
        value += unit or step
    if value > high or value == schema.get("exclusiveMaximum"):
        value -= unit or step
    return int(value) if float(value).is_integer() else value
