"""Drive a client, whatever it is built on, through all arguments and many misbehaving servers, and
say what it does wrong.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from fauxlab_contract.openapi.document import Document, load_document
from fauxlab_contract.openapi.operation import Operation
from fauxlab_contract.verdict.history import ClientHistory
from fauxlab_mock.client_check.arguments import Arguments, arguments_of
from fauxlab_mock.client_check.judge import Evidence, judge_arguments, judge_call, links_in
from fauxlab_mock.client_check.report import (
    ClientObservation,
    ClientReport,
    check_waivers,
    findings_of,
)
from fauxlab_mock.client_check.run_call import (
    MakeClient,
    call_once,
    cancelled_calls,
    is_async,
    perform,
    shown,
    side_by_side,
)
from fauxlab_mock.client_check.servers import TRIALS, Trial
from fauxlab_mock.client_check.stage import Stage, TrialLimits, staged

__all__ = ["SPECIAL_TRIALS", "check_client"]

KEY = "check-client-key-5d1c0a77"
PLAIN_HOST = "plain.elsewhere.example"  # a name that can belong to nobody (RFC 2606)
# What an odd argument may lead to by itself: a TypeError of Python's, a webhook that nobody listens
# for.
OF_THE_ARGUMENTS = ("crashed", "webhook-refused")
SPECIAL_TRIALS: Mapping[str, str] = {
    "arguments": "Every boundary of every field, against a server that answers at once.",
    "side by side": "Two calls at the same time, of the same client.",
    "cancelled": "Async calls are cancelled while they wait for their jobs.",
    "plain http": "The client is pointed at another machine by http://.",
    "untrusted tls": "The client is pointed at a server with a certificate of no authority.",
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
    max_calls: int = 1_000,
    max_virtual_s: float = 3_600.0,
    max_real_s: float = 20.0,
) -> ClientReport:
    """Check a client: `make(base_url, key)` returns a callable, sync or async, that does one whole
    generation and returns its result.

    The callable is called by name, with the fields that its parameters are named after; `names`
    maps fields to parameters that are called otherwise, `arguments` are given besides, or instead.
    `trials` limits the check to some (docs/check_client.md), `waive` maps ids of rules to reasons.
    A call may make `max_calls` requests, and last `max_virtual_s` on the mock's clock and
    `max_real_s` on yours. ValueError for what makes no sense. One check at a time in a process: its
    time is virtual.
    """
    check_waivers(waive or {})
    document = load_document() if document is None else document
    chosen = _chosen(trials)
    started = time.monotonic()
    with staged(document, TrialLimits(max_calls, max_virtual_s, max_real_s)) as stage:
        call = make(stage.mock.url, KEY)
        taken = arguments_of(_operation(document, operation), call, arguments, names)
        check = _Check(stage, make, taken, _fetches(document))
        began = stage.clock.now()
        check.run(call, chosen)
        virtual_s = stage.clock.now() - began
    return check.report(waive or {}, chosen, virtual_s, time.monotonic() - started)


def _chosen(trials: Collection[str] | None) -> tuple[str, ...]:
    known = (*TRIALS, *SPECIAL_TRIALS)
    unknown = [name for name in trials or () if name not in known]
    if unknown:
        raise ValueError(
            f"there is no trial {unknown[0][:40]!a}; the trials are {', '.join(known)}"
        )
    return tuple(name for name in known if trials is None or name in trials)


def _operation(document: Document, name: str | None) -> Operation:
    """The operation with this path, else the document's first that starts jobs."""
    submits = [
        one
        for one in document.operations
        if one.kind == "submit" and name in (None, one.path, one.name)
    ]
    if not submits:
        raise ValueError(
            f"the document has no operation{f' {name}' if name else ''} that starts jobs"
        )
    return submits[0]


def _fetches(document: Document) -> tuple[Operation, ...]:
    return tuple(one for one in document.operations if one.kind == "fetch")


