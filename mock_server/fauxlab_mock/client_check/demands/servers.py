"""The servers that a client is tried against: a table of named situations, most of them bad."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from fauxlab_mock.behaviour.rules import Rule
from fauxlab_mock.behaviour.scenarios import CallKind
from fauxlab_mock.client_check.demands.changes import (
    GATEWAY,
    ChangeReply,
    by_status,
    faulty_fetches,
    fetches_find_nothing,
    key_in_message,
    odd_status,
    of_members,
    of_promises,
    once,
    pictures_elsewhere,
    preview,
    without,
)
from fauxlab_mock.engine.messages import Reply

__all__ = ["TRIALS", "Trial"]

DAY_S = 86_400
HELD_S = 300  # as long as the fault HANG is silent
AFTER_THE_END = ("polled-after-end", "waited-after-end")


@dataclass(frozen=True, slots=True)
class Trial:
    """What a server does while a client makes one call.

    `expects` says how the call of a good client ends: with a `result`, with an `error`, or with
    `either`; a result is right then when it is the output of a success. With `says`, an exception
    must carry the server's message. `change` is made to each reply. `tolerates` are rules that say
    nothing here: the reply is odd, and a client need not take it for what it means. With
    `foreign_webhook`, the first delivery is about another job. For `asks_s` seconds, a reply asks
    the client to wait; who does is not endless. For `held_s` seconds, an answer is held back; who
    is not to give up before may do so at its own deadline all the same.
    """

    name: str
    summary: str
    rules: tuple[Rule, ...] = ()
    expects: Literal["result", "error", "either"] = "either"
    says: bool = False
    change: ChangeReply | None = None
    tolerates: tuple[str, ...] = ()
    foreign_webhook: bool = False
    asks_s: float = 0.0
    held_s: float = 0.0
    may_be_borne: bool = False  # who asks again may go on until its own deadline, and say that
    for_webhooks: bool = False  # without a webhook it is the same as `success`


def _refused(name: str, scenario: str, what: str, *, says: bool = True) -> Trial:
    rule = Rule(scenario=scenario, kind="submit")
    return Trial(name, f"Every submit is refused: {what}.", (rule,), "error", says)


def _job(
    scenario: str,
    summary: str,
    expects: Literal["result", "error", "either"] = "either",
    *,
    says: bool = False,
    tolerates: tuple[str, ...] = (),
) -> Trial:
    rules = (Rule(scenario=scenario),)
    return Trial(scenario, summary, rules, expects, says, tolerates=tolerates)


def _webhook(scenario: str, summary: str) -> Trial:
    return Trial(scenario, summary, (Rule(scenario=scenario),), for_webhooks=True)


def _lost(fault: str, kind: CallKind, summary: str, times: int | None = 1) -> Trial:
    words = fault.lower().replace("_", " ")
    rules = (Rule(fault=fault, kind=kind, times=times),)
    if times is None:
        return Trial(f"{kind} {words} always", summary, rules, "error")
    return Trial(f"{kind} {words}", summary, rules, "either")


def _late(kind: CallKind, summary: str) -> Trial:
    rule = Rule(delay=f"{HELD_S}", kind=kind, times=1)
    expects: Literal["result", "either"] = "result" if kind == "fetch" else "either"
    return Trial(f"{kind} answered late", summary, (rule,), expects, held_s=HELD_S)


def _never(kind: CallKind, summary: str) -> Trial:
    rule = Rule(fault="HANG", kind=kind, times=1)
    expects: Literal["result", "either"] = "result" if kind == "fetch" else "either"
    return Trial(f"{kind} never answered", summary, (rule,), expects, held_s=HELD_S)


def _by_code(scenario: str, code: str, *, says: bool = True) -> Trial:
    rule = Rule(scenario=scenario, kind="submit")
    summary = f"Every submit is refused with {code}: {scenario}."
    return Trial(f"{scenario} by status", summary, (rule,), "error", says, by_status)


TRIALS: Mapping[str, Trial] = {
    trial.name: trial
    for trial in (
        Trial(
            "success",
            "All goes well: the job is processing for its eta; then its picture is ready.",
            (),
            "result",
        ),
        _job("instant", "The submit itself is answered with the finished picture.", "result"),
        _job("slow", "The job takes four times as long as announced."),
        _job("stuck", "The job stays processing forever.", "error"),
        _job("failed", "The job fails.", "error", says=True),
        _job(
            "failed_late",
            "The job takes three times as long as announced; then it fails.",
            "error",
            says=True,
        ),
        _job("flapping", "After the success, one more fetch says processing."),
        _job(
            "early_not_found",
            "The first fetch does not find the job, although it exists; later fetches do.",
            "result",
        ),
        Trial(
            "never found",
            "No fetch finds the job.",
            expects="error",
            says=True,
            may_be_borne=True,
            change=of_members(fetches_find_nothing),
            tolerates=AFTER_THE_END,
        ),
        _job(
            "late_links",
            "The job succeeds, but each link answers 404 the first two times.",
            "result",
        ),
        _job("expired_links", "The job succeeds, but its links have already expired."),
        _job("float_eta", "The eta is not a whole number."),
        _job("string_id", "The id is a string."),
        _job("empty_proxy_links", "proxy_links is an empty string."),
        _job("legacy_messege", "The message is in a field called messege."),
        _job(
            "output_as_string",
            "The output is one link, not a list of links.",
            tolerates=AFTER_THE_END,
        ),
        _job(
            "success_without_output",
            "The success has no output.",
            "error",
            tolerates=AFTER_THE_END,
        ),
        _job("foreign_fetch_result", "fetch_result points at another host."),
        Trial(
            "redirecting_fetch",
            "Fetches are redirected to another host.",
            (Rule(scenario="redirecting_fetch", kind="fetch"),),
        ),
        _refused("invalid_key", "invalid_key", "the key is not accepted"),
        Trial(
            "key in the message",
            "Every submit is refused, with a message that repeats the key.",
            (Rule(scenario="invalid_key", kind="submit"),),
            "error",
            change=of_members(key_in_message),
        ),
        _refused("no_credits", "no_credits", "there are no credits"),
        _refused("plan_required", "plan_required", "the plan does not cover it"),
        _refused("rejected_image", "rejected_image", "the face image cannot be fetched"),
        _refused("queue_full", "queue_full", "the queue is full, with retry_after"),
        _refused("try_again", "try_again", "it should be tried again"),
        _refused("server_error", "server_error", "something broke"),
        _refused("unavailable", "unavailable", "the API is down"),
        _refused(
            "maintenance_html",
            "maintenance_html",
            "a gateway's HTML page with HTTP 503",
            says=False,
        ),
        Trial(
            "queue_full once",
            "The first submit is refused with retry_after.",
            (Rule(scenario="queue_full", times=1),),
        ),
        Trial(
            "try_again once",
            "The first submit is refused: it should be tried again.",
            (Rule(scenario="try_again", times=1),),
        ),
        Trial(
            "fetch refused",
            "Every fetch is refused: the key is not accepted.",
            (Rule(scenario="invalid_key", kind="fetch"),),
            "error",
            says=True,
        ),
        Trial(
            "fetch rate_limited once",
            "One fetch is refused with retry_after.",
            (Rule(scenario="rate_limited", kind="fetch", times=1),),
        ),
        Trial(
            "fetch server_error once",
            "One fetch is refused.",
            (Rule(scenario="server_error", kind="fetch", times=1),),
        ),
        Trial(
            "fetch server_error",
            "Every fetch is refused.",
            (Rule(scenario="server_error", kind="fetch"),),
            "error",
        ),
        Trial(
            "fetch maintenance_html once",
            "One fetch is answered with a gateway's HTML page.",
            (Rule(scenario="maintenance_html", kind="fetch", times=1),),
        ),
        _lost(
            "CONNECTION_RESET_BY_PEER",
            "submit",
            "The reply to the submit is lost: the connection is reset.",
        ),
        _lost(
            "EMPTY_RESPONSE",
            "submit",
            "The reply to the submit is lost: the connection is closed.",
        ),
        _lost("TRUNCATED_JSON", "submit", "Only half of the reply to the submit arrives."),
        _lost("RANDOM_DATA_THEN_CLOSE", "submit", "The submit is answered with random bytes."),
        _lost("CONNECTION_RESET_BY_PEER", "fetch", "The reply to one fetch is lost."),
        _lost("TRUNCATED_JSON", "fetch", "Only half of the reply to one fetch arrives."),
        _lost("EMPTY_RESPONSE", "fetch", "No fetch is ever answered.", times=None),
        _late("submit", "The reply to the submit arrives after five minutes."),
        _never("submit", "No reply to the submit arrives; the connection stays open."),
        _late("fetch", "The reply to one fetch arrives after five minutes."),
        _never("fetch", "No reply to one fetch arrives; the connection stays open."),
        Trial(
            "submit unknown status",
            "The reply to the submit has an unknown status.",
            change=odd_status("paused", "submit"),
        ),
        Trial(
            "submit without status",
            "The reply to the submit has no status.",
            change=odd_status(None, "submit"),
        ),
        Trial(
            "fetch unknown status",
            "The replies to fetches have an unknown status.",
            expects="error",
            change=odd_status("paused", "fetch"),
        ),
        Trial(
            "fetch without status",
            "The replies to fetches have no status.",
            expects="error",
            change=odd_status(None, "fetch"),
        ),
        Trial(
            "processing with output",
            "While a slow job is processing, its output is a preview.",
            (Rule(scenario="slow"),),
            change=of_promises(preview, "submit", "fetch"),
        ),
        Trial(
            "processing without output",
            "While a slow job is processing, it has future links but no output.",
            (Rule(scenario="slow"),),
            change=of_promises(lambda body, names: without(body, names.output), "submit", "fetch"),
        ),
        Trial(
            "no eta",
            "The reply to the submit has no eta.",
            expects="result",
            change=of_promises(lambda body, names: without(body, names.eta), "submit"),
        ),
        Trial(
            "negative eta",
            "The eta is -3.",
            expects="result",
            change=of_promises(lambda body, names: {**body, names.eta: -3}, "submit"),
        ),
        Trial(
            "eta of a day",
            "The eta is 86400, although the job takes no longer than usual.",
            change=of_promises(lambda body, names: {**body, names.eta: DAY_S}, "submit"),
            asks_s=DAY_S,
        ),
        Trial(
            "id null",
            "The reply to the submit has no id but null.",
            change=of_promises(lambda body, names: {**body, names.id: None}, "submit"),
        ),
        Trial(
            "processing without id",
            "While a slow job is processing, fetches do not repeat its id.",
            (Rule(scenario="slow"),),
            expects="result",
            change=of_promises(lambda body, names: without(body, names.id), "fetch"),
        ),
        Trial(
            "fetch null once",
            "One fetch is answered with null, which is JSON, but no object.",
            change=once(Reply(200, None), "fetch"),
        ),
        Trial(
            "submit 502 yet accepted",
            "A gateway answers the submit with HTTP 502; the job exists all the same.",
            change=once(GATEWAY, "submit"),
        ),
        Trial(
            "fetch 502 once",
            "A gateway answers one fetch with HTTP 502.",
            expects="result",
            change=once(GATEWAY, "fetch"),
        ),
        Trial(
            "fetch 502 now and then",
            "A gateway answers four of the first eight fetches of a slow job with HTTP 502.",
            (Rule(scenario="slow"),),
            expects="result",
            change=faulty_fetches,
        ),
        Trial(
            "pictures elsewhere",
            "The pictures are on another host.",
            change=of_members(pictures_elsewhere),
        ),
        _by_code("invalid_key", "HTTP 401"),
        _by_code("no_credits", "HTTP 402"),
        _by_code("queue_full", "HTTP 429", says=False),
        _by_code("server_error", "HTTP 500", says=False),
        Trial(
            "fetch 429 for a day",
            "One fetch is refused with HTTP 429, and a retry_after of a day.",
            (Rule(scenario="rate_limited", kind="fetch", times=1, retry_after=DAY_S),),
            change=by_status,
            asks_s=DAY_S,
            tolerates=("ignored-retry-after",),
        ),
        _webhook("webhook_lost", "The client's webhook never arrives."),
        _webhook("webhook_twice", "The client's webhook arrives twice."),
        Trial(
            "webhook of another job",
            "The client's receiver first gets the success of another job.",
            (Rule(scenario="webhook_twice"),),
            tolerates=("polled-after-webhook",),
            foreign_webhook=True,
            for_webhooks=True,
        ),
        _webhook("webhook_late", "The client's webhook arrives a minute late."),
        _webhook("webhook_without_output", "The client's webhook has no output."),
    )
}
