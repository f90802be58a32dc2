"""Judge what a request says beside its body: the parameters of its path, query and headers.

Not judged are cookies, objects, and styles other than the plain ones; nor the id of a job, which
is known or not. What comes under other names than its own is not missing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

from fauxlab_contract.core.pointers import pointer_to
from fauxlab_contract.core.secrets import is_secret_name
from fauxlab_contract.core.violation import Violation, in_order, kind_of
from fauxlab_contract.openapi.operation import Operation
from fauxlab_contract.openapi.parameters import DeclaredParameter
from fauxlab_contract.openapi.schema import Schema
from fauxlab_contract.openapi.types import types_of

__all__ = ["parameter_violations"]

_NUMBER = re.compile(r"[+-]?[0-9]{1,32}(\.[0-9]{1,32})?([eE][+-]?[0-9]{1,3})?")
_WORDS = {"true": True, "1": True, "false": False, "0": False}


def parameter_violations(
    operation: Operation,
    path: Mapping[str, str],
    query: str,
    headers: Mapping[str, str],
    secret: str | None = None,
) -> tuple[Violation, ...]:
    """Return every rule that the parameters of a request break; `()` if they are valid.

    `path` has the values of the path's expressions, `query` is as it stands in the URL, the names
    of `headers` are in lower case. A violation is at `/query/rate`; it shows no value of a header,
    of a parameter with the name of a secret, or with the `secret` in it.
    """
    if not operation.parameters:
        return ()
    asked = parse_qs(query, keep_blank_values=True) if query else {}
    found: list[Violation] = []
    for one in operation.parameters:
        if one.is_ignored or (one.place == "path" and one.name == operation.job_parameter):
            continue
        texts = _texts(one, path, asked, headers)
        if texts:
            found += _hidden(one, texts, secret, _broken(one, texts))
        elif one.is_required and one.has_own_name and one.place in ("query", "header"):
            place = pointer_to([one.place, one.name])
            found.append(Violation(place, "parameter", True, "nothing"))
    return in_order(found)


def _texts(
    one: DeclaredParameter,
    path: Mapping[str, str],
    query: Mapping[str, list[str]],
    headers: Mapping[str, str],
) -> list[str]:
    """Return what was sent for a parameter; `[]` for nothing."""
    if one.place == "query":
        return query.get(one.name, [])
    sent = path.get(one.name) if one.place == "path" else headers.get(one.name.lower())
    if sent is None:
        return []
    return [sent.encode("utf-8", "replace").decode()]  # half a surrogate pair is no text


def _broken(one: DeclaredParameter, texts: list[str]) -> tuple[Violation, ...]:
    """Return what the value breaks, read in the way that breaks the least; `()` if one is valid.

    A text may stand for a number, so that of another type than declared breaks the most.
    """
    if one.unjudged or one.schema is None or (one.may_be_empty and texts == [""]):
        return ()
    check = one.schema.validator
    readings = [*_readings(one, one.schema, texts)][::-1]  # of equals, the text as it came
    found = [check.violations(value) for value in readings]
    least = min(found, key=lambda broken: [violation.keyword == "type" for violation in broken])
    start = pointer_to([one.place, one.name])
    return tuple(replace(each, pointer=start + each.pointer, hint="") for each in least)


def _readings(one: DeclaredParameter, schema: Schema, texts: list[str]) -> Iterator[Any]:
    """Yield the values that a parameter may stand for."""
    if "array" in types_of(schema):
        parts = texts if one.is_exploded else [part.strip() for part in texts[-1].split(",")]
        items = [*_items_of(schema)]
        yield [_item(part, items) for part in parts]
        yield [next(_scalars(part)) for part in parts]
        yield parts
    if types_of(schema) != {"array"}:
        yield from _scalars(texts[-1])


def _items_of(schema: Schema) -> Iterator[Schema]:
    """Yield what a schema, its parts and its branches say of the items of a list."""
    here = schema.resolved
    items = Schema.of(here.member("items"))
    yield from here.each("prefixItems")
    if isinstance(items.value, dict):
        yield items
    for part in (*here.each("allOf"), *here.branches):
        yield from _items_of(part)


def _item(text: str, schemas: Iterable[Schema]) -> Any:
    """Return what an item stands for: the first reading that a schema takes, else the text."""
    readings = (
        value
        for value in _scalars(text)
        if any(schema.validator.is_valid(value) for schema in schemas)
    )
    return next(readings, text)


def _scalars(text: str) -> Iterator[Any]:
    """Yield what a text may stand for: `"1"` -> 1, True, "1"."""
    if _NUMBER.fullmatch(text):
        number = float(text) if re.search("[.eE]", text) else int(text)
        if math.isfinite(number):  # 1e999 is not, and JSON has no such number
            yield number
    if text.lower() in _WORDS:
        yield _WORDS[text.lower()]
    if text in ("", "null"):
        yield None
    yield text


def _hidden(
    one: DeclaredParameter, texts: list[str], secret: str | None, found: Iterable[Violation]
) -> Iterator[Violation]:
    """Yield the violations without descriptions of values that may be secret."""
    is_secret = one.place == "header" or is_secret_name(one.name)
    is_secret = is_secret or (bool(secret) and any(str(secret) in text for text in texts))
    for violation in found:
        yield replace(violation, found=kind_of(texts[-1])) if is_secret else violation
