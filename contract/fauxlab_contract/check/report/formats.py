"""A check's report as text for people, JSON for programs and JUnit XML for CI.

The page for a browser is in html.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace

from fauxlab_contract.check.causes import by_weight
from fauxlab_contract.check.findings import Report, ServerFinding
from fauxlab_contract.core.rules import Findings, Severity
from fauxlab_contract.forms.junit import junit as junit_of
from fauxlab_contract.forms.printable import plain
from fauxlab_contract.forms.sheet import Sheet, Told, TriedStep
from fauxlab_contract.forms.text import text as text_of

__all__ = ["MAX_CURL_CHARS", "also", "as_json", "junit", "place", "sheet_of", "text"]

MAX_CURL_CHARS = 20_000
MAX_STEPS = 50  # of a finding that JSON lists
MAX_ALSO = 8  # of them that people read
FORMAT = "fauxlab-check/1"
_COLUMNS = ("phase", "steps", "calls", "submits", "seconds", "findings")


def place(finding: ServerFinding) -> str:
    """Return where a finding is: `openapi.yaml:12:3, schemas/Size/properties/width`.

    A place below an operation is told by the operation's name.
    """
    where = finding.where
    if not where.startswith("/") or where.startswith("/paths/"):
        where = finding.operation
    else:
        where = where.removeprefix("/components/").replace("~1", "/").replace("~0", "~")
    return ", ".join(part for part in (finding.place, where) if part)


def sheet_of(report: Report) -> Sheet:
    """Return the report as the forms tell it."""
    findings = by_weight(report.findings)
    how = f"profile {report.profile}, errors {report.errors}, seed {report.seed}"
    return Sheet(
        "fauxlab check",
        f"{report.verdict}; {report.took}",
        (f"server {report.url}, document {report.document} ({how})",),
        findings=tuple(_told(finding) for finding in findings),
        waived=tuple(_told(finding) for finding in report.waived_by_name()),
        left_out=report.not_covered,
        remarks=tuple(line.strip() for line in Findings.remarks(report)),
        steps=tuple(_steps(report, findings)),
        table=(_COLUMNS, *_rows(report)),
        seconds=report.seconds,
        file=report.document,
    )


def _told(finding: ServerFinding) -> Told:
    names = (finding.rule, finding.operation, finding.where)
    facts = {
        "where": place(finding),
        "sent": finding.sent,
        "came": finding.came,
        "also": also(finding),
    }
    return Told(
        finding.rule,
        finding.severity,
        finding.message,
        finding.phase,
        finding.times,
        finding.group,
        finding.advice,
        facts=tuple((name, value) for name, value in facts.items() if value),
        command=finding.curl,
        title=": ".join(name for name in names if name),
        waived=finding.waived,
    )


def also(finding: ServerFinding) -> str:
    """Return the other steps that showed a finding, without the name of their operation."""
    labels = [label.removeprefix(f"{finding.operation}: ") for label in finding.steps[1:]]
    more = f" and {len(labels) - MAX_ALSO} more" if len(labels) > MAX_ALSO else ""
    return ", ".join(labels[:MAX_ALSO]) + more


def _steps(report: Report, findings: tuple[ServerFinding, ...]) -> Iterator[TriedStep]:
    for step in report.steps:
        broke = [number for number, one in enumerate(findings) if step.label in one.steps]
        yield TriedStep(step.phase, step.label, step.seconds, step.skipped, tuple(broke))


def _rows(report: Report) -> Iterator[tuple[str, ...]]:
    for phase in report.phases:
        counts = (phase.steps, phase.calls, phase.submits)
        yield (phase.name, *map(str, counts), f"{phase.seconds:.1f}", str(phase.findings))


def text(report: Report, *, verbose: bool = True) -> str:
    """Return the report for a terminal: the verdict, each finding on a line, then the details."""
    return text_of(sheet_of(report), verbose=verbose)


def junit(report: Report, fails_at: Severity = "error") -> str:
    """Return one suite for each phase with a test for each step, as XML.

    `fails_at` is the mildest severity that makes a test fail.
    """
    return junit_of(replace(sheet_of(report), fails_at=fails_at))


def as_json(report: Report) -> str:
    """Return the report for programs: `Report.as_dict()` with `format`.

    Findings come in the order of the text, points and jobs as they were tried. Numbers that JSON
    does not know become null. A finding lists the first steps that showed it.
    """
    findings = [
        asdict(replace(one, steps=one.steps[:MAX_STEPS])) for one in by_weight(report.findings)
    ]
    values = {"format": FORMAT, **report.as_dict(), "findings": findings}
    return json.dumps(plain(values), indent=2) + "\n"
