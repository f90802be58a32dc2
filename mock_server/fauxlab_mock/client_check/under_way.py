"""One check of a client under way: makes its clients and calls, and keeps what was found."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fauxlab_contract.core.records import Exchange
from fauxlab_contract.core.text import counted, cut
from fauxlab_contract.openapi.operation import Operation
from fauxlab_contract.verdict.history import ClientHistory
from fauxlab_contract.verdict.verdict import judge
from fauxlab_mock.client_check.demands.arguments import Arguments
from fauxlab_mock.client_check.demands.evidence import Evidence
from fauxlab_mock.client_check.making import opened
from fauxlab_mock.client_check.report import ClientObservation
from fauxlab_mock.client_check.run_call import (
    ONLY_IN_MAIN,
    CallOutcome,
    MakeClient,
    call_once,
    perform,
    shown,
)
from fauxlab_mock.client_check.stage import Scene, Stage

__all__ = ["MAKE", "CheckUnderWay"]

MAKE = "make(base_url, key), which returns a callable that does one whole generation"
MOST_UNENDED = 3
MOST_SAID = 200  # characters of an exception


@dataclass(slots=True)
class CheckUnderWay:
    """One check under way, and what was found so far.

    Once a call is `stuck_at` a place where it computes, nothing more is tried: it would take the
    processor from all others. So it is when none of the first `MOST_UNENDED` came to an end.
    """

    stage: Stage
    make: MakeClient
    arguments: Arguments
    fetches: tuple[Operation, ...]
    shared: Any = None  # what `make` gave first: closed by nobody, for others may have it as well
    scenes: list[tuple[str, Scene]] = field(default_factory=list)
    found: list[ClientObservation] = field(default_factory=list)
    not_judged: list[str] = field(default_factory=list)
    calls: int = 0
    stuck_at: str = ""
    wants_main: bool = False  # the client sets signals
    unended: int = 0  # calls of which nobody knows how they would have ended
    forks: str = ""  # why the last of these was not judged, if it forked
    has_ended: bool = False  # any call, by itself
    patience_s: float = 0.0  # for how long a call waits for a job that never ends; 0 is unknown
    pause_s: float = 0.0  # the longest of that call
    has_webhooks: bool = False
    astray: list[str] = field(default_factory=list)  # connections to elsewhere without base_url
    first_end: str = ""  # how the first call that sent nothing ended
    tried: list[str] = field(default_factory=list)
    took_s: dict[str, float] = field(default_factory=dict)  # real seconds, by trial
    kept: list[Callable[..., Any]] = field(default_factory=list)  # one at most
    closing: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def attempt(self, trial: Callable[[], None]) -> None:
        """Try a trial; a client that wants the main thread is given it, and tried once more."""
        found, not_judged, tried = len(self.found), len(self.not_judged), len(self.tried)
        trial()
        is_main = threading.current_thread() is threading.main_thread()
        if self.wants_main and is_main and not self.stage.worker.is_here:
            del self.found[found:], self.not_judged[not_judged:], self.tried[tried:]
            self.stage.work_here()
            trial()

    def note_late(self) -> None:
        """Note the requests that came after the end of their call, of which one may be on its way.

        They are found in the trial whose key they have.
        """
        for name, scene in self.scenes:
            if scene.late > 1 and not scene.was_cut and name != "cancelled":
                message = f"{counted(scene.late, 'requests')} came after the call had ended."
                self.found.append(ClientObservation("left-running", message, name, "requests"))

    def perform(self, name: str, script: Callable[[], Any]) -> Evidence:
        outcome = perform(self.stage, script)
        if self.stage.script.broken is not None:
            raise self.stage.script.broken
        mock = self.stage.mock
        self.scenes.append((name, self.stage.scene))
        self._note_end(name, outcome)
        self.calls += len(self.stage.scene.calls)
        self.tried += [name] if name not in self.tried and "arguments" not in name else []
        if not self.stage.scene.calls:
            self.first_end = self.first_end or _end_of(outcome)
            self.astray += [*mock.blocked][:1] if name != "plain http" else []
        now, conventions = self.stage.clock.now(), mock.document.conventions
        exchanges = self.stage.scene.exchanges(mock.requests)
        facts = [job.facts(now) for job in self.stage.jobs()]
        own = {job.id for job in facts}
        # what is delivered after the return is nobody's: its receiver may be closed; and so is a
        # refused one of a job that the client never heard of
        ended_at, known = outcome.ended_at or now, _told_ids(exchanges, conventions.fields.id)
        webhooks = [
            attempt
            for attempt in mock.webhooks
            if attempt.job_id in own
            and attempt.at <= ended_at
            and (attempt.delivered or attempt.job_id in known)
        ]
        case = ClientHistory(exchanges, facts, webhooks, conventions, now)
        verdict = judge(exchanges, facts, webhooks, conventions, now=now)
        elsewhere = [*self.stage.elsewhere.heard, *self.stage.untrusted.heard]
        return Evidence(
            name,
            self.stage.key,
            outcome,
            tuple(self.stage.scene.calls),
            tuple(exchanges),
            case,
            verdict.findings,
            elsewhere,
            [*self.stage.late.untimed],
            is_unseen=bool(self.stage.late.unseen),
            is_key_echoed=self.stage.scene.is_key_echoed,
        )

    def _note_end(self, name: str, outcome: CallOutcome) -> None:
        self.has_ended = self.has_ended or not outcome.is_stopped
        if outcome.why_unjudged:
            self.unended += 1
            self.forks = outcome.forks_at and outcome.why_unjudged
            self.not_judged.append(f"{name}: {outcome.why_unjudged}")
        elif outcome.stuck_at:
            self.stuck_at = outcome.stuck_at
        error = outcome.error
        self.wants_main = self.wants_main or bool(error and ONLY_IN_MAIN in shown(error))

    def why_not(self) -> str:
        """Return why nothing more can be tried; else ""."""
        if self.stuck_at:
            return f"an earlier call still computes at {self.stuck_at}"
        if self.unended >= MOST_UNENDED and not self.has_ended:
            return f"none of the first {MOST_UNENDED} calls came to an end"
        return ""

    @contextlib.contextmanager
    def made(self, base_url: str | None = None) -> Iterator[Callable[..., Any]]:
        """Yield a fresh callable; for a job's script."""
        made = self.make(base_url or self.stage.mock.url, self.stage.key)
        scene = self.stage.scene
        with opened(made, MAKE, self.stage.worker, self.shared) as call:
            try:
                yield call
            finally:  # what takes time from here on is closing
                scene.ended_at = self.stage.clock.now()

    def call(self, arguments: Mapping[str, Any], base_url: str | None = None) -> Any:
        with self.made(base_url) as call:
            return call_once(call, arguments, self.stage.worker)

    def renew(self) -> None:
        """Close the client that is kept, if there is one; the next call makes another."""
        if self.kept:
            perform(self.stage, self.closing.pop_all().close)
            self.kept.clear()

    def call_kept(self, arguments: Mapping[str, Any]) -> Any:
        """Call the client that is kept for several calls."""
        if not self.kept:
            self.kept.append(self.closing.enter_context(self.made()))
        return call_once(self.kept[0], arguments, self.stage.worker)


def _end_of(outcome: CallOutcome) -> str:
    """Return in words how the first call ended."""
    if outcome.error is not None:
        said = " ".join(str(outcome.error).split())
        name = type(outcome.error).__name__
        return f"the first call raised {cut(f'{name}: {said}' if said else name, MOST_SAID)}"
    if outcome.is_stopped:
        place = outcome.stuck_at or outcome.waits_at or outcome.hangs_at
        return f"the first call did not end; it stands at {place or 'no line'}"
    return f"the first call returned a value of type {type(outcome.value).__name__}"


def _told_ids(exchanges: Iterable[Exchange], name: str) -> set[int | None]:
    """Return the ids of the jobs whose submit was answered with them, as far as it arrived."""
    return {
        one.job_id
        for one in exchanges
        if one.kind == "submit"
        and not one.is_lost
        and str(one.members.get(name)) == str(one.job_id)
    }
