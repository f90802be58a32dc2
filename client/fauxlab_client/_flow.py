"""The lifecycle, written once: generators that yield what to do and receive what came of it.

A driver sends each `Send` and gives back an `HttpReply` or a `NoReply`, and waits for each `Sleep`.
`_client` and `_async_client` are such drivers, a few lines each. There is no I/O here, and no clock
but that of the context.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping, Sequence
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
MAX_UNREADABLE = 10  # fetches in a row, about a minute, before polling is given up
LAST_FETCH_S = 5.0  # how long the fetch at the deadline may take beyond it
REDIRECTS = (301, 302, 303, 307, 308)
LATER_PERHAPS = (404, 408, 425, 429)  # codes of a link that may come alive


@dataclass(frozen=True, slots=True)
class Send:
    """One request, sent without following redirects.

    A response over `most_bytes`, or not complete after `within_s` seconds, is cut off and counts as
    no reply.
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
    """No reply came.

    `reason` is the kind of failure, without any text of the transport. `sent` is True when bytes of
    the request may have arrived, `passing` when another try may succeed.
    """

    reason: str
    sent: bool
    passing: bool = True


Flow = Generator["Send | Sleep", "HttpReply | NoReply | None", T]


@dataclass(frozen=True, slots=True)
class Context:
    """What every flow needs: address, key, rules, pace, a clock in seconds, chance in [0, 1)."""

    base_url: str
    key: str = field(repr=False)
    contract: Contract
    polling: Polling
    now: Callable[[], float]
    chance: Callable[[], float]

    def fetch_url(self, job_id: int) -> str:
        return self.base_url + self.contract.fetch_path.replace("{id}", str(job_id))


def generating(context: Context, body: Mapping[str, Any], timeout_s: float) -> Flow[Result]:
    """Submit, and wait for the result; `timeout_s` bounds the whole."""
    deadline = context.now() + timeout_s
    job = yield from _submitted(context, body, deadline)
    return (yield from _awaited(context, job, deadline))


def _submitted(context: Context, body: Mapping[str, Any], deadline: float) -> Flow[Job]:
    """Submit, and submit again only when the API refused and asked for it.

    Such a refusal has started nothing and charged nothing.
    """
    for attempt in range(1, MAX_SUBMITS + 1):
        try:
            return (yield from submitting(context, body, deadline))
        except (RateLimitError, TryAgainError) as error:
            if error.job_id is not None:
                raise  # something was started after all
            wait_s = error.retry_after_s
            if wait_s is None:
                wait_s = _step_s(context, attempt)
            if attempt == MAX_SUBMITS or context.now() + wait_s >= deadline:
                raise
            yield Sleep(wait_s)
    raise AssertionError("the last attempt returns or raises")


def submitting(context: Context, body: Mapping[str, Any], deadline: float) -> Flow[Job]:
    """Submit once; a second time only if no connection was made, for then no byte has arrived."""
    url = context.base_url + context.contract.submit_path
    content = json.dumps(body).encode()
    reply = yield Send(url, content, deadline - context.now())
    if isinstance(reply, NoReply) and not reply.sent:
        wait_s = _step_s(context, 1)
        if context.now() + wait_s < deadline:
            yield Sleep(wait_s)
            reply = yield Send(url, content, deadline - context.now())
    try:
        response = _arrived(reply, is_paid=True)
        members = read_reply(response)
        job = job_of(members, response.code)
    except FauxlabError as error:
        error.hide(context.key)
        raise
    _check_fetch_result(context, members, job.id)
    return job


def _check_fetch_result(context: Context, reply: Mapping[str, Any], job_id: int) -> None:
    """Raise `UntrustedURLError` for a reply whose fetch address leads to another host.

    Addresses are built here, never taken from a reply; but such a reply is a sign of trouble.
    """
    url = reply.get("fetch_result")
    if isinstance(url, str) and url:
        try:
            check_same_origin(url, context.base_url)
        except FauxlabError as error:
            error.job_id = job_id
            raise


def fetching(context: Context, job_id: int, within_s: float) -> Flow[Result | None]:
    """Fetch once: return the result, or None while the job is processing."""
    content = json.dumps({"key": context.key}).encode()
    reply = yield Send(context.fetch_url(job_id), content, within_s)
    try:
        response = _arrived(reply)
        members = read_reply(response)
        status = status_of(members, response.code)
        return result_of(members, job_id) if status == "success" else None
    except FauxlabError as error:
        error.job_id = job_id
        error.hide(context.key)
        raise


def waiting(context: Context, job: Job, timeout_s: float) -> Flow[Result]:
    """Poll until the job has ended; raise `JobTimeoutError` after `timeout_s`."""
    return (yield from _awaited(context, job, context.now() + timeout_s))


