"""One broken rule as a value, and as a sentence."""

from __future__ import annotations

import doctest
import re
from typing import Any

import pytest

from fauxlab_contract.core import violation
from fauxlab_contract.core.violation import Violation, describe, in_order, kind_of, summary


@pytest.mark.parametrize(
    "violation, sentence",
    [
        (Violation("/prompt", "required", True, "nothing"), "The prompt field is required."),
        (
            Violation("/width", "type", "integer", 'the text "1"'),
            'width must be an integer, not the text "1".',
        ),
        (Violation("/a", "type", ("string", "null"), "1"), "a must be a string or null, not 1."),
        (
            Violation("", "type", "object", "an empty array"),
            "The body must be an object, not an empty array.",
        ),
        (Violation("/width", "maximum", 1024, "1025"), "width must be at most 1024, not 1025."),
        (Violation("/g", "minimum", 1, "0.99"), "g must be at least 1, not 0.99."),
        (Violation("/g", "exclusiveMaximum", 1, "1"), "g must be below 1, not 1."),
        (Violation("/g", "exclusiveMinimum", 1, "1"), "g must be above 1, not 1."),
        (Violation("/g", "multipleOf", 8, "9"), "g must be a multiple of 8, not 9."),
        (Violation("/s", "enum", ("a", 1, None), "2"), 's must be one of "a", 1, null, not 2.'),
        (Violation("/s", "const", "é", "2"), 's must be "é", not 2.'),
        (
            Violation("/u", "format", "uri", 'the text ""'),
            'u must be a valid uri, not the text "".',
        ),
        (Violation("/u", "pattern", "^a", 'the text ""'), 'u must match ^a; it is the text "".'),
        (
            Violation("/u", "minLength", 2, 'the text ""'),
            'u must have at least 2 characters; it is the text "".',
        ),
        (
            Violation("/u", "maxLength", 2, 'the text "abc"'),
            'u must have at most 2 characters; it is the text "abc".',
        ),
        (
            Violation("/l", "minItems", 2, "an empty array"),
            "l must have at least 2 items; it is an empty array.",
        ),
        (
            Violation("/l", "maxItems", 2, "an array with 3 items"),
            "l must have at most 2 items; it is an array with 3 items.",
        ),
        (
            Violation("/x", "additionalProperties", False, "1"),
            "x is not a field of this operation.",
        ),
        (
            Violation("/status", "status", ("a", "b"), "nothing"),
            'status is missing; it must be one of "a", "b".',
        ),
        (
            Violation("/eta", "sibling", "integer", 'the text "x"'),
            'eta must fit its schema in another branch (integer); it is the text "x".',
        ),
        (
            Violation("/webhook", "webhook", "a URL", 'the text ""'),
            'webhook must be a URL, not the text "".',
        ),
        (
            Violation("/l", "uniqueItems", True, "an array with 2 items"),
            "l must have no item twice; it is an array with 2 items.",
        ),
    ],
)
def test_each_rule_has_its_sentence(violation: Violation, sentence: str) -> None:
    """The text names the field, the rule, the limit and what came."""
    assert str(violation) == sentence


@pytest.mark.parametrize(
    "value, text",
    [
        (1025, "1025"),
        (1024.5, "1024.5"),
        (True, "true"),
        (None, "null"),
        ("é\n", 'the text "é\\n"'),
        ("x" * 69, f'the text "{"x" * 69}"'),
        ("x" * 70, f'the text "{"x" * 67}...'),
        ([1, 2], "an array with 2 items"),
        ({"a": 1}, "an object with 1 field"),
    ],
)
def test_what_came_is_described_in_80_characters(value: Any, text: str) -> None:
    """A description is short and says the kind of the value."""
    assert (describe(value), len(text) <= 80) == (text, True)


def test_a_violation_is_a_dictionary_for_json() -> None:
    """All five members, and none other, go into a report."""
    assert Violation("/a", "type", "integer", "null", "Send a value.").as_dict() == {
        "pointer": "/a",
        "keyword": "type",
        "expected": "integer",
        "found": "null",
        "hint": "Send a value.",
    }


@pytest.mark.parametrize(
    "count, text",
    [(0, ""), (1, "The f0 field is required."), (5, None), (7, None)],
)
def test_a_summary_holds_five_sentences(count: int, text: str | None) -> None:
    """After five sentences the summary only counts."""
    sentences = [f"The f{i} field is required." for i in range(count)]
    expected = " ".join(sentences if count <= 5 else [*sentences[:5], f"And {count - 5} more."])

    found = summary(Violation(f"/f{i}", "required", True, "nothing") for i in range(count))

    assert found == (expected if text is None else text)


