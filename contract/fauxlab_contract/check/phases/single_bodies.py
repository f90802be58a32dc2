"""The phases that send one body at a time: the document's examples, both sides of every bound, and
bodies drawn by Hypothesis.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from fauxlab_contract.check.options import Options
from fauxlab_contract.check.oracle import ObservedReply
from fauxlab_contract.check.plan import Step
from fauxlab_contract.check.probe import OutOfBudgetError, Probe
from fauxlab_contract.core.conventions import UNDECLARED
from fauxlab_contract.generation.boundaries import RequestCase, boundary_requests
from fauxlab_contract.openapi.document import Document
from fauxlab_contract.openapi.operation import Operation
from fauxlab_contract.validation.bodies import request_violations

__all__ = [
    "PICTURE",
    "boundaries",
    "cases",
    "examples",
    "key_of",
    "likely_images",
    "place_of",
    "properties",
    "try_body",
]

PICTURE = "https://example.com/face.png"
NOWHERE = "http://127.0.0.1:9/hook"  # the discard port: nobody listens
# what is worth most when the budget is small
RANK_OF = {"maximum": 2, "minimum": 2, "required": 3, "type": 4}


def examples(document: Document, operation: Operation, options: Options) -> Iterator[Step]:
    """The document's own request examples, with the key put in, and the smallest valid body."""
    yield _step("examples", operation, next(iter(cases(operation, options))), rank=3)
    for name, body in _examples(document, operation):
        if not request_violations(operation, body):
            yield _step(
                "examples",
                operation,
                RequestCase(f"example {name}", _ours(operation, body, options)),
                rank=3,
            )


def _ours(operation: Operation, body: Mapping[str, Any], options: Options) -> dict[str, Any]:
    names = operation.conventions.fields
    mine = {names.key: options.key, names.webhook: NOWHERE}
    return {name: mine.get(name, value) for name, value in body.items()}


def _examples(document: Document, operation: Operation) -> Iterator[tuple[str, Any]]:
    if operation.request is None:
        return
    body = document.at(operation.pointer).member("requestBody").resolved
    for _, media in body.member("content").members():
        for name, example in media.member("examples").members():
            yield name, example.resolved.value.get("value")
        if "example" in media.value:
            yield "example", media.value["example"]


def cases(operation: Operation, options: Options) -> list[RequestCase]:
    """The boundary cases of an operation, those about the key included."""
    key = operation.conventions.fields.key
    fixed = [
        _likely(operation, case)
        for case in boundary_requests(operation, **key_of(operation, options))
    ]
    about_key = [case for case in boundary_requests(operation) if case.pointer == f"/{key}"]
    extras = [
        RequestCase(f"{name} (undeclared)", {**fixed[0].body, name: value})
        for name, value in UNDECLARED.items()
    ]
    declared = operation.request.properties if operation.request else {}
    return [
        *fixed,
        *about_key,
        *(case for case in extras if not case.body.keys() & declared.keys() & UNDECLARED.keys()),
    ]


def key_of(operation: Operation, options: Options) -> dict[str, str]:
    """The key, where the operation takes one."""
    key = operation.conventions.fields.key
    return {key: options.key} if operation.request and key in operation.request.properties else {}


def likely_images(operation: Operation) -> dict[str, str]:
    """Where a picture is asked for, any text will do by the schema; a careful server wants an
    address or bytes.
    """
    names = operation.conventions.fields
    declared = operation.request.properties if operation.request else {}
    return {name: PICTURE for name in (names.face_image, names.init_image) if name in declared}


def _likely(operation: Operation, case: RequestCase) -> RequestCase:
    """The case with a likely picture, unless the picture is what it is about."""
    about = case.label.partition(" ")[0]
    images = {
        name: url
        for name, url in likely_images(operation).items()
        if name in case.body and name != about
    }
    return replace(case, body={**case.body, **images})


