"""A check's report as text for people, JSON for programs and JUnit XML for CI.

The page for a browser is in html.py.
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
    """Return any text on one line, in at most about `limit` characters.

    Characters that are not printable (control characters, line ends, halves of surrogate pairs,
    marks that turn the direction of writing) become escapes such as `\\x1b`: they move no cursor,
    hide nothing, and are allowed in XML.
    """
    left = len(value) - limit
    if left > 0:
        value = f"{value[:limit]}… ({left} more characters)"
    return _printable(value)


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
    """Return the names of the phases that ran, and of others that a finding names."""
    ran = [phase.name for phase in report.phases]
    named = [finding.phase for finding in report.findings]
    return list(dict.fromkeys([*ran, *named]))


def place(report: Report, finding: ServerFinding) -> str:
    """Return the place of a finding: `openapi.yaml#/components/…`, or its operation."""
    if finding.where.startswith("/"):
        return f"{report.document}#{finding.where}"
    return finding.where or finding.operation


def summary(report: Report) -> str:
    """Return the last line of the text, such as `fauxlab check: 0 findings; 3 calls, …`."""
    return report.headline()


def text(report: Report) -> str:
    """Return the whole report for a terminal; the last line is the summary."""
    how = f"profile {report.profile}, errors {report.errors}, seed {report.seed}"
    rows = [_row(report, phase.name) for phase in report.phases]
    blocks = [
        f"fauxlab check of {shown(report.url)}",
        f"document {shown(report.document)}, {how}",
        "",
        *_table([_COLUMNS, *rows]),
        "",
    ]
    for severity in SEVERITIES:
        findings = [finding for finding in ordered(report) if finding.severity == severity]
        if findings:
            heading = counted(len(findings), f"{severity}s")
            blocks += [f"{heading}:", ""]
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
    """Yield the lines of a table; the first column is aligned left, numbers are aligned right."""
    columns = zip(*rows, strict=True)
    first, *others = [max(map(len, column)) for column in columns]
    for name, *numbers in rows:
        cells = [cell.rjust(width) for cell, width in zip(numbers, others, strict=True)]
        yield "  ".join([name.ljust(first), *cells])


def _finding_lines(report: Report, number: int, finding: ServerFinding) -> Iterator[str]:
    often = f", {finding.times} times" if finding.times > 1 else ""
    yield f"{number}. {finding.rule} ({finding.phase}{often})"
    for name, value in _rows(report, finding):
        label = f"{name:<7}" if name else ""
        yield f"   {label}{shown(value)}"
    if finding.curl:
        yield f"   {shown(finding.curl, MAX_CURL_CHARS)}"


def _rows(report: Report, finding: ServerFinding) -> list[tuple[str, str]]:
    """Return the facts of a finding, without its curl command: (name, text).

    The sentence has no name.
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
    """Return what every JSON parser reads: no NaN, no half of a surrogate pair."""
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
    """Return one suite for each phase, as XML.

    A suite has a test that passes because the phase was done, and a failed test for each error.
    Warnings are the output of the first test.
    """
    root = ET.Element("testsuites", _xml(name="fauxlab check", time=f"{report.seconds:.3f}"))
    root.extend(_suite(report, name) for name in _phases(report))
    tests = sum(int(suite.get("tests", "0")) for suite in root)
    failures = sum(int(suite.get("failures", "0")) for suite in root)
    root.attrib.update(_xml(tests=tests, failures=failures, errors=0))
    ET.indent(root)
    xml: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return xml.decode() + "\n"


def _suite(report: Report, name: str) -> ET.Element:
    findings = [finding for finding in ordered(report) if finding.phase == name]
    errors = [finding for finding in findings if finding.severity == "error"]
    times = {phase.name: phase.seconds for phase in report.phases}
    seconds = f"{times.get(name, 0.0):.3f}"
    counts = {"tests": len(errors) + 1, "failures": len(errors), "errors": 0, "skipped": 0}
    suite = ET.Element("testsuite", _xml(name=name, **counts, time=seconds))
    classname = f"fauxlab.check.{name}"
    done = _xml(classname=classname, name="the phase was done", time=seconds)
    passed = ET.SubElement(suite, "testcase", done)
    for finding in errors:
        title = _xml(classname=classname, name=_title(finding), file=report.document)
        failed = ET.SubElement(suite, "testcase", title)
        problem = _xml(type=finding.rule, message=finding.message)
        failure = ET.SubElement(failed, "failure", problem)
        failure.text = _lines(_finding_text(report, finding))
    output = list(_output(report, name, findings))
    if output:
        ET.SubElement(passed, "system-out").text = _lines(output)
    return suite


def _output(report: Report, name: str, findings: Sequence[ServerFinding]) -> Iterator[str]:
    """Yield the warnings of a phase, and what it did not cover."""
    for finding in findings:
        if finding.severity != "error":
            yield f"warning: {finding.rule}"
            yield from _finding_text(report, finding)
            yield ""
    for sentence in report.not_covered:
        if _is_about(sentence, name, report):
            yield f"not covered: {sentence}"


def _title(finding: ServerFinding) -> str:
    """Return a title that is the same for the same fault in the next run, for comparisons."""
    parts = (finding.rule, finding.operation, finding.where)
    return ": ".join(part for part in parts if part)


def _finding_text(report: Report, finding: ServerFinding) -> list[str]:
    rows = _rows(report, finding)
    if finding.curl:
        rows.append(("again", finding.curl))
    lines = [
        f"{name}: {shown(value, MAX_CURL_CHARS)}" if name else shown(value) for name, value in rows
    ]
    if finding.times > 1:
        lines.append(f"seen {finding.times} times")
    return lines


def _is_about(sentence: str, name: str, report: Report) -> bool:
    """Return True if a sentence about what was not covered belongs to this phase.

    A sentence that names no phase belongs to the first one.
    """
    phases = _phases(report)
    about = sentence.partition(":")[0]
    if about in phases:
        return about == name
    return name == phases[0]


def _xml(**attributes: object) -> dict[str, str]:
    return {name: shown(str(value)) for name, value in attributes.items()}
