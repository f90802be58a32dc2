"""Habits of other people's servers that are no fault, and faults that only a second look shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from fauxlab_contract.check.run import Options, check
from fauxlab_contract.core.http import HttpRequest, HttpResponse
from fauxlab_contract.openapi.document import load_document
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.runtime.target import MockTarget
from fauxlab_mock.settings import Settings

DOCUMENT = load_document()
KEY = "any-key-01"
SLOW_DOWN = {"content-type": "application/json", "retry-after": "60"}


class Habit:
    """Our mock behind a layer that may answer instead of it, or change what it says."""

    def __init__(self, target: MockTarget) -> None:
        self._target, self.url = target, target.url

    def send(self, sent: HttpRequest, within_s: float) -> HttpResponse:
        return self._target.send(sent, within_s)

    def now(self) -> float:
        return self._target.now()

    def sleep(self, seconds: float) -> None:
        self._target.sleep(seconds)

    def refuse(self, message: str) -> HttpResponse:
        body = json.dumps({"status": "error", "message": message}).encode()
        return HttpResponse(200, {"content-type": "application/json"}, body, at=self.now())


def body_of(sent: HttpRequest) -> dict[str, Any]:
    try:
        body = json.loads(sent.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


class RefusesBlankPrompts(Habit):
    def send(self, sent: HttpRequest, within_s: float) -> HttpResponse:
        prompt = body_of(sent).get("prompt")
        is_blank = isinstance(prompt, str) and not prompt.strip()
        return self.refuse("prompt is required.") if is_blank else super().send(sent, within_s)


class RefusesMethodsInTheBody(Habit):
    def send(self, sent: HttpRequest, within_s: float) -> HttpResponse:
        if "/image_editing/" in sent.url and sent.method not in ("POST", "HEAD"):
            return self.refuse("Use POST.")
        return super().send(sent, within_s)


class AnswersLinksInTheBody(Habit):
    """Until a picture is there, its link is answered with an error in HTTP 200."""

    def send(self, sent: HttpRequest, within_s: float) -> HttpResponse:
        came = super().send(sent, within_s)
        is_dead = "/generations/" in sent.url and came.code == 404
        return self.refuse("There is no such picture.") if is_dead else came


class TooLargeForTheGateway(Habit):
    def send(self, sent: HttpRequest, within_s: float) -> HttpResponse:
        if len(sent.body) < 2**20:
            return super().send(sent, within_s)
        page = b"<h1>Request Entity Too Large</h1>"
        return HttpResponse(413, {"content-type": "text/html"}, page, at=self.now())


class TakesSeedZeroForMissing(Habit):
    def send(self, sent: HttpRequest, within_s: float) -> HttpResponse:
        came = super().send(sent, within_s)
        if body_of(sent).get("seed") != 0 or b'"meta"' not in came.body:
            return came
        body = json.loads(came.body)
        body["meta"]["seed"] = 3_141_592
        return replace(came, body=json.dumps(body).encode())


class ReadsNoFetchBody(Habit):
    def send(self, sent: HttpRequest, within_s: float) -> HttpResponse:
        if "/fetch/" in sent.url and body_of(sent) == {} and sent.body != b"{}":
            sent = replace(sent, body=json.dumps({"key": "any-key-01"}).encode())
        return super().send(sent, within_s)


class BeginsAgain(Habit):
    """A body that is no object makes all jobs begin again."""

    has_begun_again = False

    def send(self, sent: HttpRequest, within_s: float) -> HttpResponse:
        came = super().send(sent, within_s)
        self.has_begun_again |= sent.body == b"null"
        if b'"success"' not in came.body or not self.has_begun_again:
            return came
        running = {"status": "processing", "message": "Wait.", "output": "", "tip": ""}
        return replace(came, body=json.dumps(running).encode())


class LagsBehind(Habit):
    """Knows a job a moment after its submit, as a replica does."""

    last = float("-inf")

    def send(self, sent: HttpRequest, within_s: float) -> HttpResponse:
        came = super().send(sent, within_s)
        if "flux_headshot" in sent.url:
            self.last = self.now()
        elif "/fetch/" in sent.url and self.now() < self.last + 0.1:
            lost = {"status": "failed", "id": "", "message": "Request not found", "output": ""}
            return replace(came, body=json.dumps({**lost, "tip": ""}).encode())
        return came


class LimitsWrongKeys(Habit):
    """After three wrong keys it asks to slow down."""

    wrong = 0

    def send(self, sent: HttpRequest, within_s: float) -> HttpResponse:
        if body_of(sent).get("key") != KEY and "/fetch/" in sent.url:
            self.wrong += 1
            if self.wrong > 3:
                return replace(self.refuse("Too many attempts."), code=429, headers=SLOW_DOWN)
            return self.refuse("Invalid API key.")
        return super().send(sent, within_s)


class SaysTheSameOfAll(Habit):
    """One sentence for every bad body, which happens to hold the name of a field."""

    def send(self, sent: HttpRequest, within_s: float) -> HttpResponse:
        came = super().send(sent, within_s)
        is_refused = b'"error"' in came.body and "flux_headshot" in sent.url
        return self.refuse("The given prompt or data was invalid.") if is_refused else came


@contextmanager
def checked(habit: type[Habit]) -> Iterator[Any]:
    mock = Mock(Settings(clock="manual"))
    yield habit(MockTarget(mock))
    mock.close()


@pytest.mark.parametrize(
    "habit, phases, found",
    [
        (RefusesBlankPrompts, ("properties",), set()),
        (RefusesMethodsInTheBody, ("robustness",), set()),
        (AnswersLinksInTheBody, ("lifecycle",), set()),
        (TooLargeForTheGateway, ("robustness",), set()),
        (TakesSeedZeroForMissing, ("boundaries",), {"meta-differs"}),
        (ReadsNoFetchBody, ("lifecycle", "robustness"), {"malformed-accepted"}),
        (BeginsAgain, ("lifecycle", "robustness"), {"state-order"}),
        (LagsBehind, ("lifecycle",), set()),
        (LimitsWrongKeys, ("lifecycle",), {"undeclared-code"}),
        (SaysTheSameOfAll, ("boundaries",), set()),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else None,
)
def test_a_habit_is_a_fault_only_if_it_breaks_a_promise(
    habit: type[Habit], phases: tuple[str, ...], found: set[str]
) -> None:
    """What the document leaves open is no finding; what it promises is looked at everywhere."""
    with checked(habit) as target:
        report = check(target, DOCUMENT, Options(KEY, any_key=True, only=phases))

    assert {finding.rule for finding in report.findings} == found, str(report)
