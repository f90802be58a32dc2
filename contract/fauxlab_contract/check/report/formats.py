"""A check's report as text for people, JSON for programs and JUnit's XML for CI. The page for a
browser is in report_html.py.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any
from xml.etree import ElementTree as ET

from fauxlab_contract.check.findings import Report, ServerFinding
from fauxlab_contract.core.rules import SEVERITIES
from fauxlab_contract.core.text import counted

__all__ = [
    "MAX_CURL_CHARS",
    "MAX_TEXT_CHARS",
    "as_json",
    "junit",
    "ordered",
    "place",
    "shown",
    "summary",
    "text",
]

MAX_TEXT_CHARS, MAX_CURL_CHARS = 1_000, 20_000
FORMAT = "fauxlab-check/1"
_COLUMNS = ("phase", "steps", "calls", "submits", "seconds", "findings")


def shown(value: str, limit: int = MAX_TEXT_CHARS) -> str:
    """A text from anywhere on one line, in at most about `limit` characters.

    What is not printable (control characters, line ends, halves of surrogate pairs, marks that turn
    the direction of writing) is written as an escape, such as `\\x1b`: it moves no cursor, hides
    nothing and may stand in XML.
    """
    return _printable(
        value if len(value) <= limit else f"{value[:limit]}… ({len(value) - limit} more characters)"
    )


def _printable(value: str) -> str:
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in value
    )


def ordered(report: Report) -> tuple[ServerFinding, ...]:
    """Return the findings, errors first, then in the order of the phases."""
    phases = _phases(report)
    return tuple(
        sorted(
            report.findings,
            key=lambda finding: (
                SEVERITIES.index(finding.severity),
                phases.index(finding.phase),
                finding.rule,
                finding.operation,
                finding.where,
            ),
        )
    )


def _phases(report: Report) -> list[str]:
    """The names of the phases that were done, and of any other that a finding names."""
    return [
        *dict.fromkeys(
            [
                *(phase.name for phase in report.phases),
                *(finding.phase for finding in report.findings),
            ]
        )
    ]


def place(report: Report, finding: ServerFinding) -> str:
    """Where in the document: `openapi.yaml#/components/…`, or the operation when nothing more is
    known.
    """
    return (
        f"{report.document}#{finding.where}"
        if finding.where.startswith("/")
        else (finding.where or finding.operation)
    )


def summary(report: Report) -> str:
    """Return the last line of the text, such as `fauxlab check: 0 findings; 3 calls, …`."""
    return report.headline()


def text(report: Report) -> str:
    """The whole report for a terminal; the last line is the summary."""
    blocks = [
        f"fauxlab check of {shown(report.url)}",
        (
            f"document {shown(report.document)}, profile {report.profile}, errors {report.errors},"
            f" seed {report.seed}"
        ),
        "",
        *_table([_COLUMNS, *(_row(report, phase.name) for phase in report.phases)]),
        "",
    ]
    for severity in SEVERITIES:
        findings = [finding for finding in ordered(report) if finding.severity == severity]
        blocks += [f"{counted(len(findings), f'{severity}s')}:", ""] if findings else []
        for number, finding in enumerate(findings, 1):
            blocks += [*_finding_lines(report, number, finding), ""]
    if report.not_covered:
        blocks += [
            "not covered:",
            *(f"  - {shown(sentence)}" for sentence in report.not_covered),
            "",
        ]
    return _lines([*blocks, summary(report), ""])


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(map(_printable, lines))


def _row(report: Report, name: str) -> tuple[str, ...]:
    phase = next(phase for phase in report.phases if phase.name == name)
    return (
        phase.name,
        str(phase.steps),
        str(phase.calls),
        str(phase.submits),
        f"{phase.seconds:.1f}",
        str(phase.findings),
    )


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The first column to the left, numbers to the right."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        yield "  ".join(
            [
                first.ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)),
            ]
        )


def _finding_lines(report: Report, number: int, finding: ServerFinding) -> Iterator[str]:
    often = f", {finding.times} times" if finding.times > 1 else ""
    yield f"{number}. {finding.rule} ({finding.phase}{often})"
    for name, value in _told(report, finding):
        yield f"   {name:<7}{shown(value)}" if name else f"   {shown(value)}"
    if finding.curl:
        yield f"   {shown(finding.curl, MAX_CURL_CHARS)}"


def _told(report: Report, finding: ServerFinding) -> list[tuple[str, str]]:
    """What is known of a finding besides its curl command, as (name, text); the sentence has no
    name.
    """
    rows = [
        ("", finding.message),
        ("where", place(report, finding)),
        ("sent", finding.sent),
        ("came", finding.came),
        ("advice", finding.advice),
    ]
    return [(name, value) for name, value in rows if value]


def as_json(report: Report) -> str:
    """Return the report for programs: `Report.as_dict()` with `format`.

    Findings come in the order of the text, points and jobs as they were tried. Numbers that JSON
    does not know become null.
    """
    findings = [asdict(finding) for finding in ordered(report)]
    values = {"format": FORMAT, **report.as_dict(), "findings": findings}
    return json.dumps(_plain(values), indent=2) + "\n"


def _plain(value: Any) -> Any:
    """What every JSON parser reads: no NaN, no half of a surrogate pair."""
    match value:
        case dict():
            return {name: _plain(item) for name, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case float() if not math.isfinite(value):
            return None
    return value


def junit(report: Report) -> str:
    """One suite for each phase: a test that passes for its having been done, a failure for each
    error; warnings are its output.
    """
    root = ET.Element("testsuites", _xml(name="fauxlab check", time=f"{report.seconds:.3f}"))
    tests = failures = 0
    for name in _phases(report):
        suite = _suite(report, name)
        tests, failures = (
            tests + int(suite.get("tests", "0")),
            failures + int(suite.get("failures", "0")),
        )
        root.append(suite)
    root.attrib.update(_xml(tests=tests, failures=failures, errors=0))
    ET.indent(root)
    xml: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return xml.decode() + "\n"


def _suite(report: Report, name: str) -> ET.Element:
    findings = [finding for finding in ordered(report) if finding.phase == name]
    errors = [finding for finding in findings if finding.severity == "error"]
    warnings = [finding for finding in findings if finding.severity != "error"]
    row = next((phase for phase in report.phases if phase.name == name), None)
    seconds = f"{row.seconds if row else 0.0:.3f}"
    suite = ET.Element(
        "testsuite",
        _xml(
            name=name,
            tests=len(errors) + 1,
            failures=len(errors),
            errors=0,
            skipped=0,
            time=seconds,
        ),
    )
    done = ET.SubElement(
        suite,
        "testcase",
        _xml(classname=f"fauxlab.check.{name}", name="the phase was done", time=seconds),
    )
    for finding in errors:
        case = ET.SubElement(
            suite,
            "testcase",
            _xml(classname=f"fauxlab.check.{name}", name=_title(finding), file=report.document),
        )
        failure = ET.SubElement(case, "failure", _xml(type=finding.rule, message=finding.message))
        failure.text = _lines(_finding_text(report, finding))
    said = [
        line
        for finding in warnings
        for line in [f"warning: {finding.rule}", *_finding_text(report, finding), ""]
    ]
    said += [
        f"not covered: {sentence}"
        for sentence in report.not_covered
        if _is_about(sentence, name, report)
    ]
    if said:
        ET.SubElement(done, "system-out").text = _lines(said)
    return suite


def _title(finding: ServerFinding) -> str:
    """The same for the same fault in the next run, so that a viewer can compare them."""
    return ": ".join(part for part in (finding.rule, finding.operation, finding.where) if part)


def _finding_text(report: Report, finding: ServerFinding) -> list[str]:
    rows = [*_told(report, finding), *([("again", finding.curl)] if finding.curl else [])]
    often = [f"seen {finding.times} times"] if finding.times > 1 else []
    return [
        f"{name}: {shown(value, MAX_CURL_CHARS)}" if name else shown(value) for name, value in rows
    ] + often


def _is_about(sentence: str, name: str, report: Report) -> bool:
    """Does a sentence about what was not covered belong to this phase? One that names none belongs
    to the first.
    """
    phases = _phases(report)
    about = sentence.partition(":")[0]
    return about == name if about in phases else name == phases[0]


def _xml(**attributes: object) -> dict[str, str]:
    return {name: shown(str(value)) for name, value in attributes.items()}
