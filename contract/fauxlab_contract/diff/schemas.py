"""What changes from one schema to another, in both directions at once: each `Change` says how,
`diff_rules` says how bad.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from fauxlab_contract.diff.flat_schema import APPLIES, TYPES, Bound, FlatSchema, merge
from fauxlab_contract.diff.kinds import KINDS, Change, Changes
from fauxlab_contract.openapi.schema import target_of

__all__ = ["schema_changes"]

SeenPairs = frozenset[tuple[str, str]]
_LEAST = ("minLength", "minItems", "minProperties", "minContains")
_MOST = ("maxLength", "maxItems", "maxProperties", "maxContains")
# rules that have a comparison of their own
_APART = ("items", "additionalProperties", "multipleOf", *_LEAST, *_MOST)
_NO_LIMIT = "no limit"
_MAX_DEPTH = 40


def schema_changes(
    old: FlatSchema, new: FlatSchema, path: str = "", seen: SeenPairs = frozenset()
) -> Changes:
    """Every change from `old` to `new`; `path` is the name of the value for people, `seen` the
    pairs that stand around it.
    """
    pair = (old.pointer, new.pointer)
    if pair in seen or len(seen) > _MAX_DEPTH:
        return
    seen |= {pair}
    if old.values is not None or new.values is not None:
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
        items = [
            merge(side.tree, side.rules.get("items", True), f"{side.pointer}/items")
            for side in (old, new)
        ]
        yield from schema_changes(items[0], items[1], f"{path}[]", seen)
    if "object" in common:
        yield from _fields(old, new, path, seen)
        yield from _others(old, new, path, seen)


def _named(path: str) -> str:
    return path.removeprefix(".") or "the body"


def _change(
    kind: str, old: FlatSchema, new: FlatSchema, message: str, was: Any = None, becomes: Any = None
) -> Change:
    return Change(kind, old.pointer, new.pointer, message, was, becomes)


def _listed(values: Any) -> str:
    text = ", ".join(json.dumps(value, ensure_ascii=False) for value in values)
    return text if len(text) <= 200 else text[:197] + "..."


def _values(old: FlatSchema, new: FlatSchema, path: str) -> Changes:
    """At least one side lists its values: those are asked one by one."""
    name, was, becomes = _named(path), _finite(old), _finite(new)
    removed = [value for value in was if not new.takes(value)] if was is not None else None
    added = [value for value in becomes if not old.takes(value)] if becomes is not None else None
    if was is None:
        yield _change(
            "value-removed",
            old,
            new,
            f"{name} takes only {_listed(becomes or ())} now.",
            None,
            becomes,
        )
    elif removed:
        yield _change(
            "value-removed", old, new, f"{name} no longer takes {_listed(removed)}.", was, becomes
        )
    if becomes is None:
        yield _change(
            "value-added", old, new, f"{name} takes more than {_listed(was or ())} now.", was, None
        )
    elif added:
        yield _change(
            "value-added", old, new, f"{name} newly takes {_listed(added)}.", was, becomes
        )


def _finite(side: FlatSchema) -> list[Any] | None:
    """All values that a schema takes, where they can be counted."""
    if side.values is not None:
        return list(side.values)
    if not side.types <= {"null", "boolean"}:
        return None
    return [value for value in (None, True, False) if side.takes(value)]


def _types(old: FlatSchema, new: FlatSchema, path: str) -> Changes:
    was, becomes = (_type_names(side.types) for side in (old, new))
    for kind, types, said in (
        ("type-removed", old.types - new.types, "no longer takes"),
        ("type-added", new.types - old.types, "newly takes"),
    ):
        if types:
            what = "any other type" if len(types) > 3 else " or ".join(_type_names(types))
            yield _change(
                kind,
                old,
                new,
                f"{_named(path)} {said} {what}: {_or(was)} becomes {_or(becomes)}.",
                was,
                becomes,
            )


def _type_names(types: frozenset[str]) -> list[str]:
    return [
        name for name in TYPES if name in types and not (name == "integer" and "number" in types)
    ]


def _or(names: list[str]) -> str:
    return "any type" if len(names) == len(TYPES) - 1 else " or ".join(names) or "nothing"


def _bounds(old: FlatSchema, new: FlatSchema, path: str, *, is_whole: bool) -> Changes:
    lows, highs = (
        [(_low(side.low) if is_whole else side.low) for side in (old, new)],
        [_high(side.high) if is_whole else side.high for side in (old, new)],
    )
    for what, (was, becomes), sign in (("minimum", lows, 1), ("maximum", highs, -1)):
        ranks = [(sign * bound, excluded) for bound, excluded in (was, becomes)]
        if ranks[0] != ranks[1]:
            kind = "bound-tightened" if ranks[1] > ranks[0] else "bound-loosened"
            text = f"{_named(path)}: the {what} goes from {_bound(was)} to {_bound(becomes)}."
            yield _change(kind, old, new, text, _limit(was), _limit(becomes))


def _low(bound: Bound) -> Bound:
    """The same bound for whole numbers, which it then includes."""
    if math.isinf(bound[0]):
        return bound
    return (math.floor(bound[0]) + 1 if bound[1] else math.ceil(bound[0])), False


def _high(bound: Bound) -> Bound:
    if math.isinf(bound[0]):
        return bound
    return (math.ceil(bound[0]) - 1 if bound[1] else math.floor(bound[0])), False


def _bound(bound: Bound) -> str:
    return (
        _NO_LIMIT
        if math.isinf(bound[0])
        else f"{bound[0]}{' (itself excluded)' if bound[1] else ''}"
    )


def _limit(bound: Bound) -> float | None:
    return None if math.isinf(bound[0]) else bound[0]


def _rules(old: FlatSchema, new: FlatSchema, path: str, common: frozenset[str]) -> Changes:
    """Every other keyword that applies: lengths, multipleOf, and those that only have the same
    value or another.
    """
    for keyword in dict.fromkeys([*old.rules, *new.rules]):
        if not APPLIES.get(keyword, common) & common:
            continue
        was, becomes = old.rules.get(keyword), new.rules.get(keyword)
        if keyword in _LEAST or keyword in _MOST:
            yield from _lengths(old, new, path, keyword)
        elif keyword == "multipleOf" and was != becomes:
            yield _change(
                _step_kind(was, becomes),
                old,
                new,
                _rule_text(path, keyword, was, becomes),
                was,
                becomes,
            )
        elif keyword not in _APART:
            # uniqueItems: false is none
            was, becomes = _inlined(old.tree, was) or None, _inlined(new.tree, becomes) or None
            if was != becomes:
                kind = (
                    "rule-added"
                    if was is None
                    else "rule-removed"
                    if becomes is None
                    else "rule-changed"
                )
                yield _change(kind, old, new, _rule_text(path, keyword, was, becomes), was, becomes)


def _rule_text(path: str, keyword: str, was: Any, becomes: Any) -> str:
    if was is None:
        return f"{_named(path)}: the rule {keyword} ({_listed([becomes])}) is new."
    if becomes is None:
        return f"{_named(path)}: the rule {keyword} ({_listed([was])}) is gone."
    return f"{_named(path)}: the rule {keyword} goes from {_listed([was])} to {_listed([becomes])}."


def _lengths(old: FlatSchema, new: FlatSchema, path: str, keyword: str) -> Changes:
    none = 0 if keyword in _LEAST else math.inf
    was, becomes = old.rules.get(keyword, none), new.rules.get(keyword, none)
    if was != becomes:
        kind = "bound-tightened" if (becomes > was) == (keyword in _LEAST) else "bound-loosened"
        shown = [_NO_LIMIT if math.isinf(limit) else limit for limit in (was, becomes)]
        text = f"{_named(path)}: {keyword} goes from {shown[0]} to {shown[1]}."
        yield _change(kind, old, new, text, old.rules.get(keyword), new.rules.get(keyword))


def _step_kind(was: float | None, becomes: float | None) -> str:
    if was is None or becomes is None:
        return "rule-added" if was is None else "rule-removed"
    if math.remainder(becomes, was) == 0:
        return "bound-tightened"
    return "bound-loosened" if math.remainder(was, becomes) == 0 else "rule-changed"


def _inlined(tree: Mapping[str, Any], node: Any, path: tuple[str, ...] = ()) -> Any:
    """A value with its references written out, for comparison; one that leads back to itself stays
    a name.
    """
    if isinstance(node, list):
        return [_inlined(tree, item, path) for item in node]
    if not isinstance(node, dict):
        return node
    reference = node.get("$ref")
    if isinstance(reference, str) and reference not in path and len(path) < _MAX_DEPTH:
        return _inlined(tree, target_of(tree, reference), (*path, reference))
    return {
        key: _inlined(tree, value, path)
        for key, value in node.items()
        if key not in ("description", "title", "example", "examples")
    }


def _fields(old: FlatSchema, new: FlatSchema, path: str, seen: SeenPairs) -> Changes:
    removed = [name for name in old.properties if name not in new.properties]
    for name in removed:
        here, place = f"{path}.{name}", old.properties[name][1]
        kind = (
            "field-refused" if new.rules.get("additionalProperties") is False else "field-removed"
        )
        told = "refused" if kind == "field-refused" else "no longer declared"
        yield Change(kind, place, new.pointer, f"{_named(here)} is {told}.")
    for name, (schema, place) in new.properties.items():
        here = f"{path}.{name}"
        if name in old.properties:
            yield from schema_changes(
                merge(old.tree, *old.properties[name]), merge(new.tree, schema, place), here, seen
            )
        elif old.rules.get("additionalProperties") is False:
            yield Change(
                "fields-opened",
                old.pointer,
                place,
                f"{_named(here)} is new; undeclared fields were refused.",
            )
        elif name not in new.required:
            yield Change("field-added", old.pointer, place, f"{_named(here)} is new and optional.")
    for name in new.required:
        if name not in old.required:
            place = new.properties[name][1] if name in new.properties else new.pointer
            yield Change(
                "field-required", old.pointer, place, f"{_named(f'{path}.{name}')} is required now."
            )
    for name in old.required:
        if name not in new.required and name not in removed:
            place = old.properties[name][1] if name in old.properties else old.pointer
            yield Change(
                "field-optional",
                place,
                new.pointer,
                f"{_named(f'{path}.{name}')} is no longer required.",
            )


def _others(old: FlatSchema, new: FlatSchema, path: str, seen: SeenPairs) -> Changes:
    """What is said about fields without a name: additionalProperties."""
    was, becomes = (side.rules.get("additionalProperties", True) for side in (old, new))
    if was is not False and becomes is False:
        yield _change(
            "fields-closed",
            old,
            new,
            f"{_named(path)}: undeclared fields are refused now.",
            was,
            becomes,
        )
    elif was is False and becomes is not False:
        yield _change(
            "fields-opened",
            old,
            new,
            f"{_named(path)}: undeclared fields are allowed now.",
            was,
            becomes,
        )
    elif was is not becomes and was is not False:
        sides = [
            merge(side.tree, value, f"{side.pointer}/additionalProperties")
            for side, value in ((old, was), (new, becomes))
        ]
        yield from schema_changes(sides[0], sides[1], f"{path}.*", seen)


def _branches(old: FlatSchema, new: FlatSchema, path: str, seen: SeenPairs) -> Changes:
    """Pair the shapes that differ least, compare each pair; what is left over is gone, or new."""
    olds, news = old.alternatives(), new.alternatives()
    compared = {
        (i, j): list(schema_changes(a, b, path, seen))
        for i, a in enumerate(olds)
        for j, b in enumerate(news)
    }
    pairs: dict[int, int] = {}
    for i, j in sorted(
        compared, key=lambda pair: (*_distance(compared[pair]), abs(pair[0] - pair[1]))
    ):
        if i not in pairs and j not in pairs.values():
            pairs[i] = j
    for i, j in sorted(pairs.items()):
        yield from compared[i, j]
    for i, shape in enumerate(olds):
        if i not in pairs and shape.types & new.types:
            yield Change(
                "shape-removed",
                shape.pointer,
                new.pointer,
                f"{_named(path)}: the shape {_shape(shape)} is gone.",
            )
    for j, shape in enumerate(news):
        if j not in pairs.values() and shape.types & old.types:
            yield Change(
                "shape-added",
                old.pointer,
                shape.pointer,
                f"{_named(path)}: the shape {_shape(shape)} is new.",
            )


def _distance(changes: list[Change]) -> tuple[int, int, int]:
    other_type = sum(change.kind in ("type-removed", "type-added") for change in changes)
    return (
        other_type,
        sum(KINDS[change.kind].request == "breaking" for change in changes),
        len(changes),
    )


def _shape(shape: FlatSchema) -> str:
    kind = " or ".join(_type_names(shape.types)) or "nothing"
    return f"{kind} with {', '.join(shape.properties)}" if shape.properties else kind
