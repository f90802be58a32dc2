"""Opening a document: what is refused, always with one clear error, and what is only noticed."""

from __future__ import annotations

import copy
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openapi_spec_validator
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from documents import family_documents
from fauxlab_contract.core.pointers import value_at
from fauxlab_contract.core.yaml12 import parse
from fauxlab_contract.generation.sample import sample
from fauxlab_contract.openapi.document import (
    Document,
    DocumentError,
    Notice,
    bundled_path,
    load_document,
    read_document,
)
from fauxlab_contract.validation.bodies import request_violations, response_violations

BUNDLED: dict[str, Any] = parse(bundled_path().read_bytes())
SUBMIT = "/paths/~1image_editing~1flux_headshot/post"
Tree = dict[str, Any]


def small(schema: Any = True, *, version: str = "3.1.0", **schemas: Any) -> Tree:
    """A document of one operation whose body has the schema."""
    media = {"content": {"application/json": {"schema": schema}}}
    operation = {
        "requestBody": media,
        "responses": {
            "200": {"description": "", "content": {"application/json": {"schema": True}}}
        },
    }
    return {
        "openapi": version,
        "info": {"title": "t"},
        "paths": {"/a": {"post": operation}},
        "components": {"schemas": schemas},
    }


def read(tree: Any) -> Document:
    return read_document(json.dumps(tree).encode())


def refusal(data: bytes) -> str:
    """What is said, without line and column, which test_positions.py holds."""
    with pytest.raises(DocumentError) as caught:
        read_document(data, "d.yaml")
    return re.sub(r"^d\.yaml:\d+:\d+: ", "d.yaml: ", str(caught.value))


def altered(change: Callable[[Tree], object]) -> Tree:
    tree = copy.deepcopy(BUNDLED)
    change(tree)
    return tree


def test_the_bundled_document_has_nothing_to_notice() -> None:
    """openapi.yaml loads without a notice, with two operations below the vendor's base address."""
    document = load_document()

    assert (
        document.source,
        document.version,
        document.origin,
        document.base_path,
        document.notices,
    ) == (
        "openapi.yaml",
        "3.1",
        "https://modelslab.com",
        "/api/v6",
        (),
    )
    assert [operation.name for operation in document.operations] == [
        "POST /image_editing/flux_headshot",
        "POST /image_editing/fetch/{id}",
    ]


@pytest.mark.parametrize(
    "data, message",
    [
        pytest.param(b"a: [", "d.yaml: it is neither JSON nor YAML: ", id="not YAML"),
        pytest.param(b"\xff\xfe", "d.yaml: it is not UTF-8", id="not UTF-8"),
        pytest.param(b"", "d.yaml: it is empty", id="empty"),
        pytest.param(
            b"[1]",
            "d.yaml: it is not an OpenAPI document: its top level is not an object",
            id="list",
        ),
        pytest.param(
            b"text",
            "d.yaml: it is not an OpenAPI document: its top level is not an object",
            id="text",
        ),
        pytest.param(
            b"a: 1",
            "d.yaml: it is not an OpenAPI document: the member openapi is missing",
            id="not OpenAPI",
        ),
        pytest.param(
            b"swagger: '2.0'",
            "d.yaml: it is not an OpenAPI document: the member openapi is missing; it says swagger,"
            " convert it to OpenAPI 3 first",
            id="swagger",
        ),
        pytest.param(
            b"openapi: 3.2.0",
            "d.yaml: at /openapi: version '3.2.0' is not understood; only 3.0 and 3.1 are",
            id="3.2",
        ),
        pytest.param(
            b"openapi: 2.0",
            "d.yaml: at /openapi: version '2.0' is not understood; only 3.0 and 3.1 are",
            id="2.0",
        ),
        pytest.param(
            b"openapi: 3.11",
            "d.yaml: at /openapi: version '3.11' is not understood; only 3.0 and 3.1 are",
            id="3.11",
        ),
        pytest.param(
            b"openapi: [3]",
            "d.yaml: at /openapi: version '[3]' is not understood; only 3.0 and 3.1 are",
            id="version a list",
        ),
        pytest.param(
            b"openapi: 3.1.0",
            "d.yaml: at /paths: it has no paths, components or webhooks, so it describes nothing",
            id="no paths",
        ),
        pytest.param(
            b"openapi: 3.0.0",
            "d.yaml: at /paths: it has no paths, so it describes nothing",
            id="no paths in 3.0",
        ),
        pytest.param(
            b"openapi: 3.1.0\nopenapi: 3.1.0",
            "d.yaml: the key 'openapi' appears twice in one mapping",
            id="doubled key",
        ),
        pytest.param(
            b"? [a]\n: 1",
            "d.yaml: a key is not a string; put it in quotes",
            id="key that is no text",
        ),
        pytest.param(b"[" * 300_000, "d.yaml: it is nested deeper than 200 levels", id="deep"),
    ],
)
def test_what_is_no_document_is_refused(data: bytes, message: str) -> None:
    """One DocumentError says what is wrong, and with which document."""
    assert refusal(data).startswith(message)


