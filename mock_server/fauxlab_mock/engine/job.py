"""One accepted generation, as a frozen value. Its state is a function of the job and the time."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from fauxlab_contract.core.records import JobFacts
from fauxlab_contract.validation.lifecycle import has_ended, remaining_s
from fauxlab_mock.behaviour.scenarios import Plan
from fauxlab_mock.engine.pictures import Picture

__all__ = ["NOBODY", "Job", "State", "moved_up", "owner_of"]

State = Literal["processing", "success", "failed"]


@dataclass(frozen=True, slots=True)
class Job:
    """`owner` is a digest of the key that made the job, `origin` where its submit reached the mock.
    `polls_answered` counts fetches answered `processing`, `reads` those of its links since the end.
    `scenario` is the one it was planned by; it `waits_s` for earlier jobs of its key.
    """

    id: int
    owner: str
    operation: str
    created_at: float
    plan: Plan
    files: tuple[str, ...]
    meta: Mapping[str, Any]
    picture: Picture
    scenario: str
    origin: str
    webhook: str | None = field(default=None, repr=False)
    track_id: Any = None
    fetches: int = 0
    polls_answered: int = 0
    reads: int = 0
    waits_s: float = 0.0
    is_refunded: bool = False

    @property
    def ends_at(self) -> float:
        return self.created_at + self.waits_s + self.plan.duration_s

    def state(self, now: float) -> State:
        ended = has_ended(
            now=now,
            ends_at=self.ends_at,
            polls_answered=self.polls_answered,
            polls_planned=self.plan.polls,
        )
        return self.plan.outcome if ended else "processing"

    def ending_at(self, moment: float) -> Job:
        """Return the job with another end.

        A job that would still be waiting by then waits no longer, and takes no time.
        """
        since_start_s = moment - self.created_at
        waits_s = min(self.waits_s, max(0.0, since_start_s))
        plan = replace(self.plan, duration_s=max(0.0, since_start_s - waits_s))
        return replace(self, waits_s=waits_s, plan=plan)

    def has_links(self, now: float) -> bool:
        """True if the links show the picture to the next read."""
        return (
            self.state(now) == "success"
            and self.reads >= self.plan.hidden_reads
            and now < self.ends_at + self.plan.links_live_s
        )

    def is_expired(self, now: float, keep_s: float) -> bool:
        """True when the job ended long ago, also if nobody ever polled it to its end."""
        return now > self.ends_at + keep_s

    def facts(self, now: float) -> JobFacts:
        announced = self.created_at + self.waits_s + self.plan.announced_eta_s
        told = self.webhook is not None
        return JobFacts(
            self.id,
            self.owner,
            self.created_at,
            announced,
            self.ends_at,
            self.state(now),
            told,
            self.plan.outcome,
        )

    def eta_s(self, now: float) -> int:
        return remaining_s(
            now=now, announced_end=self.created_at + self.waits_s + self.plan.announced_eta_s
        )


def moved_up(unfinished: Iterable[Job], now: float) -> Iterator[Job]:
    """Yield the unfinished jobs of a key whose wait becomes shorter, with the new wait.

    The jobs ahead end sooner than planned. A job begins when all earlier ones have ended; one that
    has begun stays as it is, and one without an end is not waited for.
    """
    free_at = now
    for job in sorted(unfinished, key=lambda job: job.id):
        waits_s = min(job.waits_s, free_at - job.created_at)
        if waits_s < job.waits_s:
            job = replace(job, waits_s=waits_s)
            yield job
        if job.ends_at < math.inf:
            free_at = max(free_at, job.ends_at)


def owner_of(key: str) -> str:
    """Return a short name for the holder of a key that does not give the key away."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]


NOBODY = owner_of("")  # owns the jobs of operations that take no key
