"""Correct servers that use what the contract leaves open in another way: a checker must find
nothing in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mutants.behaviour import CORRECT, Behaviour, Delivery, Job, Reply, Switch, all_of, change, edit
from mutants.mutant import INSTANT, drop, each_reply, field, put
from mutants.pictures import face_size, size_of
from mutants.rules import Refused

if TYPE_CHECKING:
    from mutants.server import Server

__all__ = ["FREEDOMS", "switch_of"]

CODES = {"error.key": 401, "error.queue": 429, "error": 400, "fetch.unknown": 404}


def _coded(_: Server, reply: Reply) -> None:
    if reply.code == 200:
        reply.code = next(
            (number for kind, number in CODES.items() if reply.kind.startswith(kind)), 200
        )


def _reversed(_: Server, reply: Reply) -> None:
    if isinstance(reply.body, dict):
        reply.body = dict(reversed(reply.body.items()))


def _more(_: Server, reply: Reply) -> None:
    if isinstance(reply.body, dict):
        reply.body |= {
            "request_id": "5f0c9d3e",
            "credits": 41.5,
            "debug": {"status": "ok", "queue": [1, None]},
        }


def _sparse(_: Server, reply: Reply) -> None:
    if reply.kind == "submit.processing":
        reply.body = {name: reply.body[name] for name in ("status", "id")}


def _only_output(_: Server, reply: Reply) -> None:
    kept = {
        "fetch.processing": ("status",),
        "fetch.failed": ("status", "message"),
        "hook.success": ("status", "id", "track_id"),
    }
    names = kept.get(reply.kind)
    if names:
        reply.body = {name: reply.body[name] for name in names if name in reply.body}


def _chunked(_: Server, reply: Reply) -> None:
    reply.headers["transfer-encoding"] = "chunked"


def _unknown_at_first(_: Server, reply: Reply) -> None:
    if reply.kind == "fetch.processing" and reply.job and reply.job.polls == 1:
        reply.body = {"status": "failed", "id": "", "message": "Request not found", "output": ""}


def _charset(_: Server, reply: Reply) -> None:
    if reply.headers.get("content-type") == "application/json":
        reply.headers["content-type"] = "application/json; charset=utf-8"


def _late(seconds: float) -> Switch:
    def deliveries(server: Server, job: Job) -> list[Delivery]:
        return [replace(each, at=each.at + seconds) for each in CORRECT.deliveries(server, job)]

    return change(deliveries=deliveries)


def _remaining(server: Server, reply: Reply) -> None:
    if reply.kind == "fetch.processing" and reply.job:
        reply.body["eta"] = max(0, int(reply.job.ends - server.now))


def _with_bom(data: bytes) -> Any:
    return CORRECT.read(data.removeprefix(b"\xef\xbb\xbf"))


def _64_bit(behaviour: Behaviour) -> Behaviour:
    def refuses(value: Any) -> bool:
        return isinstance(value, int) and not -(2**63) <= value < 2**63

    return all_of(
        *(
            field(name, refuses=refuses)
            for name in ("width", "height", "num_inference_steps", "seed", "track_id")
        )
    )(behaviour)


def _depth(data: bytes) -> Any:
    if data.count(b"[") > 64:
        raise Refused("Invalid API Request", "error.json")
    return CORRECT.read(data)


def _picky_face(value: Any) -> bool:
    return (
        isinstance(value, str)
        and not value.startswith(("http://", "https://"))
        and face_size(value) is None
    )


def _at_least_64(fields: dict[str, Any]) -> tuple[int, int]:
    """What has no size gets 64 pixels: no picture can have zero or fewer."""
    return size_of(
        {**fields, **{name: 64 for name in ("width", "height") if fields.get(name, 1) < 1}}
    )


def _renamed(message: str) -> Switch:
    return put("error.invalid fetch.unknown fetch.failed hook.failed", message=message)


_TABLE: Mapping[str, tuple[str, Switch]] = {
    "4xx": ("errors come as HTTP 400, 401, 404 and 429, with the same body", edit(_coded)),
    "key-order": ("members stand in the opposite order", edit(_reversed)),
    "extra-members": ("every reply and webhook has undeclared members", edit(_more)),
    "slow-replies": ("each call takes 0.2 s of the server's clock", change(tick_s=0.2)),
    "success-at-once": ("a submit is answered with the finished picture", INSTANT),
    "sparse-processing": ("the reply to a submit holds status and id only", edit(_sparse)),
    "sparse-fetch": (
        "fetches and webhooks hold what the contract promises only",
        edit(_only_output),
    ),
    "late-webhook": ("the webhook comes two seconds after the end", _late(2)),
    "no-future-links": (
        "the reply to a submit has no future_links and no proxy_links",
        drop("submit.processing", "future_links", "proxy_links"),
    ),
    "no-meta": ("no meta anywhere", drop("submit hook", "meta")),
    "no-fetch-result": (
        "no fetch_result: the id is enough",
        drop("submit.processing", "fetch_result"),
    ),
    "no-eta": ("no eta", drop("submit.processing", "eta")),
    "integer-time": (
        "generationTime is a whole number",
        put("hook.success submit.success", generationTime=3),
    ),
    "zero-time": ("generationTime is 0", put("hook.success", generationTime=0)),
    "float-eta": (
        "eta is written 3.0, which JSON Schema counts as an integer",
        put("submit.processing", eta=lambda r: float(r.body["eta"])),
    ),
    "unicode-messages": (
        "messages are not in English",
        _renamed("Ungültig – 無効な値です \U0001f6ab"),
    ),
    "escaped-slashes": (
        "slashes are escaped",
        each_reply("submit fetch error hook", lambda r: r.becomes(raw=_escaped(r.body))),
    ),
    "links-elsewhere": ("pictures live in another folder", change(folder="/cdn/out/v2/")),
    "links-with-query": (
        "links carry a query",
        change(
            links=lambda server, job: [
                f"{link}?expires=1700086400&sig=a%2Fb" for link in CORRECT.links(server, job)
            ]
        ),
    ),
    "unknown-is-error": (
        "an unknown id is answered with the error envelope",
        each_reply(
            "fetch.unknown",
            lambda r: r.becomes(body={"status": "error", "message": "Request not found"}),
        ),
    ),
    "failed-is-error": (
        "a failed job is fetched as the error envelope",
        each_reply(
            "fetch.failed",
            lambda r: r.becomes(body={"status": "error", "message": r.body["message"]}),
        ),
    ),
    "failed-arrays": (
        "failed replies have an empty array as output",
        put("fetch.failed fetch.unknown", output=[]),
    ),
    "early-unknown": (
        "the first fetch of a live job says that it is unknown",
        edit(_unknown_at_first),
    ),
    "fetch-eta": ("a fetch before the end says the seconds that remain", edit(_remaining)),
    "eta-zero": (
        "eta is 0 and the job ends a second later",
        all_of(change(ends=lambda _, job: job.created + 1), put("submit.processing", eta=0)),
    ),
    "ends-early": (
        "a job ends in half its eta",
        change(ends=lambda _, job: job.created + job.eta_s / 2),
    ),
    "ends-late": (
        "a job takes one and a half times its eta",
        change(ends=lambda _, job: job.created + 1.5 * job.eta_s),
    ),
    "long-eta": ("a job takes twenty seconds, and says so", change(eta_s=20)),
    "charset": ("replies say application/json; charset=utf-8", edit(_charset)),
    "chunked": ("replies come in chunks", edit(_chunked)),
    "text-pictures": (
        "pictures are served as text/plain",
        each_reply("link.live", lambda r: r.headers.update({"content-type": "text/plain"})),
    ),
    "jpeg": ("pictures are JPEG", change(picture_format="JPEG")),
    "default-768": (
        "a picture without a size is 768 by 768",
        change(size=lambda fields: size_of(fields, 768)),
    ),
    "no-size-64": ("a dimension of zero or less becomes 64", change(size=_at_least_64)),
    "fields-first": ("fields are looked at before the key", change(fields_first=True)),
    "bom": (
        "a byte order mark before the object is ignored, as RFC 8259 allows",
        change(read=_with_bom),
    ),
    "64-bit": (
        "integers beyond 64 bits are refused, as RFC 8259 lets a reader limit numbers",
        _64_bit,
    ),
    "depth-64": (
        "more than 64 brackets are refused, as RFC 8259 lets a reader limit nesting",
        change(read=_depth),
    ),
    "picky-face": (
        "a face image that is neither a link nor a picture in base64 is refused",
        field("face_image", refuses=_picky_face),
    ),
    "trailing-slash": (
        "a slash behind a path does not matter",
        change(routes=lambda path: path.rstrip("/") or "/"),
    ),
    "random-ids": (
        "ids do not count up",
        change(new_id=lambda server, _: server.random.randrange(10**8, 2**31)),
    ),
    "large-ids": ("ids are over 2^53", change(new_id=lambda server, _: 2**60 + len(server.jobs))),
    "small-ids": ("ids begin at 1", change(new_id=lambda server, _: len(server.jobs) + 1)),
}


def _escaped(body: Any) -> bytes:
    import json

    return json.dumps(body, ensure_ascii=False).replace("/", "\\/").encode()


FREEDOMS: Mapping[str, str] = {name: sentence for name, (sentence, _) in _TABLE.items()}


def switch_of(name: str) -> Switch:
    """The switch of a freedom."""
    return _TABLE[name][1]