def test_violations_are_sorted_and_each_stands_once() -> None:
    """The order is that of places, then keywords; equal violations are one."""
    a, b, c = (
        Violation("/a", "type", "x", "1"),
        Violation("/a", "maximum", 1, "2"),
        Violation("/b", "type", "x", "1"),
    )

    assert in_order([c, a, b, a]) == (b, a, c)


def test_the_example_in_the_docstring_works() -> None:
    """What the module shows at its top is what it does."""
    assert doctest.testmod(violation) == (0, 1)


EXPECTED: dict[str, Any] = {
    "required": True,
    "type": ("integer", "null"),
    "enum": ("a", "an empty object"),
    "const": "a",
    "format": "uri",
    "pattern": "^a",
    "oneOf": "exactly one of 2 shapes",
    "anyOf": "the only shape that is declared",
    "additionalProperties": False,
    "status": ("success", "failed"),
    "sibling": "integer",
    "webhook": "an http or https URL",
    "order": "still success",
    "same": "x",
    "empty": "nothing while processing",
    "not-empty": "a link at success",
}
VALUES = ["x", "", 5, 1.5, True, None, [], [1], [1, 2], {}, {"a": 1}, {"a": 1, "b": 2}]


@pytest.mark.parametrize("keyword", violation._SENTENCES)
@pytest.mark.parametrize("pointer", ["", "/scenes/0/prompt"])
def test_every_sentence_reads_well_with_every_value(pointer: str, keyword: str) -> None:
    """No sentence holds a bare count, a doubled negation or a wrong plural; each is one line."""
    came = [*map(describe, VALUES), "nothing"]
    for found in came:
        sentence = str(Violation(pointer, keyword, EXPECTED.get(keyword, 1), found))
        print(sentence)

        assert re.fullmatch(r"\S[^\n]*\.", sentence)
        for words in (", not nothing", "it is nothing", "1 items", "1 characters", " of 0", "()"):
            assert words not in sentence
        assert ", not not" not in sentence


@pytest.mark.parametrize(
    "keyword, expected, value, sentence",
    [
        ("minLength", 1, "", 'a must have at least 1 character; it is the text "".'),
        ("minItems", 1, [], "a must have at least 1 item; it is an empty array."),
        ("maxItems", 2, [1, 2, 3], "a must have at most 2 items; it is an array with 3 items."),
        ("minProperties", 1, {}, "a must have at least 1 field; it is an empty object."),
        (
            "uniqueItems",
            True,
            [1, 1],
            "a must have no item twice; it is an array with 2 items.",
        ),
        ("type", "integer", [], "a must be an integer, not an empty array."),
        ("type", "boolean", {"b": 1}, "a must be a boolean, not an object with 1 field."),
        (
            "enum",
            (1, "an object with 1 field"),
            5,
            "a must be one of 1, an object with 1 field, not 5.",
        ),
        (
            "oneOf",
            "exactly one of 2 shapes",
            {},
            "a must fit exactly one of 2 shapes; it is an empty object.",
        ),
        ("not", "x", None, "a must not have the shape that the document excludes; it is null."),
        ("false", False, 1, "a is not allowed here."),
        ("same", 1, 2, "a must stay the same: it was 1, then 2."),
        ("not-growing", 1, 2, "a must not grow: it was 1, then 2."),
        (
            "order",
            "still success",
            "processing",
            'a must be still success, not the text "processing".',
        ),
        (
            "not-empty",
            "a link at success",
            [],
            "a must have a link at success; it is an empty array.",
        ),
    ],
)
def test_sentences_name_what_came_in_words(
    keyword: str, expected: Any, value: Any, sentence: str
) -> None:
    """A reader learns the limit and what came instead, in English."""
    assert str(Violation("/a", keyword, expected, describe(value))) == sentence


@pytest.mark.parametrize(
    "value, text",
    [("secret", "a text"), (7, "a number"), (1.5, "a number"), (True, "true"), (None, "null")],
)
def test_a_kind_tells_no_value(value: Any, text: str) -> None:
    """What may be secret is told by its kind alone."""
    assert kind_of(value) == text
