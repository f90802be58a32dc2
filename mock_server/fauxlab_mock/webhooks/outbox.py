"""The outbox: when each job's webhook is due, what became of every attempt, and who sends it.

Times are those of the mock's clock. A delivery is due when its job ends; an attempt that fails is
repeated twice, later and later. Deliveries are taken in the order in which they are due, and made
one after the other; on the real clock, those to different hosts side by side. Nothing is locked
while one is under way, so its receiver may do anything.
"""

from __future__ import annotations

import heapq
import json
import math
import random
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

from fauxlab_contract.core.records import WebhookAttempt
from fauxlab_mock.clock.clock import THREAD_PREFIX, Clock, Events
from fauxlab_mock.engine.job import Job
from fauxlab_mock.webhooks.delivery import DeliveryOutcome
from fauxlab_mock.webhooks.host_queues import HostQueues

__all__ = ["BACKOFF_S", "EARLY_S", "Outbox"]

BACKOFF_S = (5.0, 30.0)  # after the first and the second attempt
JITTER = 0.1
LATE_S = 60.0
EARLY_S = 2.0  # real seconds that an answer waits for a webhook that is to come before it
# real seconds that an advance waits for a delivery that the worker has begun, at most
SETTLE_S = 0.5
THREAD_NAME = f"{THREAD_PREFIX}webhooks"
MAX_ATTEMPTS_KEPT = 30_000
MAX_HOSTS = 8  # that are served at the same time, on the real clock


@dataclass(frozen=True, slots=True, order=True)
class Delivery:
    """One attempt to come; ordered by when it is due, then by when it was asked for.

    With `after_end_s` it follows the end of its job by so much: that is when the time is over and
    the last fetch that the job waits for was answered, `polled_at`. Without, it has a time of its
    own.
    """

    due: float
    number: int
    job_id: int = field(compare=False)
    host: str = field(compare=False)
    attempt: int = field(compare=False, default=1)
    after_end_s: float | None = field(compare=False, default=None)
    polled_at: float = field(compare=False, default=math.inf)

    def following(self, job: Job, now: float) -> Delivery:
        """The same, due as things stand with its job."""
        if self.after_end_s is None:
            return self
        is_polled = self.polled_at < math.inf or job.polls_answered < job.plan.polls
        polled_at = self.polled_at if is_polled else now
        return replace(
            self, polled_at=polled_at, due=max(job.ends_at, polled_at) + self.after_end_s
        )


class _UnderWay(NamedTuple):
    began: float  # real time
    at: float
    by_worker: bool


