"""The values at the edges of a field, as whole lists: each value and the rule that it breaks."""

from __future__ import annotations

import math
from typing import Any

import pytest

from fauxlab_contract.generation.nested import all_values
from fauxlab_contract.generation.values import (
    Value,
    bound_values,
    judged,
    multiples_of,
    range_of,
)
from fauxlab_contract.openapi.document import load_document
from fauxlab_contract.openapi.references import Tree
from fauxlab_contract.openapi.schema import Schema

SUBMIT = load_document().operations[0]
ULP = math.ulp(1.0)  # above 1; below 1 it is half of that


def values(keywords: dict[str, Any]) -> list[tuple[Any, str]]:
    return [(value.value, value.keyword) for value in bound_values(keywords)]


def neighbours(keywords: dict[str, Any], name: str = "any") -> list[tuple[Any, str]]:
    """What is tried beside the bounds."""
    edges = list(bound_values(keywords))
    schema = Schema(Tree({}), keywords, "")
    found = list(all_values(SUBMIT, name, schema))
    assert found[: len(edges)] == edges
    return [(value.value, value.keyword) for value in found[len(edges) :]]


def test_an_integer_is_tried_one_apart() -> None:
    """At each bound, one past it, one inside it; then 0, 1 and -1, and both ends."""
    assert values({"type": "integer", "minimum": 1, "maximum": 26}) == [
        (1, ""),
        (0, "minimum"),
        (2, ""),
        (26, ""),
        (27, "maximum"),
        (25, ""),
        (1, ""),
        (1, ""),
        (26, ""),
    ]


def test_large_bounds_are_tried_one_apart_too() -> None:
    """Beyond the whole numbers of a float, one past the bound is still another number."""
    assert values({"type": "integer", "maximum": 2**60})[:3] == [
        (2**60, ""),
        (2**60 + 1, "maximum"),
        (2**60 - 1, ""),
    ]


def test_excluded_bounds_of_an_integer_break_their_rule() -> None:
    """The bound itself is not allowed; the range ends one inside it."""
    assert values({"type": "integer", "exclusiveMinimum": -2, "exclusiveMaximum": 2}) == [
        (-2, "exclusiveMinimum"),
        (-3, "exclusiveMinimum"),
        (-1, ""),
        (2, "exclusiveMaximum"),
        (3, "exclusiveMaximum"),
        (1, ""),
        (0, ""),
        (1, ""),
        (-1, ""),
        (-1, ""),
        (1, ""),
    ]


def test_an_integer_without_bounds_fits_into_64_bits() -> None:
    """The ends of 64 bits are tried."""
    assert values({"type": "integer"}) == [
        (0, ""),
        (1, ""),
        (-1, ""),
        (-(2**63), ""),
        (2**63 - 1, ""),
    ]


def test_multiples_are_tried_at_both_ends() -> None:
    """The first and the last multiple within the bounds, and one past the first."""
    keywords = {"type": "integer", "minimum": 3, "maximum": 30, "multipleOf": 8}

    labels = [value.label for value in bound_values(keywords)]

    assert values(keywords)[6:] == [(8, ""), (24, ""), (9, "multipleOf"), (3, ""), (30, "")]
    assert labels[6:] == ["8, of 8", "24, of 8", "9, not of 8", "3", "30"]
    assert values({"type": "integer", "minimum": 0, "multipleOf": 2})[3:6] == [
        (0, ""),
        (2**63 - 2, ""),
        (1, "multipleOf"),
    ]


def test_a_number_is_tried_one_ulp_and_a_hundredth_apart() -> None:
    """At each bound, as a float too, and on both sides by 0.01 and by the next float."""
    assert values({"type": "number", "minimum": 1}) == [
        (1, ""),
        (1.0, ""),
        (0.99, "minimum"),
        (1.01, ""),
        (1 - ULP / 2, "minimum"),
        (1 + ULP, ""),
    ]
    assert values({"type": "number", "exclusiveMaximum": 1}) == [
        (1, "exclusiveMaximum"),
        (1.0, "exclusiveMaximum"),
        (1.01, "exclusiveMaximum"),
        (0.99, ""),
        (1 + ULP, "exclusiveMaximum"),
        (1 - ULP / 2, ""),
    ]


def test_a_number_without_bounds_is_tried_far_and_near() -> None:
    """Zero, a negative fraction and a huge number."""
    assert values({"type": "number"}) == [(0.0, ""), (-0.5, ""), (1e300, "")]


@pytest.mark.parametrize(
    "keywords", [{"type": "string"}, {"type": "integer", "enum": [1]}, {"minimum": 1}]
)
def test_only_numbers_have_bounds(keywords: dict[str, Any]) -> None:
    """Other types, listed values and schemas without a type have no edges."""
    assert values(keywords) == []


def test_labels_say_which_side_of_which_bound() -> None:
    """A label names the keyword and the distance; a body's label begins with the field."""
    labels = [value.label for value in bound_values({"type": "number", "maximum": 2})]

    assert labels == [
        "at maximum",
        "at maximum, as a float",
        "past maximum by 0.01",
        "inside maximum by 0.01",
        "past maximum by 4.44e-16",
        "inside maximum by 4.44e-16",
    ]


