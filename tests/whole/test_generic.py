"""Nothing but the document names a bound, a field or an endpoint: altered copies and other
documents are served alike.
"""

from __future__ import annotations

import ast
import io
import json
from pathlib import Path
from typing import Any

import pytest

from documents import Tree, altered, family_documents, request_schema
from driving import KEY, SUBMIT, VALID, make_mock, post
from fauxlab_contract.generation.sample import sample
from fauxlab_contract.openapi.document import Document, load_document, read_document
from fauxlab_contract.openapi.operation import Operation
from fauxlab_contract.validation.bodies import request_violations, response_violations
from fauxlab_contract.validation.lifecycle import job_violations
from fauxlab_mock.engine.messages import Call
from fauxlab_mock.runtime.journal import Log
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


def test_a_raised_bound_is_followed() -> None:
    """With a maximum of 30 steps in the document, 30 is accepted and 31 refused with that limit."""
    document = altered(
        lambda tree: request_schema(tree)["properties"]["num_inference_steps"].update(maximum=30)
    )
    mock = make_mock(document)

    accepted, refused = (
        post(mock, SUBMIT, VALID | {"num_inference_steps": steps}).body for steps in (30, 31)
    )

    assert (accepted["status"], refused) == (
        "processing",
        {"status": "error", "message": "num_inference_steps must be at most 30, not 31."},
    )


def test_an_added_required_field_is_demanded() -> None:
    """A field that the document newly requires is missed by name."""

    def add(tree: Tree) -> None:
        request_schema(tree)["required"].append("mood")
        request_schema(tree)["properties"]["mood"] = {"type": "string"}

    mock = make_mock(altered(add))

    assert post(mock, SUBMIT, VALID).body["message"] == "The mood field is required."
    assert post(mock, SUBMIT, VALID | {"mood": "calm"}).body["meta"]["mood"] == "calm"


def test_a_renamed_path_is_served() -> None:
    """The path of an operation comes from the document alone."""
    mock = make_mock(
        altered(
            lambda tree: tree["paths"].update(
                {"/portraits/make": tree["paths"].pop("/image_editing/flux_headshot")}
            )
        )
    )

    assert post(mock, "/api/v6/portraits/make", VALID).body["status"] == "processing"
    assert post(mock, SUBMIT, VALID).code == 404


@pytest.mark.parametrize(
    "url, path, origin",
    [
        ("https://other.example/v9", "/v9", "https://other.example"),
        ("/relative/base/", "/relative/base", "http://localhost"),
        ("https://{host}/x", "/x", "https://vars.example"),
        ("https://bare.example", "", "https://bare.example"),
    ],
)
def test_another_server_base_is_followed(url: str, path: str, origin: str) -> None:
    """Base path and origin of links come from the document's first server, with its variables."""
    mock = make_mock(
        altered(
            lambda tree: tree.update(
                servers=[{"url": url, "variables": {"host": {"default": "vars.example"}}}]
            )
        )
    )

    reply = post(mock, f"{path}/image_editing/flux_headshot", VALID)

    assert reply.body["fetch_result"] == f"{origin}{path}/image_editing/fetch/100000001"


def test_renamed_roles_are_followed() -> None:
    """x-fauxlab at the top renames fields and words: the lifecycle follows."""

    def rename(tree: Tree) -> None:
        text = json.dumps(tree).replace('"processing"', '"queued"').replace('"key"', '"api_key"')
        tree.update(json.loads(text))
        tree["x-fauxlab"] = {"fields": {"key": "api_key"}, "words": {"processing": "queued"}}

    mock = make_mock(altered(rename))
    body = {name: value for name, value in VALID.items() if name != "key"} | {"api_key": KEY}

    assert post(mock, SUBMIT, body).body["status"] == "queued"
    assert KEY not in repr(mock.requests)


def test_plain_operations_of_every_kind_are_answered_and_logged() -> None:
    """A reply that is an array, and one that has no content, go out as the document says, and the
    log takes them.
    """

    def add(tree: Tree) -> None:
        content = {
            "application/json": {
                "schema": {"type": "array", "items": {"type": "string"}},
                "example": ["a"],
            }
        }
        tree["paths"]["/models"] = {
            "get": {"responses": {"200": {"description": "", "content": content}}}
        }
        tree["paths"]["/model"] = {"delete": {"responses": {"204": {"description": ""}}}}

    log = io.StringIO()
    mock = Mock(Settings(clock="manual"), document=altered(add), on_exchange=Log("text", log))

    models, gone = (
        mock.handle(Call("GET", "/api/v6/models")),
        mock.handle(Call("DELETE", "/api/v6/model")),
    )

    assert ((models.code, models.body), (gone.code, gone.content)) == ((200, ["a"]), (204, b""))
    assert [line.split()[1:6] for line in log.getvalue().splitlines()] == [
        ["GET", "/api/v6/models", "->", "200", "ok"],
        ["DELETE", "/api/v6/model", "->", "204", "ok"],
    ]


