"""Drive a client through all its arguments and many misbehaving servers; say what it does wrong."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from fauxlab_contract.core.text import must_be, no_such
from fauxlab_contract.openapi.document import Document, check_document, load_document
from fauxlab_contract.openapi.operation import Operation
from fauxlab_contract.verdict.history import ClientHistory
from fauxlab_contract.verdict.verdict import judge
from fauxlab_mock.client_check.arguments import Arguments, arguments_of
from fauxlab_mock.client_check.evidence import Evidence
from fauxlab_mock.client_check.judge import judge_arguments, judge_call, links_in
from fauxlab_mock.client_check.making import check_made, check_make
from fauxlab_mock.client_check.report import (
    ClientObservation,
    ClientReport,
    check_waivers,
    findings_of,
)
from fauxlab_mock.client_check.run_call import (
    CallOutcome,
    MakeClient,
    call_once,
    cancelled_calls,
    is_async,
    perform,
    shown,
    side_by_side,
)
from fauxlab_mock.client_check.servers import TRIALS, Trial
from fauxlab_mock.client_check.stage import Stage, TrialLimits, close_leftovers, staged

__all__ = ["SPECIAL_TRIALS", "Progress", "check_client"]

KEY = "check-client-key-5d1c0a77"
MAKE = "make(base_url, key), which returns a callable that does one whole generation"
PLAIN_HOST = "plain.elsewhere.example"  # a name that can belong to nobody (RFC 2606)
# Rules that an odd argument breaks without the client's fault: Python raises a TypeError, nobody
# listens at the webhook's address.
OF_THE_ARGUMENTS = ("crashed", "webhook-refused")
MOST_UNENDED = 3
Progress = Callable[[str, int, int, int], object]
SPECIAL_TRIALS: Mapping[str, str] = {
    "arguments": "Every boundary of every field is sent to a server that answers at once.",
    "side by side": "The same client makes two calls at the same time.",
    "cancelled": "Async calls are cancelled while they wait for their jobs.",
    "plain http": "The client is given an http:// address of another machine.",
    "untrusted tls": "The client is given a server whose certificate no authority has signed.",
}


def check_client(  # noqa: PLR0913 # all but the first two by name
    make: MakeClient,
    arguments: Mapping[str, Any] | None = None,
    *,
    names: Mapping[str, str] | None = None,
    trials: Collection[str] | None = None,
    document: Document | None = None,
    operation: str | None = None,
    waive: Mapping[str, str] | None = None,
    wrong_types: bool = False,
    max_calls: int = 1_000,
    max_virtual_s: float = 3_600.0,
    max_real_s: float = 20.0,
    progress: Progress | None = None,
) -> ClientReport:
    """Check a client; `make(base_url, key)` returns a callable that does one whole generation.

    The callable, sync or async, returns the result. It is called by name, with the fields that its
    parameters are named after; `names` maps fields to parameters with other names, `arguments` are
    added, or take the place of such values. `trials` limits the check to some of the trials
    (docs/check_client.md), `waive` maps ids of rules to reasons. With `wrong_types`, a parameter
    with an annotation gets values of other types, too. A call may make `max_calls`
    requests, and last `max_virtual_s` on the mock's clock and `max_real_s` on yours.
    `progress(trial, done, total, observations)` is called before each trial. Raise
    ValueError for unknown names, TypeError for a `make` that cannot be called like this, or that
    returns no callable. One check at a time in a process: its time is virtual.
    """
    __tracebackhide__ = True
    check_waivers({} if waive is None else waive)
    document = load_document() if document is None else document
    check_document(document)
    for name, given in (("arguments", arguments), ("names", names)):
        if not isinstance(given, Mapping | None):
            raise TypeError(must_be(name, "a mapping", given))
    chosen = _chosen(trials)
    submit = _submit_of(document, operation)
    fields = submit.request.properties if submit.request else {}
    check_make(make, MAKE, {*fields} - {submit.conventions.fields.key})
    started = time.monotonic()
    with staged(document, TrialLimits(max_calls, max_virtual_s, max_real_s)) as stage:
        call = check_made(make(stage.mock.url, KEY), MAKE)
        fetches = tuple(other for other in document.operations if other.kind == "fetch")
        to_give = arguments_of(submit, call, arguments, names, wrong_types=wrong_types)
        check = _Check(stage, make, to_give, fetches)
        began = stage.clock.now()
        check.run(call, chosen, progress or _untold)
        virtual_s = stage.clock.now() - began
    return check.report(waive or {}, chosen, virtual_s, time.monotonic() - started)


def _untold(*_: object) -> None:
    """Show no progress."""


def _chosen(trials: Collection[str] | None) -> tuple[str, ...]:
    __tracebackhide__ = True
    known = (*TRIALS, *SPECIAL_TRIALS)
    if trials is None:
        return known
    if not isinstance(trials, Collection):
        raise TypeError(must_be("trials", "names, such as ['success']", trials))
    wanted = [trials] if isinstance(trials, str) else [*trials]
    for name in wanted:
        if name not in known:
            raise ValueError(no_such("trial", str(name), known))
    return tuple(name for name in known if name in wanted)


def _submit_of(document: Document, name: str | None) -> Operation:
    """Return the operation with this path or name, by default the first that starts jobs."""
    for operation in document.operations:
        if operation.kind == "submit" and name in (None, operation.path, operation.name):
            return operation
    operation_name = f"operation {name}" if name else "operation"
    raise ValueError(f"the document has no {operation_name} that starts jobs")


@dataclass(slots=True)
class _Check:
    """One check under way, and what was found so far.

    Once a call is `stuck_at` a place where it computes, nothing more is tried: it would take the
    processor from all others. So it is when none of the first `MOST_UNENDED` came to an end.
    """

    stage: Stage
    make: MakeClient
    arguments: Arguments
    fetches: tuple[Operation, ...]
    found: list[ClientObservation] = field(default_factory=list)
    not_judged: list[str] = field(default_factory=list)
    calls: int = 0
    stuck_at: str = ""
    unended: int = 0  # calls that waited in real time until their time was over
    has_ended: bool = False  # any call, by itself
    has_webhooks: bool = False
    tried: list[str] = field(default_factory=list)

    def run(self, call: Callable[..., Any], chosen: Collection[str], progress: Progress) -> None:
        special: dict[str, Callable[[], None]] = {
            "arguments": partial(self._arguments, call),
            "side by side": self._side_by_side,
            "cancelled": partial(self._cancelled, call),
            "plain http": self._plain_http,
            "untrusted tls": self._untrusted,
        }
        owner = getattr(call, "__self__", None)  # the client, if the call is a method of it
        if KEY in repr(call) or KEY in repr(owner):
            message = "The key is in the repr of the client."
            self.found.append(ClientObservation("key-leaked", message, "the client itself", "repr"))
        for done, name in enumerate(chosen):
            progress(name, done, len(chosen), len(self.found))
            if reason := self._why_not():
                self.not_judged.append(f"{name}: {reason}")
            elif name in special:
                special[name]()
            elif self.has_webhooks or not TRIALS[name].for_webhooks or len(chosen) == 1:
                self._trial(TRIALS[name])

    def report(
        self, waive: Mapping[str, str], chosen: tuple[str, ...], virtual_s: float, real_s: float
    ) -> ClientReport:
        unreachable = self.arguments.unreachable if "arguments" in chosen else ()
        unreached = [f"{name}: no argument reaches it" for name in unreachable]
        report = ClientReport(
            findings_of([_without_key(observation) for observation in self.found]),
            not_judged=(*unreached, *self.not_judged),
            trials=tuple(self.tried),
            calls=self.calls,
            virtual_s=virtual_s,
            real_s=real_s,
        )
        return report.with_waivers(waive)

    def _perform(self, name: str, script: Callable[[], Any]) -> Evidence:
        outcome = perform(self.stage, script)
        mock = self.stage.mock
        self._note_end(name, outcome)
        self.calls += len(self.stage.scene.calls)
        self.tried += [name] if "arguments" not in name else []
        now, conventions = self.stage.clock.now(), mock.document.conventions
        exchanges = self.stage.scene.exchanges(mock.requests)
        facts = [job.facts(now) for job in mock.jobs]
        # what is delivered after the return is nobody's: its receiver may be closed
        ended_at = outcome.ended_at or now
        webhooks = [attempt for attempt in mock.webhooks if attempt.at <= ended_at]
        case = ClientHistory(exchanges, facts, webhooks, conventions, now)
        verdict = judge(exchanges, facts, webhooks, conventions, now=now)
        elsewhere = [*self.stage.elsewhere.heard, *self.stage.untrusted.heard]
        return Evidence(
            name,
            KEY,
            outcome,
            tuple(self.stage.scene.calls),
            tuple(exchanges),
            case,
            verdict.findings,
            elsewhere,
        )

    def _note_end(self, name: str, outcome: CallOutcome) -> None:
        self.has_ended = self.has_ended or not outcome.is_stopped
        if outcome.waits_at:
            self.unended += 1
            self.not_judged.append(f"{name}: it waits at {outcome.waits_at}")
        elif outcome.stuck_at:
            self.stuck_at = outcome.stuck_at

    def _why_not(self) -> str:
        """Return why nothing more can be tried; else ""."""
        if self.stuck_at:
            return f"an earlier call still computes at {self.stuck_at}"
        if self.unended >= MOST_UNENDED and not self.has_ended:
            return f"none of the first {MOST_UNENDED} calls came to an end"
        return ""

    def _made(self, base_url: str | None = None) -> Callable[..., Any]:
        return self.make(base_url or self.stage.mock.url, KEY)

    def _trial(self, trial: Trial) -> None:
        self.stage.set_scene(trial.change)
        for rule in trial.rules:
            self.stage.mock.add_rule(rule)
        evidence = self._perform(trial.name, lambda: self._call(None, self.arguments.base))
        if any(job.webhook for job in self.stage.mock.jobs):
            self.has_webhooks = True
        self.found += judge_call(evidence, trial, self.arguments, self.fetches)

    def _arguments(self, call: Callable[..., Any]) -> None:
        """Try every case of the arguments.

        A sync client is made once for all of them, an async one anew each time: each call has an
        event loop of its own.
        """
        self.tried.append("arguments")
        trial = Trial("arguments", "", expects="either")
        for case in self.arguments.cases():
            if self._why_not():
                return
            self.stage.set_scene()
            self.stage.mock.scenario("instant")
            made = None if is_async(call) else call
            script = partial(self._call, made, case.arguments)
            evidence = self._perform(f"arguments: {case.label}", script)
            observations = judge_call(evidence, trial, self.arguments, self.fetches, case)
            self.found += [
                observation
                for observation in observations
                if observation.rule not in OF_THE_ARGUMENTS
            ]
            self.found += judge_arguments(evidence, case, self.arguments)

    def _call(self, call: Callable[..., Any] | None, arguments: Mapping[str, Any]) -> Any:
        return call_once(call or self._made(), arguments, self.stage.worker)

    def _side_by_side(self) -> None:
        """Try two calls at once; each result must belong to the job that was submitted for it."""
        wishes = self.arguments.two_wishes()
        if not wishes:
            self.not_judged.append("side by side: no argument makes two calls differ")
            return
        self.stage.set_scene()
        evidence = self._perform(
            "side by side", lambda: side_by_side(self._made(), wishes, self.stage.worker)
        )
        outcome = evidence.outcome
        values = outcome.value if isinstance(outcome.value, list) else []
        self.found += _mixed_up(evidence, values, wishes, self.arguments)
        is_able = all(observation.trial != "success" for observation in self.found)
        if is_able and not outcome.has_returned:
            reason = "It did not end."
            if outcome.error:
                reason = shown(outcome.error)[:120].splitlines()[0]
            message = f"Two calls at once did not both succeed: {reason}"
            self.found.append(evidence.observation("mixed-up", message, "failed"))

    def _cancelled(self, call: Callable[..., Any]) -> None:
        if not is_async(call):
            return
        self.stage.set_scene()
        was_enabled = gc.isenabled()
        gc.disable()  # or luck would close what was left open
        try:
            evidence = self._perform(
                "cancelled", lambda: cancelled_calls(self.stage, self._made(), self.arguments.base)
            )
        finally:
            close_leftovers()
            if was_enabled:
                gc.enable()
        if evidence.outcome.value is None:
            return
        tasks, connections = evidence.outcome.value
        if tasks:
            message = f"{tasks} tasks were still running after three cancelled calls."
            self.found.append(evidence.observation("cancel-leaks", message, "tasks"))
        if connections > 1:  # one may be a session's that lives on
            message = f"{connections} connections were still open after three cancelled calls."
            self.found.append(evidence.observation("cancel-leaks", message, "open"))

    def _plain_http(self) -> None:
        self.stage.set_scene()
        base_url = f"http://{PLAIN_HOST}{self.stage.mock.document.base_path}"
        make = partial(self._made, base_url)
        self._perform("plain http", lambda: self._call(make(), self.arguments.base))
        if any(PLAIN_HOST in line for line in self.stage.mock.blocked):
            message = f"It connected to http://{PLAIN_HOST}, although it had the key."
            self.found.append(ClientObservation("plain-http", message, "plain http"))

    def _untrusted(self) -> None:
        self.stage.set_scene()
        base_url = self.stage.untrusted.url + self.stage.mock.document.base_path
        make = partial(self._made, base_url)
        evidence = self._perform("untrusted tls", lambda: self._call(make(), self.arguments.base))
        if evidence.elsewhere:
            message = "It sent its request to a server whose certificate no authority has signed."
            self.found.append(evidence.observation("tls-not-verified", message))


def _without_key(observation: ClientObservation) -> ClientObservation:
    return replace(
        observation,
        message=observation.message.replace(KEY, "***"),
        detail=observation.detail.replace(KEY, "***"),
        exchanges=tuple(line.replace(KEY, "***") for line in observation.exchanges),
    )


def _mixed_up(
    evidence: Evidence, values: list[Any], wishes: list[Mapping[str, Any]], arguments: Arguments
) -> Iterator[ClientObservation]:
    """Yield the results that came out of the request that was made for the other wish."""
    requests = _requests_by_link(evidence)
    for value, wish, other in zip(values, wishes, reversed(wishes), strict=False):
        differing = [
            (field, name)
            for field, name in arguments.names.items()
            if wish.get(name) != other.get(name)
        ]
        for link in links_in(value) & requests.keys():
            sent = requests[link]
            is_other = all(sent.get(field) == other[name] for field, name in differing)
            if differing and is_other:
                message = (
                    f"A call got the picture of another call: its {differing[0][0]} is not the"
                    " requested one."
                )
                yield evidence.observation("mixed-up", message, "result")


def _requests_by_link(evidence: Evidence) -> dict[str, Mapping[str, Any]]:
    """Return the request of the job behind each link that a submit was answered with."""
    future_links = evidence.case.conventions.fields.future_links
    requests: dict[str, Mapping[str, Any]] = {}
    for _, exchange in evidence.submits:
        if exchange.request:
            links = exchange.members.get(future_links) or ()
            requests |= dict.fromkeys(links, exchange.request)
    return requests
