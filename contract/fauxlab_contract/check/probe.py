"""The one object that a check keeps its state in: it sends calls within the budget and collects
what they show.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from fauxlab_contract.check.findings import Moment, Point, ServerFinding
from fauxlab_contract.check.options import Options
from fauxlab_contract.check.oracle import ObservedReply, judge, read_reply
from fauxlab_contract.check.receiver import Receiver
from fauxlab_contract.check.rules import RULES
from fauxlab_contract.check.target import Target
from fauxlab_contract.core.http import HttpRequest, HttpResponse, json_call
from fauxlab_contract.core.rules import field_at
from fauxlab_contract.openapi.document import Document
from fauxlab_contract.openapi.operation import Operation

__all__ = ["OutOfBudgetError", "Probe"]

MAX_SHOWN = 500  # characters of an answer in a finding
BUSY_TRIES, BUSY_S = 6, 30.0
DEFAULT_ETA_S = 10.0


class OutOfBudgetError(Exception):
    """The next call, submit or pause would be over a limit; the text names it."""


class Probe:
    """Sends and remembers. `phase` and `label` say what is being done now."""

    def __init__(self, target: Target, document: Document, options: Options) -> None:
        self.target, self.document, self.options = target, document, options
        self.conventions = document.conventions
        self.phase = self.label = ""
        self.calls = self.submits = 0
        self.started_at = target.now()
        self.findings: dict[tuple[str, str, str], ServerFinding] = {}
        self.points: list[Point] = []
        self.lives: list[Any] = []  # the jobs that were followed
        self.notes: dict[str, None] = {}
        self.ids: dict[str, str] = {}  # id, as JSON -> the label of the submit that got it
        self.cores: dict[str, Any] = {}  # operation -> the job of it that is followed most closely
        self.ends: list[float] = []  # when the jobs that were started will probably have ended
        self.on_call: Callable[[], None] = lambda: None
        self._receiver: Receiver | None = None

    # Budget

    def spent_s(self) -> float:
        return self.target.now() - self.started_at

    def sleep(self, seconds: float) -> None:
        """Wait on the target's clock; OutOfBudgetError rather than beyond `max_seconds`."""
        limit = self.options.max_seconds
        if limit is not None and self.spent_s() + seconds > limit:
            raise OutOfBudgetError(f"--max-seconds {limit:g}")
        if seconds > 0:
            self.target.sleep(seconds)

    def _afford(self, may_cost: bool) -> float:
        """Seconds that the next call may take."""
        options, spent_s = self.options, self.spent_s()
        if options.max_calls is not None and self.calls >= options.max_calls:
            raise OutOfBudgetError(f"--max-calls {options.max_calls}")
        if may_cost and options.max_submits is not None and self.submits >= options.max_submits:
            raise OutOfBudgetError(f"--max-submits {options.max_submits}")
        left_s = (options.max_seconds or float("inf")) - spent_s
        if left_s <= 0:
            raise OutOfBudgetError(f"--max-seconds {options.max_seconds:g}")
        return min(options.timeout_s, left_s)

    # Calls

    def send(self, sent: HttpRequest, *, may_cost: bool = False) -> HttpResponse:
        """Send one request, whatever it is."""
        within_s = self._afford(may_cost)
        self.calls += 1
        came = self.target.send(sent, within_s)
        self.on_call()
        return came

    def url(self, operation: Operation, job_id: Any = None) -> str:
        path = operation.path
        if job_id is not None:
            path = operation.path.rpartition("{")[0] + str(job_id)
        return self.target.url + path

    def post(
        self,
        operation: Operation,
        body: Any,
        *,
        job_id: Any = None,
        waits: bool = True,
        prefer: str = "",
    ) -> ObservedReply:
        """POST a JSON body to an operation, and judge what comes as a single reply."""
        headers = {"prefer": prefer} if prefer else {}
        return self.ask(
            operation, json_call(self.url(operation, job_id), body, headers), waits=waits
        )

    def look(self, operation: Operation, sent: HttpRequest) -> ObservedReply:
        """Send a request that is none of the document's, and read the answer without judging it."""
        reply = read_reply(operation, sent, self.send(sent, may_cost=operation.kind == "submit"))
        self._count(reply)
        return reply

    def ask(self, operation: Operation, sent: HttpRequest, *, waits: bool = True) -> ObservedReply:
        """Send a request to an operation and judge its reply by itself. A full queue is waited for,
        unless `waits` is false.
        """
        may_cost = operation.kind == "submit"
        for _ in range(BUSY_TRIES):
            reply = read_reply(operation, sent, self.send(sent, may_cost=may_cost))
            for rule, where, message in judge(reply, self.options):
                self.find(rule, message, reply, where)
            if not (waits and reply.is_busy and self.ends):
                break
            self._wait_for_the_queue(reply)
        self._count(reply)
        return reply

    def _count(self, reply: ObservedReply) -> None:
        """What was accepted, or may have been, has cost something."""
        if reply.operation.kind == "submit" and (reply.outcome == "accepted" or reply.came.error):
            self.submits += 1
        if reply.operation.kind == "submit" and reply.outcome == "accepted":
            self._remember(reply)

    def _wait_for_the_queue(self, reply: ObservedReply) -> None:
        now = self.target.now()
        if reply.retry_after is None:
            self.find(
                "no-retry-after",
                f"The queue was full, and the refusal does not say {self.names.retry_after}.",
                reply,
            )
        next_end = min([end for end in self.ends if end > now] or [now + 1.0])
        self.sleep(min(reply.retry_after or BUSY_S, max(next_end - now, 0.5), BUSY_S))

    def _remember(self, reply: ObservedReply) -> None:
        eta_s = reply.eta_s
        self.ends = [end for end in self.ends if end > reply.came.at - BUSY_S]
        if reply.word == self.conventions.words.processing:
            self.ends.append(reply.came.at + (DEFAULT_ETA_S if eta_s is None else eta_s))
        number = json.dumps(reply.body.get(self.names.id))
        if number in self.ids:
            self.find(
                "id-shared",
                f"Two submits were answered with the id {number}: {self.ids[number]}, and this"
                " one.",
                reply,
            )
        self.ids[number] = self.label

    def receiver(self) -> Receiver | None:
        """The webhook receiver of this check, started when it is first asked for; None when the
        server cannot reach it.
        """
        if self._receiver is None and self.options.has_receiver:
            self._receiver = Receiver(self.target.now)
        return self._receiver

    def close(self) -> None:
        if self._receiver is not None:
            self._receiver.close()

    @property
    def names(self) -> Any:
        return self.conventions.fields

    # Results

    def find(
        self, rule: str, message: str, reply: ObservedReply, where: str = "", form: str = ""
    ) -> None:
        """Add a finding at a place in the document; another one of the same rule, place and form is
        counted instead.
        """
        operation, where = reply.operation.name, where or reply.operation.pointer
        place = (rule, where, form)
        if place in self.findings:
            self.findings[place] = replace(
                self.findings[place], times=self.findings[place].times + 1
            )
            return
        sent, came, curl = self._told(reply)
        self.findings[place] = ServerFinding(
            rule,
            RULES[rule].severity,
            self.hide(message),
            RULES[rule].advice,
            field_at(where),
            phase=self.phase,
            operation=operation,
            where=where,
            sent=sent,
            came=came,
            curl=curl,
        )

    def _told(self, reply: ObservedReply) -> tuple[str, str, str]:
        sent, came = reply.sent, reply.came
        answer = came.error or f"HTTP {came.code} {self._cut(came.body)}"
        told = f"{sent.method} {sent.url} {self._cut(sent.body)}".strip()
        return told, self.hide(answer), sent.curl(self.options.secrets)

    def _cut(self, body: bytes) -> str:
        """The beginning of a body, without the keys: they are hidden first, so that none is cut in
        half.
        """
        text = self.hide(body[: 4 * MAX_SHOWN].decode("utf-8", "replace"))
        return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}... ({len(body)} bytes)"

    def hide(self, text: str) -> str:
        """`text` without the keys."""
        for key, name in self.options.secrets.items():
            text = text.replace(key, f"${name}")
        return text

    def note(self, sentence: str) -> None:
        """Something that was not covered, and why; said once."""
        self.notes[sentence] = None

    def point(self, operation: Operation, case: Any, reply: ObservedReply) -> None:
        """Remember one value of one field for the picture of the bounds."""
        name = case.label.partition(" ")[0]
        value: Any = case.body.get(name) if isinstance(case.body, Mapping) else None
        number = (
            float(value)
            if isinstance(value, (int, float)) and not isinstance(value, bool)
            else None
        )
        shown = (
            "(missing)"
            if value is None and name not in case.body
            else self.hide(json.dumps(value, ensure_ascii=False)[:80])
        )
        self.points.append(
            Point(operation.name, name, case.label, shown, case.is_valid, reply.outcome, number)
        )

    def moment(self, began: float, what: str, came: str) -> Moment:
        return Moment(round(self.target.now() - began, 3), what, came)
