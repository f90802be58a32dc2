"""Schemas inside a document: places, references, keywords, loops and versions."""

from __future__ import annotations

import doctest
from typing import Any

import pytest

from fauxlab_contract.openapi import schema
from fauxlab_contract.openapi.dialect import (
    check_loops,
    check_schema,
    schemas_of,
    standard_members,
    subschemas,
)
from fauxlab_contract.openapi.references import Node, Problem, SchemaError, Tree
from fauxlab_contract.openapi.schema import Schema

Json = dict[str, Any]


def tree_of(**schemas: Any) -> Json:
    return {"components": {"schemas": schemas}}


def schema_of(tree: Json, schema: Any, pointer: str = "/here") -> Schema:
    return Schema(Tree(tree), schema, pointer)


def ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def refusal(schema: Any, **schemas: Any) -> tuple[str, str]:
    with pytest.raises(SchemaError) as caught:
        check_schema(schema_of(tree_of(**schemas), schema), "3.1", lambda *_: None)
    return caught.value.pointer, str(caught.value)


def loop(**schemas: Any) -> str:
    with pytest.raises(SchemaError) as caught:
        check_loops(schema_of(tree_of(**schemas), schemas["A"], "/components/schemas/A"))
    return str(caught.value)


def test_a_reference_is_followed_to_its_end() -> None:
    """A chain of references gives the last value, and its pointer."""
    tree = Tree(tree_of(A=ref("B"), B=ref("C"), C={"type": "string"}))
    last = Node(tree, {"type": "string"}, "/components/schemas/C")

    assert Node(tree, ref("A"), "/here").resolved == last
    assert last.resolved is last


@pytest.mark.parametrize(
    "reference, pointer, value",
    [("#/a~1b/~0c", "/a~1b/~0c", 1), ("#/a%20d/1", "/a d/1", 3), ("#/a%7E1b/~0c", "/a~1b/~0c", 1)],
    ids=["escapes", "percent and index", "escaped escape"],
)
def test_references_are_json_pointers(reference: str, pointer: str, value: Any) -> None:
    """~0, ~1, percent signs and array indices are read as RFC 6901 says; places are plain."""
    tree = Tree({"a/b": {"~c": 1}, "a d": [2, 3]})

    found = Node(tree, {"$ref": reference}, "").resolved

    assert found == Node(tree, value, pointer)


@pytest.mark.parametrize(
    "reference, message",
    [
        ("#/components/schemas/B", "$ref '#/components/schemas/B' names nothing in this document"),
        (
            "#/components/schemas/A/x",
            "$ref '#/components/schemas/A/x' names nothing in this document",
        ),
        ("#A", "$ref '#A' is not a path; write it such as #/components/schemas/Name"),
        (
            "https://example.com/a#/B",
            (
                "$ref 'https://example.com/a#/B' points outside this document; nothing is ever"
                " fetched or opened: copy what it names to here"
            ),
        ),
        (
            "other.yaml",
            (
                "$ref 'other.yaml' points outside this document; nothing is ever fetched or opened:"
                " copy what it names to here"
            ),
        ),
        (
            "file:///etc/passwd",
            (
                "$ref 'file:///etc/passwd' points outside this document; nothing is ever fetched or"
                " opened: copy what it names to here"
            ),
        ),
    ],
)
def test_other_references_are_refused(reference: str, message: str) -> None:
    """What is not in this document is neither fetched nor opened."""
    assert refusal({"$ref": reference}, A={}) == ("/here", message)


def test_a_reference_that_is_no_text_is_refused() -> None:
    """`$ref` must be a string."""
    assert refusal({"$ref": 5}) == ("/here", "$ref must be a string")


def test_unchecked_formats_are_noted() -> None:
    """A format that nobody checks is named; checked ones and mere annotations are not."""
    notes: list[tuple[str, Problem]] = []
    for form in ("uri", "uuid", "int64", "date-time"):
        check_schema(
            schema_of({}, {"format": form, "x-any": 1}, f"/{form}"),
            "3.1",
            lambda pointer, problem: notes.append((pointer, problem)),
        )

    problem = Problem("format 'date-time' is not checked", "unchecked-format")
    assert notes == [("/date-time", problem)]


