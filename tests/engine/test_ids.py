"""Jobs have ids of the form that a document declares, and are found by them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from documents_small import answered
from driving import make_mock
from fauxlab_contract.generation.search import text_of
from fauxlab_contract.openapi.document import Document, read_document
from fauxlab_contract.openapi.references import Tree
from fauxlab_contract.openapi.schema import Schema
from fauxlab_mock.engine.ids import JobIds, shown_id
from fauxlab_mock.engine.messages import Call
from fauxlab_mock.runtime.mock import Mock

UUID = {"type": "string", "format": "uuid"}
STATUS = {"type": "string", "enum": ["processing", "success", "failed", "error"]}


def nest(reply_id: Any, path_id: Any = None, schema: Any = None) -> Document:
    """A document as NestJS writes it: one DTO for all states, and no body for the fetch.

    None for a schema leaves the id out of the replies.
    """
    dto = {"status": STATUS, "fetch_result": {"type": "string", "nullable": True}}
    dto |= {} if reply_id is None else {"id": reply_id}
    schema = schema or {"type": "object", "required": ["status"], "properties": dto}
    path = {"name": "id", "required": True, "in": "path", "schema": path_id or reply_id}
    tree = {
        "openapi": "3.0.0",
        "info": {"title": "t", "version": "1"},
        "servers": [{"url": "https://api.test"}],
        "paths": {
            "/v1/jobs": {"post": {"responses": {"201": answered(schema)}}},
            "/v1/jobs/fetch/{id}": {
                "get": {"parameters": [path], "responses": {"200": answered(schema)}}
            },
        },
    }
    return read_document(json.dumps(tree).encode(), "t.json")


def submitted(mock: Mock) -> Any:
    return mock.handle(Call("POST", "/v1/jobs")).body


def fetched(mock: Mock, asked: object) -> Any:
    return mock.handle(Call("GET", f"/v1/jobs/fetch/{asked}")).body


@pytest.mark.parametrize(
    "schema, shown",
    [
        ({"type": "integer"}, 100000001),
        ({"type": "string"}, "100000001"),
        (UUID, "00000000-0000-4000-8000-000100000001"),
        (UUID | {"nullable": True}, "00000000-0000-4000-8000-000100000001"),
        ({"type": "string", "minLength": 12}, "000100000001"),
        ({"type": "string", "pattern": "^job_[0-9]+$"}, "job_100000001"),
        ({"type": "string", "pattern": "^[0-9]{4}-[A-Z]{2}$"}, "0001-AA"),
        ({"type": "string", "pattern": "^[a-f0-9]{24}$"}, "000000000000000100000001"),
        ({"oneOf": [{"type": "string", "format": "uuid"}, {"type": "boolean"}]},
         "00000000-0000-4000-8000-000100000001"),
    ],
)  # fmt: skip
def test_an_id_has_the_declared_form_and_leads_to_its_job(schema: Any, shown: Any) -> None:
    """The reply, the address in it and the fetch agree, and the next job has another id."""
    mock = make_mock(nest(schema))

    first, second = submitted(mock), submitted(mock)

    address = f"https://api.test/v1/jobs/fetch/{shown}"
    assert mock.unmakeable() == []
    assert (first["id"], first["fetch_result"]) == (shown, address)
    assert fetched(mock, shown)["id"] == shown
    assert second["id"] != shown
    assert [fetched(mock, second["id"])["id"], mock.requests[-1].job_id] == [
        second["id"],
        100000002,
    ]


@pytest.mark.parametrize(
    "asked",
    [
        "3f0e6f1c-52a6-4a4e-9d3c-0b7f5b3b1e11",
        "00000000-0000-4000-8000-000100000009",
        "00000000-0000-4000-9000-000100000001",
        "job-100000001",
        "no-number",
        "9" * 40,
    ],
)
def test_an_id_that_was_not_given_out_is_unknown(asked: str) -> None:
    """What only ends like an id of a job is none."""
    mock = make_mock(nest(UUID))
    submitted(mock)

    assert fetched(mock, asked)["status"] == "failed"
    assert mock.requests[-1].job_id is None


def test_the_path_says_the_form_where_no_reply_has_an_id() -> None:
    """The address in the reply is all that a client gets, and it leads to the job."""
    mock = make_mock(nest(None, UUID))

    address = submitted(mock)["fetch_result"]

    assert address.endswith("/fetch/00000000-0000-4000-8000-000100000001")
    assert fetched(mock, address.rpartition("/")[2])["status"] == "processing"


def test_ids_that_have_no_room_for_a_number_are_told_at_the_start() -> None:
    """Four letters cannot hold the number of a job: the mock says so in its own name."""
    mock = Mock(document=nest({"type": "string", "pattern": "^[a-z]{4}$"}))

    answer = mock.handle(Call("POST", "/v1/jobs"))

    assert [told.partition(" cannot")[0] for told in mock.unmakeable()] == [
        "a reply of POST /v1/jobs",
        "a reply of GET /v1/jobs/fetch/{id}",
    ]
    assert (answer.code, answer.headers["content-type"]) == (500, "application/problem+json")


@pytest.mark.parametrize("words", [["failed", "processing", "success"], ["success", "processing"]])
def test_each_state_says_the_id_in_its_own_form(words: list[str]) -> None:
    """The first variant speaks for itself alone, and any of the forms leads to the job."""
    variants = [
        {
            "type": "object",
            "required": ["status", "id"],
            "properties": {
                "status": {"type": "string", "enum": [word]},
                "id": {"type": "integer" if word == "processing" else "string"},
                "output": {"type": "array", "items": {"type": "string"}},
            },
        }
        for word in words
    ]
    mock = make_mock(nest({"type": "integer"}, schema={"oneOf": variants}))

    first = submitted(mock)["id"]
    mock.clock.advance(100)

    assert (mock.unmakeable(), first) == ([], 100000001)
    assert fetched(mock, first)["id"] == "100000001"


@pytest.mark.parametrize(
    "least, shown",
    [(12.0, "000100000001"), (200, "100000001".zfill(200)), (50_000_000, 100000001)],
)
def test_a_least_length_may_be_any_number(least: float, shown: Any) -> None:
    """JSON knows one kind of numbers; a text of fifty megabytes is not made."""
    schema = Schema(Tree({}), {"type": "string", "minLength": least}, "")

    assert shown_id(100000001, schema) == shown


@pytest.mark.parametrize(
    "schema, shown",
    [
        ({"type": "integer"}, 101000001),
        (UUID, "00000000-0000-4000-8000-000101000001"),
        ({"type": "string", "pattern": "^[0-9]{4}-[A-Z]{2}$"}, "1001-AA"),
    ],
)
def test_the_id_of_another_job_has_the_same_form(schema: Any, shown: Any) -> None:
    """It is one that no job has."""
    document = nest(schema)
    mock = make_mock(document)
    submitted(mock)
    (job,) = mock.jobs

    assert JobIds(document).of_another_job(job) == shown


def test_a_pattern_is_read_before_the_first_call() -> None:
    """To read one with a lookahead takes seconds, for which no client's timeout is made."""
    mock = make_mock(nest({"type": "string", "pattern": "^read_[0-9]+$"}))
    before = text_of.cache_info().misses

    submitted(mock)

    assert text_of.cache_info().misses == before
