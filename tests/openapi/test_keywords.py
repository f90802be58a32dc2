"""Keywords that cannot be used spoil their own field, never the whole document."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fauxlab_contract.openapi.document import Document, DocumentError, check_served, read_document
from fauxlab_contract.validation.bodies import request_violations

BODY = "/paths/~1a/post/requestBody/content/application~1json/schema"


def document(schema: Any, version: str = "3.1.0") -> Document:
    """One operation that takes `{"n": an integer, "f": schema}`."""
    body = {"type": "object", "properties": {"n": {"type": "integer"}, "f": schema}}
    operation = {
        "requestBody": {"content": {"application/json": {"schema": body}}},
        "responses": {
            "200": {"description": "", "content": {"application/json": {"schema": True}}}
        },
    }
    tree = {"openapi": version, "info": {"title": "t"}, "paths": {"/a": {"post": operation}}}
    return read_document(json.dumps(tree).encode())


UNUSABLE = [
    ({"optional": True}, "the schema keyword 'optional' is not understood, so it is not checked"),
    (
        {"minLenght": 1},
        "the schema keyword 'minLenght' is not understood (minLength?), so it is not checked",
    ),
    ({"$id": "http://["}, "the schema keyword '$id' is not understood, so it is not checked"),
    (
        {"$dynamicRef": "#none"},
        "the schema keyword '$dynamicRef' is not understood, so it is not checked",
    ),
    (
        {"dependencies": {"a": ["b"]}},
        "the schema keyword 'dependencies' is not understood, so it is not checked",
    ),
    (
        {"maximum": "26"},
        'the keyword maximum is not valid ("26" is not of type "number"), so it is not checked',
    ),
    (
        {"required": True},
        'the keyword required is not valid (true is not of type "array"), so it is not checked',
    ),
    (
        {"format": {}},
        'the keyword format is not valid ({} is not of type "string"), so it is not checked',
    ),
    (
        {"title": 5},
        'the keyword title is not valid (5 is not of type "string"), so it is not checked',
    ),
    ({"oneOf": []}, "the keyword oneOf is not a list of one or more schemas, so it is not checked"),
    ({"oneOf": {}}, "the keyword oneOf is not a list of one or more schemas, so it is not checked"),
    (
        {"properties": []},
        "the keyword properties is not an object of schemas, so it is not checked",
    ),
    (
        {"pattern": "^[\\w-.]+$"},
        r"the pattern '^[\\w-.]+$' cannot be read by fauxlab, so it is not checked",
    ),
    (
        {"pattern": "^[^]+$"},
        "the pattern '^[^]+$' cannot be read by fauxlab, so it is not checked",
    ),
    (
        {"patternProperties": {"(": {}}},
        "the pattern '(' cannot be read by fauxlab, so it is not checked",
    ),
    (
        {"$schema": "http://json-schema.org/draft-07/schema#"},
        "$schema 'http://json-schema.org/draft-07/schema#' is not understood; the schema is read as"
        " https://json-schema.org/draft/2020-12/schema",
    ),
]


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
@pytest.mark.parametrize("schema, problem", UNUSABLE, ids=[str(row[0]) for row in UNUSABLE])
def test_a_keyword_that_cannot_be_used_is_a_notice(schema: Any, problem: str, version: str) -> None:
    """Its field takes everything, the fields beside it are judged as before."""
    loaded = document(schema, version)
    found = request_violations(loaded.operations[0], {"n": "x", "f": "text"})

    assert [(notice.problem, notice.pointers) for notice in loaded.notices] == [
        (problem, (f"{BODY}/properties/f",))
    ]
    assert [violation.pointer for violation in found] == ["/n"]


@pytest.mark.parametrize(
    "schema, below",
    [(None, ""), (5, ""), ([], ""), ("text", ""), ({"items": [{}]}, "/items")],
)
def test_what_is_no_schema_is_a_notice(schema: Any, below: str) -> None:
    """A field whose schema is no object takes everything."""
    loaded = document(schema)
    found = request_violations(loaded.operations[0], {"n": "x", "f": 1})

    assert [str(notice) for notice in loaded.notices] == [
        f"a schema must be an object, so this is not checked (at {BODY}/properties/f{below})"
    ]
    assert [violation.pointer for violation in found] == ["/n"]


def test_what_stands_beside_a_reference_in_3_0_is_not_looked_at() -> None:
    """OpenAPI 3.0 ignores it, so nothing is said of it."""
    assert document({"$ref": f"#{BODY}/properties/n", "optional": 1}, "3.0.0").notices == ()


@pytest.mark.parametrize("member", ["webhooks", "components"])
def test_a_document_without_operations_is_read_but_not_served(member: str) -> None:
    """OpenAPI 3.1 allows a document of webhooks or components alone."""
    hook = {"done": {"post": {"responses": {"200": {"description": "ok"}}}}}
    tree = {"openapi": "3.1.0", member: hook if member == "webhooks" else {}}
    loaded = read_document(json.dumps(tree).encode(), "d.json")

    assert loaded.operations == ()
    with pytest.raises(DocumentError) as caught:
        check_served(loaded)
    assert str(caught.value) == (
        "d.json: at /paths: it has no operations, so there is nothing to serve"
    )


@pytest.mark.parametrize(
    "schema, problem",
    [
        ({"minimum": 10, "maximum": 1}, "has minimum 10 and maximum 1: no number is within both"),
        ({"minLength": 2, "maxLength": 1}, "needs at least 2 characters and at most 1"),
        ({"type": "string", "enum": [1]}, "has types and values that exclude each other"),
        ({"enum": []}, "has types and values that exclude each other"),
    ],
)
def test_a_field_that_no_value_fits_is_a_notice(schema: Any, problem: str) -> None:
    """Contradictory bounds, lengths, types and values are told with the field's name."""
    assert [notice.problem for notice in document(schema).notices] == [
        f"f {problem}, so no value fits"
    ]
