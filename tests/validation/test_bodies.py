"""Requests and replies judged by the contract: all violations, sorted, and never the key."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents import altered
from fauxlab_contract.core.violation import Violation, summary
from fauxlab_contract.core.yaml12 import parse
from fauxlab_contract.openapi.document import bundled_path, load_document
from fauxlab_contract.validation.bodies import (
    coerce_request,
    request_violations,
    response_violations,
)

SUBMIT, FETCH = load_document().operations
KEY = "sk-Secret-1234"
VALID = {
    "key": KEY,
    "prompt": "a portrait",
    "face_image": "https://example.com/face.png",
    "seed": 7,
}
LINK = "https://example.com/a.png"
WHOLE = "Send a whole number."
NUMBERS = "true and false are not numbers."
NULL = "Send a value, or leave the field out if it is not required."


def broken(**changes: Any) -> tuple[Violation, ...]:
    return request_violations(SUBMIT, {**VALID, **changes})


@pytest.mark.parametrize(
    "field, value",
    [
        ("width", 1024),
        ("height", 1024),
        ("width", 1024.0),
        ("width", 0),
        ("height", -5),
        ("num_inference_steps", 26),
        ("guidance_scale", 1),
        ("guidance_scale", 10),
        ("guidance_scale", 1.0),
        ("guidance_scale", 7.5),
        ("seed", -(2**63)),
        ("prompt", ""),
        ("webhook", "http://127.0.0.1:8000/hook"),
        ("webhook", "http://localhost/hook"),
        ("webhook", "https://hooks.example.com/a?b=c"),
        ("track_id", 2**63 - 1),
        ("negative_prompt", ["anything", {}]),
    ],
)
def test_values_at_the_limit_are_valid(field: str, value: Any) -> None:
    """The document's bounds belong to what is allowed; undeclared fields are."""
    assert broken(**{field: value}) == ()


@pytest.mark.parametrize(
    "field, value, keyword, expected, found, hint",
    [
        ("width", 1025, "maximum", 1024, "1025", ""),
        ("height", 1025, "maximum", 1024, "1025", ""),
        ("width", 1032, "maximum", 1024, "1032", ""),
        ("num_inference_steps", 27, "maximum", 26, "27", ""),
        ("guidance_scale", 0.99, "minimum", 1, "0.99", ""),
        ("guidance_scale", 10.01, "maximum", 10, "10.01", ""),
        ("guidance_scale", math.nextafter(1, 0), "minimum", 1, "0.9999999999999999", ""),
        ("guidance_scale", math.nextafter(10, 11), "maximum", 10, "10.000000000000002", ""),
        ("guidance_scale", True, "type", "number", "true", NUMBERS),
        ("width", True, "type", "integer", "true", NUMBERS),
        ("seed", False, "type", "integer", "false", NUMBERS),
        (
            "width",
            "1024",
            "type",
            "integer",
            'the text "1024"',
            "Send the number 1024, without quotes.",
        ),
        ("width", 512.5, "type", "integer", "512.5", WHOLE),
        ("seed", None, "type", "integer", "null", NULL),
        (
            "track_id",
            "42",
            "type",
            "integer",
            'the text "42"',
            "Send the number 42, without quotes.",
        ),
        ("prompt", 5, "type", "string", "5", 'Send the text "5", in quotes.'),
        ("prompt", None, "type", "string", "null", NULL),
        ("face_image", [LINK], "type", "string", "an array with 1 item", ""),
        ("webhook", None, "type", "string", "null", NULL),
    ],
)
def test_values_past_the_limit_break_one_rule(
    field: str, value: Any, keyword: str, expected: Any, found: str, hint: str
) -> None:
    """One step beyond a bound, or a value of another type, is exactly one violation."""
    assert broken(**{field: value}) == (Violation(f"/{field}", keyword, expected, found, hint),)


def test_a_fraction_past_the_limit_breaks_two_rules() -> None:
    """1024.5 is neither a whole number nor at most 1024."""
    assert broken(width=1024.5) == (
        Violation("/width", "maximum", 1024, "1024.5"),
        Violation("/width", "type", "integer", "1024.5", WHOLE),
    )


@pytest.mark.parametrize("field", ["key", "prompt", "face_image", "seed"])
def test_each_required_field_is_missed(field: str) -> None:
    """A body without one of the four required fields breaks that rule alone."""
    body = {name: value for name, value in VALID.items() if name != field}

    assert request_violations(SUBMIT, body) == (
        Violation(f"/{field}", "required", True, "nothing", "Add the field."),
    )


