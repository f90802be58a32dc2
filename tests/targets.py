"""A mock as the target of a check that remembers what it was sent."""

from __future__ import annotations

from fauxlab_contract.core.http import HttpRequest, HttpResponse
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.runtime.target import MockTarget


class RecordedTarget(MockTarget):
    """`sent` is all that it was sent, in order."""

    def __init__(self, mock: Mock) -> None:
        super().__init__(mock)
        self.sent: list[HttpRequest] = []

    def send(self, sent: HttpRequest, within_s: float) -> HttpResponse:
        self.sent.append(sent)
        return super().send(sent, within_s)
