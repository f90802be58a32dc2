"""The servers that a client is tried against: a table of named situations, most of them
misbehaviour.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fauxlab_contract.core.conventions import Conventions
from fauxlab_mock.behaviour.rules import Rule

__all__ = ["TRIALS", "ChangeReply", "Trial"]

Members = Mapping[str, Any]
ChangeReply = Callable[
    [Members, Conventions, str], Members
]  # of a reply; the text is the kind of the call


@dataclass(frozen=True, slots=True)
class Trial:
    """What a server does while one call is made.

    `expects`: `result` and `error` when a good client can only return or only raise; else both may
    be right, and a result is right when a success told it. `says`: the exception must carry the
    server's message.
    """

    name: str
    summary: str
    rules: tuple[Rule, ...] = ()
    expects: Literal["result", "error", "either"] = "either"
    says: bool = False
    change: ChangeReply | None = None
    for_webhooks: bool = False  # it is the same as `success` for a client that has none


def _refused(name: str, scenario: str, what: str, *, says: bool = True) -> Trial:
    rule = Rule(scenario=scenario, kind="submit")
    return Trial(name, f"Every submit is refused: {what}.", (rule,), "error", says)


def _job(
    scenario: str,
    summary: str,
    expects: Literal["result", "error", "either"] = "either",
    *,
    says: bool = False,
) -> Trial:
    return Trial(scenario, summary, (Rule(scenario=scenario),), expects, says)


def _webhook(scenario: str, summary: str) -> Trial:
    return Trial(scenario, summary, (Rule(scenario=scenario),), for_webhooks=True)


def _lost(fault: str, kind: str, summary: str, times: int | None = 1) -> Trial:
    name = f"{kind} {fault.lower().replace('_', ' ')}" + ("" if times else ", always")
    return Trial(
        name, summary, (Rule(fault=fault, kind=kind, times=times),), "either" if times else "error"
    )


def _odd_status(word: str | None, kind: str) -> ChangeReply:
    """Replies to calls of a kind have a status that nobody knows, or none."""

    def change(body: Members, conventions: Conventions, called: str) -> Members:
        name = conventions.fields.status
        if called != kind or name not in body:
            return body
        rest = {member: value for member, value in body.items() if member != name}
        return rest if word is None else {name: word, **rest}

    return change


def _preview(body: Members, conventions: Conventions, _: str) -> Members:
    names, words = conventions.fields, conventions.words
    is_early = body.get(names.status) == words.processing
    return (
        {**body, names.output: ["https://pictures.elsewhere.example/preview.png"]}
        if is_early
        else body
    )


def _bare_promise(body: Members, conventions: Conventions, _: str) -> Members:
    """A processing without output: future links are all that looks like one."""
    names, words = conventions.fields, conventions.words
    is_early = body.get(names.status) == words.processing
    return (
        {member: value for member, value in body.items() if member != names.output}
        if is_early
        else body
    )


TRIALS: Mapping[str, Trial] = {
    trial.name: trial
    for trial in (
        Trial(
            "success",
            "All goes well: the job is processed for its eta, then its picture is ready.",
            (),
            "result",
        ),
        _job("instant", "The submit itself is answered with the finished picture.", "result"),
        _job("slow", "The job takes four times as long as announced."),
        _job("stuck", "The job is processed for ever.", "error"),
        _job("failed", "The job fails.", "error", says=True),
        _job(
            "failed_late",
            "The job takes three times as long as announced, and fails.",
            "error",
            says=True,
        ),
        _job("flapping", "The success is followed by one more processing."),
        _job("early_not_found", "The first fetch does not know the live job; later ones do."),
        _job("late_links", "The job succeeds, and its links answer 404 to their first two reads."),
        _job("expired_links", "The job succeeds, and its links are gone already."),
        _job("float_eta", "The eta is no whole number."),
        _job("string_id", "The id is text."),
        _job("empty_proxy_links", "proxy_links is an empty text."),
        _job("legacy_messege", "The message stands in a field called messege."),
        _job("output_as_string", "The output is one link, not a list of links."),
        _job("success_without_output", "The success has no output.", "error"),
        _job("foreign_fetch_result", "fetch_result points at another host."),
        Trial(
            "redirecting_fetch",
            "Fetches are redirected to another host.",
            (Rule(scenario="redirecting_fetch", kind="fetch"),),
        ),
        _refused("invalid_key", "invalid_key", "the key is not accepted"),
        _refused("no_credits", "no_credits", "there are no credits"),
        _refused("plan_required", "plan_required", "the plan does not cover it"),
        _refused("rejected_image", "rejected_image", "the face image cannot be had"),
        _refused("queue_full", "queue_full", "the queue is full, with retry_after"),
        _refused("try_again", "try_again", "submit again"),
        _refused("server_error", "server_error", "something broke"),
        _refused("unavailable", "unavailable", "the API is down"),
        _refused(
            "maintenance_html", "maintenance_html", "a gateway's HTML page, HTTP 503", says=False
        ),
        Trial(
            "queue_full once",
            "The first submit is refused with retry_after.",
            (Rule(scenario="queue_full", times=1),),
        ),
        Trial(
            "try_again once",
            "The first submit is told to come again.",
            (Rule(scenario="try_again", times=1),),
        ),
        Trial(
            "fetch refused",
            "Fetches are refused: the key.",
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
            "One fetch gets an HTML page.",
            (Rule(scenario="maintenance_html", kind="fetch", times=1),),
        ),
        _lost(
            "CONNECTION_RESET_BY_PEER",
            "submit",
            "The answer to the submit is lost: the connection is reset.",
        ),
        _lost(
            "EMPTY_RESPONSE",
            "submit",
            "The answer to the submit is lost: the connection is closed.",
        ),
        _lost("TRUNCATED_JSON", "submit", "Half of the submit's answer comes."),
        _lost("RANDOM_DATA_THEN_CLOSE", "submit", "The submit is answered with random bytes."),
        _lost("CONNECTION_RESET_BY_PEER", "fetch", "The answer to one fetch is lost."),
        _lost("TRUNCATED_JSON", "fetch", "Half of one fetch's answer comes."),
        _lost("EMPTY_RESPONSE", "fetch", "No fetch is ever answered.", times=None),
        Trial(
            "submit unknown status",
            "The submit's answer has a status that nobody knows.",
            change=_odd_status("paused", "submit"),
        ),
        Trial(
            "submit without status",
            "The submit's answer has no status.",
            change=_odd_status(None, "submit"),
        ),
        Trial(
            "fetch unknown status",
            "Fetches have a status that nobody knows.",
            expects="error",
            change=_odd_status("paused", "fetch"),
        ),
        Trial(
            "fetch without status",
            "Fetches have no status.",
            expects="error",
            change=_odd_status(None, "fetch"),
        ),
        Trial(
            "processing with output",
            "A slow job has an output that is none yet.",
            (Rule(scenario="slow"),),
            change=_preview,
        ),
        Trial(
            "processing without output",
            "A slow job has future links and no output.",
            (Rule(scenario="slow"),),
            change=_bare_promise,
        ),
        _webhook("webhook_lost", "The client's webhook never comes."),
        _webhook("webhook_twice", "The client's webhook comes twice."),
        _webhook("webhook_late", "The client's webhook comes a minute late."),
        _webhook("webhook_without_output", "The client's webhook has no output."),
    )
}
