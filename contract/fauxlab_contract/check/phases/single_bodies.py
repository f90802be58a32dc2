"""The phases that send one body at a time: examples, both sides of every bound, drawn bodies."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from fauxlab_contract.check.findings import Point
from fauxlab_contract.check.jobs.refusals import find_plain_refused, place_of
from fauxlab_contract.check.options import Options
from fauxlab_contract.check.oracle import ObservedReply, meta_problems
from fauxlab_contract.check.parameters import key_of
from fauxlab_contract.check.plan import Step
from fauxlab_contract.check.probe import OutOfBudgetError, Probe
from fauxlab_contract.check.target import GoneError
from fauxlab_contract.core.conventions import UNDECLARED
from fauxlab_contract.core.pointers import parts_of
from fauxlab_contract.generation.boundaries import RequestCase, boundary_requests
from fauxlab_contract.generation.shapes import NoValueError
from fauxlab_contract.generation.smallest import examples_of, has_valid_body, integers_in
from fauxlab_contract.openapi.operation import Operation
from fauxlab_contract.validation.bodies import request_violations

__all__ = [
    "NOWHERE",
    "PICTURE",
    "boundaries",
    "cases",
    "example_bodies",
    "examples",
    "likely_images",
    "properties",
    "try_body",
]

PICTURE = "https://example.com/face.png"
NOWHERE = "http://127.0.0.1:9/hook"  # the discard port: nobody listens
MODEST_PIXELS, MOST_PIXELS = 512, 4096  # what is asked for where the document has no maximum
EXPECTED = {True: "accepted", False: "refused"}  # is a body valid -> what becomes of it
# Lower ranks come first if the budget is small.
RANK_OF = {"maximum": 2, "minimum": 2, "required": 3, "type": 4}


def examples(operation: Operation, options: Options) -> Iterator[Step]:
    """Yield the smallest valid body, and the document's request examples with our key."""
    for smallest in cases(operation, options)[:1]:
        yield _step("examples", operation, smallest, rank=3)
    for name, body in example_bodies(operation, options):
        yield _step("examples", operation, RequestCase(f"example {name}", body), rank=3)


