"""Frozen records of what went over the wire. Journal, guard, verdict and reports share them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fauxlab_contract.violation import Violation

__all__ = ["Exchange"]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its reply. The key is already hidden in both bodies; pictures are described, not kept.

    `at` is the mock's clock in seconds since 1970; `took_s` is real time. `request` is None when the body was no JSON
    object, `reply` is None for a picture.
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
    violations: tuple[Violation, ...] = ()
