"""Which links to pictures are inside a result, whatever it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["links_in"]

MAX_DEPTH = 5  # of the values inside a result that are searched for links


def links_in(value: Any, depth: int = 0) -> set[str]:
    """Return every link to a picture (a PNG) inside a result: a text, a reply, any object.

    `{"output": ["http://…/a.png"]}` -> `{"http://…/a.png"}`
    """
    if isinstance(value, str):
        without_query, _, _ = value.partition("?")
        is_link = value.startswith("http") and without_query.endswith(".png")
        return {value} if is_link else set()
    if depth > MAX_DEPTH:
        return set()
    links: set[str] = set()
    for inner in _inside(value):
        links |= links_in(inner, depth + 1)
    return links


def _inside(value: Any) -> Iterable[Any]:
    """Return the values inside another: members, elements or attributes."""
    if value is None or isinstance(value, (bytes, int, float)):
        return ()
    if isinstance(value, Mapping):
        return value.values()
    if isinstance(value, (list, tuple, set, frozenset)):
        return value
    names = getattr(value, "__slots__", ()) or getattr(value, "__dict__", ())
    return [getattr(value, name, None) for name in names]
