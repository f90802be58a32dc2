"""From a method and a path to an operation: templates, encoded slashes, servers of their own."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from documents_small import one_operation
from fauxlab_contract.openapi.document import Document, read_document


def found(document: Document, path: str) -> dict[str, str] | None:
    match = document.match("POST", path)
    return None if match is None else dict(match.parameters)


@pytest.mark.parametrize(
    "template, path, parameters",
    [
        ("/ops/{id}", "/ops/7", {"id": "7"}),
        ("/ops/{id}:cancel", "/ops/7:cancel", {"id": "7"}),
        ("/ops/{id}:cancel", "/ops/7", None),
        ("/ops/{id}:cancel", "/ops/:cancel", None),
        ("/files/{name}.json", "/files/a.json", {"name": "a"}),
        ("/files/{name}.json", "/files/a.json.json", {"name": "a.json"}),
        ("/reports({id})", "/reports(7)", {"id": "7"}),
        ("/from-{a}/to-{b}", "/from-x/to-y", {"a": "x", "b": "y"}),
        ("/{a}..{b}", "/1..2", {"a": "1", "b": "2"}),
        ("/a/{id}", "/a/b/c", None),
        ("/models/{id}/runs", "/models/acme%2Fface/runs", {"id": "acme/face"}),
        ("/models/{id}/runs", "/models/acme/face/runs", None),
        ("/models/{id}/runs", "/models/a%20b%3F%C3%A9/runs", {"id": "a b?é"}),
        ("/models/{id}", "/models/100%25", {"id": "100%"}),
        ("/a b", "/a%20b", {}),
        ("/a%20b", "/a%20b", {}),
        ("/{id}", "/%0A", {"id": "\n"}),
    ],
)
def test_a_path_is_matched_by_its_template(
    template: str, path: str, parameters: dict[str, str] | None
) -> None:
    """An expression may stand anywhere in a segment; segments are told apart, then decoded."""
    assert found(one_operation(template), f"/v1{path}") == parameters


@pytest.mark.parametrize(
    "path, template",
    [
        ("/a/b", "/a/b"),
        ("/a/c", "/a/{x}"),
        ("/a/c.json", "/a/{x}.json"),
        ("/a/b.json", "/a/b.json"),
    ],
)
def test_what_is_written_goes_before_what_is_open(path: str, template: str) -> None:
    """Of several templates that match, the one that leaves least open is meant."""
    templates = ("/a/{x}", "/a/{x}.json", "/a/b", "/a/b.json")
    item = {"post": {"responses": {"200": {"description": ""}}}}
    tree = {"openapi": "3.1.0", "paths": dict.fromkeys(templates, item)}

    match = read_document(json.dumps(tree).encode()).match("POST", path)

    assert match is not None
    assert match.operation.path == template


def test_a_long_segment_is_matched_at_once() -> None:
    """A path of 16 KiB that nearly fits takes no time."""
    document = one_operation("/{a}-{b}.json")
    started = time.perf_counter()

    assert found(document, f"/v1/{'-' * 16_000}") is None
    assert time.perf_counter() - started < 1


OTHER = [{"url": "https://upload.example.com/v9"}, {"url": "/v8"}]


def test_a_path_may_have_servers_of_its_own() -> None:
    """It is found below their base paths, and not below the document's."""
    document = one_operation(servers=OTHER)
    (operation,) = document.operations

    assert [found(document, f"/{base}/things") for base in ("v9", "v8", "v1")] == [{}, {}, None]
    assert operation.base_path == "/v9"
    assert [*operation.servers] == [
        ("https://upload.example.com", "/v9"),
        ("https://api.example.com", "/v8"),
    ]
    assert document.servers == (("https://api.example.com", "/v1"), *operation.servers)


def test_an_operation_goes_before_its_path() -> None:
    """The servers of the operation are alternatives to those of the path item."""
    item: dict[str, Any] = {
        "servers": [{"url": "https://a.example/x"}],
        "post": {"servers": [{"url": "https://b.example/y"}], "responses": {}},
        "get": {"responses": {}},
    }
    tree = {"openapi": "3.1.0", "paths": {"/a": item}}
    document = read_document(json.dumps(tree).encode())

    bases = {operation.method: operation.base_path for operation in document.operations}

    assert bases == {"POST": "/y", "GET": "/x"}


def test_every_server_of_the_document_counts() -> None:
    """Alternatives with other base paths lead to the same operations."""
    tree = {
        "openapi": "3.1.0",
        "servers": [{"url": "https://a.example/v1"}, {"url": "https://b.example/sandbox/v1"}],
        "paths": {"/a": {"post": {"responses": {}}}},
    }
    document = read_document(json.dumps(tree).encode())

    assert [found(document, path) for path in ("/v1/a", "/sandbox/v1/a", "/a")] == [{}, {}, None]
    assert (document.origin, document.base_path) == ("https://a.example", "/v1")


def test_a_server_that_is_no_url_is_noticed() -> None:
    """A further server that cannot be read spoils nothing else."""
    document = one_operation(servers=[{"url": "http://[::1"}, *OTHER])

    assert document.operations[0].base_path == "/v9"
    assert [str(notice) for notice in document.notices] == [
        "'http://[::1' is not a URL, so it is not served (at /paths/~1things/servers/0/url)"
    ]


def test_head_means_what_get_does() -> None:
    """A path with a GET takes HEAD as well; one without takes none."""
    responses: dict[str, Any] = {"responses": {}}
    tree = {
        "openapi": "3.1.0",
        "paths": {
            "/a": {"get": responses},
            "/b": {"post": responses},
            "/c": {"get": responses, "head": responses},
        },
    }
    document = read_document(json.dumps(tree).encode())

    matches = [document.match("HEAD", path) for path in ("/a", "/b", "/c")]

    assert [match and match.operation.name for match in matches] == ["GET /a", None, "HEAD /c"]
