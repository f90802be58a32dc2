"""Replies in the members and types that another document declares for them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from documents import branch
from driving import make_mock, post
from fauxlab_contract.openapi.document import read_document
from fauxlab_mock.engine.messages import Call
from fauxlab_mock.runtime.answer import Answer
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.settings import Settings

TEXT, INTEGER = {"type": "string"}, {"type": "integer"}
KEY_ALONE = {"type": "object", "required": ["key"], "properties": {"key": TEXT}}
LINKS = {"type": "array", "items": {"type": "string", "format": "uri"}}
# another API's ways: integers for ids, no member that is empty, no member beside those declared
BRANCHES: dict[str, dict[str, Any]] = {
    "processing": {"id": INTEGER, "eta": INTEGER, "fetch_result": TEXT},
    "success": {"id": INTEGER, "output": LINKS},
    "failed": {"id": INTEGER, "message": TEXT},
    "error": {"message": TEXT},
}
TYPES: dict[str, dict[str, Any]] = {
    "integer": INTEGER,
    "object": {"type": "object", "required": ["text"], "properties": {"text": TEXT}},
    "texts": {"type": "array", "minItems": 1, "items": TEXT},
    "long": {"type": "string", "minLength": 40},
    "boolean": {"type": "boolean"},
}


def served(*required: str, codes: dict[str, Any] | None = None, **changed: Any) -> Mock:
    """A mock of a document with these branches; those that are `required` require all they have."""
    replies = []
    for word, members in (BRANCHES | changed).items():
        reply = branch(word, **members)
        reply["required"] = ["status", *(members if word in required else ())]
        replies.append(reply)

    def of_json(schema: Any) -> dict[str, Any]:
        return {"description": "", "content": {"application/json": {"schema": schema}}}

    operation = {
        "requestBody": of_json(KEY_ALONE) | {"required": True},
        "responses": {"200": of_json({"oneOf": replies})}
        | {code: of_json(schema) for code, schema in (codes or {}).items()},
    }
    path_id = {"name": "id", "in": "path", "required": True, "schema": TEXT}
    tree = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "servers": [{"url": "https://api.test/v1"}],
        "paths": {
            "/jobs": {"post": operation},
            "/jobs/fetch/{id}": {"post": operation | {"parameters": [path_id]}},
        },
    }
    document = read_document(json.dumps(tree).encode(), "t.json")
    return Mock(Settings(clock="manual"), document=document)


def fetched(mock: Mock, asked: object, prefer: str = "") -> Any:
    headers = {"prefer": prefer} if prefer else {}
    return post(mock, f"/v1/jobs/fetch/{asked}", {"key": "a key"}, **headers).body


def test_an_unknown_id_is_left_out_where_ids_are_integers() -> None:
    """An empty id that a branch neither takes nor requires is not said."""
    assert fetched(served(), 77) == {"status": "failed", "message": "Request not found"}


def test_a_word_that_is_no_number_gets_an_id_of_the_right_type() -> None:
    """Where the branch requires an integer, some integer is there; nothing is a 500."""
    reply = fetched(served("failed"), "no-number")

    assert (reply["status"], type(reply["id"])) == ("failed", int)


@pytest.mark.parametrize(
    "members, reply",
    [
        ({"reason": TEXT}, {"status": "error", "reason": "sample"}),
        ({"message": TYPES["texts"]}, {"status": "error", "message": ["Invalid API key"]}),
        ({"message": INTEGER}, {"status": "error", "message": 1}),
        ({}, {"status": "error"}),
    ],
)
def test_a_refusal_says_what_a_closed_branch_takes(members: Any, reply: Any) -> None:
    """What an error branch does not declare, or takes in another type, does not spoil it."""
    mock = served("error", error=members)

    answer = post(mock, "/v1/jobs", {"key": "a key"}, prefer="scenario=invalid_key")

    assert (answer.code, answer.body) == (200, reply)


def test_pictures_may_be_objects() -> None:
    """A list of objects has the link of each picture in the member that is a URI."""
    picture = {
        "type": "object",
        "required": ["url", "width"],
        "properties": {"url": {"type": "string", "format": "uri"}, "width": INTEGER},
        "additionalProperties": False,
    }
    mock = served(success={"id": INTEGER, "output": {"type": "array", "items": picture}})
    post(mock, "/v1/jobs", {"key": "a key"})
    (job,) = mock.jobs
    mock.clock.advance(10)

    (shown,) = fetched(mock, job.id)["output"]

    assert shown == {"url": f"https://api.test/generations/{job.files[0]}", "width": 1}
    assert mock.handle(Call("GET", f"/generations/{job.files[0]}")).code == 200


def test_a_number_is_moved_into_its_bounds() -> None:
    """An eta beyond what the document allows is the nearest that it allows."""
    eta = {"type": "integer", "minimum": 2, "maximum": 3}
    mock = served("processing", processing=BRANCHES["processing"] | {"eta": eta})

    submitted = post(mock, "/v1/jobs", {"key": "a key"}).body
    mock.clock.advance(4)

    assert (submitted["eta"], fetched(mock, submitted["id"])["eta"]) == (3, 2)


@pytest.mark.parametrize(
    "schema, body",
    [
        (
            {"required": ["detail"], "properties": {"detail": TEXT, "status": INTEGER}},
            {"detail": "Request not found", "status": 1},
        ),
        (
            {"required": ["error"], "properties": {"error": {"properties": {"message": TEXT}}}},
            {"error": {"message": "Request not found"}},
        ),
        (
            {
                "required": ["errors", "kind"],
                "properties": {
                    "errors": {"type": "array", "items": {"properties": {"msg": TEXT}}},
                    "kind": {"enum": ["lost"]},
                },
            },
            {"errors": [{"msg": "Request not found"}], "kind": "lost"},
        ),
        ({"properties": {}}, {"status": "error", "message": "Request not found"}),
    ],
)
def test_a_code_with_a_schema_of_its_own_is_answered_by_it(schema: Any, body: Any) -> None:
    """An error comes in the shape that the document declares for its code; in the mock's envelope
    where that is allowed.
    """
    mock = served(codes={"404": {"type": "object", **schema}})
    mock = Mock(Settings(errors="status"), document=mock.document)

    answer = post(mock, "/v1/jobs/fetch/77", {"key": "a key"})

    assert (answer.code, answer.body) == (404, body)


def test_an_error_that_cannot_be_made_is_told_at_the_start() -> None:
    """A schema that needs an example is named before it is needed."""
    code = {"required": ["code"], "properties": {"code": {"pattern": r"^\p{Lu}[0-9]", **TEXT}}}

    told = served(codes={"404": {"type": "object", **code}}).unmakeable()

    assert [sentence.partition(";")[0] for sentence in told] == [
        "a reply of POST /jobs cannot be made from the schema",
        "a reply of POST /jobs/fetch/{id} cannot be made from the schema",
    ]


@pytest.mark.parametrize("is_required", [True, False])
@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("role", ["id", "eta", "fetch_result", "output", "message", "retry_after"])
def test_no_reply_fails_that_was_not_told_at_the_start(
    role: str, kind: str, is_required: bool
) -> None:
    """Whatever type a document gives to a role: what cannot be made is told before any call."""
    changed = {word: members | {role: TYPES[kind]} for word, members in BRANCHES.items()}
    mock = served(*BRANCHES if is_required else (), **changed)
    told = " ".join(mock.unmakeable())

    failed = {path for path, answer in _lived(mock) if answer.code == 500}

    assert {path for path in failed if f"POST {path} cannot" not in told} == set()


def _lived(mock: Mock) -> Iterator[tuple[str, Answer]]:
    """Every kind of answer that there is, each with the path of its operation."""
    for prefer in ("scenario=success", "scenario=failed", "scenario=rate_limited", "eta=0"):
        for body in ({"key": "a key"}, {}):
            yield "/jobs", post(mock, "/v1/jobs", body, prefer=prefer)
    for advance_s in (0, 10):
        mock.clock.advance(advance_s)
        for asked in (*(job.id for job in mock.jobs), 7, "seven"):
            for prefer in ("", "scenario=early_not_found", "scenario=rate_limited"):
                path = f"/v1/jobs/fetch/{asked}"
                yield "/jobs/fetch/{id}", post(mock, path, {"key": "a key"}, prefer=prefer)


def test_a_quirk_is_shown_although_the_document_forbids_it() -> None:
    """Who asks for a habit of the real API gets it with every document."""
    reply = BRANCHES["processing"] | {"message": TEXT}
    mock = make_mock(served("processing", processing=reply).document)

    answer = post(mock, "/v1/jobs", {"key": "a key"}, prefer="scenario=legacy_messege")

    assert {"message", "messege"} & answer.body.keys() == {"messege"}
