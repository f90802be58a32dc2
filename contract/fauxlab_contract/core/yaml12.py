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
_NO_YAML = "it is neither JSON nor YAML"


class ParseError(ValueError):
    """The text is not a document; says why, and where if that is known.

    `line` and `column` count from 1; both are 0 if the place is not known.
    """

    def __init__(self, problem: str, line: int = 0, column: int = 0) -> None:
        super().__init__(f"line {line}, column {column}: {problem}" if line else problem)
        self.problem, self.line, self.column = problem, line, column


def parse(data: bytes) -> Any:
    """Return dicts with text keys, lists, text, numbers, booleans and None; raise ParseError."""
    if len(data) > MAX_DOCUMENT_BYTES:
        raise ParseError(f"it is larger than {MAX_DOCUMENT_BYTES} bytes, the limit for a document")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = _place(data[: error.start].decode())
        raise ParseError("it is not UTF-8", line, column) from None
    try:
        tree = _json(text) if text.lstrip().startswith("{") else _yaml(text)
    except RecursionError:
        raise _too_deep() from None
    _check_size(tree)
    return _plain(tree, "")


def _place(before: str) -> tuple[int, int]:
    """Return line and column of what comes after a text: `"a\nb"` -> `(2, 2)`."""
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _json(text: str) -> Any:
    """Return the values of JSON, or of a YAML flow mapping, which starts with a brace as well."""
    try:
        return json.loads(text, object_pairs_hook=_object, parse_int=_int)
    except ParseError as error:
        _yaml(text.replace("\t", " "))  # finds the same, and where it is
        raise error from None
    except json.JSONDecodeError as error:
        try:
            return _yaml(text)
        except ParseError as flaw:
            if flaw.problem.startswith(_NO_YAML):
                raise ParseError(
                    f"it is not JSON: {error.msg}", error.lineno, error.colno
                ) from None
            raise


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, value in pairs:
        if name in result:
            raise ParseError(f"the key {name[:40]!r} appears twice in one object")
        result[name] = value
    return result


def _int(text: str, mark: tuple[int, int] = (0, 0)) -> int:
    if len(text) > _MAX_NUMBER_CHARS:
        raise ParseError(f"a number has more than {_MAX_NUMBER_CHARS} characters", *mark)
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
    except yaml.MarkedYAMLError as error:
        raise _broken(error) from None
    except yaml.YAMLError as error:  # a character that YAML forbids
        reason = str(getattr(error, "reason", error))
        place = _place(text[: getattr(error, "position", 0)])
        raise ParseError(f"{_NO_YAML}: {reason[:300]}", *place) from None
    return tree.top[0] if tree.top else None


def _broken(error: Any) -> ParseError:
    """Return what PyYAML says is broken, where, and where the broken thing begins."""
    at = error.problem_mark or error.context_mark
    begins = error.context_mark
    start = f" (from line {begins.line + 1})" if begins and begins.line != at.line else ""
    said = f"{error.context}{start}: {error.problem}" if error.context else str(error.problem)
    return ParseError(f"{_NO_YAML}: {said[:300]}", *(_mark_of(at) if at else ()))


def _mark_of(mark: Any) -> tuple[int, int]:
    """Return line and column of PyYAML's mark, counted from 1."""
    return mark.line + 1, mark.column + 1


def _at(problem: str, mark: Any) -> ParseError:
    return ParseError(problem, *_mark_of(mark))


class _Builder:
    """Values that grow by one YAML event at a time."""

    def __init__(self) -> None:
        self.top: list[Any] = []  # the documents of the stream; one is allowed
        self.open: list[Any] = [self.top]  # the lists and dicts around the next value
        self.keys: list[str | None] = [None]  # for each of them the key that waits for its value
        self.anchors: dict[str, Any] = {}

    def take(self, event: Any) -> None:
        mark = event.start_mark
        match type(event).__name__:
            case "DocumentStartEvent" if self.top:
                raise _at("a second document starts here; one is allowed", mark)
            case "ScalarEvent":
                self.add(_scalar(event, mark), event.anchor, mark)
            case "AliasEvent":
                self.add(self.named(event.anchor, mark), None, mark)
            case "MappingStartEvent" | "SequenceStartEvent" as name:
                _check_tag(event, "map" if name == "MappingStartEvent" else "seq", mark)
                self.enter({} if name == "MappingStartEvent" else [], event.anchor, mark)
            case "MappingEndEvent" | "SequenceEndEvent":
                self.open.pop()
                self.keys.pop()

    def enter(self, value: Any, anchor: str | None, mark: Any) -> None:
        """Add an empty list or dict, which the next values go into."""
        self.add(value, anchor, mark)
        self.open.append(value)
        self.keys.append(None)
        if len(self.open) > MAX_DOCUMENT_DEPTH:
            raise _too_deep()

    def add(self, value: Any, anchor: str | None, mark: Any) -> None:
        if anchor is not None:
            self.anchors[anchor] = value
        parent, key = self.open[-1], self.keys[-1]
        if isinstance(parent, list):
            parent.append(value)
        elif key is None:
            self.keys[-1] = _key(value, parent, mark)
        else:
            parent[key] = value
            self.keys[-1] = None

    def named(self, anchor: str, mark: Any) -> Any:
        if anchor not in self.anchors:
            raise _at(f"the alias *{anchor[:40]} has no anchor", mark)
        value = self.anchors[anchor]
        if any(value is item for item in self.open):
            raise _at(f"the alias *{anchor[:40]} is inside the value that it names", mark)
        return value


def _key(value: Any, mapping: dict[str, Any], mark: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise _at("a key is not a string; put it in quotes", mark)
    if value == "<<":
        raise _at("the merge key << is not part of YAML 1.2; write the members out", mark)
    key = str(value)  # `200:` in YAML is a number
    if key in mapping:
        raise _at(f"the key {key[:40]!r} appears twice in one mapping", mark)
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


def _scalar(event: Any, mark: Any) -> Any:
    """Return the value of a scalar; in quotes it is text, unless a tag such as !!int says more."""
    tag, text = event.tag, event.value
    if tag in ("!", _TAG + "str") or (tag is None and not event.implicit[0]):
        return text
    for name, pattern, read in _SCALARS:
        if tag in (None, _TAG + name) and pattern.fullmatch(text):
            return _int(text, _mark_of(mark)) if name == "int" else read(text)
    _check_tag(event, "str", mark)
    return text


def _check_tag(event: Any, name: str, mark: Any) -> None:
    if event.tag not in (None, "!", _TAG + name):
        raise _at(
            f"the tag {event.tag[:80]} does not fit its value, or has no equivalent in JSON", mark
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
