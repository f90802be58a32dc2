"""How one job will unfold: a frozen plan, decided at submit. Nothing ever changes a status
afterwards.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

__all__ = ["MAX_ETA_S", "MAX_POLLS", "Plan"]

MAX_ETA_S = 86_400  # one day
MAX_POLLS = 1_000


@dataclass(frozen=True, slots=True)
class Plan:
    """`announced_eta_s` is what the client is told, `duration_s` what happens; the two differ only
    when a scenario says so.

    `polls` fetches at least are answered `processing`; the first `hidden_polls` fetches are
    answered "Request not found". After the end, a link answers 404 to its first `hidden_reads`
    reads, and again once `links_live_s` seconds are over; the success is followed by a processing
    `flaps` times. `webhook` says what goes wrong with the job's webhook, if it has one.
    """

    announced_eta_s: float
    duration_s: float
    polls: int = 0
    hidden_polls: int = 0
    hidden_reads: int = 0
    links_live_s: float = math.inf
    flaps: int = 0
    webhook: Literal["", "lost", "twice", "early", "before_success", "late", "without_output"] = ""
    outcome: Literal["success", "failed"] = "success"
    failure: str = "The generation failed. Please try again with another image or prompt."