@pytest.mark.parametrize(
    "keywords, expected",
    [
        pytest.param(
            {"type": "integer", "minimum": 1, "maximum": 3},
            [
                ("1", "type"),
                (True, "type"),
                (1.0, ""),
                (1.5, "type"),
                (None, "type"),
                ([], "type"),
            ],
            id="integer at its bound",
        ),
        pytest.param(
            {"type": "integer", "minimum": 2**53},
            [(str(2**53), "type"), (True, "type"), (None, "type"), ([], "type")],
            id="integer beyond floats",
        ),
        pytest.param(
            {"type": "integer", "minimum": 2**50 - 1},
            [
                (str(2**50 - 1), "type"),
                (True, "type"),
                (float(2**50 - 1), ""),
                (2**50 - 0.5, "type"),
                (None, "type"),
                ([], "type"),
            ],
            id="integer with halves that are exact",
        ),
        pytest.param(
            {"type": "integer", "minimum": 2**50},
            [
                (str(2**50), "type"),
                (True, "type"),
                (float(2**50), ""),
                (None, "type"),
                ([], "type"),
            ],
            id="integer whose halves are not exact",
        ),
        pytest.param(
            {"type": "number", "minimum": 0.5, "maximum": 0.75},
            [("0.5", "type"), (True, "type"), (None, "type"), ([], "type")],
            id="number with no whole number inside",
        ),
        pytest.param(
            {"type": "string", "minLength": 2, "maxLength": 3},
            [
                (5, "type"),
                (None, "type"),
                ([], "type"),
                ("x", "minLength"),
                ("xx", ""),
                ("xxxx", "maxLength"),
                ("xxx", ""),
            ],
            id="string",
        ),
        pytest.param(
            {"type": "string", "minLength": 0},
            [(5, "type"), (None, "type"), ([], "type"), ("long " * 200, "")],
            id="string without limits",
        ),
        pytest.param(
            {"type": "boolean"},
            [("true", "type"), (1, "type"), (None, "type"), ([], "type")],
            id="boolean",
        ),
        pytest.param({"type": "array"}, [(None, "type"), ({}, "type")], id="array"),
        pytest.param({"type": "null"}, [], id="null"),
        pytest.param(
            {"type": ["string", "null"]},
            [(5, "type"), (None, "type"), ([], "type"), ("long " * 200, "")],
            id="a text or null",
        ),
        pytest.param(
            {"type": "string", "enum": ["a", "b"]},
            [("a", ""), ("b", ""), ("not-one-of-these", "enum")],
            id="listed texts",
        ),
        pytest.param(
            {"type": "integer", "enum": [1, 2]},
            [(1, ""), (2, ""), (3, "enum")],
            id="listed numbers",
        ),
    ],
)
def test_neighbouring_types_and_lengths_are_tried(
    keywords: dict[str, Any], expected: list[tuple[Any, str]]
) -> None:
    """What careless code sends instead of a value, and texts on both sides of their limits."""
    assert [(type(value), value, rule) for value, rule in neighbours(keywords)] == [
        (type(value), value, rule) for value, rule in expected
    ]


def test_a_long_text_is_no_picture() -> None:
    """The fields for pictures get no text of 1,000 characters."""
    fields = SUBMIT.conventions.fields

    assert neighbours({"type": "string"}, fields.face_image) == [
        (5, "type"),
        (None, "type"),
        ([], "type"),
    ]


@pytest.mark.parametrize(
    "keywords, ends",
    [
        ({"type": "integer"}, (-(2**63), 2**63 - 1)),
        ({"type": "number"}, (-1e300, 1e300)),
        ({"type": "integer", "minimum": 1, "maximum": 5}, (1, 5)),
        ({"type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 5}, (2, 4)),
        ({"type": "number", "exclusiveMinimum": 1, "exclusiveMaximum": 5}, (1, 5)),
    ],
)
def test_the_range_of_a_number_ends_at_its_bounds(
    keywords: dict[str, Any], ends: tuple[float, float]
) -> None:
    """A whole number cannot be an excluded bound; a fraction can come as near as it likes."""
    assert range_of(keywords) == ends


@pytest.mark.parametrize(
    "keywords, steps",
    [
        ({"type": "integer", "minimum": 3, "maximum": 30, "multipleOf": 8}, (1, 3, 8)),
        ({"type": "integer", "minimum": -16, "maximum": 16, "multipleOf": 8}, (-2, 2, 8)),
        ({"type": "integer", "minimum": 0.5, "maximum": 2.5, "multipleOf": 0.5}, (1, 2, 1)),
        ({"type": "integer", "multipleOf": 2}, (-(2**62), 2**62 - 1, 2)),
    ],
)
def test_the_multiples_within_the_bounds_are_counted(
    keywords: dict[str, Any], steps: tuple[int, int, int]
) -> None:
    """The first and the last, in steps; a step that is no integer counts as 1."""
    assert multiples_of(keywords) == steps


def test_each_value_has_the_rule_that_it_really_breaks() -> None:
    """A wrong guess is corrected, two broken rules leave a value out, equal values stay once."""
    schema = Schema(Tree({}), {"type": "integer", "maximum": 3, "multipleOf": 2}, "")
    tried = [
        Value("first", 2),
        Value("guessed", 2.5, "maximum"),
        Value("allowed", 0, "minimum"),
        Value("both", 5, "maximum"),
        Value("again", 2),
        Value("a webhook", -2, "webhook"),
    ]

    assert judged(schema, tried) == [
        Value("allowed, which is allowed", 0),
        Value("first", 2),
        Value("a webhook", -2, "webhook"),
    ]
    assert judged(schema, [Value("odd", 1)]) == [Value("odd", 1, "multipleOf")]
