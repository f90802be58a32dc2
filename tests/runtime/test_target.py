"""A mock as the target of a check, in process: what a request gets, and what faults leave of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from driving import SUBMIT, VALID, make_mock
from fauxlab_contract.core.http import HttpRequest, HttpResponse, json_call
from fauxlab_mock.behaviour.faults import FAULTS
from fauxlab_mock.runtime.target import MockTarget

WITHIN_S = 10.0


def target_of(**settings: Any) -> MockTarget:
    return MockTarget(make_mock(**settings))


def submitted(target: MockTarget, prefer: str = "") -> HttpResponse:
    url = target.url + SUBMIT.removeprefix("/api/v6")
    return target.send(json_call(url, VALID, {"prefer": prefer}), WITHIN_S)


def test_a_request_gets_the_mocks_reply_with_links_that_lead_back() -> None:
    """Links begin with the target's own address, and what they name can be fetched there."""
    target = target_of(eta=0.0)
    response = submitted(target)
    link = json.loads(response.body)["output"][0]

    picture = target.send(HttpRequest("GET", link, {}, b""), WITHIN_S)
    head = target.send(HttpRequest("HEAD", link, {}, b""), WITHIN_S)

    assert (response.code, response.headers["content-type"]) == (200, "application/json")
    assert link.startswith(target.url.removesuffix("/api/v6") + "/generations/")
    assert (picture.code, picture.body[:4], head.body) == (200, b"\x89PNG", b"")
    assert head.headers == picture.headers


def test_pauses_move_the_mocks_clock() -> None:
    """A job of an hour has ended after a pause of an hour."""
    target = target_of(eta=3_600.0)
    submitted(target)
    began = target.now()
    target.sleep(3_600)
    (job,) = target.mock.jobs

    assert (target.now() - began, job.state(target.now())) == (3_600, "success")


@pytest.mark.parametrize(
    "prefer, error, passes_s",
    [
        ("fault=HANG", "no answer within 10 s", 10),
        ("delay=11", "no answer within 10 s", 10),
        ("delay=9", "", 9),
        ("fault=DRIBBLE", "", 2),
        ("fault=TRUNCATED_JSON", "", 0),
        ("fault=EMPTY_RESPONSE", "the connection was closed", 0),
        ("fault=CONNECTION_RESET_BY_PEER, delay=3", "the connection was closed", 3),
        ("fault=RANDOM_DATA_THEN_CLOSE", "the connection was closed", 0),
        ("fault=MALFORMED_RESPONSE_CHUNK", "the connection was closed", 0),
    ],
)
def test_what_a_fault_leaves(prefer: str, error: str, passes_s: float) -> None:
    """A reason in place of a code, or the response; time passes on the mock's clock."""
    target = target_of()
    began = target.now()
    response = submitted(target, prefer)

    assert (response.code, response.error) == (0 if error else 200, error)
    assert (round(target.now() - began, 3), response.at) == (passes_s, target.now())


def test_every_fault_is_tried_above() -> None:
    """No fault is left out."""
    (mark,) = test_what_a_fault_leaves.pytestmark  # type: ignore[attr-defined] # set by parametrize

    assert {fault for fault in FAULTS if fault in str(mark.args)} == set(FAULTS)
