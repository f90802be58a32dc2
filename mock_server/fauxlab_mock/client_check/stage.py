"""Where a client under test performs: a served mock, a clock with an end, and two other hosts."""

from __future__ import annotations

import contextlib
import gc
import json
import math
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from unittest.mock import patch

from fauxlab_contract.core.records import Exchange
from fauxlab_contract.openapi.document import Document
from fauxlab_mock.behaviour.quirks import ELSEWHERE
from fauxlab_mock.client_check.demands.changes import (
    ChangeReply,
    ReplyOnItsWay,
    of_another_job,
)
from fauxlab_mock.client_check.late_answers import LateAnswers
from fauxlab_mock.client_check.other_host import OtherHost
from fauxlab_mock.client_check.running.bounded_clock import BoundedClock, OutOfBoundsError
from fauxlab_mock.client_check.running.children import forks_refused
from fauxlab_mock.client_check.running.worker import Worker
from fauxlab_mock.clock.reads import virtual_reads
from fauxlab_mock.clock.virtual import virtual_time
from fauxlab_mock.engine.ids import JobIds
from fauxlab_mock.engine.job import Job, owner_of
from fauxlab_mock.engine.messages import Call, Decision, Reply
from fauxlab_mock.inprocess.no_network import only_loopback
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.server.serving import run_server
from fauxlab_mock.server.uvicorn_server import bind
from fauxlab_mock.settings import Settings
from fauxlab_mock.webhooks.delivery import DeliveryOutcome, WebhookDestinations, post

__all__ = [
    "KEY",
    "Scene",
    "Stage",
    "TrialLimits",
    "close_leftovers",
    "staged",
]


KEY = "check-client-key-5d1c0a77"  # begins the keys of all trials


@dataclass(slots=True)
class TrialLimits:
    """The bounds of one call of a client: requests, seconds of virtual time, and real seconds."""

    calls: int = 1_000
    virtual_s: float = 3_600.0
    real_s: float = 20.0


@dataclass(slots=True)
class Scene:
    """One trial: the `change` that is made to each reply, and the calls that came, oldest first.

    `arrivals` has an entry for each exchange of the journal: None for one that came after the end
    of its call, in this trial or an earlier one. Those of this trial are counted in `late`.
    `counts` says how many calls of each kind were answered. With `foreign_webhook`, the first
    webhook is of another job. `ended_at` is when the call did, if its client was closed after it;
    `forks_at` is the line at which it was ended because it forked; `is_key_echoed` says whether a
    change has put the key into a reply.
    """

    change: ChangeReply | None = None
    ended_at: float | None = None
    arrivals: list[Call | None] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    foreign_webhook: bool = False
    has_ended: bool = False
    was_cut: bool = False
    forks_at: str = ""
    is_key_echoed: bool = False
    late: int = 0

    @property
    def calls(self) -> list[Call]:
        return [call for call in self.arrivals if call is not None]

    def exchanges(self, journal: Sequence[Exchange]) -> list[Exchange]:
        """Return those exchanges that are the trial's."""
        pairs = zip(self.arrivals, journal, strict=False)
        return [exchange for call, exchange in pairs if call is not None]