@pytest.mark.parametrize(
    "pointer, value, kinds",
    [
        ("/paths", [], "object"),
        ("/paths/~1image_editing~1flux_headshot", [], "object"),
        ("/servers", {}, "array"),
        ("/servers/0", "x", "object"),
        ("/servers/0/url", 5, "string"),
        ("/info", [], "object"),
        ("/components", [], "object"),
        ("/components/schemas", [], "object"),
        ("/components/schemas/FetchRequest", [], "boolean or object"),
        (f"{SUBMIT}", [], "object"),
        (f"{SUBMIT}/requestBody", [], "object"),
        (f"{SUBMIT}/requestBody/content", [], "object"),
        (f"{SUBMIT}/requestBody/content/application~1json", [], "object"),
        (f"{SUBMIT}/requestBody/content/application~1json/examples", [], "object"),
        (f"{SUBMIT}/requestBody/content/application~1json/schema", [], "boolean or object"),
        (f"{SUBMIT}/responses", [], "object"),
        (f"{SUBMIT}/responses/200", "ok", "object"),
        (f"{SUBMIT}/callbacks", [], "object"),
        ("/paths/~1image_editing~1fetch~1{id}/post/parameters", {}, "array"),
        ("/paths/~1image_editing~1fetch~1{id}/post/parameters/0", "id", "object"),
        ("/paths/~1image_editing~1fetch~1{id}/post/parameters/0/name", 5, "string"),
    ],
)
def test_a_wrong_shape_is_refused_with_its_place(pointer: str, value: Any, kinds: str) -> None:
    """A part of the wrong type is refused, with its place and the type that OpenAPI wants."""
    parent, _, name = pointer.rpartition("/")

    def change(tree: Tree) -> None:
        value_at(tree, parent)[0 if name == "0" else name.replace("~1", "/")] = value

    assert (
        refusal(json.dumps(altered(change)).encode())
        == f"d.yaml: at {pointer}: it must be of type {kinds}, as OpenAPI says"
    )


@pytest.mark.parametrize(
    "tree, message",
    [
        pytest.param(
            small({"$ref": "#/components/schemas/B"}),
            "$ref '#/components/schemas/B' names nothing in this document",
            id="no target",
        ),
        pytest.param(
            small({"$ref": "#/info"}),
            "schema: $ref '#/info' names no schema",
            id="target is no schema",
        ),
        pytest.param(
            small({"$ref": "http://a.example/b"}),
            "$ref 'http://a.example/b' points outside this document; nothing",
            id="http",
        ),
        pytest.param(
            small({"$ref": "file:///a.yaml"}),
            "$ref 'file:///a.yaml' points outside this document; nothing",
            id="file",
        ),
        pytest.param(
            small({"$ref": "a.yaml#/B"}),
            "$ref 'a.yaml#/B' points outside this document; nothing",
            id="relative file",
        ),
        pytest.param(
            small(A={"$ref": "#/components/schemas/A"}),
            "at /components/schemas/A: $ref goes in a circle: #/components",
            id="circle",
        ),
        pytest.param(
            small(A={"allOf": [{"$ref": "#/components/schemas/A"}]}),
            "at /components/schemas/A: $ref goes in a circle: #/components/schemas/A ->"
            " #/components/schemas/A/allOf/0 -> #/comp",
            id="circle through allOf",
        ),
        pytest.param(
            {**small(), "x-fauxlab": {"fields": {"keyy": "k"}}},
            "at /x-fauxlab: x-fauxlab.fields has no role 'keyy'; did you mean key?",
            id="conventions",
        ),
        pytest.param(
            {**small(), "servers": [{"url": "http://[::1"}]},
            "at /servers/0/url: 'http://[::1' is not a URL",
            id="server",
        ),
        pytest.param(
            {**small(), "paths": {"a": {}}},
            "at /paths/a: a path must start with a slash and hold operations",
            id="path without slash",
        ),
        pytest.param(
            {**small(), "paths": {"/a": {"$ref": "#/servers"}}, "servers": []},
            "at /servers: it must be of type object",
            id="path item",
        ),
        pytest.param(
            {
                **small(),
                "paths": {"/a": {"post": {"responses": {"200": {"$ref": "#/x-a"}}}}},
                "x-a": {"content": []},
            },
            "at /x-a/content: it must be of type object",
            id="reference to a misshapen reply",
        ),
    ],
)
def test_a_defect_inside_is_refused_with_its_place(tree: Tree, message: str) -> None:
    """Bad schemas, references, conventions and addresses are one DocumentError each."""
    assert message in refusal(json.dumps(tree).encode())


