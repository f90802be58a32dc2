"""The history of each job as the journal shows it: what the client asked, and what it knew when.

A reply was certainly heard, certainly lost, or neither. A client is judged by what it certainly
knew, and excused by what it may have known.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

from fauxlab_contract.core.conventions import Conventions
from fauxlab_contract.core.records import Exchange, JobFacts, WebhookAttempt

__all__ = [
    "ENDED",
    "IN_OWN_NAME",
    "ClientHistory",
    "DeclaredFields",
    "HistoryObservation",
    "JobHistory",
    "Observations",
    "are_together",
    "elapsed_s",
    "identity",
]

ENDED = ("success", "failed")
# Requests this close may come from clients side by side, which cannot know each other's replies.
TOGETHER_S = 0.5
# Refusals that no API says: the mock answers in its own name, and the client has heard nothing.
IN_OWN_NAME = frozenset({"misuse", "no_control", "no_reply", "store_full", "internal"})
_UNREADABLE = "?"  # the journal has not kept what the reply said


class HistoryObservation(NamedTuple):
    """What a check noticed. `exchanges` are numbers of the journal; `field` is one of a body."""

    message: str
    job_id: int | None = None
    exchanges: tuple[int, ...] = ()
    field: str = ""


Observations = Iterator[HistoryObservation]


class DeclaredFields(Protocol):
    """The fields of a request, and which of them must be there."""

    @property
    def properties(self) -> Collection[str]: ...

    @property
    def required(self) -> Collection[str]: ...


def elapsed_s(first: Exchange, second: Exchange) -> float:
    """Return the longest that the pause between two exchanges can have been, in seconds.

    A client may have waited on the mock's clock, in real time, or for a part on each.
    """
    return second.at - first.at + second.real_s - first.real_s


def are_together(first: Exchange, second: Exchange) -> bool:
    """Return True if two exchanges may come from clients side by side."""
    return max(second.at - first.at, second.real_s - first.real_s) <= TOGETHER_S


def identity(exchange: Exchange) -> tuple[Any, ...]:
    """Return what makes two requests the same.

    A body that is not JSON is like no other: the journal knows its length alone.
    """
    if exchange.request is None and exchange.request_bytes:
        return (exchange.number,)
    return (
        exchange.method,
        exchange.path,
        exchange.owner,
        repr(exchange.request),
        exchange.request_bytes,
    )


@dataclass(slots=True)
class JobHistory:
    """What the journal holds of one job, in order.

    `submit` is None if the journal begins later than the job. `attempts` are the webhooks that were
    really sent. `is_hindered` is True if the mock answered the last fetch in its own name.
    """

    job: JobFacts
    submit: Exchange | None = None
    fetches: list[Exchange] = field(default_factory=list)
    reads: list[Exchange] = field(default_factory=list)
    attempts: list[WebhookAttempt] = field(default_factory=list)
    is_hindered: bool = False

    def has_news(self, first: Exchange, second: Exchange) -> bool:
        """Return True if a webhook may have come between two exchanges."""
        return any(
            attempt.until >= first.number and attempt.after < second.number
            for attempt in self.attempts
        )


class ClientHistory:
    """All that there is to judge. `now` is the moment of judgement on the mock's clock.

    `own` are the exchanges that the mock answered in its own name; `exchanges` are the others.
    `declared` is what the document declares for a request, by the operation's name.
    """

    def __init__(
        self,
        exchanges: Sequence[Exchange],
        jobs: Iterable[JobFacts],
        webhooks: Sequence[WebhookAttempt],
        conventions: Conventions,
        now: float | None = None,
        *,
        declared: Mapping[str, DeclaredFields] | None = None,
        base_path: str = "",
    ) -> None:
        self.declared, self.base_path = declared or {}, base_path
        self.own = [one for one in exchanges if one.refusal in IN_OWN_NAME]
        self.exchanges = [one for one in exchanges if one.refusal not in IN_OWN_NAME]
        self.webhooks, self.conventions = webhooks, conventions
        if now is None:
            now = max((exchange.at for exchange in exchanges), default=0.0)
        self.now = now
        words = conventions.words
        self._states = {
            words.success: "success",
            words.failed: "failed",
            words.error: "failed",
            words.processing: "processing",
        }
        self.lives: Mapping[int, JobHistory] = {job.id: JobHistory(job) for job in jobs}
        for exchange in exchanges:
            self._add(exchange)
        for attempt in webhooks:
            if attempt.job_id in self.lives and not attempt.suppressed:
                self.lives[attempt.job_id].attempts.append(attempt)

    def _add(self, exchange: Exchange) -> None:
        job = self.life_of(exchange)
        if job is None:
            return
        is_own = exchange.job_id is not None or exchange.owner == job.job.owner
        if exchange.is_link:
            job.reads.append(exchange)
        elif exchange.kind == "submit":
            job.submit = exchange
        elif exchange.kind == "fetch" and is_own:
            job.is_hindered = exchange.refusal in IN_OWN_NAME
            if not job.is_hindered:
                job.fetches.append(exchange)

    def count_jobs(self) -> int:
        """Return how many jobs the client asked for or about."""
        return sum(bool(job.submit or job.fetches or job.reads) for job in self.lives.values())

    def life_of(self, exchange: Exchange) -> JobHistory | None:
        """Return the history of the job that an exchange is about; None if it is about none.

        A fetch that was refused before its job was looked up belongs to the job in its path.
        """
        if exchange.job_id is not None:
            return self.lives.get(exchange.job_id)
        last = exchange.path.rstrip("/").rpartition("/")[2]
        is_number = last.isascii() and last.isdecimal() and len(last) < 20
        if exchange.kind != "fetch" or not is_number:
            return None
        return self.lives.get(int(last))

    def tells(self, exchange: Exchange) -> str:
        """Return the state of the job that a reply tells; empty if it tells none."""
        if exchange.job_id is None or exchange.refusal not in (None, "job_failed"):
            return ""
        if exchange.is_link:
            return "success"
        word = str(exchange.members.get(self.conventions.fields.status, ""))
        return self._states.get(word, _UNREADABLE)

    def has_told(self, exchange: Exchange, *states: str) -> bool:
        """Return True if the client certainly knows one of these states from this reply."""
        return exchange.is_heard and self.tells(exchange) in states

    def has_seed(self, exchange: Exchange) -> bool:
        """Return True if a request has a seed, so that the same body means the same picture."""
        seed = self.conventions.fields.seed
        return exchange.request is not None and exchange.request.get(seed) is not None

    def wait_s(self, exchange: Exchange) -> float:
        """Return how many seconds a reply tells the client to wait; 0 if it does not tell."""
        retry_after = exchange.members.get(self.conventions.fields.retry_after)
        return float(retry_after) if isinstance(retry_after, (int, float)) else 0.0

    def leads_elsewhere(self, submit: Exchange) -> bool:
        """Return True if the address for fetches is on another host than the links.

        A careful client does not send its key there.
        """
        names = self.conventions.fields
        fetch = submit.members.get(names.fetch_result)
        links = submit.members.get(names.future_links)
        first = links[0] if isinstance(links, list) and links else links
        if not fetch or not first:
            return False
        return urlsplit(str(fetch)).netloc != urlsplit(str(first)).netloc

    def may_know(
        self, life: JobHistory, before: float = math.inf, states: Sequence[str] = ENDED
    ) -> bool:
        """Return True if the client may have known one of these states of a job.

        Only what came before the exchange with the number `before` counts.
        """
        return self._may_be_told(life, before, states) or (
            life.job.outcome in states and any(attempt.after < before for attempt in life.attempts)
        )

    def may_know_before(self, life: JobHistory, attempt: WebhookAttempt) -> bool:
        """Return True if the client may have known the end of a job before a webhook was tried."""
        had_webhook = any(each.delivered and each.number < attempt.number for each in life.attempts)
        return had_webhook or self._may_be_told(life, attempt.after + 1, ENDED)

    def _may_be_told(self, life: JobHistory, before: float, states: Sequence[str]) -> bool:
        """Return True if a reply before the exchange `before` may have told one of these states."""
        submits = [life.submit] if life.submit else []
        return any(
            self.tells(exchange) in (*states, _UNREADABLE)
            for exchange in (*submits, *life.fetches, *life.reads)
            if exchange.number < before and not exchange.is_lost
        )
