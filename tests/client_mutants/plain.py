"""A correct plain client, written once as a generator; a broken one overrides one method."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from fauxlab_contract.core.violation import Violation
from fauxlab_contract.openapi.document import load_document
from fauxlab_contract.validation.bodies import request_violations

__all__ = [
    "DOCUMENT",
    "SUBMIT",
    "BusyError",
    "LostError",
    "Plain",
    "PlainError",
    "RefusedError",
    "Reply",
    "Send",
    "Sleep",
]

DOCUMENT = load_document()
SUBMIT = next(operation for operation in DOCUMENT.operations if operation.kind == "submit")
PATIENCE_S, TRIES = 600.0, 4
FAMILY = SUBMIT.path.rpartition("/")[0]


@dataclass(frozen=True)
class Send:
    """One request. A `form` or `text` (of type `media`) takes the place of the JSON body."""

    url: str
    body: Any = None
    method: str = "POST"
    form: Any = None
    text: str | None = None
    media: str = "text/plain"


@dataclass(frozen=True)
class Sleep:
    seconds: float


@dataclass(frozen=True)
class Reply:
    code: int
    content: bytes

    def json(self) -> Any:
        return json.loads(self.content)


Flow = Generator[Any, Any, Any]


class PlainError(Exception):
    """Anything that this client raises."""


class LostError(PlainError):
    """No answer came."""


class RefusedError(PlainError):
    """The server said no."""


@dataclass
class BusyError(PlainError):
    """The server said: later."""

    message: str
    retry_after_s: float | None = None

    def __str__(self) -> str:
        return self.message


class Understood(dict[str, Any]):
    """A reply that was understood."""


@dataclass
class Plain:
    """`send` is what a driver makes of a `Send`; see drivers.py."""

    base_url: str
    key: str = field(repr=False)
    # what a client wrongly keeps between calls
    shared: dict[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.check_address()

    def check_address(self) -> None:
        if urlsplit(self.base_url).scheme != "https" and urlsplit(self.base_url).hostname not in (
            "127.0.0.1",
            "localhost",
        ):
            raise PlainError("http:// is for this machine alone")

    # Requests

    def generate(self, **fields: Any) -> Flow:
        body = self.body(fields)
        self.check(body)
        job = yield from self.submit(body)
        return (yield from self.wait(job))

    def body(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "key": self.key,
            **{name: value for name, value in fields.items() if value is not None},
        }

    def check(self, body: Mapping[str, Any]) -> None:
        found = [
            violation
            for violation in request_violations(SUBMIT, body)
            if not self.overlooks(violation, body)
        ]
        if found:
            raise ValueError(str(found[0]))

    def overlooks(self, violation: Violation, body: Mapping[str, Any]) -> bool:
        return False

    def submit_call(self, body: Mapping[str, Any]) -> Send:
        return Send(self.base_url + SUBMIT.path, dict(body))

    def fetch_call(self, job: Mapping[str, Any]) -> Send:
        return Send(f"{self.base_url}{FAMILY}/fetch/{job['id']}", {"key": self.key})

    # The life of a job

    def submit(self, body: Mapping[str, Any]) -> Flow:
        for attempt in range(TRIES):
            try:
                reply = yield self.submit_call(body)
                return self.submitted(reply)
            except BusyError as busy:
                if attempt == TRIES - 1:
                    raise
                yield from self.pause_after(busy, 2.0**attempt)
        raise AssertionError("the last try returns or raises")

    def submitted(self, reply: Reply) -> Mapping[str, Any]:
        members = self.read(reply)
        if not isinstance(members.get("id"), int):
            raise PlainError("the answer has no id")
        return members

    def pause_after(self, busy: BusyError, pause_s: float) -> Flow:
        if (busy.retry_after_s or 0.0) > PATIENCE_S:
            raise busy
        yield Sleep(pause_s if busy.retry_after_s is None else busy.retry_after_s)

    def read(self, reply: Reply) -> Mapping[str, Any]:
        """The members of an answer that says processing or success."""
        try:
            members = reply.json()
        except ValueError:
            raise LostError(f"no JSON, HTTP {reply.code}") from None
        status = members.get("status") if isinstance(members, dict) else None
        if status in ("error", "failed"):
            raise self.refusal(members)
        if status not in ("processing", "success"):
            raise self.unknown(members)
        return Understood(members)

    def unknown(self, members: Any) -> Exception:
        return PlainError("the answer has no status that this client knows")

    def refusal(self, members: Mapping[str, Any]) -> Exception:
        message = str(members.get("message") or members.get("messege")).replace(self.key, "***")
        if "retry_after" in members or message == "Try Again":
            return BusyError(message, members.get("retry_after"))
        return RefusedError(message)

    def first_pause_s(self, job: Mapping[str, Any]) -> float:
        eta = job.get("eta")
        return min(60.0, max(1.0, float(eta))) if isinstance(eta, (int, float)) else 5.0

    def wait(self, job: Mapping[str, Any]) -> Flow:
        if job["status"] == "success":
            return self.result(job)
        yield from self.waits(self.first_pause_s(job))
        waited_s, pause_s, troubles = 0.0, 2.0, 0
        while self.is_patient(waited_s):
            try:
                members = yield from self.fetch(job)
                if members["status"] == "success":
                    return self.result(members)
            except (LostError, RefusedError, BusyError) as error:
                troubles += 1
                if troubles > TRIES or not self.passes(error):
                    raise
                if isinstance(error, BusyError):
                    yield from self.pause_after(error, pause_s)
            yield from self.waits(pause_s)
            waited_s, pause_s = waited_s + pause_s, self.next_pause_s(pause_s)
        raise PlainError(f"no end after {waited_s:.0f} s")

    def waits(self, seconds: float) -> Flow:
        yield Sleep(seconds)

    def is_patient(self, waited_s: float) -> bool:
        return waited_s < PATIENCE_S

    def next_pause_s(self, pause_s: float) -> float:
        return min(pause_s * 1.5, 20.0)

    def passes(self, error: Exception) -> bool:
        """May the same fetch go well later?"""
        return isinstance(error, (LostError, BusyError)) or str(error).startswith(
            ("Request not found", "Internal", "Service temp")
        )

    def fetch(self, job: Mapping[str, Any]) -> Flow:
        reply = yield self.fetch_call(job)
        return self.read(reply)

    def result(self, members: Mapping[str, Any]) -> Any:
        output = members.get("output")
        links = [output] if isinstance(output, str) else output
        if not links:
            raise PlainError("the success has no output")
        return links


Make = Callable[[str, str], Callable[..., Any]]
