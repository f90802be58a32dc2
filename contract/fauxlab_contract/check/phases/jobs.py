"""What the phases with jobs share: a small body, the first job, and waiting for its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fauxlab_contract.check.observed_job import ObservedJob
from fauxlab_contract.check.options import Options
from fauxlab_contract.check.phases.single_bodies import key_of, likely_images
from fauxlab_contract.check.plan import Waits
from fauxlab_contract.check.probe import Probe
from fauxlab_contract.generation.boundaries import range_of, smallest_request
from fauxlab_contract.openapi.operation import Operation

__all__ = ["SIDES", "first_job_of", "seed_of", "small_body", "until_over"]

SIDES = (256, 320)  # pixels: small, and not square, so that a swap shows
PROMPT = "studio portrait of Zoë, soft light"
NEXT_S = 0.5
MOST_WAITS = 200


def small_body(probe: Probe, operation: Operation, **changes: Any) -> dict[str, Any]:
    """Return the smallest valid body, with a small picture and a fixed seed.

    Fields that the operation does not have, and values that it does not allow, are left out.
    """
    body = smallest_request(operation, **key_of(operation, probe.options))
    if operation.request is None:
        return body
    declared, is_valid = operation.request.properties, operation.request.check.is_valid
    names = operation.conventions.fields
    numbers = {
        name: _fraction(schema.keywords)
        for name, schema in declared.items()
        if schema.keywords.get("type") == "number"
    }
    likely = likely_images(operation)
    images = {name: url for name, url in likely.items() if name in body}
    wanted = {
        **images,
        names.prompt: PROMPT,
        names.seed: seed_of(probe.options),
        names.width: SIDES[0],
        names.height: SIDES[1],
        **numbers,
        **changes,
    }
    for name, value in wanted.items():
        if name in declared and is_valid({**body, name: value}):
            body[name] = value
    return body


def seed_of(options: Options) -> int:
    """Return the seed of the jobs of a check."""
    return options.seed + 7


def _fraction(keywords: Mapping[str, Any]) -> float:
    """Return a number between the bounds that is not whole, if there is one."""
    low, high = range_of(keywords)
    return low + 0.75 if high > low + 1 else low


def first_job_of(probe: Probe, operation: Operation) -> ObservedJob | None:
    """Return the first job of an operation; None, and a note, if there is no such job."""
    job: ObservedJob | None = probe.first_jobs.get(operation.name)
    if job is None:
        probe.note(f"{probe.phase}: {probe.label}: needs a job that could be followed")
    return job


def until_over(probe: Probe, job: ObservedJob) -> Waits:
    """Wait until the step that follows a job has ended."""
    for _ in range(MOST_WAITS):
        if job.is_over:
            return
        yield probe.target.now() + NEXT_S
