"""What a check of a client found: the rules, findings and the report, and how it is told."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from fauxlab_contract.core.gate import check_waivers as check_waivers_of
from fauxlab_contract.core.rules import (
    SEVERITIES,
    TLS_NOT_VERIFIED,
    Finding,
    Findings,
    Rule,
    Severity,
    table_of,
)
from fauxlab_contract.core.text import counted
from fauxlab_contract.forms.printable import plain
from fauxlab_contract.forms.sheet import Sheet, Told, TriedStep
from fauxlab_contract.verdict.rules import RULES

__all__ = [
    "ALL_TRIALS",
    "CLIENT_RULES",
    "ClientFinding",
    "ClientObservation",
    "ClientReport",
    "as_json",
    "check_waivers",
    "findings_of",
    "sheet_of",
]

FORMAT = "fauxlab-check-client/1"
PART = "trials"
ALL_TRIALS = "all trials"  # in `not_judged`, when no request came in any of them
MAX_TRIALS = 12  # of a finding that people read


CLIENT_RULES = table_of(
    Rule(
        "argument-lost",
        "error",
        "An argument did not reach the request unchanged.",
        "Send each argument under the name of its field.",
    ),
    Rule(
        "stale-field",
        "error",
        "A call sends a field that only an earlier call was given.",
        "Make a new body for each call.",
    ),
    Rule(
        "wrong-key",
        "error",
        "A request has another API key than the client was given.",
        "Send the client's key with every call, fetches too.",
    ),
    Rule(
        "bad-argument-sent",
        "note",
        "An argument that the document does not allow was sent as it came.",
        "You may check arguments before you send them; the API refuses these, at no cost.",
    ),
    Rule(
        "valid-arguments-refused",
        "warning",
        "Valid arguments were refused before anything was sent.",
        "Take the bounds from the document.",
    ),
    Rule(
        "error-taken-for-success",
        "error",
        "A call returned a result although the server had said error or failed.",
        "Read status in the reply; HTTP 200 says nothing.",
    ),
    Rule(
        "wrong-result",
        "error",
        "A call returned something other than the output of a success.",
        "Return output after status says success.",
    ),
    Rule(
        "gave-up",
        "error",
        "A call raised an exception although its result was available.",
        "Poll until a reply says that the job has ended.",
    ),
    Rule(
        "endless",
        "error",
        "A call did not end within its limits.",
        "Give the whole call a deadline.",
    ),
    Rule(
        "no-timeout",
        "note",
        "An answer that did not come was awaited without a timeout.",
        "Give each request a timeout: without one, a silent server holds a call for ever.",
    ),
    Rule(
        "waited-a-day",
        "warning",
        "A call lasted a day or longer because a reply said so.",
        "Give the whole call a deadline, whatever a reply asks for.",
    ),
    Rule(
        "waited-after-end",
        "warning",
        "A call went on sleeping after a reply said that the job had ended.",
        "Stop as soon as a reply says that the job has ended.",
    ),
    Rule(
        "crashed",
        "error",
        "A reply led to a bare error of Python's, such as a KeyError or a JSONDecodeError.",
        "Check a reply before you use it, and raise an exception that says what is wrong.",
    ),
    Rule(
        "message-lost",
        "warning",
        "An exception does not contain the server's message.",
        "Put the server's message into the exception.",
    ),
    Rule(
        "key-leaked",
        "error",
        "The API key is in a log, an output, an exception or a repr.",
        "Hide the key wherever you show a value.",
    ),
    Rule(
        "key-repeated",
        "warning",
        "The API key is in an exception, an output or a result, from a reply that repeats it.",
        "Hide the key in what a server says, too.",
    ),
    Rule(
        "key-sent-elsewhere",
        "error",
        "The API key was sent to another host.",
        "Send the key to the configured host only, and follow no redirects.",
    ),
    Rule(
        "http-accepted",
        "note",
        "An http:// address of another machine was accepted.",
        "You may insist on https: without it, anyone on the way can read the API key.",
    ),
    TLS_NOT_VERIFIED,
    Rule(
        "mixed-up",
        "error",
        "Calls side by side returned each other's results.",
        "Keep the id of a job in the call, not in the client.",
    ),
    Rule(
        "cancel-leaks",
        "error",
        "A cancelled call left a task or a connection open.",
        "Close what the call opened in a finally block.",
    ),
    Rule(
        "left-running",
        "error",
        "A call left a thread, a task or requests behind that go on after its end.",
        "Stop and join in a finally block whatever the call has started.",
    ),
    Rule(
        "webhook-acted-twice",
        "error",
        "A webhook handler acted twice on the same job.",
        "Remember the ids of the jobs that you have handled.",
    ),
    Rule(
        "webhook-unknown-accepted",
        "error",
        "A webhook handler acted on a job that was never submitted.",
        "Act only on ids that you submitted.",
    ),
    *RULES.values(),
)


@dataclass(frozen=True, slots=True)
class ClientObservation:
    """One rule broken in one trial.

    `detail` tells findings of the same rule apart; `field` is the field of a body that it is about.
    `exchanges` are the last ones of the trial, a line each.
    """

    rule: str
    message: str
    trial: str
    detail: str = ""
    field: str = ""
    exchanges: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientFinding(Finding):
    """One thing that a client does wrong: `trial` is the first trial with it, `times` how often.

    `trials` are all trials with it, `exchanges` the last requests and replies of the first one, a
    line each, with the key hidden.
    """

    trial: str
    times: int = 1
    trials: tuple[str, ...] = ()
    exchanges: tuple[str, ...] = ()

    def found_at(self) -> tuple[str, ...]:
        return self.trials or (self.trial,)

    def __str__(self) -> str:
        counts = [f"{self.times} times"] if self.times > max(1, len(self.trials)) else []
        counts += [f"in {len(self.trials)} trials"] if len(self.trials) > 1 else []
        times = f" ({', '.join(counts)})" if counts else ""
        return self.line(f"{self.severity}: {self.rule}: {self.trial}: {self.message}{times}")


@dataclass(frozen=True, slots=True)
class ClientReport(Findings):
    """All findings about a client.

    `virtual_s` passed on the mock's clock, `real_s` on yours; `took_s` says how many real seconds
    each trial took. `not_judged` says what was not tried. `is_judged` is False if no request came,
    or no trial was judged, for the client forks, say: then nothing is known of it.
    """

    findings: tuple[ClientFinding, ...] = ()
    waived: tuple[ClientFinding, ...] = ()
    not_judged: tuple[str, ...] = ()
    trials: tuple[str, ...] = ()
    calls: int = 0
    virtual_s: float = 0.0
    real_s: float = 0.0
    took_s: Mapping[str, float] = field(default_factory=dict)
    unused_waivers: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    is_judged: bool = True
    judge: ClassVar = "check-client"
    known_rules: ClassVar = CLIENT_RULES
    fails_at: ClassVar = "warning"

    @property
    def is_ok(self) -> bool:
        """True if anything was judged and there is no error, apart from waived ones."""
        return self.is_judged and not self.has("error")

    def assert_ok(self, level: Severity | None = None) -> None:
        """Raise AssertionError if a finding is as serious as `level`, or if nothing was judged."""
        __tracebackhide__ = True
        if not self.is_judged:
            raise AssertionError(str(self))
        Findings.assert_ok(self, level)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as values for JSON."""
        return {"is_ok": self.is_ok, "worst": self.worst, **asdict(self)}

    def headline(self) -> str:
        """Return how many findings and trials there were."""
        told = "the client behaved well"
        if not self.is_judged:
            told = f"nothing was judged: {self.not_judged[0].partition(': ')[2].partition(', ')[0]}"
        elif self.findings:
            told = f"{counted(len(self.findings), 'findings')} about the client"
        elif self.waived:
            is_known = len(self.waived_by_name()) < len(self.waived)
            told = "nothing new about the client" if is_known else f"{told}, but for what is waived"
        return f"{told}, in {counted(len(self.trials), 'trials')}"

    def remarks(self) -> list[str]:
        """Return what was not judged, and which waivers were not needed."""
        unjudged = [f"  not judged: {what}" for what in self.not_judged]
        return [*unjudged, *Findings.remarks(self)]


