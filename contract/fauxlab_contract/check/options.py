"""How to check a server: the phases, and the options with their defaults."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from fauxlab_contract.core.secrets import is_secret_name, secret_in
from fauxlab_contract.core.text import either

__all__ = ["PHASES", "Options"]

Profile = Literal["strict", "as-written"]
ErrorProfile = Literal["any", "envelope", "status"]
PHASES = ("examples", "boundaries", "properties", "lifecycle", "webhook", "robustness")

_SECRET_HEADERS = ("cookie", "authorization")


@dataclass(frozen=True, slots=True)
class Options:
    """How to check a server.

    `key` is a valid key, `other_key` a second one, if there is. `any_key`: the server takes every
    key. `profile` as-written judges requests and replies by the schema alone, and no hygiene.
    `errors` is how the server answers with errors. `max_calls`, `max_submits` and `max_seconds` are
    the budget; None means no limit. `queue_limit` is the number of unfinished jobs that the server
    takes, if this should be checked. `has_receiver`: the server can reach this machine. `headers`
    are sent with each request (names in lower case), `delay_s` passes between two. Raise ValueError
    for what cannot be meant, such as an unknown phase.
    """

    key: str = field(repr=False)
    other_key: str | None = field(default=None, repr=False)
    any_key: bool = False
    profile: Profile = "strict"
    errors: ErrorProfile = "any"
    max_calls: int | None = None
    max_submits: int | None = None
    max_seconds: float | None = None
    seed: int = 0
    only: tuple[str, ...] = PHASES
    queue_limit: int | None = None
    timeout_s: float = 10.0
    examples: int = 40  # bodies of each kind that Hypothesis draws
    has_receiver: bool = True
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    delay_s: float = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.key, str) or not self.key:
            raise ValueError("key must be a string that is not empty")
        for name, known in (("profile", get_args(Profile)), ("errors", get_args(ErrorProfile))):
            value = getattr(self, name)
            if value not in known:
                raise ValueError(f"{name} must be {either(known)}, not {value!r:.80}")
        if not isinstance(self.only, tuple) or not self.only or set(self.only) - set(PHASES):
            phases = ", ".join(PHASES)
            raise ValueError(
                f"only must be a tuple of one or more phases, not {self.only!r:.80}; the phases are"
                f" {phases}"
            )
        for name in ("max_calls", "max_submits", "max_seconds", "queue_limit"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise ValueError(f"{name} must be 0 or more, or None, not {value}")

    @property
    def secrets(self) -> dict[str, str]:
        """The keys, each with the variable that replaces it in reports: `{"k-1": "KEY"}`.

        Headers such as Authorization are keys too.

        The longer key comes first, because it may begin with the other one.
        """
        named = {
            value: name.upper().replace("-", "_")
            for name, header in self.headers
            if is_secret_name(name) or name in _SECRET_HEADERS
            for value in (header, header.rpartition(" ")[2])
            if secret_in(value)
        }
        named[self.key] = "KEY"
        if self.other_key:
            named[self.other_key] = "OTHER_KEY"
        return {key: named[key] for key in sorted(named, key=len, reverse=True)}
