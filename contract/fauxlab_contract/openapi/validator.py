"""A compiled schema: a fast yes or no (jsonschema-rs), and every broken rule (jsonschema).

jsonschema-rs decides, jsonschema explains; it is imported when the first body is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

import jsonschema_rs

from fauxlab_contract.core.pointers import pointer_to, value_at
from fauxlab_contract.core.violation import Violation, describe, in_order
from fauxlab_contract.openapi.formats import FORMATS, matches
from fauxlab_contract.openapi.references import SchemaError

__all__ = ["SchemaValidator"]

_UNEVALUATED = "unevaluatedProperties"


class SchemaValidator:
    """Judges values by a JSON Schema 2020-12 that holds all that it refers to.

    `schema` makes it, at the first value that is judged: a document may have thousands of schemas,
    and all that one refers to is compiled with it. `pointer` is its place in the document. Judging
    raises SchemaError when the schema is not valid, which no schema of a `Document` is.
    """

    def __init__(self, schema: Callable[[], dict[str, Any]], pointer: str) -> None:
        self.pointer = pointer
        self._make = schema

    @cached_property
    def _schema(self) -> dict[str, Any]:
        return self._make()

    @cached_property
    def _fast(self) -> Any:
        try:
            return jsonschema_rs.Draft202012Validator(
                self._schema, validate_formats=True, formats=dict(FORMATS), offline=True
            )
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
            raise SchemaError(
                self.pointer, f"this is not a valid schema: {error.message[:300]}"
            ) from None

    @cached_property
    def is_valid(self) -> Callable[[Any], bool]:
        """Return True for a value that keeps the schema."""
        check: Callable[[Any], bool] = self._fast.is_valid
        return check

    def violations(self, value: Any) -> tuple[Violation, ...]:
        """Return all broken rules, sorted by place; `()` when `value` is valid."""
        if self.is_valid(value):
            return ()
        try:
            errors = list(self._explain.iter_errors(value))
        except re.error:  # unevaluatedProperties beside a pattern that Python cannot read: \p{L}
            errors = []
        found = [violation for error in errors for violation in _translate(error)]
        if any(error.validator == _UNEVALUATED for error in errors):
            strays = self._unexplained(value)
            found += [violation for violation in strays if violation.keyword == _UNEVALUATED]
        return in_order(found or self._unexplained(value))

    @cached_property
    def _explain(self) -> Any:
        from jsonschema import Draft202012Validator, FormatChecker
        from jsonschema.validators import extend
        from referencing import Registry

        formats = FormatChecker(formats=())
        for name, check in FORMATS.items():
            formats.checks(name)(
                lambda value, check=check: not isinstance(value, str) or check(value)
            )
        explaining: Any = extend(Draft202012Validator, _BY_ECMA_PATTERNS)  # type: ignore[no-untyped-call] # has none
        return explaining(self._schema, format_checker=formats, registry=Registry())

    def _unexplained(self, value: Any) -> Iterator[Violation]:
        """Yield what the fast validator says, where jsonschema finds nothing or names no field."""
        for error in self._fast.iter_errors(value):
            place, keyword = pointer_to(error.instance_path), error.kind.name
            details, judged = error.kind.as_dict(), value_at(value, place)
            if keyword == "required":
                yield _missing(place, details["property"])
            elif unexpected := details.get("unexpected"):
                for name in unexpected:
                    yield _stray(place, keyword, name, judged[name])
            else:
                limit = next((details[name] for name in _LIMITS if name in details), None)
                if keyword == "type" and isinstance(limit, list) and len(limit) == 1:
                    limit = limit[0]
                yield Violation(place, keyword, _plain(limit), describe(error.instance))


# jsonschema's keywords that look at patterns, with ECMA 262 in place of Python's `re`. Each is a
# function of (validator, the keyword's value, the judged value, the schema) that yields errors.


def _pattern(_: Any, expected: str, value: Any, __: Any) -> Iterator[Any]:
    from jsonschema import ValidationError

    if isinstance(value, str) and not matches(expected, value):
        yield ValidationError("pattern")


def _pattern_properties(judge: Any, patterns: Any, value: Any, _: Any) -> Iterator[Any]:
    for expected, schema in patterns.items() if isinstance(value, dict) else ():
        for name in value:
            if matches(expected, name):
                yield from judge.descend(value[name], schema, path=name, schema_path=expected)


def _additional_properties(judge: Any, rest: Any, value: Any, schema: Any) -> Iterator[Any]:
    from jsonschema import ValidationError

    names = [*_undeclared(value, schema)] if isinstance(value, dict) else []
    if rest is False and names:
        yield ValidationError("additionalProperties")
    elif rest is not False:
        for name in names:
            yield from judge.descend(value[name], rest, path=name)


_BY_ECMA_PATTERNS = {
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
}
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
                yield _stray(place, keyword, name, value[name])
        case "unevaluatedProperties" if expected is False:
            pass  # the fast validator names the fields
        case "oneOf" | "anyOf" if inner := _of_the_branch_meant(error):
            yield from inner
        case "oneOf" | "anyOf":
            which = "exactly one" if keyword == "oneOf" else "at least one"
            shapes = f"{which} of {len(expected)} shapes"
            yield Violation(place, keyword, shapes, describe(value))
        case _:
            hint = _type_hint(expected, value) if keyword == "type" else ""
            yield Violation(place, keyword or "false", _plain(expected), describe(value), hint)


def _of_the_branch_meant(error: Any) -> list[Violation]:
    """Return what a value breaks of the one branch that it means, as far as that is certain.

    It is of the branch's type, and has the listed values that tell branches apart. Where no branch
    takes its type, that is what is broken: it must be an integer or null. Else `[]`.
    """
    by_branch: dict[Any, list[Any]] = {}
    for inner in error.context or ():
        by_branch.setdefault(inner.relative_schema_path[0], []).append(inner)
    branches = [*by_branch.values()]
    others = [found for found in branches if found[0].validator_value != "null"] or branches
    meant = [found for found in others if not any(map(_tells_apart, found))]
    types = [inner.validator_value for found in branches for inner in found if _is_of_type(inner)]
    if types and len(types) == len(branches):
        return _wrong_type(error, types)
    if len(meant or others) != 1:
        return []
    return [violation for inner in (meant or others)[0] for violation in _translate(inner)]


def _is_of_type(inner: Any) -> bool:
    """Return True for an error of a branch that takes no value of this type."""
    return inner.validator == "type" and not inner.relative_path


def _tells_apart(inner: Any) -> bool:
    is_listed = inner.validator in ("const", "enum") and len(inner.relative_path) <= 1
    return is_listed or _is_of_type(inner)


def _wrong_type(error: Any, types: list[Any]) -> list[Violation]:
    lists = [[one] if isinstance(one, str) else one for one in types]
    names = [*dict.fromkeys(name for each in lists for name in each)]
    expected = names[0] if len(names) == 1 else tuple(names)
    hint, found = _type_hint(names, error.instance), describe(error.instance)
    return [Violation(pointer_to(error.absolute_path), "type", expected, found, hint)]


def _missing(place: str, name: str) -> Violation:
    return Violation(place + pointer_to([name]), "required", True, "nothing", "Add the field.")


def _stray(place: str, keyword: str, name: str, value: Any) -> Violation:
    hint = "Leave the field out."
    return Violation(place + pointer_to([name]), keyword, False, describe(value), hint)


def _undeclared(value: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names in an object that neither properties nor patternProperties declare."""
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    for name in value:
        if name not in known and not any(matches(pattern, name) for pattern in patterns):
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
