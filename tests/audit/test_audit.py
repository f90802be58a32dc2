"""The audit: each rule on a document with one defect, samples, and two known documents."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from documents import SAMPLE_CONTRADICTIONS, branch, family_documents, sound_document
from fauxlab_contract.audit.report import Audit, AuditFinding, audit_document
from fauxlab_contract.audit.rules import RULES
from fauxlab_contract.audit.samples import Sample, read_samples
from fauxlab_contract.core.pointers import value_at
from fauxlab_contract.core.strict_json import WireError
from fauxlab_contract.openapi.document import load_document, read_document
from fauxlab_contract.openapi.references import NoticeKind

ROOT = Path(__file__).resolve().parents[2]
Tree = dict[str, Any]
JOB = "/paths/~1jobs/post"
REQUEST = f"{JOB}/requestBody/content/application~1json/schema"
REPLY = f"{JOB}/responses/200/content/application~1json/schema"


def found(tree: Tree, *samples: Any) -> list[AuditFinding]:
    document = read_document(json.dumps(tree).encode())
    return list(
        audit_document(
            document, [Sample(f"s{i}#", body) for i, body in enumerate(samples)]
        ).findings
    )


def put(pointer: str, name: str, value: Any) -> Callable[[Tree], object]:
    return lambda tree: value_at(tree, pointer).__setitem__(name, value)


def field(schema: Any) -> Callable[[Tree], object]:
    """A field x of the request."""
    return put(f"{REQUEST}/properties", "x", schema)


def both(*changes: Callable[[Tree], object]) -> Callable[[Tree], object]:
    return lambda tree: [change(tree) for change in changes]


def without(pointer: str, name: str | int) -> Callable[[Tree], object]:
    return lambda tree: value_at(tree, pointer).pop(name)


X = f"{REQUEST}/properties/x"
MEDIA = REQUEST.removesuffix("/schema")
REPLY_MEDIA = REPLY.removesuffix("/schema")
FETCH = "/paths/~1fetch~1{id}/post"

DEFECTS: dict[str, list[tuple[Callable[[Tree], object], str, str]]] = {
    "invalid-example": [
        (
            field({"type": "integer", "example": "5"}),
            X,
            'The example of x breaks its schema: x must be an integer, not the text "5".',
        ),
        (
            field({"type": "integer", "examples": [1, None]}),
            X,
            "The example of x breaks its schema: x must be an integer, not null.",
        ),
        (
            put(MEDIA, "example", {"key": "k", "width": 0}),
            f"{MEDIA}/example",
            "The example breaks its schema: width must be at least 1, not 0.",
        ),
        (
            both(
                put(f"{REQUEST}/properties", "webhook", {"type": "string", "format": "uri"}),
                put(MEDIA, "example", {"key": "k", "webhook": "ftp://example.com/hook"}),
            ),
            f"{MEDIA}/example",
            (
                "The example breaks its schema: webhook must be an http or https URL with a host"
                ' that is not link-local, not the text "ftp://example.com/hook".'
            ),
        ),
        (
            put(MEDIA, "examples", {"small": {"value": {}}}),
            f"{MEDIA}/examples/small/value",
            "The example small breaks its schema: The key field is required.",
        ),
        (
            put(REPLY_MEDIA, "example", {"status": "success", "id": "7"}),
            f"{REPLY_MEDIA}/example",
            'The example breaks its schema: id must be an integer, not the text "7".',
        ),
        (
            put(REPLY_MEDIA, "example", {"status": "done"}),
            f"{REPLY_MEDIA}/example",
            (
                'The example breaks its schema: status must be one of "success", "processing",'
                ' "error", not the text "done".'
            ),
        ),
        (
            put(f"{FETCH}/parameters/0", "example", 7),
            f"{FETCH}/parameters/0/example",
            "The example breaks its schema: id must be a string, not 7.",
        ),
    ],
    "invalid-default": [
        (
            field({"type": "integer", "maximum": 3, "minimum": 0, "default": 5}),
            X,
            "The default of x breaks its schema: x must be at most 3, not 5.",
        ),
        (
            field({"type": "string", "default": None}),
            X,
            "The default of x breaks its schema: x must be a string, not null.",
        ),
    ],
    "invalid-keyword": [
        (
            field({"maximum": "26"}),
            X,
            'The keyword maximum is not valid ("26" is not of type "number"), so it is not'
            " checked.",
        ),
        (
            field({"oneOf": []}),
            X,
            "The keyword oneOf is not a list of one or more schemas, so it is not checked.",
        ),
        (field(None), X, "A schema must be an object, so this is not checked."),
    ],
    "unknown-keyword": [
        (
            field({"minLenght": 2}),
            X,
            "The schema keyword 'minLenght' is not understood (minLength?), so it is not checked.",
        ),
    ],
    "impossible-bounds": [
        (
            field({"type": "number", "minimum": 5, "maximum": 3, "exclusiveMaximum": 9}),
            X,
            "x has minimum 5 and maximum 3: no number is within both.",
        ),
        (
            field({"allOf": [{"minimum": 5}, {"maximum": 3}]}),
            X,
            "x has minimum 5 and maximum 3: no number is within both.",
        ),
        (
            field({"allOf": [{"type": "string"}, {"type": "integer"}]}),
            X,
            "x has types and values that exclude each other.",
        ),
        (
            field({"type": "number", "minimum": 5, "maximum": 3}),
            X,
            "x has minimum 5 and maximum 3: no number is within both.",
        ),
        (
            field({"type": "number", "minimum": 3, "exclusiveMaximum": 3}),
            X,
            "x has minimum 3 and exclusiveMaximum 3: no number is within both.",
        ),
        (
            field({"type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 4}),
            X,
            "x has exclusiveMinimum 3 and exclusiveMaximum 4: no number is within both.",
        ),
        (
            field({"type": "string", "minLength": 5, "maxLength": 3}),
            X,
            "x needs at least 5 characters and at most 3.",
        ),
        (
            field({"type": "array", "minItems": 2, "maxItems": 1}),
            X,
            "x needs at least 2 items and at most 1.",
        ),
        (
            field({"type": "object", "minProperties": 2, "maxProperties": 1}),
            X,
            "x needs at least 2 members and at most 1.",
        ),
    ],
    "impossible-enum": [
        (
            field({"type": "string", "enum": ["a", None]}),
            X,
            "enum lists null, but x must be a string, not null.",
        ),
        (
            field({"type": "integer", "minimum": 2, "enum": [1, 2]}),
            X,
            "enum lists 1, but x must be at least 2, not 1.",
        ),
        (field({"type": "string", "const": 5}), X, "const lists 5, but x must be a string, not 5."),
    ],
    "required-impossible": [
        (
            both(
                put(REQUEST, "required", ["key", "prompt"]),
                put(REQUEST, "additionalProperties", False),
            ),
            REQUEST,
            "prompt is required and not declared, and additionalProperties is false.",
        ),
    ],
    "required-undeclared": [
        (
            put(REQUEST, "required", ["key", "prompt"]),
            REQUEST,
            "prompt is required and not declared.",
        ),
    ],
    "status-word-twice": [
        (
            lambda tree: value_at(tree, f"{REPLY}/oneOf").insert(
                1, branch("success", id={"type": "integer"})
            ),
            REPLY,
            'Two branches take the status "success": {"status": "success", "id": 1} fits both.',
        ),
    ],
    "path-parameter": [
        (without(FETCH, "parameters"), FETCH, "The path parameter id is not declared."),
        (
            put(
                JOB,
                "parameters",
                [{"name": "no", "in": "path", "required": True, "schema": {"type": "string"}}],
            ),
            JOB,
            "The path parameter no is not in the path.",
        ),
    ],
    "duplicate-operation-id": [
        (put(FETCH, "operationId", "submit"), JOB, '2 operations have the operationId "submit".'),
    ],
    "branches-overlap": [
        (
            field({"oneOf": [{"type": "integer"}, {"type": "number"}]}),
            X,
            "The value 1 fits several branches of the oneOf.",
        ),
        (
            field({"oneOf": [{"type": "object", "properties": {}}, {"type": "object"}]}),
            X,
            "A body without any member, {}, fits several branches of the oneOf.",
        ),
    ],
    "reply-slips-through": [
        (
            both(
                without(f"{REPLY}/oneOf/2", "required"),
                put(f"{REPLY}/oneOf/2/properties/status", "type", ["string", "null"]),
                put(f"{REPLY}/oneOf/2", "minProperties", 1),
                without(f"{REPLY}/oneOf/2", "additionalProperties"),
            ),
            REPLY,
            'The reply {"id": "x"} is valid.',
        ),
    ],
    "branch-requires-nothing": [
        (
            without(f"{REPLY}/oneOf/1", "required"),
            f"{REPLY}/oneOf/1",
            "No member of this reply is required, not even status.",
        ),
    ],
    "status-not-required": [
        (
            put(f"{REPLY}/oneOf/1", "required", ["id"]),
            f"{REPLY}/oneOf/1",
            "The reply requires id, and not status.",
        ),
    ],
    "no-lower-limit": [
        (
            field({"type": "integer", "maximum": 5}),
            X,
            "x has no lower limit: the document allows 0 and -1.",
        ),
        (
            field({"type": ["number", "null"], "exclusiveMaximum": 5}),
            X,
            "x has no lower limit: the document allows 0 and -1.",
        ),
        (
            put(f"{REQUEST}/properties", "width", {"type": "integer"}),
            f"{REQUEST}/properties/width",
            "width has no lower limit: the document allows 0 and -1.",
        ),
        (
            put(f"{REQUEST}/properties", "width", {"type": "integer", "minimum": 0}),
            f"{REQUEST}/properties/width",
            "width may be 0: a picture of that size does not exist.",
        ),
    ],
    "nullable-without-effect": [
        (
            field({"type": "string", "nullable": True}),
            X,
            "Nullable has no effect in OpenAPI 3.1; write type: [..., 'null'] to allow null.",
        ),
        (
            both(
                lambda tree: tree.__setitem__("openapi", "3.0.3"),
                field({"nullable": True, "enum": ["a"]}),
            ),
            X,
            "Nullable has no effect in OpenAPI 3.0 without a type beside it.",
        ),
    ],
    "keyword-without-effect": [
        (
            field({"type": "string", "maximum": 1024}),
            X,
            "maximum does not apply to x of type string.",
        ),
        (
            field({"type": "integer", "minLength": 1}),
            X,
            "minLength does not apply to x of type integer.",
        ),
    ],
    "no-server": [
        (lambda tree: tree.pop("servers"), "/servers", "The document names no server."),
        (
            put("/servers/0", "url", "/api"),
            "/servers/0/url",
            'The server "/api" is an address without a host.',
        ),
    ],
    "no-reply-schema": [
        (
            without(REPLY_MEDIA, "schema"),
            JOB,
            "No 2xx reply has a JSON schema, so it is answered with an empty object.",
        ),
    ],
    "no-fetch": [
        (
            without("/paths", "/fetch/{id}"),
            JOB,
            "It can say processing, and nothing fetches its jobs.",
        ),
    ],
    "fetch-without-submit": [
        (without("/paths", "/jobs"), FETCH, "No submit leads to POST /fetch/{id}."),
    ],
    "fetch-not-recognized": [
        (
            without(f"{REPLY}/oneOf", 0),
            JOB,
            "Jobs are not followed to POST /fetch/{id}: the submit never says success.",
        ),
    ],
    "unchecked-sibling": [
        (
            without(f"{REPLY}/oneOf/0", "additionalProperties"),
            REPLY,
            'The reply {"status": "success", "message": 5} is valid.',
        ),
    ],
    "type-changes": [
        (
            put(
                f"{FETCH}/responses/200/content/application~1json/schema/oneOf/0/properties",
                "id",
                {"type": "string"},
            ),
            f"{REPLY}/oneOf/0/properties/id",
            "id is integer in success and string in success of a fetch.",
        ),
    ],
    "unchecked-format": [
        (field({"type": "string", "format": "date-time"}), X, "Format 'date-time' is not checked."),
    ],
    "unchecked-part": [
        (
            lambda tree: tree.__setitem__("security", [{"k": []}]),
            JOB,
            "Security is not enforced; only the key in the body is.",
        ),
        (
            put(JOB, "parameters", [{"name": "a", "in": "cookie"}]),
            JOB,
            "Values of the cookie parameter a are not checked: it is a cookie.",
        ),
    ],
    "lost-name": [
        (
            lambda tree: tree.__setitem__("x-fauxlab", {"fields": {"width": "widht"}}),
            "/x-fauxlab/fields/width",
            "No schema has a field 'widht'; did you mean width?",
        ),
    ],
    "lost-reference": [
        (
            put(JOB, "callbacks", {"done": {"$ref": "#/components/callbacks/Done"}}),
            f"{JOB}/callbacks/done",
            "This is not read: $ref '#/components/callbacks/Done' names nothing in this document.",
        ),
        (
            put(f"{JOB}/responses", "404", {"$ref": "errors.yaml#/Lost"}),
            f"{JOB}/responses/404",
            "The reply is not judged: $ref 'errors.yaml#/Lost' points outside this document;"
            " nothing is ever fetched or opened: copy what it names to here.",
        ),
    ],
    "unused-schema": [
        (
            lambda tree: tree.__setitem__("components", {"schemas": {"A": {}}}),
            "/components/schemas/A",
            "Nothing refers to the schema A.",
        ),
    ],
}


def test_a_clean_document_has_no_finding() -> None:
    """The document that every other test starts from has nothing to find."""
    assert found(sound_document()) == []


@pytest.mark.parametrize(
    "rule, change, pointer, message",
    [
        pytest.param(rule, *case, id=f"{rule}-{i}")
        for rule, cases in DEFECTS.items()
        for i, case in enumerate(cases)
    ],
)
def test_each_defect_is_found_where_it_is(
    rule: str, change: Callable[[Tree], object], pointer: str, message: str
) -> None:
    """A defect put into a clean document is found by its rule, at its place, and alone."""
    tree = sound_document()
    change(tree)

    findings = found(tree)

    assert (rule, pointer, message) in [
        (finding.rule, finding.pointer, finding.message) for finding in findings
    ]
    assert all(finding.severity == RULES[finding.rule].severity for finding in findings)
    beside = {finding.rule for finding in findings} - {rule}
    assert beside <= {
        "branches-overlap",
        "branch-requires-nothing",
        "unchecked-sibling",
        "no-lower-limit",
        "type-changes",
        "fetch-without-submit",
    }


def test_every_rule_has_a_test() -> None:
    """The table above and the sample tests below cover all rules."""
    samples = {rule for rule in RULES if rule.startswith("sample-")}

    assert set(DEFECTS) | samples == set(RULES)
    assert len(samples) == 6


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer", "minimum": 3, "maximum": 3, "default": 3, "example": 3, "enum": [3]},
        {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
        {"type": ["string", "null"], "default": None, "enum": ["a", None]},
        {
            "allOf": [
                {"type": "object", "properties": {"a": True}},
                {"type": "object", "required": ["a", "b"], "properties": {"b": True}},
            ]
        },
        {
            "type": "object",
            "properties": {"a": True, "b": True},
            "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
        },
        {
            "type": "object",
            "required": ["a"],
            "patternProperties": {"^a": True},
            "properties": {"b": True},
        },
        {
            "oneOf": [
                {"type": "array", "items": {"type": "string"}},
                {"type": "string", "enum": [""]},
            ]
        },
        {"type": "string", "format": "int64"},
        {"type": ["string", "integer"], "minimum": 1, "maxLength": 5},
    ],
)
def test_sound_schemas_raise_no_alarm(schema: Tree) -> None:
    """Bounds that just touch, null where it is allowed and the like are no defects."""
    tree = sound_document()
    value_at(tree, f"{REQUEST}/properties")["x"] = schema

    assert found(tree) == []


def test_the_same_defect_is_told_once_with_all_its_places() -> None:
    """Equal defects are one finding; the pointer is the first place."""
    tree = sound_document()
    for pointer in (REQUEST, REQUEST.replace("jobs", "fetch~1{id}")):
        value_at(tree, f"{pointer}/properties")["x"] = {
            "type": "string",
            "minLength": 2,
            "maxLength": 1,
        }

    findings = found(tree)

    places = (X, X.replace("jobs", "fetch~1{id}"))
    text = "x needs at least 2 characters and at most 1."
    assert findings == [
        AuditFinding(
            "impossible-bounds",
            "error",
            text,
            RULES["impossible-bounds"].advice,
            "x",
            pointer=X,
            places=places,
            positions=("document:1:350", "document:1:1355"),
        )
    ]
    assert (
        str(findings[0])
        == f"error: impossible-bounds: {text} (at document:1:350 {X} and 1 more place) Correct the"
        " bounds."
    )


def test_secrets_in_examples_are_not_repeated() -> None:
    """A wrong value of the key is named, not shown."""
    tree = sound_document()
    value_at(tree, f"{REQUEST}/properties/key")["example"] = 123456789
    value_at(tree, MEDIA)["example"] = {"key": ["sk-Secret-99"]}

    text = json.dumps(audit_document(read_document(json.dumps(tree).encode())).as_dict())

    assert (
        text.count("key holds a value of the wrong kind."),
        "123456789" in text,
        "sk-Secret-99" in text,
    ) == (2, False, False)


def test_the_bundled_document_and_its_sample_contradict_each_other_in_six_places() -> None:
    """The errors are the six of the published sample, each with what is wanted and what came."""
    audit = audit_document(load_document())

    errors = [finding for finding in audit.findings if finding.severity == "error"]
    assert {finding.message for finding in errors} == SAMPLE_CONTRADICTIONS
    assert {
        finding.rule: finding.pointer for finding in errors if finding.pointer.endswith("/seed")
    } == {"sample-null-for-required": "/components/schemas/FluxHeadshotRequest/properties/seed"}
    undeclared = [
        finding.message for finding in audit.findings if finding.rule == "sample-undeclared"
    ]
    assert undeclared == [
        "negative_prompt is not a field of the request of POST /image_editing/flux_headshot."
    ]


def test_the_example_file_is_that_sample() -> None:
    """examples/vendor_sample.json gives the same six, and one undeclared field, by itself."""
    name = "vendor_sample.json"
    document = load_document()
    samples = read_samples((ROOT / "examples" / name).read_bytes(), name)

    findings = [
        finding
        for finding in audit_document(document, samples).findings
        if finding.rule.startswith("sample-")
    ]

    assert {
        finding.message for finding in findings if finding.severity == "error"
    } == SAMPLE_CONTRADICTIONS
    assert len(findings) == 7
    assert [len(finding.places) for finding in findings] == [2] * 7
    assert all(finding.places[1].startswith(f"{name}#/") for finding in findings)


def test_the_warnings_about_the_bundled_document_are_the_known_ones() -> None:
    """The oneOf traps and the missing lower limits are warnings; nothing else is."""
    audit = audit_document(load_document())

    told = [
        (finding.rule, len(finding.places))
        for finding in audit.findings
        if finding.severity == "warning"
    ]
    assert told == [
        ("branches-overlap", 3),
        ("reply-slips-through", 1),
        ("reply-slips-through", 1),
        ("branch-requires-nothing", 6),
        ("no-lower-limit", 1),
        ("no-lower-limit", 1),
        ("no-lower-limit", 1),
    ]


@pytest.mark.parametrize(
    "body, rule, message",
    [
        (
            {"key": "k", "width": "12"},
            "sample-number-as-text",
            (
                'width: the document says integer, the sample sends the text "12". --validation'
                " strict refuses it, coerce takes it."
            ),
        ),
        (
            {"key": None, "width": 1},
            "sample-null-for-required",
            (
                "key: the document says string and requires the field, the sample sends null."
                " --validation strict and coerce refuse it."
            ),
        ),
        (
            {"key": "k", "width": None},
            "sample-null",
            (
                "width: the document says integer, the sample sends null. --validation strict"
                " refuses it, coerce takes it."
            ),
        ),
        (
            {"key": "k", "width": 0},
            "sample-violation",
            "width must be at least 1, not 0. --validation strict and coerce refuse it.",
        ),
        (
            {"status": "error", "message": 5},
            "sample-violation",
            'message must be a string, not 5. Send the text "5", in quotes.',
        ),
        (
            {"status": "success", "id": "7"},
            "sample-violation",
            'id must be an integer, not the text "7". Send the number 7, without quotes.',
        ),
        ({"nothing": 1}, "sample-not-placed", "No operation declares anything in this body."),
        ({}, "sample-not-placed", "No operation declares anything in this body."),
        ([1], "sample-not-placed", "No operation declares anything in this body."),
    ],
)
def test_a_sample_is_judged_by_the_operation_that_it_fits(
    body: Any, rule: str, message: str
) -> None:
    """Bodies are told apart by their members; each contradiction names both sides."""
    findings = found(sound_document(), body)

    assert [(finding.rule, finding.message) for finding in findings] == [(rule, message)]
    assert findings[0].places[0].startswith("s0#")


@pytest.mark.parametrize(
    "body",
    [
        {"key": "k"},
        {"key": "k", "width": 5},
        {"status": "processing", "id": 7},
        {"status": "error"},
    ],
)
def test_valid_samples_have_no_finding(body: Tree) -> None:
    """What keeps the document is not mentioned."""
    assert found(sound_document(), body) == []


def test_an_undeclared_field_is_a_note() -> None:
    """A field that the request does not declare is named once, however many samples send it."""
    findings = found(sound_document(), {"key": "k", "base64": "no"}, {"key": "k", "base64": "yes"})

    assert [(finding.rule, finding.message, finding.places) for finding in findings] == [
        (
            "sample-undeclared",
            "base64 is not a field of the request of POST /jobs.",
            ("s0#/base64", "s1#/base64"),
        )
    ]


def test_a_field_that_is_refused_is_not_noted_as_well() -> None:
    """Where undeclared fields are a violation, that is all that is said."""
    findings = found(sound_document(), {"status": "error", "other": 1})

    assert [(finding.rule, finding.message) for finding in findings] == [
        ("sample-violation", "other is not a field of this operation. Leave the field out.")
    ]


def test_a_sample_may_be_said_to_belong_to_an_operation() -> None:
    """With an operation named, a body is judged by that one alone."""
    document = load_document()
    submit, fetch = document.operations
    body = {"status": "processing", "output": "", "message": "m", "tip": "t"}

    by_itself, named = (
        audit_document(document, [Sample("s#", body, operation)]) for operation in (None, submit)
    )

    assert [finding for finding in by_itself.findings if "s#" in finding.places[0]] == []
    told = {finding.message for finding in named.findings if finding.places[0].startswith("s#")}
    assert told == {
        "The id field is required. Add the field.",
        'output must be an array, not the text "".',
    }
    assert fetch.name == "POST /image_editing/fetch/{id}"


@pytest.mark.parametrize(
    "text, places",
    [
        ('{"a": 1}', ["f#"]),
        ('[{"a": 1}, 5]', ["f#/0", "f#/1"]),
        ('{"a": 1}\n\n{"a": 2}\n', ["f:1#", "f:3#"]),
        ('{\n"a": 1\n}', ["f#"]),
        ("[]", []),
    ],
)
def test_a_file_holds_one_body_or_several(text: str, places: list[str]) -> None:
    """One JSON value, a list, or one on each line; each body knows where it stands."""
    assert [sample.place for sample in read_samples(text.encode(), "f")] == places


@pytest.mark.parametrize(
    "text, said",
    [
        ('{"a": 1}\n{"a": }\n', "line 2: The body is not JSON"),
        ("{\n", "The body is not JSON"),
        ("", "empty"),
        ('{"a":1}\n{"a":1,"a":2}', "line 2: "),
    ],
)
def test_a_file_that_is_no_json_is_refused(text: str, said: str) -> None:
    """The error says which line, when there are several bodies."""
    with pytest.raises(WireError) as caught:
        read_samples(text.encode(), "f")

    assert said in str(caught.value)


def test_the_text_groups_findings_by_rule() -> None:
    """The summary is first, each rule's reason stands once, and long lists of places are cut."""
    places = ("/a", "/b", "/c", "/d")
    rule = RULES["impossible-bounds"]
    audit = Audit(
        (
            AuditFinding(rule.id, "error", "One.", rule.advice, pointer="/a", places=places),
            AuditFinding(rule.id, "error", "Two.", pointer="", places=("",)),
        ),
        source="d.yaml",
    )

    assert str(audit).splitlines() == [
        "d.yaml: 2 errors",
        "",
        f"error: impossible-bounds: {rule.summary}",
        "  - One.",
        "      at /a",
        "      at /b",
        "      at /c",
        "      and 1 more place",
        "  - Two.",
        "      at /",
        f"  Why it matters: {rule.why}",
        f"  What to do: {rule.advice}",
    ]
    assert str(Audit(source="d.yaml")) == "d.yaml: nothing to find"


