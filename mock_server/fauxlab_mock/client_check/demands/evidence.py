"""All that is known of one trial of a client: what the rules are judged by."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from fauxlab_contract.core.records import Exchange
from fauxlab_contract.core.text import cut
from fauxlab_contract.verdict.history import ClientHistory
from fauxlab_contract.verdict.verdict import VerdictFinding
from fauxlab_mock.client_check.demands.servers import Trial
from fauxlab_mock.client_check.report import ClientObservation
from fauxlab_mock.client_check.run_call import CallOutcome
from fauxlab_mock.engine.messages import Call

__all__ = ["Evidence"]

LAST_SHOWN, LINE_CHARS = 4, 200  # the exchanges of a trial that a finding shows


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known of one trial.

    `elsewhere` holds the requests that another host got, `verdict` what the verdict says.
    `untimed` says of each late answer for which the client would have waited for ever why it would.
    With `is_unseen`, it waited for one in a way that was not seen.
    If `is_key_echoed`, a reply repeated the key (in the journal it is hidden).
    """

    name: str
    key: str
    outcome: CallOutcome
    calls: Sequence[Call]
    exchanges: Sequence[Exchange]
    case: ClientHistory
    verdict: Sequence[VerdictFinding]
    elsewhere: Sequence[bytes]
    untimed: Sequence[str] = ()
    is_unseen: bool = False
    is_key_echoed: bool = False

    def observation(
        self, rule: str, message: str, detail: str = "", field: str = ""
    ) -> ClientObservation:
        return ClientObservation(rule, message, self.name, detail, field, self.last_lines)

    @property
    def last_lines(self) -> tuple[str, ...]:
        """The last exchanges, a line each: `POST /…/fetch/7 {…} -> 200 {…}`; the key is hidden."""
        return tuple(map(_line, self.exchanges[-LAST_SHOWN:]))

    @property
    def refusals(self) -> list[str]:
        """The messages of all replies that said error or failed, the first one first."""
        fields, words = self.case.conventions.fields, self.case.conventions.words
        return [
            str(exchange.members.get(fields.message, ""))
            for exchange in self.exchanges
            if exchange.members.get(fields.status) in (words.error, words.failed)
        ]

    @property
    def last_message(self) -> str:
        """The message of the last reply that said error or failed; "" without one."""
        return next(reversed(self.refusals), "")

    def must_say(self, trial: Trial) -> bool:
        """True where an exception must carry the last message: not that of its own deadline."""
        has_borne = trial.may_be_borne and len(self.refusals) > 1
        return trial.says and not has_borne and bool(self.last_message)

    @property
    def lasted_s(self) -> float:
        """For how long the call lasted from its first request on."""
        return self.outcome.ended_at - self.exchanges[0].at if self.exchanges else 0.0

    @property
    def longest_pause_s(self) -> float:
        """The most seconds between two requests."""
        pairs = pairwise(exchange.at for exchange in self.exchanges)
        return max((later - sooner for sooner, later in pairs), default=0.0)

    @property
    def submits(self) -> list[tuple[Call, Exchange]]:
        """The submits, as they came and as the journal has them."""
        pairs = zip(self.calls, self.exchanges, strict=False)
        return [(call, exchange) for call, exchange in pairs if exchange.kind == "submit"]

    @property
    def last_heard(self) -> Exchange | None:
        """The last exchange that was no read of a link, and whose response arrived."""
        for exchange in reversed(self.exchanges):
            if exchange.is_heard and not exchange.is_link:
                return exchange
        return None


def _line(exchange: Exchange) -> str:
    reply = "lost" if exchange.is_lost else f"{exchange.code} {_written(exchange.reply)}"
    asked = f"{exchange.method} {exchange.path} {_written(exchange.request)}"
    return f"{cut(asked, LINE_CHARS)} -> {cut(reply, LINE_CHARS)}"


def _written(body: Any) -> str:
    return json.dumps(body, ensure_ascii=False, default=str)
