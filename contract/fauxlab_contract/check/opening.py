"""The first call of a check: a valid body, whose refusal may mean that nothing can be judged."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from fauxlab_contract.check.options import Options
from fauxlab_contract.check.oracle import ObservedReply
from fauxlab_contract.check.phases.coverage import not_covered, why_not, without_roles
from fauxlab_contract.check.phases.jobs import small_body
from fauxlab_contract.check.phases.single_bodies import (
    NOWHERE,
    cases,
    example_bodies,
    likely_images,
    try_body,
)
from fauxlab_contract.check.picture import FACE
from fauxlab_contract.check.plan import Step
from fauxlab_contract.check.probe import Probe
from fauxlab_contract.check.target import TargetError
from fauxlab_contract.core.text import counted
from fauxlab_contract.generation.boundaries import RequestCase
from fauxlab_contract.generation.sample import sample
from fauxlab_contract.generation.smallest import fields_of
from fauxlab_contract.openapi.document import Document
from fauxlab_contract.openapi.operation import Operation

__all__ = ["opening", "require_a_taker", "require_an_opening", "require_opened"]

OPENING = 0  # the rank before all others
MOST_BODIES = 3
KEY_CODES, NOWHERE_CODES = (401, 403), (404, 405, 501)
# what is said of an API key, and of no key of a JSON object
ABOUT_KEY = re.compile(
    r"\bapi[ _-]?key\b|\binvalid key\b|unauthori[sz]ed|authenticat|\bcredentials\b", re.IGNORECASE
)


def opening(document: Document, options: Options, phase: str) -> Step | None:
    """Return the step that sends the smallest valid body; None if no operation takes a body.

    It belongs to `phase`, the first that runs, and comes before everything else.
    """
    takers = [one for one in document.operations if not why_not(document, one, options)]
    takers.sort(key=lambda operation: operation.kind != "submit")
    if not takers:
        return None
    operation = takers[0]
    case = cases(operation, options)[0]
    return Step(
        phase,
        f"{operation.name}: {case.label}",
        partial(_open, operation, case),
        submits=int(operation.kind == "submit"),
        rank=OPENING,
    )


def require_a_taker(document: Document, options: Options) -> None:
    """Raise TargetError if no operation of the document can be tried, which says nothing."""
    if all(why_not(document, operation, options) for operation in document.operations):
        reasons = list(not_covered(document, options))
        why = "; ".join(reasons[:3]) or "no operation takes a JSON body"
        raise TargetError(f"nothing of {document.source} can be checked: {why}")


def require_an_opening(probe: Probe, left: Sequence[Step]) -> None:
    """Raise TargetError if a check shows nothing, because no valid body is sent.

    `left` are the steps that the budget leaves out.
    """
    if any(step.rank == OPENING for step in left):
        raise TargetError(
            f"{probe.target.url} was not judged: the budget leaves no call for a valid body"
        )


def require_opened(probe: Probe) -> None:
    """Raise TargetError if no valid body was sent before the check ended."""
    if not probe.is_opened:
        reasons = "; ".join(probe.notes)
        raise TargetError(f"{probe.target.url} was not judged: no valid body was sent ({reasons})")


def _open(operation: Operation, case: RequestCase, probe: Probe) -> None:
    """Send a valid body. Raise TargetError if the answers show that no check makes sense."""
    reply = try_body(probe, operation, case)
    probe.is_opened = True
    is_crash = bool(reply.came.error) or (reply.came.code >= 500 and not _is_nowhere(reply))
    if is_crash or reply.outcome == "accepted":
        return
    if _is_about_key(reply):
        raise _useless(probe, f"it refused a valid body with {_said(probe, reply)}", "access")
    if reply.outcome != "refused" and not _is_nowhere(reply):
        return
    replies = [reply]
    for body in _others(probe, operation, dict(case.body)):
        replies.append(probe.look(operation, probe.json_request(operation, body)))
        if (replies[-1].came.code, replies[-1].message) != (reply.came.code, reply.message):
            return
    if len(replies) == 1:
        return
    if _is_nowhere(reply):
        raise _useless(probe, f"nothing answers {operation.name} there ({_said(probe, reply)})", "")
    what = f"it refused {counted(len(replies), 'different valid bodies')} with"
    raise _useless(probe, f"{what} {_said(probe, reply)}", "document")


def _others(probe: Probe, operation: Operation, sent: Any) -> Iterator[Any]:
    """Yield valid bodies that differ from `sent`, and from each other.

    The first has every field, and bytes for pictures.
    """
    samples = {name: sample(schema) for name, schema in fields_of(operation, sent).items()}
    pictures = dict.fromkeys(likely_images(operation), FACE)
    everything = {**samples, **pictures, operation.conventions.fields.webhook: NOWHERE}
    changes = {
        name: value for name, value in everything.items() if name in pictures or name not in sent
    }
    full = small_body(probe, operation, **changes)
    examples = [body for _, body in example_bodies(operation, probe.options)]
    seen = {json.dumps(sent, sort_keys=True)}
    for body in (full, small_body(probe, operation), *examples):
        text = json.dumps(body, sort_keys=True)
        if text not in seen and len(seen) < MOST_BODIES:
            seen.add(text)
            yield body


def _is_about_key(reply: ObservedReply) -> bool:
    if reply.outcome != "refused":
        return False
    return reply.came.code in KEY_CODES or bool(ABOUT_KEY.search(reply.message))


def _is_nowhere(reply: ObservedReply) -> bool:
    """Return True for what a server says of an address at which it has no API: a page, 404, 501."""
    code, media = reply.came.code, reply.came.headers.get("content-type", "")
    is_page = bool(reply.problem) and "html" in media and code < 500
    return code in NOWHERE_CODES or 300 <= code < 400 or is_page


def _said(probe: Probe, reply: ObservedReply) -> str:
    said = f"HTTP {reply.came.code}"
    if reply.message:
        said += f" and {probe.hide(reply.message[:200])!r}"
    return said


def _useless(probe: Probe, why: str, doubt: str) -> TargetError:
    question = {
        "access": "does it accept this key?",
        "": "is this its base address?",
        "document": f"does {probe.document.source} describe it, and may this key use it?",
    }[doubt]
    if said := without_roles(probe.document):
        question += f" ({said})"
    return TargetError(f"{probe.target.url} cannot be checked: {why}; {question}")
