"""The checks behind the verdict's rules: one function for each, from a client's history to
observations. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from fauxlab_contract.core.records import CUT, Exchange
from fauxlab_contract.core.text import counted
from fauxlab_contract.core.violation import summary
from fauxlab_contract.verdict.history import ENDED, ClientHistory, JobHistory, elapsed_s

__all__ = ["CHECKS", "PERMANENT", "HistoryObservation", "is_undecided"]

TOLERANCE_S = 0.5  # a client may be this early: clocks differ, and the eta is a whole number
# Requests this close may come from clients side by side, which cannot know each other's replies.
TOGETHER_S = 0.5
# Between two fetches of a job; our own client's first pause is 1 s, give or take 10 %.
FASTEST_S = 0.8
# A client that waited this long before its first fetch has not hurried, however long the eta is.
PATIENT_S = 60.0
# After an end that nobody asked for: some clients poll once a minute, and a webhook may be a minute
# late.
GIVEN_UP_S = 120.0
# This many refused fetches without a pause may be the retries of an HTTP library.
RETRIES = 3
SAME_PAUSES, SAME_BELOW_S = 8, 5.0  # this many equal pauses, each shorter than that: no backoff
SAME_WITHIN = 1.05  # pauses are equal if the longest is at most this many times the shortest
PROMPT_S = 10.0  # real seconds within which a receiver should have answered
# Refusals that the owner of the account can put right without any change of the client.
OF_ACCOUNT = frozenset({"invalid_key", "missing_key", "no_credits", "plan"})
PERMANENT = OF_ACCOUNT | {"invalid", "malformed", "no_image", "wrong_method", "no_route"}
# What browsers and start-up scripts request on their own.
_PROBES = ("/favicon.ico", "/robots.txt", "/apple-touch-icon", "/.well-known/")


class HistoryObservation(NamedTuple):
    """What a check noticed. `exchanges` are numbers of the journal; `field` is a field of a body."""

    message: str
    job_id: int | None = None
    exchanges: tuple[int, ...] = ()
    field: str = ""


Observations = Iterator[HistoryObservation]


def _broken_requests(history: ClientHistory) -> Observations:
    for exchange in history.exchanges:
        if not exchange.violations:
            continue
        fields = {violation.field for violation in exchange.violations}
        yield HistoryObservation(
            f"Request {exchange.number} ({exchange.method} {exchange.path}):"
            f" {summary(exchange.violations)}",
            exchange.job_id,
            (exchange.number,),
            fields.pop() if len(fields) == 1 else "",
        )


def _key_in_url(history: ClientHistory) -> Observations:
    numbers = tuple(exchange.number for exchange in history.exchanges if exchange.key_in_url)
    if numbers:
        yield HistoryObservation(f"The key was in the URL of {_named(numbers)}.", None, numbers)


def _no_operation(history: ClientHistory) -> Observations:
    for exchange in history.exchanges:
        if _matches_nothing(exchange) and not _is_probe(exchange):
            said = exchange.members.get(history.conventions.fields.message, "")
            message = f"{exchange.method} {exchange.path}: {said}"
            yield HistoryObservation(message, None, (exchange.number,))


def _matches_nothing(exchange: Exchange) -> bool:
    """Return True for a request that no operation has, and for a link that was never given out."""
    is_unknown_link = exchange.is_link and exchange.refusal == "no_link" and exchange.job_id is None
    return exchange.refusal in ("no_route", "wrong_method") or is_unknown_link


def _unknown_id(history: ClientHistory) -> Observations:
    for exchange in history.exchanges:
        if exchange.refusal == "unknown_id" and exchange.job_id is None:
            message = f"{exchange.method} {exchange.path}: the key has no such job."
            yield HistoryObservation(message, None, (exchange.number,))


def _duplicates(history: ClientHistory) -> Observations:
    """Find a body that was accepted again before the client could know the end of the first job.

    Without a seed, equal bodies ask for different pictures: then only a submit that follows a lost
    reply counts as a repetition.
    """
    accepted: dict[tuple[Any, ...], list[Exchange]] = {}
    for exchange in history.exchanges:
        if not _is_comparable_submit(exchange):
            continue
        earlier = accepted.setdefault(_identity(exchange), [])
        repeated = (
            first
            for first in reversed(earlier)
            if not _is_another_wish(history, first, exchange)
            and _may_run(history, first, exchange.number)
        )
        if first := next(repeated, None):
            yield HistoryObservation(
                f"Request {exchange.number} repeats request {first.number} after"
                f" {exchange.at - first.at:.1f} s: jobs {first.job_id} and {exchange.job_id}.",
                exchange.job_id,
                (first.number, exchange.number),
            )
        earlier.append(exchange)


def _is_comparable_submit(exchange: Exchange) -> bool:
    """Return True for an accepted submit whose whole body is in the journal."""
    is_accepted = exchange.kind == "submit" and exchange.job_id is not None
    return is_accepted and bool(exchange.request) and CUT not in (exchange.request or ())


def _may_run(history: ClientHistory, submit: Exchange, before: int) -> bool:
    """Return True if the client cannot know, before an exchange, that the job has ended."""
    job = history.life_of(submit)
    return job is not None and not history.may_know(job, before)


def _is_another_wish(history: ClientHistory, first: Exchange, second: Exchange) -> bool:
    """Return True if an equal body asks for another picture."""
    is_repetition = first.is_lost and elapsed_s(first, second) > TOGETHER_S
    return not _has_seed(history, second) and not is_repetition


def _permanent(history: ClientHistory) -> Observations:
    refused: dict[tuple[Any, ...], Exchange] = {}
    for exchange in history.exchanges:
        before = refused.get(_identity(exchange))
        if before is not None and _is_stubborn(history, before, exchange):
            yield HistoryObservation(
                f"Request {exchange.number} repeats request {before.number}, which was refused:"
                f" {before.refusal}.",
                None,
                (before.number, exchange.number),
            )
        if exchange.refusal in PERMANENT and exchange.is_heard and not _is_probe(exchange):
            refused[_identity(exchange)] = exchange
        if exchange.refusal is None and exchange.owner is not None:
            refused = _without_account_of(exchange, refused)


def _is_stubborn(history: ClientHistory, first: Exchange, second: Exchange) -> bool:
    """Return True if an equal request was refused again for the same reason.

    Two submits without a seed that were refused because of the account may be two wishes at the
    same time, and do not count.
    """
    may_be_two_wishes = (
        second.kind == "submit"
        and not _has_seed(history, second)
        and second.refusal in OF_ACCOUNT
        and elapsed_s(first, second) <= TOGETHER_S
    )
    return second.refusal == first.refusal and not may_be_two_wishes


def _without_account_of(
    accepted: Exchange, refused: Mapping[tuple[Any, ...], Exchange]
) -> dict[tuple[Any, ...], Exchange]:
    """Forget the refusals of an account once a request with its key was accepted."""
    return {
        identity: exchange
        for identity, exchange in refused.items()
        if exchange.owner != accepted.owner or exchange.refusal not in OF_ACCOUNT
    }


def _early_links(history: ClientHistory) -> Observations:
    for job in history.lives.values():
        for read in job.reads if job.submit else ():
            if read.method == "GET" and not history.may_know(job, read.number, ("success",)):
                yield HistoryObservation(
                    f"{read.method} {read.path} came before a fetch or a webhook said success.",
                    job.job.id,
                    (read.number,),
                )


def _before_eta(history: ClientHistory) -> Observations:
    for job in history.lives.values():
        if job.submit is None or not job.fetches:
            continue
        first = job.fetches[0]
        eta_s = min(job.job.announced_end - job.submit.at, PATIENT_S)
        early_s = eta_s - elapsed_s(job.submit, first)
        if early_s > TOLERANCE_S and not job.has_news(job.submit, first):
            yield HistoryObservation(
                f"Job {job.job.id} was first fetched {early_s:.1f} s before its eta was over.",
                job.job.id,
                (first.number,),
            )


def _too_fast(history: ClientHistory) -> Observations:
    for job in history.lives.values():
        fast = list(_fast_fetches(history, job))
        if fast:
            shortest_s = min(pause_s for pause_s, _ in fast)
            yield HistoryObservation(
                f"Job {job.job.id} was fetched again after {shortest_s:.2f} s.",
                job.job.id,
                tuple(number for _, number in fast),
            )


def _fast_fetches(history: ClientHistory, job: JobHistory) -> Iterator[tuple[float, int]]:
    """Yield (pause, number) for each fetch that came too fast, a few retries excepted."""
    retries = 0
    for first, second in pairwise(job.fetches):
        pause_s = elapsed_s(first, second)
        if pause_s >= FASTEST_S or job.has_news(first, second):
            retries = 0
            continue
        is_refused = first.is_heard and first.refusal is not None and not _wait_s(history, first)
        retries = retries + 1 if is_refused else 0
        if retries > RETRIES or history.has_told(first, "processing"):
            yield pause_s, second.number


def _no_backoff(history: ClientHistory) -> Observations:
    for job in history.lives.values():
        pauses = [elapsed_s(first, second) for first, second in pairwise(job.fetches)]
        for start in range(len(pauses) - SAME_PAUSES + 1):
            some = pauses[start : start + SAME_PAUSES]
            if _are_equal_and_short(some):
                fetches = job.fetches[start : start + SAME_PAUSES + 1]
                yield HistoryObservation(
                    f"Job {job.job.id} was fetched {len(fetches)} times in a row, every"
                    f" {some[0]:.1f} s.",
                    job.job.id,
                    tuple(fetch.number for fetch in fetches),
                )
                break


def _are_equal_and_short(pauses: Sequence[float]) -> bool:
    shortest, longest = min(pauses), max(pauses)
    return shortest >= FASTEST_S and longest < SAME_BELOW_S and longest <= SAME_WITHIN * shortest


def _retry_after(history: ClientHistory) -> Observations:
    """Find requests that were repeated too early.

    Only the same request counts: another one may come from a client that knows nothing of the
    refusal.
    """
    refused: dict[tuple[Any, ...], list[Exchange]] = {}  # those that were not waited for
    for exchange in history.exchanges:
        earlier = refused.setdefault(_identity(exchange), [])
        if earlier:
            before = earlier[-1]
            early_s = _wait_s(history, before) - elapsed_s(before, exchange)
            if early_s <= TOLERANCE_S or _has_news(history, before, exchange):
                earlier.clear()
            elif not _may_be_side_by_side(history, earlier, exchange):
                yield HistoryObservation(
                    f"Request {exchange.number} came {early_s:.1f} s before the retry_after of"
                    f" request {before.number} was over.",
                    exchange.job_id,
                    (before.number, exchange.number),
                )
        if _wait_s(history, exchange) > 0 and exchange.is_heard:
            earlier.append(exchange)


def _may_be_side_by_side(
    history: ClientHistory, earlier: Sequence[Exchange], exchange: Exchange
) -> bool:
    """Return True if an equal request may come from a client that has not heard of the refusals."""
    if elapsed_s(earlier[0], exchange) > TOGETHER_S:
        return False
    is_wish = exchange.kind == "submit" and not _has_seed(history, exchange)
    return len(earlier) == 1 or is_wish


def _wait_s(history: ClientHistory, exchange: Exchange) -> float:
    """Return how many seconds the reply tells the client to wait; 0 if it does not tell."""
    retry_after = exchange.members.get(history.conventions.fields.retry_after)
    return float(retry_after) if isinstance(retry_after, (int, float)) else 0.0


def _has_news(history: ClientHistory, first: Exchange, second: Exchange) -> bool:
    job = history.life_of(second)
    return job is not None and job.has_news(first, second)


def _after_end(history: ClientHistory) -> Observations:
    """Find jobs that were fetched again after their end had been confirmed once.

    A processing after the success starts anew.
    """
    for job in history.lives.values():
        ends: list[int] = []
        for exchange in [*([job.submit] if job.submit else []), *job.fetches]:
            if history.has_told(exchange, "processing"):
                ends = []
            elif history.has_told(exchange, *ENDED):
                ends.append(exchange.number)
        if len(ends) > 2:
            yield HistoryObservation(
                f"Job {job.job.id} was fetched {len(ends) - 1} more times after a reply said that"
                " it had ended.",
                job.job.id,
                tuple(ends[1:]),
            )


def _after_webhook(history: ClientHistory) -> Observations:
    for job in history.lives.values():
        delivered = next((attempt for attempt in job.attempts if attempt.delivered), None)
        if delivered is None:
            continue
        late = _up_to_the_end(
            history, [fetch for fetch in job.fetches if fetch.number > delivered.until]
        )
        if len(late) > 1:
            yield HistoryObservation(
                f"Job {job.job.id} was fetched {len(late)} times after its webhook had been"
                " delivered.",
                job.job.id,
                tuple(fetch.number for fetch in late[1:]),
            )


def _up_to_the_end(history: ClientHistory, fetches: Sequence[Exchange]) -> list[Exchange]:
    """Return the fetches whose reply was certainly heard, up to the first that says the end."""
    heard: list[Exchange] = []
    for fetch in fetches:
        if history.has_told(fetch, "processing", *ENDED):
            heard.append(fetch)
        if history.has_told(fetch, *ENDED):
            break
    return heard


def _abandoned(history: ClientHistory) -> Observations:
    for job in _unheard(history):
        state, is_followed = job.job.state, _is_followed(job)
        still_runs = is_followed and state == "processing"
        if not _is_pending(history, job) and not still_runs:
            what = "not fetched to its end" if is_followed else "never fetched"
            yield HistoryObservation(f"Job {job.job.id} was {what}; it is {state}.", job.job.id)


def _is_followed(job: JobHistory) -> bool:
    return bool(job.fetches) or job.job.has_webhook


def _is_pending(history: ClientHistory, job: JobHistory) -> bool:
    """Return True if the client may still ask for the job."""
    facts = job.job
    due = facts.announced_end
    if _is_followed(job):
        due = max(due, facts.ends_at)
    return history.now < due + GIVEN_UP_S


def is_undecided(history: ClientHistory) -> bool:
    """Return True if there are jobs whose end the client may still learn."""
    return any(_is_pending(history, job) for job in _unheard(history))


def _unheard(history: ClientHistory) -> Iterator[JobHistory]:
    """Yield the jobs that the client left alone without need.

    It knows of them for certain, does not know their end, and was not forced to give them up.
    """
    for job in history.lives.values():
        if job.submit is not None and not history.may_know(job) and _is_left(history, job):
            yield job


def _is_left(history: ClientHistory, job: JobHistory) -> bool:
    if job.fetches:
        last = job.fetches[-1]
        is_not_found = last.is_heard and last.refusal == "unknown_id"
        return history.has_told(last, "processing") or is_not_found
    submit = job.submit
    return submit is not None and submit.is_heard and not history.leads_elsewhere(submit)


def _refused_webhooks(history: ClientHistory) -> Observations:
    for attempt in history.webhooks:
        if not attempt.delivered and not attempt.suppressed:
            message = f"Attempt {attempt.attempt} for job {attempt.job_id}: {attempt.error}."
            yield HistoryObservation(message, attempt.job_id)


def _late_webhooks(history: ClientHistory) -> Observations:
    for attempt in history.webhooks:
        if attempt.delivered and attempt.took_s > PROMPT_S:
            yield HistoryObservation(
                f"Attempt {attempt.attempt} for job {attempt.job_id} was answered after"
                f" {attempt.took_s:.1f} s.",
                attempt.job_id,
            )


def _identity(exchange: Exchange) -> tuple[Any, ...]:
    """Return what makes two requests the same.

    A body that is not JSON is known by its length alone.
    """
    return (
        exchange.method,
        exchange.path,
        exchange.owner,
        repr(exchange.request),
        exchange.request_bytes,
    )


def _has_seed(history: ClientHistory, exchange: Exchange) -> bool:
    seed = history.conventions.fields.seed
    return exchange.request is not None and exchange.request.get(seed) is not None


def _is_probe(exchange: Exchange) -> bool:
    """Return True for a request of a browser, or of a script that waits for the server."""
    is_read = exchange.method in ("GET", "HEAD")
    is_probed = exchange.path == "/" or exchange.path.startswith(_PROBES)
    return exchange.method == "OPTIONS" or (is_read and is_probed)


def _named(numbers: Sequence[int]) -> str:
    return f"request {numbers[0]}" if len(numbers) == 1 else counted(len(numbers), "requests")


CHECKS: Mapping[str, Callable[[ClientHistory], Observations]] = {
    "request-violation": _broken_requests,
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
