"""What came in and went out: the journal of the last exchanges, and a line for each on stderr."""

from __future__ import annotations

import contextlib
import json
import sys
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TextIO

from fauxlab_contract.core.conventions import Conventions
from fauxlab_contract.core.records import Exchange
from fauxlab_contract.core.secrets import (
    kept_reply,
    names_a_key,
    redact,
    safe_path,
    scrub,
    secret_in,
)
from fauxlab_contract.core.text import counted, cut
from fauxlab_mock.behaviour.refusals import OWN
from fauxlab_mock.behaviour.scenarios import DEFAULT_SCENARIO
from fauxlab_mock.engine.messages import LINK_PATH, Call, Decision
from fauxlab_mock.runtime.answer import Answer
from fauxlab_mock.settings import Limits

__all__ = ["Journal", "Log", "line_of"]

MAX_METHOD_CHARS = 20
MAX_DETAIL_CHARS = 300  # of what the mock says in its own name, in a line


class Journal:
    """Keeps the last exchanges, with the key hidden; `count` is how many there ever were.

    `key_field` is the member of a body that holds the key. Bodies over the limit become a note.
    """

    def __init__(self, limits: Limits, key_field: str) -> None:
        self._ring: deque[Exchange] = deque(maxlen=limits.journal_entries)
        self._entry_bytes, self._key_field = limits.journal_entry_bytes, key_field
        self.count = 0

    def record(
        self,
        call: Call,
        decision: Decision,
        answer: Answer,
        *,
        at: float,
        real_s: float,
        took_s: float,
    ) -> Exchange:
        """Keep one exchange, and return it; for the times see `Exchange`."""
        facts, limit = decision.facts, self._entry_bytes
        secret = secret_in(facts.key)
        operation = facts.operation
        has_no_id = operation is not None and "{" not in operation.path
        is_known = has_no_id or facts.job_id is not None
        request = None
        if facts.sent is not None:
            request = redact(facts.sent, call.body, self._key_field, secret, limit)
        exchange = Exchange(
            number=self.count + 1,
            at=at,
            took_s=took_s,
            method=call.method[:MAX_METHOD_CHARS],
            path=scrub(safe_path(call.plain_path, known=is_known), secret),
            operation=operation.name if operation else None,
            request=request,
            request_bytes=len(call.body),
            code=answer.code,
            reply=kept_reply(decision.reply.body, answer.content, secret, limit),
            job_id=facts.job_id,
            scenario=facts.scenario,
            fault=answer.effect.fault,
            violations=facts.violations,
            kind=operation.kind if operation else None,
            owner=facts.owner,
            refusal=facts.refusal,
            key_in_url=_has_key_in_url(call, secret),
            is_link=call.plain_path.startswith(LINK_PATH + "/"),
            delay_s=answer.effect.delay_s,
            real_s=real_s,
            hint=facts.hint,
        )
        self._ring.append(exchange)
        self.count += 1
        return exchange

    def __iter__(self) -> Iterator[Exchange]:
        return iter(tuple(self._ring))

    def __len__(self) -> int:
        return len(self._ring)

    def clear(self) -> None:
        """Forget all exchanges; numbers go on."""
        self._ring.clear()


def _has_key_in_url(call: Call, secret: str | None) -> bool:
    if names_a_key(call.query):
        return True
    return secret is not None and (secret in call.query or secret in call.plain_path)


class Log:
    """Writes a line for each exchange that it is called with, to `stream` (default: stderr).

    A line has the time of the day and how long the mock took.

    `form` is `text` for people, `json` for programs, `off` for silence. Lines hold no body and no
    query, so no key.
    """

    def __init__(
        self,
        form: str,
        stream: TextIO | None = None,
        conventions: Conventions = Conventions(),  # noqa: B008 # frozen
    ) -> None:
        self._line = {"text": _text_of, "json": _json_of}.get(form)
        self._stream = stream or sys.stderr
        self._conventions = conventions

    def __call__(self, exchange: Exchange) -> None:
        if self._line is None:
            return
        # when nobody is reading any more, the client must still be answered
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(self._line(exchange, self._conventions) + "\n")


def line_of(exchange: Exchange, conventions: Conventions) -> str:
    """Return method, path, code, outcome, job, scenario, fault, and what was wrong."""
    outcome = _outcome(exchange, conventions)
    parts = [exchange.method, exchange.path, "->", str(exchange.code), outcome]
    if exchange.job_id is not None:
        parts.append(f"job {exchange.job_id}")
    if exchange.scenario not in (None, DEFAULT_SCENARIO):
        parts.append(f"scenario {exchange.scenario}")
    if exchange.fault is not None:
        parts.append(f"fault {exchange.fault}")
    if exchange.delay_s:
        parts.append(f"delay {exchange.delay_s:.3g} s")
    return " ".join([*parts, *_complaints(exchange)])


def _text_of(exchange: Exchange, conventions: Conventions) -> str:
    now = datetime.now().astimezone()
    took_ms = exchange.took_s * 1000
    clock = now.isoformat(sep=" ", timespec="milliseconds")[11:23]
    return f"{clock} {line_of(exchange, conventions)} in {took_ms:.1f} ms"


def _json_of(exchange: Exchange, conventions: Conventions) -> str:
    row = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "number": exchange.number,
        "at": round(exchange.at, 3),
        "took_ms": round(exchange.took_s * 1000, 3),
        "method": exchange.method,
        "path": exchange.path,
        "code": exchange.code,
        "outcome": _outcome(exchange, conventions),
        "job": exchange.job_id,
        "scenario": exchange.scenario,
        "fault": exchange.fault,
        "violations": [violation.pointer for violation in exchange.violations],
        "hint": exchange.hint or None,
    }
    return json.dumps(row)


def _outcome(exchange: Exchange, conventions: Conventions) -> str:
    """Return the status in the reply, or what was sent instead: `picture`, `page`, `ok`.

    For an answer in the mock's own name, return its reason.
    """
    if exchange.refusal in OWN:
        return str(exchange.refusal)
    if exchange.operation is None and exchange.job_id is not None and exchange.code == 200:
        return "picture"
    if isinstance(exchange.reply, str):
        return "page"
    return str(exchange.members.get(conventions.fields.status, "ok"))


def _complaints(exchange: Exchange) -> Iterator[str]:
    """Yield what was wrong with a request, and the hint.

    `2 violations: width, height`, `(invalid_key)`, or what the mock says in its own name.
    """
    if exchange.violations:
        count = len(exchange.violations)
        names = dict.fromkeys(violation.field for violation in exchange.violations)
        yield f"{counted(count, 'violations')}: {', '.join(names)}"
    elif exchange.refusal in OWN:
        yield f"({cut(str(exchange.members.get('detail', '')), MAX_DETAIL_CHARS)})"
    elif exchange.refusal not in (None, exchange.scenario) and exchange.code < 400:
        yield f"({exchange.refusal})"
    if exchange.hint:
        yield f"({exchange.hint})"