def findings_of(observations: Sequence[ClientObservation]) -> tuple[ClientFinding, ...]:
    """Return one finding for each rule and detail, the most serious first, else as the rules are.

    The first observation speaks for the others.
    """
    groups: dict[tuple[str, str], list[ClientObservation]] = {}
    for observation in observations:
        groups.setdefault((observation.rule, observation.detail), []).append(observation)
    order = list(CLIENT_RULES)
    ordered = sorted(groups.values(), key=lambda same: order.index(same[0].rule))
    findings = [_finding(same) for same in ordered]
    return tuple(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity)))


def _finding(same: Sequence[ClientObservation]) -> ClientFinding:
    first = same[0]
    rule = CLIENT_RULES[first.rule]
    fields = list(dict.fromkeys(one.field for one in same))
    also = f" So were {', '.join(fields[1:])}." if len(fields) > 1 else ""
    return ClientFinding(
        rule.id,
        rule.severity,
        first.message + also,
        rule.advice,
        ", ".join(fields),
        trial=first.trial,
        times=len(same),
        trials=tuple(dict.fromkeys(one.trial for one in same)),
        exchanges=first.exchanges,
    )


def check_waivers(waive: Mapping[str, str]) -> None:
    """Raise ValueError for an unknown rule or a blank reason."""
    __tracebackhide__ = True
    check_waivers_of(waive, CLIENT_RULES)


