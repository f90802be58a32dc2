"""Frozen values: what the client knows of the contract, and what it hands out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Contract", "Field", "Job", "Polling", "Result"]


@dataclass(frozen=True, slots=True)
class Field:
    """The rules of one request field. `type` is a JSON type; bounds are inclusive, None means none."""

    type: str
    minimum: float | None = None
    maximum: float | None = None
    format: str | None = None


@dataclass(frozen=True, slots=True)
class Contract:
    """What a request must keep. The bundled one is generated from openapi.yaml; hand another to the
    client to change a bound.

    Paths are relative to `base_url`; `fetch_path` holds `{id}`.
    """

    base_url: str
    submit_path: str
    fetch_path: str
    required: tuple[str, ...]
    fields: Mapping[str, Field]


@dataclass(frozen=True, slots=True)
class Polling:
    """When a job is asked for. Times in seconds.

    The first fetch comes after the announced eta, held between `first_least_s` and `first_most_s`;
    the waits after it grow from `step_s` by the factor `growth` up to `step_most_s`, each spread by
    `jitter` (0.1 is plus or minus 10 %). For `grace_s` after the first fetch, "not found" counts as
    not ready yet. Raises ValueError for waits that are none.
    """

    first_least_s: float = 0.5
    first_most_s: float = 60.0
    step_s: float = 1.0
    growth: float = 1.5
    step_most_s: float = 15.0
    jitter: float = 0.1
    grace_s: float = 10.0

    def __post_init__(self) -> None:
        if not (
            0 <= self.jitter < 1
            and self.growth >= 1
            and self.step_s > 0
            and 0 < self.first_least_s <= self.first_most_s
        ):
            raise ValueError(
                "Polling needs 0 <= jitter < 1, growth >= 1, step_s > 0 and 0 < first_least_s <="
                " first_most_s"
            )


@dataclass(frozen=True, slots=True)
class Job:
    """An accepted generation. `result` is set when it had ended at once; `eta_s` is the announced
    time, None if there was none.
    """

    id: int
    eta_s: float | None = None
    future_links: tuple[str, ...] = ()
    result: Result | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """A finished generation: links to its pictures, at least one. `raw` is the whole reply."""

    id: int
    output: tuple[str, ...]
    seed: int | None = None
    generation_s: float | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)
