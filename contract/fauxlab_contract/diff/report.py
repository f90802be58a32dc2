"""What changes for clients from one document to another.

Requests and replies are judged in opposite directions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

from fauxlab_contract.core.rules import SEVERITIES, Finding, Findings
from fauxlab_contract.core.text import counted
from fauxlab_contract.diff.flat_schema import flatten
from fauxlab_contract.diff.kinds import EFFECTS, KINDS, Change, Effect, Side
from fauxlab_contract.diff.operations import check_hooks, operation_changes, webhook_changes
from fauxlab_contract.diff.pairs import moves, pair_operations
from fauxlab_contract.diff.schemas import schema_changes
from fauxlab_contract.openapi.document import Document, check_document
from fauxlab_contract.openapi.references import SchemaError
from fauxlab_contract.openapi.schema import Schema

__all__ = ["Diff", "DocumentChange", "compare_documents"]

_SHOWN_OPERATIONS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentChange(Finding):
    """One change, and all operations that it touches.

    A pointer is empty if the thing is not in that document, and so is its position in the text,
    `new.yaml:12:3`.
    """

    side: Side
    old_pointer: str
    new_pointer: str
    old: Any
    new: Any
    operations: tuple[str, ...]
    old_position: str = ""
    new_position: str = ""

    @property
    def kind(self) -> str:
        """The id of the change, a key of KINDS."""
        return self.rule

    @property
    def effect(self) -> Effect:
        """The severity as readers of a diff see it: breaking, risky or harmless."""
        return EFFECTS[self.severity]

    def found_at(self) -> tuple[str, ...]:
        return self.operations

    def __str__(self) -> str:
        return self.line(f"{self.effect}: {self.side}: {self.message}")

    def as_dict(self) -> dict[str, Any]:
        """Return the change as values for JSON, with the words that readers of a diff see."""
        values = asdict(self)
        return {"kind": values.pop("rule"), **values, "severity": self.effect}


@dataclass(frozen=True, slots=True)
class Diff(Findings):
    """All changes between two documents, the most serious first. `changes` are its findings."""

    findings: tuple[DocumentChange, ...] = ()
    waived: tuple[DocumentChange, ...] = ()
    old_source: str = ""
    new_source: str = ""
    unused_waivers: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    judge: ClassVar = "diff"
    known_rules: ClassVar = KINDS

    @property
    def changes(self) -> tuple[DocumentChange, ...]:
        """The changes that are not waived."""
        return self.findings

    @property
    def is_breaking(self) -> bool:
        """True if a client that worked with the old document may fail with the new one."""
        return not self.is_ok

    def as_dict(self) -> dict[str, Any]:
        """Return the diff as values for JSON, with the number of changes of each effect."""
        return {
            "old": self.old_source,
            "new": self.new_source,
            "is_ok": self.is_ok,
            "is_breaking": self.is_breaking,
            **{EFFECTS[severity]: self.count(severity) for severity in SEVERITIES},
            "changes": [change.as_dict() for change in self.changes],
            "waived": [change.as_dict() for change in self.waived],
            "unused_waivers": list(self.unused_waivers),
            "gone": list(self.gone),
        }

    def headline(self) -> str:
        """Return the names of both documents, and how many changes have which effect."""
        names = f"{self.old_source} -> {self.new_source}"
        nothing = "nothing changes for clients"
        if self.waived:
            nothing = f"nothing else changes for clients; known: {_counts(self.waived)}"
        return f"{names}: {_counts(self.findings) or nothing}"

    def __str__(self) -> str:
        return "\n".join([self.headline(), *self._lines(), *self.remarks()])

    def _lines(self) -> Iterator[str]:
        for severity in SEVERITIES:
            changes = [change for change in self.changes if change.severity == severity]
            if changes:
                yield f"\n{EFFECTS[severity]}:"
            for change in changes:
                yield f"  - {change.side}: {change.message}"
                for line in (_operations(change), *_places(change)):
                    if line:
                        yield f"      {line}"
        yield from self.waived_lines()


def _counts(changes: Sequence[DocumentChange]) -> str:
    """Return `2 breaking changes, 1 harmless change`; empty if there is none."""
    effects = Counter(change.effect for change in changes)
    ordered = [EFFECTS[severity] for severity in SEVERITIES]
    counts = [counted(effects[one], f"{one} changes") for one in ordered if effects[one]]
    return ", ".join(counts)


def _operations(change: DocumentChange) -> str:
    if change.side == "document":
        return ""  # the message names it
    names = ", ".join(change.operations[:_SHOWN_OPERATIONS])
    left = len(change.operations) - _SHOWN_OPERATIONS
    if left > 0:
        names += f" and {counted(left, 'more operations')}"
    return names


def _places(change: DocumentChange) -> Iterator[str]:
    places = (
        ("old", change.old_position, change.old_pointer),
        ("new", change.new_position, change.new_pointer),
    )
    for name, position, place in places:
        if place:
            yield f"{name} {position} {place}".replace("  ", " ")


def compare_documents(old: Document, new: Document) -> Diff:
    """Return every change from `old` to `new` that a client may notice.

    Descriptions and examples are not compared. Raises DocumentError, with file, line and column,
    for what serving a document does not read: a `$ref` that leads to nothing in a callback or a
    webhook, or an invalid `x-fauxlab` there.
    """
    check_document(old, "old")
    check_document(new, "new")
    for document in (old, new):
        try:
            check_hooks(document)
        except SchemaError as error:
            raise document.error(error) from None
    changes: dict[tuple[Any, ...], DocumentChange] = {}
    for name, side, change in _changes(old, new):
        key = _key(side, change)
        known = changes.get(key) or _document_change(old, new, side, change)
        if name is not None and name not in known.operations:
            known = replace(known, operations=(*known.operations, name))
        changes[key] = known
    ordered = sorted(changes.values(), key=lambda change: SEVERITIES.index(change.severity))
    return Diff(tuple(ordered), old_source=old.source, new_source=new.source)


def _key(side: Side, change: Change) -> tuple[Any, ...]:
    """Return what makes two changes the same: a word is missing at no place of its own."""
    places: tuple[str | None, ...] = (change.old_pointer, change.new_pointer)
    if change.kind == "word-added":
        places = (change.new_pointer,)
    elif change.kind == "word-removed":
        places = (change.old_pointer,)
    return (side, change.kind, change.message, *places)


def _document_change(old: Document, new: Document, side: Side, change: Change) -> DocumentChange:
    return DocumentChange(
        change.kind,
        KINDS[change.kind].severity_on(side),
        change.message,
        field=change.field,
        side=side,
        old_pointer=change.old_pointer,
        new_pointer=change.new_pointer,
        old=change.old,
        new=change.new,
        operations=(),
        old_position=old.place_of(change.old_pointer) if change.old_pointer else "",
        new_position=new.place_of(change.new_pointer) if change.new_pointer else "",
    )


PlacedChanges = Iterator[tuple[str | None, Side, Change]]  # operation, side, change


def _changes(old: Document, new: Document) -> PlacedChanges:
    pairs = list(pair_operations(old, new))
    for was, becomes in moves(pairs):
        message = f"The address goes from {was} to {becomes}."
        change = Change("server-changed", "/servers", "/servers", message, was, becomes)
        yield None, "document", change
    for name, change in webhook_changes(old, new):
        yield name, "reply", change
    if not any(document.operations or "webhooks" in document.tree for document in (old, new)):
        yield from _component_changes(old, new)
    for before, after in pairs:
        if before and after:
            for side, change in operation_changes(old, before, new, after):
                yield before.name, side, change
        elif before:
            message = f"{before.name} is gone."
            change = Change("operation-removed", before.pointer, "", message)
            yield before.name, "document", change
        elif after:
            message = f"{after.name} is new."
            yield after.name, "document", Change("operation-added", "", after.pointer, message)


def _component_changes(old: Document, new: Document) -> PlacedChanges:
    """Compare the schemas of documents that hold nothing else, which may be sent or read."""
    olds, news = (
        dict(document.root.member("components").member("schemas").members())
        for document in (old, new)
    )
    for name in dict.fromkeys([*olds, *news]):
        before, after = olds.get(name), news.get(name)
        if before and after:
            changes = schema_changes(flatten(Schema.of(before)), flatten(Schema.of(after)))
        elif before:
            message = f"The schema {name} is gone."
            changes = iter([Change("schema-removed", before.pointer, "", message)])
        elif after:
            changes = iter(
                [Change("schema-added", "", after.pointer, f"The schema {name} is new.")]
            )
        for change in changes:
            yield f"schema {name}", "document", change