def test_the_audit_tells_the_same_every_time() -> None:
    """Two audits of one document are equal, the worst first."""
    one, other = audit_document(load_document()), audit_document(load_document())

    severities = [finding.severity for finding in one.findings]
    assert one == other
    assert severities == sorted(severities, key=["error", "warning", "note"].index)


@pytest.mark.parametrize("source", family_documents())
def test_every_document_of_the_family_can_be_audited(source: bytes) -> None:
    """Each document of the vendor's shapes gets an audit, with places that exist."""
    document = read_document(source)

    for finding in audit_document(document).findings:
        assert value_at(document.tree, finding.pointer) is not None


def test_an_operation_id_in_a_link_names_an_operation() -> None:
    """A link under a reply or in components refers to the operation; it is no second one."""
    tree = sound_document()
    link = {"operationId": "submit"}
    value_at(tree, f"{JOB}/responses/200")["links"] = {"again": link}
    tree["components"] = {"links": {"again": link}}

    assert found(tree) == []


def test_operations_of_callbacks_and_webhooks_have_ids_too() -> None:
    """Each operation counts once, also where a reference leads to it a second time."""
    tree = sound_document()
    hook = {"post": {"operationId": "submit", "responses": {}}}
    value_at(tree, JOB)["callbacks"] = {"done": {"{$request.body#/url}": hook}}
    tree["components"] = {"pathItems": {"hook": hook}}
    tree["webhooks"] = {"done": {"$ref": "#/components/pathItems/hook"}}

    (finding,) = [one for one in found(tree) if one.rule == "duplicate-operation-id"]

    assert finding.message == '3 operations have the operationId "submit".'
    assert set(finding.places) == {
        JOB,
        f"{JOB}/callbacks/done/{{$request.body#~1url}}/post",
        "/components/pathItems/hook/post",
    }


