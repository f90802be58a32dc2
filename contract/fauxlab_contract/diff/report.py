"""What changes for clients from one document to another.

Requests and replies are judged in opposite directions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

from fauxlab_contract.core.rules import SEVERITIES, Finding, Findings, field_at
from fauxlab_contract.core.text import counted
from fauxlab_contract.diff.kinds import EFFECTS, KINDS, Change, Effect, Side
from fauxlab_contract.diff.operations import operation_changes
from fauxlab_contract.openapi.document import Document, check_document
from fauxlab_contract.openapi.operation import Operation

__all__ = ["Diff", "DocumentChange", "compare_documents"]

_SHOWN_OPERATIONS = 3
_PARAMETER = re.compile(r"\{[^{}]+\}")


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
        numbers = [(self.count(severity), EFFECTS[severity]) for severity in SEVERITIES]
        counts = [counted(number, f"{effect} changes") for number, effect in numbers if number]
        return f"{names}: {', '.join(counts) or 'nothing changes for clients'}"

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

    Descriptions and examples are not compared. Raises SchemaError for an invalid `x-fauxlab` in a
    callback, which serving a document does not read.
    """
    check_document(old, "old")
    check_document(new, "new")
    changes: dict[tuple[Any, ...], DocumentChange] = {}
    for name, side, change in _changes(old, new):
        key = (side, *change[:4])
        known = changes.get(key) or _document_change(old, new, side, change)
        if name is not None and name not in known.operations:
            known = replace(known, operations=(*known.operations, name))
        changes[key] = known
    ordered = sorted(changes.values(), key=lambda change: SEVERITIES.index(change.severity))
    return Diff(tuple(ordered), old_source=old.source, new_source=new.source)


def _document_change(old: Document, new: Document, side: Side, change: Change) -> DocumentChange:
    return DocumentChange(
        change.kind,
        KINDS[change.kind].severity_on(side),
        change.message,
        field=field_at(change.new_pointer) or field_at(change.old_pointer),
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
    if (old.origin, old.base_path) != (new.origin, new.base_path):
        was, becomes = old.origin + old.base_path, new.origin + new.base_path
        message = f"The address goes from {was} to {becomes}."
        change = Change("server-changed", "/servers", "/servers", message, was, becomes)
        yield None, "document", change
    olds = {_key(operation): operation for operation in old.operations}
    news = {_key(operation): operation for operation in new.operations}
    for key, operation in olds.items():
        if key not in news:
            yield (
                operation.name,
                "document",
                Change("operation-removed", operation.pointer, "", f"{operation.name} is gone."),
            )
        else:
            for side, change in operation_changes(old, operation, new, news[key]):
                yield operation.name, side, change
    for key, operation in news.items():
        if key not in olds:
            yield (
                operation.name,
                "document",
                Change("operation-added", "", operation.pointer, f"{operation.name} is new."),
            )


def _key(operation: Operation) -> tuple[str, str]:
    """Return method and path, without the names of path parameters: callers do not see them."""
    path = operation.path.rstrip("/")
    return operation.method, _PARAMETER.sub("{}", path)
