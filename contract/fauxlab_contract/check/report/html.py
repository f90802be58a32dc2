"""A check's report as one page for a browser.

The page has no script and loads nothing; all text from a server is escaped and cut.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from fauxlab_contract.check.causes import by_weight
from fauxlab_contract.check.findings import PhaseResult, Report, ServerFinding
from fauxlab_contract.check.report.bounds import bounds_section
from fauxlab_contract.check.report.formats import (
    MAX_CURL_CHARS,
    also,
    place,
)
from fauxlab_contract.check.report.markup import MARKS, brief, esc, style_sheet
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
    "waived": "Waived",
    "left": "Not covered",
}
_SIGNS = {"ok": "M18 33l10 10 19-21", "warn": "M32 16v20m0 9v1", "bad": "M21 21l22 22m0-22l-22 22"}


def html(report: Report) -> str:
    """Return the whole page."""
    kind, verdict = _verdict(report)
    sections = {
        "findings": _findings(report),
        "boundaries": bounds_section(report),
        "timeline": timeline_section(report),
        "waived": _waived(report),
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
    body = "\n".join(part for part in parts if part)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{verdict}: {brief(report.url, 100)}</title>"
        f"<style>\n{style_sheet()}</style></head>\n<body>{MARKS}<main>\n{body}"
        f"\n<footer>{esc(report.headline())}</footer></main></body></html>\n"
    )


def _verdict(report: Report) -> tuple[str, str]:
    """Return (ok, warn or bad; the sentence at the top of the page)."""
    verdict = report.verdict
    kind = "ok" if verdict == "the contract is kept" else "warn"
    said = f"{verdict[0].upper()}{verdict[1:]}"
    return "bad" if report.has("error") else kind, said


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
        f'<header><div class="card verdict {kind}"><svg viewBox="0 0 64 64" aria-hidden="true">'
        '<circle cx="32" cy="32" r="32" fill="currentColor"/>'
        f'<path class="sign" d="{_SIGNS[kind]}"/></svg><div><h1>{verdict}</h1>'
        f"<p><code>{brief(report.url, 300)}</code></p>"
        f'<p class="soft">checked against {brief(report.document, 300)}; {brief(how, 120)}</p>'
        f'</div></div><dl class="facts">{figures}</dl></header>'
    )


def _phases(report: Report) -> str:
    tiles = "".join(_tile(report, phase) for phase in report.phases)
    return f'<section><h2>Phases</h2><ul class="tiles">{tiles}</ul></section>' if tiles else ""


def _tile(report: Report, phase: PhaseResult) -> str:
    looks, state = "tile", "✓ nothing found"
    severities = [one.severity for one in report.findings if one.phase == phase.name]
    if severities:
        looks = "tile found" if "error" in severities else "tile noted"
        state = counted(len(severities), "findings")
    figures = [
        counted(phase.steps, "steps"),
        counted(phase.calls, "calls"),
        counted(phase.submits, "submits"),
        f"{phase.seconds:.1f} s",
    ]
    listed = ", ".join(f'<span class="n">{figure}</span>' for figure in figures)
    return (
        f'<li class="{looks}"><b>{brief(phase.name, 40)}</b>'
        f'<span class="state">{state}</span><br><span class="soft">{listed}</span></li>'
    )


def _findings(report: Report) -> str:
    """Return one card for each broken rule, with its advice, and in it the places."""
    shown = by_weight(report.findings)[:MAX_FINDINGS]
    if not shown:
        return ""
    groups = groupby(shown, key=lambda finding: (finding.severity, finding.rule))
    cards = [_rule(report, [*group]) for _, group in groups]
    left = len(report.findings) - len(shown)
    more = f"… and {left} more findings; the JSON report has them all."
    if left > 0:
        cards.append(f'<p class="soft">{more}</p>')
    return (
        '<section id="findings"><h2>Findings</h2><p class="soft">The heaviest first. A command'
        " sends the same again; it reads the API key from the shell variable KEY. A click on a"
        " command selects all of it.</p>" + "".join(cards) + "</section>"
    )


def _rule(report: Report, findings: Sequence[ServerFinding]) -> str:
    first = findings[0]
    sentence = f"{RULES[first.rule].summary} " if first.rule in RULES else ""
    is_open = len(report.findings) <= MAX_OPEN
    badge = f"{first.group} {first.severity}".strip()
    places = "".join(_finding(finding, is_open) for finding in findings)
    return (
        f'<div class="card rule {first.severity}">'
        f'<h3><span class="badge {first.severity}">{brief(badge, 40)}</span>'
        f" {brief(first.rule, 60)}</h3>"
        f'<p>{esc(sentence)}<span class="soft">{esc(first.advice)}</span></p>'
        f"{places}</div>"
    )


def _finding(finding: ServerFinding, is_open: bool) -> str:
    often = f", {finding.times} times" if finding.times > 1 else ""
    curl = f"<pre>{esc(finding.curl, MAX_CURL_CHARS)}</pre>" if finding.curl else ""
    details = "details open" if is_open else "details"
    rows = "".join(_rows(finding))
    return (
        f"<{details}><summary>{esc(finding.message, 300)} "
        f'<span class="soft">({brief(finding.phase, 40)}{often})</span></summary>'
        f'<dl class="told">{rows}</dl>{curl}</details>'
    )


def _rows(finding: ServerFinding) -> Iterator[str]:
    where = place(finding)
    rows = {
        "operation": "" if where.endswith(finding.operation) else finding.operation,
        "where": where,
        "sent": finding.sent,
        "came": finding.came,
        "also": also(finding),
    }
    for name, value in rows.items():
        if value:
            yield f"<dt>{name}</dt><dd><code>{esc(value)}</code></dd>"


def _not_covered(report: Report) -> str:
    return _listed("left", "Not covered", report.not_covered)


def _waived(report: Report) -> str:
    named = [f"{one.rule}: {one.message} ({one.waived})" for one in report.waived]
    return _listed("waived", "Waived", named)


def _listed(name: str, title: str, sentences: Sequence[str]) -> str:
    """Return a section with a sentence on each line; empty for none."""
    if not sentences:
        return ""
    items = [f"<li>{esc(sentence)}</li>" for sentence in sentences[:MAX_SENTENCES]]
    left = len(sentences) - MAX_SENTENCES
    if left > 0:
        items.append(f"<li>… and {left} more</li>")
    return (
        f'<section id="{name}"><h2>{title}</h2><div class="card">'
        f'<ul class="left">{"".join(items)}</ul></div></section>'
    )
