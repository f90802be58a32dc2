"""A check's report as one page for a browser.

The page loads nothing, and its policy forbids all but its own style sheet and its one script, which
copies; all text from a server is escaped and cut.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
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
from fauxlab_contract.check.report.markup import MARKS, brief, esc, script, style_sheet
from fauxlab_contract.check.report.timeline import timeline_section
from fauxlab_contract.check.rules import RULES
from fauxlab_contract.core.text import counted
from fauxlab_contract.forms.printable import MAX_TEXT_CHARS, shown

__all__ = ["html"]

MAX_FINDINGS, MAX_OPEN, MAX_SENTENCES = 200, 6, 100
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
        f'<meta http-equiv="Content-Security-Policy" content="{_policy()}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{verdict}: {brief(report.url, 100)}</title>"
        f"<style>{style_sheet()}</style></head>\n<body>{MARKS}<main>\n{body}"
        f'\n<footer>{esc(report.headline())}</footer></main><p id="copied" class="hidden"'
        f' role="status"></p><script>{script()}</script></body></html>\n'
    )


def _policy() -> str:
    """Return what the page may do: have this style sheet and this script, and nothing else."""
    parts = {"style-src": style_sheet(), "script-src": script()}
    allowed = [
        f"{name} 'sha256-{b64encode(hashlib.sha256(part.encode()).digest()).decode()}'"
        for name, part in parts.items()
    ]
    return "; ".join(["default-src 'none'", *allowed, "base-uri 'none'", "form-action 'none'"])


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
        " sends the same again; it reads the API key from the shell variable KEY.</p>"
        + "".join(cards)
        + "</section>"
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
    details = "details open" if is_open else "details"
    rows = "".join(_rows(finding))
    return (
        f"<{details}><summary>{esc(finding.message, 300)} "
        f'<span class="soft">({brief(finding.phase, 40)}{often})</span></summary>'
        f'<dl class="told">{rows}</dl>{_command(finding.curl)}</details>'
    )


def _command(curl: str) -> str:
    """Return the command with a button that copies it, if it is shown whole."""
    if not curl:
        return ""
    is_whole = shown(curl, MAX_CURL_CHARS) == curl
    return f"<pre>{esc(curl, MAX_CURL_CHARS)}</pre>{_button('Copy command') if is_whole else ''}"


def _button(name: str) -> str:
    """Return a button that copies what stands before it; without the script there is none."""
    return f'<button type="button" hidden>{name}</button>'


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
            told = _request(value) if name == "sent" else f"<code>{esc(value)}</code>"
            yield f"<dt>{name}</dt><dd>{told}</dd>"


def _request(sent: str) -> str:
    """Return `POST http://… {…}` with a button that copies the body, if it is shown whole."""
    body = _whole_body(sent)
    if not body:
        return f"<code>{esc(sent)}</code>"
    line = f'{esc(sent.removesuffix(body))}<span class="copies">{esc(body)}</span>'
    return f"<code>{line}</code>{_button('Copy body')}"


def _whole_body(sent: str) -> str:
    """Return the JSON that ends a line of a request; "" if it was cut, or is no JSON."""
    body = sent.split(" ", 2)[-1]
    try:
        json.loads(body)
    except ValueError:
        return ""
    return body if shown(sent, MAX_TEXT_CHARS) == sent else ""


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
