"""The oracle: what a reply means, and which HTTP codes it may have, one row for each case."""

from __future__ import annotations

import json
from typing import Any

import pytest

from driving import BUNDLED, KEY
from fauxlab_contract.check.options import Options
from fauxlab_contract.check.oracle import ObservedReply, judge, read_reply
from fauxlab_contract.core.http import JSON_TYPE, HttpRequest, HttpResponse
from fauxlab_contract.openapi.document import Document, read_document
from fauxlab_contract.openapi.operation import Operation

PROCESSING = {"status": "processing", "id": 1, "eta": 5}
ERROR = {"status": "error", "message": "No."}
TREE = b"""
openapi: 3.1.0
info: {title: t, version: '1'}
paths:
  /a:
    post:
      requestBody: {content: {application/json: {schema: {type: object}}}}
      responses:
        '200': {description: d, content: {application/json: {schema: {type: object}}}}
        '409': {description: d}
"""
PLAIN = read_document(TREE)


def operation_of(document: Document, kind: str) -> Operation:
    return next(operation for operation in document.operations if operation.kind == kind)


SUBMIT, FETCH = operation_of(BUNDLED, "submit"), operation_of(BUNDLED, "fetch")


def reply_of(
    body: Any, code: int = 200, operation: Operation = SUBMIT, error: str = "", **headers: str
) -> ObservedReply:
    """A reply as it came over the wire; bytes stay as they are."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    response = HttpResponse(code, JSON_TYPE | named, data, error=error)
    return read_reply(operation, HttpRequest("POST", "http://127.0.0.1:9/a"), response)


def rules(reply: ObservedReply, **options: Any) -> list[str]:
    return [rule for rule, _, _ in judge(reply, Options(KEY, **options))]


@pytest.mark.parametrize(
    "body, code, outcome",
    [
        (PROCESSING, 200, "accepted"),
        ({"status": "success"}, 200, "accepted"),
        ({"status": "success"}, 500, "accepted"),
        (ERROR, 200, "refused"),
        ({"status": "failed"}, 200, "refused"),
        ({"status": "queued"}, 200, "broken"),
        ({"status": "queued"}, 400, "broken"),
        ({}, 200, "broken"),
        ({}, 399, "broken"),
        ({}, 400, "refused"),
        ({}, 499, "refused"),
        ({}, 500, "broken"),
        (b"<html>", 404, "refused"),
        (b"<html>", 200, "broken"),
    ],
)
def test_the_status_in_the_body_decides(body: Any, code: int, outcome: str) -> None:
    """The status says whether a request was accepted; without one a 4xx is a refusal."""
    assert reply_of(body, code).outcome == outcome


@pytest.mark.parametrize(
    "code, outcome", [(199, "broken"), (200, "accepted"), (299, "accepted"), (300, "broken")]
)
def test_an_operation_without_status_accepts_by_2xx(code: int, outcome: str) -> None:
    """Where the document has no status, the HTTP code decides."""
    assert reply_of({}, code, operation_of(PLAIN, "plain")).outcome == outcome


# The document declares 200 for this operation, errors included.
@pytest.mark.parametrize(
    "errors, body, code, found",
    [
        # accepted or broken: the code of the operation, whatever the profile
        ("any", PROCESSING, 200, []),
        ("any", PROCESSING, 201, ["http-code"]),
        ("envelope", PROCESSING, 201, ["http-code"]),
        ("status", PROCESSING, 201, ["http-code"]),
        ("any", PROCESSING, 404, ["http-code"]),
        ("any", PROCESSING, 499, ["http-code"]),
        ("any", PROCESSING, 500, ["crash"]),
        # refused below the contract: every code of HTTP itself
        ("any", ERROR, 405, []),
        ("envelope", ERROR, 413, []),
        ("status", ERROR, 431, []),
        # refused, envelope: the declared code alone
        ("envelope", ERROR, 200, []),
        ("envelope", ERROR, 400, ["http-code"]),
        ("envelope", ERROR, 500, ["crash"]),
        # refused, status: an error code, and a known one
        ("status", ERROR, 400, []),
        ("status", ERROR, 200, ["http-code"]),
        ("status", ERROR, 399, ["http-code"]),
        ("status", ERROR, 418, ["http-code"]),
        ("status", ERROR, 500, ["crash"]),
        ("status", ERROR, 501, ["crash"]),
        ("status", {"status": "failed"}, 200, []),
        # refused, any: the declared code, or a known one with a warning
        ("any", ERROR, 200, []),
        ("any", ERROR, 400, ["undeclared-code"]),
        ("any", ERROR, 418, ["http-code"]),
        ("any", ERROR, 201, ["http-code"]),
        ("any", ERROR, 500, ["crash"]),
    ],
)
def test_the_code_of_a_reply(errors: str, body: Any, code: int, found: list[str]) -> None:
    """One row for each outcome, profile of errors and kind of code."""
    codes = ("http-code", "undeclared-code", "crash")

    assert [rule for rule in rules(reply_of(body, code), errors=errors) if rule in codes] == found


@pytest.mark.parametrize("errors", ["any", "envelope", "status"])
@pytest.mark.parametrize("code", [405, 408, 411, 413, 414, 431])
def test_codes_of_http_itself_are_fine(code: int, errors: str) -> None:
    """What stands before the API may refuse a request, whatever the document declares."""
    assert rules(reply_of(ERROR, code), errors=errors) == []


@pytest.mark.parametrize("code", [400, 401, 402, 403, 404, 409, 415, 422, 429])
def test_known_codes_of_errors(code: int) -> None:
    """A client may be prepared for them: they are fine as codes of their own, else a warning."""
    assert rules(reply_of(ERROR, code), errors="status") == []
    assert rules(reply_of(ERROR, code), errors="any") == ["undeclared-code"]
    assert rules(reply_of(ERROR, code), errors="envelope") == ["http-code"]


@pytest.mark.parametrize("code", [500, 502, 503])
@pytest.mark.parametrize("body", [ERROR, b"<html>", {"status": "success"}])
def test_what_comes_of_a_crash_is_not_told_beside_it(body: Any, code: int) -> None:
    """Whatever the body says: an answer with 5xx is one finding."""
    assert rules(reply_of(body, code), errors="status") == ["crash"]


@pytest.mark.parametrize("errors", ["any", "envelope"])
def test_a_declared_error_code_is_fine(errors: str) -> None:
    """409 stands in the document."""
    reply = reply_of({"message": "No."}, 409, operation_of(PLAIN, "plain"))

    assert rules(reply, errors=errors) == []


@pytest.mark.parametrize(
    "reply, found",
    [
        (reply_of({**ERROR, "retry_after": 5}, 503), []),
        (reply_of(ERROR, 503), ["crash"]),
        (reply_of({**ERROR, "retry_after": 5}, 502), ["crash"]),
        (reply_of({**ERROR, "retry_after": 5}, 503, FETCH), ["crash"]),
        (reply_of(b"", 0, error="no answer within 10 s"), ["crash"]),
    ],
)
def test_a_crash_is_told_from_a_full_queue(reply: ObservedReply, found: list[str]) -> None:
    """A submit may be told to wait by a 503; all other 5xx, and no reply at all, are crashes."""
    assert [rule for rule in rules(reply) if rule == "crash"] == found


@pytest.mark.parametrize(
    "body, code, is_busy",
    [
        ({**ERROR, "retry_after": 0}, 200, True),
        ({**ERROR, "retry_after": True}, 200, False),
        ({**ERROR, "retry_after": -1}, 200, False),
        (ERROR, 429, True),
        (ERROR, 400, False),
        ({**PROCESSING, "retry_after": 5}, 200, False),
    ],
)
def test_a_refusal_for_now(body: Any, code: int, is_busy: bool) -> None:
    """retry_after, 429 or a busy word in a refused submit say that it may be accepted later."""
    assert reply_of(body, code).is_busy is is_busy
    assert not reply_of(body, code, FETCH).is_busy


@pytest.mark.parametrize(
    "body, is_unknown",
    [
        ({"status": "error", "message": "Request not found"}, True),
        ({"status": "error", "message": "No.", "id": ""}, True),
        ({"status": "error", "message": "No.", "id": 1}, False),
        ({"status": "processing", "message": "not found", "id": ""}, False),
    ],
)
def test_a_job_that_is_not_known(body: Any, is_unknown: bool) -> None:
    """A refusal by the words of the document, or with an empty id."""
    assert reply_of(body, 200, FETCH).is_unknown is is_unknown


@pytest.mark.parametrize(
    "reply, rule, message",
    [
        (
            reply_of(b"[1]"),
            "reply-not-json",
            f"The reply of {SUBMIT.name} is not a JSON object: it is an array with 1 item,"
            " not an object",
        ),
        (
            reply_of(PROCESSING, content_type="text/plain"),
            "reply-media-type",
            "The reply is labelled 'text/plain'.",
        ),
        (
            reply_of({**ERROR, "message": " "}),
            "reply-schema",
            f"An error of {SUBMIT.name} says nothing in message.",
        ),
        (
            reply_of({**PROCESSING, "eta": -1}),
            "eta",
            "eta is -1, below 0.",
        ),
        (
            reply_of({**ERROR, "message": f"{KEY} is invalid."}),
            "key-echoed",
            f"The key is in a reply of {SUBMIT.name}.",
        ),
        (
            reply_of(ERROR, set_cookie=f"k={KEY}"),
            "key-echoed",
            f"The key is in a reply of {SUBMIT.name}.",
        ),
        (
            reply_of({"id": "x"}, 201),
            "http-code",
            "A reply without a status came with HTTP 201, not 200.",
        ),
    ],
)
def test_what_is_wrong_is_said(reply: ObservedReply, rule: str, message: str) -> None:
    """Each rule about a reply on its own, with its sentence."""
    found = {name: text for name, _, text in judge(reply, Options(KEY))}

    assert found[rule] == message


def test_a_key_that_may_be_a_word_is_not_looked_for() -> None:
    """`--key any` accuses no server whose replies hold that word, also in a header."""
    reply = reply_of({**ERROR, "message": "any"}, x_hint="no seed as any")

    assert list(judge(reply, Options("any"))) == []


def test_both_keys_are_looked_for() -> None:
    """The second key must not stand in a reply either; escaped it counts, too."""
    other = 'other"key-0123456789'
    reply = reply_of({**ERROR, "message": other})

    assert rules(reply) == []
    assert rules(reply, other_key=other) == ["key-echoed"]


def test_an_integer_beyond_64_bits_is_json() -> None:
    """Node writes 2^63 as 9223372036854776000: what it means is judged, and not its bits."""
    body = json.dumps({**PROCESSING, "meta": {"seed": 9223372036854776000}}).encode()

    assert rules(reply_of(body, 200)) == []
