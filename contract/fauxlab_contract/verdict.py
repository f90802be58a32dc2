"""How a client behaved over whole lifecycles, judged from what went over the wire. Pure: records in, findings out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal

from fauxlab_contract.conventions import Conventions
from fauxlab_contract.record import Exchange, JobFacts, WebhookAttempt
from fauxlab_contract.violation import summary

__all__ = ["RULES", "Finding", "Rule", "Verdict", "judge"]

TOLERANCE_S = 0.5  # a client may be this much early: clocks differ, and the eta is a whole number
FASTEST_S = 0.8  # between two fetches of a job; our own client's first pause is 1 s, spread by 10 %
SAME_PAUSES, SAME_BELOW_S = 8, 5.0  # this many equal pauses, each shorter than that, are no backoff
PROMPT_S = 10.0  # real seconds in which a receiver should have answered
PERMANENT = frozenset({"invalid_key", "missing_key", "no_credits", "plan", "invalid", "malformed", "no_image", "wrong_method", "no_route"})


@dataclass(frozen=True, slots=True)
class Rule:
    """`is_pacing`: about times between calls, silent on the auto clock. `is_whole_life`: needs a journal that was not cut."""

    id: str
    severity: Literal["error", "warning"]
    summary: str
    advice: str
    is_pacing: bool = False
    is_whole_life: bool = False


RULES: Mapping[str, Rule] = {
    rule.id: rule
    for rule in (
        Rule("contract-violation", "error", "A request broke the contract.", "Check requests before they are sent."),
        Rule("key-in-url", "error", "The API key stood in a URL.", "Send it in the body alone: URLs end up in logs."),
        Rule("wrong-path-or-method", "error", "A call matched no operation.", "Fetch by POST, at the address in fetch_result."),
        Rule("unknown-id", "error", "A fetch asked for a job that is not the key's.", "Keep the id as the submit's answer gave it."),
        Rule("duplicate-submit", "error", "The same request was accepted twice: it is charged twice.", "Submit again only when told to."),
        Rule("retried-permanent-error", "error", "A call was repeated although nothing can change.", "Stop and tell your user."),
        Rule("link-before-success", "error", "A link was read before the job had succeeded.", "Read links when a fetch says success."),
        Rule("polled-before-eta", "warning", "The first fetch came before the eta was over.", "Wait the eta first.", is_pacing=True),
        Rule("polled-too-fast", "warning", "Fetches came one right after the other.", "Pause a second or more.", is_pacing=True),
        Rule("polled-without-backoff", "warning", "Many fetches, equally short pauses.", "Let the pauses grow.", is_pacing=True),
        Rule("ignored-retry-after", "warning", "A submit came before retry_after was over.", "Wait as long as it says.", is_pacing=True),
        Rule("polled-after-end", "warning", "A job was fetched after its end was told.", "Stop at success, failed and error."),
        Rule("polled-after-webhook", "warning", "Polling went on after the webhook.", "Confirm it by one fetch, then stop."),
        Rule("abandoned-job", "warning", "A job was paid for and its end never heard of.", "Poll it to its end.", is_whole_life=True),
        Rule("webhook-refused", "warning", "A webhook was not answered with 2xx.", "Answer 200 at once, also to a second delivery."),
        Rule("webhook-answered-late", "warning", "A webhook's receiver took long.", "Answer first, then do the work."),
    )
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a client did. `exchanges` are numbers of the journal; `waived` is the reason for not minding it."""

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
    """All findings about a client, and the rules that could not be judged."""

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
        rows = {name: [asdict(one) for one in getattr(self, name)] for name in ("findings", "waived")}
        return {"is_ok": self.is_ok, **rows, "not_judged": list(self.not_judged)}

    def __str__(self) -> str:
        count = len(self.findings)
        lines = [f"{count} finding{'' if count == 1 else 's'} about the client" if count else "the client behaved well"]
        lines += [f"  {finding}" for finding in (*self.findings, *self.waived)]
        if self.not_judged:
            lines.append(f"  not judged: {', '.join(self.not_judged)}")
        return "\n".join(lines)


@dataclass(frozen=True)
class _Case:
    """What there is to judge."""

    exchanges: Sequence[Exchange]
    jobs: Mapping[int, JobFacts]
    webhooks: Sequence[WebhookAttempt]
    conventions: Conventions

    @cached_property
    def fetches(self) -> Mapping[int, list[Exchange]]:
        """job -> its fetches, in order."""
        found: dict[int, list[Exchange]] = {}
        for one in self.exchanges:
            if one.kind == "fetch" and one.job_id is not None:
                found.setdefault(one.job_id, []).append(one)
        return found

    def word(self, exchange: Exchange) -> str:
        return str(exchange.members.get(self.conventions.fields.status, ""))

    def tells_end(self, exchange: Exchange) -> bool:
        """Did the client learn from this that its job has ended? Not when the answer was hurt on its way."""
        words = self.conventions.words
        ended = self.word(exchange) in (words.success, words.failed, words.error) and exchange.refusal in (None, "job_failed")
        return ended and exchange.fault is None and exchange.job_id is not None and not exchange.is_link

    def delivered(self, job_id: int) -> list[WebhookAttempt]:
        return [attempt for attempt in self.webhooks if attempt.job_id == job_id and attempt.delivered]


