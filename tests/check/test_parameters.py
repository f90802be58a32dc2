"""How the check writes the parameters that a document requires."""

from __future__ import annotations

from typing import Any

import pytest

from documents_small import answered, one_operation
from fauxlab_contract.check.parameters import Parameters, lacking, parameters_of, path_with
from fauxlab_contract.check.run import Options, check
from fauxlab_contract.validation.parameters import parameter_violations
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.runtime.target import MockTarget
from fauxlab_mock.settings import Settings

LIST: dict[str, Any] = {
    "schema": {"type": "array", "items": {"type": "integer"}},
    "example": [1, 2],
}
OBJECT: dict[str, Any] = {"schema": {"type": "object"}, "example": {"a": 1, "b": True}}


def parameters(path: str = "/things", **members: Any) -> tuple[Parameters, Any]:
    """Those of a document with one parameter `p`, and its operation."""
    one = {"name": "p", "in": "query", "required": True, **members}
    document = one_operation(path, parameters=[one])
    return parameters_of(document, document.operations[0]), document.operations[0]


@pytest.mark.parametrize(
    "members, query",
    [
        (LIST, "?p=1&p=2"),
        ({**LIST, "explode": False}, "?p=1%2C2"),
        ({**LIST, "style": "pipeDelimited"}, "?p=1%7C2"),
        ({**LIST, "style": "spaceDelimited"}, "?p=1+2"),
        ({**LIST, "style": "pipeDelimited", "explode": True}, "?p=1&p=2"),
        (OBJECT, "?a=1&b=true"),
        ({**OBJECT, "explode": False}, "?p=a%2C1%2Cb%2Ctrue"),
        ({**OBJECT, "style": "deepObject"}, "?p%5Ba%5D=1&p%5Bb%5D=true"),
        ({"schema": {"type": "string"}, "example": "x y"}, "?p=x+y"),
    ],
)
def test_a_query_is_written_as_its_style_says(members: dict[str, Any], query: str) -> None:
    """As it is judged: by default each item of a list comes with the name."""
    needed, operation = parameters(**members)

    assert (needed.query(), needed.query("p"), needed.query(p="k")) == (query, "", "?p=k")
    assert parameter_violations(operation, {}, query[1:], {}) == ()


@pytest.mark.parametrize(
    "members",
    [
        {"schema": {"type": "object"}, "example": {"a": {"b": 1}}},
        {"schema": {"type": "array"}, "example": [[1]]},
        {"schema": {"type": "array"}, "example": []},
        {**LIST, "style": "anotherStyle"},
        {"content": {"application/json": {}}, "example": {"a": 1}},
    ],
)
def test_a_value_that_no_style_writes_is_lacking(members: dict[str, Any]) -> None:
    """What is sent would be a guess, and a refusal of it would prove nothing."""
    needed, operation = parameters(**members)

    assert lacking(operation, needed, {}) == "the query parameter p"
    assert needed.query() == ""


def test_lists_in_the_path_and_in_headers_are_parted_by_commas() -> None:
    """There, nothing is exploded."""
    in_path, operation = parameters("/things/{p}", **{**LIST, "in": "path"})
    in_header, _ = parameters(**{**LIST, "in": "header"})

    assert path_with(operation, in_path) == "/things/1%2C2"
    assert in_header.headers() == {"p": "1,2"}


def test_a_header_that_openapi_gives_away_is_still_sent_and_lacking() -> None:
    """A server may ask for Authorization as it says; without a value nothing can be tried."""
    header: dict[str, Any] = {"in": "header", "name": "Authorization", "schema": {"type": "string"}}
    known, _ = parameters(**header, example="Bearer x")
    unknown, operation = parameters(**header)

    assert known.headers() == {"authorization": "Bearer x"}
    assert lacking(operation, unknown, {}) == "the header parameter Authorization"


def test_the_mock_takes_what_the_check_sends() -> None:
    """A list in the query is written by the one as it is read by the other."""
    ok = {"type": "object", "required": ["ok"], "properties": {"ok": {"type": "boolean"}}}
    body = {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}}
    document = one_operation(
        parameters=[{"name": "ids", "in": "query", "required": True, **LIST}],
        request={"application/json": body},
        responses={"200": answered(ok), "422": answered({"type": "object"})},
    )
    mock = Mock(Settings(clock="manual"), document=document)

    report = check(MockTarget(mock), document, Options("any-key-01", any_key=True, examples=2))

    mock.close()
    assert report.findings == ()
