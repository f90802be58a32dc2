"""How to check a server: the phases, and the options with their defaults."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["PHASES", "Options"]

PHASES = ("examples", "boundaries", "properties", "lifecycle", "webhook", "robustness")


@dataclass(frozen=True, slots=True)
class Options:
    """How to check. `key` is one that the server takes; `other_key` a second one, if there is.
    Limits of None are none.

    `any_key`: the server takes every key. `profile` as-written judges each reply and request by the
    schema alone. `queue_limit` says how many unfinished jobs the server takes, if it is to be
    proved. `has_receiver`: can the server reach this machine?
    """

    key: str = field(repr=False)
    other_key: str | None = field(default=None, repr=False)
    any_key: bool = False
    profile: Literal["strict", "as-written"] = "strict"
    errors: Literal["any", "envelope", "status"] = "any"
    max_calls: int | None = None
    max_submits: int | None = None
    max_seconds: float | None = None
    seed: int = 0
    only: tuple[str, ...] = PHASES
    queue_limit: int | None = None
    timeout_s: float = 10.0
    examples: int = 40  # of each kind, drawn by Hypothesis
    has_receiver: bool = True

    @property
    def secrets(self) -> dict[str, str]:
        """Key -> the variable that stands for it in all that is written down; the longer first, for
        one may begin like the other.
        """
        named = {self.key: "KEY", **({self.other_key: "OTHER_KEY"} if self.other_key else {})}
        return dict(sorted(named.items(), key=lambda pair: -len(pair[0])))
