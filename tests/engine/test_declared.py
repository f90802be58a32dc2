"""Bodies and replies as the document declares them: other types than JSON objects, error codes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from documents_small import answered, one_operation
from fauxlab_contract.openapi.document import Document, read_document
from fauxlab_mock.engine.messages import Call
from fauxlab_mock.runtime.answer import Answer
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.settings import Settings

JSON, API_JSON = "application/json", "application/vnd.api+json"
NEEDS_N = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
OK = {"type": "object", "required": ["ok"], "properties": {"ok": {"type": "boolean"}}}
NUMBERS = {"type": "array", "minItems": 1, "items": {"type": "integer"}}


def asked(document: Document, body: Any, media_type: str = JSON, **settings: Any) -> Answer:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    call = Call("POST", "/v1/things", {"content-type": media_type}, data)
    return Mock(Settings(**settings), document=document).handle(call)


def told(answer: Answer) -> tuple[int, Any, str]:
    return answer.code, answer.body, answer.all_headers["content-type"]


def test_a_path_is_told_apart_before_it_is_decoded() -> None:
    """An encoded slash is part of a segment, and the journal shows the path decoded."""
    document = one_operation("/models/{id}/runs", responses={"200": answered(OK)})
    mock = Mock(document=document)

    answer = mock.handle(Call("POST", "/v1/models/acme%2Fface/runs"))

    assert answer.body == {"ok": True}
    assert mock.requests[-1].path == "/v1/models/acme/face/runs"


def test_an_operation_is_served_below_its_own_base_path() -> None:
    """It is where the document says, and the hint for another path leads there."""
    document = one_operation(
        responses={"200": answered(OK)}, servers=[{"url": "https://up.example/v9"}]
    )
    mock = Mock(document=document)

    answers = [mock.handle(Call("POST", path)) for path in ("/v9/things", "/v1/things")]

    assert [answer.body for answer in answers] == [
        {"ok": True},
        {
            "status": "error",
            "message": "There is no such path. Did you mean POST /v9/things?",
        },
    ]


def test_json_may_have_another_name() -> None:
    """A body of type `…+json` is judged, and its reply is labelled as the document says."""
    document = one_operation(request={API_JSON: NEEDS_N}, responses={"200": answered(OK, API_JSON)})

    assert told(asked(document, {"n": 1}, API_JSON)) == (200, {"ok": True}, API_JSON)
    assert asked(document, {}, API_JSON).body["message"] == "The n field is required."
    assert asked(document, {"n": 1}, JSON).body["tip"] == (
        f"Content-Type must be {API_JSON}, not '{JSON}'. Send a POST with Content-Type: {API_JSON}"
        " and one valid JSON object."
    )
    assert document.notices == ()


@pytest.mark.parametrize("declared", ["*/*", "application/*", "application/*+json"])
@pytest.mark.parametrize("sent", [JSON, API_JSON])
def test_json_of_any_name_fits_a_wildcard(declared: str, sent: str) -> None:
    """A wildcard in the document stands for every name of JSON."""
    document = one_operation(request={declared: NEEDS_N}, responses={"200": answered(OK)})

    assert asked(document, {"n": 1}, sent).body == {"ok": True}
    assert asked(document, {}, sent).body["message"] == "The n field is required."


def test_a_declared_body_that_is_no_json_is_taken_unread() -> None:
    """The document allows a form beside JSON: it is not judged, and a notice says so."""
    document = one_operation(
        request={JSON: NEEDS_N, "multipart/form-data": {}}, responses={"200": answered(OK)}
    )

    assert asked(document, b"--x", "multipart/form-data; boundary=x").body == {"ok": True}
    assert asked(document, b"--x", "text/plain").body["status"] == "error"
    assert [notice.problem for notice in document.notices] == [
        "a request body of type multipart/form-data is not checked"
    ]


@pytest.mark.parametrize("validation", ["strict", "coerce", "off"])
def test_a_body_may_be_an_array(validation: str) -> None:
    """What the document says a body is decides, for requests and replies."""
    document = one_operation(request={JSON: NUMBERS}, responses={"200": answered(NUMBERS)})

    assert told(asked(document, [1], validation=validation)) == (200, [1], JSON)


@pytest.mark.parametrize(
    "body, message",
    [
        (["x"], '0 must be an integer, not the text "x".'),
        ([], "The body must have at least 1 item; it is an empty array."),
        ({"n": 1}, "The body must be an array, not an object with 1 field."),
        (5, "The body must be an array, not 5."),
    ],
)
def test_an_array_is_judged(body: Any, message: str) -> None:
    """Its items and its length are; an object is not an array."""
    document = one_operation(request={JSON: NUMBERS}, responses={"200": answered(NUMBERS)})

    assert asked(document, body).body == {"status": "error", "message": message}


def test_where_an_object_is_wanted_an_array_is_malformed() -> None:
    """As before: the schema is not asked."""
    document = one_operation(request={JSON: NEEDS_N}, responses={"200": answered(OK)})

    assert asked(document, [1]).body["tip"].startswith("The body must be a JSON object, not an arr")


PROBLEM = {
    "type": "object",
    "required": ["detail"],
    "properties": {"detail": {"type": "string"}},
    "additionalProperties": False,
}
LISTED = {
    "type": "object",
    "required": ["errors"],
    "properties": {
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["msg"],
                "properties": {"msg": {"type": "string"}},
            },
        }
    },
}
LETTERS = {"type": "string", "pattern": r"^\p{Lu}{3}$"}  # which Hypothesis cannot read
ENVELOPE = {"type": "object", "required": ["status"], "properties": {"message": {}}}
WORDS = "The n field is required."
IN_ENVELOPE = {"status": "error", "message": WORDS}


@pytest.mark.parametrize(
    "codes, schema, errors, code, body",
    [
        ("422", PROBLEM, "envelope", 422, {"detail": WORDS}),
        ("4XX", PROBLEM, "envelope", 400, {"detail": WORDS}),
        ("default", PROBLEM, "status", 400, {"detail": WORDS}),
        ("400", LISTED, "status", 400, {"errors": [{"msg": WORDS}]}),
        ("400", ENVELOPE, "status", 400, IN_ENVELOPE),
        ("422", PROBLEM, "status", 422, {"detail": WORDS}),
        ("409", PROBLEM, "status", 400, IN_ENVELOPE),
        ("400", {"type": "array", "items": {"type": "integer"}}, "status", 400, [1]),
    ],
)
def test_an_error_fits_what_is_declared_for_its_code(
    codes: str, schema: Any, errors: str, code: int, body: Any
) -> None:
    """The envelope where it fits or nothing is declared, else a body that says the same."""
    document = one_operation(
        request={JSON: NEEDS_N}, responses={"200": answered(OK), codes: answered(schema)}
    )

    answer = asked(document, {}, errors=errors)

    assert (answer.code, answer.body) == (code, body)


def test_an_error_is_labelled_as_declared() -> None:
    """The media type of a declared error code is the one that the document names."""
    media_type = "application/problem+json"
    document = one_operation(
        request={JSON: NEEDS_N},
        responses={"200": answered(OK), "400": answered(PROBLEM, media_type)},
    )

    assert told(asked(document, {}, errors="status")) == (400, {"detail": WORDS}, media_type)


def test_an_error_that_cannot_be_made_is_no_reply_of_the_api() -> None:
    """The mock says in its own name that the document needs an example."""
    impossible = {"type": "object", "required": ["a"], "properties": {"a": LETTERS}}
    document = one_operation(
        request={JSON: NEEDS_N}, responses={"200": answered(OK), "400": answered(impossible)}
    )

    answer = asked(document, {}, errors="status")

    assert (answer.code, answer.body["title"]) == (
        500,
        "An answer of fauxlab itself, not of the API",
    )


def lifecycle(failed_id: dict[str, Any]) -> Document:
    """A submit and its fetch, whose `failed` has this id."""

    def word(word: str, kind: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["status", "id"],
            "properties": {"status": {"const": word}, "id": kind},
        }

    integer = {"type": "integer"}
    branches = [word("processing", integer), word("success", integer), word("failed", failed_id)]
    post = {"post": {"responses": {"200": answered({"oneOf": branches})}}}
    tree = {"openapi": "3.1.0", "paths": {"/v1/make": post, "/v1/fetch/{id}": post}}
    return read_document(json.dumps(tree).encode())


@pytest.mark.parametrize(
    "schema, number",
    [
        ({"type": "string"}, ""),
        ({"type": "integer"}, 0),
        ({"type": "integer", "minimum": 1}, 1),
        ({"type": ["null", "integer"], "minimum": 1}, None),
        ({"type": "string", "format": "uuid"}, "00000000-0000-4000-8000-000000000000"),
        (True, ""),
    ],
)
def test_an_unknown_job_has_an_id_of_the_declared_kind(schema: Any, number: Any) -> None:
    """A fetch of an unknown id is answered by `failed`, as the document declares it."""
    answer = Mock(document=lifecycle(schema)).handle(Call("POST", "/v1/fetch/7"))

    assert (answer.code, answer.body) == (200, {"status": "failed", "id": number})


def test_what_never_became_a_call_is_refused_as_declared() -> None:
    """Too large a body, say, has an error that the document allows for its code."""
    document = one_operation(responses={"200": answered(OK), "default": answered(PROBLEM)})

    answer = Mock(document=document).reject("body_too_large", "POST", "/v1/things")

    assert (answer.code, [*answer.body]) == (413, ["detail"])
