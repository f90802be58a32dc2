"""Which replies cannot be made: each is tried once, before a client asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fauxlab_contract.core.violation import summary
from fauxlab_contract.openapi.operation import Operation
from fauxlab_contract.validation.bodies import response_violations
from fauxlab_mock.behaviour.scenarios import Plan
from fauxlab_mock.engine.job import NOBODY, Job
from fauxlab_mock.engine.pictures import Picture
from fauxlab_mock.engine.replies import Replies
from fauxlab_mock.engine.store import FIRST_ID

__all__ = ["unmakeable"]

ENDS_S = 5.0  # when the job of the trial ends


def unmakeable(replies: Replies) -> Iterator[str]:
    """Yield a sentence for each operation with a reply that does not fit the document."""
    for operation in replies.document.operations:
        tried = [(operation.code, body) for body in _bodies(replies, operation)]
        tried += _errors(replies, operation)
        broken = (response_violations(operation, body, code) for code, body in tried)
        if violations := next(filter(None, broken), None):
            yield (
                f"a reply of {operation.name} cannot be made from the schema; give an example:"
                f" {summary(violations, most=1)}"
            )


def _bodies(replies: Replies, operation: Operation) -> Iterator[Any]:
    """Yield a reply of each kind that the operation may give."""
    if operation.kind == "plain":
        yield replies.plain(operation)
        return
    job = Job(
        FIRST_ID,
        NOBODY,
        operation.name,
        created_at=0.0,
        plan=Plan(ENDS_S, ENDS_S),
        files=("trial.png",),
        meta={},
        picture=Picture("", 0, "", 1, 1),
        scenario="success",
        origin="http://127.0.0.1",
    )
    words = replies.words
    for word, now in ((words.processing, 0.0), (words.success, ENDS_S)):
        if word in operation.variants:
            yield replies.of_job(operation, job, now)
    if operation.kind == "fetch" and words.failed in operation.variants:
        yield replies.failed(operation, job)
        yield replies.unknown(operation, "unknown")
    if words.error in operation.variants:
        yield replies.error(operation, "error", {"retry_after": 30}, operation.code)


def _errors(replies: Replies, operation: Operation) -> Iterator[tuple[int, Any]]:
    """Yield (code, body) of an error for each code that the operation declares."""
    for codes in operation.replies:
        code = 500 if codes == "default" else int(codes.replace("X", "0"))
        if not operation.is_success(code) and code >= 400:
            yield code, replies.error(operation, "error", {"retry_after": 30}, code)
