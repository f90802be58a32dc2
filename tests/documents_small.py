"""Small documents of one operation, for tests of what a document may say of bodies and paths."""

from __future__ import annotations

import json
from typing import Any

from fauxlab_contract.openapi.document import Document, read_document

__all__ = ["answered", "one_operation"]

BASE = "https://api.example.com/v1"


def answered(schema: Any, media_type: str = "application/json") -> dict[str, Any]:
    """A response with one body."""
    return {"description": "", "content": {media_type: {"schema": schema}}}


def one_operation(
    path: str = "/things",
    *,
    request: dict[str, Any] | None = None,
    responses: dict[str, Any] | None = None,
    **members: Any,
) -> Document:
    """A document with `POST path`.

    `request` maps media types to schemas of the body, `responses` codes to responses. `members` are
    further members of the path item.
    """
    operation: dict[str, Any] = {"responses": responses or {"200": answered({"type": "object"})}}
    if request is not None:
        content = {media_type: {"schema": schema} for media_type, schema in request.items()}
        operation["requestBody"] = {"required": True, "content": content}
    tree = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "servers": [{"url": BASE}],
        "paths": {path: {**members, "post": operation}},
    }
    return read_document(json.dumps(tree).encode(), "d.json")
