"""What OpenAPI says beside JSON Schema, and spellings of one schema, judged by what they mean."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fauxlab_contract.audit.report import audit_document
from fauxlab_contract.diff.report import compare_documents
from fauxlab_contract.generation.sample import sample
from fauxlab_contract.openapi.document import Document, read_document
from fauxlab_contract.validation.bodies import (
    coerce_request,
    request_violations,
    response_violations,
)

Json = dict[str, Any]
TEXT, INTEGER = {"type": "string"}, {"type": "integer"}


def ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def document(request: Any, reply: Any = True, version: str = "3.1.0", **schemas: Any) -> Document:
    tree = {
        "openapi": version,
        "info": {"title": "t", "version": "1"},
        "servers": [{"url": "https://api.example.com/v1"}],
        "paths": {
            "/a": {
                "post": {
                    "requestBody": {"content": {"application/json": {"schema": request}}},
                    "responses": {
                        "200": {
                            "description": "",
                            "content": {"application/json": {"schema": reply}},
                        }
                    },
                }
            }
        },
        "components": {"schemas": schemas},
    }
    return read_document(json.dumps(tree).encode())


def broken(judged: Document, body: Any) -> list[tuple[str, str]]:
    found = request_violations(judged.operations[0], body)
    return [(violation.pointer, violation.keyword) for violation in found]


def broken_reply(judged: Document, body: Any) -> list[tuple[str, str]]:
    found = response_violations(judged.operations[0], body)
    return [(violation.pointer, violation.keyword) for violation in found]


BASE = {"type": "object", "properties": {"key": TEXT}}
BESIDE = {"required": ["width"], "properties": {"width": {"type": "integer", "maximum": 8}}}
SPELLINGS = {
    "sibling": {**ref("Base"), **BESIDE},
    "allOf": {"allOf": [ref("Base")], **BESIDE},
    "two parts": {"allOf": [ref("Base"), BESIDE]},
}


@pytest.mark.parametrize("schema", SPELLINGS.values(), ids=SPELLINGS)
def test_what_stands_beside_a_reference_counts(schema: Json) -> None:
    """In 3.1 `$ref` with siblings means what an allOf of both means, whoever asks."""
    judged = document(schema, schema, Base=BASE)
    (operation,) = judged.operations
    request = operation.request

    assert broken(judged, {"width": 9, "key": 1}) == [("/key", "type"), ("/width", "maximum")]
    assert broken(judged, {}) == [("/width", "required")]
    assert request is not None
    assert ([*request.properties], request.required) == (["key", "width"], ("width",))
    assert coerce_request(operation, {"width": "7"}, 0) == {"width": 7}
    assert broken_reply(judged, {}) == [("/width", "required")]
    assert operation.reply_schema is not None
    assert sample(operation.reply_schema) == {"key": "sample", "width": 1}


def test_a_change_beside_a_reference_is_a_change() -> None:
    """A field that is newly required beside `$ref` breaks those who send."""
    old, new = (
        document({**ref("Base"), **more}, Base=BASE) for more in ({}, {"required": ["key"]})
    )

    assert [change.rule for change in compare_documents(old, new).changes] == ["field-required"]


def test_branches_of_a_reply_have_all_that_stands_beside_them() -> None:
    """What a reply demands of all its branches is demanded of each, and of a part of an allOf."""
    words = [
        {"type": "object", "properties": {"status": {"enum": [word]}}}
        for word in ("success", "failed")
    ]
    beside = {"type": "object", "required": ["id"], "properties": {"id": INTEGER}}
    for reply in ({**beside, "oneOf": words}, {**ref("Words"), **beside}):
        judged = document(True, reply, Words={"oneOf": words})
        variants = judged.operations[0].variants

        assert {word: variant.required for word, variant in variants.items()} == {
            "success": ("id",),
            "failed": ("id",),
        }
        assert broken_reply(judged, {"status": "success"}) == [("/id", "required")]


THING = {
    "type": "object",
    "required": ["id", "name", "secret"],
    "properties": {
        "id": {"type": "integer", "readOnly": True},
        "name": TEXT,
        "secret": {"type": "string", "writeOnly": True},
    },
}
PARTS = {"allOf": [{"properties": THING["properties"]}, {"required": THING["required"]}]}
REFERRING = {"allOf": [ref("Needs"), {"properties": THING["properties"]}]}


@pytest.mark.parametrize(
    "thing", [THING, ref("Thing"), PARTS, REFERRING], ids=["here", "named", "parts", "needs"]
)
def test_read_only_fields_are_required_of_replies_alone(thing: Json) -> None:
    """In 3.0 a required readOnly field is for replies, a writeOnly one for requests."""
    needs = {"type": "object", "required": THING["required"]}
    judged = document(thing, thing, "3.0.3", Thing=THING, Needs=needs)

    assert broken(judged, {"name": "n", "secret": "s"}) == []
    assert broken(judged, {"id": 1, "name": "n"}) == [("/secret", "required")]
    assert broken_reply(judged, {"id": 1, "name": "n"}) == []
    assert broken_reply(judged, {"name": "n", "secret": "s"}) == [("/id", "required")]


def test_read_only_fields_below_the_top_are_seen() -> None:
    """Items and nested objects have a direction as well."""
    below = {"type": "object", "properties": {"things": {"type": "array", "items": ref("Thing")}}}
    judged = document(below, below, "3.0.3", Thing=THING)

    assert broken(judged, {"things": [{"name": "n"}]}) == [("/things/0/secret", "required")]
    assert broken_reply(judged, {"things": [{"name": "n"}]}) == [("/things/0/id", "required")]


def test_read_only_says_nothing_about_required_in_3_1() -> None:
    """There both are annotations."""
    assert broken(document(THING), {"name": "n"}) == [("/id", "required"), ("/secret", "required")]


def test_what_tells_shapes_apart_stays_required() -> None:
    """Inside `not` and branches, a required readOnly field is the difference between shapes."""
    schema = {
        "type": "object",
        "properties": {"id": {"type": "integer", "readOnly": True}, "name": TEXT},
        "oneOf": [{"required": ["id"]}, {"required": ["name"]}],
    }

    assert broken(document(schema, version="3.0.3"), {"name": "n"}) == []


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
def test_a_made_value_leaves_out_what_the_other_direction_has(version: str) -> None:
    """A reply that is made has no writeOnly field, a request no readOnly one."""
    optional = {**THING, "required": []}
    (operation,) = document(optional, optional, version).operations
    assert operation.request is not None
    assert operation.reply_schema is not None

    made = sample(operation.request.schema), sample(operation.reply_schema)

    assert made == ({"name": "sample", "secret": "sample"}, {"id": 1, "name": "sample"})


def test_examples_may_be_right_in_either_direction() -> None:
    """A component's example without its readOnly fields is no mistake in 3.0."""
    thing = {**THING, "example": {"name": "n", "secret": "s"}}
    judged = document(ref("Thing"), ref("Thing"), "3.0.3", Thing=thing)

    assert [one for one in audit_document(judged).findings if one.rule == "invalid-example"] == []


