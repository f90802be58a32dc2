"""What the control API can do: one function for each row of `ROUTES`.

Each takes the mock and the arguments of the call and returns plain data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple, get_args

from fauxlab_contract.core.records import Exchange
from fauxlab_contract.core.text import nearest
from fauxlab_mock.behaviour.faults import FAULTS
from fauxlab_mock.behaviour.rules import rule_of
from fauxlab_mock.behaviour.scenarios import SCENARIOS
from fauxlab_mock.engine.job import Job, State
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.settings import options

__all__ = ["ROUTES", "AdminError", "Route"]

MAX_ROWS = 1_000
MAX_MISSES = 100  # that are explained, the last; and of the last jobs one was perhaps meant
MAX_ADVANCE_S = 1e9  # in one call; about 30 years
UNKNOWN_ID = "unknown_id"


class AdminError(Exception):
    """Ends a call with an HTTP code and a sentence."""

    def __init__(self, code: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.code, self.headers = code, headers


class Route(NamedTuple):
    """A method and a pattern of paths, the function that answers, and the arguments it takes.

    `kinds` maps names of arguments to their type, or to the values that are allowed; None allows
    any.
    """

    method: str
    pattern: str
    handler: Callable[..., Any]
    kinds: Mapping[str, Any] | None = MappingProxyType({})


def _health(mock: Mock) -> Any:
    return {
        "status": "ok",
        "url": mock.url,
        "clock": mock.clock.mode,
        "generations": mock.generations,
        **mock.counts(),
    }


_CRITERIA = {
    "method": str,
    "path": str,
    "operation": str,
    "code": int,
    "job_id": int,
    "scenario": tuple(SCENARIOS),
    "fault": tuple(FAULTS),
    "violations": bool,
    "after": int,
    "limit": int,
}


def _selected(mock: Mock, *values: Any) -> list[Exchange]:
    """Return the exchanges that have all the given members: the values of `_CRITERIA`, in order.

    `violations` is True for any or False for none; of those after the number `after`, the last
    `limit` are returned.
    """
    given = dict(zip(_CRITERIA, values, strict=True))
    after = given.pop("after")
    limit = given.pop("limit")
    is_broken = given.pop("violations")
    known = [operation.name for operation in mock.document.operations]
    if given["operation"] not in (None, *known):
        raise AdminError(400, f"operation must be one of {', '.join(known)}.")
    wanted = {name: value for name, value in given.items() if value is not None}
    exchanges = []
    for exchange in mock.requests:
        has_all = all(getattr(exchange, name) == value for name, value in wanted.items())
        is_later = after is None or exchange.number > after
        if has_all and is_later and is_broken in (None, bool(exchange.violations)):
            exchanges.append(exchange)
    return _last(exchanges, limit)


def _last(rows: list[Any], limit: int | None) -> list[Any]:
    if limit is not None and limit < 0:
        raise AdminError(400, "limit must be a whole number from 0.")
    most = MAX_ROWS if limit is None else min(limit, MAX_ROWS)
    first = max(0, len(rows) - most)
    return rows[first:]


def _requests(mock: Mock, *values: Any) -> Any:
    rows = _selected(mock, *values)
    return {"requests": rows, "total": mock.counts()["requests"], "kept": len(mock.requests)}


def _count(mock: Mock, *values: Any) -> Any:
    return {"count": len(_selected(mock, *values))}


def _near_misses(mock: Mock) -> Any:
    """Return calls that matched nothing (wrong path, method or id), and what was perhaps meant."""
    missed = [exchange for exchange in mock.requests if _is_missed(exchange)][-MAX_MISSES:]
    ids = [str(job.id) for job in mock.jobs]
    message = mock.document.conventions.fields.message
    rows = []
    for exchange in missed:
        hint = str(exchange.members.get(message, ""))
        if exchange.refusal == UNKNOWN_ID:
            hint = _hint(exchange, ids)
        rows.append({"request": exchange, "hint": hint})
    return {"near_misses": rows}


def _is_missed(exchange: Exchange) -> bool:
    if exchange.job_id is not None:
        return False
    return exchange.code in (404, 405) or exchange.refusal == UNKNOWN_ID


def _hint(exchange: Exchange, ids: list[str]) -> str:
    """Return what was perhaps meant by a fetch whose id is not one of the caller's."""
    asked = exchange.path.rstrip("/").rpartition("/")[2]
    if asked in ids:
        return f"Job {asked} belongs to another key, or is too old."
    near = nearest(asked[:100], ids[-MAX_MISSES:], 0.7)
    hint = f"There are {len(ids)} jobs."
    if near:
        hint = f"Did you mean {near[0]}?"
    return f"There is no job {asked[:40]}. {hint}"


