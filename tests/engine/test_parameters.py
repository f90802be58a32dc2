"""The mock refuses calls whose parameters break the document."""

from __future__ import annotations

from typing import Any

import pytest

from documents_small import answered, one_operation
from driving import make_mock
from fauxlab_mock.engine.messages import Call
from fauxlab_mock.runtime.answer import Answer

OK = {"type": "object", "required": ["ok"], "properties": {"ok": {"const": True}}}
DETAIL = {"type": "object", "required": ["detail"], "properties": {"detail": {"type": "string"}}}
PARAMETERS = [
    {"name": "room", "in": "path", "required": True, "schema": {"type": "integer"}},
    {"name": "voice", "in": "query", "required": True, "schema": {"enum": ["alto", "bass"]}},
    {"name": "X-Tenant", "in": "header", "required": True, "schema": {"type": "string"}},
]


def asked(path: str, validation: Any = "strict", **headers: str) -> Answer:
    """An answer of an operation with these parameters; `path` has the query."""
    document = one_operation(
        "/rooms/{room}",
        parameters=PARAMETERS,
        responses={"200": answered(OK), "422": answered(DETAIL)},
    )
    path, _, query = path.partition("?")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    mock = make_mock(document, validation=validation)
    return mock.handle(Call("POST", f"/v1/rooms/{path}", named, query=query))


@pytest.mark.parametrize("validation", ["strict", "coerce"])
def test_what_the_document_requires_beside_the_body_must_be_there(validation: str) -> None:
    """All that is wrong is told at once, as the document declares errors."""
    answer = asked("x?voice=tenor", validation)

    assert (answer.code, answer.body) == (
        422,
        {
            "detail": "The header parameter X-Tenant is required."
            ' path.room must be an integer, not the text "x".'
            ' query.voice must be one of "alto", "bass", not the text "tenor".'
        },
    )


def test_right_parameters_pass() -> None:
    """And with `--validation off` any do."""
    right = asked("7?voice=bass&other=1", x_tenant="acme")

    assert [right.body, asked("x", "off").body] == [{"ok": True}, {"ok": True}]
