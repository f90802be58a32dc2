"""Where jobs live. `Mock` calls a store under its one lock, so a store need not lock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Protocol

from fauxlab_mock.behaviour.rules import Rule
from fauxlab_mock.engine.job import Job
from fauxlab_mock.settings import Limits

__all__ = ["FIRST_ID", "MemoryStore", "Store", "View"]

FIRST_ID = 100_000_001
_SWEEP = 4  # old jobs looked at for each new one


class View(Protocol):
    """What the engine may read."""

    def job(self, number: int) -> Job | None: ...

    def job_of_file(self, name: str) -> Job | None: ...

    def next_id(self) -> int: ...

    def is_full(self, now: float) -> bool: ...

    def unfinished(self, owner: str, now: float) -> Sequence[Job]: ...

    def spent(self, owner: str) -> int: ...

    def rules(self) -> tuple[Rule, ...]: ...


class Store(View, Protocol):
    """A view that can also be changed."""

    def put(self, job: Job, now: float) -> None: ...

    def jobs(self) -> Iterable[Job]: ...

    def set_rules(self, rules: tuple[Rule, ...]) -> None: ...

    def spend(self, owner: str, generations: int) -> None: ...

    def total_spent(self) -> int: ...

    def clear(self) -> None: ...


class MemoryStore:
    """Jobs in a dict.

    Keeps at most `limits.jobs`; the oldest that have ended go first, running ones never go.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._jobs: dict[int, Job] = {}
        self._files: dict[str, int] = {}
        self._rules: tuple[Rule, ...] = ()
        self._spent: Counter[str] = Counter()
        self._next_id = FIRST_ID

    def job(self, number: int) -> Job | None:
        return self._jobs.get(number)

    def job_of_file(self, name: str) -> Job | None:
        number = self._files.get(name)
        return None if number is None else self._jobs.get(number)

    def next_id(self) -> int:
        return self._next_id

    def is_full(self, now: float) -> bool:
        """Return True if there is no room for another job; make some first where possible.

        More jobs than `limits.jobs` means that they are running.
        """
        limits = self._limits
        if len(self._jobs) > limits.jobs:
            self._sweep(now)
        count = len(self._jobs)
        return count > limits.jobs and count >= limits.unfinished_jobs

    def put(self, job: Job, now: float) -> None:
        """Add a job or replace the one with its id."""
        if job.id not in self._jobs:
            self._next_id = max(self._next_id, job.id + 1)
            self._files.update(dict.fromkeys(job.files, job.id))
        self._jobs[job.id] = job
        if len(self._jobs) > self._limits.jobs:
            self._sweep(now)

    def _sweep(self, now: float) -> None:
        for job in list(islice(self._jobs.values(), _SWEEP)):
            del self._jobs[job.id]
            is_running = job.state(now) == "processing"
            if is_running and not job.is_expired(now, self._limits.job_keep_s):
                self._jobs[job.id] = job  # to the end of the line
                continue
            for name in job.files:
                self._files.pop(name, None)
            if len(self._jobs) <= self._limits.jobs:
                return

    def unfinished(self, owner: str, now: float) -> Sequence[Job]:
        """Return the jobs of a key that are being processed; only queues ask for them."""
        return [
            job
            for job in self._jobs.values()
            if job.owner == owner and job.state(now) == "processing"
        ]

    def spent(self, owner: str) -> int:
        """Return the generations that a key has paid for, less those that were paid back."""
        return self._spent.get(owner, 0)

    def spend(self, owner: str, generations: int) -> None:
        self._spent[owner] += generations

    def total_spent(self) -> int:
        return self._spent.total()

    def jobs(self) -> Iterable[Job]:
        return sorted(self._jobs.values(), key=lambda job: job.id)

    def rules(self) -> tuple[Rule, ...]:
        return self._rules

    def set_rules(self, rules: tuple[Rule, ...]) -> None:
        self._rules = rules

    def clear(self) -> None:
        """Forget all jobs and rules; ids go on, so no id is ever given twice."""
        self._jobs.clear()
        self._files.clear()
        self._rules = ()
        self._spent.clear()
