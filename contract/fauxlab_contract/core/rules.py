"""The shape of every judgement: a rule, a finding, and the base of all reports.

The rules about requests that several reports share stand here too, so that an id has one meaning.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from fauxlab_contract.core.gate import IN_BASELINE, Baseline, Identity, Known, check_waivers
from fauxlab_contract.core.pointers import parts_of
from fauxlab_contract.core.text import counted, either, nearest

__all__ = [
    "KEY_IN_URL",
    "MISSPELT_FIELD",
    "PLAIN_HTTP",
    "REQUEST_VIOLATION",
    "SEVERITIES",
    "TLS_NOT_VERIFIED",
    "Finding",
    "Findings",
    "Rule",
    "Severity",
    "field_at",
    "table_of",
    "unused",
    "waiver_for",
]

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")  # the most serious first
VERY_ALIKE = 0.9  # of difflib: a waiver, and a finding that it may have been meant for
SHOWN_GONE = 5  # names of a baseline


@dataclass(frozen=True, slots=True)
class Rule:
    """Something that should not happen.

    error: a promise is broken. warning: it works, but is risky. note: harmless, good to know.
    `why` says why it matters; `needs` names what must be known to judge it.
    """

    id: str
    severity: Severity
    summary: str
    advice: str = ""
    why: str = ""
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule.

    `field` is the field of a body that it is about (`scenes.prompt`), empty if it is about none;
    several are `seed, width`, and are waived when each of them is.
    `waived` is the reason why the finding does not count.
    """

    rule: str
    severity: Severity
    message: str
    advice: str = ""
    field: str = ""
    waived: str = ""

    def __str__(self) -> str:
        return self.line(f"{self.severity}: {self.rule}: {self.message}")

    def found_at(self) -> tuple[str, ...]:
        """Return where it was found, as waivers and baselines name it; the same in each run.

        Here nowhere; else the trials of a client, an operation, or places in a document.
        """
        return ()

    def identities(self) -> list[Identity]:
        """Return one identity for each field at each place."""
        fields, places = self.field.split(", "), self.found_at() or ("",)
        return [Identity(self.rule, field, place) for field in fields for place in places]

    def entries(self) -> list[Known]:
        """Return what a baseline holds of this finding."""
        return [(rule, self.severity, field, place) for rule, field, place in self.identities()]

    def line(self, start: str) -> str:
        """Return `start`, the advice and the reason of the waiver as one line."""
        reason = f"(waived: {self.waived})" if self.waived else ""
        return " ".join(part for part in (start, self.advice, reason) if part)


