"""Named scenarios, as data: one table, one line each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["DEFAULT_SCENARIO", "KEY_PREFIX", "SCENARIOS", "Scenario"]

DEFAULT_SCENARIO = "success"
KEY_PREFIX = "mock_"  # the API key `mock_failed` chooses the scenario `failed`


@dataclass(frozen=True, slots=True)
class Scenario:
    """`plan` overrides members of a job's plan; `refusal` names the row of the refusal table that answers every call."""

    name: str
    summary: str
    plan: Mapping[str, Any] = field(default_factory=dict)
    refusal: str | None = None
    breaks_contract: bool = False


SCENARIOS: Mapping[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        Scenario("success", "The job is processed for its eta, then its picture is ready."),
        Scenario(
            "instant", "The submit itself is answered with the finished picture.", {"announced_eta_s": 0, "duration_s": 0, "polls": 0}
        ),
        Scenario("failed", "The job is processed for its eta, then it has failed.", {"outcome": "failed"}),
        Scenario("early_not_found", "The first fetch does not know the live job; later ones do.", {"hidden_polls": 1}),
        Scenario("invalid_key", "Every call is refused: the API key is not accepted.", refusal="invalid_key"),
        Scenario("no_credits", "Every call is refused: the account has no credits.", refusal="no_credits"),
        Scenario("rate_limited", "Every call is refused: too many requests are queued.", refusal="rate_limited"),
        Scenario("server_error", "Every call is refused: something broke inside the API.", refusal="server_error"),
    )
}
