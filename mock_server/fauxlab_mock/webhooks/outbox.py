"""Webhooks: delivered in threads, repeated when they fail, logged.

A delivery comes when its job ends; an attempt that fails is repeated twice, later and later.
Deliveries are made in the order in which they are due, one after the other; on the real clock,
those to different hosts side by side. Nothing is locked while a delivery is under way, so its
receiver may do anything.
"""

from __future__ import annotations

import json
import math
import random
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from fauxlab_contract.core.records import WebhookAttempt
from fauxlab_mock.clock.clock import THREAD_PREFIX, Clock, Events
from fauxlab_mock.engine.job import Job
from fauxlab_mock.webhooks.delivery import DeliveryOutcome, port_here
from fauxlab_mock.webhooks.host_queues import HostQueues
from fauxlab_mock.webhooks.schedule import Delivery, Schedule

__all__ = ["BACKOFF_S", "EARLY_S", "THREAD_NAME", "Outbox", "Send"]

BACKOFF_S = (5.0, 30.0)  # after the first and the second attempt
JITTER = 0.1
EARLY_S = 2.0  # real seconds that an answer waits for a webhook that is to come before it
# real seconds that an advance waits for a delivery that the worker has begun, at most, and the
# worker for one that an advance has begun
SETTLE_S = 2.0
THREAD_NAME = f"{THREAD_PREFIX}webhooks"
MAX_ATTEMPTS_KEPT = 30_000
MAX_HOSTS = 8  # that are served at the same time, on the real clock

Send = Callable[[str, bytes], DeliveryOutcome]


class _UnderWay(NamedTuple):
    began: float  # real time
    at: float  # the mock's
    by_worker: bool


