"""What a document says about one method and path, as values."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fauxlab_contract.openapi.document import Document, load_document, read_document
from fauxlab_contract.openapi.operation import Operation

SUBMIT, FETCH = load_document().operations
ANY: dict[str, Any] = {"type": "object"}


def word(*words: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"status": {"type": "string", "enum": [*words]}, **properties},
    }


def document(paths: dict[str, Any], schemas: dict[str, Any] | None = None) -> Document:
    tree = {"openapi": "3.1.0", "paths": paths, "components": {"schemas": schemas or {}}}
    return read_document(json.dumps(tree).encode())


def replying(*schemas: Any) -> dict[str, Any]:
    schema = {"oneOf": [*schemas]} if len(schemas) > 1 else schemas[0]
    return {
        "post": {
            "responses": {
                "200": {"description": "", "content": {"application/json": {"schema": schema}}}
            }
        }
    }


def only(paths: dict[str, Any]) -> Operation:
    (operation,) = document(paths).operations
    return operation


def test_the_submit_operation_is_known() -> None:
    """The bundled submit has its fetch, its request and three variants."""
    assert SUBMIT.request is not None
    assert (SUBMIT.name, SUBMIT.kind, SUBMIT.code, SUBMIT.error_codes, SUBMIT.fetch_path) == (
        "POST /image_editing/flux_headshot",
        "submit",
        200,
        (),
        "/image_editing/fetch/{id}",
    )
    assert (SUBMIT.request.required, SUBMIT.request.obliged) == (
        ("key", "prompt", "face_image", "seed"),
        True,
    )
    assert {name: variant.required for name, variant in SUBMIT.variants.items()} == {
        "success": ("status", "id", "output"),
        "processing": ("status", "id"),
        "error": ("status", "message"),
    }


def test_the_fetch_operation_is_known() -> None:
    """The bundled fetch has four variants and no fetch of its own."""
    assert (FETCH.name, FETCH.kind, FETCH.fetch_path, [*FETCH.variants]) == (
        "POST /image_editing/fetch/{id}",
        "fetch",
        None,
        ["success", "processing", "failed", "error"],
    )


def test_the_words_of_a_merged_schema_share_one_shape() -> None:
    """One schema whose status has three values is three variants."""
    operation = only(
        {"/a": replying(word("success", "processing", "error", eta={"type": "integer"}))}
    )

    assert {name: [*variant.properties] for name, variant in operation.variants.items()} == {
        "success": ["status", "eta"],
        "processing": ["status", "eta"],
        "error": ["status", "eta"],
    }


def test_a_const_names_a_variant_too() -> None:
    """`const` beside `enum`, and references and allOf, are looked through."""
    schemas = {
        "Base": {"type": "object", "properties": {"status": {"$ref": "#/components/schemas/Word"}}},
        "Word": {"const": "ok"},
    }
    paths = {"/a": replying({"allOf": [{"$ref": "#/components/schemas/Base"}]}, word("error"))}

    assert [*document(paths, schemas).operations[0].variants] == ["ok", "error"]


@pytest.mark.parametrize(
    "schema",
    [ANY, True, word(), {"oneOf": [word("a"), ANY]}],
    ids=["object", "true", "no word", "one without"],
)
def test_branches_without_words_are_no_variants(schema: Any) -> None:
    """A reply that no status tells apart is judged as a whole."""
    operation = only({"/a": replying(schema)})

    assert (operation.variants, operation.kind) == ({}, "plain")


def test_each_submit_gets_the_fetch_whose_path_is_most_alike() -> None:
    """Paths that begin alike are paired; without any fetch a submit has no lifecycle."""
    both = replying(word("success"), word("processing"))
    paths = {"/a/make": both, "/b/make": both, "/a/fetch/{id}": both, "/b/fetch/{id}": both}

    found = {
        operation.path: (operation.kind, operation.fetch_path)
        for operation in document(paths).operations
    }

    assert found == {
        "/a/make": ("submit", "/a/fetch/{id}"),
        "/b/make": ("submit", "/b/fetch/{id}"),
        "/a/fetch/{id}": ("fetch", None),
        "/b/fetch/{id}": ("fetch", None),
    }
    assert only({"/a/make": both}).kind == "plain"


def reply_of(responses: dict[str, Any]) -> tuple[int, tuple[int, ...], Any]:
    operation = only({"/a": {"post": {"responses": responses}}})
    schema = operation.reply_schema
    return operation.code, operation.error_codes, schema and schema.value


def content(schema: Any, media: str = "application/json") -> dict[str, Any]:
    return {"description": "", "content": {media: {"schema": schema}}}


@pytest.mark.parametrize(
    "responses, expected",
    [
        pytest.param({"200": content(ANY)}, (200, (), ANY), id="200"),
        pytest.param(
            {"404": content(True), "201": content(ANY), "200": content(True)},
            (201, (404,), ANY),
            id="first 2xx",
        ),
        pytest.param(
            {"default": content(True), "202": content(ANY)}, (202, (), ANY), id="2xx before default"
        ),
        pytest.param(
            {"2XX": content(ANY), "default": content(True)}, (200, (), ANY), id="2XX before default"
        ),
        pytest.param(
            {"default": content(ANY), "500": content(True), "4XX": content(True)},
            (200, (500,), ANY),
            id="default",
        ),
        pytest.param({"404": content(ANY)}, (200, (404,), None), id="no success"),
        pytest.param(
            {"²": content(ANY), "2000": content(ANY), "1" * 5_000: content(ANY)},
            (200, (), None),
            id="no codes at all",
        ),
        pytest.param({"200": content(ANY, "text/html")}, (200, (), None), id="not JSON"),
        pytest.param(
            {"200": content(ANY, "Application/JSON; charset=utf-8")},
            (200, (), ANY),
            id="media type with a parameter",
        ),
        pytest.param({"200": content(ANY, "*/*")}, (200, (), ANY), id="any media type"),
        pytest.param({"200": {"description": ""}}, (200, (), None), id="no content"),
        pytest.param({"x-note": "text", "200": content(ANY)}, (200, (), ANY), id="extension"),
        pytest.param({}, (200, (), None), id="nothing"),
    ],
)
def test_the_reply_is_that_of_the_first_success_code(
    responses: dict[str, Any], expected: tuple[int, tuple[int, ...], dict[str, Any] | None]
) -> None:
    """A 2xx code goes before 2XX, and that before default; declared error codes are listed."""
    assert reply_of(responses) == expected


def test_a_body_that_may_be_missing_is_known_as_such() -> None:
    """`requestBody.required` is false unless it is said."""
    operation = only({"/a": {"post": {"requestBody": content(ANY), "responses": {}}}})

    assert operation.request is not None
    assert (
        operation.request.obliged,
        operation.request.required,
        operation.request.properties,
    ) == (False, (), {})


@pytest.mark.parametrize(
    "extension", [{"require": ["id"]}, {"required": "id"}, {"required": [1]}, [], "id"]
)
def test_a_wrong_promise_is_refused(extension: Any) -> None:
    """`x-fauxlab` beside a branch may only be `{required: [names]}`."""
    with pytest.raises(
        ValueError, match=r"/oneOf/0: x-fauxlab beside a schema must be \{required: \[names\]\}$"
    ):
        document({"/a": replying(word("success") | {"x-fauxlab": extension}, word("error"))})
