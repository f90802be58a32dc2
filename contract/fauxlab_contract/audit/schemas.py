"""What may be wrong with the schemas of a document, each taken alone: values, bounds, names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from fauxlab_contract.audit.rules import Defect, Defects
from fauxlab_contract.core.pointers import parts_of
from fauxlab_contract.core.secrets import in_words
from fauxlab_contract.core.text import cut
from fauxlab_contract.core.violation import describe
from fauxlab_contract.generation.sample import sample
from fauxlab_contract.openapi.dialect import schemas_of, subschemas
from fauxlab_contract.openapi.document import Document
from fauxlab_contract.openapi.formats import matches
from fauxlab_contract.openapi.schema import Schema
from fauxlab_contract.openapi.types import APPLIES, TYPES_CONTRADICT, contradictions

__all__ = ["field_of", "schema_defects", "shown"]

_IN_PLACE = re.compile(r"/(?:(?:allOf|anyOf|oneOf|dependentSchemas)/[^/]+|if|then|else|not)$")
_VALUE_KEYWORDS = ("enum", "const", "default", "example", "examples")
_MAX_SHOWN_CHARS = 120


def schema_defects(document: Document) -> Defects:
    """Yield the defects of every schema of a document."""
    checks = (_values, _contradictions, _listed_values, _required, _idle_keywords, _overlaps)
    for top in schemas_of(document.root):
        for schema in subschemas(Schema.of(top)):
            if schema.keywords:
                for check in checks:
                    yield from check(schema)


def field_of(pointer: str) -> str:
    """Return the nearest name that people know: a property's or a component's.

    It is empty for the body of an operation.
    """
    found = re.findall(r"/(?:properties|schemas|parameters|headers)(/[^/]+)", pointer)
    return parts_of(found[-1])[0] if found else ""


def shown(value: Any) -> str:
    """Return a value as JSON, cut to what a line holds."""
    return cut(json.dumps(value, ensure_ascii=False), _MAX_SHOWN_CHARS)


def _values(schema: Schema) -> Defects:
    """Find examples and defaults that break the keywords beside them."""
    keywords, field = schema.keywords, field_of(schema.pointer)
    examples = keywords.get("examples")
    named = [(word, keywords[word]) for word in ("default", "example") if word in keywords]
    if isinstance(examples, list):
        named += [("example", value) for value in examples]
    for word, value in named:
        violations = schema.broken_by(value)
        if violations:
            broken = in_words(violations, field)
            message = f"The {word} of {field or 'the body'} breaks its schema: {broken}"
            yield Defect(f"invalid-{word}", schema.pointer, message)


def _contradictions(schema: Schema) -> Defects:
    """Find bounds, lengths and types that no value is within; listed values are told one by one."""
    is_listed = bool(schema.keywords.get("enum")) or "const" in schema.keywords
    for problem in contradictions(schema):
        if is_listed and problem == TYPES_CONTRADICT:
            continue
        field = field_of(schema.pointer) or "the body"
        yield Defect("impossible-bounds", schema.pointer, f"{field} {problem}.")


def _listed_values(schema: Schema) -> Defects:
    """Find values in enum and const that another keyword beside them forbids."""
    keywords = schema.keywords
    lists: dict[str, list[Any]] = {}
    if "enum" in keywords:
        lists["enum"] = keywords["enum"]
    if "const" in keywords:
        lists["const"] = [keywords["const"]]
    if not lists:
        return
    field = field_of(schema.pointer) or "the body"
    others = {name: keywords[name] for name in keywords if name not in _VALUE_KEYWORDS}
    check = schema.but(others).validator
    for keyword, values in lists.items():
        for value in values:
            violations = check.violations(value)
            if violations:
                broken = in_words(violations, field)
                message = f"{keyword} lists {describe(value)}, but {broken}"
                yield Defect("impossible-enum", schema.pointer, message)


def _required(schema: Schema) -> Defects:
    """Find required names without a property; parts of a schema are judged with the whole."""
    declared, keywords = schema.properties, schema.keywords
    if not declared or "$ref" in keywords or _IN_PLACE.search(schema.pointer):
        return
    known = declared.keys() | _names_inside(schema)
    patterns = keywords.get("patternProperties") or {}
    is_closed = keywords.get("additionalProperties") is False
    for name in schema.required:
        is_matched = any(matches(pattern, name) for pattern in patterns)
        if name in known or is_matched:
            continue
        rule, end = "required-undeclared", "."
        if is_closed:
            rule, end = "required-impossible", ", and additionalProperties is false."
        message = f"{name} is required and not declared{end}"
        yield Defect(rule, schema.pointer, message, name=name)


def _names_inside(schema: Schema) -> set[str]:
    """Return the properties that branches declare."""
    parts = [*schema.each("oneOf"), *schema.each("anyOf")]
    parts += [schema.member(keyword) for keyword in ("if", "then", "else")]
    return {name for part in parts for name in part.properties}


def _idle_keywords(schema: Schema) -> Defects:
    """Find keywords that say nothing about values of the schema's types."""
    named = schema.keywords.get("type")
    if named is None:
        return
    types = frozenset([named] if isinstance(named, str) else named)
    for keyword, needed in APPLIES.items():
        if keyword in schema.keywords and not types & needed:
            field = field_of(schema.pointer) or "a body"
            kind = " or ".join(sorted(types))
            message = f"{keyword} does not apply to {field} of type {kind}."
            yield Defect("keyword-without-effect", schema.pointer, message)


def _overlaps(schema: Schema) -> Defects:
    """Find a oneOf of which one plain value fits several branches."""
    branches = schema.each("oneOf")
    for probe in _probes(branches):
        fitting = [branch for branch in branches if branch.validator.is_valid(probe)]
        if len(fitting) > 1:
            what = "A body without any member, {}," if probe == {} else f"The value {shown(probe)}"
            message = f"{what} fits several branches of the oneOf."
            yield Defect("branches-overlap", schema.pointer, message)
            return


def _probes(branches: list[Schema]) -> Iterator[Any]:
    """Yield an empty object, and what fits each branch."""
    yield {}
    for branch in branches:
        yield sample(branch)
