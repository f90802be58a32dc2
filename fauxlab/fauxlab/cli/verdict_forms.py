"""The verdict as files for programs: JSON, and JUnit with a test for each rule."""

from __future__ import annotations

import json
from collections.abc import Iterator

from fauxlab_contract.core.rules import Severity
from fauxlab_contract.core.text import counted
from fauxlab_contract.forms.printable import plain
from fauxlab_contract.forms.sheet import Sheet, Told, TriedStep
from fauxlab_contract.verdict.rules import RULES
from fauxlab_contract.verdict.verdict import Verdict, VerdictFinding

__all__ = ["as_json", "sheet_of"]

FORMAT = "fauxlab-verdict/1"
PART = "rules"


def as_json(verdict: Verdict) -> str:
    """Return the verdict for programs: `Verdict.as_dict()` with `format`."""
    return json.dumps(plain({"format": FORMAT, **verdict.as_dict()}), indent=2) + "\n"


def sheet_of(verdict: Verdict, fails_at: Severity = "warning") -> Sheet:
    """Return the verdict as the forms tell it: a step for each rule."""
    reasons = verdict.why_not_judged().items()
    return Sheet(
        "fauxlab verdict",
        verdict.headline(),
        (f"{counted(verdict.calls, 'calls')}, {counted(verdict.jobs, 'jobs')}",),
        findings=tuple(map(_told, verdict.findings)),
        waived=tuple(map(_told, verdict.waived_by_name())),
        left_out=tuple(f"{', '.join(ids)}: {reason}" for reason, ids in reasons),
        left_out_as="not judged",
        steps=tuple(_steps(verdict)),
        fails_at=fails_at,
    )


def _told(finding: VerdictFinding) -> Told:
    numbers = ", ".join(map(str, finding.exchanges))
    return Told(
        finding.rule,
        finding.severity,
        finding.message,
        PART,
        advice=finding.advice,
        facts=(("exchanges", numbers),) if numbers else (),
        title=f"{finding.rule}: {finding.field}" if finding.field else finding.rule,
        waived=finding.waived,
    )


def _steps(verdict: Verdict) -> Iterator[TriedStep]:
    """Yield a step for each rule; one that was not judged, and broke nothing, was left out."""
    reasons = {rule: why for why, rules in verdict.why_not_judged().items() for rule in rules}
    for rule in RULES:
        found = enumerate(verdict.findings)
        broke = tuple(place for place, finding in found if finding.rule == rule)
        yield TriedStep(PART, rule, skipped="" if broke else reasons.get(rule, ""), broke=broke)
