"""Names in `x-fauxlab` that nothing in the document has, and fields that look like a status."""

from __future__ import annotations

import json
from typing import Any

import pytest

from documents import sound_document
from fauxlab_contract.openapi.document import Document, read_document
from fauxlab_contract.openapi.roles import asks_for_one, status_words

TEXT = {"type": "string"}


def named(**extension: Any) -> Document:
    return read_document(json.dumps({**sound_document(), "x-fauxlab": extension}).encode())


@pytest.mark.parametrize(
    "extension, notice",
    [
        ({"fields": {"width": "widht"}}, "no schema has a field 'widht'; did you mean width?"),
        ({"fields": {"output": "zzz"}}, "no schema has a field 'zzz'"),
        ({"words": {"success": "succes"}}, "no status lists 'succes'; did you mean success?"),
        ({"fields": {"status": "state"}}, "no schema has a field 'state'; did you mean status?"),
    ],
)
def test_a_role_of_a_field_that_is_nowhere_is_told(extension: Any, notice: str) -> None:
    """Which role, which name, and the name that was perhaps meant, at its place."""
    document = named(**extension)
    ((member, roles),) = extension.items()
    (role,) = roles

    assert [(one.problem, one.pointers) for one in document.notices] == [
        (notice, (f"/x-fauxlab/{member}/{role}",))
    ]


def test_names_that_are_there_are_not_told() -> None:
    """A role may be renamed to any field that some schema has."""
    assert named(fields={"eta": "width"}, words={"failed": "error"}).notices == ()


@pytest.mark.parametrize(
    "words, meant",
    [
        (["queued", "done"], {"processing": "queued", "success": "done"}),
        (
            ["Running", "oops", "aborted", "finished"],
            {"processing": "Running", "success": "finished", "failed": "aborted"},
        ),
        (["queued", "oops"], None),
        (["red", "green"], None),
    ],
)
def test_a_field_that_lists_states_looks_like_the_status(words: Any, meant: Any) -> None:
    """A word for a job that runs and one for its success are needed; branches count together."""
    branches = [
        {"type": "object", "properties": {"state": {"const": word}, "text": TEXT}} for word in words
    ]
    answer = {"content": {"application/json": {"schema": {"oneOf": branches}}}, "description": ""}
    tree = sound_document() | {"paths": {"/jobs": {"post": {"responses": {"200": answer}}}}}
    (operation,) = read_document(json.dumps(tree).encode()).operations

    assert status_words(operation) == ({"state": meant} if meant else {})


KEY = {"type": "object", "properties": {"key": TEXT}}


@pytest.mark.parametrize(
    "content, asks",
    [
        (None, True),
        ({"application/json": {"schema": KEY}}, True),
        ({"application/json": {"schema": {"type": "object"}}}, True),
        ({"application/json": {"schema": {"oneOf": [KEY, {"required": ["image"]}]}}}, False),
        ({"application/json": {"schema": {"allOf": [{"anyOf": [KEY, KEY]}]}}}, False),
        ({"application/json": {"schema": {"additionalProperties": TEXT}}}, False),
        ({"multipart/form-data": {"schema": KEY}}, False),
    ],
)
def test_a_body_whose_members_are_not_known_asks_for_no_job(content: Any, asks: bool) -> None:
    """A path that ends with an id is like a fetch only where the body is sure to say no more."""
    post: dict[str, Any] = {"responses": {}}
    if content:
        post["requestBody"] = {"content": content}
    tree = sound_document() | {"paths": {"/clips/{model}": {"post": post}}}
    (operation,) = read_document(json.dumps(tree).encode()).operations

    assert asks_for_one(operation) is asks


def test_each_lost_reference_is_told_once() -> None:
    """Those that are told already are looked up, not searched for: many take no time."""
    lost = {f"r{n}": {"$ref": f"#/components/nothing/{n}"} for n in range(3_000)}
    tree = sound_document()
    tree["components"] = {**tree.get("components", {}), "responses": lost}

    notices = read_document(json.dumps(tree).encode()).notices

    told = [one for one in notices if one.kind == "lost-reference"]
    assert len({pointer for one in told for pointer in one.pointers}) == 3_000
