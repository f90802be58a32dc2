"""A mock as the target of a check: no socket, and a clock that only the check's pauses move."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from fauxlab_contract.core.http import HttpRequest, HttpResponse
from fauxlab_mock.engine.messages import Call
from fauxlab_mock.runtime.mock import Mock

__all__ = ["MockTarget"]

ORIGIN = "http://127.0.0.1:4010"  # of its links; nothing listens there


class MockTarget:
    """Checks a mock in process: `check(MockTarget(mock), document, options)`.

    The mock's clock should be `manual`. It moves by the pauses of the check, so that a job of an
    hour is checked in no time; webhooks are really sent.
    """

    def __init__(self, mock: Mock) -> None:
        self.mock = mock

    @property
    def url(self) -> str:
        """What stands for the document's server: an address on this machine."""
        return ORIGIN + self.mock.document.base_path

    def send(self, sent: HttpRequest, within_s: float) -> HttpResponse:
        """Return the mock's response, or one with `error` where a fault leaves none."""
        parts = urlsplit(sent.url)
        headers = {"host": parts.netloc, **sent.headers}
        path = parts.path
        call = Call(sent.method, path, headers, sent.body, parts.query, ORIGIN)
        answer = self.mock.handle(call)
        effect = answer.effect
        if effect.kind == "hang" or effect.silence_s > within_s:
            self.sleep(within_s)
            return HttpResponse(0, error=f"no answer within {within_s:g} s", at=self.now())
        self.sleep(effect.delay_s + effect.lasts_s)
        if effect.kind in ("close", "reset"):
            return HttpResponse(0, error="the connection was closed", at=self.now())
        content = b"" if sent.method == "HEAD" else answer.content
        return HttpResponse(answer.code, answer.all_headers, content, at=self.now())

    def send_together(self, sent: Sequence[HttpRequest], within_s: float) -> list[HttpResponse]:
        """Send requests at the same moment of the mock's clock."""
        return [self.send(one, within_s) for one in sent]

    def now(self) -> float:
        return self.mock.clock.now()

    def sleep(self, seconds: float) -> None:
        """Move the mock's clock, event by event."""
        self.mock.clock.advance(seconds)