def sheet_of(report: ClientReport, fails_at: Severity = "warning") -> Sheet:
    """Return the report as the forms tell it: a step for each trial."""
    took = f"{report.virtual_s:.0f} s of virtual time in {report.real_s:.1f} s"
    not_tried = dict(_not_tried(report))
    return Sheet(
        "fauxlab check-client",
        report.headline(),
        (f"{counted(report.calls, 'requests')}, {took}",),
        findings=tuple(map(_told, report.findings)),
        waived=tuple(map(_told, report.waived_by_name())),
        left_out=report.not_judged,
        left_out_as="not judged",
        remarks=tuple(line.strip() for line in report.remarks()[len(report.not_judged) :]),
        steps=tuple(_steps(report, not_tried)),
        seconds=report.real_s,
        fails_at=fails_at,
    )


def as_json(report: ClientReport) -> str:
    """Return the report for programs: `ClientReport.as_dict()` with `format`."""
    return json.dumps(plain({"format": FORMAT, **report.as_dict()}), indent=2) + "\n"


def _told(finding: ClientFinding) -> Told:
    trials = ", ".join(finding.trials[:MAX_TRIALS])
    if len(finding.trials) > MAX_TRIALS:
        trials += f" and {len(finding.trials) - MAX_TRIALS} more"
    facts = [("trials", trials)] if trials else []
    facts += [("last", line) for line in finding.exchanges]
    return Told(
        finding.rule,
        finding.severity,
        f"{finding.trial}: {finding.message}",
        finding.trial,
        finding.times,
        advice=finding.advice,
        facts=tuple(facts),
        title=f"{finding.rule}: {finding.field or finding.trial}",
        waived=finding.waived,
    )


def _steps(report: ClientReport, not_tried: dict[str, str]) -> Iterator[TriedStep]:
    for trial in report.trials:
        broke = [
            place
            for place, finding in enumerate(report.findings)
            if any(one == trial or one.startswith(f"{trial}: ") for one in finding.trials)
        ]
        yield TriedStep(PART, trial, report.took_s.get(trial, 0.0), broke=tuple(broke))
    for trial, reason in not_tried.items():
        yield TriedStep(PART, trial, skipped=reason)


def _not_tried(report: ClientReport) -> Iterator[tuple[str, str]]:
    """Yield (trial, reason) of those that were left out."""
    for sentence in report.not_judged:
        trial, colon, reason = sentence.partition(": ")
        if colon and trial not in report.trials:
            yield trial, reason
