"""Servers that are right and stricter than most: what is no broken promise is not told as one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from documents import altered
from documents_small import answered, one_operation
from driving import BUNDLED, KEY
from fauxlab_contract.check.options import Options
from fauxlab_contract.check.oracle import judge, read_reply
from fauxlab_contract.check.run import check
from fauxlab_contract.core.http import HttpRequest, HttpResponse
from fauxlab_contract.openapi.document import Document
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.settings import Settings
from targets import RecordedTarget

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


def _without_formats(node: Any) -> None:
    for name, member in list(node.items()) if isinstance(node, dict) else []:
        if name == "fetch_result" and isinstance(member, dict):
            member.pop("format", None)
        _without_formats(member)
    for item in node if isinstance(node, list) else []:
        _without_formats(item)


@pytest.mark.parametrize(
    "document, change, found",
    [
        (altered(_without_formats), lambda url: urlsplit(url).path, set()),
        (
            altered(_without_formats),
            lambda url: url.rpartition("/")[0][-6:] + "/0",
            {"fetch-result"},
        ),
        (BUNDLED, lambda url: urlsplit(url).path, {"fetch-result", "reply-schema"}),
    ],
    ids=["right", "of another job", "where the document wants an address"],
)
def test_a_relative_fetch_result_is_right_where_the_document_allows_it(
    document: Document, change: Callable[[str], str], found: set[str]
) -> None:
    """It is of the URL of the submit; where the schema wants an address, it breaks that."""
    target = RecordedTarget(
        Mock(Settings(clock="manual", keys=frozenset({KEY})), document=document)
    )
    honest = target.send

    def relative(sent: HttpRequest, within_s: float) -> HttpResponse:
        came = honest(sent, within_s)
        if b'"fetch_result"' not in came.body:
            return came
        body = json.loads(came.body)
        body["fetch_result"] = change(body["fetch_result"])
        return HttpResponse(came.code, came.headers, json.dumps(body).encode(), at=came.at)

    target.send = relative  # type: ignore[method-assign] # a server with other addresses
    report = check(target, document, Options(KEY, only=("lifecycle",)))
    target.mock.close()

    assert {finding.rule for finding in report.findings} == found, str(report)


@pytest.mark.parametrize(
    "code, body, said",
    [
        (200, {"status": "error", "message": ""}, "no message"),
        (422, {"detail": "too wide"}, "'too wide'"),
        (422, {"detail": [{"msg": "too wide"}]}, """'[{"msg": "too wide"}]'"""),
    ],
)
def test_a_refusal_is_quoted_or_said_to_have_no_message(
    code: int, body: dict[str, Any], said: str
) -> None:
    """What frameworks write in `detail` is quoted; an empty quotation says nothing."""
    operation = taking({}).operations[0]
    came = HttpResponse(code, {}, json.dumps(body).encode())

    assert read_reply(operation, HttpRequest("POST", "/"), came).said == said


def test_all_declared_codes_are_told_where_one_is_not_declared() -> None:
    """A document that declares 200 and 422 does not declare "only 200"."""
    answers = {"200": answered(REPLY), "422": answered({"type": "object"})}
    operation = one_operation(request={"application/json": {}}, responses=answers).operations[0]
    came = HttpResponse(400, {"content-type": "application/json"}, b'{"detail": "no"}')

    found = list(judge(read_reply(operation, HttpRequest("POST", "/"), came), Options(KEY)))

    assert [message for rule, _, message in found if rule == "undeclared-code"] == [
        "An error came with HTTP 400; the document declares only 200 and 422.",
    ]


def _branch(state: str, **members: Any) -> dict[str, Any]:
    properties = {"state": {"type": "string", "enum": [state]}, **members}
    return {"type": "object", "required": [*properties], "properties": properties}


ROLELESS = {"oneOf": [_branch("done", job={"type": "integer"}), _branch("error", reason={})]}
SHAPES = {"oneOf": [_branch("done", job={"type": "integer"}), _branch("no", reason={})]}


def in_other_words(sent: HttpRequest) -> tuple[int, Any]:
    """The strict server with names and words that nobody knows, and without a key."""
    known = sent.body.replace(b'"text"', b'"key"').replace(b'"abc"', json.dumps(KEY).encode())
    code, body = strict(replace(sent, body=known))
    if body["status"] == "success":
        return code, {"state": "done", "job": 1}
    return code, {"state": "error" if "no such" not in body["message"] else "no", "reason": "no"}


@pytest.mark.parametrize("reply", [ROLELESS, SHAPES], ids=["an error by a constant", "open"])
def test_a_server_is_not_accused_where_the_document_has_no_roles(reply: dict[str, Any]) -> None:
    """A reply of an error's shape is no acceptance; where no shape is, nothing is judged."""
    body = {
        "type": "object",
        "required": ["text"],
        "properties": {"text": {"const": "abc"}, "steps": {"anyOf": [STEPS, {"type": "null"}]}},
    }
    document = one_operation(request={"application/json": body}, responses={"200": answered(reply)})

    def answer(sent: HttpRequest) -> tuple[int, Any]:
        code, told = in_other_words(sent)
        is_no = reply is SHAPES and told["state"] == "error"
        return code, {**told, "state": "no"} if is_no else told

    report = check(SmallTarget(answer), document, Options(KEY, examples=10))

    assert report.is_ok, str(report)
    said = "no operation has a lifecycle, and no body the field key: "
    assert any(one.startswith(said) for one in report.not_covered)
    assert any("not judged" in one for one in report.not_covered) == (reply is SHAPES)
