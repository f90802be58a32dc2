"""The diff of two documents, with an oracle: what is breaking refuses bodies that were valid."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents import branch, family_documents, sound_document
from fauxlab_contract.core.pointers import value_at
from fauxlab_contract.core.yaml12 import parse
from fauxlab_contract.diff.kinds import KINDS
from fauxlab_contract.diff.report import Diff, compare_documents
from fauxlab_contract.generation.boundaries import boundary_requests
from fauxlab_contract.openapi.document import Document, bundled_path, load_document, read_document
from fauxlab_contract.openapi.validator import SchemaValidator

ROOT = Path(__file__).resolve().parents[2]
BUNDLED: dict[str, Any] = parse(bundled_path().read_bytes())
Tree = dict[str, Any]


def read(tree: Tree) -> Document:
    return read_document(json.dumps(tree).encode())


def document(
    request: Any = True, reply: Any = True, *, version: str = "3.1.0", **members: Any
) -> Document:
    """Return a document of one operation; `schemas` are its components, `members` go beside."""
    schemas = members.pop("schemas", {})
    operation = {
        "requestBody": {"required": True, "content": {"application/json": {"schema": request}}},
        "responses": {
            "200": {"description": "", "content": {"application/json": {"schema": reply}}}
        },
        **members,
    }
    paths = {"/a/{id}": {"post": operation}}
    return read(
        {
            "openapi": version,
            "info": {"title": "t"},
            "paths": paths,
            "components": {"schemas": schemas},
        }
    )


def fields(required: tuple[str, ...] = (), **properties: Any) -> Tree:
    return {"type": "object", "required": [*required], "properties": properties}


def changes_between(old: Document, new: Document) -> list[tuple[str, str, str]]:
    return [
        (change.effect, change.kind, change.message)
        for change in compare_documents(old, new).changes
    ]


WHOLE, TEXT = {"type": "integer"}, {"type": "string"}
# kind of change to a field x -> old schema, new schema, message; the reverse kind is told when old
# and new are exchanged
FIELD_CHANGES: list[tuple[Any, Any, str, str, str]] = [
    (
        WHOLE | {"maximum": 9},
        WHOLE | {"maximum": 5},
        "bound-tightened",
        "bound-loosened",
        "x: the maximum goes from 9 to 5.",
    ),
    (
        WHOLE,
        WHOLE | {"maximum": 5},
        "bound-tightened",
        "bound-loosened",
        "x: the maximum goes from no limit to 5.",
    ),
    (
        WHOLE | {"minimum": 1},
        WHOLE | {"exclusiveMinimum": 1},
        "bound-tightened",
        "bound-loosened",
        "x: the minimum goes from 1 to 2.",
    ),
    (
        {"type": "number", "maximum": 1},
        {"type": "number", "exclusiveMaximum": 1},
        "bound-tightened",
        "bound-loosened",
        "x: the maximum goes from 1 to 1 (itself excluded).",
    ),
    (
        TEXT,
        TEXT | {"minLength": 2},
        "bound-tightened",
        "bound-loosened",
        "x: minLength goes from 0 to 2.",
    ),
    (
        TEXT | {"maxLength": 9},
        TEXT | {"maxLength": 2},
        "bound-tightened",
        "bound-loosened",
        "x: maxLength goes from 9 to 2.",
    ),
    (
        WHOLE | {"multipleOf": 4},
        WHOLE | {"multipleOf": 8},
        "bound-tightened",
        "bound-loosened",
        "x: the rule multipleOf goes from 4 to 8.",
    ),
    (
        WHOLE,
        WHOLE | {"multipleOf": 8},
        "rule-added",
        "rule-removed",
        "x: the rule multipleOf (8) is new.",
    ),
    (
        {"type": ["integer", "string"]},
        WHOLE,
        "type-removed",
        "type-added",
        "x no longer takes string: integer or string becomes integer.",
    ),
    (
        {"type": "number"},
        WHOLE,
        "type-removed",
        "type-added",
        "x no longer takes number: number becomes integer.",
    ),
    (
        {"type": ["string", "null"]},
        TEXT,
        "type-removed",
        "type-added",
        "x no longer takes null: null or string becomes string.",
    ),
    (
        TEXT | {"enum": ["a", "b"]},
        TEXT | {"enum": ["a"]},
        "value-removed",
        "value-added",
        'x no longer takes "b".',
    ),
    (TEXT, TEXT | {"enum": ["a"]}, "value-removed", "value-added", 'x takes only "a" now.'),
    (
        TEXT,
        TEXT | {"format": "uri"},
        "rule-added",
        "rule-removed",
        'x: the rule format ("uri") is new.',
    ),
    (
        TEXT,
        TEXT | {"pattern": "^a"},
        "rule-added",
        "rule-removed",
        'x: the rule pattern ("^a") is new.',
    ),
    (
        TEXT | {"pattern": "^b"},
        TEXT | {"pattern": "^a"},
        "rule-changed",
        "rule-changed",
        'x: the rule pattern goes from "^b" to "^a".',
    ),
    (
        fields(),
        fields() | {"additionalProperties": False},
        "fields-closed",
        "fields-opened",
        "x: undeclared fields are refused now.",
    ),
    (
        fields(y=WHOLE),
        fields(("y",), y=WHOLE),
        "field-required",
        "field-optional",
        "x.y is required now.",
    ),
    (
        {"type": "array"},
        {"type": "array", "items": WHOLE},
        "type-removed",
        "type-added",
        "x[] no longer takes any other type: any type becomes integer.",
    ),
    (
        {"type": "array", "items": fields(y=WHOLE)},
        {"type": "array", "items": fields(y=WHOLE | {"minimum": 1})},
        "bound-tightened",
        "bound-loosened",
        "x[].y: the minimum goes from no limit to 1.",
    ),
    (
        {"oneOf": [WHOLE, TEXT]},
        WHOLE,
        "type-removed",
        "type-added",
        "x no longer takes string: integer or string becomes integer.",
    ),
    (
        {"oneOf": [fields(("a",), a=TEXT), fields(("b",), b=TEXT)]},
        {"oneOf": [fields(("a",), a=TEXT)]},
        "shape-removed",
        "shape-added",
        "x: the shape object with b is gone.",
    ),
]


@pytest.mark.parametrize("old, new, kind, reverse, message", FIELD_CHANGES)
def test_narrowing_breaks_requests_and_widening_breaks_or_endangers_readers(
    old: Any, new: Any, kind: str, reverse: str, message: str
) -> None:
    """A narrower request breaks and a wider one does not; for replies it is the other way."""
    narrow = compare_documents(
        document(fields(x=old), fields(x=old)), document(fields(x=new), fields(x=new))
    ).changes
    wide = compare_documents(
        document(fields(x=new), fields(x=new)), document(fields(x=old), fields(x=old))
    ).changes

    assert {(change.side, change.kind, change.effect) for change in narrow} == {
        ("request", kind, KINDS[kind].request),
        ("reply", kind, KINDS[kind].reply),
    }
    assert {(change.side, change.kind, change.effect) for change in wide} == {
        ("request", reverse, KINDS[reverse].request),
        ("reply", reverse, KINDS[reverse].reply),
    }
    assert message in {change.message for change in narrow}
    if kind != reverse:
        assert (KINDS[kind].request, KINDS[kind].reply, KINDS[reverse].request) == (
            "breaking",
            "harmless",
            "harmless",
        )
        assert KINDS[reverse].reply in ("breaking", "risky")


@pytest.mark.parametrize(
    "old, new, expected",
    [
        (fields(x=TEXT), fields(), [("risky", "field-removed", "x is no longer declared.")]),
        (
            fields(x=TEXT),
            fields() | {"additionalProperties": False},
            [
                ("breaking", "field-refused", "x is refused."),
                ("breaking", "fields-closed", "the body: undeclared fields are refused now."),
            ],
        ),
        (fields(), fields(x=TEXT), [("harmless", "field-added", "x is new and optional.")]),
        (fields(), fields(("x",), x=TEXT), [("breaking", "field-required", "x is required now.")]),
        (fields(x=TEXT), fields(x=TEXT | {"description": "d", "default": "d"}), []),
        (fields(x=TEXT), fields(x=TEXT | {"format": "date", "maximum": 5}), []),
        (fields(x=TEXT | {"minLength": 0}), fields(x=TEXT), []),
        (fields(x=WHOLE | {"maximum": 5}), fields(x=WHOLE | {"exclusiveMaximum": 6}), []),
        (fields(x=WHOLE | {"minimum": 1}), fields(x=WHOLE | {"minimum": 0.5}), []),
        (
            fields(x=WHOLE | {"minimum": 3}),
            fields(x={"allOf": [WHOLE | {"minimum": 3}, {"minimum": 1}]}),
            [],
        ),
        (
            fields(x=TEXT | {"maxLength": 3}),
            fields(x={"allOf": [TEXT | {"maxLength": 3}, {"maxLength": 5}]}),
            [],
        ),
        (fields(x={"type": "boolean"}), fields(x={"type": "boolean", "enum": [True, False]}), []),
        (
            fields(x=WHOLE | {"enum": [1, 2]}),
            fields(x=WHOLE | {"maximum": 2}),
            [("harmless", "value-added", "x takes more than 1, 2 now.")],
        ),
    ],
)
def test_fields_of_a_request_come_and_go(
    old: Any, new: Any, expected: list[tuple[str, str, str]]
) -> None:
    """An optional field is harmless, a required one breaks, a removed one is risky or refused."""
    assert changes_between(document(old), document(new)) == expected


def test_a_removed_field_breaks_readers() -> None:
    """What a reply no longer declares, clients no longer find."""
    assert changes_between(document(reply=fields(("x",), x=TEXT)), document(reply=fields())) == [
        ("breaking", "field-removed", "x is no longer declared.")
    ]


def test_a_removed_field_can_be_waived_by_its_name() -> None:
    """`field-removed:x` waives the change of x, which only the old document has."""
    diff = compare_documents(
        document(reply=fields(("x",), x=TEXT)), document(reply=fields())
    ).waive("field-removed:x", "nobody reads it")

    assert ([change.field for change in diff.waived], diff.changes) == (["x"], ())
    assert diff.headline().endswith(": nothing else changes for clients; known: 1 breaking change")


def test_references_and_all_of_are_followed() -> None:
    """The same fields, written in place, by reference and in parts, are no change."""
    plain = document(fields(("a",), a=TEXT, b=WHOLE))
    base = {"$ref": "#/components/schemas/Base"}
    parts = document({"allOf": [base, fields(b=WHOLE)]}, schemas={"Base": fields(("a",), a=TEXT)})
    inside = document(fields(c=fields(("a",), a=TEXT, b=WHOLE)))
    beside = document(fields(c=base | fields(b=WHOLE)), schemas={"Base": fields(("a",), a=TEXT)})

    assert (
        changes_between(plain, parts),
        changes_between(parts, plain),
        changes_between(inside, beside),
    ) == ([], [], [])


def test_both_versions_of_openapi_are_compared_by_what_they_mean() -> None:
    """nullable and boolean exclusive bounds of 3.0 equal their words in 3.1."""
    old = document(
        fields(
            x={"type": "string", "nullable": True},
            y={"type": "number", "minimum": 0, "exclusiveMinimum": True},
        ),
        version="3.0.3",
    )
    new = document(
        fields(x={"type": ["string", "null"]}, y={"type": "number", "exclusiveMinimum": 0})
    )

    assert (changes_between(old, new), changes_between(new, old)) == ([], [])


def test_schemas_that_contain_themselves_come_to_an_end() -> None:
    """A tree of nodes is compared once per level of its definition."""
    node = {"$ref": "#/components/schemas/Node"}
    trees = [
        document(node, schemas={"Node": fields(child=node, size=WHOLE | {"maximum": top})})
        for top in (9, 5)
    ]

    assert changes_between(*trees) == [
        ("breaking", "bound-tightened", "size: the maximum goes from 9 to 5.")
    ]


def test_a_change_that_touches_many_operations_is_told_once() -> None:
    """One component used by two operations gives one change that names both, with its places."""

    def changed(top: int) -> Document:
        tree = copy.deepcopy(BUNDLED)
        tree["components"]["schemas"]["FetchRequest"]["properties"]["key"]["maxLength"] = top
        tree["paths"]["/b"] = {
            "post": (
                copy.deepcopy(tree["paths"]["/image_editing/fetch/{id}"]["post"])
                | {"parameters": []}
            )
        }
        return read(tree)

    (change,) = compare_documents(changed(9), changed(5)).changes

    place = "/components/schemas/FetchRequest/properties/key"
    assert (change.old_pointer, change.new_pointer, change.old, change.new) == (place, place, 9, 5)
    assert change.operations == ("POST /image_editing/fetch/{id}", "POST /b")


def edited(pointer: str, change: Callable[[Any], object]) -> Document:
    tree = copy.deepcopy(BUNDLED)
    change(value_at(tree, pointer))
    return read(tree)


SUBMIT = "/paths/~1image_editing~1flux_headshot/post"
FETCH = "/paths/~1image_editing~1fetch~1{id}/post"
REPLY = "content/application~1json/schema"
QUERY = {"name": "q", "in": "query", "schema": {"type": "string"}}


@pytest.mark.parametrize(
    "change, kind, side, message, reverse",
    [
        (
            lambda: edited("/paths", lambda n: n.pop("/image_editing/fetch/{id}")),
            "operation-removed",
            "document",
            "POST /image_editing/fetch/{id} is gone.",
            "operation-added",
        ),
        (
            lambda: edited("/servers/0", lambda n: n.update(url="https://modelslab.com/api/v7")),
            "server-changed",
            "document",
            "The address goes from https://modelslab.com/api/v6 to https://modelslab.com/api/v7.",
            "server-changed",
        ),
        (
            lambda: edited(SUBMIT, lambda n: n.update(security=[{"key": []}])),
            "security-changed",
            "request",
            "The security requirements are others.",
            "security-changed",
        ),
        (
            lambda: edited(SUBMIT, lambda n: n.update(parameters=[QUERY])),
            "parameter-added",
            "request",
            "The query parameter q is new and optional.",
            "parameter-removed",
        ),
        (
            lambda: edited(SUBMIT, lambda n: n.update(parameters=[QUERY | {"required": True}])),
            "parameter-required",
            "request",
            "The query parameter q is new and required.",
            "parameter-removed",
        ),
        (
            lambda: edited(f"{FETCH}/parameters/0/schema", lambda n: n.update(maxLength=9)),
            "bound-tightened",
            "request",
            "The path parameter id: maxLength goes from no limit to 9.",
            "bound-loosened",
        ),
        (
            lambda: edited(f"{SUBMIT}/requestBody", lambda n: n.pop("required")),
            "body-optional",
            "request",
            "The body need not be sent any more.",
            "body-required",
        ),
        (
            lambda: edited(
                f"{FETCH}/requestBody/content/application~1json", lambda n: n.pop("schema")
            ),
            "body-removed",
            "request",
            "The JSON body no longer has a schema.",
            "body-added",
        ),
        (
            lambda: edited(f"{SUBMIT}/responses", lambda n: n.update({"202": n.pop("200")})),
            "code-changed",
            "reply",
            "The reply comes with 202, not 200.",
            "code-changed",
        ),
        (
            lambda: edited(f"{SUBMIT}/responses", lambda n: n.update({"429": {"description": ""}})),
            "error-code-added",
            "reply",
            "The error code 429 is newly declared.",
            "error-code-removed",
        ),
        (
            lambda: edited(f"{FETCH}/responses/200/{REPLY}/oneOf", lambda n: n.pop(2)),
            "word-removed",
            "reply",
            "The reply no longer says failed.",
            "word-added",
        ),
        (
            lambda: edited(SUBMIT, lambda n: n.pop("callbacks")),
            "callback-removed",
            "reply",
            "The callback jobEnded is no longer described.",
            "callback-added",
        ),
        (
            lambda: edited(
                "/components/schemas/WebhookSuccess/properties", lambda n: n.pop("output")
            ),
            "field-removed",
            "reply",
            "jobEnded.success.output is no longer declared.",
            "field-added",
        ),
        (
            lambda: edited(
                "/components/schemas/FetchSuccessResponse", lambda n: n.pop("x-fauxlab")
            ),
            "promise-removed",
            "reply",
            "success: x-fauxlab no longer promises status, id, output.",
            "promise-added",
        ),
        (
            lambda: edited(
                "/components/schemas/FetchSuccessResponse/properties/id",
                lambda n: n.update(type=["integer", "null"]),
            ),
            "type-added",
            "reply",
            "success.id newly takes null: integer becomes null or integer.",
            "type-removed",
        ),
    ],
)
def test_changes_of_operations_are_told(
    change: Callable[[], Document], kind: str, side: str, message: str, reverse: str
) -> None:
    """Each change of the bundled document outside its schemas is found, and so is its reverse."""
    old, new = load_document(), change()

    changes, back = compare_documents(old, new).changes, compare_documents(new, old).changes

    severity = KINDS[kind].reply if side == "reply" else KINDS[kind].request
    assert (kind, side, severity, message) in [
        (one.kind, one.side, one.effect, one.message) for one in changes
    ]
    assert reverse in {one.kind for one in back}


def test_a_parameter_may_become_required_or_optional() -> None:
    """The same parameter on both sides changes by its required alone."""
    documents = [
        document(parameters=[QUERY | {"required": required}]) for required in (False, True)
    ]

    assert changes_between(*documents) == [
        ("breaking", "parameter-required", "The query parameter q is required now.")
    ]
    assert changes_between(*reversed(documents)) == [
        ("harmless", "parameter-optional", "The query parameter q is no longer required.")
    ]


def test_the_name_of_a_path_parameter_does_not_matter() -> None:
    """/fetch/{id} and /fetch/{job} are the same operation."""

    def renamed(tree: Tree) -> None:
        operation = tree.pop("/image_editing/fetch/{id}")
        operation["post"]["parameters"][0]["name"] = "job"
        tree["/image_editing/fetch/{job}"] = operation

    assert changes_between(load_document(), edited("/paths", renamed)) == []


def test_a_merged_reply_schema_is_compared_once() -> None:
    """One schema that stands for three words gives one change, and a new word is one."""

    def merged(words: list[str], **properties: Any) -> Document:
        return document(reply=fields(("status",), status=TEXT | {"enum": words}, **properties))

    words = ["processing", "success"]
    assert changes_between(merged(words, id=WHOLE), merged(words, id=TEXT)) == [
        ("breaking", "type-added", "id newly takes string: integer becomes string."),
        ("harmless", "type-removed", "id no longer takes integer: integer becomes string."),
    ]
    assert changes_between(merged(words), merged([*words, "queued"])) == [
        ("breaking", "word-added", "The reply newly says queued.")
    ]


def test_a_word_of_a_shared_schema_is_told_once() -> None:
    """Two replies that list their branches each for itself newly say, or no longer, one word."""

    def two(*words: str) -> Document:
        schema = {"oneOf": [{"$ref": f"#/components/schemas/{word}"} for word in words]}
        reply = {"200": {"description": "", "content": {"application/json": {"schema": schema}}}}
        tree = sound_document()
        tree["paths"] = {path: {"post": {"responses": reply}} for path in ("/one", "/two")}
        names = ("processing", "success", "cancelled")
        tree["components"] = {"schemas": {word: branch(word) for word in names}}
        return read(tree)

    old, new = two("processing", "success"), two("processing", "success", "cancelled")
    told = [
        (change.rule, change.operations)
        for diff in (compare_documents(old, new), compare_documents(new, old))
        for change in diff.changes
    ]

    both = ("POST /one", "POST /two")
    assert told == [("word-added", both), ("word-removed", both)]


def test_every_kind_has_a_test() -> None:
    """Each kind of change appears in a test of this folder."""
    files = sorted(Path(__file__).parent.glob("test_*.py"))
    text = "".join(file.read_text(encoding="utf-8") for file in files)

    assert [kind for kind in KINDS if f'"{kind}"' not in text] == []


def test_the_text_and_the_values_say_the_same() -> None:
    """The worst comes first; the text names side, operations and places; the values are JSON."""
    diff = compare_documents(
        document(fields(x=WHOLE), fields(x=TEXT)),
        document(fields(x=WHOLE | {"maximum": 5}), fields()),
    )

    request, reply = "/paths/~1a~1{id}/post/requestBody", "/paths/~1a~1{id}/post/responses/200"
    assert str(diff).splitlines() == [
        "document -> document: 2 breaking changes",
        "",
        "breaking:",
        "  - request: x: the maximum goes from no limit to 5.",
        "      POST /a/{id}",
        f"      old document:1:204 {request}/content/application~1json/schema/properties/x",
        f"      new document:1:204 {request}/content/application~1json/schema/properties/x",
        "  - reply: x is no longer declared.",
        "      POST /a/{id}",
        f"      old document:1:369 {reply}/content/application~1json/schema/properties/x",
        f"      new document:1:323 {reply}/content/application~1json/schema",
    ]
    values = json.loads(json.dumps(diff.as_dict()))
    assert (values["is_breaking"], values["breaking"], values["risky"], values["harmless"]) == (
        True,
        2,
        0,
        0,
    )
    assert values["changes"][0]["new"] == 5
    assert str(Diff(old_source="a", new_source="b")) == "a -> b: nothing changes for clients"


@pytest.mark.parametrize("source", family_documents())
def test_a_document_equals_itself(source: bytes) -> None:
    """No document of the vendor's shapes differs from itself."""
    assert changes_between(read_document(source), read_document(source)) == []