Found = Iterator[tuple[str, int | None, tuple[int, ...]]]  # message, job, exchanges


def judge(  # all but the first four by name
    exchanges: Sequence[Exchange],
    jobs: Sequence[JobFacts],
    webhooks: Sequence[WebhookAttempt],
    conventions: Conventions,
    *,
    is_paced: bool = True,
    is_whole: bool = True,
    waive: Mapping[str, str] | None = None,
) -> Verdict:
    """Judge a client. `is_paced`: its pauses took (virtual) time; `is_whole`: no exchange is missing at the beginning.

    `waive` maps ids of rules to reasons; ValueError for an unknown rule or an empty reason.
    """
    waive = dict(waive or {})
    for name, reason in waive.items():
        if name not in RULES or not reason.strip():
            raise ValueError(f"waive {name[:40]!a} with a reason; the rules are {', '.join(RULES)}")
    case = _Case(exchanges, {job.id: job for job in jobs}, webhooks, conventions)
    silent = [rule.id for rule in RULES.values() if (rule.is_pacing and not is_paced) or (rule.is_whole_life and not is_whole)]
    findings = [
        Finding(rule.id, rule.severity, message, rule.advice, job_id, numbers, waive.get(rule.id, ""))
        for rule in RULES.values()
        if rule.id not in silent
        for message, job_id, numbers in _CHECKS[rule.id](case)
    ]
    return Verdict(
        tuple(finding for finding in findings if not finding.waived),
        tuple(finding for finding in findings if finding.waived),
        tuple(silent),
    )


def _contract(case: _Case) -> Found:
    for one in case.exchanges:
        if one.violations:
            yield f"Request {one.number} ({one.method} {one.path}): {summary(one.violations)}", one.job_id, (one.number,)


def _key_in_url(case: _Case) -> Found:
    numbers = tuple(one.number for one in case.exchanges if one.key_in_url)
    if numbers:
        yield f"The key stood in the URL of {_calls(numbers)}.", None, numbers


def _no_operation(case: _Case) -> Found:
    for one in case.exchanges:
        if one.refusal in ("no_route", "wrong_method") or (one.is_link and one.refusal == "no_link" and one.job_id is None):
            yield f"{one.method} {one.path}: {one.members.get(case.conventions.fields.message, '')}", None, (one.number,)


def _unknown_id(case: _Case) -> Found:
    for one in case.exchanges:
        if one.refusal == "unknown_id" and one.job_id is None:
            yield f"{one.method} {one.path}: there is no such job of this key.", None, (one.number,)


def _duplicates(case: _Case) -> Found:
    """The same body of the same key, accepted again before the end of the first was told."""
    open_jobs: list[Exchange] = []
    for one in case.exchanges:
        if case.tells_end(one) and one.kind == "fetch":
            open_jobs = [submit for submit in open_jobs if submit.job_id != one.job_id]
        if one.kind != "submit" or one.job_id is None:
            continue
        same = [submit for submit in open_jobs if (submit.owner, submit.request) == (one.owner, one.request)]
        if same:
            first = same[-1]
            jobs = f"jobs {first.job_id} and {one.job_id}"
            message = f"Request {one.number} repeats request {first.number} after {one.at - first.at:.1f} s: {jobs}."
            yield message, one.job_id, (first.number, one.number)
        if not case.tells_end(one):
            open_jobs.append(one)


def _permanent(case: _Case) -> Found:
    refused: dict[tuple[Any, ...], Exchange] = {}
    for one in case.exchanges:
        what = (one.method, one.path, one.owner, repr(one.request))
        before = refused.get(what)
        if before is not None and one.refusal == before.refusal:
            yield (
                f"Request {one.number} repeats request {before.number}, which was refused: {before.refusal}.",
                None,
                (before.number, one.number),
            )
        if one.refusal in PERMANENT and one.fault is None:
            refused[what] = one


def _early_links(case: _Case) -> Found:
    told: set[int] = set()
    for one in case.exchanges:
        if case.tells_end(one) and one.job_id is not None:
            told.add(one.job_id)
        told |= {attempt.job_id for attempt in case.webhooks if attempt.delivered and attempt.at <= one.at}
        if one.is_link and one.job_id is not None and one.job_id not in told:
            yield f"{one.method} {one.path} came before a fetch or a webhook said success.", one.job_id, (one.number,)


def _before_eta(case: _Case) -> Found:
    for job_id, fetches in case.fetches.items():
        job = case.jobs.get(job_id)
        early_s = job.announced_end - fetches[0].at if job else 0.0
        if early_s > TOLERANCE_S and not any(attempt.at <= fetches[0].at for attempt in case.delivered(job_id)):
            yield f"Job {job_id} was first fetched {early_s:.1f} s before its eta was over.", job_id, (fetches[0].number,)