@pytest.mark.parametrize(
    "body, found", [([], "an empty array"), ("{}", 'the text "{}"'), (None, "null"), (7, "7")]
)
def test_a_body_that_is_no_object_is_one_violation(body: Any, found: str) -> None:
    """An array, text, number or null in place of the body is named as such."""
    (violation,) = request_violations(SUBMIT, body)

    assert (violation.pointer, violation.keyword, violation.expected, violation.found) == (
        "",
        "type",
        "object",
        found,
    )


WEBHOOK = ("/webhook", "webhook", "an http or https URL with a host that is not link-local")
ADVICE = "Use an address such as http://127.0.0.1:8000/hook."


@pytest.mark.parametrize(
    "url, is_uri",
    [
        ("", False),
        ("/hook", False),
        ("example.com/hook", False),
        ("http://127.0.0.1/hook\n", False),
        ("ftp://example.com/hook", True),
        ("http://", True),
        ("http://169.254.169.254/latest", True),
        ("http://2852039166/", True),
        ("http://0xa9fea9fe/", True),
        ("http://[::ffff:169.254.169.254]/", True),
        ("http://metadata.google.internal/", True),
    ],
)
def test_a_webhook_must_be_an_address_that_may_be_dialled(url: str, is_uri: bool) -> None:
    """A webhook needs http(s) and a host that is not link-local and no metadata service."""
    found = f"the text {url!r}".replace("'", '"')

    assert broken(webhook=url) == (
        (
            Violation(*WEBHOOK, found, ADVICE)
            if is_uri
            else Violation("/webhook", "format", "uri", found)
        ),
    )


def test_all_violations_come_at_once_and_sorted() -> None:
    """A body that breaks many rules gets all violations, ordered by place."""
    body = {
        "key": KEY,
        "seed": None,
        "width": 1025,
        "webhook": "ftp://x/",
        "track_id": "x",
        "guidance_scale": 0.5,
        "prompt": 1,
        "height": True,
    }

    assert request_violations(SUBMIT, body) == (
        Violation("/face_image", "required", True, "nothing", "Add the field."),
        Violation("/guidance_scale", "minimum", 1, "0.5"),
        Violation("/height", "type", "integer", "true", NUMBERS),
        Violation("/prompt", "type", "string", "1", 'Send the text "1", in quotes.'),
        Violation("/seed", "type", "integer", "null", NULL),
        Violation("/track_id", "type", "integer", 'the text "x"'),
        Violation(*WEBHOOK, 'the text "ftp://x/"', ADVICE),
        Violation("/width", "maximum", 1024, "1025"),
    )


def test_an_operation_without_a_body_takes_anything() -> None:
    """Where the document declares no JSON body, nothing is broken."""
    assert request_violations(replace(SUBMIT, request=None), {"width": "x"}) == ()


@pytest.mark.parametrize(
    "key, found",
    [
        (12345678, "a number"),
        ([KEY], "an array with 1 item"),
        ({"value": KEY}, "an object with 1 field"),
        (None, "null"),
        (True, "true"),
    ],
)
def test_a_key_of_the_wrong_kind_is_not_shown(key: Any, found: str) -> None:
    """The key's own violation says of what kind it was, and not what."""
    assert broken(key=key) == (Violation("/key", "type", "string", found),)


@pytest.mark.parametrize(
    "width",
    [KEY, f"x{KEY}y", "x" * 60 + KEY],
    ids=["the key", "around the key", "a part of the key before the cut"],
)
def test_a_key_in_another_field_is_not_shown(width: str) -> None:
    """A value that holds the key, even one that is cut in the middle of it, is not described."""
    assert broken(width=width) == (
        Violation("/width", "type", "integer", "a value with the key in it"),
    )


@given(
    key=st.text(st.characters(codec="utf-8"), min_size=4).filter(
        lambda text: text not in "".join(map(str, broken(width="", webhook="")))
    ),
    field=st.sampled_from(["width", "seed", "webhook", "guidance_scale", "track_id"]),
    before=st.text(max_size=80),
)
def test_no_violation_ever_contains_the_key(key: str, field: str, before: str) -> None:
    """No violation shows the key, whatever it is and wherever it was put, escaped or not."""
    found = request_violations(SUBMIT, {**VALID, "key": key, field: before + key})
    said = [violation.found + violation.hint for violation in found]

    assert all(key not in text and repr(key)[1:-1] not in text for text in said)


def test_short_keys_do_not_blank_everything() -> None:
    """A key of three characters or less is too common a text to be looked for."""
    assert broken(key="1", width="1025") == (
        Violation(
            "/width", "type", "integer", 'the text "1025"', "Send the number 1025, without quotes."
        ),
    )


