"""What the forms of a report are written from: a sheet of findings and steps, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass

from fauxlab_contract.core.rules import Severity

__all__ = ["Sheet", "Told", "TriedStep"]


@dataclass(frozen=True, slots=True)
class Told:
    """One finding as it is told.

    `part` is the part of the judgement that found it (a phase, a trial), `group` is the heading
    under which it stands apart from others of its severity, or empty. `facts` are what a reader
    needs to believe it: `(("sent", "POST /a {}"), ("came", "HTTP 500"))`. `command` sends the same
    again. `title` is the same in the next run. `waived` is the reason why it does not count.
    """

    rule: str
    severity: Severity
    message: str
    part: str = ""
    times: int = 1
    group: str = ""
    advice: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    command: str = ""
    title: str = ""
    waived: str = ""


@dataclass(frozen=True, slots=True)
class TriedStep:
    """Something that was tried, or left out: `skipped` says why.

    `broke` are the places, in `Sheet.findings`, of what it showed.
    """

    part: str
    name: str
    seconds: float = 0.0
    skipped: str = ""
    broke: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """A report, ready to be told.

    `verdict` is the first line, `about` are the lines below it; `left_out` are sentences that say
    what was not judged, under the heading `left_out_as`. `remarks` come last. `table` has a row
    of names and one for each part. `file` is what the findings are about, such as a document.
    `fails_at` is the mildest severity that fails.
    """

    tool: str
    verdict: str
    about: tuple[str, ...] = ()
    findings: tuple[Told, ...] = ()
    waived: tuple[Told, ...] = ()
    left_out: tuple[str, ...] = ()
    left_out_as: str = "not covered"
    remarks: tuple[str, ...] = ()
    steps: tuple[TriedStep, ...] = ()
    table: tuple[tuple[str, ...], ...] = ()
    seconds: float = 0.0
    file: str = ""
    fails_at: Severity = "error"
