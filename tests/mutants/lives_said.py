"""Statements about replies and jobs that hold for every correct server."""

from __future__ import annotations

import json
from typing import Any

from fauxlab_contract.openapi.document import load_document
from fauxlab_contract.validation.bodies import response_violations
from mutants.driver import FAILED, FIELDS, Driver, body_of, is_link, named, size_of
from mutants.effects_said import EFFECTS_SAID
from mutants.requests_said import BODY, JSON, submitted
from mutants.server import BASE, FETCH, GOOD_KEY, OTHER_KEY, SUBMIT, Request, Response

__all__ = ["QUEUE_SAID", "SAID"]

_OPERATIONS = {operation.path: operation for operation in load_document().operations}
UNKNOWN = 999_999_999
CODES = {"": set[int](), "refused": {200, 400}, "key": {200, 401}, "unknown": {200, 404}}


def _operation(path: str) -> Any:
    return next(op for name, op in _OPERATIONS.items() if path in name)


def _right(response: Response, path: str, *words: str, codes: str = "") -> dict[str, Any]:
    """The body of a reply whose code, media type, JSON, schema and secrecy are right."""
    assert response.headers["content-type"].partition(";")[0] == "application/json"
    assert GOOD_KEY not in response.body.decode() + repr(response.headers)
    body: dict[str, Any] = body_of(response.body)
    assert response.code == 200 or (
        body["status"] in ("error", "failed") and response.code in CODES[codes]
    )
    assert response_violations(_operation(path), body) == ()
    assert body["status"] in words
    if body["status"] in ("error", "failed"):
        assert body["message"]
    if body["status"] == "success":
        assert type(body["id"]) is int
        assert body["output"]
        assert body.get("generationTime", 0) >= 0
    assert body.get("eta", 0) >= 0
    assert all(
        is_link(link)
        for name in ("output", "future_links", "proxy_links")
        for link in body.get(name) or ()
    )
    return body


def _submitted_right(d: Driver, **fields: Any) -> dict[str, Any]:
    body = _right(d.submit(**FIELDS, **fields), "flux_headshot", "processing", "success")
    assert type(body["id"]) is int
    if body["status"] == "processing":
        assert not body.get("output")
        assert (
            body.get("fetch_result", f"{d.server.origin}{FETCH}{body['id']}")
            == f"{d.server.origin}{FETCH}{body['id']}"
        )
    meta = body.get("meta", {})
    assert {name: value for name, value in meta.items() if name in FIELDS | BODY} == {
        n: v for n, v in (BODY | FIELDS).items() if n in meta
    }
    return body


def the_reply_to_a_submit(d: Driver) -> None:
    for _ in range(3):
        _submitted_right(d)


def the_poll(d: Driver) -> None:
    job = d.made()
    for _ in range(3):
        body = _right(
            d.fetch(job), "fetch", "processing", "success", "failed", "error", codes="unknown"
        )
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


def jobs_end_near_their_eta(d: Driver) -> None:
    """Also those that are followed by others."""
    replies = [body_of(d.submit().body)]
    job, times = replies[0]["id"], [0]
    for seed in range(9):
        d.made(seed=seed)
    while replies[-1]["status"] == "processing":
        d.server.advance(1)
        times.append(times[-1] + 1)
        replies.append(d.state(job))
    for at, reply in zip(times, replies[:-1], strict=False):
        assert times[-1] - at <= 2 * reply.get("eta", 10) + 6


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
        assert (
            _right(d.fetch(unknown), "fetch", "failed", "error", codes="unknown").get("id", "")
            == ""
        )


def the_refusal(d: Driver) -> None:
    broken: list[dict[str, Any]] = [{"width": 1025}, {"seed": ...}, {"prompt": ...}]
    for fields in broken:
        _right(d.submit(**fields), "flux_headshot", "error", codes="refused")


def a_refusal_names_no_other_field(d: Driver) -> None:
    for name in ("prompt", "face_image", "seed"):
        fields: dict[str, Any] = {name: ...}
        message = str(body_of(d.submit(**fields).body)["message"])
        assert [other for other in BODY if other in message] in ([], [name])


def a_reply_comes_as_it_is_asked_for(d: Driver) -> None:
    for coding in ("identity", "gzip"):
        request = submitted(headers={**JSON, "accept-encoding": coding})
        response = d.server.handle(request)
        assert "content-encoding" not in response.headers
        assert body_of(response.body)["status"] in ("processing", "success")


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
    assert (
        d.server.handle(
            Request("POST", f"{BASE}/image_editing/nothing", JSON, json.dumps(BODY).encode())
        ).code
        == 404
    )


def ids_are_different(d: Driver) -> None:
    ids = [d.made(seed=seed // 2) for seed in range(7)]
    assert len(set(ids)) == 7


def ids_stay(d: Driver) -> None:
    for prefer in ("", FAILED):
        job = d.made(prefer)
        d.ended(job)
        assert d.state(job).get("id", job) == job


def each_fetch_result_leads_to_its_own_job(d: Driver) -> None:
    bodies = [
        _right(d.submit(seed=seed), "flux_headshot", "processing", "success") for seed in (1, 2)
    ]
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
    assert [size_of(d.get(link)) for link in outputs] == [(16, 8), (8, 16)]


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


QUEUE_SAID = named(a_queue_of_five_takes_five, a_queue_gets_free)
SAID = {
    **named(
        the_reply_to_a_submit,
        the_poll,
        the_remaining_seconds,
        jobs_end_near_their_eta,
        the_result,
        the_reply_about_a_failed_job,
        the_reply_about_an_unknown_id,
        the_refusal,
        a_refusal_names_no_other_field,
        a_reply_comes_as_it_is_asked_for,
        the_refusal_of_a_key,
        the_refusal_of_malformed_json,
        a_success_at_once,
        other_methods,
        other_paths,
        ids_are_different,
        ids_stay,
        each_fetch_result_leads_to_its_own_job,
        older_jobs_stay,
        each_job_has_its_own_picture,
        a_success_stays,
        a_failure_stays,
        every_job_ends,
        another_key_sees_nothing,
        a_fetch_needs_the_key,
    ),
    **EFFECTS_SAID,
}
