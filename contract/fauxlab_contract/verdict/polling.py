"""The checks behind the verdict's rules about polling: pauses, the end of a job, jobs left alone.

Pure: a history in, observations out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from fauxlab_contract.core.records import Exchange
from fauxlab_contract.verdict.history import (
    ENDED,
    ClientHistory,
    HistoryObservation,
    JobHistory,
    Observations,
    are_together,
    elapsed_s,
    identity,
)

__all__ = ["PATIENT_S", "POLLING_CHECKS", "is_undecided"]

TOLERANCE_S = 0.5  # a client may be this early: clocks differ, and the eta is a whole number
# This many pauses in a row, each shorter than that, are a loop that does not pause: more than four
# fetches a second. One short pause is none: pauses that grow begin with some, a deadline cuts one.
FAST_PAUSES, FASTEST_S = 8, 0.25
# A client that waited this long before its first fetch has not hurried, however long the eta is.
PATIENT_S = 60.0
# After an end that nobody asked for: some clients poll once a minute, and a webhook may be a minute
# late.
GIVEN_UP_S = 120.0


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
        fast = max(_fast_runs(job), key=len, default=[])
        if len(fast) >= FAST_PAUSES:
            shortest_s = min(pause_s for pause_s, _ in fast)
            yield HistoryObservation(
                f"Job {job.job.id} was fetched {len(fast) + 1} times in a row with pauses of less"
                f" than {FASTEST_S} s; the shortest was {shortest_s:.2f} s.",
                job.job.id,
                tuple(number for _, number in fast),
            )


def _fast_runs(job: JobHistory) -> list[list[tuple[float, int]]]:
    """Return the runs of short pauses, each as (pause, number of the fetch after it).

    A run ends at a longer pause, at a webhook, and at a reply that may not have been heard.
    """
    runs: list[list[tuple[float, int]]] = [[]]
    for first, second in pairwise(job.fetches):
        pause_s = elapsed_s(first, second)
        if pause_s >= FASTEST_S or not first.is_heard or job.has_news(first, second):
            runs.append([])
        else:
            runs[-1].append((pause_s, second.number))
    return runs


def _retry_after(history: ClientHistory) -> Observations:
    """Find requests that were repeated too early.

    Only the same request counts: another one may come from a client that knows nothing of the
    refusal.
    """
    refused: dict[tuple[Any, ...], list[Exchange]] = {}  # those that were not waited for
    for exchange in history.exchanges:
        earlier = refused.setdefault(identity(exchange), [])
        if earlier:
            before = earlier[-1]
            early_s = history.wait_s(before) - elapsed_s(before, exchange)
            if early_s <= TOLERANCE_S or _has_news(history, before, exchange):
                earlier.clear()
            elif not _may_be_side_by_side(history, earlier, exchange):
                yield HistoryObservation(
                    f"Request {exchange.number} came {early_s:.1f} s before the retry_after of"
                    f" request {before.number} was over.",
                    exchange.job_id,
                    (before.number, exchange.number),
                )
        if history.wait_s(exchange) > 0 and exchange.is_heard:
            earlier.append(exchange)


def _may_be_side_by_side(
    history: ClientHistory, earlier: Sequence[Exchange], exchange: Exchange
) -> bool:
    """Return True if an equal request may come from a client that has not heard of the refusals."""
    if not are_together(earlier[0], exchange):
        return False
    is_wish = exchange.kind == "submit" and not history.has_seed(exchange)
    return len(earlier) == 1 or is_wish


def _has_news(history: ClientHistory, first: Exchange, second: Exchange) -> bool:
    job = history.life_of(second)
    return job is not None and job.has_news(first, second)


def _after_end(history: ClientHistory) -> Observations:
    """Find jobs that were fetched again after their end had been confirmed once.

    A processing after the success starts anew.
    """
    for job in history.lives.values():
        ends: list[int] = []
        submits = [job.submit] if job.submit else []
        for exchange in (*submits, *job.fetches):
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
    if job.is_hindered:
        return False
    if job.fetches:
        last = job.fetches[-1]
        is_not_found = last.is_heard and last.refusal == "unknown_id"
        return history.has_told(last, "processing") or is_not_found
    submit = job.submit
    return submit is not None and submit.is_heard and not history.leads_elsewhere(submit)


POLLING_CHECKS: Mapping[str, Callable[[ClientHistory], Observations]] = {
    "polled-before-eta": _before_eta,
    "polled-too-fast": _too_fast,
    "ignored-retry-after": _retry_after,
    "polled-after-end": _after_end,
    "polled-after-webhook": _after_webhook,
    "abandoned-job": _abandoned,
}
