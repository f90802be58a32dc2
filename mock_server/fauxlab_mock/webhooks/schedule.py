"""Which webhook deliveries are to come, and when: no clock, no thread, no lock."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field, replace

from fauxlab_mock.engine.job import Job

__all__ = ["Delivery", "Schedule"]

LATE_S = 60.0


@dataclass(frozen=True, slots=True, order=True)
class Delivery:
    """One attempt to come; ordered by when it is due, then by when it was asked for.

    With `after_end_s`, it is due that many seconds after its job ends, and moves when the end
    moves. A job that waits to be polled ends with the last of these polls, at `polled_at`. Without
    `after_end_s`, `due` is fixed. `attempt` 0 is counted when it is made.
    """

    due: float
    number: int
    job_id: int = field(compare=False)
    host: str = field(compare=False)
    attempt: int = field(compare=False, default=1)
    after_end_s: float | None = field(compare=False, default=None)
    polled_at: float = field(compare=False, default=math.inf)

    def following(self, job: Job, now: float) -> Delivery:
        """Return the delivery with the time at which it is due as things stand with its job."""
        if self.after_end_s is None:
            return self
        is_polled = self.polled_at < math.inf or job.polls_answered < job.plan.polls
        polled_at = self.polled_at if is_polled else now
        due = max(job.ends_at, polled_at) + self.after_end_s
        return replace(self, polled_at=polled_at, due=due)


class Schedule:
    """The deliveries to come, in the order in which they are due."""

    def __init__(self) -> None:
        # by job; those that nothing but an event makes due are in no heap
        self._pending: dict[int, list[Delivery]] = {}
        # what is pending no more is left in it until it comes to the top
        self._heap: list[Delivery] = []
        self._pushed = 0

    def plan(self, job: Job, now: float) -> None:
        """Push the deliveries that the plan of a new job asks for."""
        match job.plan.webhook:
            case "lost":
                pass
            case "early":
                self.push(job, now)  # its own call takes it, no other that ends meanwhile
            case "before_success":
                halfway = job.created_at + job.plan.announced_eta_s / 2
                self.push(job, now, due=halfway)
            case "late":
                self.push(job, now, after_end_s=LATE_S)
            case "twice":
                self.push(job, now, after_end_s=0.0)
                self.push(job, now, after_end_s=0.0)
            case _:
                self.push(job, now, after_end_s=0.0)

    def push(
        self,
        job: Job,
        now: float,
        *,
        due: float = math.inf,
        attempt: int = 1,
        after_end_s: float | None = None,
    ) -> None:
        """Add a delivery that is due at a moment, or some seconds after its job ends."""
        self._pushed += 1
        delivery = Delivery(due, self._pushed, job.id, _host_of(job), attempt, after_end_s)
        self._keep(delivery.following(job, now))

    def follow(self, job: Job, now: float) -> None:
        """Move those deliveries of a job that follow its end."""
        for delivery in self.of_job(job.id):
            moved = delivery.following(job, now)
            if (moved.due, moved.polled_at) != (delivery.due, delivery.polled_at):
                self.drop(delivery)
                self._keep(moved)

    def first(self) -> Delivery | None:
        """Return the delivery that is due first, None if time alone makes none due."""
        while self._heap:
            first = self._heap[0]
            if first in self._pending.get(first.job_id, ()):
                return first
            heapq.heappop(self._heap)
        return None

    def hosts_until(self, moment: float) -> set[str]:
        """Return the hosts of the deliveries that are due until a moment: `{"localhost:8000"}`."""
        pending = [delivery for deliveries in self._pending.values() for delivery in deliveries]
        return {delivery.host for delivery in pending if delivery.due <= moment}

    def of_job(self, job_id: int) -> list[Delivery]:
        """Return the deliveries to come of one job."""
        return [*self._pending.get(job_id, ())]

    def drop(self, delivery: Delivery) -> None:
        """Take a delivery out: it is made now, or never."""
        deliveries = self._pending[delivery.job_id]
        deliveries.remove(delivery)
        if not deliveries:
            del self._pending[delivery.job_id]

    @property
    def is_empty(self) -> bool:
        return not self._pending

    def clear(self) -> None:
        self._heap.clear()
        self._pending.clear()

    def _keep(self, delivery: Delivery) -> None:
        self._pending.setdefault(delivery.job_id, []).append(delivery)
        if delivery.due < math.inf:
            heapq.heappush(self._heap, delivery)


def _host_of(job: Job) -> str:
    """Return host and port of a job's webhook as written there: `localhost:8000`."""
    _, _, after_scheme = (job.webhook or "").partition("//")
    host, _, _ = after_scheme.partition("/")
    return host.lower()
