"""One running mock: engine, store, clock, journal and webhooks behind one lock.

Every adapter answers a call in the same way: `with mock.respond(call) as answer: send(answer)`.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Never

from fauxlab_contract.core.records import Exchange, WebhookAttempt
from fauxlab_contract.core.text import counted, must_be
from fauxlab_contract.openapi.document import Document, load_document
from fauxlab_mock.behaviour.faults import effect_of
from fauxlab_mock.behaviour.refusals import OWN
from fauxlab_mock.clock.clock import Clock, ClockMode
from fauxlab_mock.engine.engine import Engine
from fauxlab_mock.engine.job import Job, moved_up
from fauxlab_mock.engine.messages import Call, Decision, TransformReply
from fauxlab_mock.engine.request import RequestFacts
from fauxlab_mock.engine.store import MemoryStore, Store
from fauxlab_mock.engine.trial import unmakeable
from fauxlab_mock.runtime.answer import Answer, answer_of
from fauxlab_mock.runtime.journal import Journal
from fauxlab_mock.runtime.mock_rules import MockRules
from fauxlab_mock.runtime.own_reply import checked
from fauxlab_mock.runtime.responding import Responding
from fauxlab_mock.runtime.traffic import Traffic
from fauxlab_mock.settings import Settings, check_names
from fauxlab_mock.webhooks.delivery import WebhookDestinations, post
from fauxlab_mock.webhooks.outbox import Outbox, Send

if TYPE_CHECKING:
    from fauxlab_contract.verdict.rules import Need
    from fauxlab_contract.verdict.verdict import Verdict

__all__ = ["Mock"]


class Mock(MockRules):
    """Answers calls, one at a time, and remembers them. Safe to call from several threads.

    | to look at | |
    |---|---|
    | `url` | what a client is configured with: origin and base path, of a server if there is one |
    | `public_url` | the origin that links begin with |
    | `document`, `settings`, `clock`, `store` | what the mock was made with |
    | `requests` | the journal's exchanges |
    | `jobs`, `job(id)` | the jobs that were accepted |
    | `webhooks` | every attempt to deliver a webhook |
    | `rules`, `unused_rules` | what is to happen to which calls; what has not happened to any |
    | `blocked` | connections to elsewhere that were refused |
    | `own_replies` | the last exchanges answered in the mock's own name: misuse, or its own fault |
    | `generations` | what all this would have cost |
    | `unmakeable()` | the replies that the document does not let it make |
    | `counts()` | how many of these there are |
    | `verdict()`, `last_verdict` | what is wrong with the client; what was last said of it |

    | to do | |
    |---|---|
    | `scenario`, `fault`, `add_rule`, `forget_rules` | choose what happens to calls |
    | `assert_all_used` | raise AssertionError for rules that have not acted |
    | `set_clock`, `clock.advance` | let time go by |
    | `change_job`, `redeliver` | interfere with a job |
    | `reset`, `close` | begin anew, end |
    | `handle` | answer a call |

    | for adapters | |
    |---|---|
    | `respond`, `reject` | answer a call, send its answer, do what follows |
    | `traffic` | says which calls are under way |
    """

    def __init__(  # noqa: PLR0913 # all but the first by name
        self,
        settings: Settings = Settings(),  # noqa: B008 # frozen
        *,
        document: Document | None = None,
        public_url: str | None = None,
        clock: Clock | None = None,
        store: Store | None = None,
        on_exchange: Callable[[Exchange], None] | None = None,
        raise_on_invalid_reply: bool = False,
        send: Send | None = None,
        transform_reply: TransformReply | None = None,
        **misplaced: Never,
    ) -> None:
        """Make a mock; nothing is listened to and nothing is sent before it is used.

        `public_url` is the document's server by default. `on_exchange` is called after each call.
        With `raise_on_invalid_reply` a bug of the mock raises `InvalidReplyError`, otherwise it is
        answered as an error. `send(url, body)` takes the place of the POST of webhooks.
        `transform_reply(call, decision)` returns the decision that is sent and journaled instead,
        for a mock that misbehaves on purpose. TypeError for settings in the place of arguments.
        """
        _check_arguments(settings, document, misplaced)
        if not isinstance(clock, Clock | None):
            raise TypeError(must_be("clock", "a Clock, such as Clock('manual')", clock))
        if public_url is not None:
            Settings(public_url=public_url)  # ValueError for what is no URL
        self._lock = threading.RLock()
        self.settings = settings if clock is None else replace(settings, clock=clock.mode)
        self.document = load_document(settings.document) if document is None else document
        self.public_url = public_url or settings.public_url or self.document.origin
        self.url = self.public_url + self.document.base_path
        self.blocked: deque[str] = deque(maxlen=100)
        self.last_verdict: Verdict | None = None
        self.own_replies: deque[Exchange] = deque(maxlen=100)
        self.clock = clock or Clock(settings.clock)
        self.started_at = self.clock.now()
        self.traffic = Traffic()
        self.store = MemoryStore(settings.limits) if store is None else store
        if settings.rules is not None:
            self._begin_with(self._rules_of_file())
        self._engine = Engine(
            self.document, self.settings, self.public_url, self.started_at, self._is_auto
        )
        self._journal = Journal(settings.limits, self.document.conventions.fields.key)
        targets = WebhookDestinations.named(settings.webhooks, lambda: self.traffic.ports)
        self._outbox = Outbox(
            self.clock,
            job_of=self.job,
            body_of=self._engine.replies.webhook,
            send=send or partial(post, targets=targets, within_s=settings.limits.webhook_s),
            on_telling=self._on_telling,
            position=lambda: self._journal.count,
            seed=settings.seed,
        )
        traffic = self.traffic
        self.clock.attach(self._outbox, is_held=traffic.is_busy)
        self._transform_reply = transform_reply or (lambda _, decision: decision)
        self._on_exchange = on_exchange or (lambda _: None)
        self._raises = raise_on_invalid_reply

    def __repr__(self) -> str:
        counts = self.counts()
        requests, jobs = counted(counts["requests"], "requests"), counted(counts["jobs"], "jobs")
        return f"<Mock {self.url}: {requests}, {jobs}, clock {self.clock.mode}>"

    @property
    def requests(self) -> tuple[Exchange, ...]:
        """The journal's exchanges, oldest first."""
        with self._lock:
            return tuple(self._journal)

    @property
    def jobs(self) -> Iterable[Job]:
        """The jobs that are kept, oldest first."""
        with self._lock:
            return tuple(self.store.jobs())

    @property
    def webhooks(self) -> tuple[WebhookAttempt, ...]:
        """Every attempt to deliver a webhook, oldest first, and every one that was suppressed."""
        return tuple(self._outbox.log)

    @property
    def generations(self) -> int:
        """How many generations this would have cost: accepted submits, less those paid back."""
        with self._lock:
            return self.store.total_spent()

    def counts(self) -> dict[str, int]:
        """Return how many there are: `{"requests": 3, "jobs": 1, "webhooks": 1}`.

        Requests and attempts of webhooks that are kept no more are counted, too.
        """
        with self._lock:
            jobs = sum(1 for _ in self.store.jobs())
            counts = {"requests": self._journal.count, "jobs": jobs}
        return counts | {"webhooks": self._outbox.count}

    def job(self, number: int) -> Job | None:
        """Return the job with this id, if there is one."""
        with self._lock:
            return self.store.job(number)

    def verdict(self, waive: Mapping[str, str] | None = None) -> Verdict:
        """Judge the client over all that the journal holds.

        `waive` maps ids of rules to the reasons for not minding them.
        """
        __tracebackhide__ = True
        from fauxlab_contract.verdict.verdict import judge

        with self._lock:
            now, exchanges = self.clock.now(), tuple(self._journal)
            self.last_verdict = judge(
                exchanges,
                [job.facts(now) for job in self.store.jobs()],
                self.webhooks,
                self.document.conventions,
                now=now,
                declared={
                    operation.name: operation.request
                    for operation in self.document.operations
                    if operation.request is not None
                },
                base_path=self.document.base_path,
                missing=self._unknown(exchanges[:1], now),
                waive=waive or {},
            )
            return self.last_verdict

    def _unknown(self, first: Sequence[Exchange], now: float) -> list[Need]:
        """Return what rules need to know and this mock cannot tell.

        A clock that nobody moves says nothing about pauses.
        """
        has_stood = any(now <= exchange.at for exchange in first)
        is_unmoved = self.clock.mode == "manual" and not self.clock.is_slept_on and has_stood
        unknown: list[Need] = []
        if self.clock.mode == "auto" or is_unmoved:
            unknown.append("pauses")
        if self.settings.validation == "off":
            unknown.append("checked requests")
        return unknown

    def set_clock(self, mode: ClockMode) -> None:
        """Let the clock go on in another mode from now; no call finds it halfway."""
        __tracebackhide__ = True
        with self._lock:
            self.clock.set_mode(mode)
        self._outbox.wake()

    def change_job(self, number: int, change: Callable[[Job, float], Job]) -> Job | None:
        """Replace a job by what `change(job, now)` makes of it; None for an unknown id.

        Its webhook follows, and the jobs that are queued behind it move up.
        """
        with self._lock:
            job, now = self.store.job(number), self.clock.now()
            if job is None:
                return None
            changed = change(job, now)
            self.store.put(changed, now)
            changed = self._pay_back(changed, now)
            queued = self.store.unfinished(job.owner, now)
            for moved in (changed, *moved_up(queued, now)):
                self.store.put(moved, now)
                self._outbox.job_changed(moved)
        self._outbox.wake()
        return changed

    def redeliver(self, job: Job) -> None:
        """Send the webhook of a job once more, now."""
        self._outbox.redeliver(job)

    def reset(self, *, journal_only: bool = False) -> None:
        """Forget the journal and, unless `journal_only`, jobs, rules, webhooks and costs.

        Ids and time go on, in the mode of the beginning; rules of a file are read anew. ValueError,
        and nothing is forgotten, when they cannot be read.
        """
        rules = () if journal_only else self._rules_of_file()
        with self._lock:
            self._journal.clear()
            self.blocked.clear()
            self.own_replies.clear()
            if not journal_only:
                self._outbox.clear()
                self.store.clear()
                self._begin_with(rules)
                self.clock.set_mode(self.settings.clock)

    def close(self) -> None:
        """Send nothing more. A mock that is closed still answers."""
        self._outbox.close()

    def unmakeable(self) -> list[str]:
        """Return a sentence for each operation to which no reply that fits can be made."""
        return [*unmakeable(self._engine.replies)]

    def handle(self, call: Call) -> Answer:
        """Answer one call without any adapter."""
        with self.respond(call) as answer:
            return answer

    def respond(self, call: Call, *, webhooks_after_s: float = 0.0) -> Responding:
        """Decide, store and journal one call, and return what sends its answer.

        `with mock.respond(call) as answer:`, or `async with` in an event loop, does what has to
        happen before the answer leaves and what is to follow it. An adapter that takes the answer
        out of the block needs some `webhooks_after_s` real seconds to do so.
        """
        answer, early = self._decide(call)
        return Responding(answer, early, self._outbox, webhooks_after_s)

    def reject(self, case: str, method: str, path: str) -> Answer:
        """Refuse what never became a call (broken framing, too large a body), and journal that."""
        decision = Decision(self._engine.refuse(case, method, path), RequestFacts(refusal=case))
        answer = answer_of(decision)
        with self._lock:
            call, now, real_s = Call(method, path), self.clock.now(), self.clock.uncounted_s()
            exchange = self._journal.record(
                call, decision, answer, at=now, real_s=real_s, took_s=0.0
            )
        self._tell(exchange)
        return answer

    def _tell(self, exchange: Exchange) -> None:
        if exchange.refusal in OWN:
            self.own_replies.append(exchange)
        self._on_exchange(exchange)

    def _decide(self, call: Call) -> tuple[Answer, int | None]:
        """Decide, store and journal one call.

        Return the answer and, if its webhook has to be delivered before, the id of the new job.
        """
        limits = self.settings.limits
        if len(call.body) > limits.body_bytes:
            return self.reject("body_too_large", call.method, call.path), None
        if call.head_bytes > limits.header_bytes:
            return self.reject("headers_too_large", call.method, call.path), None
        began = time.perf_counter()
        with self._lock:
            now, real_s = self.clock.now(), self.clock.uncounted_s()
            decision = self._engine.decide(call, self.store, now)
            decision = checked(decision, raises=self._raises)
            decision = self._transform_reply(call, decision)
            number = self._journal.count + 1
            effect = effect_of(decision.fault, decision.delay, self.settings.seed, number)
            answer = answer_of(decision, effect)
            self._put(decision, now)
            early = self._plan_webhooks(decision.changes)
            if decision.advance_to is not None:
                self.clock.move_to(decision.advance_to)
            took_s = time.perf_counter() - began
            exchange = self._journal.record(
                call, decision, answer, at=now, real_s=real_s, took_s=took_s
            )
        self._tell(exchange)
        return answer, early

    def _is_auto(self) -> bool:
        return self.clock.mode == "auto"

    def _put(self, decision: Decision, now: float) -> None:
        """Store what a decision changes."""
        for job in decision.changes:
            self.store.put(job, now)
        if decision.rules is not None:
            self.store.set_rules(decision.rules)
        if decision.spends is not None:
            self.store.spend(*decision.spends)

    def _plan_webhooks(self, jobs: Iterable[Job]) -> int | None:
        """Tell the outbox of new and changed jobs.

        Return the id of a job whose webhook has to be delivered before the answer leaves.
        """
        early = None
        for job in jobs:
            if job.webhook is None:
                continue
            if job.fetches or job.reads:
                self._outbox.job_changed(job)
                continue
            self._outbox.add(job)
            if job.plan.webhook == "early":
                early = job.id
        return early

    def _on_telling(self, job: Job) -> None:
        """Pay a job back whose webhook tells now that it failed."""
        with self._lock:
            kept = self.store.job(job.id)
            if kept is not None:
                self._pay_back(kept, self.clock.now())

    def _pay_back(self, job: Job, now: float) -> Job:
        """Pay a job back if its failure is told now and was not told before; return the job."""
        if not self._engine.owes(job, now):
            return job
        job = replace(job, is_refunded=True)
        self.store.spend(job.owner, -1)
        self.store.put(job, now)
        return job


def _check_arguments(settings: object, document: object, misplaced: Iterable[str]) -> None:
    """Raise TypeError for what belongs into `Settings`."""
    for name in misplaced:
        check_names((name,))
        raise TypeError(f"{name} is a setting: make the mock by Mock(Settings({name}=…))")
    if not isinstance(settings, Settings):
        raise TypeError(
            f"settings must be Settings, such as Settings(eta=2), not {str(settings)[:80]!a}"
        )
    if not (document is None or isinstance(document, Document)):
        raise TypeError(
            "document must be what load_document returns; a file is named by"
            f" Mock(Settings(document=…)), not by {str(document)[:80]!a}"
        )