class Outbox(Events):
    """Holds the deliveries to come and the log of those that were. `job_of(id)` gives a job,
    `body_of(job)` what is sent.

    `send(url, body)` does the sending. Safe to use from several threads; nothing here is called
    while the mock is locked.
    """

    def __init__(
        self,
        clock: Clock,
        job_of: Callable[[int], Job | None],
        body_of: Callable[[Job], dict[str, Any]],
        send: Callable[[str, bytes], DeliveryOutcome],
        seed: int = 0,
    ) -> None:
        self.clock = clock
        self._job_of, self._body_of, self._send = job_of, body_of, send
        self._seed = seed
        self.log: deque[WebhookAttempt] = deque(maxlen=MAX_ATTEMPTS_KEPT)
        self.count = 0
        self.position: Callable[[], int] = lambda: 0  # the number of the last exchange
        # of each job; those that nothing but an event makes due are in no heap
        self._pending: dict[int, list[Delivery]] = {}
        # what is pending no more is left in it until it comes to the top
        self._heap: list[Delivery] = []
        # by their numbers; what was forgotten meanwhile is not there
        self._under_way: dict[int, _UnderWay] = {}
        self._numbers = 0
        self._changed = threading.Condition()
        self._worker: threading.Thread | None = None
        self._lanes = HostQueues(THREAD_NAME, MAX_HOSTS)
        self._closed = False

    def add(self, job: Job) -> None:
        """Plan what the job's plan says about its webhook."""
        match job.plan.webhook:
            case "lost":
                with self._changed:
                    self._note(
                        job,
                        1,
                        self.clock.now(),
                        self.position(),
                        DeliveryOutcome(error="lost, as the scenario says", suppressed=True),
                    )
            case "early":
                self._push(job, due=job.created_at)
            case "before_success":
                self._push(job, due=job.created_at + job.plan.announced_eta_s / 2)
            case "late":
                self._push(job, after_end_s=LATE_S)
            case kind:
                for _ in range(2 if kind == "twice" else 1):
                    self._push(job, after_end_s=0.0)

    def redeliver(self, job: Job) -> None:
        """Send the webhook of a job once more, now."""
        # which attempt that is, is counted when it is made
        self._push(job, due=self.clock.now(), attempt=0)
        self.wake()

    def job_changed(self, job: Job) -> None:
        """A job was polled or moved: what waits for its end follows it; a time of its own, like
        that of a repeated attempt, stays.
        """
        now = self.clock.now()
        with self._changed:
            for delivery in [*self._pending.get(job.id, ())]:
                moved = delivery.following(job, now)
                if (moved.due, moved.polled_at) != (delivery.due, delivery.polled_at):
                    self._drop(delivery)
                    self._keep(moved)

    def settle(self) -> None:
        """Wait for deliveries that the worker has begun, so that who advances the clock finds them
        done; not for long, for it may be their receiver who advances it.
        """
        with self._changed:
            while (left_s := max(self._patience_s(), default=0.0)) > 0:
                self._changed.wait(left_s)

    def next_event(self, moment: float) -> Callable[[], object] | None:
        """Take the first delivery that is due until `moment`, and move the clock to it."""
        delivery = self._take(moment)
        return None if delivery is None else partial(self._deliver, delivery)

    def moved(self) -> None:
        """The worker may have less time to wait."""
        with self._changed:
            self._changed.notify_all()

    def busy_since(self) -> float | None:
        """When the latest delivery that is under way began; None when there is none."""
        with self._changed:
            return max((one.began for one in self._under_way.values()), default=None)

    def deliver_early(self, job_id: int) -> None:
        """Deliver the first attempt of a job now, and wait for it a little, but not for ever."""
        with self._changed:
            mine = [self._begun(delivery) for delivery in [*self._pending.get(job_id, ())]]
        for delivery in mine:
            thread = threading.Thread(
                target=self._deliver, args=(delivery,), name=THREAD_NAME, daemon=True
            )
            thread.start()
            thread.join(EARLY_S)

    def wake(self, after_s: float = 0.0) -> None:
        """Deliver what is due, or will be by time alone, in a worker thread.

        With `after_s`, begin that many real seconds later.
        """
        with self._changed:
            if after_s and self._delay_s() < math.inf:
                timer = threading.Timer(after_s, self.wake)
                timer.name = THREAD_NAME
                timer.start()
                return
            if self._worker is None and self._delay_s() < math.inf:
                self._worker = threading.Thread(target=self._work, name=THREAD_NAME, daemon=True)
                self._worker.start()
            self._changed.notify_all()

    def clear(self) -> None:
        """Forget deliveries and log; what is under way is neither logged nor repeated."""
        with self._changed:
            for store in (self._heap, self._pending, self._under_way, self.log):
                store.clear()
            self._changed.notify_all()

    def close(self) -> None:
        """Deliver nothing more."""
        with self._changed:
            self._closed = True
            self._heap.clear()
            self._pending.clear()
            self._changed.notify_all()
            worker = self._worker
        if worker is not None and worker is not threading.current_thread():
            worker.join(EARLY_S)
        self._lanes.join(EARLY_S)

    def _push(
        self,
        job: Job,
        *,
        due: float = math.inf,
        attempt: int = 1,
        after_end_s: float | None = None,
    ) -> None:
        with self._changed:
            self._numbers += 1
            delivery = Delivery(due, self._numbers, job.id, _host_of(job), attempt, after_end_s)
            self._keep(delivery.following(job, self.clock.now()))

    def _keep(self, delivery: Delivery) -> None:
        if not self._closed:
            self._pending.setdefault(delivery.job_id, []).append(delivery)
            if delivery.due < math.inf:
                heapq.heappush(self._heap, delivery)

    def _drop(self, delivery: Delivery) -> None:
        mine = self._pending[delivery.job_id]
        mine.remove(delivery)
        if not mine:
            del self._pending[delivery.job_id]

    def _first(self) -> Delivery | None:
        while self._heap and self._heap[0] not in self._pending.get(self._heap[0].job_id, ()):
            heapq.heappop(self._heap)
        return self._heap[0] if self._heap else None

    def _take(self, moment: float, *, by_worker: bool = False) -> Delivery | None:
        with self._changed:
            first = self._first()
            if first is None or first.due > moment:
                return None
            self.clock.move_to(first.due)
            return self._begun(first, by_worker=by_worker)

    def _begun(self, delivery: Delivery, *, by_worker: bool = False) -> Delivery:
        """From here on the delivery is under way; it is the caller's to make, unlocked."""
        self._drop(delivery)
        self._under_way[delivery.number] = _UnderWay(time.monotonic(), self.clock.now(), by_worker)
        return delivery

    def _patience_s(self) -> list[float]:
        return [
            one.began + SETTLE_S - time.monotonic()
            for one in self._under_way.values()
            if one.by_worker
        ]

    def _delay_s(self) -> float:
        """Real seconds until there is something to do; infinite when there is nothing that time
        alone brings.
        """
        first = self._first()
        if first is None:
            return math.inf
        wait_s = max(0.0, first.due - self.clock.now())
        if self.clock.mode == "auto":
            return 0.0
        return wait_s if self.clock.mode == "real" or wait_s == 0 else math.inf

    def _work(self) -> None:
        try:
            while (delivery := self._awaited()) is not None:
                if self.clock.mode == "real":
                    self._lanes.do(delivery.host, partial(self._deliver, delivery))
                else:
                    self._deliver(delivery)
        except BaseException:
            with self._changed:
                self._worker = None  # so that another can take over
            raise

    def _awaited(self) -> Delivery | None:
        """What the worker is to deliver next, when it is due; None when time alone brings nothing:
        then there is no worker any more.
        """
        with self._changed:
            while (delay_s := self._delay_s()) < math.inf:
                if delay_s == 0:
                    return self._take(math.inf, by_worker=True)
                self._changed.wait(min(delay_s, 60.0))
            self._worker = None
            return None

    def _deliver(self, delivery: Delivery) -> None:
        try:
            job, begun = self._job_of(delivery.job_id), self._under_way.get(delivery.number)
            if (
                job is not None
                and job.webhook is not None
                and begun is not None
                and not self._closed
            ):
                # there it may have waited for others
                at = self.clock.now() if self.clock.mode == "real" else begun.at
                after = self.position()
                self._tell(job, delivery, (at, after), self._outcome(job, job.webhook))
        finally:
            with self._changed:
                self._under_way.pop(delivery.number, None)
                self._changed.notify_all()

    def _outcome(self, job: Job, url: str) -> DeliveryOutcome:
        """What became of one POST. A bug of ours is told there, too: it must not be the end of all
        deliveries.
        """
        try:
            body = json.dumps(self._body_of(job), separators=(",", ":")).encode()
            return self._send(url, body)
        except Exception as error:
            return DeliveryOutcome(error=f"internal error {type(error).__name__}")

    def _tell(
        self, job: Job, delivery: Delivery, begun: tuple[float, int], outcome: DeliveryOutcome
    ) -> None:
        """Write down an attempt that began at a moment and after an exchange; plan the next if it
        failed.
        """
        with self._changed:
            if delivery.number not in self._under_way:
                return
            attempt = delivery.attempt or 1 + max(
                (one.attempt for one in self.log if one.job_id == job.id), default=0
            )
            self._note(job, attempt, *begun, outcome)
            if (
                not outcome.delivered
                and not outcome.suppressed
                and 0 < delivery.attempt <= len(BACKOFF_S)
            ):
                chance = random.Random(f"{self._seed}:{job.id}:{attempt}").uniform(-1, 1)
                pause_s = BACKOFF_S[attempt - 1] * (1 + JITTER * chance)
                self._push(job, due=self.clock.now() + pause_s, attempt=attempt + 1)

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
                until=self.position(),
            )
        )


def _host_of(job: Job) -> str:
    """Host and port of its webhook, as they stand there."""
    return (job.webhook or "").partition("//")[2].partition("/")[0].lower()
