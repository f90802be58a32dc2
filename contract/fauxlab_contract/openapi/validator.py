"""A compiled schema: a fast yes or no (jsonschema-rs), and every broken rule (jsonschema).

jsonschema-rs decides, jsonschema explains; it is imported when the first body is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
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
            raise SchemaError(
                pointer, f"this is not a valid schema: {error.message[:300]}"
            ) from None
        self.is_valid = self._fast.is_valid

    def violations(self, value: Any) -> tuple[Violation, ...]:
        """Return all broken rules, sorted by place; `()` when `value` is valid."""
        if self.is_valid(value):
            return ()
        try:
            errors = list(self._explain.iter_errors(value))
        except re.error:  # a pattern that only the fast validator understands, such as \p{L}
            errors = []
        found = [violation for error in errors for violation in _translate(error)]
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
        """Yield what the fast validator says, where jsonschema finds nothing.

        The two read some patterns differently.
        """
        for error in self._fast.iter_errors(value):
            place, keyword = pointer_to(error.instance_path), error.kind.name
            details = error.kind.as_dict()
            if keyword == "required":
                yield _missing(place, details["property"])
            else:
                limit = next((details[name] for name in _LIMITS if name in details), None)
                yield Violation(place, keyword, _plain(limit), describe(error.instance))


# members of jsonschema-rs' errors that hold the limit
_LIMITS = ("types", "limit", "pattern", "format", "options", "expected_value", "multiple_of")


def _translate(error: Any) -> Iterator[Violation]:
    """Turn a jsonschema error into violations, one for each member that it speaks of."""
    place, value = pointer_to(error.absolute_path), error.instance
    keyword, expected = error.validator, error.validator_value
    match keyword:
        case "required":
            for name in expected:
                if name not in value:
                    yield _missing(place, name)
        case "additionalProperties" if expected is False:
            for name in _undeclared(value, error.schema):
                found, hint = describe(value[name]), "Leave the field out."
                yield Violation(place + pointer_to([name]), keyword, False, found, hint)
        case "oneOf" | "anyOf":
            which = "exactly one" if keyword == "oneOf" else "at least one"
            shapes = f"{which} of {len(expected)} shapes"
            if len(expected) == 1:
                shapes = "the only shape that is declared"
            yield Violation(place, keyword, shapes, describe(value))
        case _:
            hint = _type_hint(expected, value) if keyword == "type" else ""
            yield Violation(place, keyword or "false", _plain(expected), describe(value), hint)


def _missing(place: str, name: str) -> Violation:
    return Violation(place + pointer_to([name]), "required", True, "nothing", "Add the field.")


def _undeclared(value: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names in an object that neither properties nor patternProperties declare."""
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    for name in value:
        if name not in known and not any(re.search(pattern, name) for pattern in patterns):
            yield name


def _plain(expected: Any) -> Any:
    """Return the limit as a hashable value: lists become tuples, objects their description."""
    if isinstance(expected, list):
        return tuple(_plain(item) for item in expected)
    return describe(expected) if isinstance(expected, dict) else expected


def _type_hint(expected: str | list[str], value: Any) -> str:
    """Return what to do about a value of the wrong type."""
    types = [expected] if isinstance(expected, str) else expected
    wants_number = "integer" in types or "number" in types
    match value:
        case None:
            return "Send a value, or leave the field out if it is not required."
        case bool() if wants_number:
            return "true and false are not numbers."
        case str() if wants_number and _is_number(value):
            return f"Send the number {value.strip()}, without quotes."
        case float() if wants_number:
            return "Send a whole number."
        case int() | float() if expected == "string":
            return f'Send the text "{value}", in quotes.'
    return ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return len(text) <= 64
