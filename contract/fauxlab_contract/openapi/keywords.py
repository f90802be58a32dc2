"""The keywords of a schema: which are understood, and why one cannot be used as it stands.

A keyword that cannot be used spoils its own schema and nothing else.
"""

from __future__ import annotations

from typing import Any

import jsonschema_rs

from fauxlab_contract.core.text import nearest
from fauxlab_contract.openapi.formats import is_pattern
from fauxlab_contract.openapi.references import Problem

__all__ = [
    "ANNOTATIONS",
    "LIST_KEYWORDS",
    "MAP_KEYWORDS",
    "SCHEMA_KEYWORDS",
    "is_schema",
    "is_understood",
    "keyword_problem",
]

SCHEMA_KEYWORDS = {
    "items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames",
    "unevaluatedItems", "unevaluatedProperties", "contentSchema",
}  # fmt: skip
LIST_KEYWORDS = {"allOf", "anyOf", "oneOf", "prefixItems"}
MAP_KEYWORDS = {"properties", "patternProperties", "dependentSchemas", "$defs", "definitions"}
ANNOTATIONS = {
    "title", "description", "default", "example", "examples", "deprecated", "readOnly", "writeOnly",
    "$comment", "$schema", "discriminator", "xml", "externalDocs", "contentEncoding",
    "contentMediaType", "nullable",
}  # fmt: skip
_ASSERTIONS = {
    "$ref", "type", "enum", "const", "format", "pattern", "required", "dependentRequired",
    "multipleOf", "uniqueItems", "maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum",
    "maxLength", "minLength", "maxItems", "minItems", "maxProperties", "minProperties",
    "maxContains", "minContains",
}  # fmt: skip
_KEYWORDS = SCHEMA_KEYWORDS | LIST_KEYWORDS | MAP_KEYWORDS | _ASSERTIONS | ANNOTATIONS
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ALIKE = 0.75  # of difflib: minLenght and minLength are, optional and nullable are not
_META = jsonschema_rs.Draft202012Validator({"$ref": _DIALECT}, offline=True)


def is_understood(keyword: str) -> bool:
    """Return True for a keyword of JSON Schema or OpenAPI that is read, and for extensions."""
    return keyword in _KEYWORDS or keyword.startswith("x-")


def is_schema(value: Any) -> bool:
    """Return True for what may stand where a schema is wanted."""
    return isinstance(value, (dict, bool))


def keyword_problem(keyword: str, value: Any, version: str) -> Problem | None:
    """Return why a keyword of one schema cannot be used; None if it can.

    Schemas inside `value` are not looked into.
    """
    if not is_understood(keyword):
        near = nearest(keyword[:60], _KEYWORDS, _ALIKE)
        hint = f" ({near[0]}?)" if near else ""
        said = f"the schema keyword {keyword[:60]!r} is not understood{hint}, so it is not checked"
        return Problem(said, "unknown-keyword")
    if version == "3.0" and keyword.startswith("exclusive") and isinstance(value, bool):
        return None
    if keyword == "$schema" and value != _DIALECT:
        return Problem(
            f"$schema {str(value)[:80]!r} is not understood; the schema is read as {_DIALECT}"
        )
    if shape := _shape_problem(keyword, value):
        return Problem(f"{shape}, so it is not checked", "invalid-keyword")
    pattern = _pattern_problem(keyword, value)
    return Problem(f"{pattern}, so it is not checked") if pattern else None


def _shape_problem(keyword: str, value: Any) -> str:
    """Return what is wrong with the value of a keyword: `the keyword oneOf is not a list`."""
    if keyword in SCHEMA_KEYWORDS:
        return ""  # what stands there is looked at as a schema
    if keyword in LIST_KEYWORDS:
        is_right = isinstance(value, list) and bool(value)
        return "" if is_right else f"the keyword {keyword} is not a list of one or more schemas"
    if keyword in MAP_KEYWORDS:
        is_right = isinstance(value, dict)
        return "" if is_right else f"the keyword {keyword} is not an object of schemas"
    if _META.is_valid({keyword: value}):
        return ""
    error = next(iter(_META.iter_errors({keyword: value})))
    return f"the keyword {keyword} is not valid ({error.message[:120]})"


def _pattern_problem(keyword: str, value: Any) -> str:
    """Return which pattern of a keyword cannot be used: `the pattern '(' cannot be read`."""
    patterns = [value] if keyword == "pattern" else []
    if keyword == "patternProperties":
        patterns = list(value)
    unusable = next((pattern for pattern in patterns if not is_pattern(pattern)), None)
    return "" if unusable is None else f"the pattern {unusable[:80]!r} cannot be read by fauxlab"
