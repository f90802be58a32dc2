"""The client for ordinary code.

`AsyncClient` in `_async_client` is its twin: the same flows, another driver.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self, TypeVar, Unpack

import httpx

from fauxlab_client._contract import GenerateFields
from fauxlab_client._deadline import Cutter
from fauxlab_client._flow import Flow, NoReply, Send, Sleep
from fauxlab_client._models import Job, Result
from fauxlab_client._proxies import Proxies
from fauxlab_client._reply import HttpReply
from fauxlab_client._shared import (
    COMPRESSED,
    TOO_LARGE,
    TOO_LATE,
    BaseClient,
    ClientOptions,
    is_compressed,
    no_reply,
    timeout_for,
)
from fauxlab_client._transport import Transport

__all__ = ["Client"]

T = TypeVar("T")


class Client(BaseClient):
    """A client of the API.

        with Client("key") as client:
            result = client.generate(prompt="…", face_image="face.png", seed=0)

    `base_url` is the API's address (default: the variable FAUXLAB_BASE_URL, else the contract's
    server). `timeout_s` bounds a whole `generate` or `wait`. `transport`, `sleep`, `now` and
    `chance` can be replaced in tests. Threads may share a client: its calls take turns, its waits
    do not.
    """

    def __init__(
        self,
        key: str,
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], object] | None = None,
        **options: Unpack[ClientOptions],
    ) -> None:
        super().__init__(key, **options)
        self._sleep = sleep or time.sleep
        self._cutter = Cutter()
        self._turn = threading.Lock()  # the cutter shuts down whatever the client has open
        self._proxies = Proxies() if transport else Proxies.of_environment()
        self._http = httpx.Client(
            transport=transport or Transport(self._proxies, self.base_url), trust_env=False
        )

    def generate(
        self, *, timeout_s: float | None = None, **fields: Unpack[GenerateFields]
    ) -> Result:
        """Submit, poll, and return the result.

        `fields` are the API's (prompt, face_image, seed, width, …); `face_image` is a URL, a path,
        bytes, an open file or a picture with a `save` method. Raises `ValidationError` before
        anything is sent, and any other `FauxlabError` later. A submit is never repeated once it may
        have arrived.
        """
        return self._drive(self._generating(fields, timeout_s))

    def submit(self, **fields: Unpack[GenerateFields]) -> Job:
        """Start a job and return it, without waiting for its end."""
        return self._drive(self._submitting(fields))

    def fetch(self, job: Job | int) -> Result | None:
        """Fetch once: return the result, or None while the job is processing."""
        return self._drive(self._fetching(job))

    def wait(self, job: Job | int, *, timeout_s: float | None = None) -> Result:
        """Poll a job until it has ended; the id of a job of an earlier run will do."""
        return self._drive(self._waiting(job, timeout_s))

    def download(
        self,
        url: str,
        folder: str | os.PathLike[str],
        *,
        name: str | None = None,
        timeout_s: float = 30.0,
    ) -> Path:
        """Save the picture behind a link inside `folder`, and return the file.

        Waits up to `timeout_s` for a link that is not alive yet. The key is not sent.
        """
        return self._drive(self._downloading(url, folder, name, timeout_s))

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _drive(self, flow: Flow[T]) -> T:
        answer: HttpReply | NoReply | None = None
        while True:
            try:
                step = flow.send(answer)
            except StopIteration as stop:
                result: T = stop.value
                return result
            answer = self._do(step)

    def _do(self, step: Send | Sleep) -> HttpReply | NoReply | None:
        if isinstance(step, Sleep):
            self._sleep(step.seconds)
            return None
        with self._turn:
            return self._send(step)

    def _send(self, step: Send) -> HttpReply | NoReply:
        self._http.cookies.clear()  # the API is told its key and nothing else
        ends = self._context.now() + step.within_s
        request = self._http.build_request(
            step.method,
            step.url,
            content=step.content,
            headers=step.headers,
            timeout=timeout_for(step),
            extensions={"trace": self._cutter.trace},
        )
        try:
            with (
                self._cutter.within(step.within_s),
                contextlib.closing(self._http.send(request, stream=True)) as reply,
            ):
                if is_compressed(reply):
                    return COMPRESSED
                content = bytearray()
                for chunk in reply.iter_bytes():
                    content += chunk
                    if len(content) > step.most_bytes:
                        return TOO_LARGE
                    if self._context.now() > ends:
                        return TOO_LATE
                return HttpReply(reply.status_code, dict(reply.headers), bytes(content))
        except httpx.HTTPError as error:
            failure = no_reply(error, self._proxies, step.url)
            is_too_late = failure.sent and self._context.now() >= ends
            return TOO_LATE if is_too_late else failure