class _Script:
    """The mock's `transform_reply`: changes replies, and loses those after the end of a call.

    Addresses elsewhere, which the replies of some scenarios name, become those of `elsewhere`.
    """

    def __init__(
        self, document: Document, clock: BoundedClock, most_calls: int, elsewhere: str
    ) -> None:
        self.scene = Scene()
        self.past: dict[str, Scene] = {}  # by the owner of the jobs
        self.broken: Exception | None = None
        self._conventions, self._clock = document.conventions, clock
        self._ids = JobIds(document)
        self._most_calls, self._elsewhere = most_calls, elsewhere

    def __call__(self, call: Call, decision: Decision) -> Decision:
        scene = self.past.get(decision.facts.owner or "", self.scene)
        if scene.has_ended:
            scene.late += 1
            self.scene.arrivals.append(None)
            return replace(decision, fault="EMPTY_RESPONSE") if scene.was_cut else decision
        if len(scene.arrivals) >= self._most_calls:
            self._clock.end_call()
        scene.arrivals.append(None if self._clock.is_over else call)
        if self._clock.is_over:
            decision = replace(decision, fault="EMPTY_RESPONSE")
        return replace(decision, reply=self._changed(decision))

    def _answered(self, decision: Decision) -> Reply:
        """Return the reply after the trial's change."""
        facts, counts = decision.facts, self.scene.counts
        if self.scene.change is None or facts.operation is None:
            return decision.reply
        kind = facts.operation.kind
        counts[kind] += 1
        refusal = facts.refusal or ""
        key = facts.key or ""
        reply = self.scene.change(
            ReplyOnItsWay(decision.reply, self._conventions, kind, counts[kind], refusal, key)
        )
        if key and key in str(reply.body):
            self.scene.is_key_echoed = True
        return reply

    def delivered(self, body: bytes, jobs: Sequence[Job]) -> bytes:
        """Return the body of a webhook as it is sent: the first may be of another job.

        What goes wrong here is kept in `broken`: whoever delivers takes it for a failed delivery.
        """
        scene = self.scene
        scene.counts["webhook"] += 1
        if not scene.foreign_webhook or scene.counts["webhook"] > 1:
            return body
        try:
            members = json.loads(body)
            word = members.get(self._conventions.fields.status)
            number = self._ids.of_another_job(jobs[-1], word)
            return json.dumps(of_another_job(members, self._conventions, number)).encode()
        except Exception as error:
            self.broken = error
            raise

    def refuse_fork(self, place: str) -> None:
        """End the call in the process where it forked, and in the other one."""
        self.scene.forks_at = self.scene.forks_at or place
        self._clock.end_call()
        raise OutOfBoundsError("what this call of the client does in another process is not seen")

    def _changed(self, decision: Decision) -> Reply:
        reply = self._answered(decision)
        if "location" in reply.headers:
            location = reply.headers["location"].replace(ELSEWHERE, self._elsewhere)
            reply = replace(reply, headers={**reply.headers, "location": location})
        if not isinstance(reply.body, dict):
            return reply
        body = {name: self._moved(value) for name, value in reply.body.items()}
        return replace(reply, body=body)

    def _moved(self, value: Any) -> Any:
        """Return a value with the addresses elsewhere that it holds made those of a real host."""
        if isinstance(value, list):
            return [self._moved(each) for each in value]
        return value.replace(ELSEWHERE, self._elsewhere) if isinstance(value, str) else value


@dataclass(slots=True)
class Stage:
    """All that is around a client under test; `connections()` counts those open at the mock."""

    mock: Mock
    script: _Script
    clock: BoundedClock
    limits: TrialLimits
    elsewhere: OtherHost
    untrusted: OtherHost
    late: LateAnswers
    connections: Callable[[], int]
    worker: Worker = field(default_factory=Worker)
    key: str = KEY
    _keys: int = 0

    @property
    def scene(self) -> Scene:
        return self.script.scene

    def has_webhooks_to_come(self) -> bool:
        delivered = {attempt.job_id for attempt in self.mock.webhooks}
        return any(
            job.webhook and job.ends_at < math.inf and job.id not in delivered
            for job in self.jobs()
        )

    def is_quiet(self) -> bool:
        """True while no call is on its way or just answered."""
        return not self.mock.traffic.is_busy()

    def is_caller_seen(self) -> bool:
        """True when nothing but virtual time can end a wait of the call that is under way.

        Or what this thread does: it is asked by one that reads for the call.
        """
        caller = self.worker.thread or threading.main_thread()
        is_waiting = caller in self.clock.endless_waits() or self.worker.is_awaiting()
        return is_waiting or caller is threading.current_thread()

    def leave_behind(self, thread: threading.Thread) -> None:
        """Give up a thread that does not end; what it asks of us raises, and others take over."""
        self.clock.outlaws.add(thread)
        self.worker = Worker()

    def work_here(self) -> None:
        """Make all further calls in the thread that asks for them."""
        self.worker.close()
        self.worker = Worker(is_here=True)

    def set_scene(
        self,
        change: ChangeReply | None = None,
        *,
        with_same_key: bool = False,
        asks_s: float = 0.0,
        held_s: float = 0.0,
    ) -> Scene:
        """Forget all jobs, calls and rules, and begin a trial, with a key of its own.

        What still comes with the key of an earlier trial belongs there. A call may last longer by
        the `asks_s` for which the server asks it to wait, and the `held_s` for which it holds an
        answer back.
        """
        if not with_same_key:
            self.script.past[owner_of(self.key)] = self.script.scene
            self.script.scene.has_ended = True
            self._keys += 1
            self.key = f"{KEY}-{self._keys:03d}"
        self.mock.reset()
        for host in (self.elsewhere, self.untrusted):
            host.heard.clear()
        self.script.scene = Scene(change)
        self.late.begin(is_on=held_s > 0)
        self.clock.begin_call(self.limits.virtual_s + asks_s + held_s)
        return self.scene

    def jobs(self) -> list[Job]:
        """Return the jobs of this trial; one of an earlier call may have been submitted late."""
        return [job for job in self.mock.jobs if job.owner not in self.script.past]


