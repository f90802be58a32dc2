"""Values at the edges of one field's rules: both sides of every bound, other types, odd texts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fauxlab_contract.core.strict_json import INT64_MAX, INT64_MIN
from fauxlab_contract.generation.shapes import kinds_of, shape_of, with_integers
from fauxlab_contract.openapi.operation import Operation
from fauxlab_contract.openapi.schema import Schema

__all__ = [
    "URIS",
    "WEBHOOKS",
    "Value",
    "bound_values",
    "field_values",
    "judged",
    "listed_values",
    "multiples_of",
    "range_of",
]

STEP = 0.01  # the finest step that people write for a number
# the discard port: nobody is disturbed
WEBHOOKS = ("http://127.0.0.1:9/hook", "https://localhost:9/hook?job=1", "http://localhost:9/")
URIS = ("https://example.com/a", "http://127.0.0.1/", "urn:example:a")
_NOT_URIS = (
    "",
    "hook",
    "/hook",
    "//example.com/hook",
    "example.com/hook",
    "not a uri",
    "https://example.com/a b",
    "https://example.com/\n",
    "http://[",
)
_NOT_WEBHOOKS = (
    "ftp://example.com/hook",
    "mailto:a@example.com",
    "file:///etc/hostname",
    "http:///hook",
    "http://169.254.169.254/hook",
    "http://169.254.1.1/hook",
    "http://user@169.254.169.254/hook",
    "http://0xa9fea9fe/hook",
    "http://metadata.google.internal./hook",
    "http://metadata.google.internal/hook",
    "http://[fe80::1]/hook",
    "http://[::ffff:169.254.169.254]/hook",
    "http://2852039166/hook",  # 169.254.169.254 as one number
)


@dataclass(frozen=True, slots=True)
class Value:
    """A value of one field; `keyword` is the rule that it breaks, empty for a valid value.

    `place` is the pointer, inside the value, of what breaks the rule.
    """

    label: str
    value: Any
    keyword: str = ""
    place: str = ""


def field_values(operation: Operation, name: str, schema: Schema) -> Iterator[Value]:
    """Yield what is worth trying for a field: edges, other types, texts and listed values."""
    keywords = shape_of(schema).keywords
    for kind in kinds_of(keywords) or [""]:
        typed = {**keywords, "type": kind} if kind else keywords
        yield from bound_values(typed)
        yield from _type_values(typed)
        yield from _text_values(operation, name, schema, typed)


def judged(schema: Schema, values: Iterable[Value]) -> list[Value]:
    """Return the values that break one rule of the schema at most, each with the rule it breaks.

    Equal values are returned once, with the label of the first.
    """
    check = schema.validator if schema.value is False or schema.keywords else None
    kept: dict[tuple[str, str], Value] = {}
    for value in reversed(list(values)):
        violations = check.violations(value.value) if check else ()
        if len(violations) > 1:
            continue
        if violations:
            broken = violations[0]
            value = replace(value, keyword=broken.keyword, place=broken.pointer)
        elif value.keyword not in ("", "webhook"):
            label = f"{value.label}, which is allowed"
            value = replace(value, label=label, keyword="")
        kept[repr(value.value), value.keyword] = value
    return list(kept.values())[::-1]


def bound_values(keywords: Mapping[str, Any]) -> Iterator[Value]:
    """Yield both sides of every bound of a number.

    Whole numbers are one apart, others one ulp (the distance to the next float) and 0.01.
    """
    if "enum" in keywords:
        return
    match keywords.get("type"):
        case "integer":
            yield from _integer_edges(keywords)
        case "number":
            yield from _number_edges(keywords)


def _integer_edges(keywords: Mapping[str, Any]) -> Iterator[Value]:
    for keyword, bound, outward in _bounds(keywords):
        yield Value(f"at {keyword}", bound, _broken_at(keyword))
        yield Value(f"past {keyword} by 1", int(bound + outward), keyword)
        yield Value(f"inside {keyword} by 1", int(bound - outward))
    yield from _multiples(keywords)
    low, high = range_of(keywords)
    for value in (0, 1, -1, int(low), int(high)):
        if low <= value <= high:
            yield Value(f"{value}", value)


def _multiples(keywords: Mapping[str, Any]) -> Iterator[Value]:
    first, last, step = multiples_of(keywords)
    if step == 1:
        return
    for multiple in (first * step, last * step):
        yield Value(f"{multiple}, of {step}", multiple)
    between = first * step + 1
    yield Value(f"{between}, not of {step}", between, "multipleOf")


def _number_edges(keywords: Mapping[str, Any]) -> Iterator[Value]:
    bounds = _bounds(keywords)
    for keyword, bound, outward in bounds:
        outside = math.nextafter(bound, outward * math.inf)
        inside = math.nextafter(bound, -outward * math.inf)
        ulp = abs(outside - bound)
        yield Value(f"at {keyword}", bound, _broken_at(keyword))
        yield Value(f"at {keyword}, as a float", float(bound), _broken_at(keyword))
        yield Value(f"past {keyword} by {STEP:.3g}", bound + outward * STEP, keyword)
        yield Value(f"inside {keyword} by {STEP:.3g}", bound - outward * STEP)
        yield Value(f"past {keyword} by {ulp:.3g}", outside, keyword)
        yield Value(f"inside {keyword} by {ulp:.3g}", inside)
    if not bounds:
        for value in (0.0, -0.5, 1e300):
            yield Value(f"{value}", value)


def _bounds(keywords: Mapping[str, Any]) -> list[tuple[str, float, int]]:
    """Return (keyword, bound, outward) of each; outward is -1 for a lower bound, 1 for an upper."""
    outward = {"minimum": -1, "maximum": 1, "exclusiveMinimum": -1, "exclusiveMaximum": 1}
    keywords = _whole(keywords)
    return [(name, keywords[name], outward[name]) for name in outward if name in keywords]


def _whole(keywords: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the keywords of an integer with 50 for a bound that is written as 50.0."""
    if keywords.get("type") != "integer":
        return keywords
    return {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in keywords.items()
    }


