"""Bodies for requests of other shapes: null, patterns, tuples, arrays, members, conditions."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings

from fauxlab_contract.generation.boundaries import (
    RequestCase,
    boundary_requests,
    smallest_request,
)
from fauxlab_contract.generation.shapes import NoValueError
from fauxlab_contract.generation.smallest import has_valid_body, smallest_value
from fauxlab_contract.generation.strategies import invalid_requests, valid_requests
from fauxlab_contract.openapi.document import read_document
from fauxlab_contract.openapi.operation import Operation
from fauxlab_contract.openapi.references import Tree
from fauxlab_contract.openapi.schema import Schema

BOUND = {"minimum": 1, "maximum": 1024}


def operation(**schema: Any) -> Operation:
    """An operation that takes an object of this schema."""
    request = {"type": "object", **schema}
    tree = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {
            "/things": {
                "post": {
                    "requestBody": {"content": {"application/json": {"schema": request}}},
                    "responses": {"200": {"description": "ok"}},
                }
            }
        },
    }
    return read_document(json.dumps(tree).encode()).operations[0]


def broken(taking: Operation) -> set[tuple[str, str]]:
    """The rules that the cases break, each with its place."""
    return {(case.pointer, case.keyword) for case in boundary_requests(taking) if case.keyword}


@pytest.mark.parametrize(
    "nullable",
    [
        {"type": ["integer", "null"], **BOUND},
        {"anyOf": [{"type": "integer", **BOUND}, {"type": "null"}]},
        {"allOf": [{"type": "integer"}, BOUND]},
    ],
    ids=["a list of types", "anyOf", "allOf"],
)
def test_both_sides_of_a_bound_are_tried_however_the_field_is_spelled(
    nullable: dict[str, Any],
) -> None:
    """A field that may be null has the edges of one that may not."""
    plain = operation(properties={"n": {"type": "integer", **BOUND}})
    spelled = operation(properties={"n": nullable})

    values = [
        {
            case.body.get("n")
            for case in boundary_requests(taking)
            if type(case.body.get("n")) is int
        }
        for taking in (plain, spelled)
    ]

    assert values[0] == values[1]


def test_the_number_of_items_and_each_item_are_tried() -> None:
    """An array breaks its own rules, and each rule of an item at the item's place."""
    items = {"type": "integer", "maximum": 9}
    array = {"type": "array", "minItems": 2, "maxItems": 3, "uniqueItems": True, "items": items}

    assert {
        ("/list", "minItems"),
        ("/list", "maxItems"),
        ("/list", "uniqueItems"),
        ("/list/0", "maximum"),
        ("/list/0", "type"),
    } <= broken(operation(properties={"list": array}))


def test_bounds_below_the_top_level_are_tried() -> None:
    """A member of a member has its edges, and may be missing."""
    inner = {"type": "object", "properties": {"n": {"type": "integer", **BOUND}}, "required": ["n"]}

    found = broken(operation(properties={"a": inner}))

    assert {("/a/n", "minimum"), ("/a/n", "maximum"), ("/a/n", "required")} <= found


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": "^[0-9]{4}-[A-Z]{2}$"},
        {
            "type": "array",
            "prefixItems": [{"type": "integer", "minimum": 5}, {"type": "boolean"}],
            "items": False,
            "minItems": 2,
        },
        {"type": "string", "format": "uuid"},
        {"type": "integer", "enum": [3, 5]},
    ],
    ids=["pattern", "tuple", "uuid", "listed numbers"],
)
def test_a_required_field_that_is_not_plain_is_filled(schema: dict[str, Any]) -> None:
    """The smallest body is valid, and both strategies draw."""
    taking = operation(properties={"code": schema}, required=["code"])

    assert has_valid_body(taking, smallest_request(taking))

    @settings(max_examples=20)
    @given(valid_requests(taking), invalid_requests(taking))
    def bodies_are_as_they_say(body: dict[str, Any], case: RequestCase) -> None:
        assert has_valid_body(taking, body)
        assert not has_valid_body(taking, case.body)

    bodies_are_as_they_say()


def test_a_case_breaks_no_condition_between_fields() -> None:
    """What is valid by itself and not beside the others is no valid case."""
    taking = operation(
        properties={"a": {"type": "integer"}, "b": {"type": "integer"}},
        dependentRequired={"a": ["b"]},
        additionalProperties=False,
    )

    cases = boundary_requests(taking)

    assert [case for case in cases if case.is_valid != has_valid_body(taking, case.body)] == []
    assert ("/not_declared", "additionalProperties") in broken(taking)


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"n": {"type": "integer", "minimum": 10, "maximum": 1}}, "required": ["n"]},
        {
            "properties": {"n": {"type": "string", "pattern": "a", "maxLength": 0}},
            "required": ["n"],
        },
    ],
    ids=["bounds", "pattern and length"],
)
def test_a_request_without_any_valid_body_has_no_cases(schema: dict[str, Any]) -> None:
    """No case is made, and the strategies say so in a sentence."""
    taking = operation(**schema)

    assert boundary_requests(taking) == ()
    with pytest.raises(NoValueError, match="no valid body could be made"):
        valid_requests(taking)


def test_a_request_that_nothing_can_break_has_no_invalid_body() -> None:
    """Where every object is allowed, that is a sentence."""
    with pytest.raises(NoValueError, match="a body can break no rule"):
        invalid_requests(operation())


@pytest.mark.parametrize("keyword", ["properties", "oneOf"])
def test_what_requires_itself_without_an_end_has_no_value(keyword: str) -> None:
    """It is said, and nothing runs out of its depth."""
    loop = {"$ref": "#/components/schemas/A"}
    inside = (
        loop
        if keyword == "properties"
        else {"oneOf": [loop, {"type": "array", "items": loop, "minItems": 1}]}
    )
    schema = {"type": "object", "required": ["a"], "properties": {"a": inside}}
    tree = Tree({"components": {"schemas": {"A": schema}}})

    with pytest.raises(NoValueError):
        smallest_value(Schema(tree, schema, "/components/schemas/A"))


@pytest.mark.parametrize(
    "following",
    [
        {"anyOf": [{"$ref": "#/components/schemas/Node"}, {"type": "null"}]},
        {"anyOf": [{"$ref": "#/components/schemas/Endless"}, {"type": "null"}]},
    ],
)
def test_a_required_member_that_may_be_null_ends_a_list(following: Any) -> None:
    """So pydantic writes `next: Node | None`; null is drawn where nothing else has an end."""
    endless = {"$ref": "#/components/schemas/Endless"}
    schemas = {
        "Node": {"type": "object", "required": ["next"], "properties": {"next": following}},
        "Endless": {"type": "object", "required": ["n"], "properties": {"n": endless}},
    }
    tree = Tree({"components": {"schemas": schemas}})
    schema = Schema(tree, schemas["Node"], "/components/schemas/Node")

    value = smallest_value(schema)

    depth, innermost = 0, value
    while innermost["next"]:
        depth, innermost = depth + 1, innermost["next"]
    assert (innermost, depth <= 6) == ({"next": None}, True)