def test_the_bundled_document_equals_itself() -> None:
    """No change, whatever the document holds."""
    assert changes_between(load_document(), load_document()) == []


# The oracle: random edits of the request's schema. Breaking must be exactly what refuses a body
# that was valid before.
NUMBERS = ("width", "height", "num_inference_steps", "guidance_scale", "seed", "track_id")
TEXTS = ("prompt", "face_image", "webhook")
Edit = Callable[[Tree], object]


def _set(name: str, keyword: str, value: Any) -> Edit:
    return lambda schema: (
        schema["properties"][name].__setitem__(keyword, value)
        if name in schema["properties"]
        else None
    )


def _drop(name: str, keyword: str) -> Edit:
    return lambda schema: schema["properties"].get(name, {}).pop(keyword, None)


def _remove(name: str) -> Edit:
    return lambda schema: schema["properties"].pop(name, None)


def _require(names: list[str]) -> Edit:
    return lambda schema: schema.__setitem__("required", names)


def _close(schema: Tree) -> None:
    schema["additionalProperties"] = False


edits = st.one_of(
    st.builds(
        _set,
        st.sampled_from(NUMBERS),
        st.sampled_from(["maximum", "exclusiveMaximum"]),
        st.integers(5, 1500),
    ),
    st.builds(
        _set,
        st.sampled_from(NUMBERS),
        st.sampled_from(["minimum", "exclusiveMinimum"]),
        st.integers(-3, 3),
    ),
    st.builds(
        _set,
        st.sampled_from(NUMBERS),
        st.just("type"),
        st.sampled_from(["number", "integer", "string", ["integer", "null"]]),
    ),
    st.builds(_drop, st.sampled_from(NUMBERS), st.sampled_from(["maximum", "minimum"])),
    st.builds(
        _set,
        st.sampled_from(TEXTS),
        st.just("type"),
        st.sampled_from(["string", ["string", "null"], "integer"]),
    ),
    st.builds(_set, st.sampled_from(TEXTS[1:]), st.just("format"), st.just("uri")),
    st.builds(
        _set,
        st.sampled_from(TEXTS),
        st.just("enum"),
        st.lists(st.sampled_from(["sample", "a", "b"]), min_size=1, unique=True),
    ),
    st.builds(_set, st.just("prompt"), st.just("minLength"), st.integers(0, 9)),
    st.builds(_set, st.sampled_from(TEXTS), st.just("maxLength"), st.integers(40, 60)),
    st.builds(_drop, st.sampled_from(TEXTS), st.just("format")),
    st.builds(_remove, st.sampled_from((*NUMBERS, *TEXTS))),
    st.builds(
        _require, st.lists(st.sampled_from(("key", *NUMBERS, *TEXTS)), unique=True, max_size=5)
    ),
    st.just(_close),
)