def test_an_openapi_3_0_copy_is_served_alike() -> None:
    """The same document as OpenAPI 3.0, with nullable doing what it means there, accepts null where
    it says so.
    """

    def to_3_0(tree: Tree) -> None:
        tree["openapi"] = "3.0.3"
        request_schema(tree)["properties"]["width"]["nullable"] = True
        for name in ("WebhookSuccess", "WebhookFailed"):
            tree["components"]["schemas"][name]["properties"]["track_id"] = {"type": "integer"}

    mock = make_mock(altered(to_3_0))

    assert post(mock, SUBMIT, VALID | {"width": None}).body["status"] == "processing"
    assert (
        post(mock, SUBMIT, VALID | {"height": None}).body["message"]
        == "height must be an integer, not null."
    )


def constants(path: Path) -> set[Any]:
    """Every literal text and number of a module, docstrings left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docs = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return {
        node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and node not in docs
    }


def test_no_source_file_names_the_headshot() -> None:
    """No endpoint, bound or field of the headshot stands in the code; names and status words stand
    in conventions.py alone.
    """
    operations = load_document().operations
    fields = {
        name
        for operation in operations
        if operation.request
        for name in operation.request.properties
    }
    members = {
        name
        for operation in operations
        for variant in operation.variants.values()
        for name in variant.properties
    }
    bounds = {1024, 26}
    # also names of settings, preferences, roles, rules and profiles
    ours = {"seed", "status", "message", "eta", "tip", "webhook"}
    files = [
        path
        for folder in ("contract", "mock_server")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if path.name != "conventions.py"
    ]

    found = {path.name: constants(path) & ((fields | members | bounds) - ours) for path in files}
    named = [path.name for path in files if "headshot" in path.read_text(encoding="utf-8").lower()]

    assert {name: values for name, values in found.items() if values} == {}
    assert named == []


def valid_request(document: Document, operation: Operation) -> dict[str, Any]:
    assert operation.request is not None
    body = sample(operation.request.schema)
    names = document.conventions.fields
    return {name: value for name, value in body.items() if name != names.webhook} | {names.key: KEY}


@pytest.mark.parametrize("source", family_documents())
def test_every_operation_of_the_family_is_served(source: bytes) -> None:
    """Each operation answers a valid request with a reply that keeps its own contract; jobs reach
    success with a live link.
    """
    mock = make_mock(read_document(source))
    document = mock.document
    outcomes = {
        operation.name: _play(mock, document, operation) for operation in document.operations
    }

    assert set(outcomes.values()) <= {"success", "plain"}
    submits = [operation for operation in document.operations if operation.kind == "submit"]
    assert [outcomes[operation.name] for operation in submits] == ["success"] * len(submits)


def _play(mock: Any, document: Document, operation: Operation) -> str:
    path = document.base_path + operation.path
    body = valid_request(document, operation)
    assert request_violations(operation, body) == ()
    reply = post(mock, path.replace("{id}", "1"), body)
    if operation.kind != "submit":
        if operation.kind == "plain":
            assert response_violations(operation, reply.body) == ()
        return "plain"
    replies = [reply.body]
    fetch_path = replies[0]["fetch_result"].removeprefix(document.origin)
    replies.append(post(mock, fetch_path, {"key": KEY}).body)
    mock.clock.advance(5)
    replies.append(post(mock, fetch_path, {"key": KEY}).body)
    assert job_violations(replies, document.conventions) == ()
    return str(replies[-1]["status"])


@pytest.mark.parametrize("source", family_documents())
def test_every_operation_of_the_family_refuses_an_empty_request(source: bytes) -> None:
    """Each operation with a required field refuses an empty object with an error envelope that
    lists what is missing.
    """
    mock = make_mock(read_document(source))

    for operation in mock.document.operations:
        reply = post(mock, (mock.document.base_path + operation.path).replace("{id}", "1"), {})
        needs_key = operation.request is not None and "key" in operation.request.required
        assert (reply.body["status"], "key" in reply.body["message"]) == (
            "error",
            needs_key,
        ), operation.name
