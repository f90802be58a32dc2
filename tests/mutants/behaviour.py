"""How a server behaves, as one value: its defaults are the contract, a mutant replaces one of them,
a freedom some.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mutants import pictures
from mutants.rules import FIELDS, Field, is_json_type, key_problem, strict_json

if TYPE_CHECKING:
    from mutants.server import Server

__all__ = ["CORRECT", "Behaviour", "Delivery", "Job", "Reply", "Switch", "all_of", "change", "edit"]


@dataclass
class Job:
    """One accepted submit. `state` follows from the clock; the counters only serve the mutants."""

    id: int
    key: str
    fields: dict[str, Any]
    created: float
    eta_s: int
    token: str  # part of the picture's address
    fails: bool = False
    ends: float = 0.0
    polls: int = 0
    ended_polls: int = 0  # fetches after the end
    downloads: int = 0
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass
class Reply:
    """What is about to be answered or delivered; edits change it. `kind` is like submit.processing,
    error.key, hook.failed.
    """

    kind: str
    body: Any
    job: Job | None = None
    code: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})
    method: str = "POST"
    accepts: str = ""  # Accept-Encoding of the request
    key: str = ""
    sent: Any = None  # the request's body, where it could be read
    raw: bytes | None = None  # sent in place of the body

    def becomes(self, **parts: Any) -> bool:
        """Replace parts of the reply."""
        for name, value in parts.items():
            setattr(self, name, value)
        return True


@dataclass(frozen=True)
class Delivery:
    """One webhook to come."""

    at: float
    job: Job
    url: str
    kind: str = ""  # hook.success or hook.failed, as the job ends, when it is empty
    method: str = "POST"


def _ends(_: Server, job: Job) -> float:
    return job.created + job.eta_s


def _state(job: Job, now: float) -> str:
    if now < job.ends:
        return "processing"
    return "failed" if job.fails else "success"


def _links(server: Server, job: Job) -> list[str]:
    return [
        f"{server.origin}{server.behaviour.folder}{job.token}-0.{server.behaviour.picture_format.lower()}"
    ]


def _deliveries(_: Server, job: Job) -> list[Delivery]:
    url = job.fields.get("webhook")
    return [Delivery(job.ends, job, url)] if url is not None else []


def _paints(_: Server, job: Job) -> tuple[Any, ...]:
    return tuple(
        sorted(
            (name, value)
            for name, value in job.fields.items()
            if name not in ("webhook", "track_id")
        )
    )


def _queued(server: Server, key: str) -> int:
    jobs = [job for job in server.jobs if job.key == key]
    return sum(server.behaviour.state(job, server.now) == "processing" for job in jobs)


@dataclass(frozen=True)
class Behaviour:
    """Everything that a switch can change."""

    # What is accepted
    read: Callable[[bytes], Any] = strict_json
    takes_type: Callable[[str | None], bool] = is_json_type
    fields: Mapping[str, Field] = field(default_factory=lambda: FIELDS)
    undeclared: Callable[[str], bool] = lambda _: False  # True refuses the request for this name
    submit_key: Callable[[Any, Collection[str]], str] = key_problem
    fetch_key: Callable[[Any, Collection[str]], str] = key_problem
    fields_first: bool = False
    methods: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: {"submit": ("POST",), "fetch": ("POST",), "link": ("GET", "HEAD")}
    )
    allow_header: bool = True
    routes: Callable[[str], str] = lambda path: path
    accepted: Callable[[Server, dict[str, Any]], dict[str, Any]] = lambda _, fields: fields
    queue_limit: int | None = None
    queued: Callable[[Server, str], int] = _queued
    # How a job lives
    new_id: Callable[[Server, dict[str, Any]], int] = lambda server, _: (
        server.first_id + len(server.jobs)
    )
    eta_s: int | None = None  # in place of the server's
    ends: Callable[[Server, Job], float] = _ends
    state: Callable[[Job, float], str] = _state
    before_fetch: Callable[[Server, Job], None] = lambda _, __: None
    owns: Callable[[Job, str], bool] = lambda job, key: job.key == key
    finds: Callable[[Server, Job], bool] = lambda _, __: True
    source: Callable[[Server, Job], Job] = lambda _, job: job  # whose result a fetch shows
    deliveries: Callable[[Server, Job], list[Delivery]] = _deliveries
    # The pictures
    folder: str = "/generations/"
    links: Callable[[Server, Job], list[str]] = _links
    live: Callable[[Server, Job, str], bool] = lambda _, __, state: state == "success"
    paints: Callable[[Server, Job], tuple[Any, ...]] = _paints
    size: Callable[[dict[str, Any]], tuple[int, int]] = pictures.size_of
    picture_format: str = "PNG"
    # How it is said
    edits: tuple[Callable[[Server, Reply], object], ...] = ()
    tick_s: float = 0.0  # by which the clock moves at each call


CORRECT = Behaviour()
Switch = Callable[[Behaviour], Behaviour]


def change(**parts: Any) -> Switch:
    """A switch that replaces parts of the behaviour."""
    return lambda behaviour: replace(behaviour, **parts)


def edit(do: Callable[[Server, Reply], object]) -> Switch:
    """A switch that adds an edit of the replies, after those that are there."""
    return lambda behaviour: replace(behaviour, edits=(*behaviour.edits, do))


def all_of(*switches: Switch) -> Switch:
    """Several switches, one after the other."""

    def switch(behaviour: Behaviour) -> Behaviour:
        for each in switches:
            behaviour = each(behaviour)
        return behaviour

    return switch
