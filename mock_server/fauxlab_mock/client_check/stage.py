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
from fauxlab_mock.client_check.running.children import forks_refused
from fauxlab_mock.client_check.running.worker import Worker
from fauxlab_mock.clock.clock import THREAD_PREFIX, Clock
from fauxlab_mock.clock.own_loop import own_loop
from fauxlab_mock.clock.reads import virtual_reads
from fauxlab_mock.clock.virtual import virtual_time
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
    "BoundedClock",
    "OutOfBoundsError",
    "Scene",
    "Stage",
    "TrialLimits",
    "close_leftovers",
    "staged",
]


KEY = "check-client-key-5d1c0a77"  # begins the keys of all trials


class OutOfBoundsError(BaseException):
    """Ends a call that took too much time or too many requests.

    A client meets it where it sleeps or connects. It is no `Exception`, so that a client which
    tries again after every error does not catch it.
    """


class BoundedClock(Clock):
    """A manual clock that gives each call of a client a bounded time: until `last`.

    Once a call `is_over`, every sleep and every connection of the client raises OutOfBoundsError.
    While it `holds`, sleepers stay asleep.
    """

    def __init__(self) -> None:
        super().__init__("manual")
        self.last = self._virtual_s = math.inf
        self.is_over = self.holds = False
        self.outlaws: set[threading.Thread] = set()  # whose calls were given up

    def begin_call(self, virtual_s: float) -> None:
        self._virtual_s = virtual_s
        self.last, self.is_over = self.now() + virtual_s, False

    def end_call(self) -> None:
        self.is_over = True

    def is_held(self) -> bool:
        return self.holds or super().is_held()

    def advance(self, seconds: float) -> None:
        """Move forward for somebody who alone can: nothing can end the pause before its end."""
        self._check_bounds(seconds)
        super().advance(seconds)

    def moment_after(self, seconds: float) -> float:
        """Return the end of a pause, which may lie beyond the end of the call.

        A deadline, or another thread, may end either before; else `move_to` ends the call.
        A thread's lone pause that is longer than the whole call is not begun: some housekeeper of
        the client's may sleep for a day while the call goes on.
        """
        is_too_long = seconds > self._virtual_s and own_loop() is None
        self._check_bounds(seconds if is_too_long else 0.0)
        return super().moment_after(seconds)

    def deadline_after(self, seconds: float) -> float:
        self._check_bounds(0.0)
        return super().deadline_after(seconds)

    def move_to(self, moment: float) -> None:
        """Move forward, but not past the end of the call, which is over then."""
        if moment > self.last:
            self.end_call()
        super().move_to(min(moment, self.last))

    def check_connection(self) -> None:
        """Raise OutOfBoundsError in a client's thread after the end of its call."""
        self._check_bounds(0.0)

    def _check_bounds(self, seconds: float) -> None:
        """Raise OutOfBoundsError past the end of the call, which is over then; never in our own."""
        if threading.current_thread().name.startswith(THREAD_PREFIX):
            return
        if self.now() + seconds > self.last and seconds <= self._virtual_s:
            self.end_call()
        is_outlaw = threading.current_thread() in self.outlaws
        if is_outlaw or self.is_over or self.now() + seconds > self.last:
            raise OutOfBoundsError("this call of the client has used up its time or its requests")


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
    `forks_at` is the line at which it was ended because it forked.
    """

    change: ChangeReply | None = None
    ended_at: float | None = None
    arrivals: list[Call | None] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    foreign_webhook: bool = False
    has_ended: bool = False
    was_cut: bool = False
    forks_at: str = ""
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
        self._conventions, self._clock = document.conventions, clock
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
        return self.scene.change(
            ReplyOnItsWay(decision.reply, self._conventions, kind, counts[kind], refusal)
        )

    def delivered(self, body: bytes) -> bytes:
        """Return the body of a webhook as it is sent: the first may be of another job."""
        scene = self.scene
        scene.counts["webhook"] += 1
        if not scene.foreign_webhook or scene.counts["webhook"] > 1:
            return body
        return json.dumps(of_another_job(json.loads(body), self._conventions)).encode()

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
    names, words = document.conventions.fields, document.conventions.words
    stolen = {
        names.status: words.success,
        names.id: 1,
        names.output: ["http://localhost/stolen.png"],
    }
    elsewhere, untrusted = OtherHost(stolen), OtherHost(stolen, tls=True)
    listener = bind("127.0.0.1", 0)
    port = listener.getsockname()[1]
    clock = BoundedClock()
    origin = f"http://127.0.0.1:{port}"
    script = _Script(document, clock, limits.calls, elsewhere.url)

    def send(url: str, body: bytes) -> DeliveryOutcome:
        targets = WebhookDestinations.named(mock.settings.webhooks, lambda: mock.traffic.ports)
        body = script.delivered(body)
        return post(url, body, targets=targets, within_s=mock.settings.limits.webhook_s)

    def refuse_fork(place: str) -> None:
        script.scene.forks_at = script.scene.forks_at or place
        clock.end_call()
        raise OutOfBoundsError("what this call of the client does in another process is not seen")

    bystanders = threading.enumerate()
    mock = Mock(
        Settings(validation="coerce", clock="manual"),
        document=document,
        public_url=origin,
        clock=clock,
        transform_reply=script,
        send=send,
    )
    late = LateAnswers(
        clock,
        port,
        lambda: len(script.scene.arrivals),
        lambda: stage.is_caller_seen(),  # noqa: PLW0108 # there is no stage yet
    )
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
                with forks_refused(
                    refuse_fork, lambda one: stage.worker.is_here or one not in bystanders
                ):
                    yield stage
            finally:
                clock.begin_call(math.inf)  # who cleans up may still wait
                stage.worker.close()
    finally:
        mock.close()
        for host in (elsewhere, untrusted):
            host.close()
        close_leftovers()


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