@pytest.mark.parametrize(
    "levels, width",
    [(9, 10), (30, 2)],
)
def test_an_alias_bomb_is_refused_within_a_second(levels: int, width: int) -> None:
    """A few lines that would write out to billions of values are refused at once."""
    lines = [
        "openapi: 3.1.0",
        "a0: &a0 [x]",
        *(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * width)}]" for i in range(1, levels + 1)),
    ]
    started = time.perf_counter()

    assert (
        refusal("\n".join(lines).encode())
        == "d.yaml: it holds more than 500000 values once its aliases are written out"
    )
    assert time.perf_counter() - started < 1


def test_a_large_file_is_refused_without_reading_it_all(tmp_path: Path) -> None:
    """Of a file of 50 MB only the first bytes past the limit are read."""
    file = tmp_path / "large.yaml"
    with file.open("wb") as stream:
        stream.truncate(50 * 2**20)
    started = time.perf_counter()

    with pytest.raises(DocumentError) as caught:
        load_document(file)

    assert str(caught.value) == f"{file}: it is larger than 5242880 bytes, the limit for a document"
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    "name, problem",
    [
        ("none.yaml", "No such file or directory"),
        (".", "Is a directory"),
        ("a\0b", "embedded null byte"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, name: str, problem: str) -> None:
    """A missing file, a folder or an impossible name is a DocumentError too."""
    with pytest.raises(DocumentError, match=f"it cannot be read: {problem}$"):
        load_document(tmp_path / name)


def test_the_error_is_a_value_too() -> None:
    """Source, place and problem can be read from it."""
    with pytest.raises(DocumentError) as caught:
        read_document(b"openapi: 3.2.0", "mine")

    error = caught.value
    assert (error.source, error.pointer, error.problem) == (
        "mine",
        "/openapi",
        "version '3.2.0' is not understood; only 3.0 and 3.1 are",
    )


def test_a_recursive_schema_is_legal() -> None:
    """A tree of trees loads, and judges to any depth."""
    node = {
        "type": "object",
        "properties": {
            "children": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}}
        },
    }
    (operation,) = read(small({"$ref": "#/components/schemas/Node"}, Node=node)).operations

    found = request_violations(operation, {"children": [{"children": [{}, {"children": 5}]}]})

    assert [violation.pointer for violation in found] == ["/children/0/children/1/children"]


def with_parameters(*parameters: Any) -> Tree:
    tree = small()
    tree["paths"]["/a/{id}"] = {**tree["paths"].pop("/a"), "parameters": [*parameters]}
    return tree


def post_of(tree: Tree, **changes: Any) -> Tree:
    tree["paths"]["/a"]["post"].update(changes)
    return tree


A, BODY = "/paths/~1a/post", "/paths/~1a/post/requestBody/content/application~1json/schema"


