"""The diff of documents that mean the same: other spellings, addresses that are cut elsewhere."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest

from fauxlab_contract.diff.report import Diff, compare_documents
from fauxlab_contract.openapi.document import Document, read_document

Tree = dict[str, Any]
NULL: Tree = {"type": "null"}
TEXT: Tree = {"type": "string"}
WHOLE: Tree = {"type": "integer"}
THING: Tree = {"type": "object", "required": ["a"], "properties": {"a": WHOLE}}
SCHEMAS = {"Thing": THING, "Text": TEXT, "Word": {"enum": ["a", "b"]}}


def ref(name: str) -> Tree:
    return {"$ref": f"#/components/schemas/{name}"}


SPELLINGS: dict[str, list[Tree]] = {
    "null": [
        {"type": ["string", "null"]},
        {"anyOf": [TEXT, NULL]},
        {"oneOf": [NULL, TEXT]},
        {"anyOf": [{"anyOf": [TEXT]}, NULL]},
        {"oneOf": [ref("Text"), NULL]},
    ],
    "types": [
        {"type": ["string", "integer"]},
        {"anyOf": [TEXT, WHOLE]},
        {"oneOf": [WHOLE, TEXT]},
    ],
    "bounds": [
        {"type": ["integer", "null"], "minimum": 1},
        {"anyOf": [{"type": "integer", "minimum": 1}, NULL]},
        {"anyOf": [WHOLE, NULL], "minimum": 1},
    ],
    "values": [
        {"enum": ["a", "b", None]},
        {"anyOf": [{"enum": ["a", "b"]}, NULL]},
        {"oneOf": [{"const": "a"}, {"const": "b"}, NULL]},
        {"anyOf": [ref("Word"), NULL]},
        {"type": ["string", "null"], "enum": ["a", "b", None]},
    ],
    "objects": [
        {"anyOf": [ref("Thing"), NULL]},
        {"oneOf": [NULL, ref("Thing")]},
        {**THING, "type": ["object", "null"]},
        {"anyOf": [{"allOf": [ref("Thing")]}, NULL]},
    ],
    "arrays": [
        {"type": ["array", "null"], "items": TEXT, "minItems": 1},
        {"anyOf": [{"type": "array", "items": TEXT, "minItems": 1}, NULL]},
    ],
    "one": [ref("Thing"), THING, *({word: [ref("Thing")]} for word in ("oneOf", "anyOf", "allOf"))],
    "booleans": [
        {"type": ["boolean", "null"]},
        {"anyOf": [{"type": "boolean"}, NULL]},
        {"enum": [True, False, None]},
    ],
}


def document(
    schema: Any, path: str = "/things", base: str = "https://api.example.com/v1", **members: Any
) -> Document:
    content = {"content": {"application/json": {"schema": schema}}}
    operation = {"requestBody": content, "responses": {"200": {"description": "", **content}}}
    tree = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "servers": [{"url": base}],
        "paths": {path: {"post": {**operation, **members}}},
        "components": {"schemas": SCHEMAS},
    }
    return read_document(json.dumps(tree).encode())


def with_field(schema: Tree) -> Document:
    return document({"type": "object", "properties": {"f": schema}})


def told(diff: Diff) -> list[tuple[str, str, str, str]]:
    return [(one.side, one.effect, one.kind, one.field) for one in diff.changes]


@pytest.mark.parametrize(
    "old, new",
    [
        pytest.param(old, new, id=f"{name}-{i}")
        for name, same in SPELLINGS.items()
        for i, (old, new) in enumerate(permutations(same, 2))
    ],
)
def test_another_spelling_is_no_change(old: Tree, new: Tree) -> None:
    """In a field, and as the body itself."""
    assert told(compare_documents(with_field(old), with_field(new))) == []
    assert told(compare_documents(document(old), document(new))) == []


@pytest.mark.parametrize(
    "old, new, kind, field",
    [
        ({"anyOf": [TEXT, NULL]}, TEXT, "type-removed", "f"),
        (
            {"anyOf": [{**WHOLE, "maximum": 5}, NULL]},
            {"type": ["integer", "null"], "maximum": 3},
            "bound-tightened",
            "f",
        ),
        (
            {"type": ["string", "null"]},
            {"anyOf": [{**TEXT, "maxLength": 3}, NULL]},
            "bound-tightened",
            "f",
        ),
        (
            {"anyOf": [ref("Thing"), NULL]},
            {"oneOf": [{"allOf": [ref("Thing")], "required": ["b"]}, NULL]},
            "field-required",
            "f.b",
        ),
        (
            {"oneOf": [{"const": "a"}, {"const": "b"}]},
            {"enum": ["a"]},
            "value-removed",
            "f",
        ),
        (
            {"anyOf": [{**TEXT, "format": "uri"}, {**TEXT, "pattern": "^data:"}]},
            {**TEXT, "format": "uri"},
            "shape-removed",
            "f",
        ),
    ],
)
def test_a_change_behind_another_spelling_is_told(
    old: Tree, new: Tree, kind: str, field: str
) -> None:
    """Once for each side, with its field: breaking for requests, harmless in replies."""
    assert told(compare_documents(with_field(old), with_field(new))) == [
        ("request", "breaking", kind, field),
        ("reply", "harmless", kind, field),
    ]


def test_a_change_behind_a_reference_has_its_field() -> None:
    """So that it can be waived by it, wherever the schema stands."""
    old, new = ({"type": "array", "items": {"properties": {"t": one}}} for one in (TEXT, WHOLE))
    diff = compare_documents(with_field(old), with_field(new))

    assert {change.field for change in diff.changes} == {"f.t"}
    assert diff.waive("type-removed:f.t", "x").waive("type-added:f.t", "x").is_ok


def test_a_change_of_a_parameter_has_its_name() -> None:
    """As the field by which it is waived."""
    parameters = [{"name": "n", "in": "query", "required": need} for need in (False, True)]
    old, new = (document(True, parameters=[parameter]) for parameter in parameters)

    assert told(compare_documents(old, new)) == [("request", "breaking", "parameter-required", "n")]


@pytest.mark.parametrize(
    "new_path, new_base, expected",
    [
        ("/a/fetch/{id}", "https://api.example.com/v1", []),
        ("/v1/a/fetch/{number}", "https://api.example.com", []),
        ("/fetch/{id}", "https://api.example.com/v2/a", ["server-changed"]),
        ("/fetch/{id}", "https://api.example.org/v1/a", ["server-changed"]),
        ("/a/fetch/{id}", "https://api.example.org/v1", ["server-changed"]),
        ("/a/b/{id}", "https://api.example.com/v1", ["operation-removed", "operation-added"]),
    ],
)
def test_a_path_may_move_into_the_address_of_the_server(
    new_path: str, new_base: str, expected: list[str]
) -> None:
    """What clients call counts: the whole address. What changes besides is told."""
    old = document({"type": "object"}, "/fetch/{id}", "https://api.example.com/v1/a")
    new = document({"type": "object", "required": ["key"]}, new_path, new_base)

    kinds = [change.kind for change in compare_documents(old, new).changes]

    inside = [] if "operation-removed" in expected else ["field-required"] * 2
    assert sorted(kinds) == sorted([*expected, *inside])


def test_a_server_of_an_operation_is_its_address() -> None:
    """It may say what the path said before; another host is told."""
    here = [{"url": "https://api.example.com/v1/a"}]
    old = document(True, "/fetch/{id}", "https://api.example.com/v9", servers=here)
    same = document(True, "/a/fetch/{id}", "https://api.example.com/v1")
    other = document(True, "/a/fetch/{id}", "https://api.example.org/v1")

    assert told(compare_documents(old, same)) == []
    assert [one.message for one in compare_documents(old, other).changes] == [
        "The address goes from https://api.example.com/v1/a to https://api.example.org/v1."
    ]
