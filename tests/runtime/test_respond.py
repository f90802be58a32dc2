"""One way to answer a call: what happens before the answer leaves, and what happens after it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from driving import JSON_TYPE, KEY, SUBMIT, VALID, make_mock
from fauxlab_mock.engine.messages import Call
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.settings import Settings
from fauxlab_mock.webhooks.outbox import EARLY_S
from receiving import Receiver, receiving

HERE, THERE = "http://here.test", "http://127.0.0.1:4010"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@pytest.fixture
def mock() -> Iterator[Mock]:
    """A mock on the auto clock: a webhook follows as soon as its submit is answered."""
    one = make_mock(clock="auto")
    yield one
    one.close()


def call_of(path: str, body: Any, origin: str | None = None) -> Call:
    return Call("POST", path, JSON_TYPE, json.dumps(body).encode(), origin=origin)


def submit_call(receiver: Receiver, prefer: str = "", origin: str | None = None) -> Call:
    body = json.dumps({**VALID, "webhook": receiver.url}).encode()
    return Call("POST", SUBMIT, {**JSON_TYPE, "prefer": prefer}, body, origin=origin)


def test_a_webhook_follows_the_answer(mock: Mock, receiver: Receiver) -> None:
    """Nothing is delivered while the answer is being sent; the webhook comes when that is over."""
    with mock.respond(submit_call(receiver)) as answer:
        meanwhile = receiver.all()

    assert (meanwhile, answer.body["status"]) == ([], "processing")
    assert receiver.next()["id"] == answer.body["id"]


def test_a_webhook_follows_an_answer_that_could_not_be_sent(mock: Mock, receiver: Receiver) -> None:
    """The job was made: its webhook comes, whatever became of the answer to its submit."""
    with pytest.raises(BrokenPipeError), mock.respond(submit_call(receiver)):
        raise BrokenPipeError

    assert receiver.next()["status"] == "success"


def test_an_early_webhook_is_there_before_the_answer(mock: Mock, receiver: Receiver) -> None:
    """It is delivered when the block is entered."""
    with mock.respond(submit_call(receiver, "scenario=webhook_early")) as answer:
        events = receiver.all()

    assert [event["id"] for event in events] == [answer.body["id"]]


def test_the_event_loop_goes_on_while_an_early_webhook_is_delivered(
    mock: Mock, receiver: Receiver
) -> None:
    """Another task has its turn while the receiver waits for that."""
    turned = threading.Event()
    receiver.meanwhile = lambda event: event.update(turned=turned.wait(EARLY_S / 2))

    async def turn() -> None:
        turned.set()

    async def main() -> None:
        turning = asyncio.create_task(turn())
        async with mock.respond(submit_call(receiver, "scenario=webhook_early")):
            await turning

    asyncio.run(main())

    assert [event["turned"] for event in receiver.all()] == [True]


def test_a_webhook_follows_an_answer_of_the_event_loop(mock: Mock, receiver: Receiver) -> None:
    """Also when its sending is cancelled."""

    async def main() -> None:
        async with mock.respond(submit_call(receiver)):
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(main())

    assert receiver.next()["status"] == "success"


def test_a_picture_is_drawn_in_the_answer() -> None:
    """Whoever sends an answer finds the bytes of its picture, with their type and length."""
    mock = make_mock(eta=0.0)
    body = json.dumps({**VALID, "width": 3, "height": 2}).encode()
    link = mock.handle(Call("POST", SUBMIT, JSON_TYPE, body)).body["output"][0]
    call = Call("GET", link.removeprefix(mock.public_url))

    async def main() -> bytes:
        async with mock.respond(call) as answer:
            return answer.content

    with mock.respond(call) as answer:
        content = answer.content

    assert content.startswith(b"\x89PNG")
    assert (answer.headers, answer.all_headers, answer.body) == (
        {},
        {"content-type": "image/png", "content-length": str(len(content))},
        None,
    )
    assert asyncio.run(main()) == content


@pytest.mark.parametrize(
    "call, code, message",
    [
        (
            Call("POST", SUBMIT, JSON_TYPE, b" " * 101),
            413,
            "The body is larger than this mock accepts.",
        ),
        (
            Call("POST", SUBMIT, {"x": "y" * 60}),
            431,
            "The headers are larger than this mock accepts.",
        ),
        (
            Call("POST", SUBMIT, {}, b"", "q" * 70),
            431,
            "The headers are larger than this mock accepts.",
        ),
    ],
)
def test_the_limits_of_a_server_hold_for_every_adapter(call: Call, code: int, message: str) -> None:
    """What no server would take is refused unread, and journaled without its contents."""
    mock = make_mock(limits="body_bytes=100,header_bytes=90")

    with mock.respond(call) as answer:
        pass

    assert (answer.code, answer.body["message"]) == (code, message)
    assert [(one.code, one.request, one.request_bytes) for one in mock.requests] == [
        (code, None, 0)
    ]


def test_links_lead_to_where_the_call_came() -> None:
    """A job's links begin with the origin of the call, by default the mock's own."""
    mock = Mock(Settings(clock="manual", eta=5.0), public_url=HERE)
    job = mock.handle(call_of(SUBMIT, VALID, THERE)).body
    mock.clock.advance(5)
    path = f"/api/v6/image_editing/fetch/{job['id']}"
    outputs = [
        mock.handle(call_of(path, {"key": KEY}, origin)).body["output"] for origin in (None, THERE)
    ]

    file = job["future_links"][0].removeprefix(THERE)
    assert job["fetch_result"] == THERE + path
    assert outputs == [[HERE + file], [THERE + file]]


def test_a_webhook_leads_to_where_its_submit_came(receiver: Receiver) -> None:
    """Each delivery of it, a repeated one too."""
    mock = make_mock(eta=5.0)
    with mock.respond(submit_call(receiver, origin=THERE)) as answer:
        links = answer.body["future_links"]
    mock.clock.advance(5)
    (job,) = mock.jobs
    mock.redeliver(job)
    mock.clock.advance(0)
    mock.close()

    assert links[0].startswith(THERE)
    assert [event["output"] for event in receiver.all()] == [links, links]
