"""One broken rule of the contract, as a frozen value.

>>> print(Violation("/width", "maximum", 1024, "1025"))
width must be at most 1024, not 1025.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fauxlab_contract.core.pointers import dotted, parts_of
from fauxlab_contract.core.text import counted, cut, number

__all__ = ["MAX_FOUND_CHARS", "Violation", "describe", "in_order", "kind_of", "summary"]

MAX_FOUND_CHARS = 80
_EMPTY_OBJECT = "an empty object"
_OBJECT = re.compile(rf"{_EMPTY_OBJECT}|an object with \d+ fields?")  # as `describe` writes it
_ARTICLES = {"array": "an array", "integer": "an integer", "object": "an object", "null": "null"}


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken rule: where (JSON pointer), which (schema keyword), the limit, and what to do.

    `found` describes the value in at most 80 characters. It is never the value itself, which may be
    long, or secret.
    """

    pointer: str
    keyword: str
    expected: Any
    found: str
    hint: str = ""

    @property
    def field(self) -> str:
        """The place as people write it, such as `scenes[0].prompt`; empty for the whole body."""
        return dotted(self.pointer)

    def __str__(self) -> str:
        sentence = _SENTENCES.get(self.keyword, _other)
        return sentence(self.field or "The body", self)

    def as_dict(self) -> dict[str, Any]:
        return {
            "pointer": self.pointer,
            "keyword": self.keyword,
            "expected": self.expected,
            "found": self.found,
            "hint": self.hint,
        }


def summary(violations: Iterable[Violation], most: int = 5) -> str:
    """Return one sentence per violation; after `most` of them "And n more."."""
    sentences = [str(violation) for violation in violations]
    if len(sentences) > most:
        sentences[most:] = [f"And {len(sentences) - most} more."]
    return " ".join(sentences)


def in_order(violations: Iterable[Violation]) -> tuple[Violation, ...]:
    """Return the violations sorted by place, without duplicates."""

    def place(violation: Violation) -> tuple[str, ...]:
        return violation.pointer, violation.keyword, str(violation.expected), violation.found

    return tuple(sorted(dict.fromkeys(violations), key=place))


def describe(value: Any) -> str:
    """Return a value in at most 80 characters: `1025`, `the text "1024"`, `an empty array`."""
    match value:
        case str():
            return _cut(f"the text {json.dumps(value, ensure_ascii=False)}")
        case list():
            return f"an array with {counted(len(value), 'items')}" if value else "an empty array"
        case dict():
            return f"an object with {counted(len(value), 'fields')}" if value else _EMPTY_OBJECT
        case _:
            return _cut(json.dumps(value))


def kind_of(value: Any) -> str:
    """Return what a value is, without the value, which may be secret: `a text`, `a number`."""
    match value:
        case str():
            return "a text"
        case bool() | None:
            return json.dumps(value)
        case int() | float():
            return "a number"
    return describe(value)


def _cut(text: str) -> str:
    return cut(text, MAX_FOUND_CHARS)


def _types(expected: Any) -> str:
    names = [expected] if isinstance(expected, str) else list(expected)
    return " or ".join(_ARTICLES.get(name, f"a {name}") for name in names)


def _listed(expected: Any) -> str:
    return ", ".join(_shown(item) for item in expected)


def _shown(item: Any) -> str:
    """Return an expected value as JSON; an object is known by its description alone."""
    is_described = isinstance(item, str) and _OBJECT.fullmatch(item)
    return str(item) if is_described else json.dumps(item, ensure_ascii=False)


def _must(rule: Callable[[Any], str], came: str = ", not") -> Callable[[str, Violation], str]:
    def sentence(place: str, v: Violation) -> str:
        if v.found == "nothing":
            return f"{place} is missing; it must {rule(v.expected)}."
        return f"{place} must {rule(v.expected)}{came} {v.found}."

    return sentence


def _has(rule: Callable[[Any], str]) -> Callable[[str, Violation], str]:
    """Return the sentence of a rule about what a value has: "…; it is an empty array"."""
    return _must(rule, "; it is")


def _counts(verb: str, plural: str) -> Callable[[str, Violation], str]:
    return _has(lambda e: f"{verb} {counted(e, plural)}")


def _changed(rule: str) -> Callable[[str, Violation], str]:
    return lambda place, v: (
        f"{place} must {rule}: it was {_shown_once(v.expected)}, then {v.found}."
    )


def _shown_once(expected: Any) -> str:
    return _cut(expected if isinstance(expected, str) else json.dumps(expected))


def _other(place: str, v: Violation) -> str:
    expected = _cut(json.dumps(v.expected, ensure_ascii=False))
    return f"{place} breaks the rule {v.keyword} ({expected}): it is {v.found}."


_SENTENCES: Mapping[str, Callable[[str, Violation], str]] = {
    "required": lambda place, _: f"The {place} field is required.",
    "parameter": lambda _, v: f"The {' parameter '.join(parts_of(v.pointer))} is required.",
    "type": _must(lambda e: f"be {_types(e)}"),
    "maximum": _must(lambda e: f"be at most {number(e)}"),
    "minimum": _must(lambda e: f"be at least {number(e)}"),
    "exclusiveMaximum": _must(lambda e: f"be below {number(e)}"),
    "exclusiveMinimum": _must(lambda e: f"be above {number(e)}"),
    "multipleOf": _must(lambda e: f"be a multiple of {number(e)}"),
    "enum": _must(lambda e: f"be one of {_cut(_listed(e))}"),
    "const": _must(lambda e: f"be {_cut(_shown(e))}"),
    "format": _must(lambda e: f"be a valid {e}"),
    "pattern": _has(lambda e: f"match {_cut(str(e))}"),
    "minLength": _counts("have at least", "characters"),
    "maxLength": _counts("have at most", "characters"),
    "minItems": _counts("have at least", "items"),
    "maxItems": _counts("have at most", "items"),
    "minProperties": _counts("have at least", "fields"),
    "maxProperties": _counts("have at most", "fields"),
    "minContains": _counts("have at least", "fitting items"),
    "maxContains": _counts("have at most", "fitting items"),
    "contains": _has(lambda _: "have a fitting item"),
    "uniqueItems": _has(lambda _: "have no item twice"),
    "items": _has(lambda _: "have no more items than the document describes"),
    "unevaluatedItems": _has(lambda _: "have no more items than the document describes"),
    "dependentRequired": _has(lambda _: "have the fields that its other fields call for"),
    "oneOf": _has(lambda e: f"fit {e}"),
    "anyOf": _has(lambda e: f"fit {e}"),
    "not": _has(lambda _: "not have the shape that the document excludes"),
    "false": lambda place, _: f"{place} is not allowed here.",
    "additionalProperties": lambda place, _: f"{place} is not a field of this operation.",
    "unevaluatedProperties": lambda place, _: f"{place} is not a field of this operation.",
    "status": _must(lambda e: f"be one of {_listed(e)}"),
    "sibling": _has(lambda e: f"fit its schema in another branch ({_cut(str(e))})"),
    "webhook": _must(lambda e: f"be {e}"),
    # between the replies of one job
    "order": _must(lambda e: f"be {e}"),
    "same": _changed("stay the same"),
    "not-growing": _changed("not grow"),
    "empty": _must(lambda e: f"be {e}"),
    "not-empty": _has(lambda e: f"have {e}"),
}