def example_bodies(operation: Operation, options: Options) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (name, body) for each valid example of the document, with our key and webhook."""
    for name, body in examples_of(operation):
        if isinstance(body, dict) and not request_violations(operation, body):
            ours = integers_in(operation, _ours(operation, body, options))
            if not request_violations(operation, ours):
                yield name, ours


def _ours(operation: Operation, body: Mapping[str, Any], options: Options) -> dict[str, Any]:
    names = operation.conventions.fields
    mine = {names.key: options.key, names.webhook: NOWHERE}
    return {name: mine.get(name, value) for name, value in body.items()}


def cases(operation: Operation, options: Options) -> list[RequestCase]:
    """Return the boundary cases of an operation, including those about the key.

    `[]` if no valid body could be made.
    """
    key = operation.conventions.fields.key
    fixed = [
        case
        for case in boundary_requests(operation, **key_of(operation, options.key))
        if _is_modest(operation, case)
    ]
    if not fixed:
        return []
    fixed = [_likely(operation, case) for case in fixed]
    about_key = [case for case in boundary_requests(operation) if case.pointer == f"/{key}"]
    extras = [
        RequestCase(f"{name} (undeclared)", {**fixed[0].body, name: value})
        for name, value in UNDECLARED.items()
    ]
    declared = operation.request.properties if operation.request else {}
    is_declared = declared.keys() & UNDECLARED.keys()
    undeclared = [
        case
        for case in extras
        if not case.body.keys() & is_declared and has_valid_body(operation, case.body)
    ]
    return [*fixed, *about_key, *undeclared]


def _is_modest(operation: Operation, case: RequestCase) -> bool:
    """Return False for a valid picture that is larger than anybody means by no maximum."""
    names = operation.conventions.fields
    sides = [case.body.get(name) for name in (names.width, names.height)]
    return not case.is_valid or not any(
        isinstance(side, (int, float)) and abs(side) > MOST_PIXELS for side in sides
    )


def likely_images(operation: Operation) -> dict[str, Any]:
    """Return an address for each picture that an operation takes.

    The schema allows any text, but a careful server wants an address or bytes.
    """
    names = operation.conventions.fields
    declared = operation.request.properties if operation.request else {}
    found: dict[str, Any] = {}
    for name in (names.face_image, names.init_image):
        if name in declared:
            is_valid = declared[name].validator.is_valid
            found.update([(name, one) for one in ([PICTURE], PICTURE) if is_valid(one)])
    return found


def _likely(operation: Operation, case: RequestCase) -> RequestCase:
    """Return a case with likely pictures, except for the field that the case is about."""
    about = case.label.partition(" ")[0]
    images = {
        name: url
        for name, url in likely_images(operation).items()
        if name in case.body and name != about
    }
    likely = replace(case, body={**case.body, **images})
    is_as_before = has_valid_body(operation, likely.body) == has_valid_body(operation, case.body)
    return likely if is_as_before else case


def boundaries(operation: Operation, options: Options) -> Iterator[Step]:
    """Yield one step for each case; with as-written only for what the schema itself says."""
    for case in cases(operation, options)[1:]:
        if options.profile == "as-written" and case.keyword == "webhook":
            continue
        yield _step("boundaries", operation, case, rank=_rank(case))


def _rank(case: RequestCase) -> int:
    is_float_step = "e-" in case.label  # the next float, such as `past maximum by 1e-15`
    if is_float_step:
        return 6
    if not case.is_valid:
        return RANK_OF.get(case.keyword, 5)
    return 4 if " at m" in case.label else 6


def _step(phase: str, operation: Operation, case: RequestCase, *, rank: int) -> Step:
    submits = int(case.is_valid and operation.kind == "submit")
    run = partial(_try_case, operation, case)
    return Step(phase, f"{operation.name}: {case.label}", run, 1, submits, rank)


def _try_case(operation: Operation, case: RequestCase, probe: Probe) -> None:
    reply = try_body(probe, operation, case)
    if probe.phase == "boundaries":
        probe.points.append(_point(probe, operation, case, reply))


def _point(probe: Probe, operation: Operation, case: RequestCase, reply: ObservedReply) -> Point:
    """Return one value of one field, for the picture of the bounds."""
    name = case.label.partition(" ")[0]
    value, number, shown = case.body.get(name), None, "(missing)"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        number = float(value)
    if name in case.body:
        shown = probe.hide(json.dumps(value, ensure_ascii=False))[:80]
    return Point(operation.name, name, case.label, shown, case.is_valid, reply.outcome, number)


def try_body(
    probe: Probe, operation: Operation, case: RequestCase, job_id: Any = None
) -> ObservedReply:
    """Send one body, and compare the server's judgement with the contract's."""
    reply = probe.post(operation, dict(case.body), job_id=job_id)
    if case.is_valid and reply.outcome == "refused":
        rule = "whole-float-refused" if _is_whole_float(operation, case) else "valid-refused"
        about = case.label.partition(" ")[0]
        find_plain_refused(probe, reply, case.label, about, rule)
    if not case.is_valid and reply.outcome == "accepted":
        where, form = _broken_place(operation, case)
        said = f"it was accepted. {_what_is_wrong(operation, case)}"
        rule = "webhook-host" if case.keyword == "webhook" else "invalid-accepted"
        probe.find(rule, f"{case.label}: {said}", reply, where, form)
    if case.keyword == "required" and case.pointer.count("/") == 1 and reply.outcome == "refused":
        _compare_refusals(probe, case.pointer[1:], reply)
    if case.is_valid and reply.outcome == "accepted" and operation.kind == "submit":
        names = operation.conventions.fields  # sizes may be shown as they took effect
        asked = {name: case.body[name] for name in (names.seed, names.prompt) if name in case.body}
        for problem in meta_problems(operation, asked, reply.body):
            probe.find("meta-differs", f"{case.label}: {problem}", reply)
    return reply


def _compare_refusals(probe: Probe, missing: str, reply: ObservedReply) -> None:
    """Warn about a sentence that names a field which is there, and not the one that is missing.

    It shows where the same sentence was right: when that other field was missing.
    """
    before = probe.refusals.setdefault((reply.operation.name, reply.message), [])
    for other in before:
        for absent, named in ((missing, other), (other, missing)):
            if _is_said_to_lack(named, reply.message) and not _speaks_of(absent, reply.message):
                said = (
                    f"without {absent}, as without {named}, a request is refused with {reply.said}."
                )
                probe.find("message-misleads", said, reply)
    before.append(missing)


def _is_said_to_lack(name: str, message: str) -> bool:
    """Return True for a sentence such as `The prompt field is required.`

    Many servers have one sentence for all (`The given data was invalid.`), which accuses no field.
    """
    name = rf"\b{re.escape(name)}\b['\"`]?"
    lacks = r"(required|missing)"
    return bool(
        re.search(
            rf"{name}( \w+)? (is|was) {lacks}|{lacks} \w*:? ?['\"`]?{name}", message, re.IGNORECASE
        )
    )


def _speaks_of(name: str, message: str) -> bool:
    """Return True if a sentence has a word of the name of a field, such as `image`."""
    words = [word for word in name.casefold().split("_") if len(word) > 2]
    return any(word in message.casefold() for word in words or [name])


def _is_whole_float(operation: Operation, case: RequestCase) -> bool:
    """Return True for a body that has 8.0 where the document wants an integer, at any depth."""
    return json.dumps(integers_in(operation, case.body)) != json.dumps(case.body)


def _what_is_wrong(operation: Operation, case: RequestCase) -> str:
    """Return the sentence with which a careful server would refuse a case."""
    violations = request_violations(operation, dict(case.body))
    about = [violation for violation in violations if violation.pointer == case.pointer]
    found = about or violations
    return str(found[0]) if found else f"It breaks {case.keyword} of {case.pointer[1:]}."


def _broken_place(operation: Operation, case: RequestCase) -> tuple[str, str]:
    """Return (where the rule is that a case breaks, what tells it from other rules there)."""
    request = operation.request
    name, *deeper = parts_of(case.pointer) or [""]
    if case.keyword == "required" and not deeper:
        place = request.pointer if request else operation.pointer
        return f"{place}/required", case.pointer
    place = place_of(operation, name)
    if deeper:
        return place, f"{case.keyword} {case.pointer}"
    declared = request.properties.get(name) if request else None
    if declared is not None and case.keyword in declared.keywords:
        return f"{place}/{case.keyword}", ""
    return place, case.keyword


def properties(operation: Operation, options: Options) -> Iterator[Step]:
    """Yield a step with drawn bodies that have one fault each, and one with valid bodies.

    A body on which the server disagrees is made as small as possible.
    """
    count = options.examples
    run = partial(_drawn, operation, count, valid=False)
    yield Step("properties", f"{operation.name}: {count} bodies with one fault", run, count, 0, 7)
    run = partial(_drawn, operation, count, valid=True)
    yield Step("properties", f"{operation.name}: {count} valid bodies", run, count, count, 8)


def _drawn(operation: Operation, count: int, probe: Probe, *, valid: bool) -> None:
    from fauxlab_contract.check.phases.shrink import smallest_failures

    required = operation.request.required if operation.request else ()
    images = {name: url for name, url in likely_images(operation).items() if name in required}
    fixed = {**key_of(operation, probe.options.key), **images, **_modest_sides(operation)}
    judged: dict[str, bool] = {}
    over: list[OutOfBudgetError | GoneError] = []

    def fails(case: RequestCase) -> bool:
        """Return True if the server disagrees. Each body is sent once, within the budget."""
        text = json.dumps(case.body)
        if text not in judged and not over:
            try:
                outcome = probe.post(operation, dict(case.body)).outcome
                is_open = case.is_valid and _has_blank(operation, case.body)
                judged[text] = not is_open and outcome != EXPECTED[case.is_valid]
            except (OutOfBudgetError, GoneError) as error:
                over.append(error)
        return judged.get(text, False)

    try:
        for case in smallest_failures(
            operation,
            fixed,
            count,
            valid=valid,
            seed=probe.options.seed,
            fails=fails,
            most=2 * count,
        ):
            try_body(probe, operation, case)
    except NoValueError as error:
        probe.note(f"properties: {error}")
    if over:
        raise over[0]


def _has_blank(operation: Operation, body: Mapping[str, Any]) -> bool:
    """Return True if a required text is empty or blank, which most servers take for missing."""
    required = operation.request.required if operation.request else ()
    texts = [body.get(name) for name in required]
    return any(isinstance(text, str) and not text.strip() for text in texts)


def _modest_sides(operation: Operation) -> dict[str, int]:
    """Return a width and a height, where the document sets no limit to them."""
    names = operation.conventions.fields
    declared = operation.request.properties if operation.request else {}
    return {
        name: MODEST_PIXELS
        for name in (names.width, names.height)
        if name in declared
        and declared[name].validator.is_valid(MODEST_PIXELS)
        and declared[name].validator.is_valid(MOST_PIXELS + MODEST_PIXELS)
    }