def edited_request(changes: list[Edit]) -> Document:
    tree = copy.deepcopy(BUNDLED)
    schema = tree["components"]["schemas"]["FluxHeadshotRequest"]
    for name in schema["properties"]:
        schema["properties"][name].pop("description", None)
    operation = tree["paths"]["/image_editing/flux_headshot"]["post"]
    operation["responses"] = {
        "200": {"description": "", "content": {"application/json": {"schema": True}}}
    }
    tree["paths"] = {
        "/image_editing/flux_headshot": {
            "post": {name: operation[name] for name in ("requestBody", "responses")}
        }
    }
    tree["components"]["schemas"] = {"FluxHeadshotRequest": schema}
    for change in changes:
        change(schema)
    return read(tree)


def checker(document: Document) -> SchemaValidator:
    request = document.operations[0].request
    assert request is not None
    return request.check


def witnesses(operation: Any) -> list[Any]:
    """Return valid bodies: the boundary cases, and texts and numbers between them."""
    bodies = [dict(case.body) for case in boundary_requests(operation)]
    smallest = bodies[0] if bodies else {}  # with contradictory edits no body is valid
    lengths = (*range(10), *range(39, 62))
    texts = [
        *("x" * length for length in lengths),
        *("https://e.x/".ljust(length, "a") for length in lengths),
        "a",
        "b",
        None,
    ]
    numbers = [
        *range(-5, 30),
        0.5,
        2.5,
        1023,
        1499,
        1500,
        4.0,
        -(2**63),
        2**63 - 1,
        None,
        1e18,
        9.75,
        -2.75,
        1023.5,
        1499.5,
    ]
    bodies += [
        {**smallest, name: value}
        for name in operation.request.properties
        for value in (*texts, *numbers)
    ]
    bodies += [
        {name: value for name, value in smallest.items() if name != left_out}
        for left_out in smallest
    ]
    return [body for body in bodies if operation.request.check.is_valid(body)]