class Findings:
    """The base of all reports: `findings` that count, and `waived` ones that do not.

    `unused_waivers` are the waivers for which nothing was found, and `gone` names what is in the
    baseline and was not found. `judge` is the name that baselines have for the kind of report.
    """

    __slots__ = ()
    judge: ClassVar[str] = ""
    known_rules: ClassVar[Mapping[str, Rule]] = {}
    fails_at: ClassVar[Severity] = "error"  # the mildest severity that fails `assert_ok()`

    if TYPE_CHECKING:  # at run time, a dataclass would take these properties for default values

        @property
        def findings(self) -> tuple[Finding, ...]: ...

        @property
        def waived(self) -> tuple[Finding, ...]: ...

        @property
        def unused_waivers(self) -> tuple[str, ...]: ...

        @property
        def gone(self) -> tuple[str, ...]: ...

    @property
    def is_ok(self) -> bool:
        """True if there is no error, apart from waived ones."""
        return not self.has("error")

    @property
    def worst(self) -> Severity | None:
        """The most serious severity among the findings; None if there are none."""
        severities = {finding.severity for finding in self.findings}
        return next((severity for severity in SEVERITIES if severity in severities), None)

    def has(self, level: Severity) -> bool:
        """Return True if a finding is at least as serious as `level`.

        Raise ValueError for a level that is not a severity.
        """
        __tracebackhide__ = True
        if level not in SEVERITIES:
            raise ValueError(f"level must be {either(SEVERITIES)}, not {level!r:.40}")
        worst = self.worst
        return worst is not None and SEVERITIES.index(worst) <= SEVERITIES.index(level)

    def count(self, severity: Severity) -> int:
        """Return how many findings have this severity."""
        return sum(finding.severity == severity for finding in self.findings)

    def counts(self) -> str:
        """Return the number of findings of each severity: `2 errors, 1 warning`, or nothing."""
        parts = []
        for severity in SEVERITIES:
            number = self.count(severity)
            if number:
                parts.append(counted(number, f"{severity}s"))
        return ", ".join(parts)

    def assert_ok(self, level: Severity | None = None) -> None:
        """Raise AssertionError with the whole report if a finding is as serious as `level`.

        `level="warning"` makes warnings fail too. Without `level`, each report has a default.
        """
        __tracebackhide__ = True  # pytest shows the caller's line
        if not self.has(level or self.fails_at):
            return
        told = str(self)
        if not self.has(self.fails_at):  # then its headline does not say what fails here
            worst = counted(self.count(self.worst or "note"), f"{self.worst}s")
            told = f"{worst}, which assert_ok({level!r}) does not allow\n{told}"
        raise AssertionError(told)

    def waive(self, rule: str, reason: str) -> Self:
        """Return the report with the findings of a rule moved to `waived`.

        `rule:field` and `rule@place` waive less of them, `rule:field@place` the least. Raises
        ValueError for an unknown rule and for a blank reason, TypeError for what is no text.
        """
        __tracebackhide__ = True
        return self.with_waivers({rule: reason})

    def with_waivers(self, waivers: Mapping[str, str]) -> Self:
        """Return the report with several rules waived: `{"rule:field@place": reason}`."""
        __tracebackhide__ = True
        check_waivers(waivers, self.known_rules)
        left = unused((*self.unused_waivers, *waivers), (*self.findings, *self.waived))
        reasons = [waiver_for(finding, waivers) for finding in self.findings]
        return self._without(reasons, unused_waivers=left)

    def against(self, baseline: Baseline) -> Self:
        """Return the report with the findings that a baseline knows moved to `waived`.

        Raises ValueError for the baseline of another judge.
        """
        __tracebackhide__ = True
        baseline.check_judge(self.judge)
        reasons = [
            IN_BASELINE if baseline.known.issuperset(finding.entries()) else ""
            for finding in self.findings
        ]
        gone = baseline.gone(_entries((*self.findings, *self.waived)))
        return self._without(reasons, gone=gone)

    def as_baseline(self, source: str = "baseline") -> Baseline:
        """Return a baseline of all findings that are not waived by name; `source` is its name."""
        known = [finding for finding in self.waived if finding.waived == IN_BASELINE]
        return Baseline(self.judge, frozenset(_entries((*self.findings, *known))), source)

    def _without(self, reasons: list[str], **changes: tuple[str, ...]) -> Self:
        """Return the report with each finding waived that has a reason."""
        report: Any = self
        marked = [
            replace(finding, waived=reason)
            for finding, reason in zip(self.findings, reasons, strict=True)
        ]
        waived = tuple(finding for finding in marked if finding.waived)
        counting = tuple(finding for finding in marked if not finding.waived)
        changed: Self = replace(
            report, findings=counting, waived=(*self.waived, *waived), **changes
        )
        return changed

    def waived_lines(self) -> list[str]:
        """Return a heading and a line for each finding that is waived by name, or nothing."""
        lines = [
            f"  - {finding.rule}: {finding.message} ({finding.waived})"
            for finding in self.waived_by_name()
        ]
        return ["\nwaived:", *lines] if lines else []

    def waived_by_name(self) -> list[Any]:
        """Return the waived findings, without those that are only known from a baseline."""
        return [finding for finding in self.waived if finding.waived != IN_BASELINE]

    def as_dict(self) -> dict[str, Any]:
        """Return the report as values for JSON."""
        return {
            "is_ok": self.is_ok,
            "worst": self.worst,
            "findings": [asdict(finding) for finding in self.findings],
            "waived": [asdict(finding) for finding in self.waived],
            "unused_waivers": list(self.unused_waivers),
            "gone": list(self.gone),
        }

    def __str__(self) -> str:
        findings = [f"  {finding}" for finding in (*self.findings, *self.waived_by_name())]
        return "\n".join([self.headline(), *findings, *self.remarks()])

    def headline(self) -> str:
        """Return the first line of the text."""
        return self.counts() or "no findings"

    def remarks(self) -> list[str]:
        """Return the lines below the findings: what a baseline knows, and what was not needed."""
        lines = []
        if known := len(self.waived) - len(self.waived_by_name()):
            lines.append(f"  {IN_BASELINE}: {counted(known, 'findings')}")
        if self.gone:
            shown = ", ".join(self.gone[:SHOWN_GONE])
            left = len(self.gone) - SHOWN_GONE
            more = f" and {left} more" if left > 0 else ""
            lines.append(f"  {IN_BASELINE}, and not found this time: {shown}{more}")
        findings = (*self.findings, *self.waived)
        found = [name for each in findings for one in each.identities() for name in one.names()]
        for name in self.unused_waivers:
            near = nearest(name, found, VERY_ALIKE)
            hint = f"; did you mean {near[0]}?" if near else ""
            lines.append(f"  waived but never found: {name}{hint}")
        return lines


