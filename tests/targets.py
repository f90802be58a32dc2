"""Servers under check without a socket: each answers in process, on a clock that only the check's
own pauses move.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from fauxlab_contract.core.http import HttpRequest, HttpResponse
from fauxlab_mock.engine.engine import Call
from fauxlab_mock.engine.pictures import draw
from fauxlab_mock.runtime.mock import Mock


@dataclass
class MockTarget:
    """A mock on the manual clock as the target of a check; `sent` is all that it was sent."""

    mock: Mock
    sent: list[HttpRequest] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.mock.url

    def send(self, sent: HttpRequest, within_s: float) -> HttpResponse:  # noqa: ARG002
        self.sent.append(sent)
        parts = urlsplit(sent.url)
        call = Call(
            sent.method,
            unquote(parts.path),
            {"host": parts.netloc, **sent.headers},
            sent.body,
            parts.query,
        )
        if len(call.body) > self.mock.settings.limits.body_bytes:
            answer = self.mock.reject("body_too_large", call.method, call.path)
        else:
            answer = self.mock.handle(call)
        if answer.after is not None:
            answer.after()
        content = answer.content if answer.picture is None else draw(answer.picture)
        headers = {
            **answer.headers,
            "content-type": answer.media_type,
            "content-length": str(len(content)),
        }
        return HttpResponse(
            answer.code, headers, b"" if sent.method == "HEAD" else content, at=self.now()
        )

    def now(self) -> float:
        return self.mock.clock.now()

    def sleep(self, seconds: float) -> None:
        self.mock.clock.advance(seconds)