@pytest.mark.parametrize(
    "schemas, names",
    [
        ({"A": ref("A")}, "A -> A"),
        ({"A": ref("B"), "B": ref("A")}, "A -> B -> A"),
        ({"A": {"allOf": [ref("A")]}}, "A -> A/allOf/0 -> A"),
        ({"A": {"anyOf": [True, ref("A")]}}, "A -> A/anyOf/1 -> A"),
        (
            {"A": {"oneOf": [ref("B")]}, "B": {"allOf": [ref("A")]}},
            "A -> A/oneOf/0 -> B -> B/allOf/0 -> A",
        ),
        ({"A": {"not": ref("A")}}, "A -> A/not -> A"),
        ({"A": {"if": ref("A")}}, "A -> A/if -> A"),
        ({"A": {"dependentSchemas": {"a/b": ref("A")}}}, "A -> A/dependentSchemas/a~1b -> A"),
    ],
)
def test_schemas_that_judge_for_ever_are_refused(schemas: Any, names: str) -> None:
    """A schema that leads back to itself for the same value is named with its whole way."""
    assert loop(**schemas) == "$ref goes in a circle: " + " -> ".join(
        f"#/components/schemas/{name}" for name in names.split(" -> ")
    )


def test_a_pure_circle_of_references_is_refused_when_it_is_followed() -> None:
    """`resolved` does not run for ever either."""
    with pytest.raises(
        SchemaError,
        match=r"^\$ref goes in a circle: #/components/schemas/A -> #/components/schemas/A$",
    ):
        _ = schema_of(tree_of(A=ref("A")), ref("A")).resolved


def test_a_recursive_tree_is_no_loop() -> None:
    """A schema that names itself for another value (a child) is fine."""
    tree = tree_of(A={"properties": {"children": {"items": ref("A")}}, "allOf": [True]})

    assert check_loops(Tree(tree).root.part("components", "schemas", "A")) == 6


def test_long_chains_are_refused() -> None:
    """More than 64 references or branches in a row are too many."""
    schemas = {f"A{i}": {"not": ref(f"A{i + 1}")} for i in range(100)} | {"A100": {}}

    assert (
        loop(A=ref("A0"), **schemas)
        == "its references and branches lead through more than 64 schemas"
    )
    with pytest.raises(SchemaError, match="leads through more than 64 references"):
        _ = schema_of(
            tree_of(**{f"A{i}": ref(f"A{i + 1}") for i in range(100)}), ref("A0")
        ).resolved


def test_branches_that_multiply_are_refused() -> None:
    """Ten levels of ten branches each are refused at once, although they are no circle."""
    schemas = {f"A{i}": {"allOf": [ref(f"A{i + 1}")] * 10} for i in range(10)} | {"A10": {}}

    assert loop(A=ref("A0"), **schemas) == "more than 10000 branches would judge one value"


def test_every_schema_of_a_document_is_found() -> None:
    """They stand in components, bodies, replies, parameters, headers and callbacks, not in data."""
    media = {
        "content": {
            "application/json": {
                "schema": {},
                "example": {"schema": {}},
                "examples": {"a": {"schema": {}}},
            }
        }
    }
    operation = {
        "parameters": [{"schema": {}}],
        "requestBody": media,
        "responses": {"200": media, "default": {**media, "headers": {"A": {"schema": True}}}},
        "callbacks": {"a": {"b": {"post": {"requestBody": media}}}},
    }
    tree = {**tree_of(A={}), "paths": {"/a": {"post": operation}}, "x-other": {"schema": {}}}
    tree["components"]["responses"] = {"R": media}
    place, media_schema = "/paths/~1a/post", "content/application~1json/schema"

    assert [schema.pointer for schema in schemas_of(Tree(tree).root)] == [
        "/components/schemas/A",
        f"{place}/parameters/0/schema",
        f"{place}/requestBody/{media_schema}",
        f"{place}/responses/200/{media_schema}",
        f"{place}/responses/default/{media_schema}",
        f"{place}/responses/default/headers/A/schema",
        f"{place}/callbacks/a/b/post/requestBody/{media_schema}",
        f"/components/responses/R/{media_schema}",
    ]


def test_schemas_inside_a_schema_are_found() -> None:
    """Single schemas, lists and maps of them are found; what enums and examples hold is not."""
    schema = {
        "items": {"not": {}},
        "allOf": [{}, True],
        "properties": {"items": {}, "a/b": {}},
        "enum": [{"items": {}}],
        "default": {"items": {}},
    }

    assert [inner.pointer for inner in subschemas(schema_of({}, schema, ""))] == [
        "",
        "/items",
        "/items/not",
        "/allOf/0",
        "/allOf/1",
        "/properties/items",
        "/properties/a~1b",
    ]