def test_a_read_only_field_may_become_required() -> None:
    """For those who send, nothing changes."""
    old, new = (
        document({**THING, "required": names}, version="3.0.3")
        for names in (["name"], ["name", "id"])
    )

    assert compare_documents(old, new).changes == ()


MODE = {"type": "string", "nullable": True, "enum": ["a"]}


def test_nullable_adds_nothing_to_an_enum() -> None:
    """In 3.0 null is refused unless the enum lists it; the notice says so."""
    judged = document({"properties": {"mode": MODE}}, version="3.0.3")
    listed = {**MODE, "enum": ["a", None]}

    assert broken(judged, {"mode": None}) == [("/mode", "enum")]
    assert [notice.problem for notice in judged.notices] == [
        "nullable has no effect beside an enum that does not list null: null is refused"
    ]
    assert broken(document({"properties": {"mode": listed}}, version="3.0.3"), {"mode": None}) == []


def test_nullable_with_an_enum_is_compared_by_its_meaning() -> None:
    """It is the same in 3.1 with a list of types."""
    old = document({"properties": {"mode": MODE}}, version="3.0.3")
    new = document({"properties": {"mode": {"type": ["string", "null"], "enum": ["a"]}}})

    assert compare_documents(old, new).changes == ()


SIZE = {"type": "integer", "maximum": 1024}


@pytest.mark.parametrize(
    "field",
    [
        SIZE,
        ref("Size"),
        {"allOf": [ref("Size")]},
        {**ref("Size"), "minimum": 1},
        {"type": ["integer", "null"]},
        {"anyOf": [{"type": "number"}, {"type": "null"}]},
        {"enum": [256, 512]},
    ],
    ids=str,
)
def test_numeric_text_is_coerced_however_a_number_is_spelt(field: Json) -> None:
    """What the document says a field is decides, through references, allOf, branches and enums."""
    (operation,) = document({"properties": {"w": field}}, Size=SIZE).operations

    assert coerce_request(operation, {"w": "512"}, 0) == {"w": 512}


@pytest.mark.parametrize("field", [TEXT, {"anyOf": [INTEGER, TEXT]}, True, {}, {"allOf": [TEXT]}])
def test_numeric_text_stays_where_a_text_may_stand(field: Any) -> None:
    """A field that takes texts, or anything, keeps the text."""
    (operation,) = document({"properties": {"w": field}}).operations

    assert coerce_request(operation, {"w": "512"}, 0) == {"w": "512"}
