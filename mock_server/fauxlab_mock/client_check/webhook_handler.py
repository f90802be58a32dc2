"""Check a webhook handler: what it does about duplicates, unknown jobs and other odd webhooks."""

from __future__ import annotations

import inspect
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fauxlab_contract.generation.boundaries import smallest_request
from fauxlab_contract.openapi.document import Document, check_document, load_document
from fauxlab_mock.client_check.making import check_made, check_make
from fauxlab_mock.client_check.report import (
    ClientObservation,
    ClientReport,
    check_waivers,
    findings_of,
)
from fauxlab_mock.clock.clock import Clock
from fauxlab_mock.engine.messages import LINK_PATH, Call
from fauxlab_mock.engine.replies import Replies
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.settings import Settings

__all__ = ["HANDLER_TRIALS", "check_webhook_handler"]

Act = Callable[[int], object]
MakeHandler = Callable[[frozenset[int], Act], Callable[[bytes], "int | None"]]
ANSWER_S = 1.0  # real seconds in which a handler must have answered while its action goes on
KEY = "check-client-key-5d1c0a77"
MAKE = "make(ids, act), which returns a handler of webhooks"
HANDLER_TRIALS: Mapping[str, str] = {
    "once": "A success is delivered.",
    "twice": "The same success is delivered twice.",
    "unknown": "The success of a job that nobody submitted is delivered.",
    "failed": "A failure is delivered.",
    "without output": "A success without output is delivered.",
    "slow": "A success is delivered, and acting on it takes a long time.",
}


def check_webhook_handler(
    make: MakeHandler, *, document: Document | None = None, waive: Mapping[str, str] | None = None
) -> ClientReport:
    """Check a handler: `make(ids, act)` returns `handler(body)`, which returns an HTTP code.

    None is 200. `ids` are the jobs that were submitted; the handler calls `act(id)` where it would
    act on a job that has ended. Raise ValueError for a waiver of no rule or without a reason.
    """
    __tracebackhide__ = True
    check_waivers({} if waive is None else waive)
    check_make(make, MAKE)
    document = load_document() if document is None else document
    check_document(document)
    started = time.monotonic()
    observations: list[ClientObservation] = []
    for name in HANDLER_TRIALS:
        observations += _tried(name, make, document)
    report = ClientReport(
        findings_of(observations),
        trials=tuple(HANDLER_TRIALS),
        calls=len(HANDLER_TRIALS) + 1,
        real_s=time.monotonic() - started,
    )
    return report.with_waivers(waive or {})


def _tried(name: str, make: MakeHandler, document: Document) -> Iterator[ClientObservation]:
    number, body = _webhook(document, "failed" if name == "failed" else "success")
    if name == "without output":
        body.pop(document.conventions.fields.output, None)
    acted: list[int] = []
    over = threading.Event()

    def act(job_id: int) -> None:
        acted.append(job_id)
        if name == "slow":
            over.wait()

    submitted = frozenset() if name == "unknown" else frozenset({number})
    handler = check_made(make(submitted, act), MAKE)
    if inspect.iscoroutinefunction(handler):
        raise TypeError(
            "the handler must not be async; wrap it: lambda body: asyncio.run(handler(body))"
        )
    for _ in range(2 if name == "twice" else 1):
        yield from _delivered(name, handler, json.dumps(body).encode(), over)
    if len(acted) > 1:
        yield ClientObservation(
            "webhook-acted-twice", f"It acted {len(acted)} times on job {number}.", name
        )
    if name == "unknown" and acted:
        yield ClientObservation(
            "webhook-unknown-accepted", f"It acted on job {number}, which was not submitted.", name
        )


def _delivered(
    name: str, handler: Callable[[bytes], int | None], body: bytes, over: threading.Event
) -> Iterator[ClientObservation]:
    """Deliver one webhook; what the handler does about it goes on until it should have answered."""
    answers: list[int | Exception | None] = []

    def deliver() -> None:
        try:
            answers.append(handler(body))
        except Exception as error:  # whatever a handler raises, its server answers 500
            answers.append(error)

    thread = threading.Thread(target=deliver, daemon=True)
    thread.start()
    thread.join(ANSWER_S)
    if thread.is_alive():
        yield ClientObservation(
            "webhook-answered-late", "The handler did not answer before it had acted.", name
        )
    over.set()
    thread.join(ANSWER_S)
    answer = answers[0] if answers else None
    if isinstance(answer, Exception):
        yield ClientObservation(
            "crashed", f"The handler raised {type(answer).__name__}.", name, name
        )
    elif name != "unknown" and answer is not None and not 200 <= answer < 300:
        yield ClientObservation("webhook-refused", f"The handler answered {answer}.", name, name)


def _webhook(document: Document, scenario: str) -> tuple[int, dict[str, Any]]:
    """A job that has ended, and the body of its webhook."""
    submit = next(operation for operation in document.operations if operation.kind == "submit")
    mock = Mock(
        Settings(validation="coerce", scenario=scenario, eta=1.0),
        document=document,
        clock=Clock("manual"),
    )
    request = smallest_request(submit, **{document.conventions.fields.key: KEY})
    call = Call(
        "POST",
        document.base_path + submit.path,
        {"content-type": "application/json"},
        json.dumps(request).encode(),
    )
    mock.handle(call)
    (job,) = mock.jobs
    return job.id, Replies(document, LINK_PATH).webhook(job)
