"""The phases lifecycle and webhook: several jobs and keys, driven to their end side by side."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from fauxlab_contract.check.causes import in_words
from fauxlab_contract.check.jobs.following import follow
from fauxlab_contract.check.jobs.observed_job import ObservedJob, start_job
from fauxlab_contract.check.jobs.refusals import place_of
from fauxlab_contract.check.options import Options
from fauxlab_contract.check.oracle import ObservedReply
from fauxlab_contract.check.parameters import takes_key
from fauxlab_contract.check.phases.jobs import NEXT_S, SIDES, first_job_of, small_body, until_over
from fauxlab_contract.check.phases.pictures import (
    compare_pictures,
    large_changes,
    small_changes,
)
from fauxlab_contract.check.phases.single_bodies import cases, try_body
from fauxlab_contract.check.phases.webhook import TRACK_ID, check_webhook, without_fetch
from fauxlab_contract.check.plan import Step, Waits
from fauxlab_contract.check.probe import Probe
from fauxlab_contract.generation.boundaries import RequestCase
from fauxlab_contract.openapi.operation import Operation

__all__ = ["lifecycle", "webhook"]

FAILING = "scenario=failed"  # RFC 7240: a server that does not know it ignores it
FAR = 999_983  # from an id that was given out to one that was not
# The first stands for an id close to those that were given out.
UNKNOWN = ("near", "abc", "0", "9" * 30)
FAILS, PLAIN = "failing", "plain"  # names of webhooks
AT_ONCE = 4  # submits
UNFETCHED_S = 4.0  # beyond the eta of a job whose webhook should come without a fetch
QUIET_S = 3.0  # after the last eta, before the queue is taken to be empty
NO_RECEIVER = "webhook: a server elsewhere cannot reach a receiver on this machine"


@dataclass(frozen=True, slots=True)
class _Spec:
    """What a step of the lifecycle does and takes. `of_first_job`: it needs the first job."""

    label: str
    run: Callable[[Probe], Waits | None]
    calls: int = 1
    submits: int = 0
    rank: int = 5
    of_first_job: bool = False


def lifecycle(operation: Operation, fetch: Operation, options: Options) -> Iterator[Step]:
    """Yield the steps for one submit operation.

    The first job carries a webhook if that phase runs too.
    """
    first = f"{operation.name}: one job, to its end"
    yield Step("lifecycle", first, partial(_first_job, operation), 15, 1, 1)
    for spec in _specs(operation, fetch, options):
        yield Step(
            "lifecycle",
            f"{operation.name}: {spec.label}",
            spec.run,
            spec.calls,
            spec.submits,
            spec.rank,
            first if spec.of_first_job else "",
        )


def _specs(operation: Operation, fetch: Operation, options: Options) -> Iterator[_Spec]:
    if takes_key(fetch) and takes_key(operation):
        yield _Spec(
            "a job of another key",
            partial(_tenants, operation, fetch),
            calls=4 if options.other_key else 2,
            rank=2,
            of_first_job=True,
        )
        yield _Spec(
            "another key's job and an id that was never given out",
            partial(_told_apart, operation),
            calls=4 if options.other_key else 2,
            of_first_job=True,
        )
    for place, number in enumerate(UNKNOWN):
        label = f"an id that was never given out, {number}"
        run = partial(_unknown_id, operation, fetch, number)
        yield _Spec(label, run, rank=5 if place else 2)
    together = partial(_together, operation)
    yield _Spec("submits at the same time", together, AT_ONCE, AT_ONCE, rank=6)
    keys = _invalid_keys(options) if takes_key(operation) else {}
    for place, (label, key) in enumerate(keys.items()):
        run = partial(_invalid_key, operation, label, key)
        yield _Spec(label, run, rank=5 if place else 2)
    for case in cases(fetch, options) if fetch.request else ():
        send = partial(_fetch_case, operation, fetch, case)
        yield _Spec(f"fetch, {case.label}", send, rank=4, of_first_job=True)
    for label, changes, rank in (
        ("same and other seed and prompt", small_changes(operation, options), 4),
        ("other seeds, faces and sizes", large_changes(operation, options), 6),
    ):
        compare, count = partial(compare_pictures, operation, changes), len(changes)
        yield _Spec(label, compare, 5 * count, count, rank, of_first_job=True)
    if options.queue_limit:
        limit = options.queue_limit
        yield _Spec(
            "a full queue", partial(_full_queue, operation, limit), limit + 3, limit + 3, rank=6
        )


def webhook(operation: Operation, options: Options) -> Iterator[Step]:
    """Yield a step with a job that is asked to fail, and one with a job without optional fields.

    A job that succeeds is followed by the lifecycle's first step, or here without that phase.
    """
    name = operation.conventions.fields.webhook
    if operation.request is None or name not in operation.request.properties:
        return
    if "lifecycle" not in options.only:
        label = f"{operation.name}: one job and its webhook"
        yield Step("webhook", label, partial(_first_job, operation), 15, 1, 1)
    label = f"{operation.name}: the webhook of a job that fails"
    yield Step("webhook", label, partial(_failing_job, operation), 12, 1, 3)
    label = f"{operation.name}: a webhook without track_id"
    yield Step("webhook", label, partial(_plain_job, operation), 12, 1, 6)


def _first_job(operation: Operation, probe: Probe) -> Waits:
    """Follow the job that other steps refer to, with its webhook if that phase runs."""
    names, receiver = operation.conventions.fields, None
    name = f"core-{probe.place_of(operation)}"
    extra: dict[str, Any] = {}
    if "webhook" in probe.options.only:
        receiver = probe.receiver()
        if receiver is None:
            probe.note(NO_RECEIVER)
        else:
            extra = {names.webhook: receiver.url(name), names.track_id: TRACK_ID}
    job = start_job(
        probe,
        operation,
        small_body(probe, operation, **extra),
        "the first job",
        count_webhooks=partial(receiver.count, name) if receiver else None,
    )
    if job is None:
        return
    probe.first_jobs[operation.name] = job
    yield from follow(probe, job)
    if receiver is not None and names.webhook in job.body and not job.is_processing:
        yield from check_webhook(probe, job, receiver, name)


def _unknown_id(operation: Operation, fetch: Operation, number: str, probe: Probe) -> None:
    job = probe.first_jobs.get(operation.name)
    if number == UNKNOWN[0] and job is not None and isinstance(job.id, int):
        number = str(job.id + FAR)
    reply = probe.post(fetch, probe.smallest(fetch), job_id=number)
    if reply.outcome == "accepted":
        said = f"The id {number} was never given out, and a fetch of it says {reply.word}."
        probe.find("unknown-id-answered", said, reply)


def _other_keys(options: Options) -> dict[str, str]:
    """Return keys whose holders must not see the first job: who it is -> key."""
    other = {"Another key": options.other_key} if options.other_key else {}
    return {"An invented key": f"{options.key}-other", **other}


def _tenants(operation: Operation, fetch: Operation, probe: Probe) -> Waits:
    """Ask for the first job with other keys, while it runs and after its end."""
    job = first_job_of(probe, operation)
    if job is None:
        return
    for _ in range(2):
        for whose, key in _other_keys(probe.options).items():
            _ask_for_foreign_job(probe, fetch, job, whose, key)
        yield from until_over(probe, job)


def _told_apart(operation: Operation, probe: Probe) -> Waits:
    """Check that another key's job is refused as an unknown id is, after its end."""
    job = first_job_of(probe, operation)
    if job is None or not isinstance(job.id, int):
        return
    yield from until_over(probe, job)
    for whose, key in _other_keys(probe.options).items():
        body = probe.smallest(job.fetch) | {probe.names.key: key}
        foreign = probe.post(job.fetch, body, job_id=job.id)
        unknown = probe.post(job.fetch, body, job_id=job.id + FAR)
        told = [_in_words(reply) for reply in (foreign, unknown)]
        if None in told or told[0] == told[1]:
            continue
        if _in_words(probe.post(job.fetch, body, job_id=job.id)) == told[0]:  # as before
            said = f"{whose} is told {foreign.said}, and {unknown.said} of an unknown id."
            probe.find("foreign-job-told", said, foreign)


