"""The checks behind the verdict's rules: one function for each, from a case to what was found.
Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from fauxlab_contract.core.records import CUT, Exchange
from fauxlab_contract.core.violation import summary
from fauxlab_contract.verdict.history import ENDED, ClientHistory, JobHistory, elapsed_s

__all__ = ["CHECKS", "FoundInHistory", "is_undecided"]

TOLERANCE_S = 0.5  # a client may be this much early: clocks differ, and the eta is a whole number
# calls so close may come from clients side by side, which cannot know of each other's answers
TOGETHER_S = 0.5
FASTEST_S = 0.8  # between two fetches of a job; our own client's first pause is 1 s, spread by 10 %
# whoever waited so long before the first fetch has not hurried, however long the eta
PATIENT_S = 60.0
# after an end of which nobody asked; some clients poll once a minute, a webhook may be a minute
# late
GIVEN_UP_S = 120.0
# so many fetches one right after the other may be a library's, when the answers are refusals
RETRIES = 3
SAME_PAUSES, SAME_BELOW_S = 8, 5.0  # this many equal pauses, each shorter than that, are no backoff
PROMPT_S = 10.0  # real seconds in which a receiver should have answered
# may be put right from outside
OF_ACCOUNT = frozenset({"invalid_key", "missing_key", "no_credits", "plan"})
PERMANENT = OF_ACCOUNT | {"invalid", "malformed", "no_image", "wrong_method", "no_route"}
# What browsers and start-up scripts ask for by themselves.
_PROBES = ("/favicon.ico", "/robots.txt", "/apple-touch-icon", "/.well-known/")

FoundInHistory = Iterator[tuple[str, int | None, tuple[int, ...]]]  # message, job, exchanges


def _contract(case: ClientHistory) -> FoundInHistory:
    for one in case.exchanges:
        if one.violations:
            yield (
                f"Request {one.number} ({one.method} {one.path}): {summary(one.violations)}",
                one.job_id,
                (one.number,),
            )


def _key_in_url(case: ClientHistory) -> FoundInHistory:
    numbers = tuple(one.number for one in case.exchanges if one.key_in_url)
    if numbers:
        yield f"The key stood in the URL of {_calls(numbers)}.", None, numbers


def _no_operation(case: ClientHistory) -> FoundInHistory:
    for one in case.exchanges:
        missed = one.refusal in ("no_route", "wrong_method") or (
            one.is_link and one.refusal == "no_link" and one.job_id is None
        )
        if missed and not _is_probe(one):
            yield (
                f"{one.method} {one.path}: {one.members.get(case.conventions.fields.message, '')}",
                None,
                (one.number,),
            )


def _unknown_id(case: ClientHistory) -> FoundInHistory:
    for one in case.exchanges:
        if one.refusal == "unknown_id" and one.job_id is None:
            yield f"{one.method} {one.path}: there is no such job of this key.", None, (one.number,)


def _duplicates(case: ClientHistory) -> FoundInHistory:
    """The same body of the same key, accepted again before the end of the first can have been
    known.

    Without a seed each asks for another picture: then only a submit that follows a lost answer is
    taken for a repetition.
    """
    accepted: dict[tuple[Any, ...], list[Exchange]] = {}
    for one in case.exchanges:
        if one.kind != "submit" or one.job_id is None or not one.request or CUT in one.request:
            continue
        earlier = accepted.setdefault(_what(one), [])
        again = (
            first
            for first in reversed(earlier)
            if not _is_another(case, first, one) and _is_open(case, first, one.number)
        )
        if first := next(again, None):
            jobs = f"jobs {first.job_id} and {one.job_id}"
            message = (
                f"Request {one.number} repeats request {first.number} after {one.at - first.at:.1f}"
                f" s: {jobs}."
            )
            yield message, one.job_id, (first.number, one.number)
        earlier.append(one)


def _is_open(case: ClientHistory, submit: Exchange, before: int) -> bool:
    life = case.life_of(submit)
    return life is not None and not case.may_know(life, before)


def _is_another(case: ClientHistory, first: Exchange, second: Exchange) -> bool:
    """Does an equal body ask for another picture?"""
    return not _has_seed(case, second) and not (
        first.is_lost and elapsed_s(first, second) > TOGETHER_S
    )


def _permanent(case: ClientHistory) -> FoundInHistory:
    refused: dict[tuple[Any, ...], Exchange] = {}
    for one in case.exchanges:
        before = refused.get(_what(one))
        if (
            before is not None
            and one.refusal == before.refusal
            and not _may_be_beside(case, before, one)
        ):
            message = (
                f"Request {one.number} repeats request {before.number}, which was refused:"
                f" {before.refusal}."
            )
            yield message, None, (before.number, one.number)
        if one.refusal in PERMANENT and one.is_heard and not _is_probe(one):
            refused[_what(one)] = one
        if one.refusal is None and one.owner is not None:
            refused = {
                what: old
                for what, old in refused.items()
                if old.owner != one.owner or old.refusal not in OF_ACCOUNT
            }


def _may_be_beside(case: ClientHistory, first: Exchange, second: Exchange) -> bool:
    """May two equal calls that the account was refused for be two wishes at the same time?"""
    wishes = (
        second.kind == "submit" and not _has_seed(case, second) and second.refusal in OF_ACCOUNT
    )
    return wishes and elapsed_s(first, second) <= TOGETHER_S


def _early_links(case: ClientHistory) -> FoundInHistory:
    for life in case.lives.values():
        for one in life.reads if life.submit else ():
            if one.method == "GET" and not case.may_know(life, one.number, ("success",)):
                yield (
                    f"{one.method} {one.path} came before a fetch or a webhook said success.",
                    life.job.id,
                    (one.number,),
                )


def _before_eta(case: ClientHistory) -> FoundInHistory:
    for life in case.lives.values():
        if life.submit is None or not life.fetches:
            continue
        first = life.fetches[0]
        early_s = min(life.job.announced_end - life.submit.at, PATIENT_S) - elapsed_s(
            life.submit, first
        )
        if early_s > TOLERANCE_S and not life.has_news(life.submit, first):
            yield (
                f"Job {life.job.id} was first fetched {early_s:.1f} s before its eta was over.",
                life.job.id,
                (first.number,),
            )


def _too_fast(case: ClientHistory) -> FoundInHistory:
    for life in case.lives.values():
        fast: list[tuple[float, int]] = []  # pause, number
        retries = 0
        for first, second in pairwise(life.fetches):
            pause_s = elapsed_s(first, second)
            if pause_s >= FASTEST_S or life.has_news(first, second):
                retries = 0
                continue
            is_refused = first.is_heard and first.refusal is not None and not _wait_s(case, first)
            retries = retries + 1 if is_refused else 0
            if retries > RETRIES or case.has_told(first, "processing"):
                fast.append((pause_s, second.number))
        if fast:
            yield (
                f"Job {life.job.id} was fetched again after {min(fast)[0]:.2f} s.",
                life.job.id,
                tuple(number for _, number in fast),
            )


def _no_backoff(case: ClientHistory) -> FoundInHistory:
    for life in case.lives.values():
        pauses = [elapsed_s(first, second) for first, second in pairwise(life.fetches)]
        for start in range(len(pauses) - SAME_PAUSES + 1):
            some = pauses[start : start + SAME_PAUSES]
            if (
                min(some) >= FASTEST_S
                and max(some) < SAME_BELOW_S
                and max(some) <= 1.05 * min(some)
            ):
                numbers = tuple(one.number for one in life.fetches[start : start + SAME_PAUSES + 1])
                message = (
                    f"Job {life.job.id} was fetched {SAME_PAUSES + 1} times in a row, every"
                    f" {some[0]:.1f} s."
                )
                yield message, life.job.id, numbers
                break


def _retry_after(case: ClientHistory) -> FoundInHistory:
    """The same call again before it should: another one may come from a client that cannot know."""
    refused: dict[tuple[Any, ...], list[Exchange]] = {}  # those that were not waited for
    for one in case.exchanges:
        earlier = refused.setdefault(_what(one), [])
        if earlier:
            before = earlier[-1]
            early_s = _wait_s(case, before) - elapsed_s(before, one)
            if early_s <= TOLERANCE_S or _has_news(case, before, one):
                earlier.clear()
            elif elapsed_s(earlier[0], one) > TOGETHER_S or (
                len(earlier) > 1 and (one.kind != "submit" or _has_seed(case, one))
            ):
                message = (
                    f"Request {one.number} came {early_s:.1f} s before the retry_after of request"
                    f" {before.number} was over."
                )
                yield message, one.job_id, (before.number, one.number)
        if _wait_s(case, one) > 0 and one.is_heard:
            earlier.append(one)


def _wait_s(case: ClientHistory, one: Exchange) -> float:
    """How many seconds a refused client was told to wait."""
    told = one.members.get(case.conventions.fields.retry_after)
    return float(told) if isinstance(told, (int, float)) else 0.0


def _has_news(case: ClientHistory, first: Exchange, second: Exchange) -> bool:
    life = case.life_of(second)
    return life is not None and life.has_news(first, second)


def _after_end(case: ClientHistory) -> FoundInHistory:
    """The end was told, confirmed once at most, and asked for again. A processing after the success
    starts anew.
    """
    for life in case.lives.values():
        told: list[int] = []
        for one in [*([life.submit] if life.submit else []), *life.fetches]:
            if case.has_told(one, "processing"):
                told = []
            elif case.has_told(one, *ENDED):
                told.append(one.number)
        if len(told) > 2:
            message = (
                f"Job {life.job.id} was fetched {len(told) - 1} more times after its end was told."
            )
            yield message, life.job.id, tuple(told[1:])


def _after_webhook(case: ClientHistory) -> FoundInHistory:
    for life in case.lives.values():
        delivered = next((attempt for attempt in life.attempts if attempt.delivered), None)
        late = [
            one
            for one in life.fetches
            if delivered
            and one.number > delivered.until
            and case.has_told(one, "processing", *ENDED)
        ]
        told = next(
            (place for place, one in enumerate(late) if case.has_told(one, *ENDED)), len(late)
        )
        late = late[: told + 1]
        if len(late) > 1:
            numbers = tuple(one.number for one in late[1:])
            yield (
                (
                    f"Job {life.job.id} was fetched {len(late)} times after its webhook had been"
                    " delivered."
                ),
                life.job.id,
                numbers,
            )


def _abandoned(case: ClientHistory) -> FoundInHistory:
    for life in _unheard(case):
        job, asked = life.job, _is_asked(life)
        if not is_pending(case, life) and not (asked and job.state == "processing"):
            yield (
                (
                    f"Job {job.id} was {'not fetched to its end' if asked else 'never fetched'}; it"
                    f" is {job.state}."
                ),
                job.id,
                (),
            )


def _is_asked(life: JobHistory) -> bool:
    return bool(life.fetches) or life.job.has_webhook


def is_pending(case: ClientHistory, life: JobHistory) -> bool:
    """Is it too early to say that nobody will ask for this job?"""
    due = (
        max(life.job.announced_end, life.job.ends_at) if _is_asked(life) else life.job.announced_end
    )
    return case.now < due + GIVEN_UP_S


def is_undecided(case: ClientHistory) -> bool:
    """Are there jobs of which the client may still hear?"""
    return any(is_pending(case, life) for life in _unheard(case))


def _unheard(case: ClientHistory) -> Iterator[JobHistory]:
    """The jobs that a client knows of, for certain, whose end it does not know, and that it did not
    have to give up.
    """
    for life in case.lives.values():
        if life.submit is None or case.may_know(life):
            continue
        if life.fetches:
            last = life.fetches[-1]
            is_left = case.has_told(last, "processing") or (
                last.is_heard and last.refusal == "unknown_id"
            )
        else:
            is_left = life.submit.is_heard and not case.leads_elsewhere(life.submit)
        if is_left:
            yield life


def _refused_webhooks(case: ClientHistory) -> FoundInHistory:
    for attempt in case.webhooks:
        if not attempt.delivered and not attempt.suppressed:
            yield (
                f"Attempt {attempt.attempt} for job {attempt.job_id}: {attempt.error}.",
                attempt.job_id,
                (),
            )


def _late_webhooks(case: ClientHistory) -> FoundInHistory:
    for attempt in case.webhooks:
        if attempt.delivered and attempt.took_s > PROMPT_S:
            yield (
                (
                    f"Attempt {attempt.attempt} for job {attempt.job_id} was answered after"
                    f" {attempt.took_s:.1f} s."
                ),
                attempt.job_id,
                (),
            )


def _what(one: Exchange) -> tuple[Any, ...]:
    """What makes two calls the same: a body that is no JSON is known by its length alone."""
    return one.method, one.path, one.owner, repr(one.request), one.request_bytes


def _has_seed(case: ClientHistory, one: Exchange) -> bool:
    return one.request is not None and one.request.get(case.conventions.fields.seed) is not None


def _is_probe(one: Exchange) -> bool:
    """Is it a browser's call, or a script's that waits for a server, and not the client's?"""
    return one.method == "OPTIONS" or (
        one.method in ("GET", "HEAD") and (one.path == "/" or one.path.startswith(_PROBES))
    )


def _calls(numbers: Sequence[int]) -> str:
    return f"request {numbers[0]}" if len(numbers) == 1 else f"{len(numbers)} requests"


CHECKS: Mapping[str, Callable[[ClientHistory], FoundInHistory]] = {
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
