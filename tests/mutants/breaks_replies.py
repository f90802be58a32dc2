"""Mutants whose replies are not what the contract says: HTTP code, status word, members, types."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from typing import Any

from mutants.behaviour import Reply, Switch, all_of, change
from mutants.mutant import INSTANT, code, drop, each_reply, put, raw, table

__all__ = ["REPLY_MUTANTS"]

Row = tuple[str, str, Switch]
SUBMIT, FETCH, HOOK = "submit.processing", "fetch.success", "hook.success"
POLL, UNKNOWN, FAILED = "fetch.processing", "fetch.unknown", "fetch.failed"


def at_once(switch: Switch) -> Switch:
    """The break in the success that a submit is answered with."""
    return all_of(INSTANT, switch)


def set_body(kind: str, body: Any) -> Switch:
    return each_reply(kind, lambda reply: reply.becomes(body=body))


def typed(kind: str, media_type: str) -> Switch:
    return each_reply(kind, lambda reply: reply.headers.update({"content-type": media_type}))


def untyped(kind: str) -> Switch:
    return each_reply(kind, lambda reply: reply.headers.pop("content-type"))


def packed(reply: Reply) -> bool:
    """Compress the body."""
    return reply.becomes(raw=gzip.compress(json.dumps(reply.body).encode(), mtime=0))


def named(reply: Reply) -> bool:
    return reply.becomes(headers={**reply.headers, "content-encoding": "gzip"})


def moved(reply: Reply) -> str:
    """An address on this server, below a folder that is not there."""
    return str(reply.body["fetch_result"]).replace("/image_editing/", "/image_editor/")


def job_id(reply: Reply) -> int:
    assert reply.job is not None
    return reply.job.id


def where(
    kind: str, holds: Callable[[Reply], object], switch_member: Callable[[Reply], object]
) -> Switch:
    return each_reply(kind, lambda reply: holds(reply) and switch_member(reply))


CODES: list[Row] = [
    *(
        (f"S18.submit-{number}", f"a submit is answered with HTTP {number}", code(SUBMIT, number))
        for number in (201, 202, 204, 418, 500)
    ),
    (
        "S18.submit-302",
        "a submit is answered by a redirect",
        each_reply(
            SUBMIT,
            lambda r: (r.becomes(code=302), r.headers.update(location=r.body["fetch_result"])),
        ),
    ),
    (
        "S18.some",
        "every third submit is answered with HTTP 201",
        where(SUBMIT, lambda r: job_id(r) % 3 == 0, lambda r: r.becomes(code=201)),
    ),
    ("S18.fetch-202", "a fetch before the end is answered with HTTP 202", code(POLL, 202)),
    ("S18.fetch-404", "a fetch before the end is answered with HTTP 404", code(POLL, 404)),
    ("S18.fetch-206", "a result is answered with HTTP 206", code(FETCH, 206)),
    ("S18.failed-500", "a failed job is answered with HTTP 500", code(FAILED, 500)),
    ("S18.unknown-500", "an unknown id is answered with HTTP 500", code(UNKNOWN, 500)),
    ("S18.error-418", "a refusal is answered with HTTP 418", code("error.invalid", 418)),
    ("S18.error-500", "a refusal is answered with HTTP 500", code("error.invalid", 500)),
    ("S18.key-500", "a wrong key is answered with HTTP 500", code("error.key", 500)),
    (
        "S18.error-302",
        "a wrong key is answered by a redirect",
        code("error.key", 302, location="/login"),
    ),
    ("S18.type-submit", "a submit is answered as text/html", typed("submit", "text/html")),
    ("S18.type-fetch", "a fetch is answered as text/plain", typed("fetch", "text/plain")),
    ("S18.type-error", "a refusal is answered as text/html", typed("error.invalid", "text/html")),
    ("S18.type-none", "replies have no media type", untyped("submit fetch error")),
    (
        "S18.gzip-always",
        "replies are compressed, whatever the request takes",
        each_reply("submit fetch error", lambda r: packed(r) and named(r)),
    ),
    (
        "S18.gzip-unnamed",
        "replies are compressed where the request takes it, and no header says so",
        each_reply("submit fetch error", lambda r: "gzip" in r.accepts and packed(r)),
    ),
]

STATUS: list[Row] = [
    ("S19.submit", "no status in the reply to a submit", drop(SUBMIT, "status")),
    ("S19.poll", "no status before the end", drop(POLL, "status")),
    ("S19.fetch", "no status in the result", drop(FETCH, "status")),
    ("S19.failed", "no status in the reply about a failed job", drop(FAILED, "status")),
    ("S19.unknown", "no status in the reply about an unknown id", drop(UNKNOWN, "status")),
    ("S19.error", "no status in refusals", drop("error.invalid", "status")),
    ("S19.key", "no status where the key is refused", drop("error.key", "status")),
    ("S19.json", "no status where the JSON is refused", drop("error.json", "status")),
    ("S19.hook", "no status in the webhook", drop("hook", "status")),
    *(
        (f"S20.submit-{word}", f"a submit is answered `{word}`", put(SUBMIT, status=word))
        for word in ("queued", "PROCESSING", "pending", "")
    ),
    ("S20.submit-null", "a submit is answered with status null", put(SUBMIT, status=None)),
    ("S20.submit-number", "a submit is answered with status 1", put(SUBMIT, status=1)),
    *(
        (f"S20.poll-{word}", f"before the end a fetch is answered `{word}`", put(POLL, status=word))
        for word in ("queued", "Processing", "in_progress")
    ),
    *(
        (f"S20.fetch-{word}", f"a result has the status `{word}`", put(FETCH, status=word))
        for word in ("done", "SUCCESS", "completed")
    ),
    *(
        (f"S20.failed-{word}", f"a failed job has the status `{word}`", put(FAILED, status=word))
        for word in ("failure", "FAILED")
    ),
    *(
        (
            f"S20.error-{word}",
            f"a refusal has the status `{word}`",
            put("error.invalid", status=word),
        )
        for word in ("fail", "Error", "failed")
    ),
    ("S20.hook-completed", "the webhook says `completed`", put(HOOK, status="completed")),
    (
        "S20.at-once-ready",
        "a finished submit is answered `ready`",
        at_once(put("submit.success", status="ready")),
    ),
    ("S21.submit-message", 'a submit is answered {"message": 5}', set_body(SUBMIT, {"message": 5})),
    ("S21.submit-output", 'a submit is answered {"output": 5}', set_body(SUBMIT, {"output": 5})),
    ("S21.submit-empty", "a submit is answered {}", set_body(SUBMIT, {})),
    (
        "S21.submit-id",
        "a submit is answered with an id alone",
        each_reply(SUBMIT, lambda r: r.becomes(body={"id": r.body["id"]})),
    ),
    (
        "S21.submit-array",
        "a submit is answered with an array",
        each_reply(SUBMIT, lambda r: r.becomes(body=[r.body])),
    ),
    ("S21.submit-null", "a submit is answered null", set_body(SUBMIT, None)),
    (
        "S21.poll-output",
        'before the end a fetch is answered {"output": 5}',
        set_body(POLL, {"output": 5}),
    ),
    ("S21.fetch-output", 'a result is {"output": [...]} alone', drop(FETCH, "status", "id")),
    ("S21.error-message", 'a refusal is {"message": 5}', set_body("error.invalid", {"message": 5})),
    ("S21.error-empty", "a refusal is {}", set_body("error.invalid", {})),
]

SIBLINGS: list[Row] = [
    (
        "S22.submit-time",
        "processing with a generationTime `fast`",
        put(SUBMIT, generationTime="fast"),
    ),
    ("S22.error-output", "a refusal with output 5", put("error.invalid", output=5)),
    ("S22.error-id", "a refusal with the id `none`", put("error.invalid", id="none")),
    ("S22.error-eta", "a refusal with the eta `soon`", put("error.key", eta="soon")),
    ("S22.poll-id", "processing with the id `none`", put(POLL, id="none")),
    ("S22.fetch-message", "a result with message 5", put(FETCH, message=5)),
    ("S22.fetch-tip", "a result with tip null", put(FETCH, tip=None)),
    (
        "S22.at-once-eta",
        "a finished submit with the eta `x`",
        at_once(put("submit.success", eta="x")),
    ),
    (
        "S22.at-once-links",
        "a finished submit with future_links `none`",
        at_once(put("submit.success", future_links="none")),
    ),
    (
        "S22.at-once-result",
        "a finished submit with fetch_result 5",
        at_once(put("submit.success", fetch_result=5)),
    ),
    (
        "S22.at-once-message",
        "a finished submit with message 5",
        at_once(put("submit.success", message=5)),
    ),
]

MEMBERS: list[Row] = [
    ("S23.eta-text", "eta is text", put(SUBMIT, eta="3")),
    ("S23.eta-fraction", "eta is 12.5", put(SUBMIT, eta=12.5)),
    ("S23.eta-true", "eta is true", put(SUBMIT, eta=True)),
    ("S23.eta-null", "eta is null", put(SUBMIT, eta=None)),
    ("S23.id-text", "the id is text", put(SUBMIT, id=lambda r: str(r.body["id"]))),
    ("S23.id-true", "the id is true", put(SUBMIT, id=True)),
    ("S23.id-fraction", "the id has a fraction", put(SUBMIT, id=lambda r: r.body["id"] + 0.5)),
    ("S23.id-null", "the id is null", put(SUBMIT, id=None)),
    ("S23.id-missing", "no id in the reply to a submit", drop(SUBMIT, "id")),
    ("S23.fetch-id-text", "the id of a result is text", put(FETCH, id=lambda r: str(r.body["id"]))),
    ("S23.fetch-id-null", "the id of a result is null", put(FETCH, id=None)),
    ("S23.fetch-id-missing", "no id in a result", drop(FETCH, "id")),
    (
        "S23.failed-id-text",
        "the id of a failed job is text",
        put(FAILED, id=lambda r: str(r.body["id"])),
    ),
    ("S23.unknown-id-null", "the id of an unknown job is null", put(UNKNOWN, id=None)),
    ("S23.unknown-output", "the output of an unknown job is null", put(UNKNOWN, output=None)),
    (
        "S23.hook-id-text",
        "the id in the webhook is text",
        put("hook", id=lambda r: str(r.body["id"])),
    ),
    ("S23.hook-id-missing", "no id in the webhook", drop("hook", "id")),
    ("S23.message", "the message of processing is a number", put(SUBMIT, message=5)),
    ("S23.tip", "the tip of processing is null", put(SUBMIT, tip=None)),
    ("S23.meta", "meta is a list", put(SUBMIT, meta=[])),
    ("S23.poll-message", "before the end the message is null", put(POLL, message=None)),
    ("S24.negative", "eta is negative", put(SUBMIT, eta=-3)),
    ("S24.poll-negative", "a fetch before the end has a negative eta", put(POLL, eta=-1)),
    (
        "S24.growing",
        "the eta of a fetch grows while polled",
        put(POLL, eta=lambda r: 3 + 2 * r.job.polls),
    ),
    ("S24.constant", "the eta of a fetch stays the same until the end", put(POLL, eta=30)),
    (
        "S24.zero",
        "a fetch says 0 seconds until the end, which comes after four times the eta",
        all_of(change(ends=lambda _, job: job.created + 4 * job.eta_s), put(POLL, eta=0)),
    ),
    (
        "S25.relative",
        "fetch_result is a path",
        put(SUBMIT, fetch_result=lambda r: f"/api/v6/image_editing/fetch/{r.body['id']}"),
    ),
    ("S25.empty", "fetch_result is empty", put(SUBMIT, fetch_result="")),
    ("S25.words", "fetch_result is no address", put(SUBMIT, fetch_result="ask again later")),
    (
        "S25.blank",
        "fetch_result has a blank in it",
        put(SUBMIT, fetch_result=lambda r: r.body["fetch_result"].replace("/fetch/", "/fetch /")),
    ),
    ("S25.number", "fetch_result is a number", put(SUBMIT, fetch_result=lambda r: r.body["id"])),
    ("S25.null", "fetch_result is null", put(SUBMIT, fetch_result=None)),
    (
        "S25.no-scheme",
        "fetch_result has no scheme",
        put(SUBMIT, fetch_result=lambda r: r.body["fetch_result"].partition(":")[2]),
    ),
    (
        "S26.next",
        "fetch_result names the next id",
        put(
            SUBMIT,
            fetch_result=lambda r: r.body["fetch_result"].replace(
                str(r.body["id"]), str(r.body["id"] + 1)
            ),
        ),
    ),
    (
        "S26.none",
        "fetch_result ends before the id",
        put(SUBMIT, fetch_result=lambda r: r.body["fetch_result"].replace(str(r.body["id"]), "")),
    ),
    (
        "S26.one",
        "fetch_result always names 1",
        put(SUBMIT, fetch_result=lambda r: r.body["fetch_result"].replace(str(r.body["id"]), "1")),
    ),
    (
        "E05.host",
        "fetch_result is on another host",
        put(
            SUBMIT,
            fetch_result=lambda r: (
                f"https://api.example.com/api/v6/image_editing/fetch/{r.body['id']}"
            ),
        ),
    ),
    ("E05.path", "nothing is served at fetch_result", put(SUBMIT, fetch_result=moved)),
]

OUTPUTS: list[Row] = [
    (
        "S27.submit-link",
        "the reply to a submit has the link as output",
        put(SUBMIT, output=lambda r: r.body["future_links"]),
    ),
    (
        "S27.submit-word",
        "the reply to a submit has the output [`pending`]",
        put(SUBMIT, output=["pending"]),
    ),
    ("S27.submit-text", "the reply to a submit has text as output", put(SUBMIT, output="")),
    ("S27.submit-null", "the reply to a submit has the output null", put(SUBMIT, output=None)),
    (
        "S27.poll-word",
        "before the end a fetch has the output `pending`",
        put(POLL, output="pending"),
    ),
    (
        "S27.poll-link",
        "before the end a fetch has a link as output",
        put(POLL, output="https://example.com/0.png"),
    ),
    ("S27.poll-array", "before the end a fetch has an array as output", put(POLL, output=[])),
    ("S28.missing", "a result without output", drop(FETCH, "output")),
    ("S28.empty", "a result with an empty output", put(FETCH, output=[])),
    ("S28.null", "a result with the output null", put(FETCH, output=None)),
    (
        "S28.at-once-missing",
        "a finished submit without output",
        at_once(drop("submit.success", "output")),
    ),
    (
        "S28.at-once-empty",
        "a finished submit with an empty output",
        at_once(put("submit.success", output=[])),
    ),
    ("S29.empty", 'a result with the output [""]', put(FETCH, output=[""])),
    (
        "S29.relative",
        "a result with a path as output",
        put(FETCH, output=lambda r: ["/" + r.body["output"][0].split("/", 3)[3]]),
    ),
    (
        "S29.second",
        "a result with a good and an empty output",
        put(FETCH, output=lambda r: [*r.body["output"], ""]),
    ),
    ("S29.null", "a result with the output [null]", put(FETCH, output=[None])),
    ("S29.words", "a result with words as output", put(FETCH, output=["see your mail"])),
    (
        "S29.text",
        "the output of a result is text",
        put(FETCH, output=lambda r: r.body["output"][0]),
    ),
    ("S29.hook-relative", "the webhook has a path as output", put(HOOK, output=["/0.png"])),
    (
        "S29.at-once-empty",
        'a finished submit with the output [""]',
        at_once(put("submit.success", output=[""])),
    ),
    ("S29.future-empty", "future_links has an empty item", put(SUBMIT, future_links=[""])),
    ("S29.future-relative", "future_links has a path", put(SUBMIT, future_links=["/0.png"])),
    (
        "S29.future-text",
        "future_links is text",
        put(SUBMIT, future_links=lambda r: r.body["future_links"][0]),
    ),
    ("S29.proxy-text", "proxy_links is empty text", put(SUBMIT, proxy_links="")),
    ("S29.proxy-relative", "proxy_links has a path", put(SUBMIT, proxy_links=["/0.png"])),
    ("S39.hook", "generationTime is negative in the webhook", put(HOOK, generationTime=-3.2)),
    (
        "S39.at-once",
        "generationTime is negative in a finished submit",
        at_once(put("submit.success", generationTime=-3.2)),
    ),
    ("S39.hook-text", "generationTime is text in the webhook", put(HOOK, generationTime="3.2")),
    (
        "S39.at-once-text",
        "generationTime is text in a finished submit",
        at_once(put("submit.success", generationTime="3.2")),
    ),
    (
        "S39.at-once-null",
        "generationTime is null in a finished submit",
        at_once(put("submit.success", generationTime=None)),
    ),
]


def _misspelt(reply: Reply) -> None:
    reply.body = {
        "messege" if name == "message" else name: value for name, value in reply.body.items()
    }


def _errors() -> Iterator[Row]:
    for label, kind, words in (
        ("", "error.invalid", "a refusal"),
        ("key-", "error.key", "a refused key"),
    ):
        yield f"S40.{label}missing", f"{words} without message", drop(kind, "message")
        yield f"S40.{label}misspelt", f"{words} with messege", each_reply(kind, _misspelt)
        yield (
            f"S40.{label}object",
            f"{words} with an object as message",
            put(kind, message=lambda r: {"seed": [r.body["message"]]}),
        )
        yield f"S40.{label}empty", f"{words} with an empty message", put(kind, message="")


ERRORS: list[Row] = [
    *_errors(),
    (
        "S40.list",
        "a refusal with a list as message",
        put("error.invalid", message=lambda r: [r.body["message"]]),
    ),
    ("S40.null", "a refusal with message null", put("error.invalid", message=None)),
    ("S40.json", "malformed JSON is refused without message", drop("error.json", "message")),
    ("S40.unknown", "an unknown id is answered without message", drop(UNKNOWN, "message")),
    ("S40.failed", "a failed job is answered without message", drop(FAILED, "message")),
    ("S40.failed-misspelt", "a failed job is answered with messege", each_reply(FAILED, _misspelt)),
    ("S40.hook", "the webhook of a failed job has no message", drop("hook.failed", "message")),
    (
        "S40.names",
        "a refusal always says that the prompt is missing",
        put("error.invalid", message="The prompt field is required."),
    ),
    (
        "S41.invalid",
        "a refusal shows the key",
        put("error.invalid", message=lambda r: f"{r.body['message']} (key {r.key})"),
    ),
    (
        "S41.key",
        "a refused key is shown",
        put("error.key", message=lambda r: f"Invalid API key: {r.key}"),
    ),
    (
        "S41.body",
        "a refusal shows the body",
        put(
            "error.invalid",
            message=lambda r: f"Invalid request: {r.sent.body.decode('utf-8', 'replace')}",
        ),
    ),
    (
        "S41.json",
        "malformed JSON is shown",
        put(
            "error.json",
            message=lambda r: f"Invalid API Request: {r.sent.body.decode('utf-8', 'replace')}",
        ),
    ),
    (
        "S41.unknown",
        "the reply about an unknown id shows the key",
        put(UNKNOWN, message=lambda r: f"Request not found for {r.key}"),
    ),
    (
        "S41.meta",
        "meta shows the key",
        put(SUBMIT, meta=lambda r: {**r.body["meta"], "key": r.key}),
    ),
    ("S41.hook", "the webhook shows the key", put("hook", key=lambda r: r.key)),
    ("S41.fetch", "a result shows the key", put(FETCH, key=lambda r: r.key)),
    (
        "S41.fetch_result",
        "fetch_result holds the key",
        put(SUBMIT, fetch_result=lambda r: f"{r.body['fetch_result']}?key={r.key}"),
    ),
    (
        "S41.header",
        "a header shows the key",
        each_reply("submit fetch", lambda r: r.headers.update({"x-account": r.key})),
    ),
    (
        "E08.seed",
        "meta shows another seed",
        put(SUBMIT, meta=lambda r: {**r.body["meta"], "seed": r.body["meta"]["seed"] + 1}),
    ),
    (
        "E08.width",
        "meta shows another width",
        put(
            SUBMIT,
            meta=lambda r: r.body["meta"] | ({"width": 512} if "width" in r.body["meta"] else {}),
        ),
    ),
    (
        "E08.guidance",
        "meta shows the guidance without its fraction",
        put(
            SUBMIT,
            meta=lambda r: (
                r.body["meta"]
                | {n: int(v) for n, v in r.body["meta"].items() if n == "guidance_scale"}
            ),
        ),
    ),
    (
        "E08.prompt",
        "meta shows the first 20 characters of the prompt",
        put(SUBMIT, meta=lambda r: {**r.body["meta"], "prompt": r.body["meta"]["prompt"][:20]}),
    ),
    (
        "E08.unicode",
        "meta shows `?` for what is not ASCII",
        put(
            SUBMIT,
            meta=lambda r: {
                **r.body["meta"],
                "prompt": r.body["meta"]["prompt"].encode("ascii", "replace").decode(),
            },
        ),
    ),
]

WIRE: list[Row] = [
    (f"E11.{label}-{form}", f"{words} is {what}", raw(kind, make))
    for label, kind, words in (
        ("submit", SUBMIT, "the reply to a submit"),
        ("fetch", FETCH, "a result"),
    )
    for form, what, make in (
        ("empty", "empty", lambda _: b""),
        ("truncated", "cut in the middle", lambda data: data[: len(data) // 2]),
        ("html", "a page of HTML", lambda _: b"<h1>It works</h1>"),
        ("utf-16", "in UTF-16", lambda data: data.decode().encode("utf-16")),
        ("trailing", "followed by a warning", lambda data: data + b"\nWarning: undefined index"),
    )
] + [
    ("E11.submit-nan", "the reply to a submit holds NaN", put(SUBMIT, generationTime=float("nan"))),
    (
        "E11.submit-duplicate",
        "the reply to a submit has two ids",
        raw(SUBMIT, lambda data: data[:-1] + b', "id": 5}'),
    ),
    (
        "E12.hook-form",
        "the webhook is a form",
        raw("hook", lambda _: b"status=success&id=1", "application/x-www-form-urlencoded"),
    ),
    ("E12.hook-text", "the webhook is sent as text/plain", typed("hook", "text/plain")),
    (
        "E12.hook-truncated",
        "the webhook's body is cut",
        raw("hook", lambda data: data[: len(data) // 2]),
    ),
]

REPLY_MUTANTS = table([*CODES, *STATUS, *SIBLINGS, *MEMBERS, *OUTPUTS, *ERRORS, *WIRE])