@pytest.mark.parametrize(
    "schema, standard",
    [
        ({"type": "string", "nullable": True}, {"type": ["string", "null"], "nullable": True}),
        ({"type": "string", "nullable": False}, {"type": "string", "nullable": False}),
        (
            {"type": "string", "nullable": True, "enum": ["a"]},
            {"type": ["string", "null"], "nullable": True, "enum": ["a"]},
        ),
        ({"maximum": 5, "exclusiveMaximum": True}, {"exclusiveMaximum": 5}),
        ({"maximum": 5, "exclusiveMaximum": False}, {"maximum": 5}),
        ({"minimum": 5, "exclusiveMinimum": True}, {"exclusiveMinimum": 5}),
        ({"exclusiveMinimum": True}, {}),
        (ref("A") | {"maxLength": 1, "nullable": True}, ref("A")),
        (
            {"properties": {"a": {"items": ref("A") | {"maxLength": 1}}}},
            {"properties": {"a": {"items": ref("A")}}},
        ),
        ({"type": "string", "format": "date"}, {"type": "string"}),
        ({"type": "string", "format": "uri"}, {"type": "string", "format": "uri"}),
    ],
)
def test_openapi_3_0_is_said_in_the_words_of_2020_12(schema: Any, standard: Any) -> None:
    """`nullable`, boolean exclusive bounds and ignored siblings of `$ref` become what they mean."""
    tree = tree_of(B=schema)

    found = standard_members(Tree(tree).root, "3.0")

    assert (found, tree) == (tree_of(B=standard), tree_of(B=schema))


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "nullable": True},
        {"maximum": 5, "exclusiveMaximum": 4},
        ref("A") | {"description": "d", "x-any": 1, "readOnly": True},
        True,
    ],
)
def test_openapi_3_1_stays_as_it_is(schema: Any) -> None:
    """3.1 is JSON Schema 2020-12 already."""
    assert standard_members(Tree(tree_of(B=schema)).root, "3.1") == tree_of(B=schema)


@pytest.mark.parametrize(
    "schema, standard",
    [
        (ref("A") | {"maxLength": 1}, {"maxLength": 1, "allOf": [ref("A")]}),
        (
            ref("A") | {"allOf": [{"maxLength": 1}]},
            {"allOf": [{"maxLength": 1}, ref("A")]},
        ),
        (
            {"properties": {"a": ref("A") | {"default": 1, "title": "t"}}},
            {"properties": {"a": {"default": 1, "title": "t", "allOf": [ref("A")]}}},
        ),
    ],
)
def test_what_stands_beside_a_reference_counts_in_3_1(schema: Any, standard: Any) -> None:
    """`$ref` with other keywords beside it is the same as an allOf of both."""
    assert standard_members(Tree(tree_of(B=schema)).root, "3.1") == tree_of(B=standard)


def test_schemas_of_a_default_reply_are_standardised_too() -> None:
    """A reply named `default` is a reply, not a default value."""
    media = {"content": {"application/json": {"schema": {"type": "string", "nullable": True}}}}

    tree = Tree({"paths": {"/a": {"get": {"responses": {"default": media}}}}})

    found = standard_members(tree.root, "3.0")

    assert found["paths"]["/a"]["get"]["responses"]["default"]["content"]["application/json"][
        "schema"
    ]["type"] == ["string", "null"]


def test_members_are_collected_through_references_and_all_of() -> None:
    """Properties and required names come from all parts, in order, the schema's own last."""
    tree = tree_of(
        A={"allOf": [ref("B"), True], "properties": {"a": {}}, "required": ["a", "b"]},
        B={"properties": {"b": {}}, "required": ["b"]},
    )

    schema = schema_of(tree, ref("A"))

    assert ([*schema.properties], schema.required) == (["b", "a"], ("b", "a"))
    assert (schema.but(True).properties, schema.but(False).required) == ({}, ())


def test_each_property_knows_its_place() -> None:
    """A property found through a reference and an allOf has the pointer where it is written."""
    tree = tree_of(
        A={"allOf": [ref("B")], "properties": {"a/b": True}}, B={"properties": {"b": {}}}
    )

    found = schema_of(tree, ref("A")).properties

    assert {name: (schema.value, schema.pointer) for name, schema in found.items()} == {
        "b": ({}, "/components/schemas/B/properties/b"),
        "a/b": (True, "/components/schemas/A/properties/a~1b"),
    }


def test_a_schema_is_compiled_once_for_its_place() -> None:
    """The validator is kept by the tree; another schema in the same place gets one of its own."""
    tree = Tree(tree_of(A={"maximum": 1}))
    first = Schema.of(tree.root.part("components", "schemas", "A"))
    again = Schema.of(tree.root.part("components", "schemas", "A"))
    other = first.but({"maximum": 2})

    assert first.validator is again.validator
    assert (first.validator.is_valid(2), other.validator.is_valid(2)) == (False, True)
    assert first.validator.is_valid(2) is False


def test_the_example_in_the_docstring_works() -> None:
    """What the module shows at its top is what it does."""
    assert doctest.testmod(schema) == (0, 4)