@pytest.mark.parametrize(
    "tree, notices",
    [
        pytest.param(small(), (), id="nothing"),
        pytest.param(
            small({"type": "string", "nullable": True}),
            (
                Notice(
                    "nullable has no effect in OpenAPI 3.1; write type: [..., 'null'] to allow"
                    " null",
                    (BODY,),
                    kind="nullable-without-effect",
                ),
            ),
            id="nullable in 3.1",
        ),
        pytest.param(
            small({"type": "string", "nullable": True}, version="3.0.3"), (), id="nullable in 3.0"
        ),
        pytest.param(
            with_parameters(),
            (
                Notice(
                    "the path parameter id is not declared",
                    ("/paths/~1a~1{id}/post",),
                    kind="path-parameter",
                ),
            ),
            id="undeclared path parameter",
        ),
        pytest.param(
            with_parameters({"name": "id", "in": "path"}), (), id="declared path parameter"
        ),
        pytest.param(
            with_parameters(
                {"name": "id", "in": "path"},
                {"name": "no", "in": "path"},
                {"name": "q", "in": "query", "schema": {"type": "object"}},
                {"name": "r", "in": "query", "schema": {"type": "array"}, "style": "deepObject"},
                {"name": "s", "in": "cookie", "schema": {"type": "string"}},
                {"name": "t", "in": "query", "content": {"application/json": {}}},
                {"name": "u", "in": "query"},
            ),
            (
                *(
                    Notice(
                        f"values of the {what} are not checked: {why}", ("/paths/~1a~1{id}/post",)
                    )
                    for what, why in (
                        ("query parameter q", "it is an object"),
                        ("query parameter r", "its style is deepObject"),
                        ("cookie parameter s", "it is a cookie"),
                        ("query parameter t", "it is in a media type"),
                    )
                ),
                Notice(
                    "the path parameter no is not in the path",
                    ("/paths/~1a~1{id}/post",),
                    kind="path-parameter",
                ),
            ),
            id="other parameters",
        ),
        pytest.param(
            small(
                {
                    "properties": {
                        "a": {"type": "integer", "default": "x"},
                        "b": {"maximum": 1, "default": 1},
                    }
                }
            ),
            (
                Notice(
                    "the default 'x' breaks its own schema",
                    (f"{BODY}/properties/a",),
                    kind="default",
                ),
            ),
            id="default",
        ),
        pytest.param(
            small({"$ref": "#/components/schemas/A", "default": 5}, A={"type": "string"}),
            (Notice("the default 5 breaks its own schema", (BODY,), kind="default"),),
            id="default beside a reference",
        ),
        pytest.param(
            small(
                {
                    "properties": {
                        "a": {"format": "date"},
                        "b": {"format": "date"},
                        "c": {"format": "int32"},
                    }
                }
            ),
            (
                Notice(
                    "format 'date' is not checked",
                    (f"{BODY}/properties/a", f"{BODY}/properties/b"),
                    kind="unchecked-format",
                ),
            ),
            id="unchecked format",
        ),
        pytest.param(
            post_of(small(), requestBody={"content": {"multipart/form-data": {"schema": {}}}}),
            (Notice("the request body is not JSON, so it is not checked", (A,)),),
            id="body that is no JSON",
        ),
        pytest.param(
            post_of(small(), responses={"200": {"description": ""}}),
            (
                Notice(
                    "no 2xx reply has a JSON schema, so it is answered with an empty object",
                    (A,),
                    kind="no-reply-schema",
                ),
            ),
            id="reply without a schema",
        ),
        pytest.param(post_of(small(), responses={"204": {"description": ""}}), (), id="no content"),
        pytest.param(
            {**small(), "security": [{"key": []}]},
            (Notice("security is not enforced; only the key in the body is", (A,)),),
            id="security",
        ),
        pytest.param(
            {
                **small(),
                "$schema": "https://example.com/x",
                "paths": {**small()["paths"], "x-a": 5},
            },
            (),
            id="extensions",
        ),
    ],
)
def test_harmless_defects_become_notices(tree: Tree, notices: tuple[Notice, ...]) -> None:
    """What spoils one operation, or has no effect, is noted with all its places."""
    assert read(tree).notices == notices


def test_a_notice_reads_as_a_sentence() -> None:
    """The first place is shown, the others are counted."""
    assert [str(Notice("bad", places)) for places in (("/a",), ("/a", "/b", "/c"))] == [
        "bad (at /a)",
        "bad (at /a and 2 more places)",
    ]


