"""Parameters of the path, the query and the headers, as they come in a request."""

from __future__ import annotations

from typing import Any

import pytest

from documents_small import one_operation
from fauxlab_contract.validation.parameters import parameter_violations

INTEGER = {"type": "integer", "minimum": 1, "maximum": 5}
PAGE = {"type": "object", "properties": {"page": {"type": "integer"}}}
FLAGS = {"type": "array", "items": {"type": "boolean"}}
LISTED = {"type": "array", "items": {"type": "integer"}, "maxItems": 2}


def broken(
    schema: Any, query: str = "", place: str = "query", path: str = "/things", **members: Any
) -> list[str]:
    """What the value of one parameter `p` breaks; a header's value is written as its query is."""
    parameter = {"name": "p", "in": place, "schema": schema, **members}
    (operation,) = one_operation(path, parameters=[parameter]).operations
    value = query.removeprefix("p=")
    in_path, headers = ({"p": value}, {}) if place == "path" else ({}, {"p": value})
    headers = headers if place == "header" and query else {}
    asked = query if place == "query" else ""
    return [str(one) for one in parameter_violations(operation, in_path, asked, headers)]


@pytest.mark.parametrize(
    "schema, query",
    [
        (INTEGER, "p=5"),
        (INTEGER, "q=9"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "p="),
        ({"type": "number"}, "p=1e3"),
        ({"type": "boolean"}, "p=True"),
        ({"type": "boolean"}, "p=0"),
        ({"type": "string", "pattern": "^[0-9]+$"}, "p=12"),
        ({"type": "string", "enum": ["a b"]}, "p=a+b"),
        ({"type": "string", "format": "uuid"}, "p=3f0e6f1c-52a6-4a4e-9d3c-0b7f5b3b1e11"),
        (LISTED, "p=1&p=2"),
        ({"anyOf": [LISTED, {"type": "null"}]}, "p=1"),
        ({"type": "array", "items": {"type": "string"}}, "p=1&p=x"),
        (FLAGS, "p=1&p=0&p=true"),
        ({"anyOf": [FLAGS, {"type": "null"}]}, "p=0&p=1"),
        ({"allOf": [FLAGS, {"maxItems": 2}]}, "p=0&p=1"),
        ({"type": "array", "items": {"type": ["integer", "null"]}}, "p=1&p=null"),
        (
            {"type": "array", "items": {"type": ["string", "boolean"], "enum": ["1", False]}},
            "p=1&p=0",
        ),
        ({"type": "array", "prefixItems": [{"type": "boolean"}, {"type": "string"}]}, "p=1&p=x"),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, "p=x"),
        ({"type": "object", "required": ["a"]}, "p=x"),
        (True, "p=x"),
    ],
)
def test_a_value_that_may_be_meant_is_right(schema: Any, query: str) -> None:
    """A text stands for a number, for true or for itself, whatever the schema takes."""
    assert broken(schema, query) == []


@pytest.mark.parametrize(
    "schema, query, message",
    [
        (INTEGER, "p=6", "query.p must be at most 5, not 6."),
        (INTEGER, "p=x", 'query.p must be an integer, not the text "x".'),
        (INTEGER, "p=", 'query.p must be an integer, not the text "".'),
        (INTEGER, "p=true", 'query.p must be an integer, not the text "true".'),
        (INTEGER, "p=1.5", 'query.p must be an integer, not the text "1.5".'),
        ({"type": "string", "maxLength": 1}, "p=12",
         'query.p must have at most 1 character; it is the text "12".'),
        ({"type": "string", "enum": ["a"]}, "p=b", 'query.p must be one of "a", not the text "b".'),
        ({"type": "boolean"}, "p=maybe", 'query.p must be a boolean, not the text "maybe".'),
        (LISTED, "p=1&p=2&p=3",
         "query.p must have at most 2 items; it is an array with 3 items."),
        (FLAGS, "p=1&p=x", 'query.p[1] must be a boolean, not the text "x".'),
        ({"type": "number", "multipleOf": 0.1}, "p=1e999",
         'query.p must be a number, not the text "1e999".'),
        ({"type": "integer"}, "p=-1e999", 'query.p must be an integer, not the text "-1e999".'),
        (LISTED, "p=x", 'query.p[0] must be an integer, not the text "x".'),
    ],
)  # fmt: skip
def test_a_value_that_nothing_can_mean_is_told(schema: Any, query: str, message: str) -> None:
    """The sentence is that of the reading which breaks the least."""
    assert broken(schema, query) == [message]