@given(st.lists(edits, max_size=3), st.lists(edits, max_size=3))
def test_breaking_for_requests_is_what_refuses_bodies_that_were_valid(
    before: list[Edit], after: list[Edit]
) -> None:
    """A diff of random schemas is breaking if and only if NEW refuses a body that OLD takes."""
    old, new = edited_request(before), edited_request([*before, *after])
    valid, judge = witnesses(old.operations[0]), checker(new)
    refused = [body for body in valid if not judge.is_valid(body)]

    breaking = [
        change
        for change in compare_documents(old, new).changes
        if change.effect == "breaking" and change.side == "request"
    ]

    if valid:
        assert bool(breaking) == bool(refused), (breaking, refused[:1])


@given(st.lists(edits, max_size=3), st.lists(edits, max_size=3))
def test_bounds_are_harmless_one_way_when_they_break_the_other(
    before: list[Edit], after: list[Edit]
) -> None:
    """The reverse diff has the reverse changes, and a document does not differ from itself."""
    old, new = edited_request(before), edited_request([*before, *after])
    mirror = {"bound-tightened": "bound-loosened", "bound-loosened": "bound-tightened"}

    def bounds(diff: Diff) -> list[tuple[str, str]]:
        return sorted(
            (change.kind, change.message.partition(":")[0])
            for change in diff.changes
            if change.kind in mirror
        )

    forth, back = compare_documents(old, new), compare_documents(new, old)

    assert bounds(forth) == sorted((mirror[kind], field) for kind, field in bounds(back))
    assert compare_documents(new, new).changes == ()


