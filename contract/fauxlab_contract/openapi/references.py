"""JSON values with their places in a document, and how a `$ref` leads from one to another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Self
from urllib.parse import unquote

from fauxlab_contract.core.pointers import parts_of, pointer_to

__all__ = [
    "MAX_CHAIN",
    "Direction",
    "Node",
    "NoticeKind",
    "Problem",
    "SchemaError",
    "Tree",
    "lost_references",
]

Direction = Literal["request", "reply"]
NoticeKind = Literal[
    "default",
    "fetch-not-recognized",
    "invalid-keyword",
    "lost-name",
    "lost-reference",
    "no-reply-schema",
    "no-value",
    "nullable-without-effect",
    "path-parameter",
    "unchecked-format",
    "unchecked-part",
    "unknown-keyword",
]

_WITH_SCHEMAS = ("paths", "components", "webhooks")
_DATA = ("example", "value", "schema", "schemas")  # no references of OpenAPI stand there
MAX_CHAIN = 64  # references that may follow each other


class SchemaError(ValueError):
    """A defect that makes the document unusable.

    `pointer` says where it stands, the text what is wrong and what to do about it.
    """

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(message)
        self.pointer = pointer


class Problem(NamedTuple):
    """What a notice will say of a document, and what kind of defect it is."""

    text: str
    kind: NoticeKind = "unchecked-part"


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

    _targets: dict[str, _Target] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def root(self) -> Node:
        return Node(self, self.members, "")

    def referred_to_by(self, value: Any) -> dict[str, Any]:
        """Return what a value refers to, through other references too, each thing in its place.

        `{"$ref": "#/components/schemas/A"}` -> `{"components": {"schemas": {"A": {…}}}}`. Items of
        lists are members of objects in it: `{"0": …}`. What leads to nothing is left out.
        """
        found: dict[str, _Target] = {}
        waiting = [*_references(value)]
        while waiting:
            reference = waiting.pop()
            if reference not in found:
                target = self._targets.get(reference) or self._target(reference)
                found[reference] = self._targets[reference] = target
                waiting += target.references
        return _in_their_places([target for target in found.values() if target.parts])

    def _target(self, reference: str) -> _Target:
        try:
            value = self.root.target(reference).value
        except SchemaError:
            return _Target((), None, ())
        parts = parts_of(unquote(reference))
        if parts[0] not in _WITH_SCHEMAS:  # `$schema` would be obeyed
            return _Target((), None, ())
        return _Target(tuple(parts), value, tuple(dict.fromkeys(_references(value))))


def lost_references(node: Node, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield (pointer, problem) of each reference outside schemas and data that leads to nothing.

    What an operation needs is refused before; this is left of callbacks, webhooks, headers, links.
    """
    if name in _DATA or name.startswith("x-"):
        return
    if isinstance(node.value, dict) and isinstance(node.value.get("$ref"), str):
        try:
            _ = node.resolved
        except SchemaError as error:
            yield node.pointer, f"this is not read: {error}"
        return
    for key, member in node.members():
        yield from lost_references(member, key)
    for item in node.items():
        yield from lost_references(item)


class _Target(NamedTuple):
    """Where a reference leads, and the references in what stands there; no parts for nothing."""

    parts: tuple[str, ...]
    value: Any
    references: tuple[str, ...]


def _references(value: Any) -> Iterator[str]:
    """Yield what each `$ref` in a JSON value names."""
    if isinstance(value, dict):
        if isinstance(reference := value.get("$ref"), str):
            yield reference
        for member in value.values():
            yield from _references(member)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


def _in_their_places(targets: Iterable[_Target]) -> dict[str, Any]:
    """Return an object in which each value stands where its parts lead."""
    top: dict[str, Any] = {}
    made = {id(top)}  # objects that are ours; what is inside a value is there already
    for parts, value, _ in sorted(targets, key=lambda target: len(target.parts)):
        here = top
        for part in parts[:-1]:
            if id(here) in made and part not in here:
                here[part] = dict[str, Any]()
                made.add(id(here[part]))
            here = here[part] if id(here) in made else here
        if id(here) in made:
            here.setdefault(parts[-1], value)
    return top


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
        names = parts_of(unquote(reference))
        for name in names:
            try:
                value = value[int(name)] if isinstance(value, list) else value[name]
            except (KeyError, IndexError, ValueError, TypeError):
                raise SchemaError(self.pointer, f"{shown} names nothing in this document") from None
        return type(self)(self.tree, value, pointer_to(names))
