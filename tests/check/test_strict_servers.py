"""Servers that are right and stricter than most: what is no broken promise is not told as one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from documents_small import answered, one_operation
from driving import KEY
from fauxlab_contract.check.options import Options
from fauxlab_contract.check.run import check
from fauxlab_contract.core.http import HttpRequest, HttpResponse
from fauxlab_contract.openapi.document import Document

Answer = Callable[[HttpRequest], tuple[int, Any]]
REPLY = {
    "oneOf": [
        {
            "type": "object",
            "required": ["status", "id"],
            "properties": {"status": {"const": "success"}, "id": {"type": "integer"}},
        },
        {
            "type": "object",
            "required": ["status", "message"],
            "properties": {"status": {"const": "error"}, "message": {"type": "string"}},
        },
    ]
}


class SmallTarget:
    """A server that is a function of one request; its clock moves with the pauses."""

    url = "http://127.0.0.1:9"

    def __init__(self, answer: Answer) -> None:
        self._answer, self._now = answer, 0.0
        self.sent: list[HttpRequest] = []

    def send(self, sent: HttpRequest, within_s: float) -> HttpResponse:
        assert within_s > 0
        self.sent.append(sent)
        code, body = self._answer(sent)
        headers = {"content-type": "application/json"}
        return HttpResponse(code, headers, json.dumps(body).encode(), at=self._now)

    def now(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += seconds


def taking(steps: dict[str, Any], reply: dict[str, Any] = REPLY) -> Document:
    """A document whose only body has a key, and steps if they are given."""
    body = {
        "type": "object",
        "required": ["key"],
        "properties": {"key": {"type": "string"}, **({"steps": steps} if steps else {})},
    }
    return one_operation(request={"application/json": body}, responses={"200": answered(reply)})


def refusal(message: str) -> tuple[int, Any]:
    return 200, {"status": "error", "message": message}


def strict(sent: HttpRequest) -> tuple[int, Any]:
    """A server for which an integer is what JSON writes without a fraction."""
    if sent.method != "POST" or not sent.url.endswith("/things"):
        return 404, {"status": "error", "message": "no such path"}
    if sent.headers.get("content-type", "").partition(";")[0].lower() != "application/json":
        return refusal("no JSON")
    try:
        body = json.loads(sent.body.decode("utf-8"), parse_constant=int)
    except (ValueError, RecursionError):
        return refusal("no JSON")
    if not isinstance(body, dict) or body.get("key") != KEY:
        return refusal("a field is wrong")
    steps = body.get("steps")
    if steps is not None and (type(steps) is not int or not 1 <= steps <= 50):
        return refusal("steps must be an integer from 1 to 50")
    return 200, {"status": "success", "id": 1}


STEPS = {"type": "integer", "minimum": 1.0, "maximum": 50.0}


@pytest.mark.parametrize(
    "steps",
    [
        {"type": ["integer", "null"], "minimum": 1.0, "maximum": 50.0},
        {"anyOf": [STEPS, {"type": "null"}]},
        {"anyOf": [{"allOf": [STEPS]}, {"type": "null"}]},
    ],
    ids=["types", "anyOf", "allOf"],
)
def test_a_whole_float_that_is_refused_is_hygiene_however_integer_is_spelled(
    steps: dict[str, Any],
) -> None:
    """A nullable integer with bounds written as floats: no error, one warning about 8.0."""
    target = SmallTarget(strict)

    report = check(target, taking(steps), Options(KEY, examples=20))

    found = {finding.rule: finding.severity for finding in report.findings}
    assert found == {"whole-float-refused": "warning", "lenient-json": "warning"}, str(report)


def test_a_number_beyond_every_double_in_an_undeclared_field_is_hygiene() -> None:
    """What nobody reads harms nobody: 1e999 there is lenient, as NaN is."""
    report = check(SmallTarget(strict), taking({}), Options(KEY, only=("robustness",)))

    assert {finding.rule for finding in report.findings} == {"lenient-json"}, str(report)
