"""What the two clients share: their arguments, checked once, and the flows made from them."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypedDict

import httpx

from fauxlab_client._certificates import distrusted
from fauxlab_client._contract import CONTRACT
from fauxlab_client._download import file_for
from fauxlab_client._errors import ValidationError
from fauxlab_client._face import encode_face
from fauxlab_client._flow import (
    Context,
    Flow,
    NoReply,
    Send,
    downloading,
    fetching,
    generating,
    submitting,
    waiting,
)
from fauxlab_client._models import Contract, Job, Polling, Result
from fauxlab_client._proxies import Proxies
from fauxlab_client._request import build_body
from fauxlab_client._urls import check_base_url, check_download_url

__all__ = [
    "COMPRESSED",
    "TOO_LARGE",
    "TOO_LATE",
    "BaseClient",
    "ClientOptions",
    "is_compressed",
    "no_reply",
    "timeout_for",
]

BASE_URL = "FAUXLAB_BASE_URL"
CONNECT_S, READ_S = 10.0, 30.0
# Failures of httpx after which not a byte of the request can have arrived.
NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


class ClientOptions(TypedDict, total=False):
    """The options that both clients take; `BaseClient` has their defaults."""

    base_url: str | None
    timeout_s: float  # of a whole `generate` or `wait`
    polling: Polling | None
    contract: Contract | None
    now: Callable[[], float] | None  # seconds
    chance: Callable[[], float]  # in [0, 1)


class BaseClient:
    """Holds the key, the address and the pace; knows no transport, but the way to it."""

    _proxies: Proxies

    def __init__(
        self,
        key: str,
        *,
        base_url: str | None = None,
        timeout_s: float = 300.0,
        polling: Polling | None = None,
        contract: Contract | None = None,
        now: Callable[[], float] | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        if not isinstance(key, str) or not key or not key.isprintable():
            raise ValidationError("key must be a non-empty string.", field="key")
        self.timeout_s = timeout_s
        self._timeout(timeout_s)
        contract = contract or CONTRACT
        named = os.environ.get(BASE_URL)
        if base_url or not named:
            address = check_base_url(base_url or contract.base_url)
        else:
            address = check_base_url(named, BASE_URL)
        self._context = Context(
            address, key, contract, polling or Polling(), now or time.monotonic, chance
        )

    @property
    def base_url(self) -> str:
        return self._context.base_url

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self.base_url!r}, key='***')"

    def _body(self, arguments: Mapping[str, object]) -> dict[str, Any]:
        face = arguments.get("face_image")
        encoded = {} if face is None else {"face_image": encode_face(face)}
        if "key" in arguments:
            raise ValidationError("key belongs to the client, not to one call.", field="key")
        try:
            return build_body(
                self._context.contract, {"key": self._context.key, **arguments, **encoded}
            )
        except ValidationError as error:
            error.hide(self._context.key)
            raise

    def _generating(self, arguments: Mapping[str, object], timeout_s: float | None) -> Flow[Result]:
        return generating(self._context, self._body(arguments), self._timeout(timeout_s))

    def _submitting(self, arguments: Mapping[str, object]) -> Flow[Job]:
        return submitting(
            self._context, self._body(arguments), self._context.now() + self.timeout_s
        )

    def _fetching(self, job: Job | int) -> Flow[Result | None]:
        return fetching(self._context, as_job(job).id, self.timeout_s)

    def _waiting(self, job: Job | int, timeout_s: float | None) -> Flow[Result]:
        return waiting(self._context, as_job(job), self._timeout(timeout_s))

    def _downloading(
        self, url: str, folder: str | os.PathLike[str], name: str | None, timeout_s: float
    ) -> Flow[Path]:
        check_download_url(url)
        return downloading(
            self._context, url, file_for(url, folder, name), self._timeout(timeout_s)
        )

    def _timeout(self, timeout_s: float | None) -> float:
        chosen = self.timeout_s if timeout_s is None else timeout_s
        if not 0 < chosen < float("inf"):
            raise ValidationError(
                f"timeout_s must be a positive number of seconds, not {chosen!r}.",
                field="timeout_s",
            )
        return chosen


def as_job(job: Job | int) -> Job:
    if isinstance(job, Job):
        return job
    if isinstance(job, bool) or not isinstance(job, int) or job < 0:
        raise ValidationError("job must be a Job or its id.", field="job")
    return Job(job)


TOO_LATE = NoReply("the answer took too long", sent=True)
TOO_LARGE = NoReply("the answer is too large", sent=True, passing=False)
COMPRESSED = NoReply("the answer is compressed, which was not asked for", sent=True, passing=False)


def timeout_for(step: Send) -> httpx.Timeout:
    """Return the limits of httpx's single waits, none longer than the whole request may take."""
    within_s = max(step.within_s, 0.001)
    return httpx.Timeout(min(READ_S, within_s), connect=min(CONNECT_S, within_s))


def no_reply(error: httpx.HTTPError, proxies: Proxies, url: str) -> NoReply:
    """Return a failure of the transport without its text, which may repeat what was sent."""
    reason, why = type(error).__name__, distrusted(error)
    if why:
        reason += f": {why}"
    if proxies.proxy_for(url):
        reason += f", by {proxies.variable}={proxies.shown()}"
    return NoReply(reason, sent=not isinstance(error, NEVER_SENT))


def is_compressed(reply: httpx.Response) -> bool:
    """True for a compressed response; none is inflated, for a few bytes may grow to any size."""
    return reply.headers.get("content-encoding", "identity").lower() not in ("identity", "")
