"""Schemas inside a document: where they stand, which keywords they may use, and one dialect for
both OpenAPI versions.

A "tree" is the whole document as JSON values; a "pointer" is a JSON pointer into it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from fauxlab_contract.core.violation import pointer_to
from fauxlab_contract.openapi.formats import ANNOTATION_FORMATS, FORMATS

__all__ = [
    "SchemaError",
    "properties_at",
    "properties_of",
    "resolve",
    "schemas_of",
    "standard_tree",
    "subschemas",
    "target_of",
]


class SchemaError(ValueError):
    """A defect that makes the document unusable: `pointer` says where, the text says what and what
    to do.
    """

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(message)
        self.pointer = pointer


SCHEMA_KEYWORDS = {
    "items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames", "unevaluatedItems",
    "unevaluatedProperties", "contentSchema",
}  # fmt: skip
LIST_KEYWORDS = {"allOf", "anyOf", "oneOf", "prefixItems"}
MAP_KEYWORDS = {"properties", "patternProperties", "dependentSchemas", "$defs"}
_ASSERTIONS = {
    "$ref", "type", "enum", "const", "format", "pattern", "required", "dependentRequired", "multipleOf", "uniqueItems",
    "maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum", "maxLength", "minLength", "maxItems", "minItems",
    "maxProperties", "minProperties", "maxContains", "minContains",
}  # fmt: skip
_ANNOTATIONS = {
    "title", "description", "default", "example", "examples", "deprecated", "readOnly", "writeOnly", "$comment", "$schema",
    "discriminator", "xml", "externalDocs", "contentEncoding", "contentMediaType", "nullable",
}  # fmt: skip
KEYWORDS = SCHEMA_KEYWORDS | LIST_KEYWORDS | MAP_KEYWORDS | _ASSERTIONS | _ANNOTATIONS
_DATA_KEYS = {"example", "examples"}  # outside schemas, their contents are data
_MAX_STEPS, _MAX_CHAIN = 10_000, 64  # of references and branches that judge one value


def resolve(tree: Any, node: Any, pointer: str = "") -> tuple[Any, str]:
    """Follow `$ref` from `node` (which stands at `pointer`) until it ends: (value, its pointer)."""
    seen: list[str] = []
    while isinstance(node, Mapping) and isinstance(reference := node.get("$ref"), str):
        if reference in seen:
            raise SchemaError(pointer, f"$ref goes in a circle: {' -> '.join([*seen, reference])}")
        if len(seen) == _MAX_CHAIN:
            raise SchemaError(pointer, f"$ref leads through more than {_MAX_CHAIN} references")
        seen.append(reference)
        node = target_of(tree, reference, pointer)
        pointer = reference[1:]
    return node, pointer


def target_of(tree: Any, reference: str, pointer: str = "") -> Any:
    """What a `$ref` (`#/…`, in a schema at `pointer`) names, itself perhaps a reference."""
    if not reference.startswith("#"):
        raise SchemaError(
            pointer,
            f"$ref {reference[:200]!r} points outside this document; nothing is ever fetched or"
            " opened: copy what it names to here",
        )
    if not reference.startswith("#/"):
        raise SchemaError(
            pointer,
            f"$ref {reference[:200]!r} is not a path; write it such as #/components/schemas/Name",
        )
    node = tree
    for part in reference[1:].split("/")[1:]:
        part = unquote(part).replace("~1", "/").replace("~0", "~")
        try:
            node = node[int(part)] if isinstance(node, list) else node[part]
        except (KeyError, IndexError, ValueError, TypeError):
            raise SchemaError(
                pointer, f"$ref {reference[:200]!r} names nothing in this document"
            ) from None
    return node


def schemas_of(tree: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every schema of a document that is not inside another one: (pointer, schema)."""
    for name, schema in _mapping(_mapping(tree.get("components")).get("schemas")).items():
        yield pointer_to(["components", "schemas", name]), schema
    yield from _member_schemas(
        {key: value for key, value in tree.items() if key != "components"}, ""
    )
    others = {
        key: value for key, value in _mapping(tree.get("components")).items() if key != "schemas"
    }
    yield from _member_schemas(others, "/components")


