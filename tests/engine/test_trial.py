"""Replies that cannot be made are known before a client asks for them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from documents import Tree, altered
from driving import BUNDLED, make_mock
from fauxlab_contract.openapi.document import read_document
from fauxlab_mock.engine.messages import Call
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.runtime.own_reply import InvalidReplyError
from fauxlab_mock.settings import Settings

PATTERN = r"^\p{Lu}_[a-z0-9]{8}$"  # no reader of Python's patterns knows \p
BROKEN = f'id must match {PATTERN}; it is the text "sample".'


def things(**member: Any) -> bytes:
    """A document with one operation, whose reply has an `id` with these keywords."""
    schema = {"type": "object", "required": ["id"], "properties": {"id": member}}
    reply = {"description": "", "content": {"application/json": {"schema": schema}}}
    return json.dumps(
        {
            "openapi": "3.1.0",
            "info": {"title": "t", "version": "1"},
            "servers": [{"url": "https://api.test/v1"}],
            "paths": {"/things": {"get": {"responses": {"200": reply}}}},
        }
    ).encode()


def test_all_replies_of_the_bundled_document_can_be_made() -> None:
    """And so can those of a document whose schemas are simple."""
    assert Mock(document=BUNDLED).unmakeable() == []
    assert Mock(document=read_document(things(type="string"), "t.json")).unmakeable() == []


@pytest.mark.parametrize("errors", ["envelope", "status"])
def test_a_reply_that_cannot_be_made_is_no_error_of_the_api(errors: Any) -> None:
    """It is told at the start, answered by 500 in the mock's own name, and is in the journal."""
    document = read_document(things(type="string", pattern=PATTERN), "t.json")
    mock = Mock(Settings(errors=errors), document=document)

    assert mock.unmakeable() == [
        f"a reply of GET /things cannot be made from the schema; give an example: {BROKEN}"
    ]
    answer = mock.handle(Call("GET", "/v1/things"))
    assert (answer.code, answer.headers["content-type"], answer.body["detail"]) == (
        500,
        "application/problem+json",
        f"fauxlab cannot make a reply of GET /things that fits the document: {BROKEN} Give the"
        " reply an example in the document.",
    )
    assert [(each.refusal, each.code) for each in mock.own_replies] == [("no_reply", 500)]
    assert "misused-mock" not in str(mock.verdict())
    with pytest.raises(InvalidReplyError, match="fauxlab cannot make a reply of GET /things"):
        make_mock(document).handle(Call("GET", "/v1/things"))


def test_an_example_mends_it() -> None:
    """What the document gives as an example is answered."""
    member = {"type": "string", "pattern": PATTERN, "examples": ["T_abcd1234"]}
    mock = make_mock(read_document(things(**member), "t.json"))

    assert mock.unmakeable() == []
    assert mock.handle(Call("GET", "/v1/things")).body == {"id": "T_abcd1234"}


def test_a_lifecycle_is_tried_as_well() -> None:
    """An id of a form that the mock does not give is noticed for each operation that says it."""

    def change(tree: Tree) -> None:
        for schema in tree["components"]["schemas"].values():
            if "id" in schema.get("properties", {}):
                schema["properties"]["id"] = {"type": "string", "pattern": "^[a-z]{4}$"}

    told = Mock(document=altered(change)).unmakeable()

    assert [sentence.partition(" cannot")[0] for sentence in told] == [
        "a reply of POST /image_editing/flux_headshot",
        "a reply of POST /image_editing/fetch/{id}",
    ]
