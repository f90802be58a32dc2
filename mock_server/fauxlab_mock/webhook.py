"""The outbox: when each job's webhook is due, what became of every attempt, and who sends it.

Times are those of the mock's clock. A delivery is due when its job ends; an attempt that fails is repeated twice, later and later.
One delivery is under way at a time, in the order in which they are due.
"""

from __future__ import annotations

import heapq
import json
import math
import random
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from fauxlab_contract.record import WebhookAttempt
from fauxlab_mock.clock import THREAD_PREFIX, Clock
from fauxlab_mock.dial import Outcome
from fauxlab_mock.job import Job

__all__ = ["BACKOFF_S", "Outbox"]

BACKOFF_S = (5.0, 30.0)  # after the first and the second attempt
JITTER = 0.1
LATE_S = 60.0  # of a webhook that comes late
EARLY_S = 2.0  # real seconds that an answer waits for a webhook that is to come before it
THREAD_NAME = f"{THREAD_PREFIX}webhooks"
MAX_ATTEMPTS_KEPT = 30_000


@dataclass(frozen=True, slots=True, order=True)
class Delivery:
    """One attempt to come; ordered by when it is due, then by when it was asked for."""

    due: float
    number: int
    job_id: int = field(compare=False)
    origin: str = field(compare=False)
    attempt: int = field(compare=False, default=1)
    early: bool = field(compare=False, default=False)


