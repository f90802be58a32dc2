"""A server under check that answers in process, on a clock that the check's pauses move."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from fauxlab_contract.core.http import HttpRequest, HttpResponse
from fauxlab_mock.engine.engine import Call
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
        answer = self.mock.handle(call)
        content = b"" if sent.method == "HEAD" else answer.content
        return HttpResponse(answer.code, answer.all_headers, content, at=self.now())

    def now(self) -> float:
        return self.mock.clock.now()

    def sleep(self, seconds: float) -> None:
        self.mock.clock.advance(seconds)
