"""Check a webhook handler: what it does about duplicates, unknown jobs and other odd webhooks.

Deliveries are made as calls of a client are: waits are free, and how long an answer took is read
from the mock's clock.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from fauxlab_contract.generation.boundaries import smallest_request
from fauxlab_contract.openapi.document import Document, check_document, load_document
from fauxlab_contract.verdict.checks import PROMPT_S
from fauxlab_mock.client_check.making import check_made, check_make
from fauxlab_mock.client_check.real_waits import HOLD_S, RealWait, holding
from fauxlab_mock.client_check.report import (
    ClientObservation,
    ClientReport,
    check_waivers,
    findings_of,
)
from fauxlab_mock.client_check.run_call import ONLY_IN_MAIN, CallOutcome, perform
from fauxlab_mock.client_check.running.standing import place_of_error
from fauxlab_mock.client_check.stage import KEY, Stage, TrialLimits, staged
from fauxlab_mock.clock.clock import Clock
from fauxlab_mock.engine.messages import LINK_PATH, Call
from fauxlab_mock.engine.replies import Replies
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.settings import Limits, Settings

__all__ = ["HANDLER_TRIALS", "check_webhook_handler"]

JobId = Any  # a number or a text, as the document declares it
Act = Callable[[JobId], object]
Answer = int | None
Handler = Callable[[bytes], Answer | Awaitable[Answer]]
MakeHandler = Callable[[frozenset[JobId], Act], Handler]
# Seconds of the mock's clock
ACT_S = 60.0  # that acting takes where it takes long: twice as long as anybody waits for an answer
AFTERWARDS_S = 3 * ACT_S  # in which what a handler has put off is done
GIVES_UP_S = Limits().webhook_s  # after which a delivery has failed
LIMITS = TrialLimits()  # of all deliveries of a trial
MAKE = "make(ids, act), which returns a handler of webhooks"
HANDLER_TRIALS: Mapping[str, str] = {
    "once": "A success is delivered.",
    "twice": "The same success is delivered twice.",
    "unknown": "The success of a job that nobody submitted is delivered.",
    "failed": "A failure is delivered.",
    "without output": "A success without output is delivered.",
    "slow": "A success is delivered, and acting on it takes a minute.",
    "twice while acting": "The same success is delivered again while acting on it takes a minute.",
}
TWICE = ("twice", "twice while acting")
SLOW = ("slow", "twice while acting")


def check_webhook_handler(
    make: MakeHandler, *, document: Document | None = None, waive: Mapping[str, str] | None = None
) -> ClientReport:
    """Check a handler: `make(ids, act)` returns `handler(body)`, which returns an HTTP code.

    None is 200; it may be async. `ids` are the jobs that were submitted, as their webhooks name
    them: 100000001, or a text where the document wants one. The handler calls `act(id)` where it
    would act on a job that has ended. Raise ValueError for a waiver of no rule or without a reason.
    One check at a time in a process: its time is virtual.
    """
    __tracebackhide__ = True
    check_waivers({} if waive is None else waive)
    check_make(make, MAKE)
    document = load_document() if document is None else document
    check_document(document)
    began = time.monotonic()
    with staged(document, LIMITS) as stage:
        began_at = stage.clock.now()
        tried: list[_HandlerTrial] = []
        for name in HANDLER_TRIALS:
            tried.append(_tried(stage, name, make, tried))
        virtual_s = stage.clock.now() - began_at
    findings = findings_of([found for trial in tried for found in trial.found()])
    report = ClientReport(
        findings,
        not_judged=tuple(reason for trial in tried if (reason := trial.left_open())),
        is_judged=bool(findings) or not all(trial.why_not() for trial in tried),
        trials=tuple(HANDLER_TRIALS),
        calls=sum(trial.deliveries for trial in tried),
        virtual_s=virtual_s,
        real_s=time.monotonic() - began,
    )
    return report.with_waivers(waive or {})


@dataclass(slots=True)
class _HandlerTrial:
    """What a handler made of the deliveries of one trial, about one `job`.

    `answers` has what it returned or raised, and after how many seconds of the mock's clock, for
    each delivery to which it came to an end; `waits` how it waited meanwhile. `outcome` is that of
    all together. `control_s` are the most real seconds that an answer waited where acting takes no
    time; `ends` are the moments at which acting comes to its end.
    """

    name: str
    job: JobId
    deliveries: int
    now: Callable[[], float]
    control_s: float = 0.0
    is_made: bool = False
    ends: list[float] = field(default_factory=list)
    waits: list[RealWait] = field(default_factory=list)
    unsure: bool = False  # how late an answer was
    answers: list[tuple[Answer | Exception, float]] = field(default_factory=list)
    acted: list[JobId] = field(default_factory=list)
    outcome: CallOutcome = field(default_factory=CallOutcome)
    blocked: str = ""  # a connection to elsewhere

    def act(self, job: JobId) -> None:
        """Act on a job, where the handler under test does."""
        self.acted.append(job)
        if self.name in SLOW:
            self.ends.append(self.now() + ACT_S)
            time.sleep(ACT_S)

    def is_uncertain(self, wait: RealWait) -> bool:
        """True when an answer that comes now may have been outrun by what sleeps elsewhere.

        It is not if it waits for a slow action alone: then it waits for none that takes no time.
        """
        if not wait.has_run_out or (self.name in SLOW and self.control_s < HOLD_S / 2):
            return False
        return not wait.for_another or any(end <= self.now() for end in self.ends)

    def left_open(self) -> str:
        """Return what was not judged, and why; else ""."""
        if (reason := self.why_not()) or not self.unsure:
            return reason
        return (
            f"{self.name}: how late it answered: it waits in real time for longer than {HOLD_S} s,"
            " and what sleeps meanwhile outran it"
        )

    def why_not(self) -> str:
        """Return why the trial as a whole was not judged; else ""."""
        if self.outcome.why_unjudged:
            return f"{self.name}: {self.outcome.why_unjudged}"
        if self.blocked and self._has_crashed():
            return f"{self.name}: it needs another machine, and nothing leaves this: {self.blocked}"
        return ""

    def _has_crashed(self) -> bool:
        return any(isinstance(answer, Exception) for answer, _ in self.answers)

    def found(self) -> Iterator[ClientObservation]:
        """Yield what is wrong with it."""
        for answer, took_s in self.answers:
            yield from self._answered(answer, took_s)
        yield from self._unanswered()
        if len(self.acted) > 1:
            yield self._observation(
                "webhook-acted-twice", f"It acted {len(self.acted)} times on job {self.job}."
            )
        if self.name == "unknown" and self.acted:
            yield self._observation(
                "webhook-unknown-accepted", f"It acted on job {self.job}, which was not submitted."
            )

    def _answered(self, answer: Answer | Exception, took_s: float) -> Iterator[ClientObservation]:
        if round(took_s, 3) > PROMPT_S:  # a sleep never ends early, but a little late
            yield self._observation(
                "webhook-answered-late",
                f"It answered after {took_s:.0f} s. More than {PROMPT_S:.0f} s are late; after"
                f" {GIVES_UP_S} s a delivery has failed.",
            )
        if isinstance(answer, Exception):
            if not self.blocked:
                place = place_of_error(answer)
                where = f", at {place}" if place else ""
                message = f"The handler raised {type(answer).__name__}{where}."
                yield self._observation("crashed", message, self.name)
        elif self.name != "unknown" and answer is not None and not 200 <= answer < 300:
            yield self._observation("webhook-refused", f"The handler answered {answer}.", self.name)

    def _unanswered(self) -> Iterator[ClientObservation]:
        """Yield when it did not come to an end by itself."""
        outcome = self.outcome
        if outcome.error is not None:
            name = type(outcome.error).__name__
            yield self._observation("crashed", f"The handler raised {name}.", self.name)
        has_answered = len(self.answers) == self.deliveries
        if not outcome.is_stopped or outcome.why_unjudged or has_answered:
            return
        message = f"It did not answer within {LIMITS.virtual_s:.0f} s."
        if outcome.hangs_at:
            place = outcome.hangs_at
            message = f"It never answers: it waits at {place}, and nothing is left to wake it."
        elif outcome.stuck_at:
            message = f"It never answers: it is stuck at {outcome.stuck_at}."
        yield self._observation("webhook-answered-late", message)

    def _observation(self, rule: str, message: str, detail: str = "") -> ClientObservation:
        return ClientObservation(rule, message, self.name, detail)


def _tried(
    stage: Stage, name: str, make: MakeHandler, earlier: Sequence[_HandlerTrial]
) -> _HandlerTrial:
    __tracebackhide__ = True
    document = stage.mock.document
    number, body = _webhook(document, "failed" if name == "failed" else "success")
    if name == "without output":
        body.pop(document.conventions.fields.output, None)
    quick = [wait.waited_s for one in earlier if one.name not in SLOW for wait in one.waits]
    most_s = max(quick, default=0.0)
    trial = _HandlerTrial(name, number, 2 if name in TWICE else 1, stage.clock.now, most_s)
    submitted = frozenset() if name == "unknown" else frozenset({number})

    content = json.dumps(body).encode()

    def script() -> None:
        handler = check_made(make(submitted, trial.act), MAKE)
        trial.is_made = True
        _deliver(stage, handler, content, trial)

    stage.set_scene()
    trial.outcome = outcome = perform(stage, script)
    if not trial.is_made and ONLY_IN_MAIN in str(outcome.error):  # it sets signals
        handler = check_made(make(submitted, trial.act), MAKE)
        trial.is_made = True
        stage.set_scene()
        trial.outcome = outcome = perform(stage, partial(_deliver, stage, handler, content, trial))
    if not trial.is_made and outcome.error is not None:
        raise outcome.error
    if not trial.is_made and not outcome.forks_at:
        place = outcome.stuck_at or outcome.waits_at or outcome.hangs_at
        raise RuntimeError(f"make(ids, act) did not return; it stands at {place or 'no line'}")
    trial.blocked = next(iter(stage.mock.blocked), "")
    return trial


def _deliver(stage: Stage, handler: Handler, body: bytes, trial: _HandlerTrial) -> None:
    """Make the deliveries of a trial, and let what was put off be done; for a worker's job."""
    for _ in range(trial.deliveries):
        began = stage.clock.now()
        answer: Answer | Exception
        with holding(stage) as wait:
            trial.waits.append(wait)
            try:
                answer = stage.worker.resolved(handler(body))
            except Exception as error:  # whatever a handler raises, its server answers 500
                answer = error
            took_s = stage.clock.now() - began
        if round(took_s, 3) > PROMPT_S and trial.is_uncertain(wait):
            trial.unsure, took_s = True, 0.0
        trial.answers.append((answer, took_s))
    stage.worker.run(asyncio.sleep, AFTERWARDS_S)


def _webhook(document: Document, scenario: str) -> tuple[JobId, dict[str, Any]]:
    """Return the id of a job that has ended, and the body of its webhook."""
    submit = next(operation for operation in document.operations if operation.kind == "submit")
    mock = Mock(
        Settings(validation="coerce", scenario=scenario, eta=1.0),
        document=document,
        clock=Clock("manual"),
    )
    request = smallest_request(submit, **{document.conventions.fields.key: KEY})
    call = Call(
        "POST",
        document.base_path + submit.path,
        {"content-type": "application/json"},
        json.dumps(request).encode(),
    )
    mock.handle(call)
    (job,) = mock.jobs
    body = Replies(document, LINK_PATH).webhook(job)
    return body[document.conventions.fields.id], body
