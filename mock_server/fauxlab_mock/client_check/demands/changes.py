"""What is changed in a server's replies, to make them odd: functions from a reply to another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fauxlab_contract.core.conventions import Conventions, Fields
from fauxlab_mock.behaviour.quirks import ELSEWHERE
from fauxlab_mock.behaviour.refusals import REFUSALS
from fauxlab_mock.engine.messages import Reply

__all__ = [
    "GATEWAY",
    "ChangeReply",
    "ReplyOnItsWay",
    "by_status",
    "faulty_fetches",
    "fetches_find_nothing",
    "key_in_message",
    "odd_status",
    "of_another_job",
    "of_members",
    "of_promises",
    "once",
    "pictures_elsewhere",
    "preview",
    "without",
]

Members = Mapping[str, Any]
GATEWAY = Reply(502, "<html><h1>Bad Gateway</h1></html>", {"content-type": "text/html"})


@dataclass(frozen=True, slots=True)
class ReplyOnItsWay:
    """A reply on its way: to the `nth` call (from 1) of this `kind` (submit, fetch) in a trial.

    `refusal` is the mock's name for the reason why it refused; empty if it did not. `key` came with
    the call.
    """

    reply: Reply
    conventions: Conventions
    kind: str
    nth: int
    refusal: str = ""
    key: str = ""


ChangeReply = Callable[[ReplyOnItsWay], Reply]


def of_members(change: Callable[[Members, ReplyOnItsWay], Members]) -> ChangeReply:
    """Return a change of replies that are JSON objects."""

    def changed(answer: ReplyOnItsWay) -> Reply:
        reply = answer.reply
        if not isinstance(reply.body, dict):
            return reply
        return replace(reply, body=change(reply.body, answer))

    return changed


def odd_status(word: str | None, kind: str) -> ChangeReply:
    """Return a change that gives replies to calls of a kind another status, or none."""

    def change(body: Members, answer: ReplyOnItsWay) -> Members:
        name = answer.conventions.fields.status
        if answer.kind != kind or name not in body:
            return body
        rest = {member: value for member, value in body.items() if member != name}
        return rest if word is None else {name: word, **rest}

    return of_members(change)


def of_promises(change: Callable[[Members, Fields], Members], *kinds: str) -> ChangeReply:
    """Return a change of what says processing, to calls of these kinds."""

    def changed(body: Members, answer: ReplyOnItsWay) -> Members:
        names, words = answer.conventions.fields, answer.conventions.words
        is_promise = body.get(names.status) == words.processing and answer.kind in kinds
        return change(body, names) if is_promise else body

    return of_members(changed)


def without(body: Members, name: str) -> Members:
    return {member: value for member, value in body.items() if member != name}


def preview(body: Members, names: Fields) -> Members:
    return {**body, names.output: ["https://pictures.elsewhere.example/preview.png"]}


def by_status(answer: ReplyOnItsWay) -> Reply:
    """Give a refusal the HTTP code that it has where errors do not come as HTTP 200.

    What it asks the client to wait stands in the header as well.
    """
    refusal, reply = REFUSALS.get(answer.refusal), answer.reply
    if refusal is None:
        return reply
    body = reply.body if isinstance(reply.body, dict) else {}
    wait_s, headers = body.get(answer.conventions.fields.retry_after), reply.headers
    if wait_s is not None:
        headers = {**headers, "retry-after": str(wait_s)}
    return replace(reply, code=refusal.code, headers=headers)


def fetches_find_nothing(body: Members, answer: ReplyOnItsWay) -> Members:
    """Say of a job what is said of one that does not exist."""
    if answer.kind != "fetch":
        return body
    names, words = answer.conventions.fields, answer.conventions.words
    message = REFUSALS["unknown_id"].message
    return {names.status: words.failed, names.id: "", names.message: message, names.output: ""}


def key_in_message(body: Members, answer: ReplyOnItsWay) -> Members:
    """Let the message of a refusal repeat the key that came."""
    name = answer.conventions.fields.message
    return {**body, name: f"{body[name]} ({answer.key})"} if name in body else body


def faulty_fetches(answer: ReplyOnItsWay) -> Reply:
    """Answer four of the first eight fetches with a gateway's page."""
    is_odd = answer.kind == "fetch" and answer.nth < 8 and answer.nth % 2
    return GATEWAY if is_odd else answer.reply


def once(reply: Reply, kind: str) -> ChangeReply:
    """Return a change that puts a reply in the place of the first to calls of a kind."""
    return lambda answer: reply if (answer.kind, answer.nth) == (kind, 1) else answer.reply


def pictures_elsewhere(body: Members, answer: ReplyOnItsWay) -> Members:
    names, words = answer.conventions.fields, answer.conventions.words
    if body.get(names.status) != words.success:
        return body
    links = [f"{ELSEWHERE}/generations/picture.png"]
    return {**body, names.output: links, names.proxy_links: links}


def of_another_job(body: Members, conventions: Conventions, number: Any) -> Members:
    """Return the webhook of a job that the client never submitted, with that job's picture.

    `number` is its id.
    """
    links = ["http://127.0.0.1/generations/of-another-job.png"]
    return {**body, conventions.fields.id: number, conventions.fields.output: links}
