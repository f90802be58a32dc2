"""How a client behaved over whole lifecycles, judged from what went over the wire.

Pure: records in, findings out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from fauxlab_contract.core.conventions import Conventions
from fauxlab_contract.core.gate import check_waivers
from fauxlab_contract.core.records import Exchange, JobFacts, WebhookAttempt
from fauxlab_contract.core.rules import SEVERITIES, Finding, Findings, Rule, Severity
from fauxlab_contract.core.text import counted, cut
from fauxlab_contract.verdict.checks import CHECKS, count_calls
from fauxlab_contract.verdict.history import ClientHistory, DeclaredFields
from fauxlab_contract.verdict.polling import is_undecided
from fauxlab_contract.verdict.rules import RULES, TOO_EARLY, WHY_NOT, Need

__all__ = ["Verdict", "VerdictFinding", "judge"]

MOST_SAID = 120  # characters of a refusal
MOST = 5  # webhooks that came to no receiver, in the text


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictFinding(Finding):
    """One thing that a client did wrong. `exchanges` are numbers of the journal."""

    job_id: int | None = None
    exchanges: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict(Findings):
    """All findings about a client.

    `not_judged` are the rules that could not be judged, or not for all jobs, and `missing` is what
    was not known for that. `calls` and `jobs` are how many there were; those of browsers and of
    scripts that wait for the server are no calls. `unreached` are the webhooks that came to no
    receiver, and why. `refused` says why no submit was accepted, if none was.
    """

    findings: tuple[VerdictFinding, ...] = ()
    waived: tuple[VerdictFinding, ...] = ()
    not_judged: tuple[str, ...] = ()
    missing: tuple[Need, ...] = ()
    unused_waivers: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    calls: int = 0
    jobs: int = 0
    unreached: tuple[str, ...] = ()
    refused: str = ""
    judge: ClassVar = "verdict"
    known_rules: ClassVar = RULES
    fails_at: ClassVar = "warning"

    @classmethod
    def from_dict(cls, members: Any) -> Self:
        """Return the verdict that `as_dict` told of; ValueError for anything else."""
        try:
            reasons = {reason: need for need, reason in WHY_NOT.items()}
            return cls(
                tuple(_finding(each) for each in members["findings"]),
                waived=tuple(_finding(each) for each in members["waived"]),
                not_judged=tuple(rule for rule in members["not_judged"] if rule in RULES),
                missing=tuple(reasons[why] for why in members["why_not_judged"] if why in reasons),
                calls=int(members["calls"]),
                jobs=int(members["jobs"]),
                unreached=tuple(map(str, members["unreached"])),
                refused=str(members.get("refused", "")),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"this is not a verdict: {error}") from None

    def as_dict(self) -> dict[str, Any]:
        """Return the verdict as values for JSON."""
        return {
            **Findings.as_dict(self),
            "calls": self.calls,
            "jobs": self.jobs,
            "not_judged": list(self.not_judged),
            "why_not_judged": self.why_not_judged(),
            "unreached": list(self.unreached),
            "refused": self.refused,
        }

    def __str__(self) -> str:
        text = Findings.__str__(self)
        if not self.calls:
            return text
        return f"{text}\n  judged: {counted(self.calls, 'calls')}, {counted(self.jobs, 'jobs')}"

    def headline(self) -> str:
        """Return how many findings there are."""
        if not self.findings and not self.calls:
            return "no call was seen, so nothing was judged"
        if not self.has("warning"):
            notes = [counted(len(self.findings), "notes")] if self.findings else []
            unjudged = ["no submit was accepted"] if self.refused else []
            if self.not_judged:
                unjudged += [f"{len(self.not_judged)} of {len(RULES)} rules were not"]
            well = f"the client behaved well{' as far as it was judged' if unjudged else ''}"
            return "; ".join([well, *unjudged, *notes])
        return f"{counted(len(self.findings), 'findings')} about the client"

    def remarks(self) -> list[str]:
        """Return which rules were not judged, and why; and which waivers were not needed."""
        if not self.calls:
            return Findings.remarks(self)
        reasons = self.why_not_judged().items()
        refused = [f"  not judged: what follows a submit ({self.refused})"] if self.refused else []
        unjudged = [f"  not judged: {', '.join(ids)} ({reason})" for reason, ids in reasons]
        webhooks = [f"    {webhook}" for webhook in self.unreached[:MOST]]
        if len(self.unreached) > MOST:
            webhooks.append(f"    and {len(self.unreached) - MOST} more")
        return [*refused, *unjudged, *webhooks, *Findings.remarks(self)]

    def why_not_judged(self) -> dict[str, list[str]]:
        """Return the rules that were not judged, by the reason: `{reason: [id, …]}`."""
        reasons: dict[str, list[str]] = {}
        for name in self.not_judged:
            missing = [need for need in self.missing if need in RULES[name].needs]
            reasons.setdefault(WHY_NOT[missing[0]] if missing else TOO_EARLY, []).append(name)
        return reasons

    def assert_ok(self, level: Severity | None = None, *, allow_unjudged: bool = True) -> None:
        """Raise AssertionError with the whole report if a finding is as serious as `level`.

        Without `level`, warnings fail too. With `allow_unjudged=False`, so do rules that were not
        judged, and a client of which no call was seen, or of which no submit was accepted.
        """
        __tracebackhide__ = True  # pytest shows the caller's line
        Findings.assert_ok(self, level)
        if not allow_unjudged and (self.not_judged or not self.calls or self.refused):
            raise AssertionError(str(self))


def _finding(members: Mapping[str, Any]) -> VerdictFinding:
    """Return a finding as `as_dict` told of it; KeyError, TypeError or ValueError otherwise."""
    finding = VerdictFinding(**{**members, "exchanges": tuple(members["exchanges"])})
    texts = finding.rule, finding.message, finding.advice, finding.field, finding.waived
    if finding.severity not in SEVERITIES or not all(isinstance(text, str) for text in texts):
        raise ValueError("a finding is told in texts")
    return finding


def judge(  # noqa: PLR0913 # all but the first four by name
    exchanges: Sequence[Exchange],
    jobs: Sequence[JobFacts],
    webhooks: Sequence[WebhookAttempt],
    conventions: Conventions,
    *,
    now: float | None = None,
    declared: Mapping[str, DeclaredFields] | None = None,
    base_path: str = "",
    missing: Collection[Need] = (),
    waive: Mapping[str, str] | None = None,
) -> Verdict:
    """Judge a client at the moment `now` of the mock's clock (default: the last exchange).

    `exchanges` are the last ones, without gaps. `declared` is what each operation declares of its
    request, by its name: without it, no field is misspelt. A look at `base_path`, or at what is
    above it, is nobody's mistake. Rules that need something that is `missing` are not judged.
    `waive` maps `rule` or `rule:field` to a reason; ValueError for an unknown rule or a blank
    reason.
    """
    __tracebackhide__ = True
    check_waivers(waive or {}, RULES)
    history = ClientHistory(
        exchanges, jobs, webhooks, conventions, now, declared=declared, base_path=base_path
    )
    judged = [rule for rule in RULES.values() if set(rule.needs).isdisjoint(missing)]
    findings = [finding for rule in judged for finding in _findings(rule, history)]
    unknown: list[Need] = [*missing, *_unknown(history)]
    not_judged = [
        rule.id
        for rule in RULES.values()
        if not set(rule.needs).isdisjoint(unknown)
        or (rule.id == "abandoned-job" and is_undecided(history))
    ]
    verdict = Verdict(
        tuple(findings),
        not_judged=tuple(not_judged),
        missing=tuple(unknown),
        calls=count_calls(history),
        jobs=history.count_jobs(),
        unreached=tuple(_unreached(history)),
        refused=_refused(history),
    )
    return verdict.with_waivers(waive or {})


def _unknown(history: ClientHistory) -> Iterator[Need]:
    """Yield what is not known of some jobs or webhooks; of the others, rules are judged."""
    if any(life.submit is None for life in history.lives.values()):
        yield "whole lives"
    if any(_unreached(history)):
        yield "reached receivers"


def _refused(history: ClientHistory) -> str:
    """Return why no submit was accepted, `missing_key: API key required, 3 times`; "" if one was.

    It may be what a test is about, so it is no finding.
    """
    submits = [one for one in history.exchanges if one.kind == "submit"]
    if not submits or any(one.job_id is not None or not one.refusal for one in submits):
        return ""
    message, refusals = history.conventions.fields.message, Counter[str]()
    for one in submits:
        said = str(one.members.get(message) or "")
        refusals[f"{one.refusal}: {said}" if said else str(one.refusal)] += 1
    told = [f"{cut(why, MOST_SAID)}, {counted(times, 'times')}" for why, times in refusals.items()]
    empty = any(one.refusal == "missing_key" for one in submits)
    hint = "; the key was empty or missing: is the variable set that it comes from?"
    return "; ".join(told[:MOST]) + (hint if empty else "")


def _unreached(history: ClientHistory) -> Iterator[str]:
    for attempt in history.webhooks:
        if not attempt.reached:
            yield f"webhook of job {attempt.job_id}, attempt {attempt.attempt}: {attempt.error}"


def _findings(rule: Rule, history: ClientHistory) -> list[VerdictFinding]:
    return [
        VerdictFinding(
            rule.id,
            rule.severity,
            observation.message,
            rule.advice,
            observation.field,
            job_id=observation.job_id,
            exchanges=observation.exchanges,
        )
        for observation in CHECKS[rule.id](history)
    ]
