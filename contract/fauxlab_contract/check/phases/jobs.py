"""What the phases with jobs share: a small body, the first job, and waiting for its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fauxlab_contract.check.jobs.observed_job import ObservedJob
from fauxlab_contract.check.options import Options
from fauxlab_contract.check.phases.single_bodies import likely_images
from fauxlab_contract.check.plan import Waits
from fauxlab_contract.check.probe import Probe
from fauxlab_contract.generation.shapes import shape_of
from fauxlab_contract.generation.values import Value, bound_values, range_of
from fauxlab_contract.openapi.operation import Operation
from fauxlab_contract.openapi.schema import Schema

__all__ = ["NEXT_S", "SIDES", "first_job_of", "seeds_of", "small_body", "until_over"]

SIDES = (256, 320)  # pixels: small, and not square, so that a swap shows
PROMPT = "studio portrait of Zoë, soft light"
NEXT_S = 0.5
MOST_WAITS = 200


def small_body(probe: Probe, operation: Operation, **changes: Any) -> dict[str, Any]:
    """Return the smallest valid body, with a small picture and a fixed seed.

    Fields that the operation does not have, and values that it does not allow, are left out.
    """
    body = probe.smallest(operation)
    if operation.request is None:
        return body
    declared, is_valid = operation.request.properties, operation.request.check.is_valid
    names = operation.conventions.fields
    numbers = {
        name: _fraction(schema.keywords)
        for name, schema in declared.items()
        if schema.keywords.get("type") == "number"
    }
    seeds = seeds_of(operation, probe.options)
    likely = likely_images(operation)
    images = {name: url for name, url in likely.items() if name in body}
    wanted = {
        **images,
        names.prompt: PROMPT,
        **({names.seed: seeds[0]} if seeds else {}),
        names.width: SIDES[0],
        names.height: SIDES[1],
        **numbers,
        **changes,
    }
    for name, value in wanted.items():
        if name in declared and is_valid({**body, name: value}):
            body[name] = value
    return body


def seeds_of(operation: Operation, options: Options) -> list[Any]:
    """Return two seeds that the document allows; fewer if it has no seed, or allows fewer."""
    name = operation.conventions.fields.seed
    schema = operation.request.properties.get(name) if operation.request else None
    if schema is None:
        return []
    first = options.seed + 7
    tried = [first, first + 1, *range(1, 10), *(edge.value for edge in _edges(schema))]
    whole = [seed for seed in tried if type(seed) is int and schema.validator.is_valid(seed)]
    return list(dict.fromkeys(whole))[:2]


def _edges(schema: Schema) -> Iterator[Value]:
    keywords = shape_of(schema).keywords
    for listed in keywords.get("enum", ()):
        yield Value("listed", listed)
    yield from bound_values(keywords)


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
