"""A sheet as text for a terminal: first all findings, one line each, then what is behind them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from fauxlab_contract.core.text import counted, cut
from fauxlab_contract.forms.printable import LINE, command_lines, printable, shown, wrapped
from fauxlab_contract.forms.sheet import Sheet, Told

__all__ = ["fact_lines", "facts_of", "text"]

MOST_OF_A_RULE = 5  # lines on the first screen
MOST_LEFT_OUT = 12
TOO_LONG = "too long for a line; the JSON report has the command"
Numbered = tuple[int, Told]


def text(sheet: Sheet, *, verbose: bool = False) -> str:
    """Return the report as text that ends with a line end.

    The first screen is the verdict, and each finding on a line; with `verbose`, what was sent and
    came follows.
    """
    lines = [*_first_screen(sheet, verbose=verbose)]
    if verbose:
        lines += _details(sheet)
    return "\n".join([*map(printable, lines), ""])


def _first_screen(sheet: Sheet, *, verbose: bool) -> Iterator[str]:
    yield from wrapped(f"{sheet.tool}: {sheet.verdict}", "")
    for line in sheet.about:
        yield from wrapped(line, "")
    numbered = [*enumerate(sheet.findings, 1)]
    width = max((len(shown(told.rule, 40)) for told in sheet.findings), default=0)
    for heading, members in groupby(numbered, key=lambda item: _heading(item[1])):
        findings = [*members]
        yield ""
        yield f"{_heading_of(findings, heading)}:"
        yield from _overview(findings, width, is_whole=verbose)
    yield from _waived(sheet)
    yield from _left_out(sheet, is_whole=verbose)
    if sheet.remarks:
        yield ""
    yield from (line for remark in sheet.remarks for line in wrapped(remark, ""))


def _heading(told: Told) -> tuple[str, str]:
    return told.severity, told.group


def _heading_of(findings: Sequence[Numbered], heading: tuple[str, str]) -> str:
    """Return `3 errors`, or `hygiene: 2 warnings` for a group."""
    severity, group = heading
    number = counted(len(findings), f"{severity}s")
    return f"{shown(group, 40)}: {number}" if group else number


def _overview(findings: Sequence[Numbered], width: int, *, is_whole: bool) -> Iterator[str]:
    """Yield a line for each finding; of a rule with many, the first few, and how many more."""
    totals, seen = Counter(told.rule for _, told in findings), Counter[str]()
    for number, told in findings:
        seen[told.rule] += 1
        if is_whole or seen[told.rule] <= MOST_OF_A_RULE:
            often = f" ({told.times} times)" if told.times > 1 else ""
            start = f"{number:3}. {shown(told.rule, 40):{width}}  "
            yield start + cut(shown(told.message), LINE - len(start) - len(often)) + often
        elif seen[told.rule] == totals[told.rule]:
            rest = totals[told.rule] - MOST_OF_A_RULE
            yield f"     {shown(told.rule, 40):{width}}  … and {rest} more"


def _waived(sheet: Sheet) -> Iterator[str]:
    if sheet.waived:
        yield ""
        yield f"waived: {counted(len(sheet.waived), 'findings')}:"
    for told in sheet.waived:
        yield cut(shown(f"     {told.rule}: {told.waived}: {told.message}"), LINE)


def _left_out(sheet: Sheet, *, is_whole: bool) -> Iterator[str]:
    sentences = sheet.left_out if is_whole else sheet.left_out[:MOST_LEFT_OUT]
    if sentences:
        yield ""
        yield f"{sheet.left_out_as}:"
    for sentence in sentences:
        yield from wrapped(sentence, "    ", "  - ")
    left = len(sheet.left_out) - len(sentences)
    if left:
        yield f"  - … and {left} more"


def _details(sheet: Sheet) -> Iterator[str]:
    if len(sheet.table) > 1:
        yield ""
        yield from _table(sheet.table)
    advised: set[str] = set()
    for number, told in enumerate((*sheet.findings, *sheet.waived), 1):
        if told.advice in advised:
            told = replace(told, advice="")
        advised.add(told.advice)
        yield ""
        often = f", {told.times} times" if told.times > 1 else ""
        part = f" ({shown(told.part, 60)}{often})" if told.part else ""
        yield f"{number}. {shown(told.rule, 60)}{part}"
        yield from fact_lines(told, "   ")


def fact_lines(told: Told, indent: str) -> Iterator[str]:
    """Yield what is behind a finding: its sentence, its facts and its command."""
    yield from wrapped(told.message, indent)
    for name, value in facts_of(told):
        yield from wrapped(value, f"{indent}{'':8}", f"{indent}{name:<8}")
    if told.command:
        lines = [*command_lines(told.command)]
        # the first line alone is indented: a shell would take blanks for the end of a word
        yield f"{indent}{lines[0] if lines else TOO_LONG}"
        yield from lines[1:]


def facts_of(told: Told) -> Iterator[tuple[str, str]]:
    """Yield (name, text) for everything that is known of a finding but its sentence."""
    yield from told.facts
    if told.advice:
        yield "advice", told.advice
    if told.waived:
        yield "waived", told.waived


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table; the first column is aligned left, numbers are aligned right."""
    columns = zip(*rows, strict=True)
    first, *others = [max(map(len, column)) for column in columns]
    for name, *numbers in rows:
        cells = [cell.rjust(width) for cell, width in zip(numbers, others, strict=True)]
        yield "  ".join([name.ljust(first), *cells])
