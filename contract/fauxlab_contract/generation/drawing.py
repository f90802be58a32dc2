"""Hypothesis strategies for the values of any schema; the smallest of them, for who needs one."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from hypothesis import strategies as st
from hypothesis.errors import HypothesisException, InvalidArgument

from fauxlab_contract.generation.search import simplest
from fauxlab_contract.generation.shapes import NoValueError, kinds_of, shape_of
from fauxlab_contract.generation.values import URIS, listed_values, multiples_of, range_of
from fauxlab_contract.openapi.references import Tree
from fauxlab_contract.openapi.schema import Schema
from fauxlab_contract.openapi.types import types_of

__all__ = ["CHARACTERS", "floats_of", "found", "integers_of", "texts_of", "values_of"]

CHARACTERS = st.characters(exclude_categories=["Cs"])
_MAX_DEPTH = 6
_DEEPEST = 16  # values inside each other
_MORE = 3  # items and characters beyond the fewest
_BY_FORMAT: Mapping[str, st.SearchStrategy[str]] = {
    "uri": st.sampled_from(URIS),
    "uuid": st.uuids(version=4).map(str),
    "date": st.dates().map(str),
    "date-time": st.datetimes(timezones=st.just(None)).map(lambda when: f"{when.isoformat()}Z"),
    "time": st.times().map(lambda when: f"{when.isoformat()}Z"),
    "email": st.from_regex(r"[a-z]{1,8}@example\.com", fullmatch=True),
    "hostname": st.from_regex(r"[a-z]{1,8}\.example\.com", fullmatch=True),
    "ipv4": st.ip_addresses(v=4).map(str),
    "ipv6": st.ip_addresses(v=6).map(str),
}  # fmt: skip


def found(schema: Schema) -> Any:
    """Return the smallest value that is found; always the same. Raise NoValueError if none is."""
    try:
        if schema.refers:
            return _searched(schema)
        return json.loads(_searched_text(json.dumps(schema.value)))
    except (HypothesisException, InvalidArgument, re.error):
        raise NoValueError(f"{schema.pointer}: no valid value for it could be made") from None


@lru_cache(maxsize=256)
def _searched_text(schema: str) -> str:
    """Search for a value of a schema, both as JSON."""
    return json.dumps(_searched(Schema(Tree({}), json.loads(schema), "")))


def _searched(schema: Schema) -> Any:
    return simplest(values_of(schema), schema.validator.is_valid)


def values_of(schema: Schema, depth: int = 0) -> st.SearchStrategy[Any]:
    """Draw values of a schema, nearly all of them valid: whoever needs that filters them."""
    if depth > _DEEPEST:
        raise NoValueError(f"{schema.pointer}: what it requires is inside itself, without an end")
    takes_null = "null" in types_of(schema)  # which ends a list: `next: Node | None`
    if takes_null and depth >= _MAX_DEPTH:
        return st.none()
    try:
        return _values_without_null(schema, depth)
    except NoValueError:
        if not takes_null:
            raise
        return st.none()


def _values_without_null(schema: Schema, depth: int) -> st.SearchStrategy[Any]:
    shape = shape_of(schema)
    keywords = shape.keywords
    if "const" in keywords:
        return st.just(keywords["const"])
    if "enum" in keywords:
        return st.sampled_from(listed_values(schema))
    branches = shape.branches
    if branches and depth < _MAX_DEPTH:
        return _any_of(branches, depth)
    kinds = kinds_of(keywords) or _implied(keywords)
    return st.one_of(*(_of_kind(kind, shape, depth) for kind in kinds))


def _any_of(branches: list[Schema], depth: int) -> st.SearchStrategy[Any]:
    """Draw values of the branches that have an end."""
    strategies = []
    for branch in branches:
        try:
            strategies.append(values_of(branch, depth + 1))
        except NoValueError as error:
            last = error
    if not strategies:
        raise last
    return st.one_of(*strategies)


def _implied(keywords: Mapping[str, Any]) -> list[str]:
    """Return the type that keywords without one are about."""
    if "properties" in keywords or "required" in keywords:
        return ["object"]
    return ["array"] if "items" in keywords or "prefixItems" in keywords else ["string"]


def _of_kind(kind: str, shape: Schema, depth: int) -> st.SearchStrategy[Any]:
    keywords = {**shape.keywords, "type": kind}
    match kind:
        case "integer":
            return integers_of(keywords)
        case "number":
            return floats_of(keywords)
        case "boolean":
            return st.booleans()
        case "array":
            return _arrays(shape, depth)
        case "object":
            return _objects(shape, depth)
    return texts_of(keywords)


def integers_of(keywords: Mapping[str, Any]) -> st.SearchStrategy[int]:
    """Draw whole numbers within the bounds."""
    first, last, step = multiples_of(keywords)
    return st.integers(first, last).map(step.__mul__)


def floats_of(keywords: Mapping[str, Any]) -> st.SearchStrategy[float]:
    """Draw numbers within the bounds."""
    low, high = range_of(keywords)
    exclude_min, exclude_max = "exclusiveMinimum" in keywords, "exclusiveMaximum" in keywords
    return st.floats(low, high, exclude_min=exclude_min, exclude_max=exclude_max)


def texts_of(keywords: Mapping[str, Any]) -> st.SearchStrategy[str]:
    """Draw texts of the pattern, the format and the lengths."""
    least = keywords.get("minLength", 0)
    if "pattern" in keywords:
        return st.from_regex(keywords["pattern"], alphabet=CHARACTERS)
    if keywords.get("format") in _BY_FORMAT:
        return _BY_FORMAT[keywords["format"]]
    most = min(keywords.get("maxLength", least + 40), least + 40)
    return st.text(CHARACTERS, min_size=least, max_size=most)


def _arrays(shape: Schema, depth: int) -> st.SearchStrategy[list[Any]]:
    keywords, prefix, items = shape.keywords, shape.each("prefixItems"), shape.member("items")
    least = keywords.get("minItems", 0)
    most = min(keywords.get("maxItems", least + _MORE), least + _MORE)
    head: st.SearchStrategy[tuple[Any, ...]] = st.tuples(
        *(values_of(item, depth + 1) for item in prefix[:most])
    )
    if items.value is False or depth >= _MAX_DEPTH:
        return head.map(list)
    item = values_of(items, depth + 1) if isinstance(items.value, dict) else st.just("x")
    rest = st.lists(item, min_size=max(0, least - len(prefix)), max_size=max(0, most - len(prefix)))
    return st.tuples(head, rest).map(lambda parts: [*parts[0], *parts[1]])


def _objects(shape: Schema, depth: int) -> st.SearchStrategy[dict[str, Any]]:
    declared, required = shape.properties, shape.required
    known: dict[str, st.SearchStrategy[Any]] = dict.fromkeys(required, st.just("x"))
    optional: dict[str, st.SearchStrategy[Any]] = {}
    for name, schema in declared.items():
        if name in required:
            known[name] = values_of(schema, depth + 1)
        elif depth < _MAX_DEPTH - 2:
            with contextlib.suppress(NoValueError):
                optional[name] = values_of(schema, depth + 1)
    return st.fixed_dictionaries(known, optional=optional)