def _forget_requests(mock: Mock) -> Any:
    mock.reset(journal_only=True)
    return {}


def _job_row(mock: Mock, job: Job) -> dict[str, Any]:
    now = mock.clock.now()
    return {
        "job_id": job.id,
        "state": job.state(now),
        "scenario": job.scenario,
        "operation": job.operation,
        "eta": job.eta_s(now),
        "created_at": job.created_at,
        "ends_at": job.ends_at if job.ends_at < float("inf") else None,
        "fetches": job.fetches,
        "link_reads": job.reads,
        "has_webhook": job.webhook is not None,
        "request": job.meta,
    }


def _jobs(mock: Mock, state: str | None, limit: int | None) -> Any:
    rows = [_job_row(mock, job) for job in mock.jobs]
    rows = [row for row in rows if state in (None, row["state"])]
    return {"jobs": _last(rows, limit), "total": len(rows)}


def _job(mock: Mock, number: str) -> Any:
    return _known(mock, number, mock.job(int(number)))


def _changed(mock: Mock, number: str, change: Callable[[Job, float], Job]) -> Any:
    return _known(mock, number, mock.change_job(int(number), change))


def _known(mock: Mock, number: str, job: Job | None) -> Any:
    if job is None:
        raise AdminError(404, f"There is no job {number}.")
    return _job_row(mock, job)


def _running(job: Job, now: float) -> Job:
    if job.state(now) != "processing":
        raise AdminError(409, f"Job {job.id} has already ended: {job.state(now)}.")
    return job


def _ended(job: Job, now: float, **plan: Any) -> Job:
    job = _running(job, now).ending_at(now)
    return replace(job, plan=replace(job.plan, polls=0, **plan))


def _complete(mock: Mock, number: str) -> Any:
    return _changed(mock, number, lambda job, now: _ended(job, now, outcome="success"))


def _fail(mock: Mock, number: str, message: str | None) -> Any:
    said = {"failure": message} if message else {}
    return _changed(mock, number, lambda job, now: _ended(job, now, outcome="failed", **said))


def _advance_job(mock: Mock, number: str, seconds: float | None) -> Any:
    """Bring the end of one job nearer, as near as now; the clock stays where it is."""
    nearer_s = _seconds(seconds)

    def nearer(job: Job, now: float) -> Job:
        ends_at = max(now, job.ends_at - nearer_s)
        return _running(job, now).ending_at(min(job.ends_at, ends_at))

    return _changed(mock, number, nearer)


def _seconds(given: float | None) -> float:
    if given is None:
        raise AdminError(400, 'seconds is missing; send a JSON body such as {"seconds": 5}.')
    if not 0 <= given <= MAX_ADVANCE_S:
        raise AdminError(400, f"seconds must be a number from 0 to {MAX_ADVANCE_S:.0f}.")
    return given


def _clock(mock: Mock) -> Any:
    return {
        "mode": mock.clock.mode,
        "now": mock.clock.now(),
        "since_start_s": mock.clock.now() - mock.started_at,
    }


def _advance(mock: Mock, seconds: float | None) -> Any:
    mock.clock.advance(_seconds(seconds))
    return _clock(mock)


def _set_clock(mode: Any) -> Callable[..., Any]:
    def change(mock: Mock) -> Any:
        mock.set_clock(mode)
        return _clock(mock)

    return change