@dataclass(slots=True)
class _Check:
    """One check under way: what was found so far, and whether a call could not be ended, after
    which nothing more is tried.
    """

    stage: Stage
    make: MakeClient
    arguments: Arguments
    fetches: tuple[Operation, ...]
    found: list[ClientObservation] = field(default_factory=list)
    not_judged: list[str] = field(default_factory=list)
    calls: int = 0
    is_stuck: bool = False
    has_webhooks: bool = False
    tried: list[str] = field(default_factory=list)

    def run(self, call: Callable[..., Any], chosen: Collection[str]) -> None:
        special: dict[str, Callable[[], None]] = {
            "arguments": partial(self._arguments, call),
            "side by side": self._side_by_side,
            "cancelled": partial(self._cancelled, call),
            "plain http": self._plain_http,
            "untrusted tls": self._untrusted,
        }
        if KEY in repr(call) or KEY in repr(getattr(call, "__self__", None)):
            self.found.append(
                ClientObservation(
                    "key-leaked",
                    "The key stands in the repr of the client.",
                    "the client itself",
                    "repr",
                )
            )
        for name in chosen:
            if self.is_stuck:
                self.not_judged.append(f"{name}: an earlier call could not be ended")
            elif name in special:
                special[name]()
            elif self.has_webhooks or not TRIALS[name].for_webhooks or len(chosen) == 1:
                self._trial(TRIALS[name])

    def report(
        self, waive: Mapping[str, str], chosen: tuple[str, ...], virtual_s: float, real_s: float
    ) -> ClientReport:
        told = [
            replace(
                one, message=one.message.replace(KEY, "***"), detail=one.detail.replace(KEY, "***")
            )
            for one in self.found
        ]
        unreached = (
            [f"{name}: no argument reaches it" for name in self.arguments.unreachable]
            if "arguments" in chosen
            else []
        )
        report = ClientReport(
            findings_of(told),
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
        self.is_stuck = self.is_stuck or bool(outcome.stuck_at)
        self.calls += len(self.stage.scene.calls)
        self.tried += [name] if "arguments" not in name else []
        facts = [job.facts(self.stage.clock.now()) for job in mock.jobs]
        case = ClientHistory(
            mock.requests, facts, mock.webhooks, mock.document.conventions, self.stage.clock.now()
        )
        elsewhere = [*self.stage.elsewhere.heard, *self.stage.untrusted.heard]
        return Evidence(
            name,
            KEY,
            outcome,
            tuple(self.stage.scene.calls),
            mock.requests,
            case,
            mock.verdict().findings,
            elsewhere,
        )

    def _made(self, base_url: str | None = None) -> Callable[..., Any]:
        return self.make(base_url or self.stage.mock.url, KEY)

    def _trial(self, trial: Trial) -> None:
        self.stage.set_scene(trial.change)
        for rule in trial.rules:
            self.stage.mock.add_rule(rule)
        evidence = self._perform(trial.name, lambda: call_once(self._made(), self.arguments.base))
        self.has_webhooks = self.has_webhooks or any(job.webhook for job in self.stage.mock.jobs)
        self.found += judge_call(evidence, trial, self.arguments, self.fetches)

    def _arguments(self, call: Callable[..., Any]) -> None:
        """A sync client is made once for all of them; an async one anew each time, for its event
        loop is another.
        """
        self.tried.append("arguments")
        for case in self.arguments.cases():
            if self.is_stuck:
                return
            self.stage.set_scene()
            self.stage.mock.scenario("instant")
            evidence = self._perform(
                f"arguments: {case.label}",
                partial(self._call, None if is_async(call) else call, case.arguments),
            )
            trial = Trial("arguments", "", expects="either")
            told = [
                one
                for one in judge_call(evidence, trial, self.arguments, self.fetches)
                if one.rule not in OF_THE_ARGUMENTS
            ]
            self.found += [*told, *judge_arguments(evidence, case, self.arguments)]

    def _call(self, call: Callable[..., Any] | None, arguments: Mapping[str, Any]) -> Any:
        return call_once(call or self._made(), arguments)

    def _side_by_side(self) -> None:
        """Each call's result must belong to the job that was submitted for it."""
        wishes = self.arguments.two_wishes()
        if not wishes:
            self.not_judged.append("side by side: no argument makes two calls differ")
            return
        self.stage.set_scene()
        evidence = self._perform("side by side", lambda: side_by_side(self._made(), wishes))
        values = evidence.outcome.value if isinstance(evidence.outcome.value, list) else []
        self.found += _mixed_up(evidence, values, wishes, self.arguments)
        is_able = not any(one.trial == "success" for one in self.found)
        if is_able and (evidence.outcome.error is not None or evidence.outcome.is_stopped):
            what = (
                shown(evidence.outcome.error)[:120] if evidence.outcome.error else "It did not end."
            )
            self.found.append(
                evidence.observation(
                    "mixed-up",
                    f"Two calls at once did not both succeed: {what.splitlines()[0]}",
                    "failed",
                )
            )

    def _cancelled(self, call: Callable[..., Any]) -> None:
        if not is_async(call):
            return
        self.stage.set_scene()
        gc.disable()  # or luck would close what was left open
        try:
            evidence = self._perform(
                "cancelled", lambda: cancelled_calls(self.stage, self._made(), self.arguments.base)
            )
        finally:
            gc.enable()
        if isinstance(evidence.outcome.value, tuple):
            tasks, connections = evidence.outcome.value
            if tasks:
                self.found.append(
                    evidence.observation(
                        "cancel-leaks",
                        f"{tasks} tasks went on after three cancelled calls.",
                        "tasks",
                    )
                )
            if connections > 1:  # one is a session's that lives on
                self.found.append(
                    evidence.observation(
                        "cancel-leaks",
                        f"{connections} connections stayed open after three cancelled calls.",
                        "open",
                    )
                )

    def _plain_http(self) -> None:
        self.stage.set_scene()
        path = self.stage.mock.document.base_path
        self._perform(
            "plain http",
            lambda: self._call(self._made(f"http://{PLAIN_HOST}{path}"), self.arguments.base),
        )
        if any(PLAIN_HOST in line for line in self.stage.mock.blocked):
            self.found.append(
                ClientObservation(
                    "plain-http",
                    f"It connected to http://{PLAIN_HOST} with the key in hand.",
                    "plain http",
                )
            )

    def _untrusted(self) -> None:
        self.stage.set_scene()
        url = self.stage.untrusted.url + self.stage.mock.document.base_path
        evidence = self._perform(
            "untrusted tls", lambda: self._call(self._made(url), self.arguments.base)
        )
        if evidence.elsewhere:
            self.found.append(
                evidence.observation(
                    "tls-not-verified",
                    "It sent its request to a server whose certificate nobody vouches for.",
                )
            )


def _mixed_up(
    evidence: Evidence, values: list[Any], wishes: list[Mapping[str, Any]], arguments: Arguments
) -> Iterator[ClientObservation]:
    """Results that came out of the request that was made for the other wish."""
    fields = evidence.case.conventions.fields
    asked = {
        link: exchange.request
        for _, exchange in evidence.submits
        if exchange.request
        for link in exchange.members.get(fields.future_links) or ()
    }
    for value, wish, other in zip(values, wishes, reversed(wishes), strict=False):
        for link in links_in(value) & asked.keys():
            found = {
                field: asked[link].get(field)
                for field, name in arguments.names.items()
                if wish.get(name) != other.get(name)
            }
            if found and all(
                sent == other[arguments.names[field]] for field, sent in found.items()
            ):
                yield evidence.observation(
                    "mixed-up",
                    f"A call got the picture of another: its {next(iter(found))} is not its own.",
                    "result",
                )