class Outbox(Events):
    """Makes the deliveries of its schedule and keeps the log of all attempts.

    `job_of(id)` returns a job as it is now, `body_of(job)` what its receiver is sent, and
    `send(url, body)` sends it. `on_telling(job)` is called before each of them. `position()` is the
    number of the last exchange. All of these are called while nothing is locked. Safe to use from
    several threads.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        job_of: Callable[[int], Job | None],
        body_of: Callable[[Job], dict[str, Any]],
        send: Send,
        on_telling: Callable[[Job], None],
        position: Callable[[], int],
        seed: int = 0,
    ) -> None:
        self.clock = clock
        self.log: deque[WebhookAttempt] = deque(maxlen=MAX_ATTEMPTS_KEPT)
        self.count = 0
        self._job_of, self._body_of, self._send = job_of, body_of, send
        self._on_telling, self._position, self._seed = on_telling, position, seed
        self._schedule = Schedule()
        # by their numbers; what was forgotten meanwhile is not there
        self._under_way: dict[int, _UnderWay] = {}
        self._changed = threading.Condition()
        self._worker: threading.Thread | None = None
        self._queues = HostQueues(THREAD_NAME, MAX_HOSTS)
        self._is_closed = False

    def add(self, job: Job) -> None:
        """Plan what the plan of a new job says about its webhook."""
        now = self.clock.now()
        with self._changed:
            if job.plan.webhook == "lost":
                lost = DeliveryOutcome(
                    error="lost, as the scenario says", suppressed=True, reached=False
                )
                self._note(job, 1, now, self._position(), lost)
            elif not self._is_closed:
                self._schedule.plan(job, now)

    def redeliver(self, job: Job) -> None:
        """Send the webhook of a job once more, now."""
        self._push(job, due=self.clock.now(), attempt=0)

    def job_changed(self, job: Job) -> None:
        """Let deliveries follow the end of a job that was polled or changed."""
        now = self.clock.now()
        with self._changed:
            self._schedule.follow(job, now)

    def settle(self) -> bool:
        """Wait for deliveries that the worker has begun, so that an advance finds them made.

        Not for long, for it may be their receiver who advances the clock. Return True if there was
        something to wait for.
        """
        has_waited = False
        with self._changed:
            while (left_s := self._patience_s()) > 0:
                has_waited = True
                self._changed.wait(left_s)
        return has_waited

    def next_event(self, moment: float) -> Callable[[], object] | None:
        """Take the first delivery that is due until `moment`, and move the clock to it."""
        delivery = self._take(moment)
        return None if delivery is None else partial(self._deliver, delivery)

    def receivers(self, moment: float) -> frozenset[int]:
        """Return the ports of this machine to which a delivery goes that is due until `moment`."""
        with self._changed:
            hosts = self._schedule.hosts_until(moment)
        return frozenset(port for host in hosts if (port := port_here(host)))

    def moved(self) -> None:
        """Wake the worker: what it waits for may be due by now."""
        with self._changed:
            self._changed.notify_all()

    def busy_since(self) -> float | None:
        """Return when the latest delivery that is under way began, None when there is none."""
        with self._changed:
            return max((entry.began for entry in self._under_way.values()), default=None)

    def deliver_early(self, job_id: int) -> None:
        """Deliver the first attempt of a job now, and wait for it, at most `EARLY_S`."""
        with self._changed:
            deliveries = [self._begin(delivery) for delivery in self._schedule.of_job(job_id)]
        for delivery in deliveries:
            thread = threading.Thread(
                target=self._deliver, args=(delivery,), name=THREAD_NAME, daemon=True
            )
            thread.start()
            thread.join(EARLY_S)

    def wake(self, after_s: float = 0.0) -> None:
        """Deliver what is due, or will be by time alone, in a worker thread.

        With `after_s`, begin that many real seconds later.
        """
        if self._schedule.is_empty:
            return
        with self._changed:
            has_work = self._delay_s() < math.inf
            if has_work and after_s:
                timer = threading.Timer(after_s, self.wake)
                timer.name = THREAD_NAME
                timer.start()
                return
            if has_work and self._worker is None:
                self._worker = threading.Thread(target=self._work, name=THREAD_NAME, daemon=True)
                self._worker.start()
            self._changed.notify_all()

    def clear(self) -> None:
        """Forget deliveries and log; what is under way is neither logged nor repeated."""
        with self._changed:
            self._schedule.clear()
            self._under_way.clear()
            self.log.clear()
            self._changed.notify_all()

    def close(self) -> None:
        """Deliver nothing more."""
        with self._changed:
            self._is_closed = True
            self._schedule.clear()
            self._changed.notify_all()
            worker = self._worker
        if worker is not None and worker is not threading.current_thread():
            worker.join(EARLY_S)
        self._queues.join(EARLY_S)

    def _push(self, job: Job, *, due: float, attempt: int) -> None:
        with self._changed:
            if not self._is_closed:
                self._schedule.push(job, self.clock.now(), due=due, attempt=attempt)
        self.wake()  # the worker ends when it sees nothing to come

    def _take(self, moment: float, *, by_worker: bool = False) -> Delivery | None:
        with self._changed:
            first = self._schedule.first()
            if first is None or first.due > moment:
                return None
            self.clock.move_to(first.due)
            return self._begin(first, by_worker=by_worker)

    def _begin(self, delivery: Delivery, *, by_worker: bool = False) -> Delivery:
        """Note that a delivery is under way from now on; it is the caller's to make, unlocked."""
        self._schedule.drop(delivery)
        under_way = _UnderWay(time.monotonic(), self.clock.now(), by_worker)
        self._under_way[delivery.number] = under_way
        return delivery

    def _patience_s(self, *, with_worker: bool = True) -> float:
        """Return the real seconds for which an advance still waits for the worker.

        With `with_worker=False`, those for which the worker waits for whoever moves the clock.
        """
        entries = self._under_way.values()
        began = [entry.began for entry in entries if entry.by_worker == with_worker]
        return max(began, default=-math.inf) + SETTLE_S - time.monotonic()

    def _delay_s(self) -> float:
        """Return the real seconds until a delivery is due, inf when time alone makes none due."""
        first = self._schedule.first()
        if first is None:
            return math.inf
        wait_s = max(0.0, first.due - self.clock.now())
        if self.clock.mode == "auto" or wait_s == 0:
            return 0.0
        return wait_s if self.clock.mode == "real" else math.inf

    def _work(self) -> None:
        try:
            while (delivery := self._awaited()) is not None:
                if self.clock.mode == "real":
                    self._queues.do(delivery.host, partial(self._deliver, delivery))
                else:
                    self._deliver(delivery)
        except BaseException:
            with self._changed:
                self._worker = None  # so that another can take over
            raise

    def _awaited(self) -> Delivery | None:
        """Wait for the next delivery that the worker is to make.

        Return None when time alone makes none due: then the worker ends.
        """
        with self._changed:
            while (delay_s := self._delay_s()) < math.inf:
                if self.clock.mode != "real":  # what is due at one moment comes in one order
                    delay_s = max(delay_s, self._patience_s(with_worker=False))
                if delay_s <= 0:
                    return self._take(math.inf, by_worker=True)
                self._changed.wait(min(delay_s, 60.0))
            self._worker = None
            return None

    def _deliver(self, delivery: Delivery) -> None:
        try:
            job = self._job_of(delivery.job_id)
            under_way = self._under_way.get(delivery.number)
            if under_way is None or self._is_closed:
                return
            if job is None or job.webhook is None:
                return
            # on the real clock it may have waited for others of its host
            at = self.clock.now() if self.clock.mode == "real" else under_way.at
            after = self._position()
            outcome = self._outcome(job, job.webhook)
            with self._changed:
                if delivery.number in self._under_way:
                    attempt = self._attempt(delivery)
                    self._note(job, attempt, at, after, outcome)
                    self._repeat(job, delivery, attempt, outcome)
        finally:
            with self._changed:
                self._under_way.pop(delivery.number, None)
                self._changed.notify_all()

    def _outcome(self, job: Job, url: str) -> DeliveryOutcome:
        """Tell the receiver how a job ended, and return what became of that.

        A bug of ours is an outcome as well: it must not be the end of all deliveries.
        """
        try:
            self._on_telling(job)
            body = json.dumps(self._body_of(job), separators=(",", ":")).encode()
            return self._send(url, body)
        except Exception as error:
            return DeliveryOutcome(error=f"internal error {type(error).__name__}", reached=False)

    def _attempt(self, delivery: Delivery) -> int:
        """Return which attempt of its job a delivery is."""
        if delivery.attempt:
            return delivery.attempt
        made = [attempt.attempt for attempt in self.log if attempt.job_id == delivery.job_id]
        return 1 + max(made, default=0)

    def _repeat(self, job: Job, delivery: Delivery, attempt: int, outcome: DeliveryOutcome) -> None:
        """Plan the next attempt after one that failed."""
        is_over = outcome.delivered or outcome.suppressed
        if is_over or not 0 < delivery.attempt <= len(BACKOFF_S):
            return
        chance = random.Random(f"{self._seed}:{job.id}:{attempt}").uniform(-1, 1)
        pause_s = BACKOFF_S[attempt - 1] * (1 + JITTER * chance)
        due = self.clock.now() + pause_s
        self._push(job, due=due, attempt=attempt + 1)

    def _note(
        self, job: Job, attempt: int, at: float, after: int, outcome: DeliveryOutcome
    ) -> None:
        self.count += 1
        self.log.append(
            WebhookAttempt(
                number=self.count,
                at=at,
                took_s=outcome.took_s,
                job_id=job.id,
                attempt=attempt,
                code=outcome.code,
                error=outcome.error,
                suppressed=outcome.suppressed,
                after=after,
                until=self._position(),
                reached=outcome.reached,
            )
        )
