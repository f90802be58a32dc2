"""The shape that a tree must have before it is read as an OpenAPI document.

It is a JSON Schema of the parts that are read.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import jsonschema_rs

from fauxlab_contract.core.pointers import pointer_to
from fauxlab_contract.openapi.references import Node, SchemaError

__all__ = ["METHODS", "check_shape", "resolve_as"]

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


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
            parameters=_ref("parameters"), **{method: _ref("operation") for method in METHODS}
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
            "properties": {"$ref": _TEXT},
        },
    },
}


@lru_cache(maxsize=16)
def _validator(kind: str) -> Any:
    return jsonschema_rs.Draft202012Validator({**_ref(kind), **_SHAPE}, offline=True)


def check_shape(node: Node, kind: str = "document") -> None:
    """Raise SchemaError, with its place, for the first part of `node` that is not shaped as `kind`.

    `kind` is a name in `$defs`, such as pathItem.
    """
    for error in _validator(kind).iter_errors(node.value):
        expected = error.kind.as_dict().get("types", [error.kind.name])
        place = node.pointer + pointer_to(error.instance_path)
        raise SchemaError(place, f"it must be of type {' or '.join(expected)}, as OpenAPI says")


def resolve_as(kind: str, node: Node) -> Node:
    """Follow `$ref`; what it names must be shaped as `kind`, else raise SchemaError."""
    found = node.resolved
    if found is not node:
        check_shape(found, kind)
    return found
