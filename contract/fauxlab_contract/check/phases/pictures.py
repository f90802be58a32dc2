"""Jobs that differ from the first one by one change, and their pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from fauxlab_contract.check.causes import cause_of
from fauxlab_contract.check.jobs.following import follow
from fauxlab_contract.check.jobs.observed_job import ObservedJob, start_job
from fauxlab_contract.check.jobs.refusals import place_of
from fauxlab_contract.check.options import Options
from fauxlab_contract.check.oracle import ObservedReply
from fauxlab_contract.check.phases.jobs import first_job_of, seeds_of, until_over
from fauxlab_contract.check.picture import FACE, FACE_SIDES
from fauxlab_contract.check.plan import Waits
from fauxlab_contract.check.probe import Probe
from fauxlab_contract.core.rules import Severity
from fauxlab_contract.generation.shapes import shape_of
from fauxlab_contract.generation.smallest import has_valid_body
from fauxlab_contract.openapi.operation import Operation

__all__ = ["compare_pictures", "large_changes", "small_changes"]

AGAIN, FACE_ALONE = "the first job again", "another face"
# how a description says that pictures go by the seed
PROMISE = re.compile(r"\bsame\b|repeat|reproduc|determinis|identical", re.IGNORECASE)
APART_S = 1.5  # between the first job and one like it: what depends on the second shows
Changes = Mapping[str, Mapping[str, Any]]  # label -> fields that differ; None: left out


def small_changes(operation: Operation, options: Options) -> Changes:
    """Return the changes that are tried first: none, another seed, another prompt."""
    names = operation.conventions.fields
    seeds = seeds_of(operation, options)
    if not seeds:  # then no request promises the picture of another
        return {"another prompt": {names.prompt: "a red balloon"}}
    other = {"another seed": {names.seed: seeds[1]}} if len(seeds) > 1 else {}
    return {AGAIN: {}, **other, "another prompt": {names.prompt: "a red balloon"}}


def large_changes(operation: Operation, options: Options) -> Changes:
    """Return the changes that are tried if the budget allows: seeds, faces and sizes."""
    names, seed = operation.conventions.fields, [*seeds_of(operation, options), 0][0]
    return {
        # the same in its last three digits and its low 32 bits
        "a seed far away": {names.seed: seed + 125 * 2**32},
        "the seed below zero": {names.seed: -seed},
        FACE_ALONE: {names.face_image: "https://example.com/another-face.png"},
        "another size": {names.width: 601, names.height: 43},
        "the size of the face": {names.face_image: FACE, names.width: None, names.height: None},
        "the height of the face": {
            names.face_image: FACE,
            names.width: 2 * FACE_SIDES[0],
            names.height: None,
        },
    }


def compare_pictures(operation: Operation, changes: Changes, probe: Probe) -> Waits:
    """Start jobs like the first one but for one change, and compare their pictures with its own."""
    first = first_job_of(probe, operation)
    if first is None:
        return
    yield probe.target.now() + APART_S
    jobs = {}
    for label, body in _changed_bodies(operation, first.body, changes):
        job = start_job(probe, operation, body, label)
        if job is not None:
            jobs[label] = job
    for job in jobs.values():
        yield from follow(probe, job, closely=False)
    yield from until_over(probe, first)
    for label, job in jobs.items():
        _compare(probe, first, job, label)


def _changed_bodies(
    operation: Operation, body: Mapping[str, Any], changes: Changes
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (label, body) for each change of fields that the body has."""
    names = operation.conventions.fields
    without = (names.webhook, names.track_id)
    plain = {name: body[name] for name in body if name not in without}
    for label, change in changes.items():
        if change.keys() <= plain.keys():
            changed = {**plain, **change}
            body = {name: value for name, value in changed.items() if value is not None}
            if has_valid_body(operation, body):  # else the document has narrower bounds
                yield label, body


def _compare(probe: Probe, first: ObservedJob, job: ObservedJob, label: str) -> None:
    if first.picture is None or job.picture is None or not first.picture.is_picture:
        probe.note(f"{probe.phase}: there were no two pictures to compare")
        return
    is_same = job.picture == first.picture
    severity = _weight(job.operation)
    if severity is None:
        return
    if label == AGAIN and not is_same:
        said = "The same request with the same seed gave other bytes."
        _find(probe, "picture-differs", said, job.submit, severity)
    if label != AGAIN and is_same:
        said, where = f"{label.capitalize()} gave the same bytes.", ""
        known = cause_of("picture-same", job.submit, job.operation.pointer, "")
        if label == FACE_ALONE and known not in probe.findings:  # no document promises that
            where, severity = place_of(job.operation, probe.names.face_image), "warning"
        _find(probe, "picture-same", said, job.submit, severity, where)


def _find(
    probe: Probe, rule: str, said: str, reply: ObservedReply, severity: Severity, where: str = ""
) -> None:
    """Add a finding that is as bad as the document makes it."""
    probe.find(rule, said, reply, where)
    cause = cause_of(rule, reply, where or reply.operation.pointer, "")
    if cause in probe.findings:
        probe.findings[cause] = replace(probe.findings[cause], severity=severity)


def _weight(operation: Operation) -> Severity | None:
    """Return how bad it is that pictures do not go by the seed; None if it is no fault.

    A document promises it in the seed's description. Without a promise, it is what most users
    expect; a seed that may be null is one that the server may draw, and says nothing.
    """
    declared = operation.request.properties if operation.request else {}
    schema = declared.get(operation.conventions.fields.seed)
    if schema is None:
        return "warning"
    description = shape_of(schema).keywords.get("description")
    if isinstance(description, str) and PROMISE.search(description):
        return "error"
    return None if schema.validator.is_valid(None) else "warning"
