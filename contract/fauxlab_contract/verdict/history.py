"""Each job's life as the journal shows it: what was asked, and what the client knew when, or may
have known. Pure.

An answer may be heard for certain, lost for certain, or neither. What a client did is held against
what it knew for certain, and excused by what it may have known.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from fauxlab_contract.core.conventions import Conventions
from fauxlab_contract.core.records import Exchange, JobFacts, WebhookAttempt

__all__ = ["ENDED", "ClientHistory", "JobHistory", "elapsed_s"]

ENDED = ("success", "failed")
_UNREADABLE = "?"  # the journal has not kept what the answer told


def elapsed_s(first: Exchange, second: Exchange) -> float:
    """The pause between two calls: on the mock's clock, which a client may not know, or really,
    whichever was longer.
    """
    return max(second.at - first.at, second.real_s - first.real_s)


@dataclass(slots=True)
class JobHistory:
    """What the journal holds of one job, in order. `submit` is None when the journal begins later
    than the job; `attempts` are the webhooks that were really sent.
    """

    job: JobFacts
    submit: Exchange | None = None
    fetches: list[Exchange] = field(default_factory=list)
    reads: list[Exchange] = field(default_factory=list)
    attempts: list[WebhookAttempt] = field(default_factory=list)

    def has_news(self, first: Exchange, second: Exchange) -> bool:
        """May a webhook have come between two calls?"""
        return any(
            attempt.until >= first.number and attempt.after < second.number
            for attempt in self.attempts
        )


class ClientHistory:
    """What there is to judge. `now` is the moment of the judgement on the mock's clock."""

    def __init__(
        self,
        exchanges: Sequence[Exchange],
        jobs: Iterable[JobFacts],
        webhooks: Sequence[WebhookAttempt],
        conventions: Conventions,
        now: float | None = None,
    ) -> None:
        self.exchanges, self.webhooks, self.conventions = exchanges, webhooks, conventions
        self.now = max((one.at for one in exchanges), default=0.0) if now is None else now
        words = conventions.words
        self._states = {
            words.success: "success",
            words.failed: "failed",
            words.error: "failed",
            words.processing: "processing",
        }
        self.lives: Mapping[int, JobHistory] = {job.id: JobHistory(job) for job in jobs}
        for one in exchanges:
            self._add(one)
        for attempt in webhooks:
            if attempt.job_id in self.lives and not attempt.suppressed:
                self.lives[attempt.job_id].attempts.append(attempt)

    def _add(self, one: Exchange) -> None:
        life = self.life_of(one)
        if life is None:
            return
        if one.is_link:
            life.reads.append(one)
        elif one.kind == "submit":
            life.submit = one
        elif one.kind == "fetch" and (one.job_id is not None or one.owner == life.job.owner):
            life.fetches.append(one)

    def life_of(self, one: Exchange) -> JobHistory | None:
        """The life that a call is part of, also when a fetch was refused before anybody looked for
        its job.
        """
        if one.job_id is not None:
            return self.lives.get(one.job_id)
        last = one.path.rstrip("/").rpartition("/")[2]
        is_id = one.kind == "fetch" and last.isascii() and last.isdecimal() and len(last) < 20
        return self.lives.get(int(last)) if is_id else None

    def tells(self, one: Exchange) -> str:
        """The state of its job that an answer tells of; nothing when it tells none."""
        if one.job_id is None or one.refusal not in (None, "job_failed"):
            return ""
        if one.is_link:
            return "success"
        return self._states.get(
            str(one.members.get(self.conventions.fields.status, "")), _UNREADABLE
        )

    def has_told(self, one: Exchange, *states: str) -> bool:
        """Does the client know one of these states from this answer, for certain?"""
        return one.is_heard and self.tells(one) in states

    def leads_elsewhere(self, submit: Exchange) -> bool:
        """Is the address for fetches on another host than the links, so that a careful client asks
        nobody?
        """
        names = self.conventions.fields
        fetch, links = (
            submit.members.get(names.fetch_result),
            submit.members.get(names.future_links),
        )
        first = links[0] if isinstance(links, list) and links else links
        return bool(fetch and first) and urlsplit(str(fetch)).netloc != urlsplit(str(first)).netloc

    def may_know(
        self, life: JobHistory, before: float = math.inf, states: Sequence[str] = ENDED
    ) -> bool:
        """May the client have known one of these states of a job, `before` the exchange with this
        number?
        """
        answers = [*([life.submit] if life.submit else []), *life.fetches, *life.reads]
        if any(
            one.number < before and not one.is_lost and self.tells(one) in (*states, _UNREADABLE)
            for one in answers
        ):
            return True
        return life.job.outcome in states and any(
            attempt.after < before for attempt in life.attempts
        )
