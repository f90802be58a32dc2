"""Statements about pictures and webhooks that hold for every correct server."""

from __future__ import annotations

from typing import Any

from mutants.driver import FAILED, FIELDS, Driver, Hook, body_of, is_link, named, size_of
from mutants.requests_said import BODY, FACE, HOOK
from mutants.server import GOOD_KEY

__all__ = ["EFFECTS_SAID"]


def the_picture_has_its_size(d: Driver) -> None:
    sizes: list[tuple[dict[str, Any], tuple[int, int]]] = [
        ({"width": 40, "height": 24}, (40, 24)),
        ({"width": 1, "height": 1024}, (1, 1024)),
        ({"width": 100, "face_image": FACE}, (100, 30)),
        ({"height": 100, "face_image": FACE}, (40, 100)),
        ({"face_image": FACE}, (40, 30)),
    ]
    for asked, size in sizes:
        link = d.ended(d.made(**asked))["output"][0]
        assert size_of(d.get(link)) == size


def the_picture_stays(d: Driver) -> None:
    job = d.made(**FIELDS)
    link = d.ended(job)["output"][0]
    first = d.get(link)
    d.server.advance(60)
    d.ended(job)
    assert (first.code, size_of(first)) == (200, (40, 24))
    assert [d.get(link).body for _ in range(3)] == [first.body] * 3


def the_picture_is_not_there_before_the_end(d: Driver) -> None:
    body = body_of(d.submit(**FIELDS).body)
    links = body.get("future_links", []) if body["status"] == "processing" else []
    codes = [d.get(link, method).code for link in links for method in ("GET", "HEAD")]
    d.state(body["id"])
    codes += [d.get(link, method).code for link in links for method in ("GET", "HEAD")]
    assert set(codes) <= {404}


def a_failed_job_has_no_picture(d: Driver) -> None:
    body = body_of(d.submit(FAILED).body)
    d.ended(body["id"])
    assert {d.get(link).code for link in body.get("future_links", [])} <= {404}


def future_links_are_the_output(d: Driver) -> None:
    body = body_of(d.submit().body)
    output = d.ended(body["id"])["output"]
    assert body.get("future_links", output) == output


def head_is_get_without_a_body(d: Driver) -> None:
    link = d.ended(d.made(**FIELDS))["output"][0]
    got, head = d.get(link), d.get(link, "HEAD")
    assert (head.code, head.headers, head.body) == (got.code, got.headers, b"")


def the_same_inputs_give_the_same_picture(d: Driver) -> None:
    assert d.picture(**FIELDS) == d.picture(**FIELDS, track_id=5)


def other_inputs_give_another_picture(d: Driver) -> None:
    small = {"width": 16, "height": 16}
    inputs: list[dict[str, Any]] = [
        {},
        {"seed": 1007},
        {"seed": -7},
        {"seed": 2**31 + 7},
        {"prompt": "x"},
        {"face_image": FACE},
    ]
    assert len({d.picture(**small, **each) for each in inputs}) == len(inputs)


def nothing_is_kept_from_the_request_before(d: Driver) -> None:
    d.ended(d.made(width=16, height=16, track_id=5))
    d.server.advance(60)
    d.hooks.clear()
    job = d.made(height=16, face_image=FACE, webhook=...)
    assert size_of(d.get(d.ended(job)["output"][0])) == (40, 16)
    d.server.advance(60)
    assert d.hooks == []
    d.ended(d.made())
    d.server.advance(60)
    assert "track_id" not in d.hooks[0].body


def _hooks(d: Driver, prefer: str = "", **fields: Any) -> list[Hook]:
    """The webhooks of one job, long after its end."""
    d.hooks.clear()
    d.ended(d.made(prefer, **fields))
    d.server.advance(60)
    return list(d.hooks)


def one_webhook_comes_per_job(d: Driver) -> None:
    jobs: list[tuple[str, dict[str, Any]]] = [
        ("", {"track_id": 1}),
        (FAILED, {"track_id": 1}),
        ("", {}),
        ("", {"webhook": f"{HOOK}/2?job=1", "track_id": 1}),
    ]
    for prefer, fields in jobs:
        (hook,) = _hooks(d, prefer, **fields)
        assert (hook.method, hook.url) == ("POST", fields.get("webhook", HOOK))


def a_webhook_needs_no_fetch(d: Driver) -> None:
    d.made()
    d.server.advance(60)
    assert len(d.hooks) == 1


def the_webhook_comes_at_the_end(d: Driver) -> None:
    job = d.made()
    for _ in range(60):
        came = bool(d.hooks)
        assert d.state(job)["status"] == "success" or not came
        d.server.advance(0.5)


def a_fetch_sends_no_webhook(d: Driver) -> None:
    job = d.made()
    d.server.advance(60)
    count = len(d.hooks)
    for _ in range(3):
        d.state(job)
        d.server.advance(1)
    assert len(d.hooks) == count


def _webhook_right(hook: Hook, status: str) -> None:
    assert hook.headers["content-type"].partition(";")[0] == "application/json"
    assert hook.body["status"] == status
    assert type(hook.body["id"]) is int
    assert GOOD_KEY not in repr(hook.body)
    assert status == "success" or hook.body["message"]
    time_s = hook.body.get("generationTime", 0)
    assert isinstance(time_s, (int, float)) and time_s >= 0  # noqa: PT018
    assert all(is_link(link) for link in hook.body.get("output", ()))


def the_webhook(d: Driver) -> None:
    for hook in _hooks(d, **FIELDS):
        _webhook_right(hook, "success")


def the_webhook_of_a_failure(d: Driver) -> None:
    for hook in _hooks(d, FAILED):
        _webhook_right(hook, "failed")


def the_webhook_says_what_a_fetch_says(d: Driver) -> None:
    for prefer in ("", FAILED):
        job = d.made(prefer, **FIELDS)
        result = d.ended(job)
        d.server.advance(60)
        body = d.hooks[-1].body
        assert (body["id"], body["status"] == "success") == (job, result["status"] == "success")
        assert body.get("output", result.get("output")) == result.get("output")
        assert body.get("meta", BODY)["seed"] == 7


def track_id_comes_back(d: Driver) -> None:
    for value in (42, 0, -1, 2**40, 2**62 + 1):
        (hook,) = _hooks(d, track_id=value)
        assert (hook.body["track_id"], type(hook.body["track_id"])) == (value, int)


def track_id_comes_back_from_a_failure(d: Driver) -> None:
    (hook,) = _hooks(d, FAILED, track_id=42)
    assert (hook.body["track_id"], type(hook.body["track_id"])) == (42, int)


EFFECTS_SAID = named(
    the_picture_has_its_size,
    the_picture_stays,
    the_picture_is_not_there_before_the_end,
    a_failed_job_has_no_picture,
    future_links_are_the_output,
    head_is_get_without_a_body,
    the_same_inputs_give_the_same_picture,
    other_inputs_give_another_picture,
    nothing_is_kept_from_the_request_before,
    one_webhook_comes_per_job,
    a_webhook_needs_no_fetch,
    the_webhook_comes_at_the_end,
    a_fetch_sends_no_webhook,
    the_webhook,
    the_webhook_of_a_failure,
    the_webhook_says_what_a_fetch_says,
    track_id_comes_back,
    track_id_comes_back_from_a_failure,
)
