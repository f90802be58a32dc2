"""One plain value for a schema."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fauxlab_contract.generation.sample import sample
from fauxlab_contract.openapi.document import load_document
from fauxlab_contract.openapi.references import Tree
from fauxlab_contract.openapi.schema import Schema
from fauxlab_contract.validation.bodies import response_violations

TREE = Tree(
    {
        "components": {
            "schemas": {
                "Name": {"type": "string", "minLength": 3},
                "Tree": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {
                        "name": {"type": "string"},
                        "children": {"$ref": "#/components/schemas/Trees"},
                    },
                },
                "Trees": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}},
            }
        }
    }
)
NAME = {"$ref": "#/components/schemas/Name"}


@pytest.mark.parametrize(
    "schema, value",
    [
        pytest.param({"type": "string", "example": "e", "default": "d"}, "e", id="example first"),
        pytest.param(
            {"type": "string", "examples": [1, "e"], "default": "d"}, "e", id="first valid example"
        ),
        pytest.param(
            {"type": "string", "example": 1, "default": "d"},
            "d",
            id="default when the example is invalid",
        ),
        pytest.param({"const": [1]}, [1], id="const"),
        pytest.param({"type": "string", "enum": ["b", "a"]}, "b", id="first of an enum"),
        pytest.param({"type": "string"}, "sample", id="text"),
        pytest.param({"type": "string", "maxLength": 3}, "sam", id="short text"),
        pytest.param({"type": "string", "minLength": 8}, "samplexx", id="long text"),
        pytest.param({"type": "string", "format": "uri"}, "https://example.com/sample", id="uri"),
        pytest.param(
            {"type": "string", "format": "uuid"}, "00000000-0000-4000-8000-000000000000", id="uuid"
        ),
        pytest.param({"type": "boolean"}, True, id="boolean"),
        pytest.param({"type": "null"}, None, id="null"),
        pytest.param({"type": ["integer", "string"]}, 1, id="first of two types"),
        pytest.param({"type": "integer", "maximum": -3}, -3, id="maximum"),
        pytest.param({"type": "integer", "minimum": 1.5}, 2, id="whole number above a fraction"),
        pytest.param({"type": "integer", "multipleOf": 8, "minimum": 10}, 16, id="multiple"),
        pytest.param({"type": "number", "minimum": 0.25, "maximum": 0.3}, 0.3, id="narrow"),
        pytest.param({"type": "number", "exclusiveMinimum": 1}, 1.5, id="exclusive minimum"),
        pytest.param({"type": "integer", "exclusiveMaximum": 1}, 0, id="exclusive maximum"),
        pytest.param(
            {"type": "number", "multipleOf": 1e-310, "minimum": 1},
            1,
            id="a step too small for a double",
        ),
        pytest.param({"type": "array", "items": NAME}, ["sample"], id="array of one"),
        pytest.param({"type": "array", "items": NAME, "maxItems": 0}, [], id="array of none"),
        pytest.param(
            {"type": "array", "items": NAME, "minItems": 2}, ["sample", "sample"], id="array of two"
        ),
        pytest.param(
            {"type": "object", "required": ["a"], "properties": {"b": NAME}},
            {"b": "sample", "a": ""},
            id="object",
        ),
        pytest.param({"properties": {"b": NAME}}, {"b": "sample"}, id="object without a type"),
        pytest.param({"oneOf": [NAME, {"type": "null"}]}, "sample", id="first branch"),
        pytest.param({"anyOf": [{"type": "integer"}]}, 1, id="first of any"),
        pytest.param({"allOf": [NAME], "description": "x"}, "sample", id="allOf of text"),
        pytest.param(
            {"allOf": [{"type": "object", "properties": {"a": NAME}}, {"required": ["b"]}]},
            {"a": "sample", "b": ""},
            id="allOf of objects",
        ),
        pytest.param({"$ref": "#/components/schemas/Name"}, "sample", id="reference"),
        pytest.param(True, {}, id="anything"),
        pytest.param({}, {}, id="no keyword"),
    ],
)
def test_a_sample_is_the_plainest_value(schema: Any, value: Any) -> None:
    """Examples and defaults go first, then the smallest value that fits."""
    placed = Schema(TREE, schema, "/here")

    found = sample(placed)

    assert (found, type(found), placed.validator.is_valid(found)) == (
        value,
        type(value),
        True,
    )


def test_a_recursive_schema_ends() -> None:
    """A tree of trees is sampled to a few levels, and is valid."""
    schema = Schema(TREE, {"$ref": "#/components/schemas/Tree"}, "/here")

    assert schema.validator.violations(sample(schema)) == ()


@given(
    kind=st.sampled_from(["integer", "number"]),
    low=st.one_of(st.none(), st.integers(-50, 50), st.floats(-50, 50)),
    width=st.one_of(st.none(), st.floats(2, 50)),
    unit=st.sampled_from([None, 1, 0.5, 2]),
    exclusive=st.booleans(),
)
def test_bounds_are_kept(
    kind: str, low: float | None, width: float | None, unit: float | None, exclusive: bool
) -> None:
    """Whatever the bounds are, a number between them is found when they leave room for one."""
    names = ("exclusiveMinimum", "exclusiveMaximum") if exclusive else ("minimum", "maximum")
    high = None if width is None else (low or 0) + 2 * width
    limits = {names[0]: low, names[1]: high, "multipleOf": unit}
    bounds = {name: limit for name, limit in limits.items() if limit is not None}
    schema = Schema(Tree({}), {"type": kind, **bounds}, "/here")

    assert schema.validator.violations(sample(schema)) == ()


def test_each_variant_of_the_bundled_document_can_be_sampled() -> None:
    """The sample of a branch is a valid reply, but for what only the prose promises."""
    document = load_document()
    found = [
        (
            variant.word,
            response_violations(operation, sample(variant.schema)),
        )
        for operation in document.operations
        for variant in operation.variants.values()
    ]

    assert found == [
        (word, ())
        for word in ("success", "processing", "error", "success", "processing", "failed", "error")
    ]
