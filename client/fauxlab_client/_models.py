"""Frozen values: what the client knows of the contract, and what it hands out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from typing import IO, Any, Protocol

__all__ = ["Contract", "FaceImage", "Field", "Job", "Polling", "Result"]


class SupportsSave(Protocol):
    """A picture that can save itself, such as a `PIL.Image.Image`."""

    def save(self, stream: IO[bytes], kind: str, /) -> object: ...


class SupportsRead(Protocol):
    """A file that is open for reading bytes."""

    def read(self, size: int, /) -> bytes: ...


FaceImage = str | PathLike[str] | bytes | bytearray | memoryview | SupportsRead | SupportsSave


@dataclass(frozen=True, slots=True)
class Field:
    """The rules of one request field.

    `type` is a JSON type. Bounds are inclusive; None stands for no bound.
    """

    type: str
    minimum: float | None = None
    maximum: float | None = None
    format: str | None = None


@dataclass(frozen=True, slots=True)
class Contract:
    """The rules for requests: addresses, required fields and the bounds of each field.

    The bundled contract is generated from openapi.yaml; give the client another to change a bound.
    Paths are relative to `base_url`; `fetch_path` holds `{id}`.
    """

    base_url: str
    submit_path: str
    fetch_path: str
    required: tuple[str, ...]
    fields: Mapping[str, Field]


@dataclass(frozen=True, slots=True)
class Polling:
    """When a job is fetched. Times in seconds.

    The first fetch comes after the announced eta, held between `first_least_s` and `first_most_s`.
    The waits after it grow from `step_s` by the factor `growth` up to `step_most_s`, each spread by
    `jitter` (0.1 is plus or minus 10 %). For `grace_s` after the first fetch, "not found" counts as
    not ready yet. Raises ValueError for values that make no sense.
    """

    first_least_s: float = 0.5
    first_most_s: float = 60.0
    step_s: float = 1.0
    growth: float = 1.5
    step_most_s: float = 15.0
    jitter: float = 0.1
    grace_s: float = 10.0

    def __post_init__(self) -> None:
        is_spread = 0 <= self.jitter < 1
        is_growing = self.step_s > 0 and self.growth >= 1
        is_ordered = 0 < self.first_least_s <= self.first_most_s
        if not (is_spread and is_growing and is_ordered):
            raise ValueError(
                "Polling needs 0 <= jitter < 1, growth >= 1, step_s > 0 and 0 < first_least_s <="
                " first_most_s"
            )


@dataclass(frozen=True, slots=True)
class Job:
    """An accepted generation.

    `result` is set when the job ended at once. `eta_s` is the announced time, None without one.
    """

    id: int
    eta_s: float | None = None
    future_links: tuple[str, ...] = ()
    result: Result | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """A finished generation.

    `output` holds at least one link to a picture; `raw` is the whole reply.
    """

    id: int
    output: tuple[str, ...]
    seed: int | None = None
    generation_s: float | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)