@contextlib.contextmanager
def staged(document: Document, limits: TrialLimits) -> Iterator[Stage]:
    """Yield a stage; while the block lasts, waiting is free and nothing leaves this machine."""
    elsewhere, untrusted = _other_hosts(document)
    listener, clock = bind("127.0.0.1", 0), BoundedClock()
    port = listener.getsockname()[1]
    script = _Script(document, clock, limits.calls, elsewhere.url)

    def send(url: str, body: bytes) -> DeliveryOutcome:
        targets = WebhookDestinations.named(mock.settings.webhooks, lambda: mock.traffic.ports)
        body = script.delivered(body, [*mock.jobs])
        return post(url, body, targets=targets, within_s=mock.settings.limits.webhook_s)

    bystanders = threading.enumerate()
    mock = Mock(
        Settings(validation="coerce", clock="manual"),
        document=document,
        public_url=f"http://127.0.0.1:{port}",
        clock=clock,
        transform_reply=script,
        send=send,
    )
    # a lambda, for there is no stage yet
    late = LateAnswers(clock, port, lambda: stage.is_caller_seen())  # noqa: PLW0108
    mock.traffic.hold = late.hold
    try:
        with (
            run_server(mock, listener) as server,
            only_loopback(mock.blocked.append, clock.check_connection),
            virtual_time(clock, bystanders=bystanders),
            virtual_reads(clock, late),
            patch.object(threading, "excepthook", _but_for_ours(threading.excepthook)),
        ):
            stage = Stage(
                mock, script, clock, limits, elsewhere, untrusted, late, lambda: server.connections
            )
            try:
                is_own = lambda thread: stage.worker.is_here or thread not in bystanders  # noqa: E731
                with forks_refused(script.refuse_fork, is_own):
                    yield stage
            finally:
                clock.begin_call(math.inf)  # who cleans up may still wait
                stage.worker.close()
    finally:
        mock.close()
        for host in (elsewhere, untrusted):
            host.close()
        close_leftovers()


def _other_hosts(document: Document) -> tuple[OtherHost, OtherHost]:
    """Return two hosts that no client should trust; the second speaks TLS."""
    names, words = document.conventions.fields, document.conventions.words
    stolen = {
        names.status: words.success,
        names.id: 1,
        names.output: ["http://localhost/stolen.png"],
    }
    return OtherHost(stolen), OtherHost(stolen, tls=True)


def _but_for_ours(hook: Callable[[Any], object]) -> Callable[[Any], None]:
    """Return a hook for errors in threads that says nothing of those which we ended."""

    def told(happened: Any) -> None:
        if not issubclass(happened.exc_type, OutOfBoundsError):
            hook(happened)

    return told


def close_leftovers() -> None:
    """Close what a client left open, without the warnings that would fail somebody's test.

    Findings say what it was.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
