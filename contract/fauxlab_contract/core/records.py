"""Frozen records of what went over the wire. Journal, guard, verdict and reports share them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fauxlab_contract.core.violation import Violation

__all__ = ["CUT", "Exchange", "JobFacts", "WebhookAttempt"]

CUT = "(cut)"  # the only member of a body that was too large to keep
_SLOW = "DRIBBLE"  # the one fault after which a client that waits has the whole reply


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its reply, with the key hidden in both bodies and pictures described.

    `at` is the mock's clock in seconds since 1970. `took_s` is real time, `real_s` the real time
    that this clock does not count, from any moment. The reply was held back for `delay_s`.
    `request` is None if the body was not a JSON object, `reply` is None for a picture. `kind` is
    submit, fetch or plain, `owner` a digest of the key, `refusal` the mock's name for the reason
    why it refused, `hint` what it has to say about the call beside the reply. `is_link` is True for
    a call that asked for a picture.
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
    delay_s: float = 0.0
    real_s: float = 0.0
    hint: str = ""

    @property
    def is_heard(self) -> bool:
        """True if the reply certainly arrived; after a delay the client may be gone."""
        return self.fault is None and self.delay_s == 0

    @property
    def is_lost(self) -> bool:
        """True if the client certainly learnt nothing from the reply."""
        return self.fault not in (None, _SLOW)

    @property
    def members(self) -> Mapping[str, Any]:
        """The reply's members; `{}` for a reply that is not a JSON object."""
        return self.reply if isinstance(self.reply, Mapping) else {}


@dataclass(frozen=True, slots=True)
class JobFacts:
    """What is known of one job when a client is judged; times are on the mock's clock.

    `ends_at` is infinite for a job that never ends. `state` is processing, success or failed,
    `outcome` the state that the job ends in.
    """

    id: int
    owner: str
    created_at: float
    announced_end: float
    ends_at: float
    state: str
    has_webhook: bool
    outcome: str


@dataclass(frozen=True, slots=True)
class WebhookAttempt:
    """One attempt to deliver a job's webhook.

    `at` is the mock's clock, `took_s` real time, `code` the receiver's answer or None. `error` says
    why it failed; if it was `suppressed`, why nothing was sent. `reached` is
    False where that says nothing of the receiver (no such host, no way to it, a certificate that
    the mock does not trust, an error of the mock's own). `after` and `until` are numbers of
    exchanges: the last one before it was sent, and the last one before the receiver had answered.
    """

    number: int
    at: float
    took_s: float
    job_id: int
    attempt: int
    code: int | None
    error: str
    suppressed: bool
    after: int = 0
    until: int = 0
    reached: bool = True

    @property
    def delivered(self) -> bool:
        return self.code is not None and 200 <= self.code < 300