def _member_schemas(node: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    """The `schema` members of media types, parameters and headers, wherever they stand."""
    if isinstance(node, list):
        for i, item in enumerate(node):
            yield from _member_schemas(item, f"{pointer}/{i}")
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        here = pointer + pointer_to([key])
        if key == "schema" and isinstance(value, (dict, bool)):
            yield here, value
        elif key not in _DATA_KEYS and not key.startswith("x-"):
            yield from _member_schemas(value, here)


def subschemas(schema: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    """`schema` and every schema inside it, without following references."""
    yield pointer, schema
    if not isinstance(schema, dict):
        return
    for key, value in schema.items():
        here = pointer + pointer_to([key])
        if key in SCHEMA_KEYWORDS:
            yield from subschemas(value, here)
        elif key in LIST_KEYWORDS and isinstance(value, list):
            for i, item in enumerate(value):
                yield from subschemas(item, f"{here}/{i}")
        elif key in MAP_KEYWORDS and isinstance(value, dict):
            for name, item in value.items():
                yield from subschemas(item, here + pointer_to([name]))


def check_schema(
    tree: Mapping[str, Any], schema: Any, pointer: str, note: Callable[[str, str], None]
) -> None:
    """Refuse unknown keywords and bad references in one schema (not its children); `note` what has
    no effect.
    """
    if isinstance(schema, bool):
        return
    if not isinstance(schema, dict):
        raise SchemaError(pointer, "a schema must be an object")
    for keyword in schema:
        if keyword not in KEYWORDS and not keyword.startswith("x-"):
            raise SchemaError(
                pointer,
                f"the schema keyword {keyword!r} is not understood; correct it, or prefix it with"
                " x- to have it ignored",
            )
    dialect = schema.get("$schema", _DIALECT)
    if dialect != _DIALECT:
        raise SchemaError(pointer, f"$schema {dialect!r} is not understood; only {_DIALECT} is")
    if "$ref" in schema:
        if not isinstance(schema["$ref"], str):
            raise SchemaError(pointer, "$ref must be text")
        resolve(tree, schema, pointer)
    form = schema.get("format")
    if isinstance(form, str) and form not in FORMATS and form not in ANNOTATION_FORMATS:
        note(pointer, f"format {form!r} is not checked")


_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def check_loops(
    tree: Mapping[str, Any], schema: Any, pointer: str, path: tuple[str, ...] = ()
) -> int:
    """Refuse schemas that judge the same value for ever, or nearly so: through `$ref`, allOf and
    the like they lead back to themselves, or to each other too often. The answer is how many
    schemas judge one value.
    """
    if not isinstance(schema, dict):
        return 1
    if pointer in path:
        raise SchemaError(
            pointer, f"$ref goes in a circle: {' -> '.join('#' + p for p in (*path, pointer))}"
        )
    path, steps = (*path, pointer), 1
    if len(path) > _MAX_CHAIN:
        raise SchemaError(
            path[0], f"its references and branches lead through more than {_MAX_CHAIN} schemas"
        )
    for here, inner in _in_place(tree, schema, pointer):
        steps += check_loops(tree, inner, here, path)
        if steps > _MAX_STEPS:
            raise SchemaError(path[0], f"more than {_MAX_STEPS} branches would judge one value")
    return steps


def _in_place(
    tree: Mapping[str, Any], schema: Mapping[str, Any], pointer: str
) -> Iterator[tuple[str, Any]]:
    """The schemas that judge the same value as `schema` does."""
    if isinstance(reference := schema.get("$ref"), str):
        yield reference[1:], target_of(tree, reference, pointer)
    for keyword in ("allOf", "anyOf", "oneOf"):
        for i, item in enumerate(schema.get(keyword) or ()):
            yield f"{pointer}/{keyword}/{i}", item
    for keyword in ("not", "if", "then", "else"):
        yield f"{pointer}/{keyword}", schema.get(keyword)
    for name, item in _mapping(schema.get("dependentSchemas")).items():
        yield f"{pointer}/dependentSchemas{pointer_to([name])}", item


def standard_tree(tree: dict[str, Any], version: str) -> dict[str, Any]:
    """The document with every schema in JSON Schema 2020-12, formats that nobody checks left out.
    The input is not changed.
    """
    found = {pointer: None for pointer, _ in schemas_of(tree)}

    def copy(node: Any, pointer: str) -> Any:
        if pointer in found:
            return _standard(node, version)
        if isinstance(node, dict):
            return {key: copy(value, pointer + pointer_to([key])) for key, value in node.items()}
        if isinstance(node, list):
            return [copy(item, f"{pointer}/{i}") for i, item in enumerate(node)]
        return node

    standard: dict[str, Any] = copy(tree, "")
    return standard


def _standard(schema: Any, version: str) -> Any:
    if not isinstance(schema, dict):
        return schema
    if version == "3.0" and "$ref" in schema:
        return {"$ref": schema["$ref"]}  # OpenAPI 3.0 ignores whatever stands beside a reference
    result = {}
    for key, value in schema.items():
        if key in SCHEMA_KEYWORDS:
            value = _standard(value, version)
        elif key in LIST_KEYWORDS and isinstance(value, list):
            value = [_standard(item, version) for item in value]
        elif key in MAP_KEYWORDS and isinstance(value, dict):
            value = {name: _standard(item, version) for name, item in value.items()}
        result[key] = value
    if result.get("format") not in FORMATS:
        result.pop("format", None)
    return _from_3_0(result) if version == "3.0" else result


def _from_3_0(schema: dict[str, Any]) -> dict[str, Any]:
    """`nullable` and the boolean exclusive bounds of OpenAPI 3.0, said in the words of 2020-12."""
    for bound, exclusive in (("maximum", "exclusiveMaximum"), ("minimum", "exclusiveMinimum")):
        if isinstance(schema.get(exclusive), bool) and schema.pop(exclusive) and bound in schema:
            schema[exclusive] = schema.pop(bound)
    if schema.get("nullable") is True and isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
        if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
            schema["enum"] = [*schema["enum"], None]
    return schema


def properties_of(tree: Mapping[str, Any], schema: Any) -> dict[str, Any]:
    """The named properties of an object schema, through `$ref` and `allOf`, in the document's
    order.
    """
    return {name: value for name, (value, _) in properties_at(tree, schema, "").items()}


def properties_at(tree: Mapping[str, Any], schema: Any, pointer: str) -> dict[str, tuple[Any, str]]:
    """Like `properties_of`, each with its pointer; `schema` stands at `pointer`."""
    schema, pointer = resolve(tree, schema, pointer)
    if not isinstance(schema, dict):
        return {}
    found: dict[str, tuple[Any, str]] = {}
    for i, part in enumerate(schema.get("allOf") or ()):
        found.update(properties_at(tree, part, f"{pointer}/allOf/{i}"))
    found.update(
        {
            name: (value, f"{pointer}/properties{pointer_to([name])}")
            for name, value in _mapping(schema.get("properties")).items()
        }
    )
    return found


def required_of(tree: Mapping[str, Any], schema: Any) -> tuple[str, ...]:
    """The required names of an object schema, through `$ref` and `allOf`."""
    schema, _ = resolve(tree, schema)
    if not isinstance(schema, dict):
        return ()
    parts = [name for part in schema.get("allOf") or () for name in required_of(tree, part)]
    return tuple(dict.fromkeys([*parts, *(schema.get("required") or ())]))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
