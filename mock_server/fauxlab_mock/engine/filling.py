"""Values that a reply has to say, in the members and the types that a document declares."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from fauxlab_contract.generation.smallest import value_or_sample
from fauxlab_contract.openapi.operation import Variant
from fauxlab_contract.openapi.schema import Schema
from fauxlab_contract.openapi.types import types_of

__all__ = ["filled"]

NOTHING: tuple[Any, ...] = ("", None, [], {}, 0)  # what says that there is none, by type


def filled(
    variant: Variant, status: str, values: Mapping[str, Any], told: Collection[str] = ()
) -> dict[str, Any]:
    """Return the members that a variant declares, in its order, as far as there are `values`.

    Required members are always there. A value that its member does not take is left out, or, where
    the member is required, gives way to one that it takes. What is `told` is said as it is: a
    reader relies on it, so that a reply which cannot say it cannot be made.
    """
    body = {}
    for name, schema in variant.properties.items():
        if name == status:
            body[name] = variant.word
        elif name in values:
            body[name] = values[name]
        elif name in variant.required:
            body[name] = value_or_sample(schema)
    return body if variant.check.is_valid(body) else _mended(variant, body, {status, *told})


def _mended(variant: Variant, body: Mapping[str, Any], told: Collection[str]) -> dict[str, Any]:
    """Return a body without the values that their members do not take, except those `told`."""
    mended = {}
    for name, value in body.items():
        schema = variant.properties[name]
        is_valid = schema.validator.is_valid
        fit = value if is_valid(value) else _fit(value, schema)
        if name in told or is_valid(fit):
            mended[name] = fit
        elif name in variant.required:
            mended[name] = _instead(fit, schema)
    return mended


def _instead(value: Any, schema: Schema) -> Any:
    """Return what a member takes in the place of a value: as near to it as can be."""
    near = NOTHING if value in NOTHING else _within(value, schema)
    taken = [other for other in near if schema.validator.is_valid(other)]
    return taken[0] if taken else value_or_sample(schema)


def _within(value: Any, schema: Schema) -> tuple[Any, ...]:
    """Return a number moved into the bounds of its schema; () for what is no number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return ()
    limits = schema.merged.keywords
    return (min(max(value, limits.get("minimum", value)), limits.get("maximum", value)),)


def _fit(value: Any, schema: Schema) -> Any:
    """Convert a value to the type of a schema.

    `["a"]` -> "a", [] -> "", "a" -> ["a"], 7 -> "7", and `["a"]` -> `[{"url": "a"}]`.
    """
    types = types_of(schema)
    match value:
        case list() if "array" not in types and "string" in types:
            return value[0] if value else ""
        case list() if value and "array" in types:
            return _links(value, schema)
        case str() if "string" not in types and "array" in types:
            return [value] if value else []
        case int() if "integer" not in types and "string" in types:
            return str(value)
    return value


def _links(links: list[str], schema: Schema) -> list[Any]:
    """Return links as a list takes them: as texts, or each in an object with a place for it."""
    items = schema.merged.member("items")
    if "object" not in types_of(items) or "string" in types_of(items):
        return links
    return [_holding(link, items) for link in links]


def _holding(link: str, schema: Schema) -> Any:
    """Return an object of a schema with a link in each member that is a URI."""
    shape = value_or_sample(schema)
    for name, member in schema.properties.items():
        if member.merged.keywords.get("format") == "uri":
            shape[name] = link
    return shape
