"""The diff of documents without operations: of webhooks, and of components alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fauxlab_contract.diff.report import compare_documents
from fauxlab_contract.openapi.document import Document, DocumentError, read_document

TEXT, WHOLE = {"type": "string"}, {"type": "integer"}


def document(**members: Any) -> Document:
    head = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}}
    return read_document(json.dumps({**head, **members}).encode())


def hooks(**schemas: Any) -> Document:
    """A document of webhooks alone, each with the body that is sent."""
    return document(
        webhooks={
            name: {"post": {"requestBody": {"content": {"application/json": {"schema": schema}}}}}
            for name, schema in schemas.items()
        }
    )


def parts(**schemas: Any) -> Document:
    return document(components={"schemas": schemas})


def told(old: Document, new: Document) -> list[tuple[str, str, str, tuple[str, ...]]]:
    return [
        (one.effect, one.kind, one.message, one.operations)
        for one in compare_documents(old, new).changes
    ]


def with_id(schema: Any, *required: str) -> Any:
    return {"type": "object", "required": [*required], "properties": {"id": schema}}


@pytest.mark.parametrize(
    "old, new, changes",
    [
        (
            hooks(done=with_id(WHOLE, "id")),
            hooks(done=with_id(WHOLE)),
            [
                (
                    "breaking",
                    "field-optional",
                    "id is no longer required.",
                    ("webhook done",),
                )
            ],
        ),
        (
            hooks(done=TEXT, gone=TEXT),
            hooks(done=TEXT, more=TEXT),
            [
                (
                    "risky",
                    "callback-removed",
                    "The webhook gone is no longer described.",
                    ("webhook gone",),
                ),
                ("harmless", "callback-added", "The webhook more is new.", ("webhook more",)),
            ],
        ),
        (
            parts(Thing=with_id(TEXT), Gone=TEXT),
            parts(Thing=with_id({**TEXT, "maxLength": 5}), More=TEXT),
            [
                (
                    "breaking",
                    "bound-tightened",
                    "id: maxLength goes from no limit to 5.",
                    ("schema Thing",),
                ),
                ("breaking", "schema-removed", "The schema Gone is gone.", ("schema Gone",)),
                ("harmless", "schema-added", "The schema More is new.", ("schema More",)),
            ],
        ),
        (hooks(done=TEXT), hooks(done=TEXT), []),
        (parts(Thing=TEXT), parts(Thing=TEXT), []),
    ],
)
def test_what_is_there_is_compared(
    old: Document, new: Document, changes: list[tuple[str, str, str, tuple[str, ...]]]
) -> None:
    """Webhooks are read by clients; of a schema alone the more serious direction counts."""
    assert told(old, new) == changes


def test_components_beside_operations_are_compared_where_they_are_used() -> None:
    """A schema that nothing uses is no change for clients."""
    paths = {"/a": {"get": {"responses": {"200": {"description": ""}}}}}
    old, new = (document(paths=paths, components={"schemas": {"A": one}}) for one in (TEXT, WHOLE))

    assert told(old, new) == []


LOST = {"$ref": "#/components/requestBodies/Lost"}


@pytest.mark.parametrize(
    "members, place",
    [
        (
            {"webhooks": {"done": {"post": {"requestBody": LOST}}}},
            "/webhooks/done/post/requestBody",
        ),
        ({"webhooks": {"done": LOST}}, "/webhooks/done"),
        (
            {"paths": {"/a": {"post": {"callbacks": {"cb": LOST}}}}},
            "/paths/~1a/post/callbacks/cb",
        ),
    ],
)
def test_what_cannot_be_read_is_not_compared(members: Any, place: str) -> None:
    """A reference that leads to nothing is an error with its place, whichever side has it."""
    broken, sound = document(**members), hooks(done=WHOLE)

    assert [notice.pointers for notice in broken.notices if "$ref" in notice.problem] == [(place,)]
    for pair in ((broken, sound), (sound, broken)):
        with pytest.raises(DocumentError) as caught:
            compare_documents(*pair)
        assert (caught.value.pointer, caught.value.line) == (place, 1)
        assert "names nothing in this document" in str(caught.value)
