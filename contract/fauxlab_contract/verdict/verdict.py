"""How a client behaved over whole lifecycles, judged from what went over the wire. Pure: records
in, findings out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from fauxlab_contract.core.conventions import Conventions
from fauxlab_contract.core.records import Exchange, JobFacts, WebhookAttempt
from fauxlab_contract.verdict.checks import CHECKS, is_undecided
from fauxlab_contract.verdict.history import ClientHistory

__all__ = ["RULES", "Finding", "Rule", "Verdict", "judge"]


# that take time; that were validated; of jobs, from their submits on
Need = Literal["pauses", "checked requests", "whole lives"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that a client should not do. What it `needs` is not always there, and then it is
    not judged.
    """

    id: str
    severity: Literal["error", "warning"]
    summary: str
    advice: str
    needs: tuple[Need, ...] = ()


_PAUSES: tuple[Need, ...] = ("pauses",)
_LIVES: tuple[Need, ...] = ("whole lives",)
RULES: Mapping[str, Rule] = {
    rule.id: rule
    for rule in (
        Rule(
            "contract-violation",
            "error",
            "A request broke the contract.",
            "Check requests before they are sent.",
            ("checked requests",),
        ),
        Rule(
            "key-in-url",
            "error",
            "The API key stood in a URL.",
            "Send it in the body alone: URLs end up in logs.",
        ),
        Rule(
            "wrong-path-or-method",
            "error",
            "A call matched no operation.",
            "Fetch by POST, at the address in fetch_result.",
        ),
        Rule(
            "unknown-id",
            "error",
            "A fetch asked for a job that is not the key's.",
            "Keep the id as the submit's answer gave it.",
        ),
        Rule(
            "duplicate-submit",
            "error",
            "The same request was accepted twice: it is charged twice.",
            "Submit again only when told to.",
        ),
        Rule(
            "retried-permanent-error",
            "error",
            "A call was repeated although nothing can change.",
            "Stop and tell your user.",
        ),
        Rule(
            "link-before-success",
            "error",
            "A link was read before success was told.",
            "Read links when a fetch says success.",
            _LIVES,
        ),
        Rule(
            "polled-before-eta",
            "warning",
            "The first fetch came before the eta was over.",
            "Wait the eta first.",
            _PAUSES + _LIVES,
        ),
        Rule(
            "polled-too-fast",
            "warning",
            "Fetches came one right after the other.",
            "Pause a second or more.",
            _PAUSES,
        ),
        Rule(
            "polled-without-backoff",
            "warning",
            "Many fetches, equally short pauses.",
            "Let the pauses grow.",
            _PAUSES,
        ),
        Rule(
            "ignored-retry-after",
            "warning",
            "A call came again before retry_after was over.",
            "Wait as long as it says.",
            _PAUSES,
        ),
        Rule(
            "polled-after-end",
            "warning",
            "A job was fetched more than once after its end was told.",
            "Stop at success, failed and error.",
        ),
        Rule(
            "polled-after-webhook",
            "warning",
            "Polling went on after the webhook.",
            "Confirm it by one fetch, then stop.",
        ),
        Rule(
            "abandoned-job",
            "warning",
            "A job was paid for and its end never heard of.",
            "Poll it to its end.",
            _LIVES,
        ),
        Rule(
            "webhook-refused",
            "warning",
            "A webhook was not answered with 2xx.",
            "Answer 200 at once, also to a second delivery.",
        ),
        Rule(
            "webhook-answered-late",
            "warning",
            "A webhook's receiver took long.",
            "Answer first, then do the work.",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a client did. `exchanges` are numbers of the journal; `waived` is the reason
    for not minding it.
    """

    rule: str
    severity: str
    message: str
    advice: str
    job_id: int | None = None
    exchanges: tuple[int, ...] = ()
    waived: str = ""

    def __str__(self) -> str:
        reason = f" (waived: {self.waived})" if self.waived else ""
        return f"{self.severity}: {self.rule}: {self.message} {self.advice}{reason}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """All findings about a client, and the rules that could not be judged, or not for all jobs."""

    findings: tuple[Finding, ...]
    waived: tuple[Finding, ...] = ()
    not_judged: tuple[str, ...] = ()

    @property
    def is_ok(self) -> bool:
        return not self.findings

    def assert_ok(self) -> None:
        """Raise AssertionError with all findings, if there are any."""
        if self.findings:
            raise AssertionError(str(self))

    def as_dict(self) -> dict[str, Any]:
        rows = {
            name: [asdict(one) for one in getattr(self, name)] for name in ("findings", "waived")
        }
        return {"is_ok": self.is_ok, **rows, "not_judged": list(self.not_judged)}

    def __str__(self) -> str:
        count = len(self.findings)
        lines = [
            (
                f"{count} finding{'' if count == 1 else 's'} about the client"
                if count
                else "the client behaved well"
            )
        ]
        lines += [f"  {finding}" for finding in (*self.findings, *self.waived)]
        if self.not_judged:
            lines.append(f"  not judged: {', '.join(self.not_judged)}")
        return "\n".join(lines)


def judge(  # all but the first four by name
    exchanges: Sequence[Exchange],
    jobs: Sequence[JobFacts],
    webhooks: Sequence[WebhookAttempt],
    conventions: Conventions,
    *,
    now: float | None = None,
    missing: Collection[Need] = (),
    waive: Mapping[str, str] | None = None,
) -> Verdict:
    """Judge a client at the moment `now` (default: the last exchange). `exchanges` are the last
    ones, none left out between them; what is `missing` silences the rules that need it.

    `waive` maps ids of rules to reasons; ValueError for an unknown rule or an empty reason.
    """
    waive = dict(waive or {})
    for name, reason in waive.items():
        if name not in RULES or not reason.strip():
            raise ValueError(f"waive {name[:40]!a} with a reason; the rules are {', '.join(RULES)}")
    case = ClientHistory(exchanges, jobs, webhooks, conventions, now)
    silent = {rule.id for rule in RULES.values() if not set(rule.needs).isdisjoint(missing)}
    findings = [
        Finding(
            rule.id, rule.severity, message, rule.advice, job_id, numbers, waive.get(rule.id, "")
        )
        for rule in RULES.values()
        if rule.id not in silent
        for message, job_id, numbers in CHECKS[rule.id](case)
    ]
    return Verdict(
        tuple(finding for finding in findings if not finding.waived),
        tuple(finding for finding in findings if finding.waived),
        tuple(rule.id for rule in RULES.values() if rule.id in silent or _is_partly(rule, case)),
    )


def _is_partly(rule: Rule, case: ClientHistory) -> bool:
    """Are there jobs of which a rule cannot be judged: older than the journal, or not at their end
    yet?
    """
    is_cut = any(life.submit is None for life in case.lives.values())
    return (is_cut and "whole lives" in rule.needs) or (
        rule.id == "abandoned-job" and is_undecided(case)
    )
