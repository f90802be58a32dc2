"""A decision as what is sent: bytes, headers that say what the mock did, what goes wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from fauxlab_contract.core.violation import Violation
from fauxlab_mock.behaviour.faults import FaultEffect
from fauxlab_mock.behaviour.scenarios import DEFAULT_SCENARIO
from fauxlab_mock.engine.messages import Decision, Reply
from fauxlab_mock.engine.pictures import Picture, draw

__all__ = ["Answer", "answer_of", "violations_header"]

MAX_HEADER_BYTES = 4 * 2**10
NO_CONTENT = (204, 205, 304)
MAX_VALUE_CHARS = 80
_encode = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply ready to be sent: `content` is JSON, the PNG of `picture`, or what a header says.

    `effect` is what goes wrong on its way.
    """

    code: int
    content: bytes
    headers: Mapping[str, str]
    picture: Picture | None = None
    effect: FaultEffect = FaultEffect()  # noqa: RUF009 # frozen

    @property
    def all_headers(self) -> dict[str, str]:
        """The headers to send: `headers` with the type and length of the content."""
        media_type = "application/json" if self.picture is None else "image/png"
        length = str(len(self.content))
        return {"content-type": media_type, **self.headers, "content-length": length}

    @property
    def body(self) -> Any:
        """The JSON of `content`, parsed anew each time; None for a picture or an empty body."""
        if self.picture is not None or not self.content:
            return None
        return json.loads(self.content)

    def drawn(self) -> Answer:
        """Return the answer with the bytes of its picture, if it has one."""
        if self.picture is None:
            return self
        return replace(self, content=draw(self.picture))


def answer_of(decision: Decision, effect: FaultEffect = FaultEffect()) -> Answer:  # noqa: B008 # frozen
    """Return the reply as bytes, with headers that say what the mock did.

    These are the scenario, the fault, what was wrong with the request, and a hint.
    """
    reply, facts = decision.reply, decision.facts
    headers = dict(reply.headers)
    if facts.scenario not in (None, DEFAULT_SCENARIO):
        headers["x-mock-scenario"] = str(facts.scenario)
    if facts.violations:
        headers["x-mock-violations"] = violations_header(facts.violations)
    if facts.hint:
        headers["x-mock-hint"] = facts.hint
    if effect.fault is not None:
        headers["x-mock-fault"] = effect.fault
    content = _content(reply)
    declared = facts.operation.reply_for(reply.code) if facts.operation else None
    if declared is not None and reply.picture is None:
        headers.setdefault("content-type", declared.media_type)
    if effect.kind == "cut":
        content = content[: len(content) // 2]
    return Answer(reply.code, content, headers, reply.picture, effect)


def _content(reply: Reply) -> bytes:
    if "content-type" in reply.headers and isinstance(reply.body, str):
        return reply.body.encode()
    if reply.picture is not None or reply.code in NO_CONTENT:
        return b""
    return _encode(reply.body).encode()


def violations_header(violations: tuple[Violation, ...]) -> str:
    """ASCII JSON, a list of violations with long values cut; as many of them as fit into 4 KiB."""
    header = "[]"
    rows: list[str] = []
    for violation in violations:
        members = {name: _cut(value) for name, value in violation.as_dict().items()}
        rows.append(json.dumps(members))
        longer = f"[{', '.join(rows)}]"
        if len(longer) > MAX_HEADER_BYTES:
            break
        header = longer
    return header


def _cut(value: object) -> object:
    if not isinstance(value, (str, list, tuple, dict)):
        return value
    text = value if isinstance(value, str) else json.dumps(value)
    if len(text) <= MAX_VALUE_CHARS:
        return value
    return text[: MAX_VALUE_CHARS - 3] + "..."