@pytest.mark.parametrize(
    "samples, came",
    [
        ([{"key": "k"}], "a value of type dict"),
        ({"key": "k"}, "a value of type dict"),
        (["body.json"], "'body.json'"),
    ],
)
def test_samples_that_are_none_are_told_in_one_sentence(samples: Any, came: str) -> None:
    """A plain body lacks the name by which a finding tells of it."""
    sentence = (
        'samples must be a list of what read_samples returns, or of Sample("a name for it", body),'
        f" not {came}"
    )
    with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
        audit_document(load_document(), samples)


def reply(*words: str) -> Tree:
    """An operation that answers with these status words."""
    schema = {"oneOf": [branch(word) for word in words]}
    content = {"application/json": {"schema": schema}}
    return {"responses": {"200": {"description": "", "content": content}}}


def asking_for(*names: str) -> Tree:
    """The request body of an operation with these fields."""
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in names}}
    return {"requestBody": {"content": {"application/json": {"schema": schema}}}}


BOTH = reply("processing", "success")


@pytest.mark.parametrize(
    "paths, rule, told",
    [
        (
            {"/jobs": {"post": reply("processing", "success")}},
            "no-fetch",
            ["It can say processing, and nothing fetches its jobs."],
        ),
        (
            {"/jobs": {"post": reply("processing") | {"callbacks": {"done": {}}}}},
            "no-fetch",
            [
                "It can say processing, and nothing fetches its jobs: their ends come by callback"
                " alone."
            ],
        ),
        *(
            (
                {"/jobs": {"post": reply("processing", "success")}, path: {method: fetch}},
                "fetch-not-recognized",
                [
                    f"Jobs are not followed to {method.upper()} {path}, since its path does not end"
                    " with /fetch/{id}."
                ],
            )
            for path, method, fetch in (
                ("/jobs/{id}", "get", reply("processing", "success")),
                ("/fetch", "post", reply("processing", "failed")),
                ("/one", "post", reply("processing", "success") | asking_for("request_id")),
            )
        ),
        (  # an id beside a prompt is an order's
            {
                "/images": {"post": BOTH | asking_for("key", "prompt", "track_id")},
                "/clips": {"post": BOTH | asking_for("key", "prompt", "track_id")},
                "/images/{id}": {"post": BOTH | asking_for("key")},
                "/clips/{id}": {"post": BOTH | asking_for("key")},
            },
            "fetch-not-recognized",
            [
                f"Jobs are not followed to POST /{name}/{{id}}, since its path does not end with"
                " /fetch/{id}."
                for name in ("clips", "images")
            ],
        ),
        *(
            (
                {
                    "/images": {"post": BOTH | asking_for("key", "prompt")},
                    "/images/fetch/{id}": {"post": BOTH | asking_for("key")},
                    "/clips/{id}": asks,
                    "/models/{id}": {"post": BOTH | asking_for("key", "prompt")},
                    "/models/{id}/retry": {"post": BOTH | asking_for("key")},
                },
                "fetch-not-recognized",
                [
                    "It is taken for a submit, although its path ends with an id and its body has"
                    " no more than a key; a fetch is known by a path that ends with /fetch/{id}."
                ],
            )
            for asks in ({"post": BOTH | asking_for("key")}, {"get": BOTH})
        ),
        (
            {
                "/jobs": {"post": reply("processing")},
                "/others": {"post": reply("processing")},
                "/fetch/{id}": {"post": reply("processing", "success")},
            },
            "fetch-not-recognized",
            ["Jobs are not followed to POST /fetch/{id}: the submit never says success."],
        ),
        (
            {"/a/fetch/{id}": {"post": reply("processing", "success")}},
            "fetch-without-submit",
            ["No submit leads to POST /a/fetch/{id}."],
        ),
        ({"/jobs": {"post": reply("success", "error")}}, "no-fetch", []),
    ],
)
def test_lifecycles_without_an_end_or_a_beginning_are_told(
    paths: Tree, rule: str, told: list[str]
) -> None:
    """As far as it is certain: where a fetch may go by another path, that is all that is said."""
    findings = found({**sound_document(), "paths": paths})

    rules = ("no-fetch", "fetch-without-submit", "fetch-not-recognized")
    lives = [finding for finding in findings if finding.rule in rules]
    assert sorted(finding.message for finding in lives) == told
    assert {finding.rule for finding in lives} <= {rule}