def boundaries(operation: Operation, options: Options) -> Iterator[Step]:
    """One call for each case; under as-written only what the schema itself can say."""
    for case in cases(operation, options)[1:]:
        if options.profile == "as-written" and case.keyword == "webhook":
            continue
        rank = 6 if case.is_valid else RANK_OF.get(case.keyword, 5)
        if "e-" in case.label:  # an ulp
            rank = 6
        elif case.is_valid and " at m" in case.label:
            rank = 4
        yield _step("boundaries", operation, case, rank=rank)


def _step(phase: str, operation: Operation, case: RequestCase, *, rank: int) -> Step:
    submits = int(case.is_valid and operation.kind == "submit")
    return Step(
        phase,
        f"{operation.name}: {case.label}",
        partial(_try_case, operation, case),
        1,
        submits,
        rank,
    )


def _try_case(operation: Operation, case: RequestCase, probe: Probe) -> None:
    reply = try_body(probe, operation, case)
    if probe.phase == "boundaries":
        probe.point(operation, case, reply)


def try_body(
    probe: Probe, operation: Operation, case: RequestCase, job_id: Any = None
) -> ObservedReply:
    """Send one body and compare the server's judgement with the contract's."""
    reply = probe.post(operation, dict(case.body), job_id=job_id)
    if case.is_valid and reply.outcome == "refused":
        what = (
            f"{case.label}: it was refused with {reply.message[:200]!r}, though the document"
            " allows it."
        )
        probe.find("valid-refused", what, reply, place_of(operation, case.label.partition(" ")[0]))
    if not case.is_valid and reply.outcome == "accepted":
        what = f"{case.label}: it breaks {case.keyword} of {case.pointer}, and was accepted."
        probe.find("invalid-accepted", what, reply, *_broken_place(operation, case))
    return reply


def _broken_place(operation: Operation, case: RequestCase) -> tuple[str, str]:
    """(where the rule stands that a case breaks, what tells it from others that stand there)"""
    place = place_of(operation, case.pointer[1:])
    if case.keyword == "required":
        return (
            f"{operation.request.pointer if operation.request else operation.pointer}/required",
            case.pointer,
        )
    declared = operation.request.properties.get(case.pointer[1:]) if operation.request else None
    stands_there = declared is not None and case.keyword in declared.keywords
    return (f"{place}/{case.keyword}", "") if stands_there else (place, case.keyword)


def place_of(operation: Operation, name: str) -> str:
    """Where a field of the request stands in the document; the request itself for one that is not
    declared.
    """
    pointer = operation.request.pointer if operation.request else operation.pointer
    declared = operation.request is not None and name in operation.request.properties
    return f"{pointer}/properties/{name}" if declared else pointer


def properties(operation: Operation, options: Options) -> Iterator[Step]:
    """Valid bodies must be accepted and bodies with one fault refused; a counter-example is made as
    small as it gets.
    """
    count = options.examples
    run = partial(_drawn, operation, count, valid=False)
    yield Step("properties", f"{operation.name}: {count} bodies with one fault", run, count, 0, 7)
    run = partial(_drawn, operation, count, valid=True)
    yield Step("properties", f"{operation.name}: {count} valid bodies", run, count, count, 8)


def _drawn(operation: Operation, count: int, probe: Probe, *, valid: bool) -> None:
    from fauxlab_contract.check.shrink import smallest_failures

    required = operation.request.required if operation.request else ()
    images = {name: url for name, url in likely_images(operation).items() if name in required}
    fixed = {**key_of(operation, probe.options), **images}
    judged: dict[str, bool] = {}
    over: list[OutOfBudgetError] = []

    def fails(case: RequestCase) -> bool:
        """Does the server disagree? Each body is sent once; when the budget is spent, nothing fails
        any more.
        """
        text = json.dumps(case.body)
        if text not in judged and not over:
            try:
                outcome = probe.post(operation, dict(case.body)).outcome
                judged[text] = outcome != ("accepted" if case.is_valid else "refused")
            except OutOfBudgetError as error:
                over.append(error)
        return judged.get(text, False)

    for case in smallest_failures(
        operation, fixed, count, valid=valid, seed=probe.options.seed, fails=fails, most=2 * count
    ):
        try_body(probe, operation, case)
    if over:
        raise over[0]
