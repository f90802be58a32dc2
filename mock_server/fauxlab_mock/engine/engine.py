"""The whole behaviour of the mock, pure: `decide(call, view, now)` says what to answer and what
changes. No I/O, no clock.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

from fauxlab_contract.core.text import nearest
from fauxlab_contract.core.violation import Violation
from fauxlab_contract.openapi.document import Document, Match
from fauxlab_contract.openapi.operation import Operation
from fauxlab_contract.validation.bodies import response_violations
from fauxlab_mock.behaviour.faults import read_delay
from fauxlab_mock.behaviour.preferences import Preferences
from fauxlab_mock.behaviour.quirks import QUIRKS
from fauxlab_mock.behaviour.refusals import Refused
from fauxlab_mock.behaviour.rules import Rule
from fauxlab_mock.behaviour.scenarios import SCENARIOS, Plan, Scenario
from fauxlab_mock.engine.job import Job, owner_of
from fauxlab_mock.engine.new_job import new_job, planned
from fauxlab_mock.engine.pictures import Picture
from fauxlab_mock.engine.replies import Replies
from fauxlab_mock.engine.request import Reader, RequestFacts
from fauxlab_mock.engine.store import View
from fauxlab_mock.settings import Settings

__all__ = ["LINK_PATH", "Call", "Decision", "Engine", "Reply"]

LINK_PATH = "/generations"


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request as the engine sees it: `path` decoded and without its query, header names
    in lower case.

    No operation reads the query; it is only searched for a key. `origin` is where the caller
    reached the mock, and what links in the reply begin with: `http://127.0.0.1:4010`. None stands
    for the mock's public URL.
    """

    method: str
    path: str
    # these two may hold the key
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    query: str = field(default="", repr=False)
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer: a JSON `body`, or a `picture` to draw."""

    code: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    picture: Picture | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """A reply, the jobs to store, the moment to move the auto clock to, the rules as they are from
    now on, what goes wrong on the way (`fault`, and a `delay` of least to most real seconds), who
    pays for how many generations, and facts for the journal.

    `invalid` lists what the reply itself breaks of the contract: a bug of the mock, never shown as
    a valid reply.
    """

    reply: Reply
    facts: RequestFacts
    changes: tuple[Job, ...] = ()
    advance_to: float | None = None
    rules: tuple[Rule, ...] | None = None
    fault: str | None = None
    delay: tuple[float, float] | None = None
    spends: tuple[str, int] | None = None
    invalid: tuple[Violation, ...] = ()


class Engine:
    """Decides for one document and one set of settings.

    `public_url` is the origin of links for calls that name none, `started_at` the moment that rules
    count from; `is_auto` says whether the clock is on auto now.
    """

    def __init__(
        self,
        document: Document,
        settings: Settings,
        public_url: str,
        started_at: float = 0.0,
        is_auto: Callable[[], bool] | None = None,
    ) -> None:
        self.document = document
        self.started_at = started_at
        self.is_auto = is_auto or (lambda: settings.clock == "auto")
        self.settings = settings
        self.reader = Reader(document, settings)
        self.public_url = public_url
        self.replies = Replies(document, LINK_PATH)

    def decide(self, call: Call, view: View, now: float) -> Decision:
        """Answer one call. Never raises for anything that a client can send."""
        facts = RequestFacts(origin=call.origin or self.public_url)
        try:
            decision = self._answer(call, facts, view, now)
        except Refused as refused:
            facts.refusal = refused.refusal.case
            decision = Decision(self._refusal(facts, refused), facts)
        exempt = facts.scenario is not None and SCENARIOS[facts.scenario].breaks_contract
        invalid = (
            ()
            if exempt or facts.operation is None
            else self._check(facts.operation, decision.reply)
        )
        if invalid or facts.rules is not None or facts.preferences.fault or facts.preferences.delay:
            fault, delay = (
                facts.preferences.fault or facts.fault,
                facts.preferences.delay or facts.delay,
            )
            decision = replace(
                decision, rules=facts.rules, fault=fault, delay=delay, invalid=invalid
            )
        return decision

    def refuse(self, case: str) -> Reply:
        """The reply to what never became a call: broken framing, too large a body."""
        return self._refusal(RequestFacts(), Refused(case))

    def _answer(self, call: Call, facts: RequestFacts, view: View, now: float) -> Decision:
        match = self.document.match(call.method, call.path)
        if match is None and call.path.startswith(LINK_PATH + "/"):
            return self._link(call, facts, view, now)
        if match is None:
            self._no_operation(call)
        self.reader.read(facts, match.operation, call.headers, call.body, view.next_id())
        scenario = self._scenario(facts, match.operation, view, now)
        if scenario.refusal and scenario.does_refuse(match.operation.kind):
            raise Refused(scenario.refusal)
        match match.operation.kind:
            case "submit":
                return self._submit(facts, match.operation, scenario, view, now)
            case "fetch":
                return self._fetch(facts, match, view, now)
        return Decision(
            Reply(
                match.operation.code,
                self.replies.plain(match.operation),
                _applied(facts.preferences),
            ),
            facts,
        )

    def _no_operation(self, call: Call) -> NoReturn:
        methods = self.document.methods(call.path)
        if methods:
            raise Refused(
                "wrong_method",
                f"This path answers {' and '.join(methods)} only.",
                headers={"allow": ", ".join(methods)},
            )
        raise Refused(
            "no_route", "There is no such path." + _did_you_mean(call.path, self.document)
        )

    def _scenario(
        self, facts: RequestFacts, operation: Operation, view: View, now: float
    ) -> Scenario:
        """The most specific choice: the Prefer header, then the key, then the first rule that acts,
        then the setting.
        """
        name = facts.preferences.scenario
        if name is None and facts.key not in self.settings.keys:
            name = facts.key_scenario
        if name is None:
            rule = self._rule(facts, operation, view.rules(), now)
            name = (rule.scenario if rule else None) or self.settings.scenario
        if name not in SCENARIOS:
            raise Refused(
                "unknown_scenario",
                f"There is no such scenario. The scenarios are {', '.join(SCENARIOS)}.",
            )
        facts.scenario = name
        return SCENARIOS[name]

    def _rule(
        self, facts: RequestFacts, operation: Operation, rules: Sequence[Rule], now: float
    ) -> Rule | None:
        """The first rule that acts on this call. Every rule that matches up to there has seen one
        call more.
        """
        left = list(rules)
        for place, rule in enumerate(rules):
            if rule.matches(operation.kind, facts.key, facts.body, now - self.started_at):
                acts = rule.acts(self.settings.seed, place)
                left[place] = rule.counted(acted=acts)
                facts.rules = tuple(
                    one for one in left if one.times is None or one.used < one.times
                )
                if acts:
                    facts.fault, facts.delay = (
                        rule.fault,
                        (read_delay(rule.delay) if rule.delay else None),
                    )
                    return rule
        return None

    def _submit(
        self, facts: RequestFacts, operation: Operation, scenario: Scenario, view: View, now: float
    ) -> Decision:
        if view.is_full(now):
            raise Refused(
                "store_full",
                f"The mock holds {self.settings.limits.unfinished_jobs} unfinished jobs, its limit."
                " Fetch some or restart it.",
            )
        owner = owner_of(facts.key or "")
        if self.settings.credits is not None and view.spent(owner) >= self.settings.credits:
            raise Refused("no_credits")
        waits_s = self._queued(owner, view, now)
        job = new_job(facts, operation, scenario, self.settings, view.next_id(), now)
        job = replace(job, waits_s=waits_s) if waits_s else job
        state = job.state(now)
        if state == "failed":
            raise Refused("job_failed", job.plan.failure)
        facts.job_id = job.id
        body = self._quirky(scenario.quirk, self.replies.of_job(operation, job, now))
        # then the webhook must find the job processing
        ahead = job.plan.webhook in ("early", "before_success")
        brought = self.is_auto() and job.webhook and not ahead and job.ends_at < math.inf
        reply = Reply(operation.code, body, _applied(facts.preferences))
        return Decision(
            reply, facts, (job,), job.ends_at if brought else None, spends=(job.owner, 1)
        )

    def _queued(self, owner: str, view: View, now: float) -> float:
        """Seconds that a new job of this key waits for earlier ones. Raises `Refused` when its
        queue is full.
        """
        limit, in_turn = self.settings.queue_limit, self.settings.queue_mode == "sequential"
        if not limit and not in_turn:
            return 0.0
        running = view.unfinished(owner, now)
        if limit and len(running) >= limit:
            raise Refused(
                "rate_limited", f"Rate limit exceeded. Maximum {limit} queued requests allowed."
            )
        ends = [job.ends_at for job in running if job.ends_at < math.inf] if in_turn else []
        return max(0.0, max(ends, default=now) - now)

    def _fetch(self, facts: RequestFacts, match: Match, view: View, now: float) -> Decision:
        job = self._job(facts, [*match.parameters.values()][-1], view, now)
        facts.job_id = job.id
        seen = _as_preferred(job, facts.preferences)
        jumps = (
            self.is_auto()
            and job.polls_answered > 0
            and now < job.ends_at < math.inf
            and seen == job
        )
        seen = replace(seen, origin=facts.origin)  # links lead to where this caller came
        scenario = SCENARIOS[seen.scenario]
        facts.scenario = scenario.name
        if scenario.refusal and scenario.does_refuse("fetch"):
            raise Refused(scenario.refusal)
        now = job.ends_at if jumps else now
        code, body, polled = self._fetched(facts, match.operation, seen, now)
        changed = replace(job, fetches=job.fetches + 1, polls_answered=job.polls_answered + polled)
        if job.plan.flaps and seen.state(now) == "success":
            changed = replace(
                changed,
                plan=replace(job.plan, flaps=job.plan.flaps - 1, polls=changed.polls_answered + 1),
            )
        paid_back = (
            seen.state(now) == "failed"
            and seen.fetches >= seen.plan.hidden_polls
            and self.owes(job, now)
        )
        changed = replace(changed, is_refunded=True) if paid_back else changed
        reply = Reply(code, self._quirky(scenario.quirk, body), _applied(facts.preferences))
        return Decision(
            reply,
            facts,
            (changed,),
            now if jumps else None,
            spends=(job.owner, -1) if paid_back else None,
        )

    def owes(self, job: Job, now: float) -> bool:
        """Is a job to be paid back, now that somebody is told how it ended?"""
        return self.settings.refunds == "on" and job.state(now) == "failed" and not job.is_refunded

    def _quirky(self, quirk: str | None, body: Any) -> Any:
        return body if quirk is None else QUIRKS[quirk](body, self.document.conventions)

    def _fetched(
        self, facts: RequestFacts, operation: Operation, job: Job, now: float
    ) -> tuple[int, Any, int]:
        """(code, body, 1 if it counts as a processing answer) of a fetch of a known job."""
        state = job.state(now)
        if job.fetches < job.plan.hidden_polls:
            refused = Refused("unknown_id")
            facts.refusal = refused.refusal.case
            return (
                self._code(operation, refused),
                self.replies.failed(operation, refused.message),
                0,
            )
        if state == "failed":
            refused = Refused("job_failed", job.plan.failure)
            code = (
                operation.code
                if operation.variants.keys() & {self.replies.words.failed}
                else self._code(operation, refused)
            )
            return code, self.replies.failed(operation, job.plan.failure, job.id), 0
        return operation.code, self.replies.of_job(operation, job, now), int(state == "processing")

    def _job(self, facts: RequestFacts, number: str, view: View, now: float) -> Job:
        """The job with this id, if it belongs to the key and is not too old; else the call is
        refused like an unknown id.
        """
        job = (
            view.job(int(number))
            if number.isascii() and number.isdecimal() and len(number) < 20
            else None
        )
        foreign = job is not None and facts.key is not None and job.owner != owner_of(facts.key)
        if job is None or foreign or job.is_expired(now, self.settings.limits.job_keep_s):
            raise Refused("unknown_id")
        return job

    def _link(self, call: Call, facts: RequestFacts, view: View, now: float) -> Decision:
        if call.method not in ("GET", "HEAD"):
            raise Refused(
                "wrong_method", "A link answers GET and HEAD only.", headers={"allow": "GET, HEAD"}
            )
        job = view.job_of_file(call.path.removeprefix(LINK_PATH + "/"))
        if job is None or job.is_expired(now, self.settings.limits.job_keep_s):
            raise Refused("no_link")
        facts.job_id = job.id
        changed = (replace(job, reads=job.reads + 1),) if job.state(now) == "success" else ()
        if not job.has_links(now):
            return Decision(self._refusal(facts, Refused("no_link")), facts, changed)
        return Decision(Reply(200, picture=job.picture), facts, changed)

    def _refusal(self, facts: RequestFacts, refused: Refused) -> Reply:
        headers = refused.headers | (_applied(facts.preferences) if facts.scenario else {})
        if (
            facts.operation is not None
            and facts.operation.kind == "fetch"
            and refused.refusal.case == "unknown_id"
        ):
            return Reply(
                self._code(facts.operation, refused),
                self.replies.failed(facts.operation, refused.message),
                headers,
            )
        if "content-type" in headers:
            return Reply(refused.refusal.code, refused.message, headers)
        body = self.replies.error(facts.operation, refused.message, refused.extra)
        return Reply(self._code(facts.operation, refused), body, headers)

    def _code(self, operation: Operation | None, refused: Refused) -> int:
        """The HTTP code of a refusal: its own in the status profile, else what the document
        declares for errors.
        """
        code = refused.refusal.code
        if refused.refusal.keeps_code or self.settings.errors == "status":
            return code
        if (
            operation is None
            or self.replies.words.error in operation.variants
            or not operation.error_codes
        ):
            return (
                operation.code
                if operation is not None and self.replies.words.error in operation.variants
                else 200
            )
        return code if code in operation.error_codes else operation.error_codes[0]

    def _check(self, operation: Operation, reply: Reply) -> tuple[Violation, ...]:
        """What the mock's own reply breaks. An error envelope is exempt where the operation
        declares no branch for it.
        """
        word = reply.body.get(self.replies.names.status) if isinstance(reply.body, dict) else None
        if word == self.replies.words.error and word not in operation.variants:
            return ()
        return response_violations(operation, reply.body)


def _as_preferred(job: Job, preferences: Preferences) -> Job:
    """The job as if it had been planned the way this one fetch prefers; only the reply sees it."""
    if preferences.scenario:
        job = replace(job, scenario=preferences.scenario, fetches=0)
        eta_s = job.plan.announced_eta_s
        # whatever the job's own scenario made of it
        plain = Plan(eta_s, min(eta_s, job.plan.duration_s), job.plan.polls)
        return replace(job, plan=planned(plain, SCENARIOS[preferences.scenario], preferences))
    return replace(job, plan=preferences.over(job.plan))


def _applied(preferences: Preferences) -> dict[str, str]:
    applied = preferences.applied()
    return {"preference-applied": applied} if applied else {}


def _did_you_mean(path: str, document: Document) -> str:
    known = {
        document.base_path + operation.path: operation.method for operation in document.operations
    }
    near = nearest(path[:200], known)
    return (
        f" Did you mean {known[near[0]]} {near[0]}?"
        if near
        else f" Paths begin with {document.base_path or '/'}."
    )
