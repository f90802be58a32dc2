"""The Prefer header (RFC 7240).

Example: `Prefer: scenario=failed, eta=2, polls=3, fault=HANG, delay=0.1-0.5`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from fauxlab_mock.behaviour.faults import FAULTS, read_delay
from fauxlab_mock.behaviour.refusals import Refused
from fauxlab_mock.behaviour.scenarios import MAX_ETA_S, MAX_POLLS, Plan

__all__ = ["Preferences", "read_preferences"]

MAX_HEADER_CHARS = 1_000


@dataclass(frozen=True, slots=True)
class Preferences:
    """What one request asked for; None where it did not. `eta_s` and `delay` in seconds."""

    scenario: str | None = None
    eta_s: float | None = None
    polls: int | None = None
    fault: str | None = None
    delay: tuple[float, float] | None = None

    def over(self, plan: Plan) -> Plan:
        """`plan` with what was asked for in its place."""
        if self.eta_s is not None:
            plan = replace(plan, announced_eta_s=self.eta_s, duration_s=self.eta_s)
        return plan if self.polls is None else replace(plan, polls=self.polls)

    def applied(self) -> str:
        """The value of the Preference-Applied header, empty when nothing was asked for."""
        eta = None if self.eta_s is None else f"{self.eta_s:g}"
        delay = None
        if self.delay is not None:  # (0.2, 0.2) -> "0.2"; (0.1, 0.5) -> "0.1-0.5"
            delay = "-".join(f"{seconds:g}" for seconds in dict.fromkeys(self.delay))
        asked = {
            "scenario": self.scenario,
            "eta": eta,
            "polls": self.polls,
            "fault": self.fault,
            "delay": delay,
        }
        return ", ".join(f"{name}={value}" for name, value in asked.items() if value is not None)


def read_preferences(header: str | None) -> Preferences:
    """Read the preferences that we know; others are ignored, as the RFC says.

    Raise `Refused` for a value out of range.
    """
    if not header:
        return Preferences()
    found: dict[str, str] = {}
    for part in header[:MAX_HEADER_CHARS].split(","):
        preference, _, _ = part.partition(";")  # its parameters are not ours
        name, _, value = preference.partition("=")
        value = value.strip().strip('"')
        found.setdefault(name.strip().lower(), value)
    eta = _number("eta", found.get("eta"), MAX_ETA_S)
    polls = _number("polls", found.get("polls"), MAX_POLLS)
    if polls is not None and not polls.is_integer():
        raise Refused("bad_preference", "The preference polls must be a whole number.")
    fault = found.get("fault")
    if fault is not None and fault not in FAULTS:
        raise Refused(
            "bad_preference", f"There is no such fault. The faults are {', '.join(FAULTS)}."
        )
    return Preferences(
        found.get("scenario"),
        eta,
        None if polls is None else int(polls),
        fault,
        _delay(found.get("delay")),
    )


def _delay(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        return read_delay(text)
    except ValueError as error:
        raise Refused(
            "bad_preference", f"The preference delay {error}, not {text[:40]!a}."
        ) from None


def _number(name: str, text: str | None, most: int) -> float | None:
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text) or float(text) > most:
        raise Refused(
            "bad_preference",
            f"The preference {name} must be a number from 0 to {most}, not {text[:40]!a}.",
        )
    return float(text)
