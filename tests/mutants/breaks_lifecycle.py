"""Mutants whose single replies are fine, and whose jobs or queue are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mutants.behaviour import CORRECT, Job, Reply, Switch, all_of, change, edit
from mutants.mutant import CrashError, code, drop, each_reply, put, table

if TYPE_CHECKING:
    from mutants.server import Server

__all__ = ["LIFECYCLE_MUTANTS"]


FOREVER_S = 1e12


def after_end(do: Callable[[Job, int], str]) -> Switch:
    """A fetch after the end is in the state that `do` names, asked with the job and the number of
    such fetches before.
    """

    def state(job: Job, now: float) -> str:
        right = CORRECT.state(job, now)
        return right if right == "processing" else do(job, job.ended_polls) or right

    return change(state=state)


def _ends_longer(_: Server, job: Job) -> None:
    if CORRECT.state(job, _.now) == "processing":
        job.ends += 3


def _puts_off(server: Server, job: Job) -> float:
    for other in server.jobs:
        if CORRECT.state(other, server.now) == "processing":
            other.ends += 3
    return CORRECT.ends(server, job)


def _unknown_is(status: str) -> Switch:
    bodies: dict[str, dict[str, Any]] = {
        "success": {"status": "success", "output": ["https://example.com/0.png"]},
        "processing": {"status": "processing", "output": ""},
    }
    body = bodies[status]

    def do(reply: Reply) -> None:
        if reply.job is None:
            reply.body = body | (
                {"id": int(reply.sent) if str(reply.sent).isdigit() else 1}
                if status == "success"
                else {}
            )

    return each_reply("fetch.unknown", do)


def _stranger(do: Callable[[Server, Reply], object]) -> Switch:
    """Something is said about a job to a key that does not own it."""
    return edit(
        lambda server, reply: (
            reply.kind == "fetch.unknown" and reply.job is not None and do(server, reply)
        )
    )


def _sticky(name: str) -> Switch:
    """A field that is absent is taken from the request before."""

    def accepted(server: Server, fields: dict[str, Any]) -> dict[str, Any]:
        before = server.jobs[-1].fields if server.jobs else {}
        return ({name: before[name]} if name in before else {}) | fields

    return change(accepted=accepted)


def _crash(_: object) -> object:
    raise CrashError


def _same_inputs(server: Server, fields: dict[str, Any]) -> int:
    same = [job.id for job in server.jobs if job.fields == fields]
    return same[0] if same else CORRECT.new_id(server, fields)


def _other_unfinished(server: Server, job: Job) -> Job:
    near = [
        other
        for other in server.jobs
        if other is not job
        and other.key == job.key
        and abs(other.created - job.created) < job.eta_s
    ]
    return near[0] if near else job


def _number(reply: Reply) -> int:
    return int(reply.body["id"])


IDS = [
    (
        "S26.first",
        "fetch_result names the first job",
        edit(
            lambda server, reply: (
                reply.kind == "submit.processing"
                and reply.body.update(
                    fetch_result=reply.body["fetch_result"].replace(
                        str(reply.body["id"]), str(server.jobs[0].id)
                    )
                )
            )
        ),
    ),
    (
        "S26.production",
        "fetch_result is at the vendor's server",
        put(
            "submit.processing",
            fetch_result=lambda r: f"https://modelslab.com/api/v6/image_editing/fetch/{_number(r)}",
        ),
    ),
    (
        "S30.fetch",
        "the id of a result is one more",
        put("fetch.success", id=lambda r: _number(r) + 1),
    ),
    (
        "S30.failed",
        "the id of a failed job is one more",
        put("fetch.failed", id=lambda r: _number(r) + 1),
    ),
    ("S30.sign", "the id of a result is negative", put("fetch.success", id=lambda r: -_number(r))),
    ("S31.all", "all jobs have one id", change(new_id=lambda server, _: server.first_id)),
    (
        "S31.pairs",
        "two jobs in succession have one id",
        change(new_id=lambda server, _: server.first_id + len(server.jobs) // 2),
    ),
    ("S31.same-inputs", "jobs with the same inputs have one id", change(new_id=_same_inputs)),
    (
        "S31.reset",
        "ids begin again after four jobs",
        change(new_id=lambda server, _: server.first_id + len(server.jobs) % 4),
    ),
    (
        "E13.forgotten",
        "a new job makes the older ones unknown",
        change(finds=lambda server, job: server.jobs[-1] is job),
    ),
    ("E14.swapped", "two jobs at once get each other's result", change(source=_other_unfinished)),
    ("E15.width", "an absent width is that of the request before", _sticky("width")),
    ("E15.track_id", "an absent track_id is that of the request before", _sticky("track_id")),
    ("E15.webhook", "an absent webhook is that of the request before", _sticky("webhook")),
    (
        "E17.shared-link",
        "all jobs have the first one's link",
        change(
            links=lambda server, job: CORRECT.links(server, server.jobs[0] if server.jobs else job)
        ),
    ),
]


STATES = [
    (
        "S32.once",
        "the second fetch after success is processing again",
        after_end(lambda job, n: "processing" if n == 1 and not job.fails else ""),
    ),
    (
        "S32.after-first",
        "after the first success it is processing for ever",
        after_end(lambda job, n: "processing" if n and not job.fails else ""),
    ),
    ("S32.failed", "a success turns into a failure", after_end(lambda _, n: "failed" if n else "")),
    (
        "S32.recovers",
        "a failure turns into a success",
        after_end(lambda _, n: "success" if n else ""),
    ),
    (
        "S32.failed-processing",
        "a failure falls back to processing",
        after_end(lambda job, n: "processing" if n and job.fails else ""),
    ),
    (
        "S32.gone",
        "a result can be fetched once, then its id is unknown",
        change(finds=lambda _, job: not job.ended_polls),
    ),
    (
        "S33.query",
        "the output changes with each fetch",
        edit(
            lambda _, r: (
                r.kind == "fetch.success"
                and r.body.update(
                    output=[
                        f"{link}?n={r.job.ended_polls if r.job else 0}" for link in r.body["output"]
                    ]
                )
            )
        ),
    ),
    (
        "S33.grows",
        "the output has one more item at each fetch",
        put("fetch.success", output=lambda r: r.body["output"] * r.job.ended_polls),
    ),
    (
        "S33.bytes",
        "the picture changes with each download",
        change(paints=lambda server, job: (*CORRECT.paints(server, job), job.downloads)),
    ),
    ("S34.never", "a job never ends", change(ends=lambda *_: FOREVER_S)),
    (
        "S34.failed",
        "a job that fails never ends",
        change(ends=lambda s, job: FOREVER_S if job.fails else CORRECT.ends(s, job)),
    ),
    (
        "S34.second",
        "only the first job ends",
        change(ends=lambda s, job: FOREVER_S if s.jobs else CORRECT.ends(s, job)),
    ),
    (
        "S34.extended",
        "each fetch before the end puts it off by 3 s",
        change(before_fetch=_ends_longer),
    ),
    (
        "S34.late",
        "a job ends after two hundred times its eta",
        change(ends=lambda _, job: job.created + 200 * job.eta_s),
    ),
    (
        "S34.webhook",
        "a job with a webhook never ends",
        change(ends=lambda s, job: FOREVER_S if "webhook" in job.fields else CORRECT.ends(s, job)),
    ),
    (
        "S34.starved",
        "each new job puts off those that are running by 3 s",
        change(ends=_puts_off),
    ),
    ("S35.success", "an unknown id is a success", _unknown_is("success")),
    ("S35.processing", "an unknown id is processing for ever", _unknown_is("processing")),
    (
        "S35.crash",
        "an unknown id crashes it",
        each_reply("fetch.unknown", lambda r: r.job or _crash(r)),
    ),
    ("S36.success", "any good key may fetch a job", change(owns=lambda *_: True)),
    (
        "S36.processing",
        "another key sees that a job is there, and is told `processing`",
        _stranger(lambda _, reply: reply.becomes(body={"status": "processing", "output": ""})),
    ),
    (
        "S36.tells",
        "another key is told whose job it is not",
        _stranger(
            lambda _, reply: reply.body.update(message="This request belongs to another account")
        ),
    ),
    (
        "S36.id",
        "another key is told the id",
        _stranger(lambda _, reply: reply.job and reply.body.update(id=reply.job.id)),
    ),
    (
        "S36.output",
        "another key is refused, with the output",
        _stranger(
            lambda server, reply: (
                reply.job
                and reply.body.update(
                    id=reply.job.id, output=server.behaviour.links(server, reply.job)
                )
            )
        ),
    ),
]


def queue(**parts: Any) -> Switch:
    return change(**{"queue_limit": 5, **parts})


QUEUE = [
    (
        "S48.sixth",
        "the queue of five takes a sixth",
        all_of(
            queue(queue_limit=6),
            put("error.queue", message=lambda r: r.body["message"].replace("6", "5")),
        ),
    ),
    (
        "S48.fourth",
        "the queue of five takes four",
        all_of(
            queue(queue_limit=4),
            put("error.queue", message=lambda r: r.body["message"].replace("4", "5")),
        ),
    ),
    (
        "S48.no-retry",
        "a full queue says no retry_after",
        all_of(queue(), drop("error.queue", "retry_after")),
    ),
    (
        "S48.500",
        "a full queue is answered with HTTP 500",
        all_of(queue(), code("error.queue", 500)),
    ),
    ("S48.text", "retry_after is text", all_of(queue(), put("error.queue", retry_after="soon"))),
    (
        "S48.negative",
        "retry_after is negative",
        all_of(queue(), put("error.queue", retry_after=-30)),
    ),
    (
        "S48.full",
        "ended jobs keep their place in the queue",
        queue(queued=lambda server, key: sum(job.key == key for job in server.jobs)),
    ),
    (
        "S48.shared",
        "all keys share one queue",
        queue(
            queued=lambda server, _: sum(
                server.behaviour.state(job, server.now) == "processing" for job in server.jobs
            )
        ),
    ),
    ("S48.never", "a full queue takes every job", queue(queue_limit=10**6)),
    (
        "S48.processing",
        "a full queue answers processing and makes no job",
        all_of(
            queue(),
            each_reply(
                "error.queue",
                lambda r: r.becomes(
                    body={"status": "processing", "id": 1, "eta": 30, "output": []}
                ),
            ),
        ),
    ),
]


LIFECYCLE_MUTANTS = table([*IDS, *STATES, *QUEUE])
