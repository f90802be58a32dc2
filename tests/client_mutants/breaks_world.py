"""Clients that are careless with the key, other hosts, webhooks and tasks: rows C25, C26, C28, C30
and C32; one that knows no timeouts, C33.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from client_mutants.plain import Flow, Plain, PlainError, RefusedError, Send, Sleep
from receiving import Receiver

__all__ = ["BREAKS", "Listening", "PollsOn"]


class LogsBody(Plain):
    def submit_call(self, body: Mapping[str, Any]) -> Send:
        logging.getLogger("client").debug("submitting %s", body)
        return super().submit_call(body)


class PrintsBody(Plain):
    def fetch_call(self, job: Mapping[str, Any]) -> Send:
        send = super().fetch_call(job)
        print(send)
        return send


class LogsErrors(Plain):
    def refusal(self, members: Mapping[str, Any]) -> Exception:
        logging.getLogger("client").warning("refused with key %s", self.key)
        return super().refusal(members)


class KeyInError(Plain):
    def refusal(self, members: Mapping[str, Any]) -> Exception:
        error = super().refusal(members)
        return (
            RefusedError(f"{error} (key {self.key})") if isinstance(error, RefusedError) else error
        )


class KeyInCause(Plain):
    def result(self, members: Mapping[str, Any]) -> Any:
        try:
            return super().result(members)
        except PlainError as error:
            raise error from ValueError(f"after {{'key': '{self.key}'}}")


class KeyInLocalError(Plain):
    """Its own check of arguments shows the whole body."""

    def check(self, body: Mapping[str, Any]) -> None:
        try:
            super().check(body)
        except ValueError as error:
            raise ValueError(f"{error} in {dict(body)}") from None


class KeyInResult(Plain):
    def result(self, members: Mapping[str, Any]) -> Any:
        return {"output": super().result(members), "request": {"key": self.key}}


class FollowsFetchResult(Plain):
    def fetch_call(self, job: Mapping[str, Any]) -> Send:
        return Send(job.get("fetch_result") or super().fetch_call(job).url, {"key": self.key})


class AnyAddress(Plain):
    def check_address(self) -> None:
        pass


class Listening(Plain):
    """Hears of its job by webhook, and asks once when it was told; polls when nothing came for a
    minute.
    """

    receiver: Receiver

    def body(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {"webhook": self.receiver.url, **super().body(fields)}

    def wait(self, job: Mapping[str, Any]) -> Flow:
        self.receiver.all()
        for _ in range(12 if job["status"] == "processing" else 0):
            if self.receiver.all():
                break
            yield Sleep(5.0)
        return (yield from super().wait(job))

    def first_pause_s(self, job: Mapping[str, Any]) -> float:
        return 0.001


class PollsOn(Listening):
    """Does not stop when the webhook came, nor at the success that follows."""

    def wait(self, job: Mapping[str, Any]) -> Flow:
        links = yield from super().wait(job)
        for _ in range(3):
            yield Sleep(20.0)
            yield self.fetch_call(job)
        return links


# row, summary, client, options of the driver, libraries (all when there are none)
BREAKS: list[tuple[str, str, type[Plain], Mapping[str, Any], tuple[str, ...]]] = [
    ("C25.log", "the body is logged", LogsBody, {}, ()),
    ("C25.print", "the body is printed", PrintsBody, {}, ()),
    ("C25.warning", "the key is in a warning's text", LogsErrors, {}, ()),
    ("C25.error", "the key is in an exception", KeyInError, {}, ()),
    ("C25.cause", "the key is in an exception's cause", KeyInCause, {}, ()),
    ("C25.local", "the key is in its own argument errors", KeyInLocalError, {}, ()),
    ("C25.result", "the key is in the result", KeyInResult, {}, ()),
    ("C26.verbatim", "fetch_result is followed anywhere", FollowsFetchResult, {}, ()),
    ("C26.redirect", "redirects are followed with the body", Plain, {"follow": True}, ()),
    ("C30.http", "http:// is taken for any host", AnyAddress, {}, ()),
    ("C30.tls", "certificates are not looked at", Plain, {"verify": False}, ()),
    ("C33.none", "nothing has a timeout", Plain, {"timeout": None}, ()),
    (
        "C32.task",
        "a cancelled call's task goes on",
        Plain,
        {"shield": True},
        ("httpx async", "aiohttp"),
    ),
    (
        "C32.connection",
        "a cancelled call's connection stays",
        Plain,
        {"leak": True},
        ("httpx async", "aiohttp"),
    ),
]
