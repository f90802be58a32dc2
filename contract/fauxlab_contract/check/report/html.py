"""A check's report as one page for a browser: no script, nothing loaded from elsewhere, everything
from a server escaped and cut.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from fauxlab_contract.check.findings import PhaseResult, Report, ServerFinding
from fauxlab_contract.check.report.bounds import bounds_section
from fauxlab_contract.check.report.formats import (
    MAX_CURL_CHARS,
    ordered,
    place,
    summary,
)
from fauxlab_contract.check.report.markup import MARKS, STYLE, brief, esc
from fauxlab_contract.check.report.timeline import timeline_section
from fauxlab_contract.check.rules import RULES
from fauxlab_contract.core.text import counted

__all__ = ["html"]

MAX_FINDINGS, MAX_OPEN, MAX_SENTENCES = 200, 6, 100
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_LINKS = {
    "findings": "Findings",
    "boundaries": "Boundaries",
    "timeline": "Jobs",
    "left": "Not covered",
}
_SIGNS = {"ok": "M18 33l10 10 19-21", "warn": "M32 16v20m0 9v1", "bad": "M21 21l22 22m0-22l-22 22"}


def html(report: Report) -> str:
    """The whole page."""
    kind, verdict = _verdict(report)
    sections = {
        "findings": _findings(report),
        "boundaries": bounds_section(report),
        "timeline": timeline_section(report),
        "left": _not_covered(report),
    }
    links = "".join(
        f'<a href="#{name}">{_LINKS[name]}</a>' for name, section in sections.items() if section
    )
    parts = [
        _head(report, kind, verdict),
        f"<nav>{links}</nav>",
        _phases(report),
        *sections.values(),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><meta'
        f' http-equiv="Content-Security-Policy" content="{_POLICY}"><meta name="viewport"'
        ' content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light'
        f' dark"><title>{verdict}:'
        f" {brief(report.url, 100)}</title><style>{STYLE}</style></head>\n<body>{MARKS}<main>\n"
        + "\n".join(part for part in parts if part)
        + f"\n<footer>{esc(summary(report))}</footer></main></body></html>\n"
    )


def _verdict(report: Report) -> tuple[str, str]:
    errors = sum(finding.severity == "error" for finding in report.findings)
    warnings = len(report.findings) - errors
    if errors:
        return "bad", f"The contract is broken: {counted(errors, 'errors')}"
    if not report.calls:
        return "warn", "Nothing was checked"
    return (
        ("warn", f"The contract is kept, with {counted(warnings, 'warnings')}")
        if warnings
        else ("ok", "The contract is kept")
    )


def _head(report: Report, kind: str, verdict: str) -> str:
    facts = {
        "findings": len(report.findings),
        "calls": report.calls,
        "submits": report.submits,
        "seconds": f"{report.seconds:.1f}",
    }
    figures = "".join(
        f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts.items()
    )
    how = f"profile {report.profile}, errors {report.errors}, seed {report.seed}"
    return (
        f'<header><div class="card verdict {kind}"><svg viewBox="0 0 64 64"'
        ' aria-hidden="true"><circle cx="32" cy="32" r="32" fill="currentColor"/><path'
        ' class="sign"'
        f' d="{_SIGNS[kind]}"/></svg><div><h1>{verdict}</h1><p><code>{brief(report.url, 300)}</code></p><p'
        f' class="soft">checked against {brief(report.document, 300)};'
        f' {brief(how, 120)}</p></div></div><dl class="facts">{figures}</dl></header>'
    )


def _phases(report: Report) -> str:
    tiles = "".join(map(_tile, report.phases))
    return f'<section><h2>Phases</h2><ul class="tiles">{tiles}</ul></section>' if tiles else ""


def _tile(phase: PhaseResult) -> str:
    state = counted(phase.findings, "findings") if phase.findings else "✓ nothing found"
    figures = [
        counted(phase.steps, "steps"),
        counted(phase.calls, "calls"),
        counted(phase.submits, "submits"),
        f"{phase.seconds:.1f} s",
    ]
    told = ", ".join(f'<span class="n">{figure}</span>' for figure in figures)
    return (
        f'<li class="tile{" found" if phase.findings else ""}"><b>{brief(phase.name, 40)}</b><span'
        f' class="state">{state}</span><br><span class="soft">{told}</span></li>'
    )


def _findings(report: Report) -> str:
    """One card for each rule that was broken, with its advice, and in it the places."""
    found = ordered(report)[:MAX_FINDINGS]
    if not found:
        return ""
    by_rule = sorted(found, key=lambda finding: (finding.severity, finding.rule))
    cards = "".join(
        _rule(report, [*group])
        for _, group in groupby(by_rule, key=lambda finding: (finding.severity, finding.rule))
    )
    left = len(report.findings) - len(found)
    return (
        '<section id="findings"><h2>Findings</h2><p class="soft">Each command sends the same again;'
        " it reads the API key from the shell variable KEY.</p>"
        + cards
        + (
            f'<p class="soft">… and {left} more findings; the JSON report has them all.</p>'
            if left > 0
            else ""
        )
        + "</section>"
    )


def _rule(report: Report, found: Sequence[ServerFinding]) -> str:
    first = found[0]
    sentence = f"{RULES[first.rule].summary} " if first.rule in RULES else ""
    is_open = len(report.findings) <= MAX_OPEN
    return (
        f'<div class="card rule {first.severity}"><h3><span class="badge'
        f' {first.severity}">{first.severity}</span>'
        f" {brief(first.rule, 60)}</h3><p>{esc(sentence)}<span"
        f' class="soft">{esc(first.advice)}</span></p>'
        + "".join(_finding(report, finding, is_open) for finding in found)
        + "</div>"
    )


def _finding(report: Report, finding: ServerFinding, is_open: bool) -> str:
    often = f", {finding.times} times" if finding.times > 1 else ""
    return (
        f"<details{' open' if is_open else ''}><summary>{esc(finding.message, 300)} "
        f'<span class="soft">({brief(finding.phase, 40)}{often})</span></summary>'
        f'<dl class="told">{"".join(_told(report, finding))}</dl>'
        + (f"<pre>{esc(finding.curl, MAX_CURL_CHARS)}</pre>" if finding.curl else "")
        + "</details>"
    )


def _told(report: Report, finding: ServerFinding) -> Iterator[str]:
    rows = {
        "operation": finding.operation,
        "where": place(report, finding),
        "sent": finding.sent,
        "came": finding.came,
    }
    return (
        f"<dt>{name}</dt><dd><code>{esc(value)}</code></dd>"
        for name, value in rows.items()
        if value
    )


def _not_covered(report: Report) -> str:
    sentences = "".join(
        f"<li>{esc(sentence)}</li>" for sentence in report.not_covered[:MAX_SENTENCES]
    )
    left = len(report.not_covered) - MAX_SENTENCES
    more = f"<li>… and {left} more</li>" if left > 0 else ""
    return (
        '<section id="left"><h2>Not covered</h2><div class="card"><ul'
        f' class="left">{sentences}{more}</ul></div></section>'
        if sentences
        else ""
    )
