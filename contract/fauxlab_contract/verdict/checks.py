"""The checks behind the verdict's rules: one function for each.

Pure: a history in, observations out. Those about polling are in polling.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fauxlab_contract.core.records import CUT, Exchange, WebhookAttempt
from fauxlab_contract.core.text import counted
from fauxlab_contract.core.violation import summary
from fauxlab_contract.validation.misspelt import misspelt_fields
from fauxlab_contract.verdict.history import (
    ClientHistory,
    HistoryObservation,
    Observations,
    are_together,
    identity,
)
from fauxlab_contract.verdict.polling import PATIENT_S, POLLING_CHECKS

__all__ = ["CHECKS", "PERMANENT", "PROMPT_S", "count_calls"]

GONE = (404, 410)  # answers of a receiver that does not know of a job, or no more
PROMPT_S = 10.0  # within which a receiver should have answered
# Refusals that the owner of the account can put right without any change of the client.
OF_ACCOUNT = frozenset({"invalid_key", "missing_key", "no_credits", "plan"})
# Refusals of a body that is not one JSON object, labelled as such.
UNREADABLE = frozenset({"malformed", "encoding"})
PERMANENT = OF_ACCOUNT | {"invalid", "malformed", "no_image", "wrong_method", "no_route"}
_NO_OPERATION = ("no_route", "wrong_method")
# What browsers and start-up scripts request on their own.
_HEALTH = ("/health", "/healthz", "/livez", "/readyz", "/ping")
_PROBES = ("/favicon.ico", "/robots.txt", "/apple-touch-icon", "/.well-known/")


def _broken_requests(history: ClientHistory) -> Observations:
    for exchange in history.exchanges:
        if exchange.refusal in UNREADABLE:
            message = f"{_call(exchange)}: {exchange.hint}"
            yield HistoryObservation(message, None, (exchange.number,))
        if not exchange.violations:
            continue
        fields = {violation.field for violation in exchange.violations}
        named = "" if "" in fields else ", ".join(sorted(fields))
        yield HistoryObservation(
            f"{_call(exchange)}: {summary(exchange.violations)}",
            exchange.job_id,
            (exchange.number,),
            named,
        )


def _call(exchange: Exchange) -> str:
    return f"Request {exchange.number} ({exchange.method} {exchange.path})"


def _misspelt(history: ClientHistory) -> Observations:
    """Find undeclared fields that look like one that is missing; other undeclared fields pass."""
    for exchange in history.exchanges:
        declared = history.declared.get(exchange.operation or "")
        if declared is None:
            continue
        body = exchange.request or {}
        for field in misspelt_fields(declared.properties, body, declared.required):
            message = f"{_call(exchange)}: {field}"
            yield HistoryObservation(message, exchange.job_id, (exchange.number,), field.name)


def _key_in_url(history: ClientHistory) -> Observations:
    numbers = tuple(exchange.number for exchange in history.exchanges if exchange.key_in_url)
    if numbers:
        yield HistoryObservation(f"The key was in the URL of {_named(numbers)}.", None, numbers)


def _misused(history: ClientHistory) -> Observations:
    """Find calls that asked for what the mock does not have; the same mistake is told once."""
    mistakes: dict[str, list[int]] = {}
    for exchange in history.own:
        if exchange.refusal in ("misuse", "no_control"):
            message = f"{exchange.method} {exchange.path}: {exchange.members.get('detail', '')}"
            mistakes.setdefault(message, []).append(exchange.number)
    for message, numbers in mistakes.items():
        yield HistoryObservation(message, None, tuple(numbers))


def _no_operation(history: ClientHistory) -> Observations:
    for exchange in history.exchanges:
        if _matches_nothing(exchange) and not _is_probe(history, exchange):
            said = exchange.members.get(history.conventions.fields.message, "")
            message = f"{exchange.method} {exchange.path}: {said}"
            yield HistoryObservation(message, None, (exchange.number,))


def _matches_nothing(exchange: Exchange) -> bool:
    """Return True for a request that no operation has, and for a link that was never given out."""
    is_unknown_link = exchange.is_link and exchange.refusal == "no_link" and exchange.job_id is None
    return exchange.refusal in _NO_OPERATION or is_unknown_link


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
        earlier = accepted.setdefault(identity(exchange), [])
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
    if exchange.kind != "submit" or exchange.job_id is None:
        return False
    body = exchange.request or {}
    return bool(body) and CUT not in body


def _may_run(history: ClientHistory, submit: Exchange, before: int) -> bool:
    """Return True if the client cannot know, before an exchange, that the job has ended."""
    job = history.life_of(submit)
    return job is not None and not history.may_know(job, before)


def _is_another_wish(history: ClientHistory, first: Exchange, second: Exchange) -> bool:
    """Return True if an equal body asks for another picture."""
    is_repetition = first.is_lost and not are_together(first, second)
    return not history.has_seed(second) and not is_repetition


def _permanent(history: ClientHistory) -> Observations:
    refused: dict[tuple[Any, ...], Exchange] = {}
    for exchange in history.exchanges:
        before = refused.get(identity(exchange))
        if before is not None and _is_stubborn(history, before, exchange):
            yield HistoryObservation(
                f"Request {exchange.number} repeats request {before.number}, which was refused:"
                f" {before.refusal}.",
                None,
                (before.number, exchange.number),
            )
        if exchange.refusal in PERMANENT and exchange.is_heard and not _is_probe(history, exchange):
            refused[identity(exchange)] = exchange
        if exchange.refusal is None and exchange.owner is not None:
            refused = _without_account_of(exchange, refused)


def _is_stubborn(history: ClientHistory, first: Exchange, second: Exchange) -> bool:
    """Return True if an equal request was refused again for the same reason.

    Two submits without a seed that were refused because of the account may be two wishes at the
    same time, and do not count.
    """
    may_be_two_wishes = (
        second.kind == "submit"
        and not history.has_seed(second)
        and second.refusal in OF_ACCOUNT
        and are_together(first, second)
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
        reads = job.reads if job.submit else ()
        for read in reads:
            if read.method == "GET" and not history.may_know(job, read.number, ("success",)):
                yield HistoryObservation(
                    f"{read.method} {read.path} came before a fetch or a webhook said success.",
                    job.job.id,
                    (read.number,),
                )


def _refused_webhooks(history: ClientHistory) -> Observations:
    for attempt in history.webhooks:
        was_tried = attempt.reached and not attempt.suppressed
        if was_tried and not attempt.delivered and not _is_needed_no_more(history, attempt):
            message = f"Attempt {attempt.attempt} for job {attempt.job_id}: {attempt.error}."
            yield HistoryObservation(message, attempt.job_id)


def _is_needed_no_more(history: ClientHistory, attempt: WebhookAttempt) -> bool:
    """Return True if nobody is there, or nobody knows of the job, and that may be right.

    For the client may have known the end before, and forgotten the job; or nobody was heard of for
    so long that the caller may have given up, and closed the receiver.
    """
    life = history.lives.get(attempt.job_id)
    if life is None or attempt.code not in (None, *GONE):
        return False
    seen = max((one.at for one in (life.submit, *life.fetches) if one), default=attempt.at)
    is_gone = attempt.code is None and attempt.at - seen > PATIENT_S
    return is_gone or history.may_know_before(life, attempt)


def _late_webhooks(history: ClientHistory) -> Observations:
    for attempt in history.webhooks:
        if attempt.delivered and attempt.took_s > PROMPT_S:
            yield HistoryObservation(
                f"Attempt {attempt.attempt} for job {attempt.job_id} was answered after"
                f" {attempt.took_s:.1f} s.",
                attempt.job_id,
            )


def _is_probe(history: ClientHistory, exchange: Exchange) -> bool:
    """Return True for a request of a browser, or of a tool that looks whether the server is there.

    Such tools send HEAD to whatever address they are given, and GET to the base URL.
    """
    if exchange.refusal not in _NO_OPERATION:
        return False
    path = exchange.path.rstrip("/")
    is_above = f"{history.base_path}/".startswith(f"{path}/")
    is_probed = is_above or exchange.path.startswith(_PROBES) or path.endswith(_HEALTH)
    is_look = exchange.method == "HEAD" and not exchange.is_link
    return exchange.method == "OPTIONS" or is_look or (exchange.method == "GET" and is_probed)


def count_calls(history: ClientHistory) -> int:
    """Return how many calls of a client there are, without those of browsers and scripts."""
    return sum(not _is_probe(history, exchange) for exchange in (*history.exchanges, *history.own))


def _named(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"request {numbers[0]}"
    return counted(len(numbers), "requests")


CHECKS: Mapping[str, Callable[[ClientHistory], Observations]] = {
    "request-violation": _broken_requests,
    "misspelt-field": _misspelt,
    "key-in-url": _key_in_url,
    "misused-mock": _misused,
    "wrong-path-or-method": _no_operation,
    "unknown-id": _unknown_id,
    "duplicate-submit": _duplicates,
    "retried-permanent-error": _permanent,
    "link-before-success": _early_links,
    "webhook-refused": _refused_webhooks,
    "webhook-answered-late": _late_webhooks,
    **POLLING_CHECKS,
}
