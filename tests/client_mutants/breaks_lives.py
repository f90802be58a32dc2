"""Clients that misread replies and lead wrong lives: rows C15 to C23, C29, C31 and C33."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from client_mutants.plain import (
    TRIES,
    BusyError,
    Flow,
    LostError,
    Plain,
    PlainError,
    RefusedError,
    Reply,
    Sleep,
    Understood,
)

__all__ = ["BREAKS"]


class TightLoop(Plain):
    def waits(self, seconds: float) -> Flow:
        return
        yield


class PollsFast(Plain):
    def waits(self, seconds: float) -> Flow:
        yield Sleep(0.2)


class ForEver(Plain):
    def is_patient(self, waited_s: float) -> bool:
        return True


class ForEverByTheMinute(ForEver):
    def next_pause_s(self, pause_s: float) -> float:
        return 60.0


class ForEverAfterErrors(Plain):
    """Bounded while the server answers, not while it does not."""

    def fetch(self, job: Mapping[str, Any]) -> Flow:
        while True:
            try:
                return (yield from super().fetch(job))
            except LostError:
                yield Sleep(5.0)


class TrustsHttp(Plain):
    """HTTP 200 is success: whatever the submit or a fetch says is handed on."""

    def read(self, reply: Reply) -> Mapping[str, Any]:
        if reply.code != 200:
            raise PlainError(f"HTTP {reply.code}")
        members = reply.json()
        return Understood(members)

    def submitted(self, reply: Reply) -> Mapping[str, Any]:
        return self.read(reply)

    def wait(self, job: Mapping[str, Any]) -> Flow:
        return dict(job) if job["status"] == "error" else (yield from super().wait(job))

    def fetch(self, job: Mapping[str, Any]) -> Flow:
        members = yield from super().fetch(job)
        return (
            {**members, "status": "success", "output": [str(members)]}
            if members["status"] in ("error", "failed")
            else members
        )


class ErrorIsNone(Plain):
    """Returns None for an error, so that nobody notices."""

    def generate(self, **fields: Any) -> Flow:
        try:
            return (yield from super().generate(**fields))
        except PlainError:
            return None


class NotProcessingIsSuccess(Plain):
    """`while status == "processing"`, and what comes after it is taken for the result."""

    def read(self, reply: Reply) -> Mapping[str, Any]:
        try:
            members = reply.json()
        except ValueError:
            raise LostError("no JSON") from None
        return (
            members
            if members.get("status") == "processing"
            else Understood(members | {"status": "success"})
        )

    def submitted(self, reply: Reply) -> Mapping[str, Any]:
        return Plain.read(self, reply)

    def result(self, members: Mapping[str, Any]) -> Any:
        return members.get("output")


class FailedIsProcessing(Plain):
    """Knows no end but success."""

    def refusal(self, members: Mapping[str, Any]) -> Exception:
        return LostError("not yet") if members["status"] == "failed" else super().refusal(members)

    def fetch(self, job: Mapping[str, Any]) -> Flow:
        try:
            return (yield from super().fetch(job))
        except LostError:
            return {"status": "processing"}


class UnknownIsProcessing(ForEver):
    def fetch(self, job: Mapping[str, Any]) -> Flow:
        reply = yield self.fetch_call(job)
        members = reply.json()
        return (
            self.read(reply)
            if members.get("status") in ("success", "error", "failed")
            else members | {"status": "processing"}
        )


class BareStatus(Plain):
    def read(self, reply: Reply) -> Mapping[str, Any]:
        members = reply.json() if reply.content.startswith(b"{") else super().read(reply)
        if members["status"] == "error":
            raise self.refusal(members)
        return super().read(reply)


class TableOfStatus(Plain):
    def unknown(self, members: Any) -> Exception:
        return KeyError(members.get("status"))


class FirstOfOutput(Plain):
    """Does not look at the status: the first of the output is the result, whatever the job does."""

    def fetch(self, job: Mapping[str, Any]) -> Flow:
        members = yield from super().fetch(job)
        return {"status": "success", "output": [members["output"][0]]}


class OutputIfAny(Plain):
    """An output that is there is taken, also while the job is processing."""

    def fetch(self, job: Mapping[str, Any]) -> Flow:
        members = yield from super().fetch(job)
        return {**members, "status": "success"} if members.get("output") else members


class FutureLinks(Plain):
    def wait(self, job: Mapping[str, Any]) -> Flow:
        if job["status"] == "processing":
            return job["future_links"]
        return (yield from super().wait(job))


class FutureLinksAfterEta(Plain):
    """Waits politely, and asks nobody."""

    def wait(self, job: Mapping[str, Any]) -> Flow:
        if job["status"] == "processing":
            yield Sleep(self.first_pause_s(job))
            return job["future_links"][0]
        return (yield from super().wait(job))


class SubmitsAgain(Plain):
    """Submits again when the answer was lost."""

    def submit(self, body: Mapping[str, Any]) -> Flow:
        for _ in range(2):
            try:
                return (yield from super().submit(body))
            except LostError:
                yield Sleep(2.0)
        return (yield from super().submit(body))


class SubmitsAgainWhenSlow(Plain):
    """Starts another job when the first takes long."""

    def generate(self, **fields: Any) -> Flow:
        body = self.body(fields)
        self.check(body)
        for _ in range(2):
            job = yield from self.submit(body)
            self.shared["started"] = True
            try:
                return (yield from self.wait(job))
            except PlainError as error:
                if not str(error).startswith("no end"):
                    raise
        raise PlainError("no end, twice")

    def is_patient(self, waited_s: float) -> bool:
        return waited_s < 10


class RetriesAll(Plain):
    """Submits again after any refusal."""

    def submit(self, body: Mapping[str, Any]) -> Flow:
        for attempt in range(TRIES):
            try:
                return (yield from super().submit(body))
            except RefusedError:
                if attempt == TRIES - 1:
                    raise
                yield Sleep(3.0)
        raise AssertionError


class FetchesOn(Plain):
    """Fetches again after any refusal."""

    def passes(self, error: Exception) -> bool:
        return True


class IgnoresRetryAfter(Plain):
    def pause_after(self, busy: BusyError, pause_s: float) -> Flow:
        yield Sleep(pause_s)


class RetryAfterInMilliseconds(Plain):
    def pause_after(self, busy: BusyError, pause_s: float) -> Flow:
        yield Sleep((busy.retry_after_s or 1000) / 1000)


class IgnoresRetryAfterOfFetches(Plain):
    def fetch(self, job: Mapping[str, Any]) -> Flow:
        try:
            return (yield from super().fetch(job))
        except BusyError:
            return {"status": "processing"}


class SharedJob(Plain):
    """Keeps the job in the client, where the next call overwrites it."""

    def submit(self, body: Mapping[str, Any]) -> Flow:
        self.shared["job"] = yield from super().submit(body)
        return self.shared["job"]

    def fetch(self, job: Mapping[str, Any]) -> Flow:
        return (yield from super().fetch(self.shared["job"]))


class SharedBody(Plain):
    """Builds its body in the client, and forgets to copy it."""

    def generate(self, **fields: Any) -> Flow:
        self.shared.update(self.body(fields))
        yield Sleep(0.01)
        self.check(self.shared)
        job = yield from self.submit(self.shared)
        return (yield from self.wait(job))


class NoMessage(Plain):
    def refusal(self, members: Mapping[str, Any]) -> Exception:
        error = super().refusal(members)
        return (
            error
            if isinstance(error, BusyError) or members["message"] == "Request not found"
            else RefusedError("the request failed")
        )


class OnlyTheStatus(Plain):
    """The server's message of a failed job is lost."""

    def refusal(self, members: Mapping[str, Any]) -> Exception:
        return (
            RefusedError("failed")
            if members["status"] == "failed" and members.get("id")
            else super().refusal(members)
        )


