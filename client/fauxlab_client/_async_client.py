"""The client for asyncio. `Client` in `_client` is its twin: the same flows, another driver."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Self, TypeVar, Unpack

import httpx

from fauxlab_client._contract import GenerateFields
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
from fauxlab_client._transport import AsyncTransport

__all__ = ["AsyncClient"]

T = TypeVar("T")


class AsyncClient(BaseClient):
    """A client of the API for asyncio.

        async with AsyncClient("key") as client:
            result = await client.generate(prompt="…", face_image="face.png", seed=0)

    Takes the arguments of `Client`, and may run many calls at once. A cancelled call closes its
    connection and leaves no task behind.
    """

    def __init__(
        self,
        key: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[object]] | None = None,
        **options: Unpack[ClientOptions],
    ) -> None:
        super().__init__(key, **options)
        self._sleep = sleep or asyncio.sleep
        self._proxies = Proxies() if transport else Proxies.of_environment()
        self._http = httpx.AsyncClient(
            transport=transport or AsyncTransport(self._proxies, self.base_url), trust_env=False
        )

    async def generate(
        self, *, timeout_s: float | None = None, **fields: Unpack[GenerateFields]
    ) -> Result:
        """Submit, poll, and return the result.

        `fields` are the API's (prompt, face_image, seed, width, …); `face_image` is a URL, a path,
        bytes, an open file or a picture with a `save` method. Raises `ValidationError` before
        anything is sent, and any other `FauxlabError` later. A submit is never repeated once it may
        have arrived.
        """
        return await self._drive(self._generating(fields, timeout_s))

    async def submit(self, **fields: Unpack[GenerateFields]) -> Job:
        """Start a job and return it, without waiting for its end."""
        return await self._drive(self._submitting(fields))

    async def fetch(self, job: Job | int) -> Result | None:
        """Fetch once: return the result, or None while the job is processing."""
        return await self._drive(self._fetching(job))

    async def wait(self, job: Job | int, *, timeout_s: float | None = None) -> Result:
        """Poll a job until it has ended; the id of a job of an earlier run will do."""
        return await self._drive(self._waiting(job, timeout_s))

    async def download(
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
        return await self._drive(self._downloading(url, folder, name, timeout_s))

    async def close(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _drive(self, flow: Flow[T]) -> T:
        answer: HttpReply | NoReply | None = None
        while True:
            try:
                step = flow.send(answer)
            except StopIteration as stop:
                result: T = stop.value
                return result
            answer = await self._do(step)

    async def _do(self, step: Send | Sleep) -> HttpReply | NoReply | None:
        if isinstance(step, Sleep):
            await self._sleep(step.seconds)
            return None
        self._http.cookies.clear()  # the API is told its key and nothing else
        try:
            async with (
                asyncio.timeout(step.within_s),
                self._http.stream(
                    step.method,
                    step.url,
                    content=step.content,
                    headers=step.headers,
                    timeout=timeout_for(step),
                ) as reply,
            ):
                if is_compressed(reply):
                    return COMPRESSED
                content = bytearray()
                async for chunk in reply.aiter_bytes():
                    content += chunk
                    if len(content) > step.most_bytes:
                        return TOO_LARGE
                return HttpReply(reply.status_code, dict(reply.headers), bytes(content))
        except TimeoutError:
            return TOO_LATE
        except httpx.HTTPError as error:
            return no_reply(error, self._proxies, step.url)
