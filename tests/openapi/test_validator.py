"""One compiled schema: every broken rule on both sides of its bound; two validators agree."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fauxlab_contract.core.violation import Violation
from fauxlab_contract.openapi.document import load_document
from fauxlab_contract.openapi.references import SchemaError, Tree
from fauxlab_contract.openapi.schema import Schema
from fauxlab_contract.openapi.validator import SchemaValidator

DOCUMENT = load_document()
SUBMIT, FETCH = DOCUMENT.operations
MISSING = ("nothing", "Add the field.")
QUOTED = "Send the number 1024, without quotes."


def checker(schema: Any) -> SchemaValidator:
    return Schema(Tree({}), schema, "/place").validator


@pytest.mark.parametrize(
    "schema, good, bad, violation",
    [
        ({"maximum": 1024}, 1024, 1025, Violation("", "maximum", 1024, "1025")),
        ({"maximum": 26}, 26, 27, Violation("", "maximum", 26, "27")),
        ({"minimum": 1}, 1, 0.99, Violation("", "minimum", 1, "0.99")),
        ({"maximum": 10}, 10.0, 10.01, Violation("", "maximum", 10, "10.01")),
        (
            {"minimum": 1},
            1.0,
            math.nextafter(1, 0),
            Violation("", "minimum", 1, "0.9999999999999999"),
        ),
        (
            {"maximum": 10},
            10,
            math.nextafter(10, 11),
            Violation("", "maximum", 10, "10.000000000000002"),
        ),
        ({"exclusiveMinimum": 1}, 1.01, 1, Violation("", "exclusiveMinimum", 1, "1")),
        ({"exclusiveMaximum": 1}, 0.99, 1, Violation("", "exclusiveMaximum", 1, "1")),
        ({"multipleOf": 8}, 16, 12, Violation("", "multipleOf", 8, "12")),
        ({"minLength": 2}, "ab", "a", Violation("", "minLength", 2, 'the text "a"')),
        ({"maxLength": 1}, "😀", "ab", Violation("", "maxLength", 1, 'the text "ab"')),
        ({"minItems": 1}, [0], [], Violation("", "minItems", 1, "an empty array")),
        ({"maxItems": 1}, [0], [0, 1], Violation("", "maxItems", 1, "an array with 2 items")),
        (
            {"uniqueItems": True},
            [1, 2],
            [1, 1],
            Violation("", "uniqueItems", True, "an array with 2 items"),
        ),
        ({"pattern": "^a"}, "ab", "b", Violation("", "pattern", "^a", 'the text "b"')),
        ({"pattern": "^\\p{L}+$"}, "é", "1", Violation("", "pattern", "^\\p{L}+$", 'the text "1"')),
        ({"enum": ["a", None]}, None, "b", Violation("", "enum", ("a", None), 'the text "b"')),
        ({"enum": [[1], {}]}, [1], 1, Violation("", "enum", ((1,), "an empty object"), "1")),
        (
            {"const": {"a": 1}},
            {"a": 1},
            {},
            Violation("", "const", "an object with 1 field", "an empty object"),
        ),
        (
            {"format": "uri"},
            "https://a.example",
            "https://a.example\n",
            Violation("", "format", "uri", 'the text "https://a.example\\n"'),
        ),
        ({"format": "uuid"}, 5, "x", Violation("", "format", "uuid", 'the text "x"')),
        (
            {"type": "string"},
            "",
            5,
            Violation("", "type", "string", "5", 'Send the text "5", in quotes.'),
        ),
        ({"type": ["array", "null"]}, None, 5, Violation("", "type", ("array", "null"), "5")),
        ({"required": ["a"]}, {"a": None}, {}, Violation("/a", "required", True, *MISSING)),
        (
            {"items": {"required": ["a/b"]}},
            [{"a/b": 1}],
            [{}],
            Violation("/0/a~1b", "required", True, *MISSING),
        ),
        (
            {"additionalProperties": False},
            {},
            {"b": 1},
            Violation("/b", "additionalProperties", False, "1", "Leave the field out."),
        ),
        (
            {"oneOf": [{"minimum": 1}, {"maximum": 2}]},
            3,
            1.5,
            Violation("", "oneOf", "exactly one of 2 shapes", "1.5"),
        ),
        (
            {"anyOf": [{"minimum": 2}, {"maximum": 1}]},
            3,
            1.5,
            Violation("", "anyOf", "at least one of 2 shapes", "1.5"),
        ),
        (
            {"oneOf": [{"minimum": 2}]},
            3,
            1.5,
            Violation("", "minimum", 2, "1.5"),
        ),
        ({"allOf": [{"minimum": 2}]}, 3, 1.5, Violation("", "minimum", 2, "1.5")),
        (
            {"not": {"type": "null"}},
            3,
            None,
            Violation("", "not", "an object with 1 field", "null"),
        ),
    ],
)
def test_each_keyword_has_its_violation(
    schema: Any, good: Any, bad: Any, violation: Violation
) -> None:
    """A value on the right side of a rule is valid; one on the wrong side breaks just that rule."""
    check = checker(schema)

    assert (check.violations(good), check.violations(bad)) == ((), (violation,))


@pytest.mark.parametrize(
    "value, violation",
    [
        (1024, None),
        (1024.0, None),
        (True, Violation("", "type", "integer", "true", "true and false are not numbers.")),
        ("1024", Violation("", "type", "integer", 'the text "1024"', QUOTED)),
        (" 1024 ", Violation("", "type", "integer", 'the text " 1024 "', QUOTED)),
        ("wide", Violation("", "type", "integer", 'the text "wide"')),
        (1024.5, Violation("", "type", "integer", "1024.5", "Send a whole number.")),
        (
            None,
            Violation(
                "",
                "type",
                "integer",
                "null",
                "Send a value, or leave the field out if it is not required.",
            ),
        ),
        ([], Violation("", "type", "integer", "an empty array")),
        ({}, Violation("", "type", "integer", "an empty object")),
    ],
)
def test_an_integer_is_a_whole_number(value: Any, violation: Violation | None) -> None:
    """1024.0 is an integer; booleans, text, fractions and null are not, and a hint says more."""
    assert checker({"type": "integer"}).violations(value) == ((violation,) if violation else ())


def test_all_broken_rules_are_found_at_once_and_sorted() -> None:
    """The order is that of places, then keywords."""
    schema = {
        "properties": {
            "b": {"type": "integer"},
            "a": {"type": "string", "minLength": 2, "pattern": "^x"},
        },
        "required": ["d", "c"],
    }

    assert checker(schema).violations({"b": "x", "a": "y"}) == (
        Violation("/a", "minLength", 2, 'the text "y"'),
        Violation("/a", "pattern", "^x", 'the text "y"'),
        Violation("/b", "type", "integer", 'the text "x"'),
        Violation("/c", "required", True, *MISSING),
        Violation("/d", "required", True, *MISSING),
    )


def test_a_pattern_of_another_dialect_hides_no_other_rule() -> None:
    """When Python cannot read a pattern, the fast validator says what is broken, and where."""
    schema = {
        "type": "object",
        "required": ["a", "b"],
        "properties": {"a": {"pattern": "\\p{L}"}, "c": {"type": "integer"}, "d": {"maximum": 3}},
    }

    assert checker(schema).violations({"a": "1", "c": "1", "d": 4}) == (
        Violation("/a", "pattern", "\\p{L}", 'the text "1"'),
        Violation("/b", "required", True, *MISSING),
        Violation("/c", "type", "integer", 'the text "1"', "Send the number 1, without quotes."),
        Violation("/d", "maximum", 3, "4"),
    )


@pytest.mark.parametrize("keyword", ["additionalProperties", "unevaluatedProperties"])
def test_members_are_told_apart_by_patterns_of_ecma_262(keyword: str) -> None:
    r"""`\p{L}`, which Python's `re` cannot read, declares members like any other pattern."""
    check = checker({"patternProperties": {"^\\p{L}+$": {"type": "integer"}}, keyword: False})

    assert check.violations({"é": "x", "x_id": 1, "b": 1}) == (
        Violation("/x_id", keyword, False, "1", "Leave the field out."),
        Violation("/é", "type", "integer", 'the text "x"'),
    )


