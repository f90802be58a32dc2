"""JSON pointers (RFC 6901): where a value stands in a body or in a document."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["dotted", "parts_of", "pointer_to", "value_at"]


def pointer_to(parts: Iterable[str | int]) -> str:
    """`["a/b", 0]` -> `/a~1b/0`."""
    return "".join(["/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts])


def parts_of(pointer: str) -> list[str]:
    """`/a~1b/0` -> `["a/b", "0"]`; the empty pointer has no parts."""
    parts = pointer.split("/")[1:]
    return [part.replace("~1", "/").replace("~0", "~") for part in parts]


def value_at(value: Any, pointer: str) -> Any:
    """Return what stands at a pointer. Raise LookupError, ValueError or TypeError if nothing does.

    `value_at({"a": [5]}, "/a/0")` -> `5`
    """
    for part in parts_of(pointer):
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value


def dotted(pointer: str) -> str:
    """Return the place as people write it: `/scenes/0/prompt` -> `scenes[0].prompt`."""
    place, *others = parts_of(pointer) or [""]
    for part in others:
        place += f"[{part}]" if part.isdigit() else f".{part}"
    return place