def table_of(*rules: Rule) -> Mapping[str, Rule]:
    """Return the rules by their ids, in the order given."""
    return {rule.id: rule for rule in rules}


def waiver_for(finding: Finding, waivers: Mapping[str, str]) -> str:
    """Return the reason for which a finding is waived; empty if it is not.

    A finding about several fields or places is waived when each of them is.
    """
    reasons = [
        next((waivers[name] for name in identity.names() if name in waivers), "")
        for identity in finding.identities()
    ]
    return "; ".join(dict.fromkeys(reasons)) if all(reasons) else ""


def unused(waivers: Iterable[str], findings: Collection[Finding]) -> tuple[str, ...]:
    """Return the waivers, each once, that hold for none of the findings."""
    found = {name for each in findings for one in each.identities() for name in one.names()}
    return tuple(name for name in dict.fromkeys(waivers) if name not in found)


def _entries(findings: Iterable[Finding]) -> list[Known]:
    return [entry for finding in findings for entry in finding.entries()]


def field_at(pointer: str) -> str:
    """Return the field that a pointer into a document is about; empty if it is about none.

    `/components/schemas/A/properties/scenes/items/properties/prompt/type` -> `scenes.prompt`
    """
    names: list[str] = []
    is_name = False
    for part in parts_of(pointer):
        if is_name and part:
            names.append(part)
        is_name = part == "properties" and not is_name
    return ".".join(names)


REQUEST_VIOLATION = Rule(
    "request-violation",
    "error",
    "A request breaks the contract.",
    "Send what the document allows.",
    needs=("checked requests",),
)
MISSPELT_FIELD = Rule(
    "misspelt-field",
    "error",
    "A request has an undeclared field whose name looks like a declared one.",
    "Correct the name: the API ignores fields that it does not know.",
)
KEY_IN_URL = Rule(
    "key-in-url",
    "error",
    "The API key is in a URL.",
    "Send the key in the body only: URLs end up in logs.",
)
PLAIN_HTTP = Rule(
    "plain-http",
    "error",
    "A request goes to another machine over plain http.",
    "Use https: without it, anyone on the way can read the API key.",
)
TLS_NOT_VERIFIED = Rule(
    "tls-not-verified",
    "error",
    "The server's TLS certificate is not verified.",
    "Leave certificate verification on.",
)
