"""The Prefer header (RFC 7240).

Example: `Prefer: scenario=failed, eta=2, polls=3, fault=HANG, delay=0.1-0.5`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from fauxlab_contract.core.text import nearest
from fauxlab_mock.behaviour.faults import FAULTS, read_delay
from fauxlab_mock.behaviour.refusals import Refused, unknown_name
from fauxlab_mock.behaviour.scenarios import MAX_ETA_S, MAX_POLLS, SCENARIOS, Plan

__all__ = ["Preferences", "read_preferences"]

MAX_HEADER_CHARS = 1_000
NAMES = ("scenario", "eta", "polls", "fault", "delay", "retry_after")
ALIKE = 0.8  # of difflib: `scenaro` and `scenario`; `default` and `fault` begin otherwise
_OF_PRISM = ("code", "example", "dynamic")
_HINT_FOR_PRISM = (
    "The preferences code, example and dynamic are Prism's, and nothing comes of them here; choose"
    " a reply by scenario=NAME."
)
_HINT_FOR_PARAMETERS = (
    "Nothing comes of what follows a semicolon in Prefer; separate preferences by commas."
)


@dataclass(frozen=True, slots=True)
class Preferences:
    """What one request asked for; None where it did not. Times in seconds.

    `hint` tells what was ignored although somebody may have meant something by it.
    """

    scenario: str | None = None
    eta_s: float | None = None
    polls: int | None = None
    fault: str | None = None
    delay: tuple[float, float] | None = None
    retry_after: int | None = None
    hint: str = ""

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
            "retry_after": self.retry_after,
        }
        return ", ".join(f"{name}={value}" for name, value in asked.items() if value is not None)


def read_preferences(header: str | None) -> Preferences:
    """Read the preferences that we know; others are ignored, as the RFC says.

    Raise `Refused` for a value that makes no sense, and for a name that is one of ours misspelt.
    """
    if not header:
        return Preferences()
    found: dict[str, str] = {}
    hints = []
    for part in header[:MAX_HEADER_CHARS].split(","):
        preference, *parameters = part.split(";")
        name, value = _pair(preference)
        found.setdefault(name, value)
        hints += _hints(name, dict(map(_pair, parameters)))
    _check_names(found)
    if not found.keys().isdisjoint(_OF_PRISM):
        hints.append(_HINT_FOR_PRISM)
    eta = _number("eta", found.get("eta"), MAX_ETA_S)
    polls = _whole("polls", found.get("polls"), MAX_POLLS)
    return Preferences(
        _one_of("scenario", found, SCENARIOS),
        eta,
        polls,
        _one_of("fault", found, FAULTS),
        _delay(found.get("delay")),
        _whole("retry_after", found.get("retry_after"), MAX_ETA_S),
        " ".join(dict.fromkeys(hints)),
    )


def _pair(text: str) -> tuple[str, str]:
    """` Eta = "0.5"` -> `("eta", "0.5")`"""
    name, _, value = text.partition("=")
    return name.strip().lower(), value.strip().strip('"')


def _hints(name: str, parameters: Mapping[str, str]) -> list[str]:
    """Return what to say of the parameters of a preference, which come to nothing.

    Raise `Refused` where a preference of ours has one that was meant as another preference.
    """
    meant = [parameter for parameter in parameters if parameter in NAMES]
    if meant and name in NAMES:
        raise Refused(
            "misuse",
            f"{meant[0]} follows a semicolon, as a parameter of {name}; separate preferences by"
            f" commas: {name}=…, {meant[0]}=….",
        )
    is_of_ours = name in NAMES and any(parameters)
    return [_HINT_FOR_PARAMETERS] if meant or is_of_ours else []


def _check_names(found: Mapping[str, str]) -> None:
    """Refuse a name that is not ours but looks like it."""
    for name, value in found.items():
        if name in NAMES or not value:
            continue
        near = nearest(name, [ours for ours in NAMES if ours[0] == name[:1]], ALIKE)
        if near:
            raise Refused(
                "misuse", f"There is no preference {name[:40]!a}; did you mean {near[0]}?"
            )


def _one_of(name: str, found: Mapping[str, str], known: Mapping[str, object]) -> str | None:
    value = found.get(name)
    if value is not None and value not in known:
        raise unknown_name(name, value, known)
    return value


def _delay(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        return read_delay(text)
    except ValueError as error:
        raise Refused("misuse", f"The preference delay {error}, not {text[:40]!a}.") from None


def _number(name: str, text: str | None, most: int) -> float | None:
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text) or float(text) > most:
        raise Refused(
            "misuse",
            f"The preference {name} must be a number from 0 to {most}, not {text[:40]!a}.",
        )
    return float(text)


def _whole(name: str, text: str | None, most: int) -> int | None:
    number = _number(name, text, most)
    if number is not None and not number.is_integer():
        raise Refused("misuse", f"The preference {name} must be a whole number.")
    return None if number is None else int(number)
