"""The check with documents of other shapes: our own mock serves each, and is not accused."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fauxlab_contract.check.options import PHASES
from fauxlab_contract.check.phases.coverage import why_not
from fauxlab_contract.check.run import Options, check, planned_steps
from fauxlab_contract.check.target import TargetError
from fauxlab_contract.openapi.document import load_document, read_document
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.runtime.target import MockTarget
from fauxlab_mock.settings import Settings
from other_programs import OTHERS

DOCUMENTS = sorted([*OTHERS.glob("documents/*.*"), *OTHERS.glob("servers/*.yaml")])
# Documents of which nothing can be checked -> how the sentence ends, without the file's name.
UNCHECKED = {
    "09_arrays_in_and_out": "PUT /tags: no valid body could be made",
    "10_query_and_header_parameters": "the document gives no value for it",
}
OPTIONS = Options("any-key-01", any_key=True, examples=3)
# Documents for which many bodies are drawn in vain; tests/generation draws such.
SLOW_TO_DRAW = ("13_", "14_", "15_", "16_", "33_")


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", [path for path in DOCUMENTS if path.stem not in UNCHECKED], ids=lambda path: path.stem
)
def test_the_mock_is_not_accused_whatever_the_document(path: Path) -> None:
    """A document of any shape gives no traceback, and no finding on the mock that serves it."""
    document = load_document(path)
    mock = Mock(Settings(clock="manual"), document=document)
    phases = [name for name in PHASES if name != "properties" or path.stem[:3] not in SLOW_TO_DRAW]

    report = check(MockTarget(mock), document, replace(OPTIONS, only=tuple(phases)))
    mock.close()

    assert report.findings == (), str(report)


@pytest.mark.parametrize("name", UNCHECKED)
def test_a_document_that_gives_nothing_to_check_is_a_sentence(name: str) -> None:
    """A document without any body that could be sent is not judged, and it is said why."""
    document = load_document(next(OTHERS.glob(f"documents/{name}.*")))
    mock = Mock(Settings(clock="manual"), document=document)

    with pytest.raises(TargetError, match=re.escape(UNCHECKED[name]) + "$"):
        check(MockTarget(mock), document, OPTIONS)

    mock.close()


def _document(operation: dict[str, Any]) -> Any:
    reply = {"description": "", "content": {"application/json": {"schema": {"type": "object"}}}}
    post = {"responses": {"200": reply}, **operation}
    tree = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {"/things": {"post": post}},
    }
    return read_document(json.dumps(tree).encode())


def _taking(schema: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"content": {"application/json": {"schema": schema}}}}


@pytest.mark.parametrize(
    "operation, reason",
    [
        (
            {"parameters": [{"name": "api-version", "in": "query", "required": True}]},
            "needs the query parameter api-version, and the document gives no value for it",
        ),
        (
            {"parameters": [{"name": "X-Tenant", "in": "header", "required": True}]},
            "needs the header parameter X-Tenant, and the document gives no value for it",
        ),
        (
            {"parameters": [{"name": "v", "in": "query", "required": True, "example": "2"}]},
            "",
        ),
        ({"parameters": [{"name": "v", "in": "query"}]}, ""),
    ],
    ids=["query", "header", "with an example", "not required"],
)
def test_an_operation_is_left_out_where_a_required_parameter_has_no_value(
    operation: dict[str, Any], reason: str
) -> None:
    """What the document requires beside the body is sent where it says a value for it."""
    document = _document({**_taking({"type": "object"}), **operation})

    assert why_not(document, document.operations[0], OPTIONS) == reason


def test_a_header_that_is_given_is_not_missing() -> None:
    """`--header` gives what the document requires and does not say."""
    parameters = {"parameters": [{"name": "X-Tenant", "in": "header", "required": True}]}
    document = _document({**_taking({"type": "object"}), **parameters})
    options = Options("any-key-01", headers=(("x-tenant", "acme"),))

    assert why_not(document, document.operations[0], options) == ""


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer", "minimum": 10, "maximum": 1},
        {"type": "string", "pattern": "^a", "enum": ["b"]},
        {"type": "number", "exclusiveMinimum": 1, "exclusiveMaximum": 1},
        {"type": "array", "items": {"type": "integer", "minimum": 10, "maximum": 1}, "minItems": 1},
    ],
    ids=["bounds", "pattern", "exclusive bounds", "items"],
)
def test_contradictory_bounds_are_not_covered(schema: dict[str, Any]) -> None:
    """A required field without any valid value gives a sentence, no traceback."""
    request = {"type": "object", "properties": {"n": schema}, "required": ["n"]}
    document = _document(_taking(request))

    assert planned_steps(document, OPTIONS) == ([], [])
    assert why_not(document, document.operations[0], OPTIONS) == "no valid body could be made"


def test_what_the_mock_cannot_answer_is_not_judged() -> None:
    """A reply that no value is found for is told as fauxlab's own: nobody is accused."""
    code = {"type": "string", "pattern": r"^\p{Lu}{3}$"}
    reply = {"type": "object", "required": ["code"], "properties": {"code": code}}
    answer = {"description": "", "content": {"application/json": {"schema": reply}}}
    taken = _taking({"type": "object", "properties": {"n": {"type": "integer", "maximum": 5}}})
    document = _document({**taken, "responses": {"200": answer}})
    mock = Mock(Settings(clock="manual"), document=document)

    report = check(MockTarget(mock), document, OPTIONS)
    mock.close()

    said = "not judged: fauxlab cannot make a reply of POST /things that fits the document"
    assert (report.findings, said in str(report)) == ((), True)