def _awaited(context: Context, job: Job, deadline: float) -> Flow[Result]:
    if job.result is not None:
        return job.result
    polling = context.polling
    started = context.now()
    wait_s = min(max(job.eta_s or 0.0, polling.first_least_s), polling.first_most_s)
    first_fetch = started + wait_s
    fetches = 0
    troubles: list[FauxlabError] = []  # of the last fetches in a row
    while context.now() < deadline:
        left_s = max(0.0, deadline - context.now())
        is_last = left_s < wait_s + polling.step_s  # the last fetch comes at the deadline
        yield Sleep(left_s if is_last else wait_s)
        fetches += 1
        wait_s = _step_s(context, fetches)
        within_s = max(deadline - context.now(), LAST_FETCH_S)
        try:
            result = yield from fetching(context, job.id, within_s)
        except FauxlabError as error:
            troubles.append(error)
            if not _is_passing(troubles, context.now() - first_fetch < polling.grace_s):
                raise
            wait_s = max(wait_s, error.retry_after_s or 0.0)
            continue
        if result is not None:
            return result
        troubles.clear()
    waited = f"{context.now() - started:.0f} s and {fetches} fetches"
    raise _late(job.id, waited, troubles)


def _late(job_id: int, waited: str, troubles: Sequence[FauxlabError]) -> JobTimeoutError:
    """Return the error of a job that has not ended, with what went wrong at the end."""
    message = f"The job has not ended after {waited}; wait for it again by its id."
    if troubles:
        message += f" Failures in a row at the end: {len(troubles)}. {troubles[-1].message}"
    return JobTimeoutError(message, job_id=job_id)


def _is_passing(troubles: Sequence[FauxlabError], in_grace: bool) -> bool:
    """True when the fetch that ended in the last of `troubles` may succeed later."""
    error = troubles[-1]
    if isinstance(error, (ConnectionFailedError, ServerError, RateLimitError, TryAgainError)):
        return True
    if error.is_unreadable:
        return sum(trouble.is_unreadable for trouble in troubles) < MAX_UNREADABLE
    return in_grace and isinstance(error, NotFoundError)


def _step_s(context: Context, count: int) -> float:
    """Return the wait before fetch `count` + 1, grown and spread."""
    polling = context.polling
    growth = polling.growth ** min(count - 1, 50)
    wait_s = min(polling.step_s * growth, polling.step_most_s)
    spread = 2 * context.chance() - 1  # from -1 to 1
    return wait_s * (1 + polling.jitter * spread)


def _arrived(reply: HttpReply | NoReply | None, *, is_paid: bool = False) -> HttpReply:
    """Return the response; raise `ConnectionFailedError` if none came.

    For a request that may cost money (`is_paid`) the error says whether it may have arrived.
    """
    if isinstance(reply, HttpReply):
        return reply
    if reply is None:
        reply = NoReply("none", sent=True)
    message = f"No response arrived ({reply.reason})."
    if is_paid and reply.sent:
        message += " The request may have arrived, so it is not sent again."
    elif is_paid:
        message += " Nothing was sent."
    raise ConnectionFailedError(message, sent=reply.sent)


def downloading(context: Context, url: str, file: Path, timeout_s: float) -> Flow[Path]:
    """Get the picture behind `url` and save it as `file`.

    A link that is not alive yet is tried again until `timeout_s` is over.
    """
    deadline = context.now() + timeout_s
    attempt = 0
    while True:
        attempt += 1
        reply = yield from _followed(context, url, deadline)
        if isinstance(reply, HttpReply) and reply.code == 200:
            return save(reply.content, file)
        if isinstance(reply, HttpReply):
            reason = f"HTTP {reply.code}"
            is_passing = reply.code in LATER_PERHAPS or reply.code >= 500
        else:
            reason, is_passing = reply.reason, reply.passing
        wait_s = _step_s(context, attempt)
        if not is_passing or context.now() + wait_s >= deadline:
            raise DownloadError(
                f"The picture could not be downloaded ({reason}) after {attempt} tries."
            )
        yield Sleep(wait_s)


def _followed(context: Context, url: str, deadline: float) -> Flow[HttpReply | NoReply]:
    """Get `url` and what it redirects to; each address is checked before it is asked.

    Nothing here carries the key.
    """
    local = is_local(url)
    for hops in range(MAX_REDIRECTS + 1):
        check_download_url(url, allow_local=local)
        reply = yield Send(
            url, None, deadline - context.now(), "GET", DOWNLOAD_HEADERS, MAX_PICTURE_BYTES
        )
        if reply is None:
            return NoReply("none", sent=True)
        if isinstance(reply, NoReply) or reply.code not in REDIRECTS:
            return reply
        url = next_url(url, reply.headers.get("location"), hops)
    raise DownloadError("The link redirects too often.")
