"""Rules: what a test wants to happen to the next calls that choose nothing themselves."""

from __future__ import annotations

from dataclasses import dataclass

from fauxlab_mock.scenario import SCENARIOS

__all__ = ["Rule"]


@dataclass(frozen=True, slots=True)
class Rule:
    """`scenario` for the next `times` calls that it can take effect on (None: for all). ValueError for values that make no sense.

    A scenario that refuses takes effect on every call to an operation, one that plans a job on submits alone.
    """

    scenario: str
    times: int | None = None

    def __post_init__(self) -> None:
        if self.scenario not in SCENARIOS:
            raise ValueError(f"there is no scenario {str(self.scenario)[:40]!a}; the scenarios are {', '.join(SCENARIOS)}")
        if self.times is not None and (type(self.times) is not int or self.times < 1):
            raise ValueError(f"times must be a whole number from 1, or None, not {str(self.times)[:40]!a}")

    def matches(self, operation_kind: str) -> bool:
        scenario = SCENARIOS[self.scenario]
        return scenario.does_refuse(operation_kind) or (operation_kind == "submit" and scenario.refuses != ("fetch",))

    def used(self) -> Rule | None:
        """The rule after it took effect once; None when that was its last time."""
        if self.times is None:
            return self
        return Rule(self.scenario, self.times - 1) if self.times > 1 else None
