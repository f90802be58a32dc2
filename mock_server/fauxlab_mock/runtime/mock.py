"""One running mock: engine, store, clock, journal and webhooks behind one lock.

Every adapter answers a call in the same way: `with mock.respond(call) as answer: send(answer)`.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Unpack

from fauxlab_contract.core.records import Exchange, WebhookAttempt
from fauxlab_contract.core.secrets import (
    kept_reply,
    names_a_key,
    redact,
    safe_path,
    scrub,
    secret_in,
)
from fauxlab_contract.core.violation import Violation, summary
from fauxlab_contract.openapi.document import Document, load_document
from fauxlab_mock.behaviour.faults import FaultEffect, effect_of
from fauxlab_mock.behaviour.rules import Rule, RuleGates
from fauxlab_mock.clock.clock import Clock, ClockMode
from fauxlab_mock.engine.engine import LINK_PATH, Call, Decision, Engine, Reply
from fauxlab_mock.engine.job import Job, moved_up, owner_of
from fauxlab_mock.engine.request import RequestFacts
from fauxlab_mock.engine.store import MemoryStore, Store
from fauxlab_mock.runtime.answer import Answer, answer_of
from fauxlab_mock.runtime.journal import Journal
from fauxlab_mock.settings import Settings, load_rules
from fauxlab_mock.webhooks.delivery import WebhookDestinations, post
from fauxlab_mock.webhooks.outbox import Outbox

if TYPE_CHECKING:
    from fauxlab_contract.verdict.rules import Need
    from fauxlab_contract.verdict.verdict import Verdict

__all__ = ["InvalidReplyError", "Mock"]

ANSWER_ARRIVES_S = 0.005
SERVED_SETTLE_S = 0.02


class InvalidReplyError(AssertionError):
    """A reply of the mock broke the contract: a bug of fauxlab, not of the client."""

    __module__ = "fauxlab_mock.runtime"  # tracebacks name the room


class Mock:
    """Answers calls, one at a time, and remembers them. Safe to call from several threads.

    `public_url` is the origin that links point at (default: the document's server). `on_exchange`
    is called after each call; with `raise_on_invalid_reply` a bug of the mock raises
    `InvalidReplyError`, otherwise it is answered as an error. `url` is what a client is configured
    with: origin and base path, those of its loopback server while it has one. `blocked` lists the
    connections to elsewhere that were refused while the mock answered in process, oldest first.
    """

    def __init__(  # all but the first by name
        self,
        settings: Settings = Settings(),  # noqa: B008 # frozen
        *,
        document: Document | None = None,
        public_url: str | None = None,
        clock: Clock | None = None,
        store: Store | None = None,
        on_exchange: Callable[[Exchange], None] | None = None,
        raise_on_invalid_reply: bool = False,
    ) -> None:
        settings = settings if clock is None else replace(settings, clock=clock.mode)
        self.settings = settings
        self.document = load_document(settings.document) if document is None else document
        self.public_url = public_url or settings.public_url or self.document.origin
        self.url = self.public_url + self.document.base_path
        self.blocked: deque[str] = deque(maxlen=100)
        self.clock = clock or Clock(settings.clock)
        self.started_at = self.clock.now()
        self.engine = Engine(
            self.document, settings, self.public_url, self.started_at, self._is_auto
        )
        self.store = MemoryStore(settings.limits) if store is None else store
        if settings.rules is not None:
            self.store.set_rules(load_rules(settings.rules))
        self.journal = Journal(settings.limits.journal_entries)
        self.own_ports: set[int] = set()
        targets = WebhookDestinations.named(settings.webhooks, lambda: self.own_ports)
        self.outbox = Outbox(
            self.clock,
            self.job,
            self._webhook_body,
            lambda url, body: post(url, body, targets, settings.limits.webhook_s),
            settings.seed,
        )
        self.outbox.position = lambda: self.journal.count
        # calls that a server of this mock is answering, and when it last did (real time)
        self._in_flight, self._last_call = 0, 0.0
        self.clock.events = self.outbox
        self.clock.is_held = self._is_answering
        self._raises, self._on_exchange = raise_on_invalid_reply, on_exchange
        self._key_field = self.document.conventions.fields.key
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        return (
            f"<Mock {self.url}: {self.journal.count} requests, {len(tuple(self.jobs))} jobs, clock"
            f" {self.clock.mode}>"
        )

    @property
    def webhooks(self) -> tuple[WebhookAttempt, ...]:
        """Every attempt to deliver a webhook, oldest first, and every one that was suppressed."""
        return tuple(self.outbox.log)

    @property
    def generations(self) -> int:
        """How many generations all this would have cost: accepted submits, less those that were
        paid back.
        """
        with self._lock:
            return self.store.total_spent()

    @property
    def jobs(self) -> Iterable[Job]:
        with self._lock:
            return tuple(self.store.jobs())

    @property
    def requests(self) -> tuple[Exchange, ...]:
        """The journal's exchanges, oldest first."""
        with self._lock:
            return tuple(self.journal)

    def verdict(self, waive: Mapping[str, str] | None = None) -> Verdict:
        """Judge the client over all that the journal holds; `waive` maps ids of rules to the
        reasons for not minding them.
        """
        from fauxlab_contract.verdict.verdict import judge

        with self._lock:
            now, exchanges = self.clock.now(), tuple(self.journal)
            return judge(
                exchanges,
                [job.facts(now) for job in self.store.jobs()],
                self.webhooks,
                self.document.conventions,
                now=now,
                missing=self._not_seen(exchanges[:1], now),
                waive=waive or {},
            )

    def _not_seen(self, first: Sequence[Exchange], now: float) -> list[Need]:
        """What the rules need and this mock cannot tell: a clock that nobody moves says nothing
        about pauses.
        """
        stands = (
            self.clock.mode == "manual"
            and not self.clock.is_slept_on
            and any(now <= one.at for one in first)
        )
        unpaced: list[Need] = ["pauses"] if self.clock.mode == "auto" or stands else []
        return [*unpaced, "checked requests"] if self.settings.validation == "off" else unpaced

    def scenario(self, name: str, *, times: int | None = None, **gates: Unpack[RuleGates]) -> None:
        """From now on, calls that choose no scenario themselves get this one; with `times`, only so
        many.

        Asked for more than once, the first is used up before the next begins; one without an end
        takes the place of another. `gates` are further fields of `Rule`. ValueError for an unknown
        name.
        """
        rule = Rule(scenario=name, times=times, **gates)
        with self._lock:
            left = [old for old in self.store.rules() if not (rule.is_plain and old.is_plain)]
            self.store.set_rules((*left, rule))

    def fault(self, name: str, *, times: int | None = None, **gates: Unpack[RuleGates]) -> None:
        """The same for a fault on the wire."""
        self.add_rule(Rule(fault=name, times=times, **gates))

    def add_rule(self, rule: Rule) -> None:
        """Put a rule behind those that are there."""
        with self._lock:
            self.store.set_rules((*self.store.rules(), rule))

    def forget_rules(self) -> None:
        """From now on only the calls themselves and the settings choose."""
        with self._lock:
            self.store.set_rules(())

    def set_clock(self, mode: ClockMode) -> None:
        """Let the clock go on in another mode from now; no call finds it halfway."""
        with self._lock:
            self.clock.set_mode(mode)
        self.outbox.wake()

    def handle(self, call: Call) -> Answer:
        """Answer one call without any adapter."""
        with self.respond(call) as answer:
            return answer

    @contextlib.contextmanager
    def respond(self, call: Call, *, webhooks_after_s: float = 0.0) -> Iterator[Answer]:
        """Answer one call: decide, store, journal, yield the answer, send what is to follow it.

        A webhook that has to be there before the answer is delivered first, which may take two
        seconds. Other webhooks are due when the block is left, however it is left, or
        `webhooks_after_s` real seconds later, for an adapter that takes the answer out of it.
        """
        answer, early = self._decide(call)
        try:
            yield self._ready(answer, early)
        finally:
            self.outbox.wake(webhooks_after_s)

    @contextlib.asynccontextmanager
    async def respond_async(self, call: Call) -> AsyncIterator[Answer]:
        """Do the same in an event loop, which goes on meanwhile."""
        answer, early = self._decide(call)
        try:
            if early is None and answer.picture is None:
                yield answer
            else:
                yield await asyncio.to_thread(self._ready, answer, early)
        finally:
            self.outbox.wake()

    def _decide(self, call: Call) -> tuple[Answer, int | None]:
        """Decide, store and journal one call.

        Return the answer and, if its webhook has to be delivered before, the id of the new job.
        """
        limits = self.settings.limits
        if len(call.body) > limits.body_bytes:
            return self.reject("body_too_large", call.method, call.path), None
        if _head_bytes(call) > limits.header_bytes:
            return self.reject("headers_too_large", call.method, call.path), None
        started = time.perf_counter()
        with self._lock:
            now = self.clock.now()
            decision = self._valid(self.engine.decide(call, self.store, now))
            answer = answer_of(decision, self._effect(decision))
            for job in decision.changes:
                self.store.put(job, now)
            if decision.rules is not None:
                self.store.set_rules(decision.rules)
            if decision.spends is not None:
                self.store.spend(*decision.spends)
            early = self._plan_webhooks(decision.changes)
            if decision.advance_to is not None:
                self.clock.move_to(decision.advance_to)
            exchange = self._record(call, decision, answer, now, time.perf_counter() - started)
        if self._on_exchange:
            self._on_exchange(exchange)
        return answer, early

    def _effect(self, decision: Decision) -> FaultEffect:
        number = self.journal.count + 1
        return effect_of(decision.fault, decision.delay, self.settings.seed, number)

    def _ready(self, answer: Answer, early: int | None) -> Answer:
        """Do what has to be done before an answer leaves; takes its time."""
        if early is not None:
            self.outbox.deliver_early(early)
        return answer.drawn()

    def _is_auto(self) -> bool:
        return self.clock.mode == "auto"

    def _plan_webhooks(self, jobs: Iterable[Job]) -> int | None:
        """Tell the outbox of new and changed jobs.

        Return the id of a job whose webhook has to be delivered before the answer leaves.
        """
        early = None
        for job in jobs:
            if job.webhook is None:
                continue
            if job.fetches or job.reads:
                self.outbox.job_changed(job)
                continue
            self.outbox.add(job)
            if job.plan.webhook == "early":
                early = job.id
        return early

    def job(self, number: int) -> Job | None:
        """The job with this id, if there is one."""
        with self._lock:
            return self.store.job(number)

    def _paid_back(self, job: Job, now: float) -> Job:
        """The job, paid back if its failure is told now and was not before."""
        if not self.engine.owes(job, now):
            return job
        self.store.spend(job.owner, -1)
        return replace(job, is_refunded=True)

    def _webhook_body(self, job: Job) -> dict[str, Any]:
        with self._lock:
            now = self.clock.now()
            if (kept := self.store.job(job.id)) is not None:
                self.store.put(self._paid_back(kept, now), now)
        return self.engine.replies.webhook(job)

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """While a server of this mock receives and answers a call, virtual time stands still, and a
        little longer.
        """
        self._in_flight += 1
        try:
            yield
        finally:
            self._in_flight -= 1
            self._last_call = time.monotonic()

    def _is_answering(self) -> bool:
        return self._in_flight > 0 or time.monotonic() < self._last_call + ANSWER_ARRIVES_S

    def serves_at(self, port: int) -> None:
        """A server of this mock listens there: no webhook is ever sent to it, and virtual time
        waits for calls on their way.
        """
        self.own_ports.add(port)
        self.clock.settle_s = SERVED_SETTLE_S

    def change_job(self, number: int, change: Callable[[Job, float], Job]) -> Job | None:
        """Replace a job by what `change(job, now)` makes of it; None for an unknown id.

        Its webhook follows, and the jobs that are queued behind it move up.
        """
        with self._lock:
            job, now = self.store.job(number), self.clock.now()
            if job is None:
                return None
            changed = self._paid_back(change(job, now), now)
            self.store.put(changed, now)
            for one in (changed, *moved_up(self.store.unfinished(job.owner, now), now)):
                self.store.put(one, now)
                self.outbox.job_changed(one)
        self.outbox.wake()
        return changed

    def reset(self, *, journal_only: bool = False) -> None:
        """Forget what was journaled; unless `journal_only`, jobs, rules, webhooks and costs as
        well.

        Ids go on; rules of a file are read anew. ValueError, and nothing is forgotten, when they
        cannot be.
        """
        rules = (
            () if journal_only or self.settings.rules is None else load_rules(self.settings.rules)
        )
        with self._lock:
            self.journal.clear()
            self.blocked.clear()
            if not journal_only:
                self.outbox.clear()
                self.store.clear()
                self.store.set_rules(rules)

    def close(self) -> None:
        """Send nothing more. A mock that is closed still answers."""
        self.outbox.close()

    def reject(self, case: str, method: str, path: str) -> Answer:
        """Refuse what never became a call (broken framing, too large a body), and remember that."""
        decision = Decision(self.engine.refuse(case), RequestFacts())
        answer = answer_of(decision)
        with self._lock:
            exchange = self._record(Call(method, path), decision, answer, self.clock.now(), 0.0)
        if self._on_exchange:
            self._on_exchange(exchange)
        return answer

    def _valid(self, decision: Decision) -> Decision:
        if not decision.invalid:
            return decision
        if self._raises:
            raise InvalidReplyError(_bug(decision.invalid))
        reply = Reply(decision.reply.code, self.engine.replies.error(None, _bug(decision.invalid)))
        return replace(decision, reply=reply, changes=(), advance_to=None, rules=None, spends=None)

    def _record(
        self, call: Call, decision: Decision, answer: Answer, now: float, took_s: float
    ) -> Exchange:
        ask, limit = decision.ask, self.settings.limits.journal_entry_bytes
        secret = secret_in(ask.key)
        known = ask.job_id is not None or (
            ask.operation is not None and "{" not in ask.operation.path
        )
        exchange = Exchange(
            number=self.journal.count + 1,
            at=now,
            took_s=took_s,
            method=call.method[:20],
            path=scrub(safe_path(call.path, known=known), secret),
            operation=ask.operation.name if ask.operation else None,
            request=(
                None
                if ask.sent is None
                else redact(ask.sent, call.body, self._key_field, secret, limit)
            ),
            request_bytes=len(call.body),
            code=answer.code,
            reply=kept_reply(decision.reply.body, answer.content, secret, limit),
            job_id=ask.job_id,
            scenario=ask.scenario,
            fault=answer.effect.fault,
            violations=ask.violations,
            kind=ask.operation.kind if ask.operation else None,
            owner=None if ask.key is None else owner_of(ask.key),
            refusal=ask.refusal,
            key_in_url=names_a_key(call.query)
            or bool(secret and (secret in call.query or secret in call.path)),
            is_link=call.path.startswith(LINK_PATH + "/"),
            delay_s=answer.effect.delay_s,
            real_s=time.perf_counter() - took_s,
        )
        self.journal.add(exchange)
        return exchange


def _head_bytes(call: Call) -> int:
    """Return the size of a request's target and headers, without what separates them."""
    headers = sum(len(name) + len(value) for name, value in call.headers.items())
    return len(call.path) + len(call.query) + headers


def _bug(violations: tuple[Violation, ...]) -> str:
    return (
        f"fauxlab made a reply that breaks the contract; please report this. {summary(violations)}"
    )
