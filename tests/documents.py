"""OpenAPI documents: altered copies of the bundled one, and small ones of the vendor's shapes."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from fauxlab_contract.openapi.document import Document, bundled_path, read_document

__all__ = [
    "SAMPLE_CONTRADICTIONS",
    "STRICT",
    "Tree",
    "altered",
    "branch",
    "family_documents",
    "request_schema",
    "rooms",
    "sound_document",
    "with_text_ids",
]

Tree = dict[str, Any]
# The vendor's own documents are not ours to ship; where they lie beside the checkout, they are
# tested like ours.
VENDOR = Path(__file__).resolve().parents[2] / "shared" / "vendor-documents"
TEXT, INTEGER, BOOLEAN = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
LINK = {"type": "string", "format": "uri"}
LINKS = {"type": "array", "items": LINK}
HOOK = {"webhook": LINK, "track_id": INTEGER}
STRICT = {"additionalProperties": False}
# What the audit says of the bundled document and the sample that is published with it.
SAMPLE_CONTRADICTIONS = {
    (
        'height: the document says integer, the sample sends the text "1024". --validation strict'
        " refuses it, coerce takes it."
    ),
    (
        'num_inference_steps: the document says integer, the sample sends the text "21".'
        " --validation strict refuses it, coerce takes it."
    ),
    (
        'width: the document says integer, the sample sends the text "1024". --validation strict'
        " refuses it, coerce takes it."
    ),
    (
        "seed: the document says integer and requires the field, the sample sends null."
        " --validation strict refuses it, coerce takes it."
    ),
    (
        "track_id: the document says integer, the sample sends null. --validation strict refuses"
        " it, coerce takes it."
    ),
    (
        "webhook: the document says string, the sample sends null. --validation strict refuses it,"
        " coerce takes it."
    ),
}


def altered(change: Callable[[Tree], object]) -> Document:
    """The bundled document after `change` was applied to its tree."""
    tree = yaml.safe_load(bundled_path().read_text(encoding="utf-8"))
    change(tree)
    return read_document(json.dumps(tree).encode(), "altered.json")


def with_text_ids() -> Document:
    """The bundled document, whose jobs are known by UUIDs."""

    def change(tree: Tree) -> None:
        _replace_ids([tree], {"type": "string", "format": "uuid"})

    return altered(change)


def _replace_ids(values: list[Any], schema: Tree) -> None:
    """Give all that is called id another schema, and take the examples away."""
    for value in values:
        if isinstance(value, dict):
            value.pop("example", None)
            value.pop("examples", None)
            if isinstance(properties := value.get("properties"), dict) and "id" in properties:
                properties["id"] = schema
            if value.get("in") == "path":
                value["schema"] = schema
            _replace_ids([*value.values()], schema)
        elif isinstance(value, list):
            _replace_ids(value, schema)


def request_schema(tree: Tree) -> Tree:
    """The schema of the bundled document's submit."""
    schema: Tree = tree["components"]["schemas"]["FluxHeadshotRequest"]
    return schema


def _object(required: str, **properties: Any) -> Tree:
    return {"type": "object", "required": required.split(), "properties": properties}


def _body(schema: Tree) -> Tree:
    return {"content": {"application/json": {"schema": schema}}}


def _operation(request: Tree, reply: Tree | None, *, path_id: bool = False) -> Tree:
    """A POST. Without a `reply` its 200 says nothing about the body."""
    answers = {"description": "answered", **(_body(reply) if reply else {})}
    number = {"name": "id", "in": "path", "required": True, "schema": INTEGER}
    return {
        "post": {
            **({"parameters": [number]} if path_id else {}),
            "requestBody": {"required": True, **_body(request)},
            "responses": {"200": answers},
        }
    }


def _document(version: str, server: str, paths: Tree, **schemas: Any) -> Tree:
    return {
        "openapi": version,
        "info": {"title": "made for tests", "version": "1.0.0"},
        "servers": [{"url": server}],
        "paths": paths,
        **({"components": {"schemas": schemas}} if schemas else {}),
    }


def _reply(word: str, **properties: Any) -> Tree:
    return _object("status", status={"type": "string", "enum": [word]}, **properties)


SUCCESS = _reply("success", id=INTEGER, output=LINKS, generationTime={"type": "number"})
PROCESSING = _reply(
    "processing", id=INTEGER, eta=INTEGER, fetch_result=LINK, future_links=LINKS, output=LINKS
)
ERROR = _reply("error", message=TEXT)
KEY_ALONE = _object("key", key=TEXT)


def rooms(*codes: str) -> Tree:
    """Two branches at 200, errors at other codes; references all over; a `nullable` in 3.1."""
    replies = {
        "oneOf": [{"$ref": "#/components/schemas/Done"}, {"$ref": "#/components/schemas/Wait"}]
    }
    request = _object(
        "key prompt init_image",
        key=TEXT,
        prompt=TEXT,
        init_image=LINK,
        strength={"type": "number", "minimum": 0.1, "maximum": 0.9},
        base64={"type": "string", "enum": ["yes", "no"]},
        scale={"type": "integer", "nullable": True},
        **HOOK,
    )
    make = _operation({"$ref": "#/components/schemas/Ask"}, replies)
    make["post"]["responses"] |= {code: {"description": "no", **_body(ERROR)} for code in codes}
    paths = {
        "/rooms/paint": make,
        "/rooms/furnish": make,
        "/rooms/fetch/{id}": _operation(KEY_ALONE, replies, path_id=True),
    }
    return _document(
        "3.1.0", "https://rooms.example/api/v6", paths, Ask=request, Done=SUCCESS, Wait=PROCESSING
    )