@pytest.mark.parametrize(
    "schema, good, bad",
    [
        ({"type": "integer", "nullable": True}, None, "x"),
        ({"type": "integer", "maximum": 5, "exclusiveMaximum": True}, 4, 5),
        ({"type": "integer", "minimum": 5, "exclusiveMinimum": True}, 6, 5),
        ({"type": "integer", "minimum": 5, "exclusiveMinimum": False}, 5, 4),
        ({"$ref": "#/components/schemas/A", "maximum": 1}, 5, "x"),
    ],
    ids=[
        "nullable",
        "exclusive maximum",
        "exclusive minimum",
        "inclusive minimum",
        "siblings of a reference",
    ],
)
def test_openapi_3_0_is_judged_by_its_own_rules(schema: Any, good: Any, bad: Any) -> None:
    """`nullable` and boolean bounds count in 3.0, and what stands beside `$ref` does not."""
    (operation,) = read(small(schema, version="3.0.3", A={"type": "integer"})).operations

    assert [len(request_violations(operation, value)) for value in (good, bad)] == [0, 1]


@pytest.mark.parametrize(
    "servers, origin, base",
    [
        (None, "http://localhost", ""),
        ([], "http://localhost", ""),
        ([{"url": "https://a.example:8443/v1/"}], "https://a.example:8443", "/v1"),
        ([{"url": "/v1"}], "http://localhost", "/v1"),
        (
            [
                {
                    "url": "https://{h}/{v}",
                    "variables": {"h": {"default": "b.example"}, "v": {"default": "v2"}},
                }
            ],
            "https://b.example",
            "/v2",
        ),
    ],
)
def test_the_first_server_gives_origin_and_base_path(servers: Any, origin: str, base: str) -> None:
    """Variables take their defaults; a relative address has its origin on localhost."""
    document = read({**small(), **({} if servers is None else {"servers": servers})})

    assert (document.origin, document.base_path) == (origin, base)


@pytest.mark.parametrize(
    "method, path, found",
    [
        ("POST", "/api/v6/image_editing/flux_headshot", ("POST /image_editing/flux_headshot", {})),
        ("POST", "/api/v6/image_editing/flux_headshot/", ("POST /image_editing/flux_headshot", {})),
        ("POST", "/api/v6/image_editing/fetch/7", ("POST /image_editing/fetch/{id}", {"id": "7"})),
        ("POST", "/api/v6/image_editing/fetch/7/", ("POST /image_editing/fetch/{id}", {"id": "7"})),
        ("POST", "/api/v6/image_editing/fetch/", None),
        ("POST", "/api/v6/image_editing/fetch/7//", None),
        ("POST", "/api/v6/image_editing/fetch/7/8", None),
        ("GET", "/api/v6/image_editing/fetch/7", None),
        ("POST", "/image_editing/flux_headshot", None),
        ("POST", "/api/v6", None),
        ("POST", "/api/v6x/image_editing/flux_headshot", None),
    ],
)
def test_a_call_is_matched_to_its_operation(method: str, path: str, found: Any) -> None:
    """Method and path, below the base path, with or without a final slash."""
    match = load_document().match(method, path)

    assert (match and (match.operation.name, match.parameters)) == found


def test_the_methods_of_a_path_are_known() -> None:
    """For 405: which methods a path has; none when the path is unknown."""
    document = load_document()

    assert (
        document.methods("/api/v6/image_editing/fetch/7"),
        document.methods("/api/v6/none"),
    ) == (("POST",), ())


def test_a_plain_path_goes_before_a_templated_one() -> None:
    """As OpenAPI says, whatever their order in the document."""
    item = small()["paths"]["/a"]
    document = read({**small(), "paths": {"/a/{id}": item, "/a/all": item}})

    matches = [document.match("POST", path) for path in ("/a/all", "/a/7")]

    assert [match.operation.path for match in matches if match] == ["/a/all", "/a/{id}"]


