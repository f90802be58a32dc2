"""What a check of a server found, and what it did to find it, as frozen values."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

from fauxlab_contract.check.rules import RULES
from fauxlab_contract.core.gate import Known
from fauxlab_contract.core.rules import Finding, Findings
from fauxlab_contract.core.text import counted

__all__ = ["JobLife", "Moment", "PhaseResult", "Point", "Report", "ServerFinding", "StepResult"]

# how the reason begins why a step was not tried, or not to its end
UNTRIED = ("left out by the budget", "cut short by", "the check was stopped before")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFinding(Finding):
    """One broken promise, once for each place.

    `where` is a place in the document and `place` where it stands in the file
    (`openapi.yaml:12:3`), `sent` and `came` are the first request and its response,
    `curl` is a command that sends the same request again. `steps` are the labels of the steps that
    showed it. `group` is hygiene, or empty for a broken promise.
    """

    phase: str
    operation: str
    where: str
    sent: str
    came: str
    curl: str
    times: int = 1
    steps: tuple[str, ...] = ()
    group: str = ""
    place: str = ""

    def found_at(self) -> tuple[str, ...]:
        return (self.operation,)

    def entries(self) -> list[Known]:
        """Return what a baseline holds of it: of a finding about no field, each step."""
        if self.field:
            return Finding.entries(self)
        return [(self.rule, self.severity, "", step) for step in self.steps]

    def __str__(self) -> str:
        times = f" ({self.times} times)" if self.times > 1 else ""
        return self.line(
            f"{self.severity}: {self.rule}: {self.message}{times}"
            f" (at {self.place or self.where or self.operation})"
        )


@dataclass(frozen=True, slots=True)
class Point:
    """One value of one field that was tried.

    `is_valid` says what the contract wants; `came` is accepted, refused or broken.
    """

    operation: str
    field: str
    label: str
    value: str
    is_valid: bool
    came: str
    number: float | None = None

    @property
    def is_right(self) -> bool:
        """True if the server judged the value as the contract does."""
        return self.came == ("accepted" if self.is_valid else "refused")


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened to a job, `at_s` seconds after its submit was sent."""

    at_s: float
    what: str
    came: str


@dataclass(frozen=True, slots=True)
class JobLife:
    """What was seen of one job until its end. `eta_s` is the eta in the reply to its submit."""

    job_id: str
    label: str
    eta_s: float | None
    moments: tuple[Moment, ...]


@dataclass(frozen=True, slots=True)
class PhaseResult:
    """What one phase did."""

    name: str
    steps: int
    calls: int
    submits: int
    seconds: float
    findings: int


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step of a check, or one that was left out or cut short: `skipped` says why."""

    phase: str
    label: str
    seconds: float = 0.0
    skipped: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Findings):
    """One check of one server.

    `not_covered` says what was left out, and why. `submits` counts what may have cost money.
    `steps` are all of the plan, those that were left out with the reason. Findings come by weight.
    `is_whole` is False if Ctrl-C ended the check early. `untried` names the operations that were
    sent nothing, `unfollowed` those whose jobs were not followed.
    """

    url: str
    document: str
    profile: str
    errors: str
    seed: int
    phases: tuple[PhaseResult, ...]
    findings: tuple[ServerFinding, ...]
    waived: tuple[ServerFinding, ...] = ()
    unused_waivers: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    not_covered: tuple[str, ...]
    points: tuple[Point, ...]
    lives: tuple[JobLife, ...]
    calls: int
    submits: int
    seconds: float
    steps: tuple[StepResult, ...] = ()
    is_whole: bool = True
    untried: tuple[str, ...] = ()
    unfollowed: tuple[str, ...] = ()
    judge: ClassVar = "check"
    known_rules: ClassVar = RULES

    def as_dict(self) -> dict[str, Any]:
        """Return the report as values: its members by their names, and a summary."""
        head = {"is_ok": self.is_ok, "worst": self.worst, "summary": self.headline()}
        points = [{**asdict(point), "is_right": point.is_right} for point in self.points]
        return {**head, **asdict(self), "points": points}

    @property
    def verdict(self) -> str:
        """The whole report in one sentence: `the contract is broken: 2 errors, 1 warning`."""
        if not self.calls:
            return "nothing was checked"
        if self.has("error"):
            return f"the contract is broken: {self.counts()}"
        left = self._left()
        said = self._without_errors()
        said += f" in {counted(self.calls, 'calls')}" if left else ""
        said += f", with {self.counts()}" if self.findings else ""
        known = [counted(len(self.waived), "known findings")] if self.waived else []
        return "; ".join([said, *known, *left])

    def _without_errors(self) -> str:
        """Return what is said of a server without new errors; kept, if everything was tried."""
        if self.waived:
            return "no new error" if self.findings else "nothing new"
        if self._left():
            return "no error" if self.findings else "nothing found"
        return "the contract is kept"

    def _left(self) -> list[str]:
        """Return what was not tried, in words."""
        steps = sum(step.skipped.startswith(UNTRIED) for step in self.steps)
        left = [f"{counted(steps, 'steps')} left out"] if steps else []
        if self.untried:
            left.append(f"{counted(len(self.untried), 'operations')} not tried")
        if self.unfollowed:
            left.append(f"the jobs of {counted(len(self.unfollowed), 'operations')} not followed")
        return left

    def headline(self) -> str:
        """Return `fauxlab check: the contract is kept; 278 calls, 96 submits, 8.6 s`."""
        return f"fauxlab check: {self.verdict}; {self.took}"

    @property
    def took(self) -> str:
        """What the check took: `278 calls, 96 submits, 8.6 s`."""
        calls, submits = counted(self.calls, "calls"), counted(self.submits, "submits")
        return f"{calls}, {submits}, {self.seconds:.1f} s"

    def __str__(self) -> str:
        lines, advised = [self.headline()], set[str]()
        for finding in (*self.findings, *self.waived_by_name()):
            is_told = finding.advice in advised
            lines.append(f"  {replace(finding, advice='') if is_told else finding}")
            advised.add(finding.advice)
        return "\n".join([*lines, *self.remarks()])

    def remarks(self) -> list[str]:
        """Return what was not covered, and which waivers were not needed."""
        uncovered = [f"  not covered: {sentence}" for sentence in self.not_covered]
        return [*uncovered, *Findings.remarks(self)]
