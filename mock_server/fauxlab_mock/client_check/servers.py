"""The servers that a client is tried against: a table of named situations, most of them bad."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fauxlab_contract.core.conventions import Conventions
from fauxlab_mock.behaviour.rules import Rule
from fauxlab_mock.behaviour.scenarios import CallKind

__all__ = ["TRIALS", "ChangeReply", "Trial"]

AFTER_THE_END = ("polled-after-end", "waited-after-end")
Members = Mapping[str, Any]
# Makes another reply of one; the text is the kind of the call: "submit" or "fetch".
ChangeReply = Callable[[Members, Conventions, str], Members]


@dataclass(frozen=True, slots=True)
class Trial:
    """What a server does while a client makes one call.

    `expects` says how the call of a good client ends: with a `result`, with an `error`, or with
    `either`; a result is right then when it is the output of a success. With `says`, an exception
    must carry the server's message. `change` is made to each reply. `tolerates` are rules that say
    nothing here: the reply is odd, and a client need not take it for what it means.
    """

    name: str
    summary: str
    rules: tuple[Rule, ...] = ()
    expects: Literal["result", "error", "either"] = "either"
    says: bool = False
    change: ChangeReply | None = None
    tolerates: tuple[str, ...] = ()
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
        return Trial(f"{kind} {words}, always", summary, rules, "error")
    return Trial(f"{kind} {words}", summary, rules, "either")


def _odd_status(word: str | None, kind: str) -> ChangeReply:
    """Return a change that gives replies to calls of a kind another status, or none."""

    def change(body: Members, conventions: Conventions, called: str) -> Members:
        name = conventions.fields.status
        if called != kind or name not in body:
            return body
        rest = {member: value for member, value in body.items() if member != name}
        return rest if word is None else {name: word, **rest}

    return change


def _preview(body: Members, conventions: Conventions, _: str) -> Members:
    """Give a processing an output: a preview."""
    names, words = conventions.fields, conventions.words
    if body.get(names.status) != words.processing:
        return body
    return {**body, names.output: ["https://pictures.elsewhere.example/preview.png"]}


def _bare_promise(body: Members, conventions: Conventions, _: str) -> Members:
    """Take the output out of a processing, so that only its future links look like one."""
    names, words = conventions.fields, conventions.words
    if body.get(names.status) != words.processing:
        return body
    return {member: value for member, value in body.items() if member != names.output}


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
        ),
        _job(
            "late_links",
            "The job succeeds, but each link answers 404 the first two times.",
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
        Trial(
            "submit unknown status",
            "The reply to the submit has an unknown status.",
            change=_odd_status("paused", "submit"),
        ),
        Trial(
            "submit without status",
            "The reply to the submit has no status.",
            change=_odd_status(None, "submit"),
        ),
        Trial(
            "fetch unknown status",
            "The replies to fetches have an unknown status.",
            expects="error",
            change=_odd_status("paused", "fetch"),
        ),
        Trial(
            "fetch without status",
            "The replies to fetches have no status.",
            expects="error",
            change=_odd_status(None, "fetch"),
        ),
        Trial(
            "processing with output",
            "While a slow job is processing, its output is a preview.",
            (Rule(scenario="slow"),),
            change=_preview,
        ),
        Trial(
            "processing without output",
            "While a slow job is processing, it has future links but no output.",
            (Rule(scenario="slow"),),
            change=_bare_promise,
        ),
        _webhook("webhook_lost", "The client's webhook never arrives."),
        _webhook("webhook_twice", "The client's webhook arrives twice."),
        _webhook("webhook_late", "The client's webhook arrives a minute late."),
        _webhook("webhook_without_output", "The client's webhook has no output."),
    )
}