def _in_words(reply: ObservedReply) -> tuple[int, Any, str] | None:
    """Return what a refusal says; None for what is none, and for one that asks to wait."""
    if reply.outcome != "refused" or reply.is_busy or reply.came.code >= 500:
        return None
    return reply.came.code, reply.word, in_words(reply.said)


def _ask_for_foreign_job(
    probe: Probe, fetch: Operation, job: ObservedJob, whose: str, key: str
) -> None:
    names = probe.conventions.fields
    reply = probe.post(fetch, probe.smallest(fetch) | {names.key: key}, job_id=job.id)
    if reply.outcome == "accepted":
        said = f"{whose} asked for another key's job, and got {reply.word}."
        probe.find("foreign-job", said, reply)
    elif reply.body.get(names.output) or reply.body.get(names.id) == job.id:
        said = f"{whose} was refused, but the reply tells of the job that is not its own."
        probe.find("foreign-job", said, reply, form="told")


def _together(operation: Operation, probe: Probe) -> None:
    """Send submits at the same time: each must get an id of its own, which the probe looks at."""
    name = operation.conventions.fields.prompt
    bodies = [
        small_body(probe, operation, **{name: f"portrait {number}"}) for number in range(AT_ONCE)
    ]
    probe.together(operation, [probe.json_request(operation, body) for body in bodies])