def test_a_required_parameter_must_be_there() -> None:
    """In the query, with or without a schema, and in a header; a cookie may be anybody's."""
    missing = {place: broken({}, place=place, required=True) for place in ("query", "header")}

    assert missing == {
        "query": ["The query parameter p is required."],
        "header": ["The header parameter p is required."],
    }
    numbered = {"name": "0", "in": "query", "required": True, "schema": INTEGER}
    (operation,) = one_operation(parameters=[numbered]).operations
    assert [*map(str, parameter_violations(operation, {}, "", {}))] == [
        "The query parameter 0 is required."
    ]
    assert broken({}, place="cookie", required=True) == []
    assert broken(INTEGER) == []


@pytest.mark.parametrize(
    "schema, members, is_told",
    [
        (PAGE, {}, False),  # ?page=0
        ({"anyOf": [PAGE, {"type": "null"}]}, {}, False),
        ({"anyOf": [PAGE, {"type": "string"}]}, {}, False),
        ({"properties": PAGE["properties"]}, {}, False),
        (PAGE, {"style": "deepObject", "explode": True}, False),  # ?p[page]=0
        (PAGE, {"style": "anotherStyle"}, False),
        (PAGE, {"explode": False}, True),  # ?p=page,0
        (PAGE, {"place": "header"}, True),
        (LISTED, {"style": "pipeDelimited"}, True),
        (LISTED, {"style": "spaceDelimited"}, True),
        (PAGE, {"content": {"application/json": {"schema": PAGE}}}, True),
    ],
)
def test_what_may_come_under_other_names_is_not_missing(
    schema: Any, members: dict[str, Any], is_told: bool
) -> None:
    """The members of an object have names of their own; all else comes under the parameter's."""
    place = members.get("place", "query")

    assert broken(schema, required=True, **members) == (
        [f"The {place} parameter p is required."] if is_told else []
    )


@pytest.mark.parametrize(
    "query, members, is_right",
    [
        ("p=1,2", {"explode": False}, True),
        ("p=1,x", {"explode": False}, False),
        ("p=1|2", {"style": "pipeDelimited"}, True),  # not judged
        ("p=", {"allowEmptyValue": True}, True),
    ],
)
def test_a_list_is_read_as_its_style_says(
    query: str, members: dict[str, Any], is_right: bool
) -> None:
    """By default each item comes with the name; without `explode` they are parted by commas."""
    assert (broken(LISTED, query, **members) == []) is is_right


def test_values_that_may_be_secret_are_not_shown() -> None:
    """Those of headers, and of parameters that are named like a key."""
    header = broken({"type": "string", "maxLength": 1}, "p=abcdef", "header")
    parameter = {"name": "api_key", "in": "query", "schema": {"type": "string", "maxLength": 1}}
    (operation,) = one_operation(parameters=[parameter]).operations
    named = parameter_violations(operation, {}, "api_key=abcdef", {})
    (other,) = one_operation(parameters=[parameter | {"name": "p"}]).operations
    held = parameter_violations(other, {}, "p=abcdef", {}, secret="abcdef")

    assert [header[0], *map(str, (*named, *held))] == [
        "header.p must have at most 1 character; it is a text.",
        "query.api_key must have at most 1 character; it is a text.",
        "query.p must have at most 1 character; it is a text.",
    ]


def test_a_part_of_the_path_is_judged_and_a_header_of_http_is_not() -> None:
    """OpenAPI gives the headers Accept, Content-Type and Authorization away."""
    accept = {"name": "Accept", "in": "header", "required": True, "schema": {"enum": ["x"]}}
    (operation,) = one_operation(parameters=[accept]).operations

    assert parameter_violations(operation, {}, "", {"accept": "*/*"}) == ()
    assert broken(INTEGER, "p=7", "path", "/things/{p}") == ["path.p must be at most 5, not 7."]
    assert broken(INTEGER, "p=3", "path", "/things/{p}") == []


def test_what_an_operation_declares_goes_before_what_its_path_declares() -> None:
    """A parameter of the same name and place is another one."""
    path = [{"name": "p", "in": "query", "required": True, "schema": INTEGER}]
    document = one_operation(parameters=path)
    (operation,) = document.operations
    own = [{"name": "p", "in": "query", "schema": {"type": "string"}}]
    (changed,) = one_operation(parameters=[*path, *own]).operations

    assert [str(one) for one in parameter_violations(operation, {}, "p=x", {})] == [
        'query.p must be an integer, not the text "x".'
    ]
    assert parameter_violations(changed, {}, "p=x", {}) == ()


def test_half_a_surrogate_pair_is_judged_as_another_text() -> None:
    """A path or a header may hold bytes that are no UTF-8: they break the schema, and nothing."""
    told = broken({"type": "integer"}, "p=\udc80", "path", "/things/{p}")

    assert told == ['path.p must be an integer, not the text "?".']