def test_each_place_has_its_line_in_the_text() -> None:
    """A defect in the document stands at file, line and column; one in a sample's file does not."""
    text = b"""openapi: 3.1.0
info: {title: t, version: '1'}
servers: [{url: /v1}]
paths:
  /a:
    post:
      requestBody:
        content:
          application/json:
            schema: {type: object, properties: {n: {type: integer}}}
      responses: {'200': {content: {application/json: {schema: {type: object, required: [x]}}}}}
"""
    document = read_document(text, "a.yaml")

    audit = audit_document(document, [Sample("/s.json#", {"n": "x"})])

    assert [(one.rule, one.places, one.positions) for one in audit.findings] == [
        ("sample-violation", ("/s.json#/n",), ("/s.json#/n",)),
        ("no-server", ("/servers/0/url",), ("a.yaml:3:12",)),
    ]
    assert "      at a.yaml:3:12 /servers/0/url\n" in str(audit)
    assert "      at /s.json#/n\n" in str(audit)


def test_a_pattern_that_python_cannot_read_is_no_obstacle() -> None:
    """A required field that a pattern of ECMA 262 names counts as declared."""
    tree = sound_document()
    request = value_at(tree, REQUEST)
    request["patternProperties"] = {"^\\p{L}_id$": {"type": "integer"}}
    request["required"] = ["key", "é_id"]

    assert found(tree) == []


