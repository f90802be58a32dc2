"""The shape that a tree must have before it is read as an OpenAPI document, as a JSON Schema of the
parts we read.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import jsonschema_rs

from fauxlab_contract.core.violation import pointer_to
from fauxlab_contract.openapi.schema import (
    LIST_KEYWORDS,
    MAP_KEYWORDS,
    SCHEMA_KEYWORDS,
    SchemaError,
    resolve,
)

__all__ = ["check_shape", "resolve_as"]


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}


def _map(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": of}


def _open_map(of: dict[str, Any]) -> dict[str, Any]:
    """A map that may also hold a `$ref` or extensions."""
    return {"type": "object", "patternProperties": {"^(?!x-|\\$ref$)": of}}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


_ANY_OBJECT: dict[str, Any] = {"type": "object"}
_TEXT: dict[str, Any] = {"type": "string"}
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_SHAPE: dict[str, Any] = {
    "$defs": {
        "document": _object(
            info=_ANY_OBJECT,
            servers={"type": "array", "items": _object(url=_TEXT, variables=_map(_ANY_OBJECT))},
            paths={"type": "object", "patternProperties": {"^/": _ref("pathItem")}},
            components=_object(
                schemas=_map(_ref("schema")),
                responses=_map(_ref("response")),
                parameters=_map(_ref("parameter")),
                requestBodies=_map(_ref("body")),
                pathItems=_map(_ref("pathItem")),
                examples=_map(_ref("example")),
                callbacks=_map(_ref("callback")),
            ),
        ),
        "pathItem": _object(
            parameters=_ref("parameters"), **{method: _ref("operation") for method in _METHODS}
        ),
        "operation": _object(
            parameters=_ref("parameters"),
            requestBody=_ref("body"),
            responses=_open_map(_ref("response")),
            callbacks=_map(_ref("callback")),
        ),
        "callback": _open_map(_ref("pathItem")),
        "example": _ANY_OBJECT,
        "parameters": {"type": "array", "items": _ref("parameter")},
        "parameter": _object(name=_TEXT, schema=_ref("schema")),
        "body": _object(content=_ref("content")),
        "response": _object(content=_ref("content"), headers=_map(_ANY_OBJECT)),
        "content": _map(_object(schema=_ref("schema"), examples=_map(_ref("example")))),
        "schema": {
            "type": ["object", "boolean"],
            "properties": {
                "$ref": _TEXT,
                "format": _TEXT,
                "required": {"type": "array", "items": _TEXT},
                "enum": {"type": "array"},
                **{keyword: _ref("schema") for keyword in SCHEMA_KEYWORDS},
                **{
                    keyword: {"type": "array", "items": _ref("schema")} for keyword in LIST_KEYWORDS
                },
                **{keyword: _map(_ref("schema")) for keyword in MAP_KEYWORDS},
            },
        },
    },
}


@lru_cache(maxsize=16)
def _validator(kind: str) -> Any:
    return jsonschema_rs.Draft202012Validator({**_ref(kind), **_SHAPE}, offline=True)


def check_shape(node: Any, pointer: str = "", kind: str = "document") -> None:
    """Raise SchemaError, with its place, for the first part of `node` that has not the shape of a
    `kind` (see `$defs`).
    """
    for error in _validator(kind).iter_errors(node):
        expected = error.kind.as_dict().get("types", [error.kind.name])
        place = pointer + pointer_to(error.instance_path)
        raise SchemaError(place, f"it must be of type {' or '.join(expected)}, as OpenAPI says")


def resolve_as(kind: str, tree: Any, node: Any, pointer: str = "") -> tuple[Any, str]:
    """Like `resolve`, and what a `$ref` names must have the shape of a `kind`."""
    found, place = resolve(tree, node, pointer)
    if found is not node:
        check_shape(found, place, kind)
    return found, place
