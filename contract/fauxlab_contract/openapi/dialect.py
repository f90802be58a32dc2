"""Which schemas a document holds, which keywords they may use, and one dialect for both versions.

Schemas of OpenAPI 3.0 are rewritten in the words of JSON Schema 2020-12, the dialect of 3.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from fauxlab_contract.openapi.formats import ANNOTATION_FORMATS, FORMATS
from fauxlab_contract.openapi.keywords import (
    LIST_KEYWORDS,
    MAP_KEYWORDS,
    SCHEMA_KEYWORDS,
    is_schema,
    is_understood,
    keyword_problem,
)
from fauxlab_contract.openapi.references import MAX_CHAIN, Node, Problem, SchemaError

__all__ = [
    "check_loops",
    "check_schema",
    "copied_with",
    "schemas_of",
    "standard_members",
    "subschemas",
]

# what may stand beside `$ref` without any effect on what it names
_REMARKS = {
    "$ref", "title", "description", "deprecated", "$comment", "externalDocs", "xml", "$defs",
    "definitions", "readOnly", "writeOnly", "nullable",
}  # fmt: skip
_DATA_KEYS = {"example", "examples"}  # outside schemas, their contents are data
_MAX_STEPS = 10_000  # schemas that may judge one value

_N = TypeVar("_N", bound=Node)


def schemas_of(root: _N) -> Iterator[_N]:
    """Yield every schema of a document that is not inside another schema."""
    components = root.member("components")
    for _, schema in components.member("schemas").members():
        yield schema
    for name, node in root.members():
        if name != "components":
            yield from _schemas_below(node, name)
    for name, node in components.members():
        if name != "schemas":
            yield from _schemas_below(node, name)


def _schemas_below(node: _N, name: str) -> Iterator[_N]:
    """Yield the `schema` members of media types, parameters and headers in the member `name`."""
    if name == "schema" and isinstance(node.value, (dict, bool)):
        yield node
    elif name not in _DATA_KEYS and not name.startswith("x-"):
        for key, child in node.members():
            yield from _schemas_below(child, key)
        for item in node.items():
            yield from _schemas_below(item, "")


def subschemas(schema: _N) -> Iterator[_N]:
    """Yield `schema` and every schema inside it, without following references."""
    yield schema
    for keyword, part in schema.members():
        if keyword in SCHEMA_KEYWORDS:
            yield from subschemas(part)
        elif keyword in LIST_KEYWORDS:
            for item in part.items():
                yield from subschemas(item)
        elif keyword in MAP_KEYWORDS:
            for _, item in part.members():
                yield from subschemas(item)


def check_schema(schema: Node, version: str, note: Callable[[str, Problem], None]) -> None:
    """Refuse bad references in one schema, not in the schemas inside it.

    What has no effect goes to `note`, with its pointer.
    """
    value, pointer = schema.value, schema.pointer
    if isinstance(value, bool):
        return
    if not isinstance(value, dict):
        text = "a schema must be an object, so this is not checked"
        note(pointer, Problem(text, "invalid-keyword"))
        return
    if not isinstance(value.get("$ref", ""), str):
        raise SchemaError(pointer, "$ref must be a string")
    _ = schema.resolved  # raises
    if version == "3.0" and "$ref" in value:
        return  # what stands beside it is ignored
    for keyword, part in value.items():
        if problem := keyword_problem(keyword, part, version):
            note(pointer, problem)
    form = value.get("format")
    if isinstance(form, str) and form not in FORMATS and form not in ANNOTATION_FORMATS:
        note(pointer, Problem(f"format {form!r} is not checked", "unchecked-format"))


def check_loops(schema: Node, path: tuple[str, ...] = ()) -> int:
    """Return how many schemas judge one value; `path` holds the pointers that led to `schema`.

    Raise SchemaError for schemas that judge the same value for ever, or nearly so: through `$ref`,
    allOf and the like they lead back to themselves, or branch too often.
    """
    if not isinstance(schema.value, dict):
        return 1
    if schema.pointer in path:
        circle = " -> ".join("#" + pointer for pointer in (*path, schema.pointer))
        raise SchemaError(schema.pointer, f"$ref goes in a circle: {circle}")
    path, steps = (*path, schema.pointer), 1
    if len(path) > MAX_CHAIN:
        raise SchemaError(
            path[0], f"its references and branches lead through more than {MAX_CHAIN} schemas"
        )
    for inner in _in_place(schema):
        steps += check_loops(inner, path)
        if steps > _MAX_STEPS:
            raise SchemaError(path[0], f"more than {_MAX_STEPS} branches would judge one value")
    return steps


def _in_place(schema: Node) -> Iterator[Node]:
    """Yield the schemas that judge the same value as `schema` does."""
    if isinstance(reference := schema.value.get("$ref"), str):
        yield schema.target(reference)
    for keyword in ("allOf", "anyOf", "oneOf"):
        yield from schema.member(keyword).items()
    for keyword in ("not", "if", "then", "else"):
        yield schema.member(keyword)
    for _, item in schema.member("dependentSchemas").members():
        yield item


def standard_members(root: Node, version: str) -> dict[str, Any]:
    """Return a copy of the document with every schema in JSON Schema 2020-12.

    Formats that nobody checks are left out.
    """
    return copied_with(root, lambda schema: _standard(schema.value, version))


def copied_with(root: Node, change: Callable[[Node], Any]) -> dict[str, Any]:
    """Return a copy of a document in which `change` has made each schema anew.

    It is not asked about schemas inside other schemas.
    """
    schemas = {id(schema.value): schema for schema in schemas_of(root)}

    def copied(value: Any) -> Any:
        if isinstance(value, dict):
            if id(value) in schemas:
                return change(schemas[id(value)])
            return {name: copied(member) for name, member in value.items()}
        return [copied(item) for item in value] if isinstance(value, list) else value

    return {name: copied(member) for name, member in root.value.items()}


def _standard(schema: Any, version: str) -> Any:
    if not isinstance(schema, dict):
        return schema if is_schema(schema) else True
    if version == "3.0" and "$ref" in schema:
        return {"$ref": schema["$ref"]}  # OpenAPI 3.0 ignores whatever stands beside a reference
    result = {}
    for keyword, value in schema.items():
        if keyword_problem(keyword, value, version) and _is_obeyed(keyword):
            continue
        if keyword in SCHEMA_KEYWORDS:
            result[keyword] = _standard(value, version)
        elif keyword in LIST_KEYWORDS:
            result[keyword] = [_standard(item, version) for item in value]
        elif keyword in MAP_KEYWORDS:
            result[keyword] = {name: _standard(item, version) for name, item in value.items()}
        else:
            result[keyword] = value
    if result.get("format") not in FORMATS:
        result.pop("format", None)
    return _from_3_0(result) if version == "3.0" else _beside_reference(result)


def _beside_reference(schema: dict[str, Any]) -> dict[str, Any]:
    """Say `$ref` with other keywords beside it as an allOf: the same schema, spelt in one way.

    A reference with remarks alone beside it stays as it is.
    """
    counting = [
        keyword
        for keyword in schema
        if is_understood(keyword) and keyword not in _REMARKS and not keyword.startswith("x-")
    ]
    if "$ref" not in schema or not (counting or "x-fauxlab" in schema):
        return schema
    others = {keyword: value for keyword, value in schema.items() if keyword != "$ref"}
    return {**others, "allOf": [*others.get("allOf", []), {"$ref": schema["$ref"]}]}


def _is_obeyed(keyword: str) -> bool:
    """Return True for keywords that a validator would obey, though they cannot be used.

    Others are left where they are: a reference may lead into them.
    """
    return is_understood(keyword) or keyword.startswith("$") or keyword == "dependencies"


def _from_3_0(schema: dict[str, Any]) -> dict[str, Any]:
    """Say `nullable` and the boolean exclusive bounds of OpenAPI 3.0 in the words of 2020-12.

    `nullable` adds null to the type and not to an enum, which may list it.
    """
    for bound, exclusive in (("maximum", "exclusiveMaximum"), ("minimum", "exclusiveMinimum")):
        if isinstance(schema.get(exclusive), bool):
            is_exclusive = schema.pop(exclusive)
            if is_exclusive and bound in schema:
                schema[exclusive] = schema.pop(bound)
    kind = schema.get("type")
    if schema.get("nullable") is True and isinstance(kind, str):
        schema["type"] = [kind, "null"]
    return schema
