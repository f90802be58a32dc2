"""One schema of a document, compiled: a fast yes or no (jsonschema-rs), and every broken rule in
words (jsonschema).

The fast validator decides, the slow one explains; it is imported when a first body is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import jsonschema_rs

from fauxlab_contract.core.pointers import pointer_to
from fauxlab_contract.core.violation import Violation, describe, in_order
from fauxlab_contract.openapi.formats import FORMATS
from fauxlab_contract.openapi.references import SchemaError

__all__ = ["SchemaValidator"]


class SchemaValidator:
    """Judges values by a JSON Schema 2020-12 that holds all that it refers to.

    `pointer` is its place in the document. Raise SchemaError when the schema is not valid.
    """

    def __init__(self, schema: dict[str, Any], pointer: str) -> None:
        self.pointer = pointer
        self._schema = schema
        try:
            self._fast = jsonschema_rs.Draft202012Validator(
                schema, validate_formats=True, formats=dict(FORMATS), offline=True
            )
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
            raise SchemaError(pointer, f"this is no valid schema: {error.message[:300]}") from None
        self.is_valid = self._fast.is_valid

    def violations(self, value: Any) -> tuple[Violation, ...]:
        """All broken rules, sorted by place; empty when `value` is valid."""
        if self.is_valid(value):
            return ()
        try:
            found = [
                violation
                for error in self._explain.iter_errors(value)
                for violation in _translate(error)
            ]
        except re.error:  # a pattern that only the fast validator understands, such as \p{L}
            found = []
        return in_order(found or self._unexplained(value))

    @cached_property
    def _explain(self) -> Any:
        from jsonschema import Draft202012Validator, FormatChecker
        from referencing import Registry

        formats = FormatChecker(formats=())
        for name, check in FORMATS.items():
            formats.checks(name)(
                lambda value, check=check: not isinstance(value, str) or check(value)
            )
        return Draft202012Validator(self._schema, format_checker=formats, registry=Registry())

    def _unexplained(self, value: Any) -> Iterator[Violation]:
        """What the fast validator says, for the rare value on which the two disagree (patterns of
        another dialect).
        """
        for error in self._fast.iter_errors(value):
            place, keyword, details = (
                pointer_to(error.instance_path),
                error.kind.name,
                error.kind.as_dict(),
            )
            if keyword == "required":
                yield Violation(
                    place + pointer_to([details["property"]]),
                    keyword,
                    True,
                    "nothing",
                    "Add the field.",
                )
            else:
                limit = next((details[name] for name in _LIMITS if name in details), None)
                yield Violation(place, keyword, _plain(limit), describe(error.instance))


# names that jsonschema-rs gives them
_LIMITS = ("types", "limit", "pattern", "format", "options", "expected_value", "multiple_of")


def _translate(error: Any) -> Iterator[Violation]:
    """One jsonschema error -> violations: those that speak of several members are taken apart."""
    place, keyword, expected, value = (
        pointer_to(error.absolute_path),
        error.validator,
        error.validator_value,
        error.instance,
    )
    match keyword:
        case "required":
            for name in expected:
                if name not in value:
                    yield Violation(
                        place + pointer_to([name]), keyword, True, "nothing", "Add the field."
                    )
        case "additionalProperties" if expected is False:
            known, patterns = (
                error.schema.get("properties", {}),
                error.schema.get("patternProperties", {}),
            )
            for name in value:
                if name not in known and not any(re.search(pattern, name) for pattern in patterns):
                    yield Violation(
                        place + pointer_to([name]),
                        keyword,
                        False,
                        describe(value[name]),
                        "Leave the field out.",
                    )
        case "oneOf" | "anyOf" | "allOf":
            which = "exactly one" if keyword == "oneOf" else "at least one"
            yield Violation(place, keyword, f"{which} of {len(expected)} shapes", describe(value))
        case _:
            yield Violation(
                place,
                keyword or "false",
                _plain(expected),
                describe(value),
                _hint(keyword, expected, value),
            )


def _plain(expected: Any) -> Any:
    """The limit as a hashable value: lists become tuples, schemas their description."""
    if isinstance(expected, list):
        return tuple(_plain(item) for item in expected)
    return describe(expected) if isinstance(expected, dict) else expected


def _hint(keyword: str, expected: Any, value: Any) -> str:
    if keyword != "type":
        return ""
    wants_number = bool(
        {"integer", "number"} & set([expected] if isinstance(expected, str) else expected)
    )
    match value:
        case None:
            return "Send a value, or leave the field out if it is not required."
        case bool() if wants_number:
            return "true and false are not numbers."
        case str() if wants_number and _is_number(value):
            return f"Send the number {value.strip()}, without quotes."
        case float() if wants_number:
            return "Send a whole number."
        case int() | float():
            return f'Send the text "{value}", in quotes.' if expected == "string" else ""
    return ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return len(text) <= 64
