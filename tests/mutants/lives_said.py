"""Statements about replies, jobs, pictures and webhooks that hold for every correct server."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from typing import Any

from PIL import Image

from fauxlab_contract.document import load_document
from fauxlab_contract.validate import response_violations
from mutants.driver import Driver, Hook, body_of
from mutants.requests_said import BODY, FACE, HOOK, JSON, submitted
from mutants.server import BASE, FETCH, GOOD_KEY, OTHER_KEY, SUBMIT, Request, Response, Server

__all__ = ["QUEUE_SAID", "SAID"]

Make = Callable[..., Server]
_SUBMITS = {op.path: op for op in load_document().operations}
FIELDS: dict[str, Any] = {"width": 40, "height": 24, "guidance_scale": 7.5, "prompt": "ein Porträt mit weichem Licht von links"}
FAILED = "scenario=failed"
UNKNOWN = 999_999_999
CODES = {"": set[int](), "refused": {200, 400}, "key": {200, 401}, "unknown": {200, 404}}


def _operation(path: str) -> Any:
    return next(op for name, op in _SUBMITS.items() if path in name)


def _right(response: Response, path: str, *words: str, codes: str = "") -> dict[str, Any]:
    """The body of a reply whose code, media type, JSON, schema and secrecy are right."""
    assert response.headers["content-type"].partition(";")[0] == "application/json"
    assert GOOD_KEY not in response.body.decode() + repr(response.headers)
    body: dict[str, Any] = body_of(response.body)
    assert response.code == 200 or (body["status"] in ("error", "failed") and response.code in CODES[codes])
    assert response_violations(_operation(path), body) == ()
    assert body["status"] in words
    if body["status"] in ("error", "failed"):
        assert body["message"]
    if body["status"] == "success":
        assert type(body["id"]) is int
        assert body["output"]
        assert body.get("generationTime", 0) >= 0
    assert body.get("eta", 0) >= 0
    assert all(_is_link(link) for name in ("output", "future_links", "proxy_links") for link in body.get(name) or ())
    return body


def _is_link(text: str) -> bool:
    return bool(re.fullmatch(r"https?://[^/\s]+/\S+", text))


def _submitted_right(d: Driver, **fields: Any) -> dict[str, Any]:
    body = _right(d.submit(**FIELDS, **fields), "flux_headshot", "processing", "success")
    assert type(body["id"]) is int
    if body["status"] == "processing":
        assert not body.get("output")
        assert body.get("fetch_result", f"{d.server.origin}{FETCH}{body['id']}") == f"{d.server.origin}{FETCH}{body['id']}"
    meta = body.get("meta", {})
    assert {name: value for name, value in meta.items() if name in FIELDS | BODY} == {n: v for n, v in (BODY | FIELDS).items() if n in meta}
    return body


def the_reply_to_a_submit(d: Driver) -> None:
    for _ in range(3):
        _submitted_right(d)


def the_poll(d: Driver) -> None:
    job = d.made()
    for _ in range(3):
        body = _right(d.fetch(job), "fetch", "processing", "success", "failed", "error", codes="unknown")
        if body["status"] == "processing":
            assert body.get("output", "") == ""
        d.server.advance(0.4)


def the_remaining_seconds(d: Driver) -> None:
    job, seen = d.made(), []
    for _ in range(3):
        seen.append(d.state(job).get("eta", 0))
        d.server.advance(0.9)

    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) > 1 or seen[0] == 0


def the_result(d: Driver) -> None:
    job = d.made(**FIELDS)
    d.ended(job)
    assert _right(d.fetch(job), "fetch", "success")["id"] == job


def the_reply_about_a_failed_job(d: Driver) -> None:
    job = d.made(FAILED)
    d.ended(job)
    assert _right(d.fetch(job), "fetch", "failed", "error", codes="refused").get("id", job) == job


def the_reply_about_an_unknown_id(d: Driver) -> None:
    d.made()
    for unknown in (UNKNOWN, "no-number"):
        assert _right(d.fetch(unknown), "fetch", "failed", "error", codes="unknown").get("id", "") == ""


def the_refusal(d: Driver) -> None:
    broken: list[dict[str, Any]] = [{"width": 1025}, {"seed": ...}, {"prompt": ...}]
    for fields in broken:
        _right(d.submit(**fields), "flux_headshot", "error", codes="refused")


def the_refusal_of_a_key(d: Driver) -> None:
    for key in ("wrong-key-0123456789", ...):
        response = d.submit(key=key)
        _right(response, "flux_headshot", "error", codes="key")
        assert b"wrong-key" not in response.body
        _right(d.fetch(d.made(), key), "fetch", "error", codes="key")


def the_refusal_of_malformed_json(d: Driver) -> None:
    for sent in (json.dumps(BODY).encode()[:-1], b"[]", b""):
        _right(d.server.handle(submitted(sent)), "flux_headshot", "error", codes="refused")


def a_success_at_once(d: Driver) -> None:
    body = _right(d.submit(**FIELDS), "flux_headshot", "success", "processing")
    if body["status"] == "success":
        assert d.state(body["id"])["output"] == body["output"]


def other_methods(d: Driver) -> None:
    fetch = f"{FETCH}{d.made()}"
    body = json.dumps(BODY).encode()
    for path, methods in ((SUBMIT, "GET PUT PATCH DELETE"), (fetch, "GET PUT PATCH DELETE")):
        for method in methods.split():
            response = d.server.handle(Request(method, path, JSON, body, f"key={GOOD_KEY}"))
            assert (response.code, response.headers["allow"]) == (405, "POST")


def other_paths(d: Driver) -> None:
    assert d.server.handle(Request("POST", f"{BASE}/image_editing/nothing", JSON, json.dumps(BODY).encode())).code == 404


def ids_are_different(d: Driver) -> None:
    ids = [d.made(seed=seed // 2) for seed in range(7)]
    assert len(set(ids)) == 7


def ids_stay(d: Driver) -> None:
    for prefer in ("", FAILED):
        job = d.made(prefer)
        d.ended(job)
        assert d.state(job).get("id", job) == job


def each_fetch_result_leads_to_its_own_job(d: Driver) -> None:
    bodies = [_right(d.submit(seed=seed), "flux_headshot", "processing", "success") for seed in (1, 2)]
    for body in bodies:
        assert body.get("fetch_result", str(body["id"])).endswith(str(body["id"]))


def older_jobs_stay(d: Driver) -> None:
    first = d.made()
    second = d.made(seed=8)
    assert d.ended(first)["status"] == d.ended(second)["status"] == "success"


def each_job_has_its_own_picture(d: Driver) -> None:
    one, two = d.made(width=16, height=8), d.made(seed=8, width=8, height=16)
    outputs = [d.ended(job)["output"][0] for job in (one, two)]
    assert outputs[0] != outputs[1]
    assert [_size(d.get(link)) for link in outputs] == [(16, 8), (8, 16)]


def a_success_stays(d: Driver) -> None:
    job = d.made()
    seen = [d.ended(job)]
    for seconds in (0, 1, 1, 1, 60, 600):
        d.server.advance(seconds)
        seen.append(d.state(job))
    assert all(each == seen[0] for each in seen)


def a_failure_stays(d: Driver) -> None:
    job = d.made(FAILED)
    seen = [d.ended(job)]
    for seconds in (0, 1, 1, 60, 600):
        d.server.advance(seconds)
        seen.append(d.state(job))
    assert all(each == seen[0] for each in seen)
    assert seen[0]["status"] in ("failed", "error")


def every_job_ends(d: Driver) -> None:
    jobs = [d.made(), d.made(seed=8, webhook=...), d.made(FAILED)]
    for job in jobs:
        d.ended(job)


def another_key_sees_nothing(d: Driver) -> None:
    job = d.made()
    unknown = d.state(UNKNOWN)
    for _ in range(2):
        assert body_of(d.fetch(job, OTHER_KEY).body) == unknown
        d.server.advance(30)


def a_fetch_needs_the_key(d: Driver) -> None:
    job = d.made()
    d.server.advance(30)
    for key in (..., "", "wrong-key-0123456789"):
        assert b"success" not in d.fetch(job, key).body


def _size(response: Response) -> tuple[int, int]:
    assert response.code == 200
    with Image.open(io.BytesIO(response.body)) as image:
        image.load()
        return image.size


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
        assert _size(d.get(link)) == size


def the_picture_stays(d: Driver) -> None:
    job = d.made(**FIELDS)
    link = d.ended(job)["output"][0]
    first = d.get(link)
    d.server.advance(60)
    d.ended(job)
    assert (first.code, _size(first)) == (200, (40, 24))
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
    inputs: list[dict[str, Any]] = [{}, {"seed": 1007}, {"seed": -7}, {"seed": 2**31 + 7}, {"prompt": "x"}, {"face_image": FACE}]
    assert len({d.picture(**small, **each) for each in inputs}) == len(inputs)


def nothing_is_kept_from_the_request_before(d: Driver) -> None:
    d.ended(d.made(width=16, height=16, track_id=5))
    d.server.advance(60)
    d.hooks.clear()
    job = d.made(height=16, face_image=FACE, webhook=...)
    assert _size(d.get(d.ended(job)["output"][0])) == (40, 16)
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


def the_webhook_comes_at_the_end(d: Driver) -> None:
    job = d.made()
    for _ in range(120):
        came = bool(d.hooks)
        assert d.state(job)["status"] == "success" or not came
        d.server.advance(0.25)


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
    assert all(_is_link(link) for link in hook.body.get("output", ()))


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


def a_queue_of_five_takes_five(d: Driver) -> None:
    for key in (GOOD_KEY, OTHER_KEY):
        bodies = [d.submit(key=key, seed=seed) for seed in range(6)]
        statuses = [body_of(each.body)["status"] for each in bodies]
        if statuses == ["success"] * 6:  # nothing ever waits
            return
        assert statuses == ["processing"] * 5 + ["error"]
        assert bodies[5].code in (200, 429)
        retry_s = body_of(bodies[5].body)["retry_after"]
        assert type(retry_s) is int and retry_s > 0  # noqa: PT018


def a_queue_gets_free(d: Driver) -> None:
    for _ in range(3):
        for seed in range(4):
            d.made(seed=seed)
        d.server.advance(60)


def _named(*functions: Callable[[Driver], None]) -> dict[str, Callable[[Driver], None]]:
    return {function.__name__.replace("_", " "): function for function in functions}


QUEUE_SAID = _named(a_queue_of_five_takes_five, a_queue_gets_free)
SAID = _named(
    *(the_reply_to_a_submit, the_poll, the_remaining_seconds, the_result, the_reply_about_a_failed_job, the_reply_about_an_unknown_id),
    *(the_refusal, the_refusal_of_a_key, the_refusal_of_malformed_json, a_success_at_once, other_methods, other_paths),
    *(ids_are_different, ids_stay, each_fetch_result_leads_to_its_own_job, older_jobs_stay, each_job_has_its_own_picture),
    *(a_success_stays, a_failure_stays, every_job_ends, another_key_sees_nothing, a_fetch_needs_the_key),
    *(the_picture_has_its_size, the_picture_stays, the_picture_is_not_there_before_the_end, a_failed_job_has_no_picture),
    *(future_links_are_the_output, head_is_get_without_a_body, the_same_inputs_give_the_same_picture, other_inputs_give_another_picture),
    *(nothing_is_kept_from_the_request_before, one_webhook_comes_per_job, the_webhook_comes_at_the_end, a_fetch_sends_no_webhook),
    *(the_webhook, the_webhook_of_a_failure, the_webhook_says_what_a_fetch_says, track_id_comes_back, track_id_comes_back_from_a_failure),
)