@pytest.mark.parametrize(
    "body, expected",
    [
        pytest.param({"width": "1024"}, {"width": 1024, "seed": 9}, id="numeric text"),
        pytest.param(
            {"guidance_scale": "7.5", "seed": 1},
            {"guidance_scale": 7.5, "seed": 1},
            id="decimal text",
        ),
        pytest.param(
            {"width": " -5 ", "seed": "+3"}, {"width": -5, "seed": 3}, id="signs and spaces"
        ),
        pytest.param(
            {"seed": None, "webhook": None, "track_id": None}, {"seed": 9}, id="null is absent"
        ),
        pytest.param({"seed": 0}, {"seed": 0}, id="zero is a seed"),
        pytest.param(
            {"width": "x", "height": "1e3", "seed": ""},
            {"width": "x", "height": "1e3", "seed": ""},
            id="other text stays",
        ),
        pytest.param(
            {"width": "１２", "seed": 1},
            {"width": "１２", "seed": 1},
            id="digits of other scripts stay",
        ),
        pytest.param(
            {"prompt": "42", "seed": 1}, {"prompt": "42", "seed": 1}, id="text where text is wanted"
        ),
        pytest.param({"seed": str(2**63 - 1)}, {"seed": 2**63 - 1}, id="largest integer"),
        pytest.param({"seed": str(2**63)}, {"seed": str(2**63)}, id="too large an integer stays"),
        pytest.param({"seed": str(-(2**63))}, {"seed": -(2**63)}, id="smallest integer"),
        pytest.param(
            {"seed": str(-(2**63) - 1)},
            {"seed": str(-(2**63) - 1)},
            id="too small an integer stays",
        ),
        pytest.param(
            {"negative_prompt": None, "x": "1", "seed": 1},
            {"negative_prompt": None, "x": "1", "seed": 1},
            id="undeclared fields",
        ),
        pytest.param({"width": True, "seed": 1}, {"width": True, "seed": 1}, id="booleans stay"),
    ],
)
def test_coercion_does_what_the_live_api_does(
    body: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Numeric text becomes a number, null is absent, an absent seed is drawn; no more changes."""
    before = dict(body)

    assert (coerce_request(SUBMIT, body, 9), body) == (expected, before)


def test_coercion_of_an_operation_without_a_seed_adds_none() -> None:
    """The seed is filled in only where the document declares one."""
    assert coerce_request(FETCH, {"key": KEY}, 9) == {"key": KEY}


SUCCESS = {"status": "success", "id": 1, "output": [LINK]}
PROCESSING = {"status": "processing", "id": 1, "eta": 5}
WORDS = ("success", "processing", "error")


@pytest.mark.parametrize(
    "body, violations",
    [
        pytest.param(SUCCESS, (), id="success"),
        pytest.param(PROCESSING | {"output": [], "extra": 1}, (), id="processing"),
        pytest.param({"status": "error", "message": "no"}, (), id="error"),
        pytest.param({}, (Violation("/status", "status", WORDS, "nothing"),), id="no status"),
        pytest.param(
            {"output": 5}, (Violation("/status", "status", WORDS, "nothing"),), id="the oneOf hole"
        ),
        pytest.param([], (Violation("/status", "status", WORDS, "nothing"),), id="array"),
        pytest.param(
            {"status": "done"},
            (Violation("/status", "status", WORDS, 'the text "done"'),),
            id="unknown status",
        ),
        pytest.param(
            {"status": None}, (Violation("/status", "status", WORDS, "null"),), id="null status"
        ),
        pytest.param(
            {"status": ["success"]},
            (Violation("/status", "status", WORDS, "an array with 1 item"),),
            id="status is a list",
        ),
        pytest.param(
            {"status": "failed", "message": "x"},
            (Violation("/status", "status", WORDS, 'the text "failed"'),),
            id="failed on submit",
        ),
        pytest.param(
            {"status": "success"},
            (
                Violation("/id", "required", True, "nothing", "Add the field."),
                Violation("/output", "required", True, "nothing", "Add the field."),
            ),
            id="promised members missing",
        ),
        pytest.param(
            {"status": "error", "messege": "x"},
            (Violation("/message", "required", True, "nothing", "Add the field."),),
            id="misspelt message",
        ),
        pytest.param(
            SUCCESS | {"id": "1"},
            (
                Violation(
                    "/id", "type", "integer", 'the text "1"', "Send the number 1, without quotes."
                ),
            ),
            id="id as text",
        ),
        pytest.param(
            SUCCESS | {"id": True},
            (Violation("/id", "type", "integer", "true", NUMBERS),),
            id="id true",
        ),
        pytest.param(
            PROCESSING | {"eta": "3"},
            (
                Violation(
                    "/eta", "type", "integer", 'the text "3"', "Send the number 3, without quotes."
                ),
            ),
            id="eta as text",
        ),
        pytest.param(
            PROCESSING | {"eta": 12.5},
            (Violation("/eta", "type", "integer", "12.5", WHOLE),),
            id="eta as a fraction",
        ),
        pytest.param(
            PROCESSING | {"fetch_result": "/fetch/1"},
            (Violation("/fetch_result", "format", "uri", 'the text "/fetch/1"'),),
            id="fetch_result relative",
        ),
        pytest.param(
            SUCCESS | {"output": [LINK, ""]},
            (Violation("/output/1", "format", "uri", 'the text ""'),),
            id="empty link",
        ),
        pytest.param(
            SUCCESS | {"eta": "x"},
            (Violation("/eta", "sibling", "integer", 'the text "x"'),),
            id="eta of another branch",
        ),
        pytest.param(SUCCESS | {"eta": 3, "tip": "x"}, (), id="good members of another branch"),
        pytest.param(
            SUCCESS | {"message": {}, "id": None},
            (
                Violation("/id", "type", "integer", "null", NULL),
                Violation("/message", "sibling", "string", "an empty object"),
            ),
            id="all at once, sorted",
        ),
        pytest.param(
            PROCESSING | {"zeta": 1, "generationTime": "x", "tip": 1},
            (
                Violation("/generationTime", "sibling", "number", 'the text "x"'),
                Violation("/tip", "type", "string", "1", 'Send the text "1", in quotes.'),
            ),
            id="siblings among the others",
        ),
    ],
)
def test_a_reply_is_judged_by_the_branch_its_status_names(
    body: Any, violations: tuple[Violation, ...]
) -> None:
    """A reply needs a known status, what its branch requires, and no wrong type elsewhere."""
    assert response_violations(SUBMIT, body) == violations


@pytest.mark.parametrize(
    "body, violations",
    [
        pytest.param(
            {"status": "processing", "message": "try again later.", "output": "", "tip": "x"},
            (),
            id="processing",
        ),
        pytest.param(
            {
                "status": "failed",
                "id": "",
                "message": "Request not found",
                "output": "",
                "tip": "x",
            },
            (),
            id="unknown id",
        ),
        pytest.param(
            {"status": "failed", "id": 5, "message": "no", "output": []}, (), id="failed job"
        ),
        pytest.param(
            {"status": "failed", "id": "5", "message": "no"},
            (Violation("/id", "oneOf", "exactly one of 2 shapes", 'the text "5"'),),
            id="failed with an id in text",
        ),
        pytest.param(
            {"status": "processing", "id": {}},
            (Violation("/id", "sibling", "integer or string", "an empty object"),),
            id="sibling of two kinds",
        ),
    ],
)
def test_fetch_replies_have_shapes_of_their_own(
    body: Any, violations: tuple[Violation, ...]
) -> None:
    """A fetch may answer failed, and its processing has an output of empty text."""
    assert response_violations(FETCH, body) == violations


def test_a_member_of_another_branch_is_judged_through_its_reference() -> None:
    """Where the other branch refers to a schema, that schema decides."""

    def move(tree: Any) -> None:
        schemas = tree["components"]["schemas"]
        members = schemas["FetchProcessingResponse"]["properties"]
        schemas["Size"] = {"type": "integer"}
        members["queue"] = {"$ref": "#/components/schemas/Size"}

    operation = altered(move).operations[1]
    came: list[dict[str, Any]] = [
        {"status": "success", "id": 7, "output": [], "queue": queue} for queue in (1, "x")
    ]

    assert [
        [one.pointer for one in response_violations(operation, body) if one.keyword == "sibling"]
        for body in came
    ] == [[], ["/queue"]]


def test_a_reply_without_variants_is_judged_as_a_whole() -> None:
    """An operation whose replies no status tells apart has its schema, or nothing, as the rule."""
    plain = replace(SUBMIT, variants={})

    assert (
        response_violations(plain, SUCCESS),
        response_violations(replace(plain, reply=None), 5),
    ) == ((), ())
    assert response_violations(plain, {}) == (
        Violation("", "oneOf", "exactly one of 3 shapes", "an empty object"),
    )


def examples() -> list[Any]:
    """Each example of openapi.yaml: (operation, request or reply, name, value)."""
    tree, found = parse(bundled_path().read_bytes()), []
    for operation in (SUBMIT, FETCH):
        node = tree["paths"][operation.path]["post"]
        for kind, content in (
            ("request", node["requestBody"]["content"]),
            ("reply", node["responses"]["200"]["content"]),
        ):
            for name, example in content["application/json"]["examples"].items():
                found.append(
                    pytest.param(
                        operation, kind, example["value"], id=f"{operation.kind}-{kind}-{name}"
                    )
                )
    return found


@pytest.mark.parametrize("operation, kind, value", examples())
def test_every_example_of_the_document_is_valid(operation: Any, kind: str, value: Any) -> None:
    """Requests fit their schema, replies the branch that their status names."""
    judge = request_violations if kind == "request" else response_violations

    assert summary(judge(operation, value)) == ""
