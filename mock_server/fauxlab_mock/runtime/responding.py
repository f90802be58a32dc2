"""What has to happen around the sending of an answer, in one place for every adapter."""

from __future__ import annotations

import asyncio

from fauxlab_mock.runtime.answer import Answer
from fauxlab_mock.webhooks.outbox import Outbox

__all__ = ["Responding"]


class Responding:
    """One call that is being answered: use it with `with`, or with `async with` in an event loop.

    At its beginning the webhook of the job with the id `early` is delivered, which may take two
    seconds, and the picture is drawn. At its end, however the block is left, other webhooks are
    due, `webhooks_after_s` real seconds later.
    """

    __slots__ = ("_answer", "_early", "_is_ready", "_outbox", "_webhooks_after_s")

    def __init__(
        self, answer: Answer, early: int | None, outbox: Outbox, webhooks_after_s: float
    ) -> None:
        self._answer, self._early = answer, early
        self._is_ready = early is None and answer.picture is None
        self._outbox, self._webhooks_after_s = outbox, webhooks_after_s

    def __enter__(self) -> Answer:
        if not self._is_ready:
            try:
                self._prepare()
            except BaseException:
                self._leave()
                raise
        return self._answer

    def __exit__(self, *_: object) -> None:
        self._leave()

    async def prepare(self) -> None:
        """Do in a thread what takes time, for a caller that can still answer otherwise."""
        if self._is_ready:
            return
        try:
            await asyncio.to_thread(self._prepare)
        except BaseException:
            self._leave()
            raise

    async def __aenter__(self) -> Answer:
        await self.prepare()
        return self._answer

    async def __aexit__(self, *_: object) -> None:
        self._leave()

    def _prepare(self) -> None:
        if self._early is not None:
            self._outbox.deliver_early(self._early)
        self._answer = self._answer.drawn()
        self._is_ready = True

    def _leave(self) -> None:
        self._outbox.wake(self._webhooks_after_s)
