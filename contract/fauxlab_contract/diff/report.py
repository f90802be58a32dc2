"""What changes for clients from one document to another: for requests and replies, each in its own
direction.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from fauxlab_contract.diff.kinds import KINDS, Change, Side
from fauxlab_contract.diff.operations import operation_changes
from fauxlab_contract.openapi.document import Document
from fauxlab_contract.openapi.operation import Operation

__all__ = ["Diff", "DocumentChange", "compare_documents"]

_SEVERITIES = ("breaking", "risky", "harmless")
_PARAMETER = re.compile(r"\{[^{}]+\}")


@dataclass(frozen=True, slots=True)
class DocumentChange:
    """One change, and all operations that it touches. Pointers are empty where the thing does not
    stand.
    """

    kind: str
    severity: str
    side: str
    message: str
    old_pointer: str
    new_pointer: str
    old: Any
    new: Any
    operations: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.severity}: {self.side}: {self.message}"


@dataclass(frozen=True, slots=True)
class Diff:
    """All changes between two documents, the worst first."""

    old_source: str
    new_source: str
    changes: tuple[DocumentChange, ...]

    @property
    def is_breaking(self) -> bool:
        return any(change.severity == "breaking" for change in self.changes)

    def count(self, severity: str) -> int:
        return sum(change.severity == severity for change in self.changes)

    def as_dict(self) -> dict[str, Any]:
        counts = {severity: self.count(severity) for severity in _SEVERITIES}
        names = {"old": self.old_source, "new": self.new_source}
        return {
            **names,
            "is_breaking": self.is_breaking,
            **counts,
            "changes": [asdict(change) for change in self.changes],
        }

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        counts = [f"{n} {severity}" for severity in _SEVERITIES if (n := self.count(severity))]
        said = (
            f"{', '.join(counts)} change{'' if len(self.changes) == 1 else 's'}"
            if counts
            else "nothing changes for clients"
        )
        yield f"{self.old_source} -> {self.new_source}: {said}"
        for severity in _SEVERITIES:
            if self.count(severity):
                yield f"\n{severity}:"
            for change in self.changes:
                if change.severity == severity:
                    yield f"  - {change.side}: {change.message}"
                    yield from (
                        f"      {line}" for line in (_operations(change), _places(change)) if line
                    )


def _operations(change: DocumentChange) -> str:
    if change.side == "document":
        return ""  # the message names it
    more = (
        f" and {len(change.operations) - 3} more operations" if len(change.operations) > 3 else ""
    )
    return ", ".join(change.operations[:3]) + more


def _places(change: DocumentChange) -> str:
    if change.old_pointer == change.new_pointer:
        return f"at {change.old_pointer}" if change.old_pointer else ""
    return ", ".join(
        f"{name} {place}"
        for name, place in (("old", change.old_pointer), ("new", change.new_pointer))
        if place
    )


def compare_documents(old: Document, new: Document) -> Diff:
    """Every change from `old` to `new` that a client may notice; descriptions and examples are
    none.

    Raises SchemaError for an `x-fauxlab` in a callback that says nothing sensible: serving a
    document does not need it.
    """
    found: dict[tuple[str, Side, str, str, str], DocumentChange] = {}
    for name, side, change in _changes(old, new):
        kind = KINDS[change.kind]
        severity = kind.reply if side == "reply" else kind.request
        key = (change.kind, side, change.old_pointer, change.new_pointer, change.message)
        before = found.get(key) or DocumentChange(
            change.kind,
            severity,
            side,
            change.message,
            change.old_pointer,
            change.new_pointer,
            change.old,
            change.new,
            (),
        )
        operations = (
            before.operations
            if name is None or name in before.operations
            else (*before.operations, name)
        )
        found[key] = replace(before, operations=operations)
    ordered = sorted(found.values(), key=lambda change: _SEVERITIES.index(change.severity))
    return Diff(old.source, new.source, tuple(ordered))


PlacedChanges = Iterator[tuple[str | None, Side, Change]]  # operation, side, change


def _changes(old: Document, new: Document) -> PlacedChanges:
    if (old.origin, old.base_path) != (new.origin, new.base_path):
        was, becomes = old.origin + old.base_path, new.origin + new.base_path
        message = f"The address goes from {was} to {becomes}."
        yield (
            None,
            "document",
            Change("server-changed", "/servers", "/servers", message, was, becomes),
        )
    olds, news = (
        {_key(operation): operation for operation in document.operations} for document in (old, new)
    )
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
    """Method and path; what a path parameter is called does not matter to callers."""
    return operation.method, _PARAMETER.sub("{}", operation.path.rstrip("/"))
