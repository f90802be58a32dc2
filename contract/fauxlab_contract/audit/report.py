"""Contradictions inside a document, and between it and sample bodies. Pure: a document in, findings
out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from fauxlab_contract.audit.operations import operation_defects
from fauxlab_contract.audit.rules import RULES, Defect
from fauxlab_contract.audit.samples import Sample, sample_defects, samples_inside
from fauxlab_contract.audit.schemas import schema_defects
from fauxlab_contract.openapi.document import Document

__all__ = ["Audit", "AuditFinding", "audit_document"]

_SHOWN_PLACES = 3
_SEVERITIES = ("error", "warning", "note")


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """One defect: the rule that it breaks, the first place in the document, what it is, and all
    places where it shows.
    """

    rule: str
    severity: str
    pointer: str
    message: str
    advice: str
    places: tuple[str, ...]

    def __str__(self) -> str:
        more = f" and {_more(len(self.places) - 1)}" if len(self.places) > 1 else ""
        return (
            f"{self.severity}: {self.rule}: {self.message} (at {self.places[0] or '/'}{more})"
            f" {self.advice}"
        )


@dataclass(frozen=True, slots=True)
class Audit:
    """All findings about one document, the worst first."""

    source: str
    findings: tuple[AuditFinding, ...]

    @property
    def is_ok(self) -> bool:
        """Is there nothing worse than a note?"""
        return all(finding.severity == "note" for finding in self.findings)

    def count(self, severity: str) -> int:
        return sum(finding.severity == severity for finding in self.findings)

    def as_dict(self) -> dict[str, Any]:
        counts = {f"{severity}s": self.count(severity) for severity in _SEVERITIES}
        return {
            "source": self.source,
            "is_ok": self.is_ok,
            **counts,
            "findings": [asdict(finding) for finding in self.findings],
        }

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        counts = [
            f"{n} {severity}{'' if n == 1 else 's'}"
            for severity in _SEVERITIES
            if (n := self.count(severity))
        ]
        yield f"{self.source}: {', '.join(counts) or 'nothing to find'}"
        for rule, findings in groupby(self.findings, key=lambda finding: RULES[finding.rule]):
            yield f"\n{rule.severity}: {rule.id}: {rule.summary}"
            for finding in findings:
                yield f"  - {finding.message}"
                yield from (f"      at {place or '/'}" for place in finding.places[:_SHOWN_PLACES])
                if len(finding.places) > _SHOWN_PLACES:
                    yield f"      and {_more(len(finding.places) - _SHOWN_PLACES)}"
            yield f"  Why it matters: {rule.why}"
            yield f"  What to do: {rule.advice}"


def _more(count: int) -> str:
    return f"{count} more place{'' if count == 1 else 's'}"


def audit_document(document: Document, samples: Sequence[Sample] = ()) -> Audit:
    """Everything that is wrong with a document, and between it, the samples that it brings and
    `samples`.
    """
    defects = [
        *sample_defects(document, [*samples_inside(document), *samples]),
        *schema_defects(document),
        *operation_defects(document),
    ]
    order = {name: i for i, name in enumerate(RULES)}
    found: dict[tuple[str, str], list[Defect]] = {}
    for defect in sorted(
        defects,
        key=lambda defect: (_SEVERITIES.index(RULES[defect.rule].severity), order[defect.rule]),
    ):
        found.setdefault((defect.rule, defect.message), []).append(defect)
    return Audit(document.source, tuple(_finding(same) for same in found.values()))


def _finding(defects: list[Defect]) -> AuditFinding:
    rule = RULES[defects[0].rule]
    places = tuple(dict.fromkeys(defect.place or defect.pointer for defect in defects))
    return AuditFinding(
        rule.id, rule.severity, defects[0].pointer, defects[0].message, rule.advice, places
    )