def test_members_beside_a_pattern_are_judged_by_the_schema_of_the_rest() -> None:
    """A schema for all other members is asked about those that no pattern names."""
    check = checker(
        {"patternProperties": {"^\\p{L}$": True}, "additionalProperties": {"type": "string"}}
    )

    assert check.violations({"é": 1, "x_id": 1}) == (
        Violation("/x_id", "type", "string", "1", 'Send the text "1", in quotes.'),
    )


def test_each_field_that_nothing_evaluates_is_named() -> None:
    """`unevaluatedProperties: false` names the fields, as `additionalProperties: false` does."""
    check = checker({"allOf": [{"properties": {"a": True}}], "unevaluatedProperties": False})

    assert check.violations({"a": 1, "b": 1, "c": 2}) == (
        Violation("/b", "unevaluatedProperties", False, "1", "Leave the field out."),
        Violation("/c", "unevaluatedProperties", False, "2", "Leave the field out."),
    )


def test_fields_allowed_by_a_pattern_are_not_called_unknown() -> None:
    """Members that properties or patternProperties name do not break additionalProperties."""
    check = checker(
        {"properties": {"a": {}}, "patternProperties": {"^x-": {}}, "additionalProperties": False}
    )

    assert check.violations({"a": 1, "x-b": 1, "c": 1, "d": 1}) == (
        Violation("/c", "additionalProperties", False, "1", "Leave the field out."),
        Violation("/d", "additionalProperties", False, "1", "Leave the field out."),
    )


