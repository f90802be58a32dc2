"""Both sides of every rule: the values at the edges of a request's fields, as a list of bodies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fauxlab_contract.core.pointers import pointer_to
from fauxlab_contract.generation.nested import all_values
from fauxlab_contract.generation.smallest import fields_of, has_valid_body, smallest_request
from fauxlab_contract.generation.values import judged
from fauxlab_contract.openapi.operation import Operation

__all__ = ["RequestCase", "boundary_requests", "breaks_alone", "smallest_request"]


@dataclass(frozen=True, slots=True)
class RequestCase:
    """One request body.

    `pointer` and `keyword` name the rule that it breaks; both are empty for a valid body.
    """

    label: str
    body: Mapping[str, Any]
    pointer: str = ""
    keyword: str = ""

    @property
    def is_valid(self) -> bool:
        return not self.keyword


def boundary_requests(operation: Operation, **fixed: Any) -> tuple[RequestCase, ...]:
    """Return cases in a fixed order; each changes one field of the smallest valid body.

    `()` if no valid body could be made. A change that breaks another rule as well, such as a
    condition between fields, is left out.
    """
    return tuple(case for case in _boundary_cases(operation, fixed) if _is_right(operation, case))


def _boundary_cases(operation: Operation, fixed: Mapping[str, Any]) -> Iterator[RequestCase]:
    base = smallest_request(operation, **fixed)
    if not has_valid_body(operation, base):
        return
    yield RequestCase("smallest", base)
    yield _undeclared(operation, base)
    for name, schema in fields_of(operation, fixed).items():
        place = pointer_to([name])
        if operation.request and name in operation.request.required:
            rest = {other: value for other, value in base.items() if other != name}
            yield RequestCase(f"{name} missing", rest, place, "required")
        for value in judged(schema, all_values(operation, name, schema)):
            pointer = place + value.place if value.keyword else ""
            body = {**base, name: value.value}
            yield RequestCase(f"{name} {value.label}", body, pointer, value.keyword)


def _undeclared(operation: Operation, base: Mapping[str, Any]) -> RequestCase:
    """Return a body with a field that is not declared; some documents forbid those."""
    body = {**base, "not_declared": "x"}
    case = RequestCase("undeclared field", body)
    if has_valid_body(operation, body):
        return case
    return RequestCase(case.label, body, "/not_declared", "additionalProperties")


def _is_right(operation: Operation, case: RequestCase) -> bool:
    """Return True if the whole body is valid, or breaks the rule that the case is about alone."""
    if case.is_valid or case.keyword == "webhook":
        return has_valid_body(operation, case.body)
    return breaks_alone(operation, case)


def breaks_alone(operation: Operation, case: RequestCase) -> bool:
    """Return True if a body breaks one rule, and that is the one which the case names."""
    if operation.request is None:
        return False
    broken = [
        (violation.pointer, violation.keyword)
        for violation in operation.request.check.violations(dict(case.body))
    ]
    return broken == [(case.pointer, case.keyword)]
