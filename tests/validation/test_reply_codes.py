"""Replies judged by what the document declares for their HTTP code."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fauxlab_contract.openapi.document import load_document, read_document
from fauxlab_contract.openapi.operation import Operation
from fauxlab_contract.validation.bodies import response_violations


def object_with(name: str, kind: str) -> dict[str, Any]:
    return {"type": "object", "required": [name], "properties": {name: {"type": kind}}}


def answered(schema: Any) -> dict[str, Any]:
    return {"description": "", "content": {"application/json": {"schema": schema}}}


def operation(**responses: Any) -> Operation:
    """A POST with these responses; `x404` stands for 404."""
    named = {name.removeprefix("x"): reply for name, reply in responses.items()}
    tree = {
        "openapi": "3.1.0",
        "paths": {"/a": {"post": {"responses": named}}},
    }
    return read_document(json.dumps(tree).encode()).operations[0]


OK = answered(object_with("ok", "boolean"))
DETAIL = answered(object_with("detail", "array"))
SOME = operation(x200=OK, x404=DETAIL, x4XX=answered(object_with("title", "string")))
ALL = operation(x200=OK, default=DETAIL)


@pytest.mark.parametrize(
    "code, codes", [(200, "200"), (404, "404"), (422, "4XX"), (500, None), (201, None)]
)
def test_the_nearest_declaration_of_a_code_is_found(code: int, codes: str | None) -> None:
    """A code goes before its range, and None stands for a code that is not declared."""
    found = SOME.reply_for(code)

    assert (found.codes if found else None) == codes


def test_default_declares_what_is_left() -> None:
    """Every code without a declaration of its own is declared by `default`."""
    found = [ALL.reply_for(code) for code in (200, 400, 503)]

    assert [reply.codes for reply in found if reply] == ["200", "default", "default"]


@pytest.mark.parametrize(
    "judged, code, body, fields",
    [
        (SOME, 200, {"detail": []}, ["/ok"]),
        (SOME, 404, {"detail": []}, []),
        (SOME, 404, {"ok": True}, ["/detail"]),
        (SOME, 422, {"detail": []}, ["/title"]),
        (SOME, 500, {"anything": 1}, []),
        (SOME, None, {"detail": []}, ["/ok"]),
        (ALL, 503, {"ok": True}, ["/detail"]),
        (operation(x200=OK, x404={"description": "no body"}), 404, {"anything": 1}, []),
    ],
)
def test_a_reply_is_judged_by_its_code(
    judged: Operation, code: int | None, body: Any, fields: list[str]
) -> None:
    """A declared code has its own schema; of an error code that is not declared nothing is said."""
    found = response_violations(judged, body, code)

    assert [violation.pointer for violation in found] == fields


def test_an_error_in_an_envelope_is_judged_at_every_code() -> None:
    """Where errors are a variant, an error is judged by it, whatever its code."""
    submit = load_document().operations[0]

    found = response_violations(submit, {"status": "error"}, 503)

    assert [violation.pointer for violation in found] == ["/message"]


def test_a_reply_that_cannot_be_read_is_not_judged() -> None:
    """A reply that refers to nothing is noticed; the others of its operation are judged."""
    tree = {
        "openapi": "3.1.0",
        "paths": {
            "/a": {
                "post": {
                    "responses": {"200": OK, "404": {"$ref": "#/components/responses/Missing"}}
                }
            }
        },
    }

    document = read_document(json.dumps(tree).encode())

    assert [str(notice) for notice in document.notices] == [
        "the reply is not judged: $ref '#/components/responses/Missing' names nothing in this"
        " document (at /paths/~1a/post/responses/404)"
    ]
