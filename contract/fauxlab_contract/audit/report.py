"""Contradictions inside a document, and between it and sample bodies.

Pure: a document in, findings out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, zip_longest
from typing import Any, ClassVar

from fauxlab_contract.audit.lifecycles import lifecycle_defects
from fauxlab_contract.audit.notices import notice_defects
from fauxlab_contract.audit.operations import operation_defects
from fauxlab_contract.audit.rules import RULES, Defect
from fauxlab_contract.audit.samples import (
    Sample,
    check_samples,
    sample_defects,
    samples_inside,
)
from fauxlab_contract.audit.schemas import schema_defects
from fauxlab_contract.core.rules import SEVERITIES, Finding, Findings, field_at
from fauxlab_contract.core.text import counted
from fauxlab_contract.openapi.document import Document, check_document

__all__ = ["Audit", "AuditFinding", "audit_document"]

_SHOWN_PLACES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFinding(Finding):
    """One defect: `pointer` is the first place in the document, `places` are all of them.

    `positions` has `openapi.yaml:12:3` for each place; what is in a sample has none of its own.
    """

    pointer: str
    places: tuple[str, ...]
    positions: tuple[str, ...] = ()

    def found_at(self) -> tuple[str, ...]:
        return self.places

    def __str__(self) -> str:
        place = _where(self.places[0], next(iter(self.positions), None))
        if len(self.places) > 1:
            place += f" and {_more(len(self.places) - 1)}"
        return self.line(f"{self.severity}: {self.rule}: {self.message} (at {place})")


@dataclass(frozen=True, slots=True)
class Audit(Findings):
    """All findings about one document, the most serious first."""

    findings: tuple[AuditFinding, ...] = ()
    waived: tuple[AuditFinding, ...] = ()
    source: str = ""
    unused_waivers: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    judge: ClassVar = "audit"
    known_rules: ClassVar = RULES

    def as_dict(self) -> dict[str, Any]:
        """Return the audit as values for JSON, with the number of errors, warnings and notes."""
        counts = {f"{severity}s": self.count(severity) for severity in SEVERITIES}
        return {"source": self.source, **Findings.as_dict(self), **counts}

    def __str__(self) -> str:
        nothing = "nothing else to find" if self.waived else "nothing to find"
        heading = f"{self.source}: {self.counts() or nothing}"
        return "\n".join([heading, *self._lines(), *self.remarks()])

    def _lines(self) -> Iterator[str]:
        for rule, findings in groupby(self.findings, key=lambda finding: RULES[finding.rule]):
            yield f"\n{rule.severity}: {rule.id}: {rule.summary}"
            for finding in findings:
                yield f"  - {finding.message}"
                for place, position in zip_longest(
                    finding.places[:_SHOWN_PLACES], finding.positions[:_SHOWN_PLACES]
                ):
                    yield f"      at {_where(place, position)}"
                if len(finding.places) > _SHOWN_PLACES:
                    yield f"      and {_more(len(finding.places) - _SHOWN_PLACES)}"
            yield f"  Why it matters: {rule.why}"
            yield f"  What to do: {rule.advice}"
        yield from self.waived_lines()


def _where(place: str, position: str | None) -> str:
    """Return `openapi.yaml:12:3 /paths`: editors and terminals make links of its beginning."""
    return f"{position} {place or '/'}" if position and position != place else place or "/"


def _more(count: int) -> str:
    return counted(count, "more places")


def audit_document(document: Document, samples: Sequence[Sample] = ()) -> Audit:
    """Return all defects of a document, and all contradictions between it and samples.

    The samples are those inside the document, and `samples`. Raise TypeError for other bodies than
    those of `read_samples`.
    """
    __tracebackhide__ = True  # pytest shows the caller's line
    check_document(document)
    samples = check_samples(samples)
    defects = [
        *sample_defects(document, [*samples_inside(document), *samples]),
        *schema_defects(document),
        *notice_defects(document),
        *operation_defects(document),
        *lifecycle_defects(document),
    ]
    groups: dict[tuple[str, str], list[Defect]] = {}
    for defect in sorted(defects, key=_order):
        groups.setdefault((defect.rule, defect.message), []).append(defect)
    findings = tuple(_finding(document, same) for same in groups.values())
    return Audit(findings, source=document.source)


def _order(defect: Defect) -> tuple[int, int]:
    """Sort the most serious defects first, then in the order of the rules."""
    severity = RULES[defect.rule].severity
    return SEVERITIES.index(severity), list(RULES).index(defect.rule)


def _finding(document: Document, defects: list[Defect]) -> AuditFinding:
    """Make one finding of equal defects at several places."""
    first = defects[0]
    rule = RULES[first.rule]
    positions = {defect.place or defect.pointer: _position(document, defect) for defect in defects}
    return AuditFinding(
        rule.id,
        rule.severity,
        first.message,
        rule.advice,
        ".".join(part for part in (field_at(first.pointer), first.name) if part),
        pointer=first.pointer,
        places=tuple(positions),
        positions=tuple(positions.values()),
    )


def _position(document: Document, defect: Defect) -> str:
    """Return file, line and column of a defect; the place itself for one in a sample's file."""
    place = defect.place or defect.pointer
    is_elsewhere = bool(defect.place) and ("#" in place or not place.startswith("/"))
    return place if is_elsewhere else document.place_of(place)