@pytest.mark.parametrize(
    "responses, told",
    [
        ({"204": {"description": ""}}, []),
        (
            {"200": {"description": "", "content": {"image/png": {}}}},
            [("unchecked-part", "A reply in image/png is not checked.")],
        ),
        (
            {"200": {"description": ""}},
            [
                (
                    "no-reply-schema",
                    "No 2xx reply has a JSON schema, so it is answered with an empty object.",
                )
            ],
        ),
    ],
)
def test_a_reply_without_content_needs_no_schema(
    responses: Tree, told: list[tuple[str, str]]
) -> None:
    """204 has none, nor has HEAD; of a picture it is said that nothing is checked."""
    tree = sound_document()
    head = {"responses": {"200": {"description": ""}}}
    tree["paths"]["/plain"] = {"delete": {"responses": responses}, "head": head}

    assert [(one.rule, one.message) for one in found(tree)] == told


def test_documents_without_operations_are_audited() -> None:
    """Webhooks and components are looked at; neither needs a server, or somebody to use it."""
    bad = {"type": "integer", "minimum": 2, "maximum": 1}
    head = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}}
    content = {"content": {"application/json": {"schema": bad}}}
    hooks = {"webhooks": {"done": {"post": {"operationId": "a", "requestBody": content}}}}
    parts = {"components": {"schemas": {"Bad": bad, "Good": {"type": "string"}}}}

    assert [one.rule for one in found({**head, **hooks})] == ["impossible-bounds"]
    assert [one.rule for one in found({**head, **parts})] == ["impossible-bounds"]