class Outbox:
    """Holds the deliveries to come and the log of those that were. `job_of(id)` gives a job, `body_of(job, origin)` what is sent.

    `send(url, body)` does the sending. Safe to use from several threads; nothing here is called while the mock is locked.
    """

    def __init__(
        self,
        clock: Clock,
        job_of: Callable[[int], Job | None],
        body_of: Callable[[Job, str], dict[str, Any]],
        send: Callable[[str, bytes], Outcome],
        seed: int = 0,
    ) -> None:
        self.clock = clock
        self._job_of, self._body_of, self._send = job_of, body_of, send
        self._seed = seed
        self.log: deque[WebhookAttempt] = deque(maxlen=MAX_ATTEMPTS_KEPT)
        self.count = 0
        self._heap: list[Delivery] = []
        self._waiting: dict[int, list[Delivery]] = {}  # of jobs that end no sooner than something happens to them
        self._numbers = 0
        self._changed = threading.Condition()
        self._busy = threading.RLock()
        self._worker: threading.Thread | None = None
        self._closed = False

    def add(self, job: Job, origin: str) -> None:
        """Plan what the job's plan says about its webhook."""
        match job.plan.webhook:
            case "lost":
                self._note(job, 1, Outcome(error="lost, as the scenario says", suppressed=True))
            case "early":
                self._push(job, job.created_at, origin, early=True)
            case "before_success":
                self._push(job, job.created_at + job.plan.announced_eta_s / 2, origin, early=True)
            case "late":
                self._push(job, job.ends_at + LATE_S, origin)
            case kind:
                for _ in range(2 if kind == "twice" else 1):
                    self._push(job, job.ends_at, origin)

    def redeliver(self, job: Job, origin: str) -> None:
        """Send the webhook of a job once more, now."""
        self._push(job, self.clock.now(), origin, attempt=0, early=True)  # which attempt that is, is counted when it is made
        self.wake()

    def job_moved(self, job: Job) -> None:
        """A job ends sooner than it was to: so does its webhook come."""
        due = job.ends_at + (LATE_S if job.plan.webhook == "late" else 0)
        with self._changed:
            mine = [one for one in self._heap if one.job_id == job.id and one.attempt == 1 and not one.early and one.due > due]
            self._heap = [one for one in self._heap if one not in mine] + [replace(one, due=due) for one in mine]
            heapq.heapify(self._heap)
        self.job_changed(job)

    def job_changed(self, job: Job) -> None:
        """A job was polled or moved: perhaps that was what its webhook waited for."""
        if job.state(self.clock.now()) == "processing":
            return
        with self._changed:
            waiting = self._waiting.pop(job.id, [])
            waiting += [delivery for delivery in self._heap if delivery.job_id == job.id and not delivery.early]
            self._heap = [delivery for delivery in self._heap if delivery not in waiting]
            heapq.heapify(self._heap)
        for delivery in waiting:
            self._push(job, min(delivery.due, self.clock.now()), delivery.origin, attempt=delivery.attempt)

    def next_due(self) -> float | None:
        with self._changed:
            return self._heap[0].due if self._heap else None

    def deliver_until(self, moment: float) -> None:
        """Deliver, in order, whatever is due until `moment`; the clock moves along."""
        with self._busy:
            while (due := self.next_due()) is not None and due <= moment and not self._closed:
                self.clock.move_to(due)
                with self._changed:
                    delivery = heapq.heappop(self._heap)
                self._deliver(delivery)

    def deliver_early(self, job_id: int) -> None:
        """Deliver the first attempt of a job now, and wait for it a little, but not for ever."""
        with self._changed:
            mine = [delivery for delivery in self._heap if delivery.job_id == job_id]
            for delivery in mine:
                self._heap.remove(delivery)
            heapq.heapify(self._heap)
        for delivery in mine:
            thread = threading.Thread(target=self._deliver, args=(delivery,), name=THREAD_NAME, daemon=True)
            thread.start()
            thread.join(EARLY_S)

    def has_work(self) -> bool:
        """Is there, or will there be by time alone, something for a thread to do?"""
        with self._changed:
            return self._delay_s() < math.inf

    def wake(self) -> None:
        """Something may be due: make sure that somebody sees to it."""
        with self._changed:
            if self._worker is None and self._delay_s() < math.inf and not self._closed:
                self._worker = threading.Thread(target=self._work, name=THREAD_NAME, daemon=True)
                self._worker.start()
            self._changed.notify_all()

    def clear(self) -> None:
        """Forget deliveries and log."""
        with self._changed:
            self._heap.clear()
            self._waiting.clear()
            self.log.clear()

    def close(self) -> None:
        """Deliver nothing more."""
        with self._changed:
            self._closed = True
            self._heap.clear()
            self._changed.notify_all()
            worker = self._worker
        if worker is not None and worker is not threading.current_thread():
            worker.join(EARLY_S)

    def _push(self, job: Job, due: float, origin: str, *, attempt: int = 1, early: bool = False) -> None:
        with self._changed:
            self._numbers += 1
            delivery = Delivery(due, self._numbers, job.id, origin, attempt, early)
            if due == math.inf:
                self._waiting.setdefault(job.id, []).append(delivery)
            else:
                heapq.heappush(self._heap, delivery)

    def _delay_s(self) -> float:
        """Real seconds until there is something to do; infinite when there is nothing that time alone brings."""
        if not self._heap:
            return math.inf
        wait_s = max(0.0, self._heap[0].due - self.clock.now())
        if self.clock.mode == "auto":
            return 0.0
        return wait_s if self.clock.mode == "real" or wait_s == 0 else math.inf

    def _work(self) -> None:
        while True:
            with self._changed:
                delay_s = self._delay_s()
                if delay_s == math.inf or self._closed:
                    self._worker = None
                    return
                if delay_s > 0:
                    self._changed.wait(min(delay_s, 60.0))
                    continue
            self.deliver_until(math.inf if self.clock.mode == "auto" else self.clock.now())

    def _deliver(self, delivery: Delivery) -> None:
        job = self._job_of(delivery.job_id)
        if job is None or job.webhook is None:
            return
        if not delivery.early and job.state(self.clock.now()) == "processing":
            with self._changed:
                self._waiting.setdefault(job.id, []).append(delivery)
            return
        attempt = delivery.attempt or 1 + max((one.attempt for one in self.log if one.job_id == job.id), default=0)
        outcome = self._send(job.webhook, json.dumps(self._body_of(job, delivery.origin), separators=(",", ":")).encode())
        self._note(job, attempt, outcome)
        if not outcome.delivered and not outcome.suppressed and 0 < delivery.attempt <= len(BACKOFF_S):
            chance = random.Random(f"{self._seed}:{job.id}:{attempt}").uniform(-1, 1)
            pause_s = BACKOFF_S[attempt - 1] * (1 + JITTER * chance)
            self._push(job, self.clock.now() + pause_s, delivery.origin, attempt=attempt + 1, early=delivery.early)

    def _note(self, job: Job, attempt: int, outcome: Outcome) -> None:
        with self._changed:
            self.count += 1
            self.log.append(
                WebhookAttempt(
                    number=self.count,
                    at=self.clock.now(),
                    took_s=outcome.took_s,
                    job_id=job.id,
                    attempt=attempt,
                    code=outcome.code,
                    error=outcome.error,
                    suppressed=outcome.suppressed,
                )
            )
            self._changed.notify_all()