def _invalid_keys(options: Options) -> dict[str, str]:
    """Return invalid keys to try, some similar to the real one: label -> key.

    A server that takes every key refuses only the empty one.
    """
    if options.any_key:
        return {"the empty key": ""}
    key = options.key
    invented = {
        "an invented key": f"no-such-key-{options.seed}",
        "our key and one character more": f"{key}x",
        "our key without its last character": key[:-1],
        "our key in other case": key.swapcase(),
    }
    valid = (key, "", options.other_key)
    invalid = {label: other for label, other in invented.items() if other not in valid}
    return {**invalid, "the empty key": ""}


def _invalid_key(operation: Operation, label: str, key: str, probe: Probe) -> None:
    """Submit with an invalid key, unless one was accepted: more would cost, and say no more."""
    if key and any(rule == "key-accepted" for rule, *_ in probe.findings):
        return
    name = operation.conventions.fields.key
    body = small_body(probe, operation) | {name: key}
    reply = probe.post(operation, body)
    if reply.outcome == "accepted":
        said, place = f"A submit with {label} was accepted.", place_of(operation, name)
        probe.find("key-accepted", said, reply, place, "" if key else "empty")


def _fetch_case(operation: Operation, fetch: Operation, case: RequestCase, probe: Probe) -> Waits:
    """Fetch the first job by a body, as soon as a fetch has known it."""
    job = first_job_of(probe, operation)
    if job is None:
        return
    while not (job.replies or job.is_over):
        yield probe.target.now() + NEXT_S
    if job.replies:
        try_body(probe, fetch, case, job_id=job.id)


def _until_quiet(probe: Probe) -> Waits:
    """Wait until all jobs will have ended; others may be started meanwhile."""
    while (quiet := max([0.0, *probe.ends]) + QUIET_S) > probe.target.now():
        yield quiet


def _full_queue(operation: Operation, limit: int, probe: Probe) -> Waits:
    """Fill the empty queue: one more job must be refused, and be accepted when there is room."""
    body = small_body(probe, operation)
    yield from _until_quiet(probe)
    replies = [probe.post(operation, body, waits=False) for _ in range(limit + 1)]
    *first, last = replies
    refused = next((reply for reply in first if reply.outcome == "refused"), None)
    if refused is not None:
        said = f"The queue takes {limit} jobs, and refused before: {refused.said}."
        probe.find("valid-refused", said, refused, form="queue")
    elif last.outcome == "accepted":
        said = f"{limit} unfinished jobs are the limit, and one more was accepted."
        probe.find("queue-overrun", said, last)
    elif last.outcome == "refused" and last.retry_after is None:
        said = f"The refusal by a full queue has no {probe.names.retry_after}."
        probe.find("no-retry-after", said, last)
    other_key = probe.options.other_key or (probe.options.any_key and f"{probe.options.key}-other")
    if other_key:
        other = body | {probe.names.key: other_key}
        reply = probe.post(operation, other, waits=False)
        if reply.outcome == "refused":
            said = f"One key's full queue keeps another key out: {reply.said}."
            probe.find("valid-refused", said, reply, form="other queue")
    yield from _until_quiet(probe)
    again = probe.post(operation, body)
    if again.outcome == "refused":
        said = f"The queue should have room again, and refuses: {again.said}."
        probe.find("valid-refused", said, again, form="queue")