def test_an_undeclared_field_is_the_field_of_its_finding() -> None:
    """So that another one at the same place is new to a baseline."""
    tree = sound_document()
    value_at(tree, REQUEST)["required"] += ["seed"]
    baseline = audit_document(read_document(json.dumps(tree).encode())).as_baseline()
    value_at(tree, REQUEST)["required"] += ["track"]

    audit = audit_document(read_document(json.dumps(tree).encode())).against(baseline)

    assert [(one.rule, one.field) for one in audit.findings] == [("required-undeclared", "track")]
    assert [one.field for one in audit.waived] == ["seed"]


def test_an_example_that_leads_nowhere_is_no_obstacle() -> None:
    """A reference among examples that names nothing is left aside."""
    tree = sound_document()
    nothing = {"$ref": "#/components/examples/Nothing"}
    value_at(tree, JOB)["callbacks"] = {
        "done": {"x": {"post": {"parameters": [{"schema": {}, "examples": {"a": nothing}}]}}}
    }

    assert [one for one in found(tree) if one.rule == "invalid-example"] == []


def test_a_sample_may_be_an_error_of_a_declared_code() -> None:
    """It is judged by the schema of that code, not as the reply that means success."""
    tree = sound_document()
    schema = {
        "type": "object",
        "required": ["detail"],
        "properties": {"detail": {"type": "array", "items": {"type": "string"}}},
    }
    tree["paths"]["/jobs"]["post"]["responses"]["422"] = {
        "description": "",
        "content": {"application/json": {"schema": schema}},
    }

    findings = found(tree, {"detail": ["no"]}, {"detail": 5})

    assert [(one.rule, one.message) for one in findings] == [
        ("sample-violation", "detail must be an array, not 5.")
    ]


def test_each_kind_of_notice_is_a_rule() -> None:
    """But for defaults and impossible values, at which the audit looks itself."""
    assert set(get_args(NoticeKind)) - RULES.keys() == {"default", "no-value"}
