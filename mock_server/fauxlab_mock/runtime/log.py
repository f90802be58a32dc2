"""One line per exchange on stderr. Lines hold no body and no query, so no key."""

from __future__ import annotations

import contextlib
import json
import sys
from typing import TextIO

from fauxlab_contract.core.records import Exchange
from fauxlab_contract.core.text import counted
from fauxlab_mock.behaviour.scenarios import DEFAULT_SCENARIO

__all__ = ["Log", "line_of"]


class Log:
    """Call it with an exchange. `text` for people, `json` for programs, `off` for silence."""

    def __init__(self, form: str, stream: TextIO | None = None) -> None:
        self._line = {"text": line_of, "json": _json}.get(form)
        self._stream = stream or sys.stderr

    def __call__(self, exchange: Exchange) -> None:
        if self._line is not None:
            # nobody may be reading any more, and the client must still be answered
            with contextlib.suppress(OSError, ValueError):
                self._stream.write(self._line(exchange) + "\n")


def _outcome(exchange: Exchange) -> str:
    if exchange.operation is None and exchange.job_id is not None and exchange.code == 200:
        return "picture"
    if isinstance(exchange.reply, str):
        return "page"
    return str(exchange.members.get("status", "ok"))


def line_of(exchange: Exchange) -> str:
    """One exchange for people: method, path, code, outcome, job, scenario, broken fields."""
    parts = [exchange.method, exchange.path, "->", str(exchange.code), _outcome(exchange)]
    if exchange.job_id is not None:
        parts.append(f"job {exchange.job_id}")
    if exchange.scenario not in (None, DEFAULT_SCENARIO):
        parts.append(f"scenario {exchange.scenario}")
    if exchange.fault is not None:
        parts.append(f"fault {exchange.fault}")
    if exchange.violations:
        count = counted(len(exchange.violations), "violations")
        parts.append(f"{count}: {', '.join(dict.fromkeys(v.field for v in exchange.violations))}")
    elif exchange.refusal not in (None, exchange.scenario) and exchange.code < 400:
        parts.append(f"({exchange.refusal})")
    return " ".join(parts)


def _json(exchange: Exchange) -> str:
    row = {
        "number": exchange.number,
        "at": round(exchange.at, 3),
        "took_ms": round(exchange.took_s * 1000, 3),
        "method": exchange.method,
        "path": exchange.path,
        "code": exchange.code,
        "outcome": _outcome(exchange),
        "job": exchange.job_id,
        "scenario": exchange.scenario,
        "fault": exchange.fault,
        "violations": [violation.pointer for violation in exchange.violations],
    }
    return json.dumps(row)