class GivesUpWhenLate(Plain):
    """Lets the job go whose fetch was not answered once."""

    def passes(self, error: Exception) -> bool:
        return super().passes(error) and not isinstance(error, LostError)


class NothingWhenLate(Plain):
    """Returns None when no answer came."""

    def generate(self, **fields: Any) -> Flow:
        try:
            return (yield from super().generate(**fields))
        except LostError:
            return None


BREAKS: list[tuple[str, str, type[Plain]]] = [
    ("C15.tight", "it polls without any pause", TightLoop),
    ("C15.fast", "it polls five times a second", PollsFast),
    ("C16.often", "it polls a stuck job for ever", ForEver),
    ("C16.minute", "it polls a stuck job for ever, once a minute", ForEverByTheMinute),
    ("C16.lost", "it polls for ever when no answers come", ForEverAfterErrors),
    ("C17.http", "HTTP 200 is success", TrustsHttp),
    ("C17.none", "an error is None", ErrorIsNone),
    ("C17.while", "what is not processing is success", NotProcessingIsSuccess),
    ("C17.failed", "failed is not seen", FailedIsProcessing),
    ("C18.endless", "an unknown status is processing, for ever", UnknownIsProcessing),
    ("C18.bare", "a missing status is a KeyError", BareStatus),
    ("C18.table", "an unknown status is a KeyError", TableOfStatus),
    ("C19.first", "output[0] is read while processing", FirstOfOutput),
    ("C19.any", "an output while processing is taken", OutputIfAny),
    ("C20.once", "future_links are the result", FutureLinks),
    ("C20.eta", "future_links are the result after the eta", FutureLinksAfterEta),
    ("C21.lost", "it submits again after a lost answer", SubmitsAgain),
    ("C21.slow", "it submits again when a job takes long", SubmitsAgainWhenSlow),
    ("C22.submit", "it submits again after any refusal", RetriesAll),
    ("C22.fetch", "it fetches again after any refusal", FetchesOn),
    ("C23.submit", "retry_after is ignored", IgnoresRetryAfter),
    ("C23.unit", "retry_after is taken for milliseconds", RetryAfterInMilliseconds),
    ("C23.fetch", "retry_after of a fetch is ignored", IgnoresRetryAfterOfFetches),
    ("C29.job", "calls side by side share the job", SharedJob),
    ("C29.body", "calls side by side share the body", SharedBody),
    ("C31.all", "the server's message is lost", NoMessage),
    ("C31.failed", "the message of a failed job is lost", OnlyTheStatus),
    ("C33.fetch", "it gives a job up after one fetch without an answer", GivesUpWhenLate),
    ("C33.nothing", "no answer is None", NothingWhenLate),
]
