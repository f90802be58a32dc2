"""The card's words made executable: properties of the mock and of the client over the whole space
of requests.
"""

from __future__ import annotations

import json
import math
from typing import Any

import httpx
from hypothesis import example, given
from hypothesis import strategies as st

import fauxlab_client as fc
from driving import BUNDLED, KEY, SUBMIT, fetch, get, make_mock, post
from fauxlab_contract.generation.strategies import (
    RequestCase,
    boundary_requests,
    invalid_requests,
    valid_requests,
)
from fauxlab_contract.validation.bodies import request_violations, response_violations
from fauxlab_contract.validation.lifecycle import job_violations
from fauxlab_mock.runtime.mock import Mock

OPERATION, FETCH = BUNDLED.operations
Body = dict[str, Any]


def lifecycle(mock: Mock, body: Body) -> list[Body]:
    """The replies to a submit, a fetch while it runs and one after its end."""
    replies: list[Body] = [post(mock, SUBMIT, body).body]
    replies.append(fetch(mock, replies[0]["id"]).body)
    mock.clock.advance(mock.settings.eta)
    replies.append(fetch(mock, replies[0]["id"]).body)
    return replies


@given(valid_requests(OPERATION, key=KEY))
@example(
    {
        "key": KEY,
        "prompt": "",
        "face_image": "",
        "seed": 0,
        "width": 1024,
        "height": 1024,
        "num_inference_steps": 26,
        "guidance_scale": 10,
    }
)
def test_every_valid_request_lives_a_conforming_life(body: Body) -> None:
    """Whatever keeps the contract is accepted, and every reply of its life keeps it too; the link
    shows the asked size.
    """
    mock = make_mock()

    replies = lifecycle(mock, body)

    assert [reply["status"] for reply in replies] == ["processing", "processing", "success"]
    assert [
        response_violations(operation, reply)
        for operation, reply in zip((OPERATION, FETCH, FETCH), replies, strict=True)
    ] == [
        (),
        (),
        (),
    ]
    assert job_violations(replies, BUNDLED.conventions) == ()
    picture = get(mock, replies[-1]["output"][0]).picture
    assert picture is not None
    assert (picture.width, picture.height) == tuple(
        max(1, body.get(side, 512)) for side in ("width", "height")
    )


@given(invalid_requests(OPERATION, key=KEY))
def test_every_single_fault_is_refused_by_its_name(case: RequestCase) -> None:
    """A request with one broken rule is refused, and the header names just that field and rule."""
    reply = post(make_mock(), SUBMIT, dict(case.body))

    found = [
        (row["pointer"], row["keyword"]) for row in json.loads(reply.headers["x-mock-violations"])
    ]
    assert (reply.body["status"], found) == ("error", [(case.pointer, case.keyword)])


def test_every_boundary_case_is_judged_rightly() -> None:
    """Width up to 1024, steps up to 26, guidance from 1 to 10, and every other edge: exactly the
    valid ones are accepted.
    """
    cases = boundary_requests(OPERATION, key=KEY)
    statuses = {
        case.label: post(make_mock(), SUBMIT, dict(case.body)).body["status"] for case in cases
    }

    assert statuses == {case.label: "processing" if case.is_valid else "error" for case in cases}


ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.binary(max_size=4),
    st.just([]),
    st.sampled_from([1024, 1025, 26, 27, 0.99, 10.01, -1]),
)
NAMES = [
    name for name in (OPERATION.request.properties if OPERATION.request else {}) if name != "key"
] + ["guidance"]
COMPLETE: Body = {"prompt": "p", "face_image": "https://example.com/face.png", "seed": 1}


def sent_by_client(arguments: Body) -> list[Any]:
    """The bodies that a submit with these arguments sends: one, or none when the client refuses
    them.
    """
    sent: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content))
        return httpx.Response(
            200, json={"status": "success", "id": 1, "output": ["https://cdn.example/a.png"]}
        )

    with fc.Client(KEY, transport=httpx.MockTransport(answer)) as client:
        try:
            client.submit(**arguments)
        except fc.ValidationError:
            assert sent == []
    return sent


@given(st.dictionaries(st.sampled_from(NAMES), ANYTHING, max_size=2))
@example({"guidance_scale": math.nan})
@example({"prompt": "\ud800"})
@example({"seed": 2**63})
@example({"width": 1025})
def test_what_the_client_sends_conforms_or_it_raises_first(changes: Body) -> None:
    """Whatever the client is called with: what it sends keeps the contract, or it raises and sends
    nothing.
    """
    assert [request_violations(OPERATION, body) for body in sent_by_client(COMPLETE | changes)] in (
        [],
        [()],
    )


def test_the_client_knows_every_edge() -> None:
    """Of all boundary cases the client sends the valid ones as they are, and of the others nothing
    that breaks the contract.
    """
    cases = boundary_requests(OPERATION, key=KEY, face_image=COMPLETE["face_image"])
    for case in cases:
        arguments = {name: value for name, value in case.body.items() if name != "key"}
        sent = sent_by_client(arguments)
        whole_float = any(
            isinstance(value, float) and value.is_integer()
            for name, value in arguments.items()
            if name != "guidance_scale"
        )
        if case.is_valid and not whole_float and "not_declared" not in arguments:
            assert sent == [case.body], case.label
        assert [request_violations(OPERATION, body) for body in sent] in ([], [()]), case.label
