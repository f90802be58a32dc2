"""What a check of a client found: the rules, findings and the report, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from fauxlab_contract.verdict.verdict import RULES, Rule

__all__ = [
    "CLIENT_RULES",
    "ClientFinding",
    "ClientObservation",
    "ClientReport",
    "check_waivers",
    "findings_of",
]

_OWN = (
    Rule(
        "argument-lost",
        "error",
        "An argument did not reach the request as it was given.",
        "Send each argument under its field's name.",
    ),
    Rule(
        "misspelt-field",
        "error",
        "A request had a field that nobody reads.",
        "Use the names of the document.",
    ),
    Rule(
        "valid-arguments-refused",
        "warning",
        "Arguments that keep the contract were refused.",
        "Take the bounds from the document.",
    ),
    Rule(
        "error-taken-for-success",
        "error",
        "A call returned although the server had said error or failed.",
        "Read status, not HTTP 200.",
    ),
    Rule(
        "wrong-result",
        "error",
        "A call returned something else than a success's output.",
        "Return output, once status says success.",
    ),
    Rule(
        "gave-up",
        "error",
        "A call raised although its result was to be had.",
        "Go on polling until the end is told.",
    ),
    Rule(
        "endless",
        "error",
        "A call did not end within its bounds.",
        "Bound the whole call by a deadline of its own.",
    ),
    Rule(
        "waited-after-end",
        "warning",
        "A call went on sleeping after its end was told.",
        "Stop as soon as the end is told.",
    ),
    Rule(
        "crashed",
        "error",
        "A reply led to a bare lookup or type error.",
        "Check a reply before you use it; raise an error of your own.",
    ),
    Rule(
        "message-lost",
        "warning",
        "An exception did not carry the server's message.",
        "Put the server's message into the exception.",
    ),
    Rule(
        "key-leaked",
        "error",
        "The API key stood in a log, an output, an exception or a repr.",
        "Hide the key in whatever is shown.",
    ),
    Rule(
        "key-sent-elsewhere",
        "error",
        "The API key was sent to another host.",
        "Send it to the configured host alone, follow no redirect.",
    ),
    Rule(
        "plain-http",
        "error",
        "The key would have travelled unencrypted to another machine.",
        "Take http:// for this machine alone.",
    ),
    Rule(
        "tls-not-verified",
        "error",
        "A server with a certificate of no authority was trusted.",
        "Leave verification on.",
    ),
    Rule(
        "mixed-up",
        "error",
        "Calls side by side returned each other's results.",
        "Keep a job's id in the call, not in the client.",
    ),
    Rule(
        "cancel-leaks",
        "error",
        "A cancelled call left a task or a connection behind.",
        "Close what a call opened in its finally.",
    ),
    Rule(
        "webhook-acted-twice",
        "error",
        "A webhook handler acted twice on one job.",
        "Remember the ids that were dealt with.",
    ),
    Rule(
        "webhook-unknown-accepted",
        "error",
        "A webhook handler acted on a job that nobody submitted.",
        "Act on ids that you submitted.",
    ),
)
CLIENT_RULES: Mapping[str, Rule] = {rule.id: rule for rule in (*_OWN, *RULES.values())}


@dataclass(frozen=True, slots=True)
class ClientObservation:
    """One rule broken in one trial. `detail` tells findings of the same rule apart, such as the
    field of a violation.
    """

    rule: str
    message: str
    trial: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ClientFinding:
    """One thing that a client does. `trial` is the first in which it did, `times` how often;
    `waived` the reason for not minding.
    """

    rule: str
    severity: str
    trial: str
    message: str
    advice: str
    times: int = 1
    waived: str = ""

    def __str__(self) -> str:
        more = f" ({self.times} times)" if self.times > 1 else ""
        reason = f" (waived: {self.waived})" if self.waived else ""
        return (
            f"{self.severity}: {self.rule}: {self.trial}: {self.message}{more}"
            f" {self.advice}{reason}"
        )


@dataclass(frozen=True, slots=True)
class ClientReport:
    """All findings about a client. `virtual_s` passed on the mock's clock, `real_s` on yours;
    `not_judged` says what was not tried.
    """

    findings: tuple[ClientFinding, ...]
    waived: tuple[ClientFinding, ...] = ()
    not_judged: tuple[str, ...] = ()
    trials: tuple[str, ...] = ()
    calls: int = 0
    virtual_s: float = 0.0
    real_s: float = 0.0

    @property
    def is_ok(self) -> bool:
        return not self.findings

    def assert_ok(self) -> None:
        """Raise AssertionError with all findings, if there are any."""
        if self.findings:
            raise AssertionError(str(self))

    def as_dict(self) -> dict[str, Any]:
        return {"is_ok": self.is_ok, **asdict(self)}

    def __str__(self) -> str:
        count = len(self.findings)
        head = (
            f"{count} finding{'' if count == 1 else 's'} about the client"
            if count
            else "the client behaved well"
        )
        lines = [f"{head}, in {len(self.trials)} trials"]
        lines += [f"  {finding}" for finding in (*self.findings, *self.waived)]
        lines += [f"  not judged: {what}" for what in self.not_judged]
        return "\n".join(lines)


def findings_of(
    told: list[ClientObservation], waive: Mapping[str, str]
) -> tuple[ClientFinding, ...]:
    """One finding for each rule and detail, in the order of the rules; the first trial speaks for
    the others.
    """
    groups: dict[tuple[str, str], list[ClientObservation]] = {}
    for one in told:
        groups.setdefault((one.rule, one.detail), []).append(one)
    order = list(CLIENT_RULES)
    return tuple(
        ClientFinding(
            rule.id,
            rule.severity,
            some[0].trial,
            some[0].message,
            rule.advice,
            len(some),
            waive.get(rule.id, ""),
        )
        for (name, _), some in sorted(groups.items(), key=lambda item: order.index(item[0][0]))
        for rule in (CLIENT_RULES[name],)
    )


def check_waivers(waive: Mapping[str, str]) -> None:
    """ValueError for an unknown rule or an empty reason."""
    for name, reason in waive.items():
        if name not in CLIENT_RULES or not reason.strip():
            raise ValueError(
                f"waive {name[:40]!a} with a reason; the rules are {', '.join(CLIENT_RULES)}"
            )
