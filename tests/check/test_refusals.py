"""Valid bodies that a server refuses: one cause is one finding, told under the field to blame."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from fauxlab_contract.check.findings import Report
from fauxlab_contract.check.run import Options, check
from fauxlab_contract.core.http import HttpRequest, HttpResponse
from fauxlab_contract.openapi.document import load_document, read_document
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.runtime.target import MockTarget
from fauxlab_mock.settings import Settings

DOCUMENT = load_document()
OPTIONS = Options("any-key-01", any_key=True, examples=5)
ODD = "This has odd letters."
SUBMIT = "POST /image_editing/flux_headshot"


class Refusing(MockTarget):
    """Our mock, which refuses what `why(body)` names a reason for."""

    def __init__(self, mock: Mock, why: Callable[[dict[str, Any]], str]) -> None:
        super().__init__(mock)
        self._why = why

    def send(self, sent: HttpRequest, within_s: float) -> HttpResponse:
        try:
            body = json.loads(sent.body)
        except (ValueError, RecursionError):
            body = None
        why = self._why(body) if isinstance(body, dict) and "prompt" in body else ""
        if not why:
            return super().send(sent, within_s)
        refusal = json.dumps({"status": "error", "message": why}).encode()
        return HttpResponse(200, {"content-type": "application/json"}, refusal, at=self.now())


def checked(why: Callable[[dict[str, Any]], str], options: Options = OPTIONS) -> Report:
    mock = Mock(Settings(clock="manual"))
    report = check(Refusing(mock, why), DOCUMENT, options)
    mock.close()
    return report


def whole_guidance(body: dict[str, Any]) -> str:
    number = body.get("guidance_scale", 1)
    is_whole = not isinstance(number, float) or number.is_integer()
    return "" if is_whole else "guidance_scale must be a whole number."


def plain_letters(body: dict[str, Any]) -> str:
    return "" if str(body["prompt"]).isascii() else ODD


@pytest.mark.parametrize(
    "why, field",
    [(whole_guidance, "guidance_scale"), (plain_letters, "")],
    ids=["the refusal names the field", "it names none"],
)
def test_what_was_refused_from_the_start_is_one_finding_and_no_crash(
    why: Callable[[dict[str, Any]], str], field: str
) -> None:
    """A server that refuses what the small body holds is told so once, however often it is sent."""
    found = [one for one in checked(why).findings if one.rule in ("valid-refused", "crash")]

    assert [(one.rule, one.field) for one in found] == [("valid-refused", field)]
    assert found[0].times > 5


def test_refusals_that_differ_in_figures_alone_are_one_finding() -> None:
    """The number of a request in a sentence tells no cause from another."""
    numbers = iter(range(10**6))

    def why(body: dict[str, Any]) -> str:
        return "" if str(body["prompt"]).isascii() else f"Odd letters (request 0aa{next(numbers)})."

    found = [one for one in checked(why).findings if one.rule == "valid-refused"]

    assert len(found) == 1


def test_steps_that_lack_the_same_are_one_sentence() -> None:
    """What the steps needed that could not be tried is told once, with their number."""
    left = [one for one in checked(plain_letters).not_covered if "needs a job" in one]

    assert [re.sub(r"\d+", "N", one) for one in left] == [
        "lifecycle: N steps: needs a job that could be followed"
    ]


def test_a_server_that_breaks_on_the_way_has_crashed() -> None:
    """A small body that was accepted, and is refused in the end, is a crash."""
    seen: list[dict[str, Any]] = []

    def why(body: dict[str, Any]) -> str:
        seen.append(body)
        return "I am broken." if any(len(str(one)) > 2**20 for one in seen) else ""

    found = checked(why).findings

    assert "After all this a valid request is answered with 'I am broken.'." in [
        one.message for one in found if one.rule == "crash"
    ]


def test_a_baseline_tells_causes_without_a_field_apart() -> None:
    """What is known of one step lets nothing pass that another one shows."""
    only = Options("any-key-01", any_key=True, only=("robustness",))
    known = checked(lambda body: "Too long." if "padding" in body else "", only)
    other = checked(plain_letters, only)

    left = other.against(known.as_baseline())

    assert known.as_baseline().known == {("valid-refused", "error", "", f"{SUBMIT}: 100 KiB")}
    assert [one.rule for one in known.against(known.as_baseline()).findings] == []
    assert [one.rule for one in left.findings] == ["valid-refused"]


def test_a_baseline_never_holds_the_key() -> None:
    """Not even if the server repeats it in each refusal."""
    key = "my-very-private-key"
    options = Options(key, any_key=True, only=("robustness",))
    report = checked(lambda body: f"Account {key}: odd." if "padding" in body else "", options)

    assert key not in report.as_baseline().as_bytes().decode() + json.dumps(report.as_dict())


def test_the_contract_is_kept_only_if_every_operation_was_tried() -> None:
    """Operations that were sent nothing, and jobs that were not followed, are counted."""
    job = {
        "type": "object",
        "required": ["status", "id"],
        "properties": {"id": {"type": "integer"}},
    }
    states = {**job, "properties": {**job["properties"], "status": {"enum": ["processing"]}}}  # type: ignore[dict-item]
    error = {"type": "object", "properties": {"status": {"const": "error"}}, "required": ["status"]}
    reply = {"content": {"application/json": {"schema": {"oneOf": [states, error]}}}}
    body = {"properties": {"key": {"type": "string"}}, "required": ["key"], "type": "object"}
    post = {
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {"200": {"description": "", **reply}},
    }
    number = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}
    tree = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {
            "/images": {"post": post},
            "/images/{id}": {"post": {**post, "parameters": [number]}},
        },
    }
    document = read_document(json.dumps(tree).encode())
    mock = Mock(Settings(clock="manual"), document=document)

    report = check(MockTarget(mock), document, OPTIONS)
    mock.close()

    assert (report.untried, report.unfollowed) == (("POST /images/{id}",), ("POST /images",))
    assert report.verdict == (
        f"nothing found in {report.calls} calls; 1 operation not tried; the jobs of 1 operation not"
        " followed"
    )


def test_another_face_promises_no_other_picture() -> None:
    """A server that draws from seed and prompt alone gets a warning, about the face."""

    class Steady(MockTarget):
        def send(self, sent: HttpRequest, within_s: float) -> HttpResponse:
            data = sent.body.replace(b"another-face.png", b"face.png")
            return super().send(replace(sent, body=data), within_s)

    mock = Mock(Settings(clock="manual"))
    report = check(Steady(mock), DOCUMENT, Options("any-key-01", any_key=True, only=("lifecycle",)))
    mock.close()

    assert [(one.rule, one.severity, one.field) for one in report.findings] == [
        ("picture-same", "warning", "face_image")
    ]
