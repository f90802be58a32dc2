"""Places of values, as JSON pointers and as people write them."""

from __future__ import annotations

from typing import Any

import pytest

from fauxlab_contract.core.pointers import dotted, parts_of, pointer_to, value_at


@pytest.mark.parametrize(
    "parts, pointer, field",
    [
        ([], "", ""),
        (["width"], "/width", "width"),
        (["scenes", 0, "prompt"], "/scenes/0/prompt", "scenes[0].prompt"),
        (["a/b~c"], "/a~1b~0c", "a/b~c"),
        (["~1"], "/~01", "~1"),
    ],
)
def test_places_are_pointers_and_people_read_them_dotted(
    parts: list[str | int], pointer: str, field: str
) -> None:
    """A JSON pointer escapes as RFC 6901 says, and reads back as a dotted name."""
    assert (pointer_to(parts), dotted(pointer)) == (pointer, field)
    assert parts_of(pointer) == [str(part) for part in parts]


@pytest.mark.parametrize(
    "pointer, value",
    [("", {"a/b": [5, {"~": 6}]}), ("/a~1b/0", 5), ("/a~1b/1/~0", 6)],
)
def test_a_pointer_leads_to_its_value(pointer: str, value: Any) -> None:
    """The parts of a pointer are members of objects and positions in arrays."""
    assert value_at({"a/b": [5, {"~": 6}]}, pointer) == value


@pytest.mark.parametrize("pointer", ["/b", "/a/1", "/a/b", "/a/0/c"])
def test_a_pointer_to_nothing_is_an_error(pointer: str) -> None:
    """A missing member, a position past the end, and a part below a number are refused."""
    with pytest.raises((LookupError, ValueError, TypeError)):
        value_at({"a": [5]}, pointer)