def _films() -> Tree:
    """Three branches; a default that breaks its own schema; arrays, patterns and nested objects."""
    replies = {"oneOf": [SUCCESS, PROCESSING, ERROR]}
    request = _object(
        "key prompt",
        key=TEXT,
        prompt={"type": "string", "minLength": 2, "maxLength": 400},
        frames={"type": "integer", "minimum": 16, "maximum": 25, "default": 12},
        resolution={"type": "string", "pattern": "^[0-9]+x[0-9]+$", "examples": ["480x640"]},
        stills={"type": "array", "items": LINK, "minItems": 1, "maxItems": 4},
        camera=_object("zoom", zoom={"type": "number", "exclusiveMinimum": 0}),
        **HOOK,
    )
    paths = {
        "/films/make": _operation(request, replies),
        "/films/fetch/{id}": _operation(KEY_ALONE, replies, path_id=True),
    }
    return _document("3.1.0", "https://films.example/api/v6", paths)


def _voices() -> Tree:
    """One merged schema per reply, told apart by its status; a default that is none of its enum."""
    words = {"type": "string", "enum": ["success", "processing", "error"]}
    merged = _object(
        "status",
        status=words,
        id=INTEGER,
        message=TEXT,
        eta=INTEGER,
        fetch_result=LINK,
        future_links=LINKS,
        output=LINKS,
    )
    request = _object(
        "key text",
        key=TEXT,
        text=TEXT,
        language={"type": "string", "enum": ["german", "greek"], "default": "latin"},
        aloud=BOOLEAN,
        **HOOK,
    )
    paths = {
        "/voice/speak": _operation(request, merged),
        "/voice/list": _operation(KEY_ALONE, _reply("success", output=LINKS)),
        "/voice/fetch/{id}": _operation(KEY_ALONE, merged, path_id=True),
    }
    return _document("3.1.0", "https://voices.example/api/v6", paths)


def _models() -> Tree:
    """A fetch without an id in its path, so that no job has a lifecycle."""
    replies = {"oneOf": [SUCCESS, PROCESSING, ERROR]}
    draw = _object("key prompt", key=TEXT, prompt=TEXT, safe={**BOOLEAN, "default": "yes"}, **HOOK)
    paths = {
        "/draw": _operation(draw, replies),
        "/fetch": _operation(_object("key request_id", key=TEXT, request_id=INTEGER), replies),
    }
    return _document("3.1.0", "https://models.example/api/v6/images", paths)


def _machines() -> Tree:
    """OpenAPI 3.0; replies without a schema."""
    paths = {
        "/restart": _operation(KEY_ALONE, None),
        "/fetch/{id}": _operation(KEY_ALONE, None, path_id=True),
    }
    return _document("3.0.3", "https://machines.example/api/v1", paths)


def branch(word: str, **properties: Any) -> Tree:
    """The schema of a reply that `word`, its status, tells apart; it takes no other members."""
    return {
        "type": "object",
        "required": ["status"],
        "properties": {"status": {"type": "string", "enum": [word]}, **properties},
        **STRICT,
    }


def sound_document() -> Tree:
    """A document without any defect: a submit and its fetch."""
    integer = {"type": "integer"}
    reply = {
        "oneOf": [
            branch("success", id=integer),
            branch("processing", id=integer),
            branch("error", message={"type": "string"}),
        ]
    }
    body = {
        "type": "object",
        "required": ["key"],
        "properties": {"key": {"type": "string"}, "width": {"type": "integer", "minimum": 1}},
    }
    operation = {
        "requestBody": {"content": {"application/json": {"schema": body}}},
        "responses": {
            "200": {"description": "", "content": {"application/json": {"schema": reply}}}
        },
    }
    path_id = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "servers": [{"url": "https://example.com/api"}],
        "paths": {
            "/jobs": {"post": {"operationId": "submit", **copy.deepcopy(operation)}},
            "/fetch/{id}": {
                "post": {
                    "operationId": "fetch",
                    "parameters": [path_id],
                    **copy.deepcopy(operation),
                }
            },
        },
    }


def family_documents() -> list[Any]:
    """Parameters, each the bytes of a document of the vendor's family."""
    ours = {
        "rooms": rooms("400"),
        "films": _films(),
        "voices": _voices(),
        "models": _models(),
        "machines": _machines(),
    }
    params = [pytest.param(json.dumps(tree).encode(), id=name) for name, tree in ours.items()]
    files = sorted(VENDOR.glob("*.json"))
    return params + [pytest.param(file.read_bytes(), id=file.stem) for file in files]
