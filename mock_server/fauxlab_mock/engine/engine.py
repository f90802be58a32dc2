"""The whole behaviour of the mock, pure: from a call, the stored jobs and the time to a decision.

No I/O, no clock, no lock. Facts about the request are filled in on the way, so that a refusal
leaves those that are known by then; nobody else sees them before the decision is returned.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal, NoReturn

from fauxlab_contract.core.text import nearest
from fauxlab_contract.core.violation import Violation
from fauxlab_contract.openapi.document import Document, Match, check_served
from fauxlab_contract.openapi.operation import Operation
from fauxlab_contract.validation.bodies import response_violations
from fauxlab_mock.behaviour.faults import read_delay
from fauxlab_mock.behaviour.preferences import Preferences
from fauxlab_mock.behaviour.quirks import QUIRKS
from fauxlab_mock.behaviour.refusals import OWN, Refused
from fauxlab_mock.behaviour.rules import NEEDS_REFUSAL, Rule
from fauxlab_mock.behaviour.scenarios import SCENARIOS, Plan, Scenario
from fauxlab_mock.engine.job import NOBODY, Job, State
from fauxlab_mock.engine.messages import LINK_PATH, Call, Decision, Reply, control_path, own_reply
from fauxlab_mock.engine.new_job import new_job, planned
from fauxlab_mock.engine.replies import Replies
from fauxlab_mock.engine.request import Reader, RequestFacts
from fauxlab_mock.engine.store import View
from fauxlab_mock.settings import Settings

__all__ = ["Engine"]

Shown = State | Literal["hidden"]  # what a fetch shows of a job


class Engine:
    """Decides for one document and one set of settings. DocumentError for one without operations.

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
        check_served(document)
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
        invalid = self._broken_rules(facts, decision.reply)
        preferred = facts.preferences
        if invalid or facts.rules is not None or preferred.fault or preferred.delay:
            fault = preferred.fault or facts.fault
            delay = preferred.delay or facts.delay
            decision = replace(
                decision, rules=facts.rules, fault=fault, delay=delay, invalid=invalid
            )
        return decision

    def refuse(self, case: str, method: str, path: str) -> Reply:
        """Return the reply to what never became a call: broken framing, too large a body."""
        refused = Refused(case)
        reply, match = self._refusal(RequestFacts(), refused), self.document.match(method, path)
        if match is None or refused.refusal.is_own or match.operation.is_success(reply.code):
            return reply
        body = self.replies.declared_error(match.operation, reply.code, reply.body)
        return replace(reply, body=body)

    def owes(self, job: Job, now: float) -> bool:
        """True when a job is to be paid back now that somebody is told how it ended."""
        return self.settings.refunds == "on" and job.state(now) == "failed" and not job.is_refunded

    def _answer(self, call: Call, facts: RequestFacts, view: View, now: float) -> Decision:
        match = self.document.match(call.method, call.path)
        if match is None and call.plain_path.startswith(LINK_PATH + "/"):
            return self._link(call, facts, view, now)
        if match is None:
            self._no_operation(call)
        operation = match.operation
        self.reader.read(facts, match, call.headers, call.body, call.query, view.next_id())
        scenario = self._scenario(facts, operation, view, now)
        if facts.wrong and not scenario.comes_first(operation.kind):
            facts.scenario = None
            raise facts.wrong
        if scenario.refusal and scenario.does_refuse(operation.kind):
            raise _refused(scenario.refusal, facts)
        match operation.kind:
            case "submit":
                return self._submit(facts, operation, scenario, view, now)
            case "fetch":
                return self._fetch(facts, match, view, now)
        body = self.replies.plain(operation)
        return Decision(Reply(operation.code, body, _applied(facts.preferences)), facts)

    def _no_operation(self, call: Call) -> NoReturn:
        methods = self.document.methods(call.path)
        if methods:
            message = f"This path answers {' and '.join(methods)} only."
            raise Refused("wrong_method", message, headers={"allow": ", ".join(methods)})
        if control := control_path(call.plain_path, self.document):
            raise Refused(
                "no_control", f"There is no {call.plain_path[:100]}; did you mean {control}?"
            )
        raise Refused("no_route", f"There is no such path. {_hint(call.plain_path, self.document)}")

    def _scenario(
        self, facts: RequestFacts, operation: Operation, view: View, now: float
    ) -> Scenario:
        """Return the most specific choice.

        The order is: the Prefer header, the key, the first rule that acts, the setting.
        """
        name = facts.preferences.scenario
        if name is None and facts.key not in self.settings.keys:
            name = facts.key_scenario
        if name is None:
            rule = self._rule(facts, operation, view.rules(), now)
            name = (rule.scenario if rule else None) or self.settings.scenario
        if facts.preferences.retry_after is not None and SCENARIOS[name].refusal is None:
            raise Refused("misuse", f"The preference {NEEDS_REFUSAL}.")
        facts.scenario = name
        return SCENARIOS[name]

    def _rule(
        self, facts: RequestFacts, operation: Operation, rules: Sequence[Rule], now: float
    ) -> Rule | None:
        """Return the first rule that acts on this call.

        Every rule up to there that matches has seen one call more: `facts.rules`.
        """
        left = list(rules)
        kind, since_s = operation.kind, now - self.started_at
        for place, rule in enumerate(rules):
            if not rule.matches(kind, facts.key, facts.body, since_s, is_wrong=bool(facts.wrong)):
                continue
            acts = rule.acts(self.settings.seed, place)
            left[place] = rule.counted(acted=acts)
            facts.rules = tuple(
                kept for kept in left if kept.times is None or kept.used < kept.times
            )
            if acts:
                facts.fault, facts.retry_after = rule.fault, rule.retry_after
                facts.delay = read_delay(rule.delay) if rule.delay else None
                return rule
        return None

    def _submit(
        self,
        facts: RequestFacts,
        operation: Operation,
        scenario: Scenario,
        view: View,
        now: float,
    ) -> Decision:
        if view.is_full(now):
            limit = self.settings.limits.unfinished_jobs
            message = (
                f"The mock holds {limit} unfinished jobs, its limit. Fetch some or restart it."
            )
            raise Refused("store_full", message)
        owner = facts.owner or NOBODY
        most = self.settings.credits
        if most is not None and view.spent(owner) >= most:
            raise Refused("no_credits")
        waits_s = self._queued(owner, view, now)
        job = new_job(facts, operation, scenario, self.settings, view.next_id(), now)
        job = replace(job, waits_s=waits_s) if waits_s else job
        if job.state(now) == "failed":
            raise Refused("job_failed", job.plan.failure)
        facts.job_id = job.id
        body = self._quirky(scenario.quirk, self.replies.of_job(operation, job, now))
        reply = Reply(operation.code, body, _applied(facts.preferences))
        ends_at = job.ends_at if self._ends_at_once(job) else None
        return Decision(reply, facts, (job,), ends_at, spends=(job.owner, 1))

    def _ends_at_once(self, job: Job) -> bool:
        """True when the auto clock goes to the end of a new job, which nobody needs to fetch then.

        A webhook that comes before the end must find the job processing.
        """
        comes_before = job.plan.webhook in ("early", "before_success")
        has_webhook = job.webhook is not None and not comes_before
        return has_webhook and job.ends_at < math.inf and self.is_auto()

    def _queued(self, owner: str, view: View, now: float) -> float:
        """Return the seconds that a new job waits for earlier ones of its key.

        Raise `Refused` when the queue of the key is full.
        """
        limit = self.settings.queue_limit
        is_in_turn = self.settings.queue_mode == "sequential"
        if not limit and not is_in_turn:
            return 0.0
        running = view.unfinished(owner, now)
        if limit and len(running) >= limit:
            message = f"Rate limit exceeded. Maximum {limit} queued requests allowed."
            raise Refused("rate_limited", message)
        if not is_in_turn:
            return 0.0
        ends = [job.ends_at for job in running if job.ends_at < math.inf]
        return max(0.0, max(ends, default=now) - now)

    def _fetch(self, facts: RequestFacts, match: Match, view: View, now: float) -> Decision:
        job = self._job(facts, match, view, now)
        facts.job_id = job.id
        seen = _as_preferred(job, facts.preferences)
        scenario = SCENARIOS[seen.scenario]
        facts.scenario = scenario.name
        if scenario.refusal and scenario.does_refuse("fetch"):
            raise _refused(scenario.refusal, facts)
        is_running = now < job.ends_at < math.inf
        is_second = is_running and job.polls_answered > 0 and seen == job
        jumps = is_second and self.is_auto()
        now = job.ends_at if jumps else now
        seen = replace(seen, origin=facts.origin)  # links lead to where this caller came
        shown: Shown = "hidden" if seen.fetches < seen.plan.hidden_polls else seen.state(now)
        code, body = self._fetched(facts, match.operation, seen, shown, now)
        changed = _fetched_once(job, shown, is_success=seen.state(now) == "success")
        spends = None
        if shown == "failed" and self.owes(job, now):
            changed = replace(changed, is_refunded=True)
            spends = (job.owner, -1)
        body = self._quirky(scenario.quirk, body)
        reply = Reply(code, body, _applied(facts.preferences))
        return Decision(reply, facts, (changed,), now if jumps else None, spends=spends)

    def _fetched(
        self, facts: RequestFacts, operation: Operation, job: Job, shown: Shown, now: float
    ) -> tuple[int, Any]:
        """Return (code, body) of a fetch that shows this much of a known job."""
        if shown == "hidden":
            refused = Refused("unknown_id")
            facts.refusal = refused.refusal.case
            return self._unknown(operation, refused)
        if shown == "failed" and self.replies.words.failed in operation.variants:
            return operation.code, self.replies.failed(operation, job)
        if shown == "failed":
            return self._error(operation, Refused("job_failed", job.plan.failure))
        return operation.code, self.replies.of_job(operation, job, now)

    def _quirky(self, quirk: str | None, body: Any) -> Any:
        return body if quirk is None else QUIRKS[quirk](body, self.document.conventions)

    def _job(self, facts: RequestFacts, match: Match, view: View, now: float) -> Job:
        """Return the job that a fetch names, if it belongs to the key and is not too old.

        Otherwise refuse the call like one with an unknown id.
        """
        job = self.replies.ids.job(match, view.job)
        if job is None or job.is_expired(now, self.settings.limits.job_keep_s):
            raise Refused("unknown_id")
        if facts.owner not in (None, job.owner):
            raise Refused("unknown_id")
        return job

    def _link(self, call: Call, facts: RequestFacts, view: View, now: float) -> Decision:
        if call.method not in ("GET", "HEAD"):
            allow = {"allow": "GET, HEAD"}
            raise Refused("wrong_method", "A link answers GET and HEAD only.", headers=allow)
        job = view.job_of_file(call.plain_path.removeprefix(LINK_PATH + "/"))
        if job is None or job.is_expired(now, self.settings.limits.job_keep_s):
            raise Refused("no_link")
        facts.job_id = job.id
        changed: tuple[Job, ...] = ()
        if job.state(now) == "success":
            changed = (replace(job, reads=job.reads + 1),)
        if not job.has_links(now):
            return Decision(self._refusal(facts, Refused("no_link")), facts, changed)
        return Decision(Reply(200, picture=job.picture), facts, changed)

    def _refusal(self, facts: RequestFacts, refused: Refused) -> Reply:
        if refused.refusal.is_own:
            return own_reply(refused.refusal.code, refused.message)
        operation = facts.operation
        headers = refused.headers
        if facts.scenario:
            headers = headers | _applied(facts.preferences)
        is_fetch = operation is not None and operation.kind == "fetch"
        if operation is not None and is_fetch and refused.refusal.case == "unknown_id":
            return Reply(*self._unknown(operation, refused), headers)
        (code, body), wait_s = self._error(operation, refused), refused.extra.get("retry_after")
        if wait_s is not None and code >= 400:
            headers = headers | {"retry-after": str(wait_s)}
        return Reply(code, refused.message if "content-type" in headers else body, headers)

    def _unknown(self, operation: Operation, refused: Refused) -> tuple[int, Any]:
        """Return (code, body) of a fetch of a job that is not known."""
        code = self._code(operation, refused)
        if self.replies.words.failed in operation.variants and operation.is_success(code):
            return code, self.replies.unknown(operation, refused.message)
        return self._error(operation, refused)

    def _error(self, operation: Operation | None, refused: Refused) -> tuple[int, Any]:
        """Return the code of a refusal, and its body as the document declares it for that code."""
        code = self._code(operation, refused)
        return code, self.replies.error(operation, refused.message, refused.extra, code)

    def _code(self, operation: Operation | None, refused: Refused) -> int:
        """Return the HTTP code of a refusal.

        It is the first of the refusal's codes that the operation declares; else, in the status
        profile, its own. The envelope profile takes the code of the error variant first of all,
        and another code that is declared for errors, or 200, in the end.
        """
        code, declared = refused.refusal.code, operation.error_codes if operation else ()
        if refused.refusal.keeps_code:
            return code
        meant = next((each for each in refused.refusal.codes if each in declared), None)
        if self.settings.errors == "status":
            return meant or code
        if operation and self.replies.words.error in operation.variants:
            return operation.code
        if operation and meant is None and not operation.is_success(code):
            return code
        return meant or min(declared, key=lambda each: each // 100 != code // 100, default=200)

    def _broken_rules(self, facts: RequestFacts, reply: Reply) -> tuple[Violation, ...]:
        """Return what the mock's own reply breaks of the contract.

        Scenarios that break it on purpose are exempt, and those that change replies in a way which
        some documents forbid; also what the mock says in its own name, and an error envelope where
        the operation declares no branch for it.
        """
        operation = facts.operation
        if operation is None or facts.refusal in OWN:
            return ()
        scenario = SCENARIOS.get(facts.scenario or "")
        if scenario and (scenario.breaks_contract or scenario.quirk):
            return ()
        word = None
        if isinstance(reply.body, dict):
            word = reply.body.get(self.replies.names.status)
        is_own = operation.is_success(reply.code)
        if is_own and word == self.replies.words.error and word not in operation.variants:
            return ()
        return response_violations(operation, reply.body, reply.code)


def _as_preferred(job: Job, preferences: Preferences) -> Job:
    """Return the job as if it had been planned the way this one fetch prefers.

    Only the reply sees it.
    """
    if preferences.scenario:
        job = replace(job, scenario=preferences.scenario, fetches=0)
        eta_s = job.plan.announced_eta_s
        duration_s = min(eta_s, job.plan.duration_s)  # whatever the job's own scenario made of it
        plain = Plan(eta_s, duration_s, job.plan.polls)
        return replace(job, plan=planned(plain, SCENARIOS[preferences.scenario], preferences))
    return replace(job, plan=preferences.over(job.plan))


def _fetched_once(job: Job, shown: Shown, *, is_success: bool) -> Job:
    """Return the job after one more fetch; a success that flaps is followed by `processing`."""
    polls_answered = job.polls_answered + (shown == "processing")
    plan = job.plan
    if plan.flaps and is_success:
        plan = replace(plan, flaps=plan.flaps - 1, polls=polls_answered + 1)
    return replace(job, fetches=job.fetches + 1, polls_answered=polls_answered, plan=plan)


def _refused(case: str, facts: RequestFacts) -> Refused:
    """Return the refusal of a scenario, with the wait that the call or a rule asks for."""
    asked = facts.preferences.retry_after
    wait_s = facts.retry_after if asked is None else asked
    return Refused(case, extra={} if wait_s is None else {"retry_after": wait_s})


def _applied(preferences: Preferences) -> dict[str, str]:
    applied = preferences.applied()
    return {"preference-applied": applied} if applied else {}


def _hint(path: str, document: Document) -> str:
    known = {
        operation.base_path + operation.path: operation.method for operation in document.operations
    }
    if near := nearest(path[:200], known):
        return f"Did you mean {known[near[0]]} {near[0]}?"
    return f"Paths begin with {document.base_path or '/'}."
