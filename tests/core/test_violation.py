"""One broken rule as a value, and as a sentence."""

from __future__ import annotations

import doctest
from typing import Any

import pytest

from fauxlab_contract.core import violation
from fauxlab_contract.core.violation import Violation, describe, in_order, summary


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
            Violation("", "type", "object", "an array of 0"),
            "The body must be an object, not an array of 0.",
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
        (Violation("/u", "pattern", "^a", 'the text ""'), 'u must match ^a, not the text "".'),
        (
            Violation("/u", "minLength", 2, 'the text ""'),
            'u must have at least 2 characters, not the text "".',
        ),
        (
            Violation("/u", "maxLength", 2, 'the text "abc"'),
            'u must have at most 2 characters, not the text "abc".',
        ),
        (
            Violation("/l", "minItems", 2, "an array of 0"),
            "l must have at least 2 items, not an array of 0.",
        ),
        (
            Violation("/l", "maxItems", 2, "an array of 3"),
            "l must have at most 2 items, not an array of 3.",
        ),
        (
            Violation("/x", "additionalProperties", False, "1"),
            "x is not a field of this operation.",
        ),
        (
            Violation("/status", "status", ("a", "b"), "nothing"),
            'status must be one of "a", "b", not nothing.',
        ),
        (
            Violation("/eta", "sibling", "integer", 'the text "x"'),
            'eta must fit its schema in another branch (integer), not the text "x".',
        ),
        (
            Violation("/webhook", "webhook", "a URL", 'the text ""'),
            'webhook must be a URL, not the text "".',
        ),
        (
            Violation("/l", "uniqueItems", True, "an array of 2"),
            "l breaks the rule uniqueItems (true): it is an array of 2.",
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
        ([1, 2], "an array of 2"),
        ({"a": 1}, "an object of 1"),
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
