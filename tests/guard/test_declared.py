"""The guard judges bodies and replies by what the document declares for them."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest

from documents_small import answered, one_operation
from fauxlab_contract.core.http import HttpResponse
from fauxlab_contract.guard.guard import Guard, GuardError
from fauxlab_contract.guard.hooks.watch import WatchedCall
from fauxlab_contract.openapi.document import Document

JSON, API_JSON = "application/json", "application/vnd.api+json"
URL = "https://api.example.com/v1/things"
NEEDS_N = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
OK = {"type": "object", "required": ["ok"], "properties": {"ok": {"type": "boolean"}}}
NUMBERS = {"type": "array", "items": {"type": "integer"}}


def findings(
    document: Document, body: Any, media_type: str = JSON, reply: HttpResponse | None = None
) -> list[str]:
    """The messages about a call, and about its reply if there is one."""
    guard = Guard(document)
    call = WatchedCall("POST", URL, {"content-type": media_type}, json.dumps(body).encode(), True)
    try:
        token = guard.sent(call)
        if reply is not None:
            guard.answered(token, reply)
    except GuardError:
        pass
    return [f"{finding.rule}: {finding.message}" for finding in guard.findings]


@pytest.mark.parametrize(
    "schema, body, media_type, told",
    [
        (NEEDS_N, {"n": 1}, API_JSON, []),
        (NEEDS_N, {}, API_JSON, ["request-violation: The n field is required."]),
        (
            NEEDS_N,
            {"n": 1},
            JSON,
            [f"media-type: Content-Type must be {API_JSON}, not '{JSON}'."],
        ),
        (NUMBERS, [1], API_JSON, []),
        (
            NUMBERS,
            {},
            API_JSON,
            ["request-violation: The body must be an array, not an empty object."],
        ),
        (
            NEEDS_N,
            [1],
            API_JSON,
            ["malformed-body: The body must be a JSON object, not an array with 1 item."],
        ),
        (NEEDS_N, "a=b", "multipart/form-data; boundary=x", []),
    ],
)
def test_a_request_is_judged_as_it_is_declared(
    schema: Any, body: Any, media_type: str, told: list[str]
) -> None:
    """JSON of another name and arrays are judged, a form that the document allows is not."""
    document = one_operation(request={API_JSON: schema, "multipart/form-data": {}})

    assert findings(document, body, media_type) == told


def at(document: Document, url: str) -> list[str] | None:
    """The messages about a call to a URL; None if it is not the guard's affair."""
    guard = Guard(document, urls=lambda: ["http://127.0.0.1:4010/v1"])
    if not guard.wants(url):
        return None
    with contextlib.suppress(GuardError):
        guard.sent(WatchedCall("POST", url, {"content-type": JSON}, b"{}", True))
    return [f"{finding.rule}: {finding.message}" for finding in guard.findings]


UPLOADS = [{"url": "https://up.example/v9"}]


@pytest.mark.parametrize(
    "template, url, told",
    [
        ("/ops/{id}:stop", "https://api.example.com/v1/ops/7:stop", []),
        ("/models/{id}", "https://api.example.com/v1/models/acme%2Fface", []),
        ("/things", "https://up.example/v9/things", []),
        ("/things", "http://127.0.0.1:4010/v9/things", []),
        ("/things", "https://else.example/v9/things", None),
        (
            "/things",
            "http://up.example/v9/things",
            ["plain-http: The call goes to production over plain http."],
        ),
        (
            "/things",
            "https://up.example/v9/thing",
            [
                "unknown-path: POST /v9/thing is not in the document; did you mean /v9/things?",
            ],
        ),
    ],
)
def test_a_url_leads_to_the_operation_that_the_document_means(
    template: str, url: str, told: list[str] | None
) -> None:
    """Templates inside a segment, encoded slashes and servers of operations are understood."""
    document = one_operation(template, servers=UPLOADS if template == "/things" else [])

    assert at(document, url) == told


DETAIL = {"type": "object", "required": ["detail"], "properties": {"detail": {"type": "string"}}}
NO_DETAIL = ["reply-violation: The detail field is required."]


@pytest.mark.parametrize(
    "codes, code, body, told",
    [
        ("404", 404, {"detail": "no"}, []),
        ("404", 404, {"ok": True}, NO_DETAIL),
        ("404", 403, {"ok": 1}, []),
        ("4XX", 422, {}, NO_DETAIL),
        ("default", 404, {}, NO_DETAIL),
        ("default", 502, {"message": "Bad gateway"}, []),
        ("5XX", 502, {"message": "no"}, NO_DETAIL),
    ],
)
def test_a_reply_is_judged_by_its_code(codes: str, code: int, body: Any, told: list[str]) -> None:
    """A declared code has its own schema; a gateway's error under `default` is left alone."""
    document = one_operation(
        request={JSON: NEEDS_N}, responses={"200": answered(OK), codes: answered(DETAIL)}
    )
    reply = HttpResponse(code, {}, json.dumps(body).encode())

    assert findings(document, {"n": 1}, reply=reply) == told