def _failing_job(operation: Operation, probe: Probe) -> Waits:
    """Follow a job that is asked to fail, if the server knows how, and check its webhook."""
    changes: dict[str, Any] = {operation.conventions.fields.track_id: 0}
    body = partial(small_body, **changes)
    job = yield from _job_with_webhook(
        probe, operation, FAILS, "a job asked to fail", body, prefer=FAILING
    )
    if job and FAILING not in job.submit.came.headers.get("preference-applied", ""):
        probe.note(
            "webhook: the server does not know Prefer: scenario=failed, so no job could be made to"
            " fail"
        )


def _plain_job(operation: Operation, probe: Probe) -> Waits:
    """Follow a job that leaves out what it can, and check its webhook."""
    label = "a job without track_id and size"
    job = yield from _job_with_webhook(
        probe, operation, PLAIN, label, _body_without_size, unfetched_s=UNFETCHED_S
    )
    if job is None:
        return
    if job.picture is not None and job.picture.size == SIDES:
        size = f"{SIDES[0]} x {SIDES[1]}"
        said = f"{label}: its picture has the size of another request, {size}."
        probe.find("picture", said, job.submit, form="leaked")
    if job.needs_fetch:
        yield from _unfetched_job(operation, probe)


def _unfetched_job(operation: Operation, probe: Probe) -> Waits:
    """Wait longer for the webhook of another job: that of the first may have come by chance."""
    label = "a job that nobody fetches"
    job = yield from _job_with_webhook(
        probe, operation, f"{PLAIN}-again", label, _body_without_size, unfetched_s=2 * UNFETCHED_S
    )
    if job is not None and job.needs_fetch:
        said = "no webhook came long after its eta, and then one came with its first fetch."
        probe.find("webhook-missing", f"{label}: {said}", job.submit, form="fetched")


def _body_without_size(probe: Probe, operation: Operation, **changes: Any) -> dict[str, Any]:
    names = operation.conventions.fields
    body = small_body(probe, operation, **changes)
    sides = (names.width, names.height)
    return {name: body[name] for name in body if name not in sides}


def _job_with_webhook(  # the last one by name
    probe: Probe,
    operation: Operation,
    name: str,
    label: str,
    make_body: Callable[..., dict[str, Any]],
    *,
    prefer: str = "",
    unfetched_s: float = 0.0,
) -> Generator[float, None, ObservedJob | None]:
    """Start a job with a webhook, follow it to its end and check the webhook.

    Returns the job, or None if there was none. A job with `prefer` is followed closely, one with
    `unfetched_s` is not fetched so long beyond its eta if its webhook does not come.
    """
    receiver = probe.receiver()
    if receiver is None:
        probe.note(NO_RECEIVER)
        return None
    name = f"{name}-{probe.place_of(operation)}"
    body = make_body(probe, operation, **{probe.names.webhook: receiver.url(name)})
    if probe.names.webhook not in body:
        probe.note(f"webhook: {operation.name}: the document allows no address on this machine")
        return None
    count = partial(receiver.count, name)
    job = start_job(probe, operation, body, label, prefer=prefer, count_webhooks=count)
    if job is None:
        return None
    if unfetched_s:
        job.needs_fetch = yield from without_fetch(probe, job, receiver, name, unfetched_s)
    yield from follow(probe, job, closely=bool(prefer))
    if not job.is_processing:
        yield from check_webhook(probe, job, receiver, name)
    return job
