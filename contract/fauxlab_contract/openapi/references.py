"""JSON values with their places in a document, and how a `$ref` leads from one to another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self
from urllib.parse import unquote

from fauxlab_contract.core.pointers import parts_of, pointer_to

__all__ = ["MAX_CHAIN", "Direction", "Node", "SchemaError", "Tree"]

Direction = Literal["request", "reply"]

MAX_CHAIN = 64  # references that may follow each other


class SchemaError(ValueError):
    """A defect that makes the document unusable.

    `pointer` says where it stands, the text what is wrong and what to do about it.
    """

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(message)
        self.pointer = pointer


@dataclass(frozen=True, slots=True)
class Tree:
    """A whole document as JSON values.

    `compiled` holds what `Schema.validator` has compiled so far: pointer -> (schema, validator).
    `version` is that of OpenAPI. A tree with a `direction` is the document as it judges requests,
    or replies; `views` holds these.
    """

    members: Mapping[str, Any]
    version: str = "3.1"
    direction: Direction | None = None
    compiled: dict[str, tuple[Any, Any]] = field(default_factory=dict, repr=False, compare=False)
    views: dict[Direction, Tree] = field(default_factory=dict, repr=False, compare=False)

    @property
    def root(self) -> Node:
        return Node(self, self.members, "")


@dataclass(frozen=True, slots=True)
class Node:
    """A JSON value and its place: `value` stands at the JSON pointer `pointer` of `tree`."""

    tree: Tree = field(repr=False, compare=False)
    value: Any
    pointer: str

    def part(self, *names: str | int) -> Self:
        """Return what stands below; `node.part("oneOf", 0)` is at `…/oneOf/0`. Raise KeyError."""
        value = self.value
        for name in names:
            value = value[name]
        return type(self)(self.tree, value, self.pointer + pointer_to(names))

    def member(self, name: str) -> Self:
        """Return a member of an object; its value is None when there is no such member."""
        value = self.value.get(name) if isinstance(self.value, dict) else None
        return type(self)(self.tree, value, self.pointer + pointer_to([name]))

    def members(self) -> Iterator[tuple[str, Self]]:
        """Yield each name and member of an object; nothing for other values."""
        if isinstance(self.value, dict):
            for name in self.value:
                yield name, self.part(name)

    def items(self) -> Iterator[Self]:
        """Yield each item of an array; nothing for other values."""
        if isinstance(self.value, list):
            for index in range(len(self.value)):
                yield self.part(index)

    @property
    def resolved(self) -> Self:
        """The value that a chain of `$ref`s leads to; this value if it is not a reference."""
        node, seen = self, list[str]()
        while isinstance(node.value, dict) and isinstance(reference := node.value.get("$ref"), str):
            if reference in seen:
                circle = " -> ".join([*seen, reference])
                raise SchemaError(node.pointer, f"$ref goes in a circle: {circle}")
            if len(seen) == MAX_CHAIN:
                raise SchemaError(
                    node.pointer, f"$ref leads through more than {MAX_CHAIN} references"
                )
            seen.append(reference)
            node = node.target(reference)
        return node

    def target(self, reference: str) -> Self:
        """Return what a `$ref` of this value names (`#/…`), which may be a reference again."""
        shown = f"$ref {reference[:200]!r}"
        if not reference.startswith("#"):
            raise SchemaError(
                self.pointer,
                f"{shown} points outside this document; nothing is ever fetched or opened:"
                " copy what it names to here",
            )
        if not reference.startswith("#/"):
            raise SchemaError(
                self.pointer, f"{shown} is not a path; write it such as #/components/schemas/Name"
            )
        value: Any = self.tree.members
        for name in parts_of(unquote(reference)):
            try:
                value = value[int(name)] if isinstance(value, list) else value[name]
            except (KeyError, IndexError, ValueError, TypeError):
                raise SchemaError(self.pointer, f"{shown} names nothing in this document") from None
        return type(self)(self.tree, value, reference[1:])
