"""Mutants whose replies and jobs are fine, and whose pictures or webhooks are not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mutants import pictures
from mutants.behaviour import CORRECT, Delivery, Job, Reply, Switch, all_of, change
from mutants.mutant import drop, each_reply, put, table

if TYPE_CHECKING:
    from mutants.server import Server

__all__ = ["EFFECT_MUTANTS"]


def polled(do: Callable[[Server, Job], object]) -> Switch:
    """`do` happens at each fetch, before it is answered."""
    return change(before_fetch=do)


def delivering(change_them: Callable[[Server, list[Delivery]], list[Delivery]]) -> Switch:
    """Other deliveries than the right one."""
    return change(
        deliveries=lambda server, job: change_them(server, CORRECT.deliveries(server, job))
    )


def twice(gap_s: float, *, failed_only: bool = False) -> Switch:
    return delivering(
        lambda _, due: (
            due
            + [
                replace(each, at=each.at + gap_s)
                for each in due
                if each.job.fails or not failed_only
            ]
        )
    )


def painting(inputs: Callable[[Server, Job], tuple[Any, ...]]) -> Switch:
    return change(paints=inputs)


def without(*names: str) -> Switch:
    """Pictures do not depend on these fields."""
    return painting(
        lambda _, job: tuple(
            sorted(
                (n, v) for n, v in job.fields.items() if n not in ("webhook", "track_id", *names)
            )
        )
    )


def with_seed(do: Callable[[int], int]) -> Switch:
    return painting(
        lambda server, job: CORRECT.paints(
            server, replace(job, fields={**job.fields, "seed": do(job.fields["seed"])})
        )
    )


def sized(do: Callable[[dict[str, Any], int, int], tuple[int, int]]) -> Switch:
    return change(size=lambda fields: do(fields, *pictures.size_of(fields)))


def tracked(do: Callable[[Any], Any], kind: str = "hook") -> Switch:
    return each_reply(
        kind,
        lambda reply: (
            "track_id" in reply.body and reply.body.update(track_id=do(reply.body["track_id"]))
        ),
    )


def _redelivers(server: Server, job: Job) -> None:
    url = job.fields.get("webhook")
    if url and CORRECT.state(job, server.now) != "processing":
        server.later(Delivery(server.now, job, url))


def _delivers(server: Server, job: Job) -> None:
    if not job.ended_polls:
        _redelivers(server, job)


def _number(reply: Reply) -> int:
    return int(reply.body["id"])


PICTURES = [
    (
        "S38.random",
        "the same inputs give another picture each time",
        painting(lambda server, job: (*CORRECT.paints(server, job), job.token)),
    ),
    ("S38.seedless", "the seed does not change the picture", without("seed")),
    ("S38.promptless", "the prompt does not change the picture", without("prompt")),
    ("S38.faceless", "the face does not change the picture", without("face_image")),
    ("S38.mod-1000", "seeds are taken modulo 1000", with_seed(lambda seed: seed % 1000)),
    ("S38.sign", "the sign of a seed is lost", with_seed(abs)),
    ("S38.32-bit", "seeds are cut to 31 bits", with_seed(lambda seed: seed % 2**31)),
    (
        "S38.time",
        "the picture depends on the second of the submit",
        painting(lambda server, job: (*CORRECT.paints(server, job), int(job.created))),
    ),
    (
        "E01.token",
        "future_links name another picture than the output",
        put(
            "submit.processing",
            future_links=lambda r: [
                link.replace(r.job.token, f"x{r.job.token}") for link in r.body["future_links"]
            ],
        ),
    ),
    (
        "E01.more",
        "future_links has one more item than the output",
        put(
            "submit.processing",
            future_links=lambda r: [
                *r.body["future_links"],
                r.body["future_links"][0].replace("-0.", "-1."),
            ],
        ),
    ),
    (
        "E01.query",
        "the output has a query that future_links lacks",
        put(
            "fetch.success hook.success",
            output=lambda r: [f"{link}?signed=1" for link in r.body["output"]],
        ),
    ),
    (
        "E02.early",
        "the picture is there before the end",
        change(live=lambda _, __, state: state != "failed"),
    ),
    (
        "E02.polled",
        "the picture is there from the first fetch on",
        change(live=lambda _, job, state: state == "success" or (job.polls and not job.fails)),
    ),
    (
        "E02.failed",
        "a failed job has a picture",
        change(live=lambda _, __, state: state != "processing"),
    ),
    ("E03.dead", "the picture is never there", change(live=lambda *_: False)),
    (
        "E03.once",
        "the picture can be downloaded once",
        change(live=lambda _, job, state: state == "success" and not job.downloads),
    ),
    (
        "E03.soon",
        "the picture is gone ten seconds after the end",
        change(live=lambda server, job, state: state == "success" and server.now < job.ends + 10),
    ),
    (
        "E03.fetched",
        "the picture is gone at the second fetch",
        change(live=lambda _, job, state: state == "success" and job.ended_polls < 2),
    ),
    ("E04.swapped", "width and height are swapped", sized(lambda _, w, h: (h, w))),
    ("E04.wider", "the picture is a pixel wider", sized(lambda _, w, h: (w + 1, h))),
    (
        "E04.lower",
        "the picture is a pixel lower",
        sized(lambda _, w, h: (w, max(1, h - 1) if h > 1 else 2)),
    ),
    ("E04.ignored", "every picture is 512 by 512", sized(lambda *_: (512, 512))),
    (
        "E04.by-8",
        "the size is rounded up to multiples of 8",
        sized(lambda _, w, h: (-(-w // 8) * 8, -(-h // 8) * 8)),
    ),
    (
        "E04.half",
        "pictures over 512 are halved",
        sized(lambda _, w, h: (w // 2, h // 2) if max(w, h) > 512 else (w, h)),
    ),
    (
        "E04.square",
        "one dimension given makes a square",
        sized(
            lambda f, w, h: (f.get("width", f.get("height", w)), f.get("height", f.get("width", h)))
        ),
    ),
    (
        "E04.face",
        "the face image's size is not taken where none is given",
        sized(lambda f, *_: pictures.size_of({**f, "face_image": ""})),
    ),
    (
        "E06.html",
        "the link leads to a page of HTML",
        each_reply(
            "link.live",
            lambda r: (
                r.becomes(raw=b"<h1>Your picture</h1>"),
                r.headers.update({"content-type": "text/html"}),
            ),
        ),
    ),
    ("E06.empty", "the picture is empty", each_reply("link.live", lambda r: r.becomes(raw=b""))),
    (
        "E06.cut",
        "the picture is cut",
        each_reply("link.live", lambda r: r.raw and r.becomes(raw=r.raw[: len(r.raw) // 2])),
    ),
    (
        "E06.text",
        "the picture is base64 text",
        each_reply("link.live", lambda r: r.becomes(raw=b"iVBORw0KGgo=")),
    ),
]


HEAD = [
    (
        "E07.code",
        "HEAD of a picture is answered 405",
        change(methods={**CORRECT.methods, "link": ("GET",)}),
    ),
    (
        "E07.dead",
        "HEAD of a picture that is not there yet is answered 200",
        each_reply("link.dead", lambda r: r.method == "HEAD" and r.becomes(code=200)),
    ),
    (
        "E07.length",
        "HEAD of a picture says another length",
        each_reply(
            "link.live", lambda r: r.method == "HEAD" and r.headers.update({"content-length": "1"})
        ),
    ),
]


HOOKS = [
    ("S42.at-once", "the webhook comes twice", twice(0)),
    ("S42.later", "the webhook comes again five seconds later", twice(5)),
    ("S42.failed", "the webhook of a failed job comes twice", twice(0, failed_only=True)),
    ("S42.often", "the webhook comes six times", delivering(lambda _, due: due * 6)),
    ("S42.fetched", "each fetch of the result sends the webhook again", polled(_redelivers)),
    (
        "S43.start",
        "the webhook of success comes right after the submit",
        delivering(lambda s, due: [replace(each, at=s.now) for each in due]),
    ),
    (
        "S43.half",
        "the webhook of success comes at half time",
        delivering(lambda s, due: [replace(each, at=(s.now + each.at) / 2) for each in due]),
    ),
    (
        "S43.processing-start",
        "a webhook says processing right after the submit",
        delivering(
            lambda s, due: [replace(each, at=s.now, kind="hook.processing") for each in due] + due
        ),
    ),
    (
        "S43.processing-end",
        "the webhook at the end says processing",
        delivering(lambda _, due: [replace(each, kind="hook.processing") for each in due]),
    ),
    ("S44.never", "no webhook is ever sent", delivering(lambda *_: [])),
    (
        "S44.fetched",
        "the webhook is sent by the first fetch after the end",
        all_of(delivering(lambda *_: []), polled(_delivers)),
    ),
    (
        "S44.success-only",
        "a failed job sends no webhook",
        delivering(lambda _, due: [each for each in due if not each.job.fails]),
    ),
    (
        "S44.failed-only",
        "only a failed job sends a webhook",
        delivering(lambda _, due: [each for each in due if each.job.fails]),
    ),
    (
        "S44.first-only",
        "only the first job sends a webhook",
        delivering(lambda s, due: [each for each in due if s.jobs[0] is each.job]),
    ),
    (
        "S44.tracked-only",
        "only a job with a track_id sends a webhook",
        delivering(lambda _, due: [each for each in due if "track_id" in each.job.fields]),
    ),
    (
        "S44.untracked-only",
        "a job with a track_id sends no webhook",
        delivering(lambda _, due: [each for each in due if "track_id" not in each.job.fields]),
    ),
    (
        "S44.first-url",
        "all webhooks go to the first address",
        delivering(
            lambda s, due: [
                replace(
                    each,
                    url=next(job.fields["webhook"] for job in s.jobs if "webhook" in job.fields),
                )
                for each in due
            ]
        ),
    ),
    (
        "S44.get",
        "the webhook is a GET",
        delivering(lambda _, due: [replace(each, method="GET") for each in due]),
    ),
    (
        "S44.put",
        "the webhook is a PUT",
        delivering(lambda _, due: [replace(each, method="PUT") for each in due]),
    ),
    (
        "S44.query",
        "the query of the webhook's address is lost",
        delivering(lambda _, due: [replace(each, url=each.url.partition("?")[0]) for each in due]),
    ),
    (
        "S45.output",
        "the webhook's output differs from the fetch's",
        put("hook.success", output=["https://example.com/0.png"]),
    ),
    (
        "S45.more",
        "the webhook's output has one item more",
        put("hook.success", output=lambda r: r.body["output"] * 2),
    ),
    ("S45.empty", "the webhook's output is empty", put("hook.success", output=[])),
    ("S45.id", "the webhook names another id", put("hook", id=lambda r: _number(r) + 1)),
    (
        "S45.failed",
        "the webhook of a success says failed",
        each_reply(
            "hook.success",
            lambda r: setattr(
                r,
                "body",
                {
                    "status": "failed",
                    "message": "Not made.",
                    **{name: r.body[name] for name in ("id", "track_id") if name in r.body},
                },
            ),
        ),
    ),
    ("S45.success", "the webhook of a failure says success", put("hook.failed", status="success")),
    (
        "S45.meta",
        "the webhook's meta shows another seed",
        put("hook.success", meta=lambda r: {**r.body["meta"], "seed": r.body["meta"]["seed"] + 1}),
    ),
    ("S46.dropped", "track_id is dropped", drop("hook", "track_id")),
    (
        "S46.failed-dropped",
        "track_id is dropped where the job failed",
        drop("hook.failed", "track_id"),
    ),
    ("S46.text", "track_id comes back as text", tracked(str)),
    ("S46.more", "track_id comes back one higher", tracked(lambda value: value + 1)),
    ("S46.null", "track_id comes back as null", tracked(lambda _: None)),
    (
        "S46.zero",
        "track_id 0 is dropped",
        each_reply("hook", lambda r: r.body.get("track_id", 1) == 0 and r.body.pop("track_id")),
    ),
    ("S46.sign", "the sign of track_id is lost", tracked(abs)),
    ("S46.32-bit", "track_id is cut to 31 bits", tracked(lambda value: value % 2**31)),
    (
        "S46.double",
        "track_id comes back in the precision of a double",
        tracked(lambda value: int(float(value))),
    ),
]


EFFECT_MUTANTS = table([*PICTURES, *HEAD, *HOOKS])