def _broken_at(keyword: str) -> str:
    """Return the rule that the bound itself breaks."""
    return keyword if keyword.startswith("exclusive") else ""


def _type_values(keywords: Mapping[str, Any]) -> Iterator[Value]:
    """Yield values of neighbouring types: what careless code sends instead."""
    if "enum" in keywords:
        return  # a value of another type is not listed either: two rules at once
    kind = keywords.get("type")
    match kind:
        case "integer" | "number":
            yield from _not_numbers(keywords)
        case "string":
            yield Value("number", 5, "type")
        case "boolean":
            yield Value("as text", "true", "type")
            yield Value("as number", 1, "type")
    if isinstance(kind, str) and kind != "null":
        yield Value("null", None, "type")
        is_array = kind == "array"
        yield Value("object", {}, "type") if is_array else Value("array", [], "type")


def _not_numbers(keywords: Mapping[str, Any]) -> Iterator[Value]:
    """Yield what looks like a number within the bounds: text, true, 8.0 and, for integers, 8.5."""
    low, high = range_of(keywords)
    inside = next((edge.value for edge in bound_values(keywords) if not edge.keyword), low)
    whole = math.ceil(inside)
    yield Value("as text", str(inside), "type")
    yield Value("true", True, "type")
    if low <= whole <= high and abs(whole) < 2**53:
        yield Value("whole as float", float(whole))
    if keywords["type"] == "integer":
        for half in (inside + 0.5, inside - 0.5):
            if low < half < high and abs(half) < 2**50:
                yield Value(f"{half}", half, "type")


def _text_values(
    operation: Operation, name: str, schema: Schema, keywords: Mapping[str, Any]
) -> Iterator[Value]:
    if keywords.get("format") == "uri":
        yield from _uri_values(is_webhook=name == operation.conventions.fields.webhook)
    if keywords.get("type") == "string":
        yield from _lengths(operation, name, keywords)
    if "enum" in keywords:
        yield from (Value(f"{value!r}", value) for value in listed_values(schema))
        if keywords.get("type", "string") == "string":
            yield Value("not listed", "not-one-of-these", "enum")
        elif numbers := [value for value in keywords["enum"] if type(value) in (int, float)]:
            yield Value("not listed", max(numbers) + 1, "enum")


def _uri_values(*, is_webhook: bool) -> Iterator[Value]:
    for text in _NOT_URIS:
        yield Value(f"{text!r}", text, "format")
    for text in WEBHOOKS if is_webhook else URIS:
        yield Value(f"{text!r}", text)
    if is_webhook:
        for text in _NOT_WEBHOOKS:
            yield Value(f"{text!r}", text, "webhook")


def _lengths(operation: Operation, name: str, keywords: Mapping[str, Any]) -> Iterator[Value]:
    """Yield texts on both sides of the limits; a long one where nothing limits a text."""
    names = operation.conventions.fields
    is_image = name in (names.face_image, names.init_image)
    if not is_image and not keywords.keys() & {"maxLength", "format", "enum", "pattern"}:
        yield Value("of 1,000 characters", "long " * 200)
    if "pattern" in keywords and "enum" not in keywords:
        yield Value("against the pattern", "\N{SNOWMAN} \t", "pattern")
    least = keywords.get("minLength", 0)
    if least > 0:
        yield Value("too short", "x" * (least - 1), "minLength")
        yield Value("shortest", "x" * least)
    if "maxLength" in keywords:
        yield Value("too long", "x" * (keywords["maxLength"] + 1), "maxLength")
        yield Value("longest", "x" * keywords["maxLength"])


def listed_values(schema: Schema) -> list[Any]:
    """Return the enum's values without those that another keyword of the schema forbids."""
    listed = shape_of(schema).keywords["enum"]
    is_valid = schema.validator.is_valid
    return [with_integers(schema, value) for value in listed if is_valid(value)]


def range_of(keywords: Mapping[str, Any]) -> tuple[float, float]:
    """Return (lowest, highest) value of a number; whole numbers fit into 64 bits, others 1e300."""
    is_whole = keywords.get("type") == "integer"
    least, most = (INT64_MIN, INT64_MAX) if is_whole else (-1e300, 1e300)
    keywords = _whole(keywords)
    low = keywords.get("minimum", keywords.get("exclusiveMinimum", least))
    high = keywords.get("maximum", keywords.get("exclusiveMaximum", most))
    if is_whole and "exclusiveMinimum" in keywords:
        low += 1
    if is_whole and "exclusiveMaximum" in keywords:
        high -= 1
    return low, high


def multiples_of(keywords: Mapping[str, Any]) -> tuple[int, int, int]:
    """Return (first, last, step): an integer may be `step * n` for n from first to last."""
    low, high = range_of(keywords)
    step = _whole(keywords).get("multipleOf", 1)
    if type(step) is not int:
        step = 1
    first = -(-math.ceil(low) // step)  # rounded up
    last = math.floor(high) // step
    return first, last, step
