"""Where a JSON pointer leads in the text of a document: line and column, for people.

The text is read a second time for this, and only after a mistake.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from fauxlab_contract.core.pointers import pointer_to

__all__ = ["Position", "position_of"]

Position = tuple[int, int]  # line and column, counted from 1
_HALF_CHARACTER = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")


def position_of(data: bytes, pointer: str) -> Position | None:
    """Return where the member or item at `pointer` begins, or the nearest value around it.

    None for a text that YAML cannot read.
    """
    known = _positions(data)
    while pointer and pointer not in known:
        pointer = pointer.rpartition("/")[0]
    return known.get(pointer)


@lru_cache(maxsize=4)
def _positions(data: bytes) -> Mapping[str, Position]:
    """Return the place of each pointer; a member's is that of its name."""
    import yaml

    text = data.decode("utf-8-sig", "replace")
    if text.lstrip().startswith("{"):  # JSON, and what YAML does not take of it; columns stay
        text = _HALF_CHARACTER.sub(r"\\u0000", text).replace("\t", " ")
    events = yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    found: dict[str, Position] = {}
    try:
        for pointer, mark in _marks(events):
            found.setdefault(pointer, (mark.line + 1, mark.column + 1))
    except yaml.YAMLError:
        return {}
    return found


class _Frame:
    """An open list or mapping: where it is, and which item or member comes next."""

    def __init__(self, pointer: str, *, is_list: bool) -> None:
        self.pointer = pointer
        self.next: Any = 0 if is_list else None
        self.mark: Any = None  # of the member's name


def _marks(events: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    """Yield the pointer and the mark of each value, in the order of the text."""
    frames: list[_Frame] = []
    for event in events:
        match type(event).__name__:
            case "ScalarEvent" | "AliasEvent":
                yield from _value(frames, event)
            case "MappingStartEvent" | "SequenceStartEvent" as name:
                places = [*_value(frames, event)]
                yield from places
                pointer = places[0][0] if places else ""
                frames.append(_Frame(pointer, is_list=name == "SequenceStartEvent"))
            case "MappingEndEvent" | "SequenceEndEvent":
                frames.pop()


def _value(frames: list[_Frame], event: Any) -> Iterator[tuple[str, Any]]:
    """Yield the place of the value that begins with `event`; nothing for a member's name."""
    if not frames:
        yield "", event.start_mark
        return
    frame = frames[-1]
    if isinstance(frame.next, int):
        yield frame.pointer + pointer_to([frame.next]), event.start_mark
        frame.next += 1
    elif frame.next is None:
        frame.next, frame.mark = str(getattr(event, "value", "")), event.start_mark
    else:
        yield frame.pointer + pointer_to([frame.next]), frame.mark
        frame.next = None
