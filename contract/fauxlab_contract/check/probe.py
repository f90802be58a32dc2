"""The object that holds the state of a check.

It sends requests within the budget, and collects what they show.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from fauxlab_contract.check.causes import OF_ONE_JOB, CauseKey, cause_of, field_of
from fauxlab_contract.check.findings import Moment, Point, ServerFinding
from fauxlab_contract.check.options import Options
from fauxlab_contract.check.oracle import ObservedReply, judge, read_reply
from fauxlab_contract.check.parameters import Parameters, key_of, lacking, parameters_of, path_with
from fauxlab_contract.check.receiver import Receiver
from fauxlab_contract.check.rules import HYGIENE, RULES
from fauxlab_contract.check.target import GoneError, Target, is_refused
from fauxlab_contract.core.http import JSON_TYPE, HttpRequest, HttpResponse
from fauxlab_contract.core.secrets import around_key
from fauxlab_contract.generation.smallest import smallest_request
from fauxlab_contract.openapi.document import Document
from fauxlab_contract.openapi.operation import Operation

__all__ = ["OutOfBudgetError", "Probe"]

MAX_SHOWN = 500  # characters of a response in a finding
AROUND = 100  # of them before the place that a finding is about
MOST_READ = 2**20  # bytes of a body in which that place is looked for
HIDDEN = "$KEY"  # what stands in its place
PAUSES_S = (0.2, 0.5, 1.0)  # after a refused connection, before it is tried again
BUSY_TRIES, BUSY_S = 6, 30.0
DEFAULT_ETA_S = 10.0


class OutOfBudgetError(Exception):
    """The next call, submit or pause would be over a limit; the text names it."""


class Probe:
    """Sends requests and remembers what came.

    `phase` and `label` say which step is running. `on_call` is called after each request.
    """

    def __init__(
        self,
        target: Target,
        document: Document,
        options: Options,
        on_call: Callable[[Probe], None] = lambda _: None,
    ) -> None:
        self.target, self.document, self.options = target, document, options
        self.conventions = document.conventions
        self.phase = self.label = ""
        self.calls = self.submits = 0
        self.is_opened = False  # a valid body was sent, and its answer looked at
        self.started_at = target.now()
        self.findings: dict[CauseKey, ServerFinding] = {}
        self.points: list[Point] = []
        self.jobs: list[Any] = []  # the jobs that are followed
        self.notes: dict[str, None] = {}
        self.refusals: dict[tuple[str, str], list[str]] = {}  # operation, message -> what missed
        self.ids: dict[str, str] = {}  # id, as JSON -> the label of the submit that got it
        self.shared_ids: set[str] = set()  # those that two submits were given
        self.first_jobs: dict[str, Any] = {}  # operation -> its job that is followed most closely
        self.plain_replies: dict[str, ObservedReply] = {}  # operation -> that to a small body
        self._bodies: dict[str, dict[str, Any]] = {}  # operation -> its smallest valid body
        self._parameters: dict[str, Parameters] = {}  # operation -> what it needs
        self.ends: list[float] = []  # when the jobs that were started will probably have ended
        self._on_call = on_call
        self._receiver: Receiver | None = None

    # Budget

    def spent_s(self) -> float:
        """Return the seconds since the check began."""
        return self.target.now() - self.started_at

    def sleep(self, seconds: float) -> None:
        """Wait on the target's clock. Raise OutOfBudgetError if that takes too long."""
        limit = self.options.max_seconds
        if limit is not None and self.spent_s() + seconds > limit:
            raise OutOfBudgetError(f"--max-seconds {limit:g}")
        if seconds > 0:
            self.target.sleep(seconds)

    def _afford(self, may_cost: bool, calls: int = 1) -> float:
        """Return the seconds that the next calls may take, or raise OutOfBudgetError."""
        options, spent_s = self.options, self.spent_s()
        if options.max_calls is not None and self.calls + calls > options.max_calls:
            raise OutOfBudgetError(f"--max-calls {options.max_calls}")
        submits = self.submits + calls if may_cost else 0
        if options.max_submits is not None and submits > options.max_submits:
            raise OutOfBudgetError(f"--max-submits {options.max_submits}")
        left_s = float("inf") if options.max_seconds is None else options.max_seconds - spent_s
        if left_s <= 0:
            raise OutOfBudgetError(f"--max-seconds {options.max_seconds:g}")
        return min(options.timeout_s, left_s)

    # Calls

    def send(self, sent: HttpRequest, *, may_cost: bool = False) -> HttpResponse:
        """Send one request. `may_cost` is True for one that may create a job.

        Raise GoneError if the server takes no connection, several times in a row.
        """
        if self.calls and self.options.delay_s:
            self.sleep(self.options.delay_s)
        for pause_s in (*PAUSES_S, 0.0):
            within_s = self._afford(may_cost)
            self.calls += 1
            came = self.target.send(sent, within_s)
            self._on_call(self)
            if not is_refused(self.target.url, sent, came):
                return came
            self.sleep(pause_s)
        raise GoneError(sent, came)

    def parameters(self, operation: Operation) -> Parameters:
        """Return what the document requires of a request beside its body."""
        if operation.name not in self._parameters:
            self._parameters[operation.name] = parameters_of(self.document, operation)
        return self._parameters[operation.name]

    def lacks(self, operation: Operation) -> str:
        """Return which required parameter nobody gives a value for; empty if there is none."""
        given = dict(self.options.headers)
        return lacking(operation, self.parameters(operation), given)

    def url(self, operation: Operation, job_id: Any = None) -> str:
        """Return the address of an operation, with the id of a job in it, without the query."""
        return self.target.url + path_with(operation, self.parameters(operation), job_id)

    def request(
        self,
        operation: Operation,
        data: bytes,
        *,
        job_id: Any = None,
        headers: Mapping[str, str] | None = None,
        without: str = "",
    ) -> HttpRequest:
        """Return a request with a body of bytes, and all that the document requires beside it.

        `without` is the one parameter that is left out.
        """
        needed = self.parameters(operation)
        names, key = self.names, {self.names.key: self.options.key}
        query = needed.query(without, **key)
        own = {
            name: self.options.key if name == names.key else text
            for name, text in needed.headers(without).items()
        }
        labels = _json_type(operation) if headers is None else headers
        others = {name: text for name, text in self.options.headers if name != without.lower()}
        given = {**own, **others, **labels}
        return HttpRequest(operation.method, self.url(operation, job_id) + query, given, data)

    def json_request(
        self, operation: Operation, body: Any, *, job_id: Any = None, prefer: str = ""
    ) -> HttpRequest:
        """Return a request with a JSON body, where the operation takes one."""
        headers = {"prefer": prefer} if prefer else {}
        if operation.request is None:
            return self.request(operation, b"", job_id=job_id, headers=headers)
        data = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        labelled = _json_type(operation) | headers
        return self.request(operation, data, job_id=job_id, headers=labelled)

    def post(
        self,
        operation: Operation,
        body: Any,
        *,
        job_id: Any = None,
        waits: bool = True,
        prefer: str = "",
    ) -> ObservedReply:
        """Send a JSON body to an operation, and judge the reply on its own."""
        sent = self.json_request(operation, body, job_id=job_id, prefer=prefer)
        return self.ask(operation, sent, waits=waits)

    def look(self, operation: Operation, sent: HttpRequest) -> ObservedReply:
        """Send a request that is not in the document, and read the reply without judging it."""
        response = self.send(sent, may_cost=operation.kind == "submit")
        reply = read_reply(operation, sent, response)
        self._count(reply)
        return reply

    def ask(self, operation: Operation, sent: HttpRequest, *, waits: bool = True) -> ObservedReply:
        """Send a request to an operation and judge its reply on its own.

        If the queue is full, wait and try again, unless `waits` is False.
        """
        may_cost = operation.kind == "submit"
        for _ in range(BUSY_TRIES):
            reply = read_reply(operation, sent, self.send(sent, may_cost=may_cost))
            found: dict[CauseKey, tuple[str, str, str]] = {}  # a reply counts once for each cause
            for rule, where, message in judge(reply, self.options):
                found.setdefault(cause_of(rule, reply, where, ""), (rule, where, message))
            for rule, where, message in found.values():
                self.find(rule, self._told_of(rule, message), reply, where)
            if not (waits and reply.is_busy and self.ends):
                break
            self._wait_for_the_queue(reply)
        self._count(reply)
        return reply

    def together(self, operation: Operation, sent: Sequence[HttpRequest]) -> None:
        """Send submits at the same time, if the target can, and look at the ids alone.

        Each has a connection of its own: some servers answer one connection after the other.
        """
        send = getattr(self.target, "send_together", None)
        if send is None or self.options.delay_s:
            self.note(
                "lifecycle: no submits at the same time: here requests go one after the other"
            )
            return
        within_s = self._afford(True, len(sent))
        self.calls += len(sent)
        closing = [replace(one, headers={**one.headers, "connection": "close"}) for one in sent]
        for one, came in zip(closing, send(closing, within_s), strict=True):
            self._count(read_reply(operation, one, came))
        self._on_call(self)

    def _told_of(self, rule: str, message: str) -> str:
        """Return a message that says what was sent, where this is what a reader asks first."""
        case = self.label.partition(": ")[2]  # behind the name of an operation
        return f"{case}: {message}" if case and rule in ("crash", "reply-not-json") else message

    def _count(self, reply: ObservedReply) -> None:
        """Count a submit that was accepted, or may have been: it has cost something."""
        if reply.operation.kind != "submit":
            return
        if reply.outcome == "accepted" or reply.came.error:
            self.submits += 1
        if reply.outcome == "accepted":
            self._remember(reply)

    def _wait_for_the_queue(self, reply: ObservedReply) -> None:
        now = self.target.now()
        if reply.retry_after is None:
            self.find(
                "no-retry-after",
                f"The queue was full, and the refusal does not say {self.names.retry_after}.",
                reply,
            )
        later = [end for end in self.ends if end > now]
        next_end = min(later, default=now + 1.0)
        pause_s = max(next_end - now, 0.5)
        self.sleep(min(reply.retry_after or BUSY_S, pause_s, BUSY_S))

    def _remember(self, reply: ObservedReply) -> None:
        eta_s = reply.eta_s
        since = reply.came.at - BUSY_S
        self.ends = [end for end in self.ends if end > since]
        if reply.word == self.conventions.words.processing:
            if eta_s is None:
                eta_s = DEFAULT_ETA_S
            self.ends.append(reply.came.at + eta_s)
        number = json.dumps(reply.body.get(self.names.id))
        if number in self.ids:
            self.shared_ids.add(number)
            self.find(
                "id-shared",
                f"Two submits were answered with the id {number}: {self.ids[number]}, and this"
                " one.",
                reply,
            )
        self.ids[number] = self.label

    def smallest(self, operation: Operation) -> dict[str, Any]:
        """Return the smallest valid body of an operation, with our key; empty if it takes none."""
        if operation.name not in self._bodies:
            key = key_of(operation, self.options.key)
            self._bodies[operation.name] = smallest_request(operation, **key)
        return dict(self._bodies[operation.name])

    def place_of(self, operation: Operation) -> int:
        """Return the number of an operation, which tells its webhooks from those of others."""
        return self.document.operations.index(operation)

    def receiver(self) -> Receiver | None:
        """Return the webhook receiver of this check; None if the server cannot reach it.

        It is started at the first call.
        """
        if self._receiver is None and self.options.has_receiver:
            self._receiver = Receiver(self.target.now)
        return self._receiver

    def close(self) -> None:
        """Stop the webhook receiver."""
        if self._receiver is not None:
            self._receiver.close()

    @property
    def names(self) -> Any:
        """The names of the fields."""
        return self.conventions.fields

    # Results

    def find(
        self,
        rule: str,
        message: str,
        reply: ObservedReply,
        where: str = "",
        form: str = "",
        *,
        phase: str = "",
        came: str = "",
    ) -> None:
        """Add a finding at a place in the document (default: the operation).

        If there is one of the same cause, count it instead; `form` tells causes at one place apart.
        `phase` is the one that runs, unless named; `came` is what shows it, unless it is the reply.
        Hygiene is no promise of what is written.
        """
        if reply.of_fauxlab:
            self.note(self.hide(f"not judged: {reply.of_fauxlab[:300]}"))
            return
        where = where or reply.operation.pointer
        group = RULES[rule].group
        if group == HYGIENE and self.options.profile == "as-written":
            return
        if rule in OF_ONE_JOB and json.dumps(reply.body.get(self.names.id)) in self.shared_ids:
            return
        cause = cause_of(rule, reply, where, form)
        known = self.findings.get(cause)
        if known is not None:
            steps = known.steps if self.label in known.steps else (*known.steps, self.label)
            self.findings[cause] = replace(known, times=known.times + 1, steps=steps)
            return
        sent, answer, curl = self._told(reply, HIDDEN if rule == "key-echoed" else field_of(where))
        self.findings[cause] = ServerFinding(
            rule,
            RULES[rule].severity,
            self.hide(message),
            RULES[rule].advice,
            field_of(where, form),
            phase=phase or self.phase,
            operation=reply.operation.name,
            where=where,
            sent=sent,
            came=self.hide(came) or answer,
            curl=curl,
            steps=(self.label,),
            group=group,
        )

    def _told(self, reply: ObservedReply, member: str) -> tuple[str, str, str]:
        sent, came = reply.sent, reply.came
        answer = came.error or f"HTTP {came.code} {self.cut(came.body, member)}"
        request = f"{sent.method} {sent.url} {self.cut(sent.body)}".strip()
        return request, self.hide(answer), sent.curl(self.options.secrets)

    def cut(self, body: bytes, member: str = "") -> str:
        """Return the beginning of a body, and of what stands at a member, without the keys.

        They are hidden first, so that no key is cut in half and shown.
        """
        text = self.hide(body[:MOST_READ].decode("utf-8", "replace"))
        if len(text) <= MAX_SHOWN:
            return text
        name = member.rpartition(".")[2]
        needle = HIDDEN if member == HIDDEN else json.dumps(name)
        place = text.find(needle) if name else -1
        if place < MAX_SHOWN - AROUND:
            return f"{text[:MAX_SHOWN]}... ({len(body)} bytes)"
        start = place - AROUND
        return f"{text[:AROUND]}... {text[start : start + MAX_SHOWN]}... ({len(body)} bytes)"

    def hide(self, text: str) -> str:
        """Return `text` without the keys."""
        for key, name in self.options.secrets.items():
            text = f"${name}".join(around_key(text, key))
        return text

    def note(self, sentence: str) -> None:
        """Remember something that was not covered, and why. The same sentence counts once."""
        self.notes[sentence] = None

    def moment(self, began: float, what: str, came: str) -> Moment:
        """Return something that happens now to a job that `began` at that time."""
        at_s = round(self.target.now() - began, 3)
        return Moment(at_s, what, came)


def _json_type(operation: Operation) -> dict[str, str]:
    """Return the header that labels a JSON body as the document wants it."""
    return {"content-type": operation.request.media_type} if operation.request else {**JSON_TYPE}
