"""The phases lifecycle and webhook: several jobs and keys, driven to their end side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from fauxlab_contract.check.observed_job import ObservedJob, lived, started
from fauxlab_contract.check.options import Options
from fauxlab_contract.check.phases.single_bodies import (
    cases,
    key_of,
    likely_images,
    place_of,
    try_body,
)
from fauxlab_contract.check.phases.webhook import TRACK_ID, hook_checked
from fauxlab_contract.check.picture import FACE, FACE_SIDES
from fauxlab_contract.check.plan import Step
from fauxlab_contract.check.probe import Probe
from fauxlab_contract.generation.boundaries import RequestCase, range_of, smallest_request
from fauxlab_contract.openapi.operation import Operation

__all__ = ["lifecycle", "webhook"]

SIDES = (256, 320)  # pixels: small, and not square, so that a swap shows
PROMPT = "studio portrait of Zoë, soft light"
AGAIN = "the first job again"
APART_S = 1.5  # between the first job and its like: what depends on the second shows
FAILING = "scenario=failed"  # RFC 7240: who does not know it ignores it
# the first stands for one near the ids that were given out
UNKNOWN = ("near", "abc", "0", "9" * 30)
NEXT_S = 0.5
QUIET_S = 3.0  # after the last eta, before the queue is taken to be empty
MOST_WAITS = 200


def lifecycle(operation: Operation, fetch: Operation, options: Options) -> Iterator[Step]:
    """The steps for one submit operation; the first job carries a webhook when that phase is wanted
    too.
    """

    core = f"{operation.name}: one job, to its end"

    def step(label: str, run: Any, calls: int, submits: int, rank: int) -> Step:
        needs = core if run.func in (_tenants, _fetch_case, _pictures) else ""
        return Step("lifecycle", f"{operation.name}: {label}", run, calls, submits, rank, needs)

    yield Step("lifecycle", core, partial(_core, operation), 15, 1, 1)
    yield step(
        "a job of another key",
        partial(_tenants, operation, fetch),
        4 if options.other_key else 2,
        0,
        2,
    )
    for place, number in enumerate(UNKNOWN):
        yield step(
            f"an id that was never given out, {number}",
            partial(_unknown_id, operation, fetch, number),
            1,
            0,
            5 if place else 2,
        )
    for place, (label, other) in enumerate(_no_keys(options).items()):
        yield step(label, partial(_no_key, operation, label, other), 1, 0, 5 if place else 2)
    for case in cases(fetch, options):
        yield step(f"fetch, {case.label}", partial(_fetch_case, operation, fetch, case), 1, 0, 4)
    names, seed = operation.conventions.fields, _seed(options)
    changes: dict[str, Mapping[str, Any]] = {
        AGAIN: {},
        "another seed": {names.seed: seed + 1},
        "another prompt": {names.prompt: "a red balloon"},
    }
    yield step("same and other seed and prompt", partial(_pictures, operation, changes), 15, 3, 4)
    changes = {
        # the same in its last three digits and its low 32 bits
        "a seed far away": {names.seed: seed + 125 * 2**32},
        "the seed below zero": {names.seed: -seed},
        "another face": {names.face_image: "https://example.com/another-face.png"},
        "another size": {names.width: 601, names.height: 43},
        "the size of the face": {names.face_image: FACE, names.width: None, names.height: None},
        "the height of the face": {
            names.face_image: FACE,
            names.width: 2 * FACE_SIDES[0],
            names.height: None,
        },
    }
    yield step("other seeds, faces and sizes", partial(_pictures, operation, changes), 30, 6, 6)
    if options.queue_limit:
        limit = options.queue_limit
        yield step("a full queue", partial(_full_queue, operation, limit), limit + 3, limit + 3, 6)


def webhook(operation: Operation, options: Options) -> Iterator[Step]:
    """A job that is asked to fail; a successful one is followed by the lifecycle's first step, or
    here.
    """
    if (
        operation.request is None
        or operation.conventions.fields.webhook not in operation.request.properties
    ):
        return
    if "lifecycle" not in options.only:
        yield Step(
            "webhook",
            f"{operation.name}: one job and its webhook",
            partial(_core, operation),
            15,
            1,
            1,
        )
    failing = partial(_hooked, operation, "failing", "a job asked to fail")
    yield Step("webhook", f"{operation.name}: the webhook of a job that fails", failing, 12, 1, 3)
    plain = partial(_hooked, operation, "plain", "a job without track_id and size")
    yield Step("webhook", f"{operation.name}: a webhook without track_id", plain, 12, 1, 6)


def small_body(probe: Probe, operation: Operation, **changes: Any) -> dict[str, Any]:
    """The smallest valid body, with a small picture and a fixed seed, as far as the operation has
    such fields.
    """
    names = operation.conventions.fields
    declared = operation.request.properties if operation.request else {}
    wanted: dict[str, Any] = {
        names.prompt: PROMPT,
        names.seed: _seed(probe.options),
        names.width: SIDES[0],
        names.height: SIDES[1],
        **{
            name: _fraction(schema.keywords)
            for name, schema in declared.items()
            if schema.keywords.get("type") == "number"
        },
        **changes,
    }
    body = smallest_request(operation, **key_of(operation, probe.options))
    wanted = {
        **{name: url for name, url in likely_images(operation).items() if name in body},
        **wanted,
    }
    for name, value in wanted.items():
        if (
            name in declared
            and operation.request is not None
            and operation.request.check.is_valid({**body, name: value})
        ):
            body[name] = value
    return body


def _seed(options: Options) -> int:
    return options.seed + 7


def _fraction(keywords: Mapping[str, Any]) -> float:
    """A number between the bounds that is not whole."""
    low, high = range_of(keywords)
    return low + 0.75 if high > low + 1 else low


def _core(operation: Operation, probe: Probe) -> Iterator[float]:
    names, receiver, name = operation.conventions.fields, None, f"core-{len(probe.cores)}"
    extra: dict[str, Any] = {}
    if "webhook" in probe.options.only:
        receiver = probe.receiver()
        if receiver is None:
            probe.note("webhook: a server elsewhere cannot reach a receiver on this machine")
        else:
            extra = {names.webhook: receiver.url(name), names.track_id: TRACK_ID}
    life = started(probe, operation, small_body(probe, operation, **extra), "the first job")
    if life is None:
        return
    probe.cores[operation.name] = life
    if receiver is not None:
        life.hook = lambda: len(receiver.events(name))
    yield from lived(probe, life)
    if receiver is not None and names.webhook in life.body and not life.is_processing:
        probe.phase = "webhook"
        yield from hook_checked(probe, life, receiver, name)


def _core_life(probe: Probe, operation: Operation) -> ObservedJob | None:
    life: ObservedJob | None = probe.cores.get(operation.name)
    if life is None:
        probe.note(f"{probe.phase}: {probe.label}: needs a job that could be followed")
    return life


def _unknown_id(operation: Operation, fetch: Operation, number: str, probe: Probe) -> None:
    life = probe.cores.get(operation.name)
    if number == UNKNOWN[0] and life is not None and isinstance(life.number, int):
        number = str(life.number + 999_983)
    reply = probe.post(fetch, {operation.conventions.fields.key: probe.options.key}, job_id=number)
    if reply.outcome == "accepted":
        probe.find(
            "unknown-id-answered",
            f"The id {number} was never given out, and a fetch of it says {reply.word}.",
            reply,
        )


def _tenants(operation: Operation, fetch: Operation, probe: Probe) -> Iterator[float]:
    """Another key, and one that is none, ask for the first job, while it runs and after its end."""
    life = _core_life(probe, operation)
    if life is None:
        return
    names = operation.conventions.fields
    keys = {"An invented key": f"{probe.options.key}-other"}
    keys |= {"Another key": probe.options.other_key} if probe.options.other_key else {}
    for _ in range(2):
        for whose, other in keys.items():
            reply = probe.post(fetch, {names.key: other}, job_id=life.number)
            if reply.outcome == "accepted":
                probe.find(
                    "foreign-job",
                    f"{whose} asked for a job that is not its own, and was told {reply.word}.",
                    reply,
                )
            elif reply.body.get(names.output) or reply.body.get(names.id) == life.number:
                probe.find(
                    "foreign-job",
                    f"{whose} was refused, and yet told of the job that is not its own.",
                    reply,
                    form="told",
                )
        yield from _until_over(probe, life)


def _until_over(probe: Probe, life: ObservedJob) -> Iterator[float]:
    for _ in range(MOST_WAITS):
        if life.is_over:
            return
        yield probe.target.now() + NEXT_S


def _no_keys(options: Options) -> dict[str, str]:
    """Keys that are none, some of which look like ours: label -> key. A server that takes every key
    refuses the empty one alone.
    """
    key = options.key
    invented = {
        "an invented key": f"no-such-key-{options.seed}",
        "our key and one character more": f"{key}x",
        "our key without its last character": key[:-1],
        "our key in other case": key.swapcase(),
    }
    likely = (
        {}
        if options.any_key
        else {
            label: other
            for label, other in invented.items()
            if other not in (key, "", options.other_key)
        }
    )
    return {**likely, "the empty key": ""}


def _no_key(operation: Operation, label: str, other: str, probe: Probe) -> None:
    """Once one wrong key was accepted, others say no more, and may cost as much."""
    names = operation.conventions.fields
    if other and any(rule == "key-accepted" for rule, *_ in probe.findings):
        return
    reply = probe.post(operation, small_body(probe, operation) | {names.key: other})
    if reply.outcome == "accepted":
        probe.find(
            "key-accepted",
            f"A submit with {label} was accepted.",
            reply,
            place_of(operation, names.key),
            "" if other else "empty",
        )


def _fetch_case(operation: Operation, fetch: Operation, case: RequestCase, probe: Probe) -> None:
    life = _core_life(probe, operation)
    if life is not None:
        try_body(probe, fetch, case, job_id=life.number)


def _pictures(
    operation: Operation, changes: Mapping[str, Mapping[str, Any]], probe: Probe
) -> Iterator[float]:
    """More jobs, each like the first one but for its change; their pictures are compared with the
    first one's.
    """
    core = _core_life(probe, operation)
    if core is None:
        return
    yield probe.target.now() + APART_S
    names = operation.conventions.fields
    body = {
        name: value
        for name, value in core.body.items()
        if name not in (names.webhook, names.track_id)
    }
    fitting = {
        label: {name: value for name, value in {**body, **change}.items() if value is not None}
        for label, change in changes.items()
        if change.keys() <= body.keys()
    }
    begun = [
        (label, started(probe, operation, changed, label)) for label, changed in fitting.items()
    ]
    lives = [(label, life) for label, life in begun if life is not None]
    for _, life in lives:
        yield from lived(probe, life, closely=False)
    yield from _until_over(probe, core)
    for label, life in lives:
        if core.seen is None or life.seen is None or not core.seen.is_picture:
            probe.note(f"{probe.phase}: {label}: there were no two pictures to compare")
        elif label == AGAIN and life.seen != core.seen:
            probe.find(
                "picture-differs",
                "The same request with the same seed gave other bytes.",
                life.submit,
            )
        elif label != AGAIN and life.seen == core.seen:
            probe.find(
                "picture-same",
                f"{label.capitalize()} gave the same bytes.",
                life.submit,
                form=label,
            )


def _until_quiet(probe: Probe) -> Iterator[float]:
    """Until all jobs will have ended; others may be started meanwhile."""
    while (quiet := max([0.0, *probe.ends]) + QUIET_S) > probe.target.now():
        yield quiet


def _full_queue(operation: Operation, limit: int, probe: Probe) -> Iterator[float]:
    """When all is quiet, fill the queue: one more must be refused, with retry_after, and taken when
    there is room again.
    """
    body = small_body(probe, operation)
    yield from _until_quiet(probe)
    *first, last = [probe.post(operation, body, waits=False) for _ in range(limit + 1)]
    refused = next((reply for reply in first if reply.outcome == "refused"), None)
    if refused is not None:
        probe.find(
            "valid-refused",
            f"The queue takes {limit} jobs, and refused before: {refused.message[:200]!r}.",
            refused,
            form="queue",
        )
    elif last.outcome == "accepted":
        probe.find(
            "queue-overrun", f"{limit} unfinished jobs are the limit, and one more was taken.", last
        )
    elif last.outcome == "refused" and last.retry_after is None:
        probe.find(
            "no-retry-after",
            f"The refusal by a full queue has no {operation.conventions.fields.retry_after}.",
            last,
        )
    if probe.options.other_key is not None:
        other = probe.post(
            operation,
            body | {operation.conventions.fields.key: probe.options.other_key},
            waits=False,
        )
        if other.outcome == "refused":
            probe.find(
                "valid-refused",
                f"One key's full queue keeps another key out: {other.message[:200]!r}.",
                other,
                form="other queue",
            )
    yield from _until_quiet(probe)
    again = probe.post(operation, body)
    if again.outcome == "refused":
        probe.find(
            "valid-refused",
            f"The queue should have room again, and refuses: {again.message[:200]!r}.",
            again,
            form="queue",
        )


def _hooked(operation: Operation, name: str, label: str, probe: Probe) -> Iterator[float]:
    """One more job with a webhook: one that is asked to fail, where the server knows how, or one
    that leaves out what it can.
    """
    names, receiver, fails = operation.conventions.fields, probe.receiver(), name == "failing"
    if receiver is None:
        probe.note("webhook: a server elsewhere cannot reach a receiver on this machine")
        return
    body = small_body(
        probe,
        operation,
        **{names.webhook: receiver.url(name)},
        **({names.track_id: 0} if fails else {}),
    )
    body = (
        body
        if fails
        else {
            field: value
            for field, value in body.items()
            if field not in (names.width, names.height)
        }
    )
    life = started(probe, operation, body, label, FAILING if fails else "")
    if life is None:
        return
    if fails and FAILING not in life.submit.came.headers.get("preference-applied", ""):
        probe.note(
            "webhook: the server does not know Prefer: scenario=failed, so no job could be made to"
            " fail"
        )
    life.hook = lambda: len(receiver.events(name))
    yield from lived(probe, life, closely=fails)
    if life.seen is not None and life.seen.size == SIDES and not fails:
        probe.find(
            "picture",
            f"{label}: its picture has the size of another request, {SIDES[0]} x {SIDES[1]}.",
            life.submit,
            form="leaked",
        )
    if not life.is_processing:
        yield from hook_checked(probe, life, receiver, name)
