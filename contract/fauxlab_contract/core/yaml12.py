"""Read a JSON or YAML document into plain JSON values.

YAML is read by the rules of YAML 1.2: `yes` is text, and so is a date.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Collection
from typing import Any

__all__ = ["MAX_DOCUMENT_BYTES", "MAX_DOCUMENT_DEPTH", "MAX_DOCUMENT_VALUES", "ParseError", "parse"]

MAX_DOCUMENT_BYTES = 5 * 2**20
MAX_DOCUMENT_VALUES = 500_000  # counted with every YAML alias written out
MAX_DOCUMENT_DEPTH = 200
_MAX_NUMBER_CHARS = 64


class ParseError(ValueError):
    """The text is not a document; says why, and where if that is known."""


def parse(data: bytes) -> Any:
    """Return dicts with text keys, lists, text, numbers, booleans and None; raise ParseError."""
    if len(data) > MAX_DOCUMENT_BYTES:
        raise ParseError(f"it is larger than {MAX_DOCUMENT_BYTES} bytes, the limit for a document")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParseError(f"it is not UTF-8 at byte {error.start}") from None
    try:
        tree = (
            json.loads(text, object_pairs_hook=_object, parse_int=_int)
            if text.lstrip().startswith("{")
            else _yaml(text)
        )
    except json.JSONDecodeError:
        tree = _yaml(text)  # a YAML flow mapping starts with a brace as well
    except RecursionError:
        raise _too_deep() from None
    _check_size(tree)
    return _plain(tree, "")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, value in pairs:
        if name in result:
            raise ParseError(f"the key {name[:40]!r} appears twice in one object")
        result[name] = value
    return result


def _int(text: str) -> int:
    if len(text) > _MAX_NUMBER_CHARS:
        raise ParseError(f"a number has more than {_MAX_NUMBER_CHARS} characters")
    return int(text)


def _too_deep() -> ParseError:
    return ParseError(f"it is nested deeper than {MAX_DOCUMENT_DEPTH} levels")


def _yaml(text: str) -> Any:
    """Build the values from PyYAML's events, which its C parser yields where it is installed.

    PyYAML's own loaders crash on deep nesting, and know types that JSON does not have.
    """
    import yaml

    tree = _Builder()
    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            tree.take(event)
    except yaml.YAMLError as error:
        on_one_line = " ".join(str(error).split())
        raise ParseError(f"it is neither JSON nor YAML: {on_one_line[:300]}") from None
    return tree.top[0] if tree.top else None


class _Builder:
    """Values that grow by one YAML event at a time."""

    def __init__(self) -> None:
        self.top: list[Any] = []  # the documents of the stream; one is allowed
        self.open: list[Any] = [self.top]  # the lists and dicts around the next value
        self.keys: list[str | None] = [None]  # for each of them the key that waits for its value
        self.anchors: dict[str, Any] = {}

    def take(self, event: Any) -> None:
        line = event.start_mark.line + 1
        match type(event).__name__:
            case "DocumentStartEvent" if self.top:
                raise ParseError(f"a second document starts at line {line}; one is allowed")
            case "ScalarEvent":
                self.add(_scalar(event, line), event.anchor, line)
            case "AliasEvent":
                self.add(self.named(event.anchor, line), None, line)
            case "MappingStartEvent" | "SequenceStartEvent" as name:
                _check_tag(event, "map" if name == "MappingStartEvent" else "seq", line)
                self.enter({} if name == "MappingStartEvent" else [], event.anchor, line)
            case "MappingEndEvent" | "SequenceEndEvent":
                self.open.pop()
                self.keys.pop()

    def enter(self, value: Any, anchor: str | None, line: int) -> None:
        """Add an empty list or dict, which the next values go into."""
        self.add(value, anchor, line)
        self.open.append(value)
        self.keys.append(None)
        if len(self.open) > MAX_DOCUMENT_DEPTH:
            raise _too_deep()

    def add(self, value: Any, anchor: str | None, line: int) -> None:
        if anchor is not None:
            self.anchors[anchor] = value
        parent, key = self.open[-1], self.keys[-1]
        if isinstance(parent, list):
            parent.append(value)
        elif key is None:
            self.keys[-1] = _key(value, parent, line)
        else:
            parent[key] = value
            self.keys[-1] = None

    def named(self, anchor: str, line: int) -> Any:
        if anchor not in self.anchors:
            raise ParseError(f"the alias *{anchor[:40]} at line {line} has no anchor")
        value = self.anchors[anchor]
        if any(value is item for item in self.open):
            raise ParseError(
                f"the alias *{anchor[:40]} at line {line} is inside the value that it names"
            )
        return value


def _key(value: Any, mapping: dict[str, Any], line: int) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise ParseError(f"a key at line {line} is not a string; put it in quotes")
    if value == "<<":
        raise ParseError(
            f"the merge key << at line {line} is not part of YAML 1.2; write the members out"
        )
    key = str(value)  # `200:` in YAML is a number
    if key in mapping:
        raise ParseError(f"the key {key[:40]!r} appears twice in one mapping, at line {line}")
    return key


# The types of YAML 1.2 that OpenAPI allows, and how their values look without quotes; everything
# else is text.
_SCALARS: tuple[tuple[str, re.Pattern[str], Callable[[str], Any]], ...] = (
    ("null", re.compile(r"~|null|Null|NULL|"), lambda _: None),
    ("bool", re.compile(r"true|True|TRUE|false|False|FALSE"), lambda text: text.lower() == "true"),
    ("int", re.compile(r"[-+]?[0-9]+"), _int),
    ("float", re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
)
_TAG = "tag:yaml.org,2002:"


def _scalar(event: Any, line: int) -> Any:
    """Return the value of a scalar; in quotes it is text, unless a tag such as !!int says more."""
    tag, text = event.tag, event.value
    if tag in ("!", _TAG + "str") or (tag is None and not event.implicit[0]):
        return text
    for name, pattern, read in _SCALARS:
        if tag in (None, _TAG + name) and pattern.fullmatch(text):
            return read(text)
    _check_tag(event, "str", line)
    return text


def _check_tag(event: Any, name: str, line: int) -> None:
    if event.tag not in (None, "!", _TAG + name):
        raise ParseError(
            f"the tag {event.tag[:80]} at line {line} does not fit its value, or has no"
            " equivalent in JSON"
        )


def _check_size(tree: Any) -> None:
    """Refuse alias bombs: count the values as if each alias was replaced by what it names."""
    count, depth, level = 0, 0, [tree]
    while level:
        depth += 1
        count += len(level)
        if depth > MAX_DOCUMENT_DEPTH:
            raise _too_deep()
        following: list[Any] = []
        for item in level:
            children = _children(item)
            if count + len(following) + len(children) > MAX_DOCUMENT_VALUES:
                raise ParseError(
                    f"it holds more than {MAX_DOCUMENT_VALUES} values once its aliases are"
                    " written out"
                )
            following.extend(children)
        level = following


def _children(value: Any) -> Collection[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _plain(value: Any, place: str) -> Any:
    """Return a copy in which nothing is shared; refuse what cannot be sent as JSON."""
    match value:
        case dict():
            return {
                _whole(name, place): _plain(item, f"{place}/{name}") for name, item in value.items()
            }
        case list():
            return [_plain(item, f"{place}/{i}") for i, item in enumerate(value)]
        case float() if not math.isfinite(value):
            raise ParseError(f"{place} is {value}, which is not a JSON number")
        case str():
            return _whole(value, place)
    return value


def _whole(text: str, place: str) -> str:
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        shown = ascii(place) if place else "the document"
        raise ParseError(f"{shown} holds half of a surrogate pair; write whole characters")
    return text