def _too_fast(case: _Case) -> Found:
    for job_id, fetches in case.fetches.items():
        fast = [(first, second) for first, second in pairwise(fetches) if second.at - first.at < FASTEST_S and first.fault is None]
        if fast:
            shortest = min(second.at - first.at for first, second in fast)
            yield f"Job {job_id} was fetched again after {shortest:.2f} s.", job_id, tuple(second.number for _, second in fast)


def _no_backoff(case: _Case) -> Found:
    for job_id, fetches in case.fetches.items():
        pauses = [second.at - first.at for first, second in pairwise(fetches)]
        for start in range(len(pauses) - SAME_PAUSES + 1):
            some = pauses[start : start + SAME_PAUSES]
            if min(some) >= FASTEST_S and max(some) < SAME_BELOW_S and max(some) <= 1.05 * min(some):
                numbers = tuple(one.number for one in fetches[start : start + SAME_PAUSES + 1])
                yield f"Job {job_id} was fetched {SAME_PAUSES + 1} times in a row, every {some[0]:.1f} s.", job_id, numbers
                break


def _retry_after(case: _Case) -> Found:
    waits: dict[str | None, tuple[float, Exchange]] = {}
    for one in case.exchanges:
        if one.kind == "submit" and one.owner in waits and one.at < waits[one.owner][0] - TOLERANCE_S:
            until, before = waits[one.owner]
            message = f"Request {one.number} came {until - one.at:.1f} s before the retry_after of request {before.number} was over."
            yield message, None, (before.number, one.number)
        seconds = one.members.get(case.conventions.fields.retry_after)
        if isinstance(seconds, (int, float)) and one.fault is None:
            waits[one.owner] = (one.at + seconds, one)


def _after_end(case: _Case) -> Found:
    for job_id, fetches in case.fetches.items():
        told = next((place for place, one in enumerate(fetches) if case.tells_end(one)), len(fetches))
        at_submit = any(one.kind == "submit" and one.job_id == job_id and case.tells_end(one) for one in case.exchanges)
        late = fetches if at_submit else fetches[told + 1 :]
        if late:
            numbers = tuple(one.number for one in late)
            yield f"Job {job_id} was fetched {len(late)} more times after its end was told.", job_id, numbers


def _after_webhook(case: _Case) -> Found:
    for job_id, fetches in case.fetches.items():
        delivered = case.delivered(job_id)
        late = [one for one in fetches if delivered and one.at >= delivered[0].at]
        told = next((place for place, one in enumerate(late) if case.tells_end(one)), len(late))
        if len(late[: told + 1]) > 1:
            numbers = tuple(one.number for one in late[1:])
            yield f"Job {job_id} was fetched {len(late)} times after its webhook had been delivered.", job_id, numbers


def _abandoned(case: _Case) -> Found:
    for job in case.jobs.values():
        heard = bool(case.delivered(job.id)) or any(one.job_id == job.id and case.tells_end(one) for one in case.exchanges)
        asked = bool(case.fetches.get(job.id)) or job.has_webhook
        if not heard and (not asked or job.state != "processing"):
            yield f"Job {job.id} was {'never fetched' if not asked else 'not fetched to its end'}; it is {job.state}.", job.id, ()


def _refused_webhooks(case: _Case) -> Found:
    for attempt in case.webhooks:
        if not attempt.delivered and not attempt.suppressed:
            yield f"Attempt {attempt.attempt} for job {attempt.job_id}: {attempt.error}.", attempt.job_id, ()


def _late_webhooks(case: _Case) -> Found:
    for attempt in case.webhooks:
        if attempt.delivered and attempt.took_s > PROMPT_S:
            yield f"Attempt {attempt.attempt} for job {attempt.job_id} was answered after {attempt.took_s:.1f} s.", attempt.job_id, ()


def _calls(numbers: Sequence[int]) -> str:
    return f"request {numbers[0]}" if len(numbers) == 1 else f"{len(numbers)} requests"


_CHECKS: Mapping[str, Callable[[_Case], Found]] = {
    "contract-violation": _contract,
    "key-in-url": _key_in_url,
    "wrong-path-or-method": _no_operation,
    "unknown-id": _unknown_id,
    "duplicate-submit": _duplicates,
    "retried-permanent-error": _permanent,
    "link-before-success": _early_links,
    "polled-before-eta": _before_eta,
    "polled-too-fast": _too_fast,
    "polled-without-backoff": _no_backoff,
    "ignored-retry-after": _retry_after,
    "polled-after-end": _after_end,
    "polled-after-webhook": _after_webhook,
    "abandoned-job": _abandoned,
    "webhook-refused": _refused_webhooks,
    "webhook-answered-late": _late_webhooks,
}
