"""What the control API can do: one function for each row of `ROUTES`, from the mock and the call's
arguments to plain data.
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
    """A method and a pattern of paths, what answers them, and the arguments that it takes: name ->
    type, or the names that there are.

    None takes any.
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


def _found(mock: Mock, *values: Any) -> list[Exchange]:
    """The exchanges that have all the given members; the values are those of `_CRITERIA`, in order.

    `violations`: any or none; `after`: a number; the last `limit` of them.
    """
    given = dict(zip(_CRITERIA, values, strict=True))
    after, limit, broken = given.pop("after"), given.pop("limit"), given.pop("violations")
    known = [one.name for one in mock.document.operations]
    if given["operation"] not in (None, *known):
        raise AdminError(400, f"operation must be one of {', '.join(known)}.")
    wanted = {name: value for name, value in given.items() if value is not None}
    rows = [
        one
        for one in mock.requests
        if all(getattr(one, name) == value for name, value in wanted.items())
    ]
    rows = [
        one
        for one in rows
        if (after is None or one.number > after) and broken in (None, bool(one.violations))
    ]
    return _last(rows, limit)


def _last(rows: list[Any], limit: int | None) -> list[Any]:
    if limit is not None and limit < 0:
        raise AdminError(400, "limit must be a whole number from 0.")
    return rows[max(0, len(rows) - min(MAX_ROWS, MAX_ROWS if limit is None else limit)) :]


def _requests(mock: Mock, *values: Any) -> Any:
    rows = _found(mock, *values)
    return {"requests": rows, "total": mock.counts()["requests"], "kept": len(mock.requests)}


def _count(mock: Mock, *values: Any) -> Any:
    return {"count": len(_found(mock, *values))}


def _near_misses(mock: Mock) -> Any:
    """Calls that matched nothing: wrong path, method or id; with what was perhaps meant."""
    missed = [
        one
        for one in mock.requests
        if one.job_id is None and (one.code in (404, 405) or one.refusal == UNKNOWN_ID)
    ]
    ids = [str(job.id) for job in mock.jobs]
    said = mock.document.conventions.fields.message
    hints = [
        _hint(one, ids) if one.refusal == UNKNOWN_ID else str(one.members.get(said, ""))
        for one in missed[-MAX_MISSES:]
    ]
    return {
        "near_misses": [
            {"request": one, "hint": hint}
            for one, hint in zip(missed[-MAX_MISSES:], hints, strict=True)
        ]
    }


def _hint(exchange: Exchange, ids: list[str]) -> str:
    """What was perhaps meant by a fetch whose id is not one of the caller's."""
    asked = exchange.path.rstrip("/").rpartition("/")[2]
    near = nearest(asked, ids[-MAX_MISSES:], 0.7)
    if asked in ids:
        return f"Job {asked} belongs to another key, or is too old."
    return f"There is no job {asked[:40]}." + (
        f" Did you mean {near[0]}?" if near else f" There are {len(ids)} jobs."
    )


def _forget_requests(mock: Mock) -> Any:
    mock.reset(journal_only=True)
    return {}


def _job_row(mock: Mock, job: Job) -> dict[str, Any]:
    now = mock.clock.now()
    row = {
        "job_id": job.id,
        "state": job.state(now),
        "scenario": job.scenario,
        "operation": job.operation,
        "eta": job.eta_s(now),
    }
    times = {
        "created_at": job.created_at,
        "ends_at": job.ends_at if job.ends_at < float("inf") else None,
    }
    return (
        row
        | times
        | {
            "fetches": job.fetches,
            "link_reads": job.reads,
            "has_webhook": job.webhook is not None,
            "request": job.meta,
        }
    )


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
        raise AdminError(409, f"Job {job.id} has ended already: {job.state(now)}.")
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
    return _changed(
        mock,
        number,
        lambda job, now: _running(job, now).ending_at(
            min(job.ends_at, max(now, job.ends_at - nearer_s))
        ),
    )


def _seconds(given: float | None) -> float:
    if given is None or not 0 <= given <= MAX_ADVANCE_S:
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
            {"name": one.name, "summary": one.summary, "breaks_contract": one.breaks_contract}
            for one in SCENARIOS.values()
        ]
    }


def _webhooks(mock: Mock, number: int | None) -> Any:
    return {"webhooks": [attempt for attempt in mock.webhooks if number in (None, attempt.job_id)]}


def _redeliver(mock: Mock, number: str) -> Any:
    job = mock.job(int(number))
    if job is None or job.webhook is None:
        raise AdminError(404, f"There is no job {number} with a webhook.")
    if job.state(mock.clock.now()) == "processing":
        raise AdminError(409, f"Job {number} has not ended; its webhook comes when it does.")
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
    if not all(isinstance(reason, str) for reason in (waive or {}).values()):
        raise AdminError(400, "waive must map the ids of rules to reasons, which are texts.")
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
