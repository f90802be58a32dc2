"""Fields that are integers, however a document spells that: valid bodies hold no 8.0 for them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from documents_small import one_operation
from fauxlab_contract.generation.boundaries import boundary_requests, smallest_request
from fauxlab_contract.generation.shapes import with_integers
from fauxlab_contract.generation.strategies import valid_requests
from fauxlab_contract.openapi.references import Tree
from fauxlab_contract.openapi.schema import Schema

BOUNDS = {"minimum": 1.0, "maximum": 50.0}
SPELLINGS: dict[str, dict[str, Any]] = {
    "type": {"type": "integer", **BOUNDS},
    "list of types": {"type": ["integer", "null"], **BOUNDS},
    "anyOf with null": {"anyOf": [{"type": "integer", **BOUNDS}, {"type": "null"}]},
    "allOf": {"allOf": [{"type": "integer"}, BOUNDS]},
    "listed": {"type": "integer", "enum": [1.0, 2.0]},
    "multiples": {"type": "integer", "multipleOf": 8.0, **BOUNDS},
    "exclusive": {"type": "integer", "exclusiveMinimum": 0.0, "exclusiveMaximum": 51.0},
    "default": {"type": "integer", "default": 8.0},
}


def floats_in(value: Any) -> list[float]:
    """The floats at any depth of a value."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [number for item in value for number in floats_in(item)]
    return [value] if isinstance(value, float) else []


@pytest.mark.parametrize("field", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("is_nested", [False, True], ids=["plain", "nested"])
def test_valid_bodies_hold_no_whole_float_for_an_integer(
    field: dict[str, Any], *, is_nested: bool
) -> None:
    """Bounds written as 50.0 give 50; 8.0 is tried alone, by the case that is about it."""
    inner = {"type": "object", "required": ["n"], "properties": {"n": field}}
    schema = {"type": "array", "minItems": 1, "items": inner} if is_nested else field
    body = {"type": "object", "required": ["steps"], "properties": {"steps": schema}}
    operation = one_operation(request={"application/json": body}).operations[0]

    cases = [case for case in boundary_requests(operation) if case.is_valid]
    plain = [case.body for case in cases if "whole as float" not in case.label]

    assert floats_in([smallest_request(operation), *plain]) == []
    assert len(plain) > 1

    @settings(
        max_examples=30,
        database=None,
        phases=[Phase.generate],
        derandomize=True,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(valid_requests(operation))
    def has_none(body: dict[str, Any]) -> None:
        assert floats_in(body) == []

    has_none()


@pytest.mark.parametrize(
    "schema, value, wanted",
    [
        ({"type": "number"}, 8.0, 8.0),
        ({"type": "integer"}, 8.5, 8.5),
        ({"type": ["integer", "number"]}, 8.0, 8.0),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, 8.0, 8),
        ({"anyOf": [{"type": "integer"}, {"type": "number"}]}, 8.0, 8.0),
        ({}, 8.0, 8.0),
        ({"prefixItems": [{"type": "integer"}], "items": {"type": "number"}}, [1.0, 1.0], [1, 1.0]),
        ({"properties": {"a": {"type": "integer"}}}, {"a": 1.0, "b": 1.0}, {"a": 1, "b": 1.0}),
    ],
    ids=str,
)
def test_only_whole_floats_of_integers_become_integers(
    schema: dict[str, Any], value: Any, wanted: Any
) -> None:
    """Where a number may be written with a fraction, 8.0 stays as it is."""
    found = with_integers(Schema(Tree({}), schema, ""), value)

    assert repr(found) == repr(wanted)
