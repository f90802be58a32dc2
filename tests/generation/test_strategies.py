"""The strategies draw valid bodies, single faults and edges, and shrink to small examples."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any

import pytest
from hypothesis import find, given, settings

from documents import altered, family_documents, request_schema
from fauxlab_contract.core.strict_json import read_json
from fauxlab_contract.generation.strategies import (
    RequestCase,
    boundary_requests,
    invalid_requests,
    valid_requests,
)
from fauxlab_contract.openapi.document import load_document, read_document
from fauxlab_contract.openapi.operation import Operation
from fauxlab_contract.validation.bodies import request_violations

SUBMIT = load_document().operations[0]
CASES = boundary_requests(SUBMIT, key="key-0123")


def broken(body: Any) -> list[tuple[str, str]]:
    return [
        (violation.pointer, violation.keyword) for violation in request_violations(SUBMIT, body)
    ]


@given(valid_requests(SUBMIT))
def test_valid_requests_are_valid_and_can_travel(body: dict[str, Any]) -> None:
    """Each drawn body keeps the contract and survives being sent."""
    assert broken(body) == []
    assert read_json(json.dumps(body).encode()) == body


@given(valid_requests(SUBMIT, key="k", width=7))
def test_fixed_fields_stay_fixed(body: dict[str, Any]) -> None:
    """A field that is given by name has that value in every body."""
    assert (body["key"], body["width"]) == ("k", 7)


@given(invalid_requests(SUBMIT, key="k"))
@settings(max_examples=500)
def test_invalid_requests_break_exactly_the_labelled_rule(case: RequestCase) -> None:
    """Each drawn body has one violation: the field and rule of its label. It can still travel."""
    assert broken(case.body) == [(case.pointer, case.keyword)]
    assert read_json(json.dumps(case.body).encode()) == case.body


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.label)
def test_boundary_cases_are_what_they_say(case: RequestCase) -> None:
    """A case breaks the rule that it names, and no other; a valid one breaks none."""
    assert broken(case.body) == ([] if case.is_valid else [(case.pointer, case.keyword)])


def values(field: str, keyword: str | None = None) -> list[Any]:
    return [
        case.body[field]
        for case in CASES
        if case.label.startswith(f"{field} ")
        and field in case.body
        and keyword in (None, case.keyword)
    ]


def test_both_sides_of_every_bound_are_among_the_cases() -> None:
    """The card's bounds: each limit, one past it, and for numbers 0.01 and one ulp past it."""
    assert {1023, 1024} <= set(values("width", ""))  # one bound
    assert 1025 in values("width", "maximum")
    assert {25, 26} <= set(values("num_inference_steps", ""))
    assert 27 in values("num_inference_steps", "maximum")
    assert {1, 10, 1.01, 9.99, math.nextafter(1, 2), math.nextafter(10, 0)} <= set(
        values("guidance_scale", "")
    )
    assert {0.99, math.nextafter(1, 0)} == set(values("guidance_scale", "minimum"))
    assert {10.01, math.nextafter(10, 11)} == set(values("guidance_scale", "maximum"))


def test_type_neighbours_missing_fields_and_formats_are_among_the_cases() -> None:
    """Numbers as text, true, null, whole floats, each required field missing, all bad URIs."""
    assert any(value is True for value in values("width", "type"))
    assert None in values("seed", "type")
    assert any(isinstance(value, str) for value in values("width", "type"))
    assert any(isinstance(value, float) for value in values("width", ""))
    assert {case.pointer for case in CASES if case.keyword == "required"} == {
        "/prompt",
        "/face_image",
        "/seed",
    }
    assert {"", "/hook"} <= set(values("webhook", "format"))
    assert "ftp://example.com/hook" in values("webhook", "webhook")


def test_the_list_of_cases_is_the_same_each_time() -> None:
    """Boundary cases are finite, ordered and deterministic."""
    assert boundary_requests(SUBMIT, key="key-0123") == CASES
    assert len({case.label for case in CASES}) == len(CASES)


def test_edges_are_really_drawn() -> None:
    """In 300 examples every bounded field takes its limits, and steps from them, several times."""
    drawn: Counter[str] = Counter()

    @settings(max_examples=300, database=None)
    @given(valid_requests(SUBMIT))
    def draw(body: dict[str, Any]) -> None:
        for field, edge in (
            ("width", 1024),
            ("height", 1024),
            ("num_inference_steps", 26),
            ("guidance_scale", 1),
            ("guidance_scale", 10),
        ):
            drawn[f"{field}={edge}"] += body.get(field) == edge

    draw()

    assert min(drawn.values()) >= 3, drawn


def test_counter_examples_are_small() -> None:
    """Shrinking ends in the required fields alone, plus the one that matters."""
    smallest = find(
        valid_requests(SUBMIT, key="k"),
        lambda body: body.get("width", 0) > 512,
        settings=settings(database=None),
    )

    assert (set(smallest), smallest["prompt"], smallest["face_image"]) == (
        {"key", "prompt", "face_image", "seed", "width"},
        "",
        "",
    )


ODD = [
    {"type": "integer", "minimum": 64, "maximum": 1024, "multipleOf": 8},
    {"type": "integer", "minimum": 5, "maximum": 5},
    {"type": "number", "minimum": 1, "maximum": 1.005},
    {"type": "integer", "minimum": 0.5, "maximum": 10.5},
    {"type": "integer", "exclusiveMinimum": 3, "minimum": 3, "maximum": 9},
    {"type": "integer", "maximum": 2**63 - 1, "minimum": -(2**63)},
    {"type": "integer", "maximum": 100, "not": {"const": 100}},
    {"const": 7},
    {"type": "string", "minLength": 2, "maxLength": 4},
    {"allOf": [{"type": "integer", "maximum": 10}], "type": "integer"},
]


@pytest.mark.parametrize("schema", ODD, ids=lambda schema: json.dumps(schema)[:60])
def test_odd_schemas_have_valid_strategies(schema: Any) -> None:
    """For any schema of a field, valid bodies are valid and single faults are single."""

    def change(tree: Any) -> None:
        request_schema(tree)["properties"]["width"] = schema
        request_schema(tree)["required"].append("width")

    operation = altered(change).operations[0]
    _check_strategies(operation)

    @settings(max_examples=60, database=None)
    @given(invalid_requests(operation, key="k"))
    def check(case: RequestCase) -> None:
        found = [
            (violation.pointer, violation.keyword)
            for violation in request_violations(operation, case.body)
        ]
        assert found == [(case.pointer, case.keyword)]

    check()


@pytest.mark.parametrize("source", family_documents())
def test_other_documents_have_valid_strategies_too(source: bytes) -> None:
    """In other documents too, valid bodies are valid and each case breaks the rule it names."""
    for operation in read_document(source).operations:
        if operation.kind == "submit":
            _check_strategies(operation)


def _check_strategies(operation: Operation) -> None:
    @settings(max_examples=20, database=None)
    @given(valid_requests(operation))
    def check(body: dict[str, Any]) -> None:
        assert request_violations(operation, body) == ()

    check()
    for case in boundary_requests(operation):
        found = {
            (violation.pointer, violation.keyword)
            for violation in request_violations(operation, case.body)
        }
        found -= {("", "oneOf")}  # a fault inside an alternative is told of the whole body as well
        assert found == (set() if case.is_valid else {(case.pointer, case.keyword)}), (
            operation.name,
            case,
        )
