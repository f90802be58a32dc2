"""What changes from one schema to another: each `Change` says how, `diff.kinds` how bad it is."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from itertools import product
from typing import Any

from fauxlab_contract.core.text import cut
from fauxlab_contract.diff.flat_schema import LEAST, MOST, Bound, FlatSchema, flatten
from fauxlab_contract.diff.kinds import KINDS, Change, Changes
from fauxlab_contract.openapi.references import Node
from fauxlab_contract.openapi.schema import Schema
from fauxlab_contract.openapi.types import APPLIES, TYPES, type_names

__all__ = ["schema_changes"]

SeenPairs = frozenset[tuple[str, str]]
_NO_LIMIT = "no limit"
_MAX_DEPTH = 40
_MAX_LISTED_CHARS = 200
_MAX_NAMED_TYPES = 3


def schema_changes(
    old: FlatSchema, new: FlatSchema, path: str = "", seen: SeenPairs = frozenset()
) -> Changes:
    """Yield every change from `old` to `new`.

    `path` names the value for people: `.scenes[].prompt`. `seen` holds the pairs of pointers that
    stand around it, so that recursive schemas end.
    """
    for change in _schema_changes(old, new, path, seen):
        yield change if change.path else change._replace(path=path)


def _schema_changes(old: FlatSchema, new: FlatSchema, path: str, seen: SeenPairs) -> Changes:
    pair = (old.pointer, new.pointer)
    if pair in seen or len(seen) > _MAX_DEPTH or _are_equal(old.whole, new.whole):
        return
    seen |= {pair}
    if old.lists_values or new.lists_values:
        yield from _values(old, new, path)
        return
    yield from _types(old, new, path)
    common = old.types & new.types
    if not common:
        return
    if old.branches or new.branches:
        yield from _branches(old, new, path, seen)
        return
    if common & {"integer", "number"}:
        yield from _bounds(old, new, path, is_whole="number" not in common)
    yield from _rules(old, new, path, common)
    if "array" in common:
        items, new_items = flatten(old.rule("items")), flatten(new.rule("items"))
        yield from schema_changes(items, new_items, f"{path}[]", seen)
    if "object" in common:
        yield from _fields(old, new, path, seen)
        yield from _undeclared_fields(old, new, path, seen)


def _are_equal(old: Schema, new: Schema) -> bool:
    """Return True for two schemas that are written alike, with all that they refer to."""
    value = old.value
    return bool(value == new.value) and (
        old.tree.referred_to_by(value) == new.tree.referred_to_by(value)
    )


def _named(path: str) -> str:
    return path.removeprefix(".") or "the body"


def _change(
    kind: str, old: FlatSchema, new: FlatSchema, message: str, was: Any = None, becomes: Any = None
) -> Change:
    return Change(kind, old.pointer, new.pointer, message, was, becomes)


def _listed(values: Iterable[Any]) -> str:
    text = ", ".join(json.dumps(value, ensure_ascii=False) for value in values)
    return cut(text, _MAX_LISTED_CHARS)


def _values(old: FlatSchema, new: FlatSchema, path: str) -> Changes:
    """Compare two schemas of which one lists its values: each value is tried on the other side."""
    name, was, becomes = _named(path), _finite(old), _finite(new)
    if was is None:
        message = f"{name} takes only {_listed(becomes or ())} now."
        yield _change("value-removed", old, new, message, was, becomes)
    elif removed := [value for value in was if not new.takes(value)]:
        message = f"{name} no longer takes {_listed(removed)}."
        yield _change("value-removed", old, new, message, was, becomes)
    if becomes is None:
        message = f"{name} takes more than {_listed(was or ())} now."
        yield _change("value-added", old, new, message, was, becomes)
    elif added := [value for value in becomes if not old.takes(value)]:
        message = f"{name} newly takes {_listed(added)}."
        yield _change("value-added", old, new, message, was, becomes)


def _finite(side: FlatSchema) -> list[Any] | None:
    """Return all values that a schema takes; None where they cannot be counted."""
    if side.values is not None:
        return list(side.values)
    if side.branches:
        found = [_finite(branch) for branch in side.alternatives()]
        listed = [value for values in found if values is not None for value in values]
        return None if None in found else [value for value in listed if side.takes(value)]
    if not side.types <= {"null", "boolean"}:
        return None
    return [value for value in (None, True, False) if side.takes(value)]


def _types(old: FlatSchema, new: FlatSchema, path: str) -> Changes:
    was, becomes = type_names(old.types), type_names(new.types)
    for kind, types, verb in (
        ("type-removed", old.types - new.types, "no longer takes"),
        ("type-added", new.types - old.types, "newly takes"),
    ):
        if types:
            is_many = len(types) > _MAX_NAMED_TYPES
            what = "any other type" if is_many else " or ".join(type_names(types))
            message = f"{_named(path)} {verb} {what}: {_or(was)} becomes {_or(becomes)}."
            yield _change(kind, old, new, message, was, becomes)


def _or(names: list[str]) -> str:
    is_any = len(names) == len(TYPES) - 1  # number stands for integer, too
    return "any type" if is_any else " or ".join(names) or "nothing"


def _bounds(old: FlatSchema, new: FlatSchema, path: str, *, is_whole: bool) -> Changes:
    low, new_low = old.low, new.low
    high, new_high = old.high, new.high
    if is_whole:
        low, new_low = _whole_low(low), _whole_low(new_low)
        high, new_high = _whole_high(high), _whole_high(new_high)
    if low != new_low:
        kind = "bound-tightened" if new_low > low else "bound-loosened"
        message = f"{_named(path)}: the minimum {_from_to(low, new_low)}."
        yield _change(kind, old, new, message, _limit(low), _limit(new_low))
    if high != new_high:
        is_lower = new_high.value < high.value
        is_excluded = new_high.value == high.value and new_high.is_excluded
        kind = "bound-tightened" if is_lower or is_excluded else "bound-loosened"
        message = f"{_named(path)}: the maximum {_from_to(high, new_high)}."
        yield _change(kind, old, new, message, _limit(high), _limit(new_high))


def _from_to(was: Bound, becomes: Bound) -> str:
    return f"goes from {_bound(was)} to {_bound(becomes)}"


def _whole_low(bound: Bound) -> Bound:
    """Return the lowest whole number within the bound, not excluded."""
    if math.isinf(bound.value):
        return bound
    if bound.is_excluded:
        return Bound(math.floor(bound.value) + 1)
    return Bound(math.ceil(bound.value))


def _whole_high(bound: Bound) -> Bound:
    """Return the highest whole number within the bound, not excluded."""
    if math.isinf(bound.value):
        return bound
    if bound.is_excluded:
        return Bound(math.ceil(bound.value) - 1)
    return Bound(math.floor(bound.value))


def _bound(bound: Bound) -> str:
    if math.isinf(bound.value):
        return _NO_LIMIT
    return f"{bound.value} (itself excluded)" if bound.is_excluded else f"{bound.value}"


def _limit(bound: Bound) -> float | None:
    return None if math.isinf(bound.value) else bound.value


def _rules(old: FlatSchema, new: FlatSchema, path: str, common: frozenset[str]) -> Changes:
    """Compare every other keyword that says something about one of the `common` types."""
    for keyword in dict.fromkeys([*old.rules, *new.rules]):
        if not APPLIES.get(keyword, common) & common:
            continue
        if keyword in LEAST or keyword in MOST:
            yield from _lengths(old, new, path, keyword)
        elif keyword not in ("items", "additionalProperties"):
            yield from _rule(old, new, path, keyword)


def _lengths(old: FlatSchema, new: FlatSchema, path: str, keyword: str) -> Changes:
    is_least = keyword in LEAST
    absent = 0 if is_least else math.inf
    was = old.rules.get(keyword, absent)
    becomes = new.rules.get(keyword, absent)
    if was == becomes:
        return
    is_tighter = becomes > was if is_least else becomes < was
    kind = "bound-tightened" if is_tighter else "bound-loosened"
    change = _from_to(Bound(was), Bound(becomes))
    message = f"{_named(path)}: {keyword} {change}."
    yield _change(kind, old, new, message, old.rules.get(keyword), new.rules.get(keyword))


def _rule(old: FlatSchema, new: FlatSchema, path: str, keyword: str) -> Changes:
    # false, as in uniqueItems, is the same as no rule
    was = _inlined(old.whole.but(old.rules.get(keyword))) or None
    becomes = _inlined(new.whole.but(new.rules.get(keyword))) or None
    if was != becomes:
        kind = _step_kind(was, becomes) if keyword == "multipleOf" else _rule_kind(was, becomes)
        message = f"{_named(path)}: the rule {keyword} {_becomes(was, becomes)}."
        yield _change(kind, old, new, message, was, becomes)


def _becomes(was: Any, becomes: Any) -> str:
    if was is None:
        return f"({_listed([becomes])}) is new"
    if becomes is None:
        return f"({_listed([was])}) is gone"
    return f"goes from {_listed([was])} to {_listed([becomes])}"


def _rule_kind(was: Any, becomes: Any) -> str:
    if was is None:
        return "rule-added"
    return "rule-removed" if becomes is None else "rule-changed"


def _step_kind(was: float | None, becomes: float | None) -> str:
    """Compare two steps of multipleOf: every multiple of 8 is one of 4."""
    if was is None or becomes is None:
        return _rule_kind(was, becomes)
    if math.remainder(becomes, was) == 0:
        return "bound-tightened"
    return "bound-loosened" if math.remainder(was, becomes) == 0 else "rule-changed"


def _inlined(node: Node, path: tuple[str, ...] = ()) -> Any:
    """Return a value with its references written out, for comparison.

    A reference that leads back to itself stays as it is; `path` holds those that were followed.
    """
    if isinstance(node.value, list):
        return [_inlined(item, path) for item in node.items()]
    if not isinstance(node.value, dict):
        return node.value
    reference = node.value.get("$ref")
    if isinstance(reference, str) and reference not in path and len(path) < _MAX_DEPTH:
        return _inlined(node.target(reference), (*path, reference))
    return {
        name: _inlined(member, path)
        for name, member in node.members()
        if name not in ("description", "title", "example", "examples")
    }


def _fields(old: FlatSchema, new: FlatSchema, path: str, seen: SeenPairs) -> Changes:
    kind, what = "field-removed", "no longer declared"
    if new.rules.get("additionalProperties") is False:
        kind, what = "field-refused", "refused"
    for name, schema in old.properties.items():
        if name not in new.properties:
            field = _named(f"{path}.{name}")
            message = f"{field} is {what}."
            yield Change(kind, schema.pointer, new.pointer, message, path=f"{path}.{name}")
    for name, schema in new.properties.items():
        if name in old.properties:
            before, after = flatten(old.properties[name]), flatten(schema)
            yield from schema_changes(before, after, f"{path}.{name}", seen)
        else:
            yield from _new_field(old, new, path, name)
    yield from _required_fields(old, new, path)


def _new_field(old: FlatSchema, new: FlatSchema, path: str, name: str) -> Changes:
    place = new.properties[name].pointer
    path = f"{path}.{name}"
    field = _named(path)
    if old.rules.get("additionalProperties") is False:
        message = f"{field} is new; undeclared fields were refused."
        yield Change("fields-opened", old.pointer, place, message, path=path)
    elif name not in new.required:
        message = f"{field} is new and optional."
        yield Change("field-added", old.pointer, place, message, path=path)


def _required_fields(old: FlatSchema, new: FlatSchema, path: str) -> Changes:
    for name in new.required:
        if name not in old.required:
            place = _place(new, name)
            message = f"{_named(f'{path}.{name}')} is required now."
            yield Change("field-required", old.pointer, place, message, path=f"{path}.{name}")
    for name in old.required:
        is_gone = name in old.properties and name not in new.properties
        if name not in new.required and not is_gone:
            place = _place(old, name)
            message = f"{_named(f'{path}.{name}')} is no longer required."
            yield Change("field-optional", place, new.pointer, message, path=f"{path}.{name}")


def _place(side: FlatSchema, name: str) -> str:
    """Return where a field is declared; the place of the object where it is not."""
    if name in side.properties:
        return side.properties[name].pointer
    return side.pointer


def _undeclared_fields(old: FlatSchema, new: FlatSchema, path: str, seen: SeenPairs) -> Changes:
    """Compare additionalProperties, which judges fields without a name."""
    keyword = "additionalProperties"
    was, becomes = (side.rules.get(keyword, True) for side in (old, new))
    if was is not False and becomes is False:
        message = f"{_named(path)}: undeclared fields are refused now."
        yield _change("fields-closed", old, new, message, was, becomes)
    elif was is False and becomes is not False:
        message = f"{_named(path)}: undeclared fields are allowed now."
        yield _change("fields-opened", old, new, message, was, becomes)
    elif was is not becomes and was is not False:
        before, after = flatten(old.rule(keyword)), flatten(new.rule(keyword))
        yield from schema_changes(before, after, f"{path}.*", seen)


def _branches(old: FlatSchema, new: FlatSchema, path: str, seen: SeenPairs) -> Changes:
    """Compare shapes type by type where types tell them apart, else those that differ least."""
    olds, news = old.by_type(), new.by_type()
    if olds and news:
        for before, after in product(olds, news):
            common = before.types & after.types
            if common:
                yield from schema_changes(before.only(common), after.only(common), path, seen)
        return
    yield from _shapes(old, new, path, seen)


def _shapes(old: FlatSchema, new: FlatSchema, path: str, seen: SeenPairs) -> Changes:
    """Pair the shapes that differ least and compare each pair; the others are gone, or new."""
    olds, news = old.alternatives(), new.alternatives()
    compared = {
        (i, j): list(schema_changes(before, after, path, seen))
        for i, before in enumerate(olds)
        for j, after in enumerate(news)
    }
    pairs = _nearest_pairs(compared)
    for i, j in sorted(pairs.items()):
        yield from compared[i, j]
    for i, shape in enumerate(olds):
        if i not in pairs and shape.types & new.types:
            message = f"{_named(path)}: the shape {_shape(shape)} is gone."
            yield _change("shape-removed", shape, new, message)
    for j, shape in enumerate(news):
        if j not in pairs.values() and shape.types & old.types:
            message = f"{_named(path)}: the shape {_shape(shape)} is new."
            yield _change("shape-added", old, shape, message)


def _nearest_pairs(compared: dict[tuple[int, int], list[Change]]) -> dict[int, int]:
    """Return old number -> new number, the most alike first; each number is used once."""

    def distance(pair: tuple[int, int]) -> tuple[int, ...]:
        kinds = [change.kind for change in compared[pair]]
        of_type = kinds.count("type-removed") + kinds.count("type-added")
        breaking = [kind for kind in kinds if KINDS[kind].request == "breaking"]
        old, new = pair
        return of_type, len(breaking), len(kinds), abs(old - new)

    pairs: dict[int, int] = {}
    for i, j in sorted(compared, key=distance):
        if i not in pairs and j not in pairs.values():
            pairs[i] = j
    return pairs


def _shape(shape: FlatSchema) -> str:
    kind = " or ".join(type_names(shape.types)) or "nothing"
    if not shape.properties:
        return kind
    return f"{kind} with {', '.join(shape.properties)}"