def test_members_can_be_required_beside_the_schema() -> None:
    """`requiring` adds to what the schema itself demands."""
    schema = Schema(Tree({}), {"type": "object", "required": ["a"]}, "")
    check = schema.requiring(["b"]).validator

    assert check.violations({}) == (
        Violation("/a", "required", True, *MISSING),
        Violation("/b", "required", True, *MISSING),
    )


KINDS = [
    {"type": "object", "required": ["kind", "n"],
     "properties": {"kind": {"const": kind}, "n": {"type": "integer", "maximum": most}}}
    for kind, most in (("a", 5), ("b", 9))
]  # fmt: skip


@pytest.mark.parametrize(
    "branches, value, sentence",
    [
        ([{"type": "integer", "maximum": 5}, {"type": "null"}], 6, "x must be at most 5, not 6."),
        (
            [{"type": "integer"}, {"type": "null"}],
            "6",
            'x must be an integer or null, not the text "6".',
        ),
        ([{"enum": ["a"]}, {"type": "null"}], "b", 'x must be one of "a", not the text "b".'),
        (
            [{"type": "integer"}, {"type": "string", "enum": [""]}],
            "5",
            'x must fit at least one of 2 shapes; it is the text "5".',
        ),
        (KINDS, {"kind": "b", "n": 10}, "x.n must be at most 9, not 10."),
        (KINDS, {"kind": "a"}, "The x.n field is required."),
        (
            KINDS,
            {"kind": "c", "n": 1},
            "x must fit at least one of 2 shapes; it is an object with 2 fields.",
        ),
        (
            [
                {"type": "array", "items": {"anyOf": [{"type": "integer"}, {"type": "null"}]}},
                KINDS[0],
            ],
            [1.5],
            "x[0] must be an integer or null, not 1.5.",
        ),
    ],
)
@pytest.mark.parametrize("keyword", ["anyOf", "oneOf"])
def test_the_reason_is_that_of_the_branch_that_matters(
    keyword: str, branches: Any, value: Any, sentence: str
) -> None:
    """It is told what to change; shapes are named only where several may be meant."""
    check = checker({"properties": {"x": {keyword: branches}}})

    told = [
        str(one).replace("exactly one", "at least one") for one in check.violations({"x": value})
    ]

    assert told == [sentence]


def test_a_schema_may_be_true_or_false() -> None:
    """True takes every value, false none."""
    assert (checker(True).violations(5), checker(False).violations(5)) == (
        (),
        (Violation("", "false", None, "5"),),
    )