@pytest.mark.parametrize("source", family_documents())
def test_the_documents_of_the_family_load(source: bytes) -> None:
    """Each has operations to serve, and a notice for each defect that a strict validator names."""
    document = read_document(source)
    problems = " ".join(notice.problem for notice in document.notices)
    validator = (
        openapi_spec_validator.OpenAPIV30SpecValidator
        if document.version == "3.0"
        else openapi_spec_validator.OpenAPIV31SpecValidator
    )
    defects = [
        error.message.partition(" is ")[0] for error in validator(json.loads(source)).iter_errors()
    ]

    assert document.operations
    assert [
        defect
        for defect in defects
        if f"the default {defect} breaks its own schema" not in problems
    ] == []


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
WORDS = st.sampled_from(
    [
        "$ref",
        "type",
        "enum",
        "const",
        "pattern",
        "allOf",
        "oneOf",
        "not",
        "if",
        "items",
        "properties",
        "required",
        "default",
        "example",
        "examples",
        "format",
        "nullable",
        "x-fauxlab",
        "schema",
        "content",
        "parameters",
        "servers",
        "200",
        "²",
        "maximum",
        "get",
    ]
)
PARTS = st.sampled_from(
    [
        {"$ref": "#/components/schemas/FetchRequest"},
        {"$ref": "#/components/schemas/FetchRequest/required"},
        {"$ref": "#/paths"},
        {"type": "array", "minItems": 2},
        {"schema": {"oneOf": 5}},
        {"format": {}},
        {"enum": []},
        {"url": "http://[::1"},
        "(",
        "\\p{L}",
    ]
)
JUNK = st.recursive(
    SCALARS | WORDS | PARTS,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(WORDS | st.text(), inner, max_size=2)
    ),
)


def places(node: Any, pointer: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    children = (
        list(node.items())
        if isinstance(node, dict)
        else list(enumerate(node))
        if isinstance(node, list)
        else []
    )
    return [
        pointer,
        *(place for name, child in children for place in places(child, (*pointer, name))),
    ]


PLACES = places(BUNDLED)[1:]
CHANGES = st.lists(
    st.tuples(st.sampled_from(["delete", "replace", "add"]), st.sampled_from(PLACES), WORDS, JUNK),
    min_size=1,
    max_size=3,
)
ITEMS = ("components", "schemas", "ImageEditingSuccessResponse", "properties", "output", "items")
REPLY = ("paths", "/image_editing/fetch/{id}", "post", "responses", "200")
MEDIA = (*REPLY, "content", "application/json")


def mutated(version: str, changes: list[tuple[str, tuple[str | int, ...], str, Any]]) -> Tree:
    tree: Tree = {**copy.deepcopy(BUNDLED), "openapi": version}
    for action, place, name, junk in changes:
        parent: Any = tree
        try:
            for part in place[:-1]:
                parent = parent[part]
            if action == "add":
                parent[place[-1]][name] = junk
            elif action == "delete":
                del parent[place[-1]]
            else:
                parent[place[-1]] = junk
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took this place away
    return tree


@settings(
    max_examples=400, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example]
)
@given(st.sampled_from(["3.1.0", "3.0.3"]), CHANGES)
@example("3.1.0", [("replace", (*ITEMS, "format"), "", {"a": 1})])
@example("3.1.0", [("replace", (*ITEMS, "format"), "", "\ud800")])
@example("3.1.0", [("add", ITEMS, "examples", "\ud800")])
@example("3.1.0", [("add", ITEMS, "\ud800", {})])
@example("3.1.0", [("add", ITEMS, "default", 10**400)])
@example(
    "3.0.3",
    [
        (
            "replace",
            (*MEDIA, "examples", "success"),
            "",
            {"$ref": "#/components/schemas/FetchRequest/required"},
        )
    ],
)
@example("3.0.3", [("replace", (*MEDIA, "schema", "oneOf"), "", 10**30)])
@example("3.1.0", [("add", REPLY[:-1], "²", {})])
@example(
    "3.1.0",
    [
        (
            "add",
            REPLY[:-2],
            "callbacks",
            {"a": {"b": {"post": {"requestBody": {"content": {"c": {"schema": {"oneOf": 5}}}}}}}},
        )
    ],
)
@example("3.1.0", [("add", ("info",), "schema", {"oneOf": True})])
def test_a_damaged_document_is_read_or_refused(version: str, changes: Any) -> None:
    """Any damage leads to a Document that can be used or to one DocumentError, nothing else."""
    document = outcome(mutated(version, changes))

    if isinstance(document, DocumentError):
        assert str(document).startswith("document:")
        return
    for operation in document.operations:
        request_violations(operation, {"key": 1, "width": "x"})
        if operation.reply_schema:
            response_violations(operation, sample(operation.reply_schema))


def outcome(tree: Tree) -> Document | DocumentError:
    try:
        return read(tree)
    except DocumentError as error:
        return error
