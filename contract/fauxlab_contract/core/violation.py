"""One broken rule of the contract, as a frozen value.

>>> print(Violation("/width", "maximum", 1024, "1025"))
width must be at most 1024, not 1025.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fauxlab_contract.core.pointers import dotted
from fauxlab_contract.core.text import cut

__all__ = ["MAX_FOUND_CHARS", "Violation", "describe", "in_order", "summary"]

MAX_FOUND_CHARS = 80
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
    """Return a value in at most 80 characters: `1025`, `the text "1024"`, `an array of 3`."""
    match value:
        case str():
            return _cut(f"the text {json.dumps(value, ensure_ascii=False)}")
        case list():
            return f"an array of {len(value)}"
        case dict():
            return f"an object of {len(value)}"
        case _:
            return _cut(json.dumps(value))


def _cut(text: str) -> str:
    return cut(text, MAX_FOUND_CHARS)


def _types(expected: Any) -> str:
    names = [expected] if isinstance(expected, str) else list(expected)
    return " or ".join(_ARTICLES.get(name, f"a {name}") for name in names)


def _listed(expected: Any) -> str:
    return ", ".join(json.dumps(item, ensure_ascii=False) for item in expected)


def _must(rule: Callable[[Any], str]) -> Callable[[str, Violation], str]:
    return lambda place, v: f"{place} must {rule(v.expected)}, not {v.found}."


def _other(place: str, v: Violation) -> str:
    expected = _cut(json.dumps(v.expected, ensure_ascii=False))
    return f"{place} breaks the rule {v.keyword} ({expected}): it is {v.found}."


_SENTENCES: Mapping[str, Callable[[str, Violation], str]] = {
    "required": lambda place, _: f"The {place} field is required.",
    "type": _must(lambda e: f"be {_types(e)}"),
    "maximum": _must(lambda e: f"be at most {e}"),
    "minimum": _must(lambda e: f"be at least {e}"),
    "exclusiveMaximum": _must(lambda e: f"be below {e}"),
    "exclusiveMinimum": _must(lambda e: f"be above {e}"),
    "multipleOf": _must(lambda e: f"be a multiple of {e}"),
    "enum": _must(lambda e: f"be one of {_cut(_listed(e))}"),
    "const": _must(lambda e: f"be {json.dumps(e, ensure_ascii=False)}"),
    "format": _must(lambda e: f"be a valid {e}"),
    "pattern": _must(lambda e: f"match {_cut(str(e))}"),
    "minLength": _must(lambda e: f"have at least {e} characters"),
    "maxLength": _must(lambda e: f"have at most {e} characters"),
    "minItems": _must(lambda e: f"have at least {e} items"),
    "maxItems": _must(lambda e: f"have at most {e} items"),
    "additionalProperties": lambda place, _: f"{place} is not a field of this operation.",
    "status": lambda place, v: f"{place} must be one of {_listed(v.expected)}, not {v.found}.",
    "sibling": lambda place, v: (
        f"{place} must fit its schema in another branch ({_cut(str(v.expected))}), not {v.found}."
    ),
    "webhook": _must(lambda e: f"be {e}"),
}
