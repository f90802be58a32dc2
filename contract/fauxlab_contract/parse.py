"""Text of a document -> a tree of plain JSON values. YAML is read by the rules of YAML 1.2: `yes` is text, dates are text."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Hashable
from functools import lru_cache
from typing import Any, ClassVar

__all__ = ["MAX_DOCUMENT_BYTES", "MAX_DOCUMENT_DEPTH", "MAX_DOCUMENT_VALUES", "ParseError", "parse"]

MAX_DOCUMENT_BYTES = 5 * 2**20
MAX_DOCUMENT_VALUES = 500_000  # counted with every YAML alias written out
MAX_DOCUMENT_DEPTH = 200


class ParseError(ValueError):
    """The text is not a document; says why, and where if that is known."""


def parse(data: bytes) -> Any:
    """Parse JSON or YAML bytes into dicts with text keys, lists, text, numbers, booleans and None."""
    if len(data) > MAX_DOCUMENT_BYTES:
        raise ParseError(f"it is larger than {MAX_DOCUMENT_BYTES} bytes, the limit for a document")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParseError(f"it is not UTF-8 at byte {error.start}") from None
    try:
        tree = json.loads(text) if text.lstrip().startswith("{") else _yaml(text)
    except json.JSONDecodeError:
        tree = _yaml(text)  # a YAML flow mapping starts with a brace as well
    except RecursionError:
        raise ParseError(f"it is nested deeper than {MAX_DOCUMENT_DEPTH} levels") from None
    _check_size(tree)
    return _plain(tree, "")


def _yaml(text: str) -> Any:
    import yaml

    try:
        return yaml.load(text, Loader=_loader())  # noqa: S506 # a safe loader, with fewer implicit types
    except yaml.YAMLError as error:
        raise ParseError(f"it is neither JSON nor YAML: {_one_line(error)}") from None
    except RecursionError:
        raise ParseError(f"it is nested deeper than {MAX_DOCUMENT_DEPTH} levels") from None
    except ValueError as error:  # an explicit tag such as !!int around a text that is none
        raise ParseError(f"it holds a value that cannot be read: {_one_line(error)}") from None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


@lru_cache(maxsize=1)
def _loader() -> Any:
    """PyYAML's safe loader (in C where it exists), taught the implicit types of YAML 1.2 and to refuse doubled keys."""
    import yaml

    base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(base):  # type: ignore[misc, valid-type] # the base is chosen at run time
        yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
            self.flatten_mapping(node)
            seen = set()
            for key, _ in node.value:
                if key.value in seen and isinstance(key.value, str):
                    raise ParseError(f"the key {key.value[:40]!r} stands twice in one mapping, at line {key.start_mark.line + 1}")
                seen.add(key.value if isinstance(key.value, str) else id(key))
            mapping: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
            return mapping

    for tag, pattern, first in (
        ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
        ("int", r"[-+]?[0-9]+", "-+0123456789"),
        ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
        ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
        ("merge", "<<", "<"),
    ):
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(rf"^(?:{pattern})$"), list(first))
    Loader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: _int(loader.construct_scalar(node)))
    Loader.add_constructor("tag:yaml.org,2002:float", lambda loader, node: float(loader.construct_scalar(node)))
    return Loader


def _int(text: str) -> int:
    if len(text) > 64:
        raise ParseError("a number has more than 64 characters")
    return int(text)


def _check_size(tree: Any) -> None:
    """Refuse alias bombs and cycles: count the values as if each alias were written out, without writing them out."""
    count, depth, level = 0, 0, [tree]
    while level:
        depth += 1
        count += len(level)
        if count > MAX_DOCUMENT_VALUES:
            raise ParseError(f"it holds more than {MAX_DOCUMENT_VALUES} values once its aliases are written out")
        if depth > MAX_DOCUMENT_DEPTH:
            raise ParseError(f"it is nested deeper than {MAX_DOCUMENT_DEPTH} levels")
        following: list[Any] = []
        for item in level:
            children = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
            if count + len(following) + len(children) > MAX_DOCUMENT_VALUES:
                raise ParseError(f"it holds more than {MAX_DOCUMENT_VALUES} values once its aliases are written out")
            following.extend(children)
        level = following


def _plain(value: Any, place: str) -> Any:
    match value:
        case dict():
            return {_key(name, place): _plain(item, f"{place}/{name}") for name, item in value.items()}
        case list():
            return [_plain(item, f"{place}/{i}") for i, item in enumerate(value)]
        case float() if not math.isfinite(value):
            raise ParseError(f"{place} is {value}, which is not a JSON number")
        case None | bool() | int() | float() | str():
            return value
        case _:
            raise ParseError(f"{place} has the type {type(value).__name__}, which JSON does not have")


def _key(name: Any, place: str) -> str:
    if isinstance(name, (str, int)) and not isinstance(name, bool):
        return str(name)  # `200:` in YAML is a number
    raise ParseError(f"{place or 'the document'} has the key {name!r}; keys must be text")