def _rules(mock: Mock) -> Any:
    return {"rules": [rule.as_dict() for rule in mock.rules]}


def _add_rule(mock: Mock, arguments: Mapping[str, Any]) -> Any:
    try:
        mock.add_rule(rule_of(arguments))
    except (ValueError, TypeError) as error:
        raise AdminError(400, str(error)) from None
    return _rules(mock)


def _forget_rules(mock: Mock) -> Any:
    mock.forget_rules()
    return {}


def _scenarios(_: Mock) -> Any:
    return {
        "scenarios": [
            {
                "name": scenario.name,
                "summary": scenario.summary,
                "breaks_contract": scenario.breaks_contract,
            }
            for scenario in SCENARIOS.values()
        ]
    }


def _webhooks(mock: Mock, number: int | None) -> Any:
    attempts = [attempt for attempt in mock.webhooks if number in (None, attempt.job_id)]
    return {"webhooks": attempts}


def _redeliver(mock: Mock, number: str) -> Any:
    job = mock.job(int(number))
    if job is None or job.webhook is None:
        raise AdminError(404, f"There is no job {number} with a webhook.")
    if job.state(mock.clock.now()) == "processing":
        raise AdminError(409, f"Job {number} has not ended; its webhook is sent when it ends.")
    mock.redeliver(job)
    return {}


def _settings(mock: Mock) -> Any:
    shown = {
        option.name: getattr(mock.settings, option.name)
        for option in options()
        if not option.metadata["secret"]
    }
    return {"document": mock.settings.document, **shown}


def _verdict(mock: Mock, waive: Mapping[str, Any] | None = None) -> Any:
    reasons = (waive or {}).values()
    if not all(isinstance(reason, str) for reason in reasons):
        raise AdminError(400, "waive must map the ids of rules to reasons, as strings.")
    try:
        verdict = mock.verdict(waive)
    except ValueError as error:
        raise AdminError(400, str(error)) from None
    return verdict.as_dict() | {"text": str(verdict)}


def _reset(mock: Mock, journal_only: bool | None) -> Any:
    try:
        mock.reset(journal_only=bool(journal_only))
    except ValueError as error:  # the file of --rules
        raise AdminError(409, f"Nothing was reset: --rules {error}") from None
    return {}


_SECONDS = {"seconds": int | float}
ROUTES = (
    Route("GET", "/health", _health),
    Route("GET", "/requests", _requests, _CRITERIA),
    Route("DELETE", "/requests", _forget_requests),
    Route("POST", "/requests/find", _requests, _CRITERIA),
    Route("POST", "/requests/count", _count, _CRITERIA),
    Route("GET", "/requests/unmatched/near-misses", _near_misses),
    Route("GET", "/jobs", _jobs, {"state": get_args(State), "limit": int}),
    Route("GET", "/jobs/([0-9]{1,18})", _job),
    Route("POST", "/jobs/([0-9]{1,18})/complete", _complete),
    Route("POST", "/jobs/([0-9]{1,18})/fail", _fail, {"message": str}),
    Route("POST", "/jobs/([0-9]{1,18})/advance", _advance_job, _SECONDS),
    Route("GET", "/clock", _clock),
    Route("POST", "/clock/advance", _advance, _SECONDS),
    Route("POST", "/clock/freeze", _set_clock("manual")),
    Route("POST", "/clock/auto", _set_clock("auto")),
    Route("POST", "/clock/real", _set_clock("real")),
    Route("GET", "/rules", _rules),
    Route("POST", "/rules", _add_rule, None),
    Route("DELETE", "/rules", _forget_rules),
    Route("GET", "/scenarios", _scenarios),
    Route("GET", "/webhooks", _webhooks, {"job_id": int}),
    Route("POST", "/webhooks/([0-9]{1,18})/redeliver", _redeliver),
    Route("GET", "/settings", _settings),
    Route("GET", "/verdict", _verdict),
    Route("POST", "/verdict", _verdict, {"waive": dict}),
    Route("POST", "/reset", _reset, {"journal_only": bool}),
)