def test_references_lead_into_the_document_and_nowhere_else() -> None:
    """`#/components/…` is found; the document's other members do not act as keywords."""
    tree = {
        "$schema": "https://example.com/none",
        "type": "array",
        "components": {"schemas": {"A": {"maximum": 1}}},
    }
    check = Schema(Tree(tree), {"$ref": "#/components/schemas/A"}, "").validator

    assert (check.violations(1), check.violations(2)) == ((), (Violation("", "maximum", 1, "2"),))


@pytest.mark.parametrize(
    "schema, message",
    [
        ({"maximum": "26"}, 'this is not a valid schema: "26" is not of type "number"'),
        ({"pattern": "("}, 'this is not a valid schema: "(" is not a "regex"'),
        ({"items": {"$ref": "#/components/schemas/A"}}, "this is not a valid schema: "),
        ({"items": {"$ref": "https://example.com/a.json"}}, "this is not a valid schema: "),
        ({"$ref": "#/components/schemas/A"}, "$ref '#/components/schemas/A' names nothing"),
    ],
)
def test_what_is_no_schema_is_refused_with_its_place(schema: Any, message: str) -> None:
    """A schema that cannot be compiled raises SchemaError; nothing is fetched."""
    with pytest.raises(SchemaError) as caught:
        checker(schema).violations(1)

    assert (caught.value.pointer, str(caught.value)[: len(message)]) == ("/place", message)


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="utf-8")),
    st.sampled_from(
        [
            "",
            "success",
            "processing",
            "failed",
            "error",
            "https://example.com/a",
            "/a",
            "https://example.com/a\n",
            "1024",
        ]
    ),
    st.sampled_from(
        [
            0.99,
            1,
            1.0,
            10,
            10.01,
            26,
            27,
            1024,
            1025,
            1024.0,
            1e20,
            2**63 - 1,
            math.nextafter(10, 11),
        ]
    ),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner)
    ),
)


def bodies(check: Any, good: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Arbitrary values, and good bodies with some declared fields replaced or left out."""
    fields = st.dictionaries(st.sampled_from(sorted(check.properties)), VALUES, max_size=4)
    near = st.tuples(fields, st.sets(st.sampled_from(sorted(check.properties)), max_size=3))
    return VALUES | near.map(
        lambda pair: {
            name: value for name, value in {**good, **pair[0]}.items() if name not in pair[1]
        }
    )


VALID = {
    "key": "k",
    "prompt": "p",
    "face_image": "f",
    "seed": 7,
    "width": 1024,
    "guidance_scale": 1,
    "webhook": "http://a.example/",
}
SUCCESS = {
    "status": "success",
    "id": 1,
    "output": ["https://example.com/a"],
    "meta": {},
    "generationTime": 1.5,
}


def disagreement(check: SchemaValidator, value: Any) -> bool:
    return check.is_valid(value) is not (next(check._explain.iter_errors(value), None) is None)


@given(bodies(SUBMIT.request, VALID))
@example(VALID)
@example({**VALID, "webhook": "http://a.example/\n"})
@example({**VALID, "seed": 1e300})
def test_the_two_validators_agree_on_requests(body: Any) -> None:
    """jsonschema-rs and jsonschema give the same answer on every request body."""
    assert SUBMIT.request is not None

    assert not disagreement(SUBMIT.request.check, body)


@given(
    st.sampled_from([*SUBMIT.variants.values(), *FETCH.variants.values()]).flatmap(
        lambda v: st.tuples(st.just(v), bodies(v, SUCCESS))
    )
)
def test_the_two_validators_agree_on_replies(case: Any) -> None:
    """They agree on every reply, judged by each variant and by the whole schema."""
    variant, body = case

    assert [
        disagreement(check, body) for check in (variant.check, SUBMIT.reply, FETCH.reply) if check
    ] == [False] * 3


@given(bodies(SUBMIT.request, VALID))
def test_a_body_is_invalid_if_and_only_if_something_is_reported(body: Any) -> None:
    """There are violations exactly when the body is invalid, and each makes a sentence."""
    assert SUBMIT.request is not None

    found = SUBMIT.request.check.violations(body)

    assert (found == (), all(str(violation) for violation in found)) == (
        SUBMIT.request.check.is_valid(body),
        True,
    )
