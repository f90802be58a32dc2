"""What stands beside the body: required parameters that a server ignores, and those it asks for."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from driving import KEY
from fauxlab_contract.check.run import Options, check
from fauxlab_contract.core.http import HttpRequest, HttpResponse
from fauxlab_contract.openapi.document import Document, read_document

STRING = {"schema": {"type": "string"}}
PARAMETERS = [
    {"name": "User-Agent", "in": "header", "required": True, "example": "me", **STRING},
    {"name": "X-Tenant", "in": "header", "required": True, "example": "acme", **STRING},
    {"name": "model", "in": "query", "required": True, "example": "fast", **STRING},
    {"name": "Accept", "in": "header", "required": True, "example": "text/plain", **STRING},
    {"name": "page", "in": "query", "example": "1", **STRING},
]


def document() -> Document:
    reply = {
        "type": "object",
        "required": ["ok"],
        "properties": {"ok": {"type": "boolean"}},
    }
    body = {"type": "object", "properties": {"words": {"type": "string"}}}
    content = {"application/json": {"schema": reply}}
    errors = {"400": {"description": "", "content": content}}
    post = {
        "parameters": PARAMETERS,
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {"200": {"description": "", "content": content}, **errors},
    }
    got = {"responses": {"200": {"description": "", "content": content}}}
    tree = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {
            "/things": {"post": post, "get": got},
            "/health": {"get": got},
            "/things/{id}": {
                "parameters": [{"name": "id", "in": "path", "required": True, **STRING}],
                "get": got,
            },
        },
    }
    return read_document(json.dumps(tree).encode())


class Things:
    """A server that wants what it is told to want, beside the body."""

    url = "http://127.0.0.1:9"

    def __init__(self, wanted: frozenset[str]) -> None:
        self._wanted, self._now = wanted, 0.0

    def send(self, sent: HttpRequest, within_s: float) -> HttpResponse:
        assert within_s > 0
        came = {*sent.headers, *parse_qs(urlsplit(sent.url).query)}
        try:
            body: Any = json.loads(sent.body)
        except (ValueError, RecursionError):
            body = None
        is_plain = isinstance(body, dict) and isinstance(body.get("words", ""), str)
        is_json = "json" in sent.headers.get("content-type", "")
        is_right = is_plain and is_json and sent.method == "POST" and self._wanted <= came
        is_right &= urlsplit(sent.url).path == "/things"
        code = 200 if is_right else 400
        data = json.dumps({"ok": is_right}).encode()
        return HttpResponse(code, {"content-type": "application/json"}, data, at=self._now)

    def now(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += seconds


@pytest.mark.parametrize(
    "wanted, headers, messages",
    [
        (frozenset({"x-tenant", "model"}), (), []),
        (
            frozenset({"model"}),
            (),
            ["POST /things was accepted without the header parameter X-Tenant, which is required."],
        ),
        (
            frozenset({"x-tenant"}),
            (("x-tenant", "other"),),
            ["POST /things was accepted without the query parameter model, which is required."],
        ),
    ],
    ids=["asks for both", "ignores the header", "ignores the query"],
)
def test_a_required_parameter_that_is_ignored_is_a_warning(
    wanted: frozenset[str], headers: tuple[tuple[str, str], ...], messages: list[str]
) -> None:
    """Each required parameter is left out once, also one that is given by --header; what is
    optional, or no parameter to OpenAPI, is not.
    """
    options = Options(KEY, only=("robustness",), headers=headers)

    report = check(Things(wanted), document(), options)

    found = [one for one in report.findings if one.rule == "parameter-ignored"]
    assert [(one.severity, one.message) for one in found] == [
        ("warning", message) for message in messages
    ], str(report)


@pytest.mark.parametrize(
    "code, rules", [(405, ["valid-refused"]), (501, ["valid-refused"]), (404, [])]
)
@pytest.mark.parametrize("path", ["/health", "/things"], ids=["alone", "beside a POST"])
def test_a_get_that_is_declared_is_known(path: str, code: int, rules: list[str]) -> None:
    """A GET without a body is sent once: 405 breaks the document, 404 may be its address' fault."""

    class WithoutGet(Things):
        def send(self, sent: HttpRequest, within_s: float) -> HttpResponse:
            if sent.method == "GET" and urlsplit(sent.url).path == path:
                return HttpResponse(code, {"content-type": "application/json"}, b"{}")
            return super().send(sent, within_s)

    target = WithoutGet(frozenset({"x-tenant", "model"}))

    report = check(target, document(), Options(KEY, only=("robustness",)))

    found = [one for one in report.findings if one.operation == f"GET {path}"]
    assert [one.rule for one in found] == rules, str(report)
    assert report.untried == ("GET /things/{id}",)  # nobody knows an id
