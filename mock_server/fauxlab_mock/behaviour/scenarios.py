"""How a job unfolds, and the named scenarios: one table, a row each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from fauxlab_mock.behaviour.told_mapping import ToldMapping

__all__ = [
    "DEFAULT_SCENARIO",
    "KEY_PREFIX",
    "MAX_ETA_S",
    "MAX_POLLS",
    "SCENARIOS",
    "CallKind",
    "Plan",
    "Scenario",
]

DEFAULT_SCENARIO = "success"
CallKind = Literal["submit", "fetch", "plain"]
KEY_PREFIX = "mock_"  # the API key `mock_failed` chooses the scenario `failed`
MAX_ETA_S = 86_400  # one day
MAX_POLLS = 1_000


@dataclass(frozen=True, slots=True)
class Plan:
    """How one job will unfold: decided at its submit, so that nothing changes a status afterwards.

    `announced_eta_s` is what the client is told, `duration_s` what happens; they differ only when
    a scenario says so.

    At least `polls` fetches are answered `processing`. The first `hidden_polls` fetches are
    answered "Request not found". After the end, a link answers 404 to its first `hidden_reads`
    reads, and again when `links_live_s` seconds are over. The success is followed by `processing`
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


@dataclass(frozen=True, slots=True)
class Scenario:
    """What happens to a job, or why a call is refused.

    `plan` overrides members of a job's plan and `stretch` multiplies how long it takes, not what is
    announced. `refusal` names the row of the refusal table that answers the kinds of call in
    `refuses`, also calls that break the contract, unless it `reads_body`. `quirk` names the row of
    the quirk table that changes every reply about the job.
    """

    name: str
    summary: str
    plan: Mapping[str, Any] = field(default_factory=dict)
    stretch: float = 1.0
    refusal: str | None = None
    refuses: tuple[CallKind, ...] = ("submit", "fetch", "plain")
    reads_body: bool = False
    quirk: str | None = None
    breaks_contract: bool = False

    def does_refuse(self, kind: str) -> bool:
        return self.refusal is not None and kind in self.refuses

    def comes_first(self, kind: str) -> bool:
        """True if the scenario also refuses calls of this kind that break the contract."""
        return self.does_refuse(kind) and not self.reads_body

    def acts_on(self, kind: str) -> bool:
        """True if the scenario changes what happens to calls of this kind.

        A scenario that refuses nothing plans jobs, so it acts on submits.
        """
        if self.refusal is None:
            return kind == "submit"
        return kind in self.refuses


def _quirk(name: str, summary: str, *, breaks_contract: bool = True) -> Scenario:
    return Scenario(name, summary, quirk=name, breaks_contract=breaks_contract)


_AT_ONCE = {"announced_eta_s": 0, "duration_s": 0, "polls": 0}
_FAILS = {"outcome": "failed"}
_ALL = (
    Scenario("success", "The job is processing for its eta; then its picture is ready."),
    Scenario("instant", "The submit itself is answered with the finished picture.", _AT_ONCE),
    Scenario("slow", "The job takes four times as long as announced.", stretch=4),
    Scenario("stuck", "The job stays processing forever.", stretch=math.inf),
    Scenario("failed", "The job is processing for its eta; then it fails.", _FAILS),
    Scenario(
        "failed_late",
        "The job takes three times as long as announced; then it fails.",
        _FAILS,
        stretch=3,
    ),
    Scenario(
        "early_not_found",
        "The first fetch does not find the job, although it exists; later fetches do.",
        {"hidden_polls": 1},
    ),
    Scenario(
        "late_links",
        "The job succeeds, but each link answers 404 the first two times.",
        {"hidden_reads": 2},
    ),
    Scenario(
        "expired_links",
        "The job succeeds, but its links have already expired.",
        {"links_live_s": 0},
    ),
    Scenario(
        "invalid_key",
        "Every call is refused: the API key is not accepted.",
        refusal="invalid_key",
    ),
    Scenario(
        "missing_key",
        "Every call is refused, as if it had no API key.",
        refusal="missing_key",
    ),
    Scenario(
        "no_credits", "Every call is refused: the account has no credits.", refusal="no_credits"
    ),
    Scenario(
        "plan_required",
        "Submits are refused: the account's plan does not cover them.",
        refusal="plan",
        refuses=("submit",),
    ),
    Scenario(
        "rate_limited",
        "Every call is refused: too many requests are queued; retry_after says 30.",
        refusal="rate_limited",
    ),
    Scenario(
        "queue_full",
        "Submits are refused: too many jobs are unfinished; retry_after says 30.",
        refusal="rate_limited",
        refuses=("submit",),
    ),
    Scenario(
        "try_again",
        "Submits are refused: the model is warming up; submit again later.",
        refusal="try_again",
        refuses=("submit",),
    ),
    Scenario(
        "rejected_image",
        "Submits are refused: the face image cannot be fetched.",
        refusal="no_image",
        refuses=("submit",),
        reads_body=True,
    ),
    Scenario(
        "server_error",
        "Every call is refused: something broke inside the API.",
        refusal="server_error",
    ),
    Scenario(
        "unavailable",
        "Every call is refused: the API is temporarily down.",
        refusal="unavailable",
    ),
    Scenario(
        "maintenance_html",
        "Every call gets a gateway's HTML page with HTTP 503.",
        refusal="maintenance",
        breaks_contract=True,
    ),
    Scenario("webhook_lost", "The webhook never arrives.", {"webhook": "lost"}),
    Scenario("webhook_twice", "The webhook arrives twice.", {"webhook": "twice"}),
    Scenario(
        "webhook_early",
        "The webhook arrives before the submit is answered.",
        {"webhook": "early"},
    ),
    Scenario(
        "webhook_before_success",
        "The webhook arrives while fetches still say processing.",
        {"webhook": "before_success"},
    ),
    Scenario(
        "webhook_late",
        "The webhook arrives a minute late, after the webhooks of later jobs.",
        {"webhook": "late"},
    ),
    Scenario(
        "webhook_without_output",
        "The webhook of a success has no output.",
        {"webhook": "without_output"},
    ),
    _quirk("float_eta", "The eta is not a whole number."),
    _quirk("string_id", "The id is a string."),
    _quirk("empty_proxy_links", "proxy_links is an empty string."),
    _quirk("legacy_messege", "The message is in a field called messege.", breaks_contract=False),
    _quirk("output_as_string", "The output is one link, not a list of links."),
    _quirk("success_without_output", "The success has no output."),
    _quirk("foreign_fetch_result", "fetch_result points at another host.", breaks_contract=False),
    Scenario(
        "redirecting_fetch",
        "Fetches are redirected to another host with HTTP 307.",
        refusal="moved",
        refuses=("fetch",),
        breaks_contract=True,
    ),
    Scenario(
        "flapping",
        "After the success, one more fetch says processing.",
        {"flaps": 1},
        breaks_contract=True,
    ),
)
SCENARIOS: Mapping[str, Scenario] = ToldMapping(
    "Every scenario by its name: `mock.scenario(name)`, `Prefer: scenario=name`.",
    {scenario.name: scenario for scenario in _ALL},
    lambda scenario: scenario.summary,
)
