"""What goes into the engine and what comes out: a call, a reply, a decision."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from fauxlab_contract.core.conventions import OWN_TITLE
from fauxlab_contract.core.violation import Violation
from fauxlab_contract.openapi.document import Document
from fauxlab_mock.behaviour.rules import Rule
from fauxlab_mock.engine.job import Job
from fauxlab_mock.engine.pictures import Picture
from fauxlab_mock.engine.request import RequestFacts

__all__ = [
    "CONTROL_PATH",
    "LINK_PATH",
    "Call",
    "Decision",
    "Reply",
    "TransformReply",
    "control_path",
    "own_reply",
]

CONTROL_PATH = "/__admin"  # of the control API, below the origin
LINK_PATH = "/generations"  # of pictures, below the origin
_PROBLEM = {"content-type": "application/problem+json"}  # RFC 9457


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request as the engine sees it.

    `path` is as it was sent, percent-encoded, without its query; names of headers are in lower
    case. No operation reads the query; it is only searched for a key. `origin` is where the caller
    reached the mock, and what links in the reply begin with: `http://127.0.0.1:4010`. None stands
    for the mock's public URL.
    """

    method: str
    path: str
    # these two may hold the key
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    query: str = field(default="", repr=False)
    origin: str | None = None

    @property
    def plain_path(self) -> str:
        """The path without its percent escapes."""
        return unquote(self.path)

    @property
    def head_bytes(self) -> int:
        """The size of the target and the headers, without what separates them."""
        names = sum(map(len, self.headers))
        values = sum(map(len, self.headers.values()))
        return len(self.path) + len(self.query) + names + values


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer: a JSON `body`, or a `picture` to draw."""

    code: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    picture: Picture | None = None


def own_reply(code: int, message: str) -> Reply:
    """Return what the mock says in its own name, in a shape that no API's error has."""
    body = {"title": OWN_TITLE, "detail": message}
    return Reply(code, body, _PROBLEM)


@dataclass(frozen=True, slots=True)
class Decision:
    """What one call is answered with, and what it changes.

    `changes` are the jobs to store, `advance_to` is the moment to move the auto clock to, `rules`
    are the rules from now on (None: as before). `fault` and `delay` (least and most real seconds)
    go wrong on the way. `spends` says which owner pays for how many generations. `facts` are for
    the journal. `invalid` lists what the reply itself breaks of the contract: a bug of the mock,
    which never leaves as a reply.
    """

    reply: Reply
    facts: RequestFacts
    changes: tuple[Job, ...] = ()
    advance_to: float | None = None
    rules: tuple[Rule, ...] | None = None
    fault: str | None = None
    delay: tuple[float, float] | None = None
    spends: tuple[str, int] | None = None
    invalid: tuple[Violation, ...] = ()


TransformReply = Callable[[Call, Decision], Decision]


def control_path(path: str, document: Document) -> str | None:
    """Return the path of the control API that a wrong one means: /_admin/reset -> /__admin/reset.

    None for a path that means something else, such as one that the document may have.
    """
    found = re.fullmatch(r"(/[_-]*admin)(/.*)?", path[:200], re.IGNORECASE)
    if found is None or path.startswith(CONTROL_PATH + "/"):
        return None
    paths = [f"{document.base_path}{operation.path}/" for operation in document.operations]
    if any(known.startswith(found[1] + "/") for known in paths):
        return None
    return CONTROL_PATH + (found[2] or "/health")
