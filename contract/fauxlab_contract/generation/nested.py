"""Values with one part at an edge: a number of items, or a rule of an item or member."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import Any

from fauxlab_contract.generation.shapes import NoValueError, kinds_of, shape_of
from fauxlab_contract.generation.smallest import smallest_value
from fauxlab_contract.generation.values import Value, field_values, judged
from fauxlab_contract.openapi.operation import Operation
from fauxlab_contract.openapi.schema import Schema

__all__ = ["all_values"]

_MAX_DEPTH = 3
_MAX_ITEMS = 200
_MAX_NESTED = 200  # values inside one field
ValuesOf = Callable[[str, Schema], Iterator[Value]]  # name of a field, its schema


def all_values(operation: Operation, name: str, schema: Schema, depth: int = 0) -> Iterator[Value]:
    """Yield what is worth trying for a field, its parts included.

    `depth` is the number of values around it.
    """
    yield from field_values(operation, name, schema)
    inside = partial(all_values, operation, depth=depth + 1)
    yield from islice(_nested_values(schema, inside, depth), _MAX_NESTED)


def _nested_values(schema: Schema, values_of: ValuesOf, depth: int) -> Iterator[Value]:
    """Yield arrays and objects that are valid but for one part at most.

    `depth` is the number of values around them; deeper ones than `_MAX_DEPTH` are left alone.
    """
    shape = shape_of(schema)
    kinds = kinds_of(shape.keywords)
    if depth >= _MAX_DEPTH or "enum" in shape.keywords or "const" in shape.keywords:
        return
    try:
        base = smallest_value(schema)
    except NoValueError:
        return
    if isinstance(base, list) and "array" in kinds:
        yield from _numbers_of_items(shape, base, values_of)
        yield from _items(shape, base, values_of)
    if isinstance(base, dict) and ("object" in kinds or shape.properties):
        yield from _members(shape, base, values_of)


def _numbers_of_items(shape: Schema, base: list[Any], values_of: ValuesOf) -> Iterator[Value]:
    keywords = shape.keywords
    spare = _spare_items(shape, base, values_of)
    least, most = keywords.get("minItems", 0), keywords.get("maxItems")
    if least:
        yield Value("too few items", base[: least - 1], "minItems")
        yield Value("fewest items", base[:least])
    if most is not None and most < _MAX_ITEMS:
        grown = [*base, *spare, *spare * (most + 1)] if spare else base
        yield Value("most items", grown[:most])
        yield Value("too many items", grown[: most + 1], "maxItems")
    if keywords.get("uniqueItems") is True and base + spare:
        item = (base + spare)[0]
        yield Value("an item twice", [item, item, *base[2:]], "uniqueItems")


def _spare_items(shape: Schema, base: list[Any], values_of: ValuesOf) -> list[Any]:
    """Return further items that are valid; different ones, if they must differ."""
    items = shape.member("items")
    if not isinstance(items.value, dict):
        return []
    found = [
        value.value
        for value in judged(items.resolved, values_of("", items.resolved))
        if not value.keyword
    ]
    if shape.keywords.get("uniqueItems") is not True:
        return found[:1] or base[:1]
    if kinds_of(shape_of(items).keywords) == ["string"]:
        found += [f"{base[0] if base else 'item'}-{number}" for number in range(_MAX_ITEMS)]
    is_valid = items.resolved.validator.is_valid
    return [item for item in found if item not in base and is_valid(item)]


def _items(shape: Schema, base: list[Any], values_of: ValuesOf) -> Iterator[Value]:
    first = len(shape.each("prefixItems"))
    schemas = list(enumerate(shape.each("prefixItems")))
    items = shape.member("items")
    if isinstance(items.value, dict):
        schemas.append((first, items))
    for index, schema in schemas:
        if index > len(base):
            return
        for value in judged(schema.resolved, values_of("", schema.resolved)):
            array = [*base[:index], value.value, *base[index + 1 :]]
            yield Value(f"in [{index}] {value.label}", array, value.keyword)


def _members(shape: Schema, base: dict[str, Any], values_of: ValuesOf) -> Iterator[Value]:
    for name in shape.required:
        rest = {other: value for other, value in base.items() if other != name}
        yield Value(f"in .{name} missing", rest, "required")
    for name, schema in shape.properties.items():
        if schema.resolved.keywords.get("readOnly") is True:
            continue
        for value in judged(schema.resolved, values_of("", schema.resolved)):
            yield Value(f"in .{name} {value.label}", {**base, name: value.value}, value.keyword)
    yield Value("in an undeclared member", {**base, "not_declared": "x"})