def with_errors(**codes: Any) -> Document:
    """A document whose operation has schemas for these codes: `e422` is 422."""
    replies = {code.removeprefix("e"): schema for code, schema in codes.items()}
    responses = {
        code: {"description": "", "content": {"application/json": {"schema": schema}}}
        for code, schema in {"200": True, **replies}.items()
    }
    return document(responses=responses)


@pytest.mark.parametrize(
    "old, new, told",
    [
        (
            with_errors(e422=fields(("detail",), detail=TEXT)),
            with_errors(e422=fields((), detail=TEXT)),
            [("breaking", "field-optional", "422.detail is no longer required.")],
        ),
        (
            with_errors(default=fields((), detail=TEXT)),
            with_errors(default=fields((), detail=WHOLE)),
            [
                ("breaking", "type-added", "default.detail newly takes integer:"
                 " string becomes integer."),
                ("harmless", "type-removed", "default.detail no longer takes string:"
                 " string becomes integer."),
            ],
        ),
        (
            with_errors(e4XX=fields(("detail",), detail=TEXT)),
            with_errors(e404=fields((), detail=TEXT)),
            [
                ("breaking", "field-optional", "404.detail is no longer required."),
                ("risky", "error-code-added", "The error code 404 is newly declared."),
            ],
        ),
        (with_errors(e422=TEXT), with_errors(e422=TEXT), []),
    ],
)  # fmt: skip
def test_what_is_declared_for_errors_is_compared(
    old: Document, new: Document, told: list[tuple[str, str, str]]
) -> None:
    """Code by code; one that is new is compared with the range or the default before."""
    assert changes_between(old, new) == told


def test_an_error_that_codes_share_is_told_once() -> None:
    """Frameworks name one schema for all their codes."""
    shared = {"$ref": "#/components/schemas/Problem"}

    def of(problem: Any) -> Document:
        responses = {
            code: {"description": "", "content": {"application/json": {"schema": shared}}}
            for code in ("400", "404", "500")
        }
        return document(responses=responses, schemas={"Problem": problem})

    changes = changes_between(of(fields(("a",), a=TEXT)), of(fields((), a=TEXT)))

    assert changes == [("breaking", "field-optional", "400.a is no longer required.")]
