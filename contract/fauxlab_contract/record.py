"""Frozen records of what went over the wire. Journal, guard, verdict and reports share them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fauxlab_contract.violation import Violation

__all__ = ["Exchange", "JobFacts", "WebhookAttempt"]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its reply. The key is already hidden in both bodies; pictures are described, not kept.

    `at` is the mock's clock in seconds since 1970; `took_s` is real time. `request` is None when the body was no JSON
    object, `reply` is None for a picture. `kind` is submit, fetch or plain; `owner` a digest of the key; `refusal` the mock's own name
    for why it refused; `is_link` says that the call was for a picture.
    """

    number: int
    at: float
    took_s: float
    method: str
    path: str
    operation: str | None
    request: Mapping[str, Any] | None
    request_bytes: int
    code: int
    reply: Any
    job_id: int | None = None
    scenario: str | None = None
    fault: str | None = None
    violations: tuple[Violation, ...] = ()
    kind: str | None = None
    owner: str | None = None
    refusal: str | None = None
    key_in_url: bool = False
    is_link: bool = False

    @property
    def members(self) -> Mapping[str, Any]:
        """The reply's members; none for a reply that is no JSON object."""
        return self.reply if isinstance(self.reply, Mapping) else {}


@dataclass(frozen=True, slots=True)
class JobFacts:
    """What is known of one job when a client is judged: times on the mock's clock, `ends_at` infinite for one that never ends."""

    id: int
    owner: str
    created_at: float
    announced_end: float
    ends_at: float
    state: str
    has_webhook: bool


@dataclass(frozen=True, slots=True)
class WebhookAttempt:
    """One try to deliver a job's webhook. `at` is the mock's clock, `took_s` real time, `code` the receiver's answer or None.

    `error` says why it failed; `suppressed` means that nothing was sent, and `error` why.
    """

    number: int
    at: float
    took_s: float
    job_id: int
    attempt: int
    code: int | None
    error: str
    suppressed: bool

    @property
    def delivered(self) -> bool:
        return self.code is not None and 200 <= self.code < 300
