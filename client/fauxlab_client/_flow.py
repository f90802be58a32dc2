"""The lifecycle, written once: generators that yield what to do and receive what came of it. No
I/O, no clock of their own.

A driver sends each `Send` and answers with an `HttpReply` or a `NoReply`, and waits for each
`Sleep`. `client.py` and `async_client.py` are such drivers, a few lines each.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from fauxlab_client._download import (
    DOWNLOAD_HEADERS,
    MAX_PICTURE_BYTES,
    MAX_REDIRECTS,
    next_url,
    save,
)
from fauxlab_client._errors import (
    ConnectionFailedError,
    DownloadError,
    FauxlabError,
    JobTimeoutError,
    NotFoundError,
    RateLimitError,
    ServerError,
    TryAgainError,
)
from fauxlab_client._models import Contract, Job, Polling, Result
from fauxlab_client._reply import HttpReply, job_of, read_reply, result_of, status_of
from fauxlab_client._urls import check_download_url, check_same_origin, is_local

__all__ = [
    "Context",
    "Flow",
    "NoReply",
    "Send",
    "Sleep",
    "downloading",
    "fetching",
    "generating",
    "submitting",
    "waiting",
]

MAX_SUBMITS = 5  # of one generate call; each after the first only because the API asked for it
T = TypeVar("T")


API_HEADERS = {
    "content-type": "application/json",
    "accept": "application/json",
    "accept-encoding": "identity",
}
MAX_REPLY_BYTES = 4 * 2**20
LAST_FETCH_S = 5.0  # what the fetch at the deadline itself may take beyond it


@dataclass(frozen=True, slots=True)
class Send:
    """One request, sent without following redirects. An answer over `most_bytes`, or not complete
    after `within_s` seconds, is cut off and counts as none.
    """

    url: str
    content: bytes | None = field(default=None, repr=False)
    within_s: float = 60.0
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=lambda: API_HEADERS)
    most_bytes: int = MAX_REPLY_BYTES


@dataclass(frozen=True, slots=True)
class Sleep:
    seconds: float


@dataclass(frozen=True, slots=True)
class NoReply:
    """No answer came. `sent`: bytes of the request may have arrived. `reason` is the kind of
    failure, no more. `passing`: another try may go better.
    """

    reason: str
    sent: bool
    passing: bool = True


Flow = Generator["Send | Sleep", "HttpReply | NoReply | None", T]


@dataclass(frozen=True, slots=True)
class Context:
    """What every flow needs: where to send, the key, the pace, a clock in seconds and a source of
    chance in [0, 1).
    """

    base_url: str
    key: str = field(repr=False)
    contract: Contract
    polling: Polling
    now: Callable[[], float]
    chance: Callable[[], float]

    def fetch_url(self, job_id: int) -> str:
        return self.base_url + self.contract.fetch_path.replace("{id}", str(job_id))


def generating(context: Context, body: Mapping[str, Any], timeout_s: float) -> Flow[Result]:
    """Submit, then wait for the result; `timeout_s` bounds the whole."""
    deadline = context.now() + timeout_s
    job = yield from _submitted(context, body, deadline)
    return (yield from _awaited(context, job, deadline))


def _submitted(context: Context, body: Mapping[str, Any], deadline: float) -> Flow[Job]:
    """Submit again only when the API itself refused and said so: then nothing was started and
    nothing charged.
    """
    for attempt in range(1, MAX_SUBMITS + 1):
        try:
            return (yield from submitting(context, body, deadline))
        except (RateLimitError, TryAgainError) as error:
            wait_s = (
                error.retry_after_s if error.retry_after_s is not None else _step(context, attempt)
            )
            if error.job_id is not None:
                raise  # something was started after all
            if attempt == MAX_SUBMITS or context.now() + wait_s >= deadline:
                raise
            yield Sleep(wait_s)
    raise AssertionError("the last attempt returns or raises")


def submitting(context: Context, body: Mapping[str, Any], deadline: float) -> Flow[Job]:
    """One submit. It is repeated only after a connection that was never made: then no byte can have
    arrived.
    """
    url, content = context.base_url + context.contract.submit_path, json.dumps(body).encode()
    reply = yield Send(url, content, deadline - context.now())
    if (
        isinstance(reply, NoReply)
        and not reply.sent
        and context.now() + (wait_s := _step(context, 1)) < deadline
    ):
        yield Sleep(wait_s)
        reply = yield Send(url, content, deadline - context.now())
    try:
        http = _arrived(reply)
        parsed = read_reply(http)
        job = job_of(parsed, http.code)
    except FauxlabError as error:
        error.hide(context.key)
        raise
    _check_fetch_result(context, parsed, job.id)
    return job


def _check_fetch_result(context: Context, body: Mapping[str, Any], job_id: int) -> None:
    """The address is built here, never taken from a reply; one that points elsewhere is a sign of
    trouble, so it is refused.
    """
    url = body.get("fetch_result")
    if isinstance(url, str) and url:
        try:
            check_same_origin(url, context.base_url)
        except FauxlabError as error:
            error.job_id = job_id
            raise


def fetching(context: Context, job_id: int, within_s: float) -> Flow[Result | None]:
    """One fetch: the result, or None while the job is processing."""
    reply = yield Send(
        context.fetch_url(job_id), json.dumps({"key": context.key}).encode(), within_s
    )
    try:
        http = _arrived(reply)
        body = read_reply(http)
        return result_of(body, job_id) if status_of(body, http.code) == "success" else None
    except FauxlabError as error:
        error.job_id = job_id
        error.hide(context.key)
        raise


def waiting(context: Context, job: Job, timeout_s: float) -> Flow[Result]:
    """Poll until the job has ended; raises `JobTimeoutError` after `timeout_s`."""
    return (yield from _awaited(context, job, context.now() + timeout_s))


def _awaited(context: Context, job: Job, deadline: float) -> Flow[Result]:
    if job.result is not None:
        return job.result
    polling = context.polling
    started = context.now()
    wait_s = min(max(job.eta_s or 0.0, polling.first_least_s), polling.first_most_s)
    first_fetch = started + wait_s
    polls = 0
    while context.now() < deadline:
        left_s = max(0.0, deadline - context.now())
        # the last fetch comes at the deadline, and not in a hurry
        yield Sleep(left_s if left_s < wait_s + polling.step_s else wait_s)
        polls += 1
        wait_s = _step(context, polls)
        try:
            result = yield from fetching(
                context, job.id, max(deadline - context.now(), LAST_FETCH_S)
            )
        except FauxlabError as error:
            if not _is_passing(error, context.now() - first_fetch < polling.grace_s):
                raise
            wait_s = max(wait_s, error.retry_after_s or 0.0)
            continue
        if result is not None:
            return result
    waited = context.now() - started
    raise JobTimeoutError(
        f"The job has not ended after {waited:.0f} s and {polls} fetches; wait for it again by"
        " its id.",
        job_id=job.id,
    )


def _is_passing(error: FauxlabError, in_grace: bool) -> bool:
    """May the same fetch succeed later?"""
    return isinstance(
        error, (ConnectionFailedError, ServerError, RateLimitError, TryAgainError)
    ) or (isinstance(error, NotFoundError) and in_grace)


def _step(context: Context, count: int) -> float:
    """The wait before poll `count` + 1, grown and spread."""
    polling = context.polling
    wait_s = min(polling.step_s * polling.growth ** min(count - 1, 50), polling.step_most_s)
    return wait_s * (1 + polling.jitter * (2 * context.chance() - 1))


def _arrived(reply: HttpReply | NoReply | None) -> HttpReply:
    if isinstance(reply, HttpReply):
        return reply
    sent = reply is None or reply.sent
    what = (
        "It may have arrived, so it is not sent again by itself." if sent else "Nothing was sent."
    )
    raise ConnectionFailedError(
        f"No answer came ({reply.reason if reply else 'none'}). {what}", sent=sent
    )


def downloading(context: Context, url: str, file: Path, timeout_s: float) -> Flow[Path]:
    """Get the picture behind `url` and save it as `file`. A link that is not alive yet is tried
    again until `timeout_s` is over.
    """
    deadline = context.now() + timeout_s
    attempt = 0
    while True:
        attempt += 1
        reply = yield from _followed(context, url, deadline)
        if isinstance(reply, HttpReply) and reply.code == 200:
            return save(reply.content, file)
        wait_s = _step(context, attempt)
        passing = (
            reply.passing
            if isinstance(reply, NoReply)
            else (reply.code in (404, 408, 425, 429) or reply.code >= 500)
        )
        if not passing or context.now() + wait_s >= deadline:
            what = reply.reason if isinstance(reply, NoReply) else f"HTTP {reply.code}"
            raise DownloadError(f"The picture could not be had ({what}) after {attempt} tries.")
        yield Sleep(wait_s)


def _followed(context: Context, url: str, deadline: float) -> Flow[HttpReply | NoReply]:
    """Get `url` and what it redirects to, each address checked before it is asked. Nothing here
    carries the key.
    """
    local = is_local(url)
    for hops in range(MAX_REDIRECTS + 1):
        check_download_url(url, allow_local=local)
        reply = yield Send(
            url, None, deadline - context.now(), "GET", DOWNLOAD_HEADERS, MAX_PICTURE_BYTES
        )
        if not isinstance(reply, HttpReply) or reply.code not in (301, 302, 303, 307, 308):
            return reply if reply is not None else NoReply("none", sent=True)
        url = next_url(url, reply.headers.get("location"), hops)
    raise DownloadError("The link redirects too often.")
