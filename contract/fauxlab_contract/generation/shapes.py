"""What a schema says of a value, however it is spelled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fauxlab_contract.openapi.schema import Schema

__all__ = ["NoValueError", "kinds_of", "shape_of", "with_integers"]

_MAX_DEPTH = 8
_BRANCHES = ("anyOf", "oneOf")


class NoValueError(ValueError):
    """No value that a schema allows could be made, or there may be none; the text says of what."""

    __module__ = "fauxlab_contract.generation"  # tracebacks name the room


def shape_of(schema: Schema, depth: int = 0) -> Schema:
    """Return the schema with the keywords of its parts beside its own, and without null.

    The shapes of `{"anyOf": [{"type": "integer", "maximum": 8}, {"type": "null"}]}` and of
    `{"type": ["integer", "null"], "maximum": 8}` both say `"type": "integer", "maximum": 8`. It is
    to be read: whether a value is valid, the schema itself says.
    """
    schema = schema.merged
    branches = [branch for branch in schema.branches if not _is_null(branch)]
    if len(branches) == 1 and depth < _MAX_DEPTH:
        alone = {name: value for name, value in schema.keywords.items() if name not in _BRANCHES}
        shape = shape_of(branches[0], depth + 1)
        schema = schema.but({"allOf": [shape.value, alone]}).merged
    kinds = kinds_of(schema.keywords)
    if isinstance(schema.keywords.get("type"), list) and len(kinds) == 1:
        schema = schema.but({**schema.keywords, "type": kinds[0]})
    return schema


def kinds_of(keywords: Mapping[str, Any]) -> list[str]:
    """Return the types that keywords name, without null: `[]` when they name none."""
    named = keywords.get("type")
    kinds = named if isinstance(named, list) else [named]
    return [kind for kind in kinds if isinstance(kind, str) and kind != "null"]


def _is_null(branch: Schema) -> bool:
    keywords = branch.resolved.keywords
    return keywords.get("type") == "null" or keywords.get("enum") == [None]


def with_integers(schema: Schema, value: Any, depth: int = 0) -> Any:
    """Return a value with 8 in the place of 8.0, where the schema wants an integer, at any depth.

    JSON Schema takes both, and so may a document's own bounds and examples be written.
    """
    if not isinstance(value, (float, list, dict)) or depth > _MAX_DEPTH:
        return value
    shape = shape_of(schema)
    if isinstance(value, float):
        is_whole = value.is_integer() and _wants_integers(shape)
        return int(value) if is_whole else value
    if isinstance(value, dict):
        members = dict(shape.properties)
        for branch in shape.branches:
            members = {**branch.properties, **members}
        return {
            name: with_integers(members[name], one, depth + 1) if name in members else one
            for name, one in value.items()
        }
    first, items = shape.each("prefixItems"), Schema.of(shape.member("items"))
    return [
        with_integers(first[index] if index < len(first) else items, one, depth + 1)
        for index, one in enumerate(value)
    ]


def _wants_integers(shape: Schema) -> bool:
    """Return True if the types of a schema, or of its branches, have integer and not number."""
    branches = [kinds_of(shape_of(branch).keywords) for branch in shape.branches]
    kinds = {kind for kinds in (kinds_of(shape.keywords), *branches) for kind in kinds}
    return "integer" in kinds and "number" not in kinds
