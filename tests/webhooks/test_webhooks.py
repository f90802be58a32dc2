"""Webhooks: when they come, what they say, what becomes of attempts that fail. Received by a real
server on loopback.
"""

from __future__ import annotations

import asyncio
import json
import random
import threading
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate, pairwise
from typing import Any

import httpx
import pytest

from driving import KEY, SUBMIT, VALID, fetch, make_mock, submit
from fauxlab_contract.openapi.document import load_document
from fauxlab_contract.openapi.schema import Schema
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.webhooks.delivery import DeliveryOutcome
from fauxlab_mock.webhooks.outbox import BACKOFF_S
from receiving import Receiver, receiving

ETA_S = 10.0
COUNT = 2_000


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@pytest.fixture
def mock() -> Iterator[Mock]:
    one = make_mock(eta=ETA_S)
    yield one
    one.close()


def attempts_of(mock: Mock, began: float) -> list[tuple[int, int | None, float]]:
    """(attempt, code, seconds since `began`) of every attempt."""
    return [
        (attempt.attempt, attempt.code, round(attempt.at - began, 3)) for attempt in mock.webhooks
    ]


def test_a_webhook_comes_when_the_job_ends(mock: Mock, receiver: Receiver) -> None:
    """Polled or not: nothing before the end, one event at it, before `advance` returns."""
    began = mock.clock.now()
    job = submit(mock, webhook=receiver.url, track_id=42).body
    mock.clock.advance(9.9)
    early = receiver.all()
    mock.clock.advance(100)

    assert (early, attempts_of(mock, began)) == ([], [(1, 200, 10.0)])
    assert receiver.all() == [
        {
            "status": "success",
            "id": job["id"],
            "output": job["future_links"],
            "generationTime": 10.0,
            "track_id": 42,
            "meta": job["meta"],
        }
    ]


def test_a_failure_has_a_message(mock: Mock, receiver: Receiver) -> None:
    """A failed job's event says failed, why, and no output."""
    job = submit(mock, "scenario=failed", webhook=receiver.url).body
    mock.clock.advance(10)

    event = receiver.next()
    assert event == {
        "status": "failed",
        "id": job["id"],
        "message": fetch(mock, job["id"]).body["message"],
    }


@pytest.mark.parametrize("prefer", ["", "scenario=failed"])
def test_events_keep_the_documents_callback(mock: Mock, receiver: Receiver, prefer: str) -> None:
    """What is sent is valid by the schema that openapi.yaml gives for the callback."""
    callback = (
        load_document()
        .root.part("paths", "/image_editing/flux_headshot", "post")
        .part("callbacks", "jobEnded", "{$request.body#/webhook}", "post")
    )
    schema = Schema.of(callback.part("requestBody", "content", "application/json", "schema"))
    submit(mock, prefer, webhook=receiver.url, track_id=1)
    mock.clock.advance(10)

    assert list(schema.validator.violations(receiver.next())) == []


def test_the_end_waits_for_the_polls_that_are_planned(mock: Mock, receiver: Receiver) -> None:
    """A job that wants to be polled twice more ends at its second poll, and so does its webhook
    come then.
    """
    job = submit(mock, f"eta={ETA_S:g}, polls=2", webhook=receiver.url).body
    mock.clock.advance(50)
    before = receiver.all()
    for _ in range(2):
        fetch(mock, job["id"])

    assert (before, receiver.next()["id"]) == ([], job["id"])


def test_failed_attempts_are_repeated_later_and_later(mock: Mock, receiver: Receiver) -> None:
    """Three attempts in all; the pauses are those of the table, spread by 10 %, the same for the
    same seed.
    """
    receiver.codes = [500, 404, 301]
    began = mock.clock.now()
    submit(mock, webhook=receiver.url)
    mock.clock.advance(1_000)
    attempts = attempts_of(mock, began)

    assert [attempt[:2] for attempt in attempts] == [(1, 500), (2, 404), (3, 301)]
    pauses = [later[2] - earlier[2] for earlier, later in pairwise(attempts)]
    assert all(
        0.9 * planned <= pause <= 1.1 * planned
        for pause, planned in zip(pauses, BACKOFF_S, strict=True)
    )
    assert len(receiver.all()) == 3

    again = make_mock(eta=ETA_S)
    receiver.codes = [500, 404, 301]
    began = again.clock.now()
    submit(again, webhook=receiver.url)
    again.clock.advance(1_000)
    assert attempts_of(again, began) == attempts


def test_an_attempt_that_succeeds_is_the_last(mock: Mock, receiver: Receiver) -> None:
    """After a 2xx nothing more is sent."""
    receiver.codes = [503, 204]
    submit(mock, webhook=receiver.url)
    mock.clock.advance(1_000)

    assert [(attempt.attempt, attempt.code, attempt.delivered) for attempt in mock.webhooks] == [
        (1, 503, False),
        (2, 204, True),
    ]


def test_nobody_there_is_a_failed_attempt(mock: Mock) -> None:
    """A port where nobody listens is told as what it is, three times."""
    submit(mock, webhook="http://127.0.0.1:9/hook")
    mock.clock.advance(1_000)

    assert [(attempt.code, attempt.error) for attempt in mock.webhooks] == [
        (None, "ConnectionRefusedError: Connection refused")
    ] * 3


def test_jobs_end_in_their_own_order(mock: Mock, receiver: Receiver) -> None:
    """Events come in the order in which jobs end, not in that of their submits; the clock stands at
    each end.
    """
    began = mock.clock.now()
    slow = submit(mock, "eta=30", webhook=receiver.url).body["id"]
    quick = submit(mock, "eta=3", webhook=receiver.url).body["id"]
    receiver.meanwhile = lambda event: event.update(at=mock.clock.now() - began)
    mock.clock.advance(60)

    assert [(event["id"], round(event["at"], 3)) for event in receiver.all()] == [
        (quick, 3.0),
        (slow, 30.0),
    ]


def test_a_receiver_may_ask_the_mock(mock: Mock, receiver: Receiver) -> None:
    """While it handles an event a receiver can fetch the job: it says success."""
    receiver.meanwhile = lambda event: event.update(fetched=fetch(mock, event["id"]).body["status"])
    submit(mock, webhook=receiver.url)
    mock.clock.advance(10)

    assert receiver.next()["fetched"] == "success"


@pytest.mark.parametrize(
    "scenario, times",
    [
        ("webhook_lost", []),
        ("webhook_twice", [10.0, 10.0]),
        ("webhook_before_success", [5.0]),
        ("webhook_late", [70.0]),
        ("success", [10.0]),
    ],
)
def test_what_can_go_wrong_with_the_order(
    mock: Mock, receiver: Receiver, scenario: str, times: list[float]
) -> None:
    """Lost, doubled, before the fetch says success, a minute late: each at its time of the mock's
    clock.
    """
    began = mock.clock.now()
    submit(mock, f"scenario={scenario}", webhook=receiver.url)
    mock.clock.advance(1_000)

    assert [
        attempt.at - began for attempt in mock.webhooks if not attempt.suppressed
    ] == pytest.approx(times)
    assert [event["status"] for event in receiver.all()] == ["success"] * len(times)


def test_a_lost_webhook_is_in_the_log(mock: Mock, receiver: Receiver) -> None:
    """What was not sent on purpose is told."""
    submit(mock, "scenario=webhook_lost", webhook=receiver.url)

    assert [(attempt.suppressed, attempt.error) for attempt in mock.webhooks] == [
        (True, "lost, as the scenario says")
    ]


def test_a_success_without_output(mock: Mock, receiver: Receiver) -> None:
    """The event of a success may come without its links."""
    submit(mock, "scenario=webhook_without_output", webhook=receiver.url)
    mock.clock.advance(10)

    assert sorted(receiver.next()) == ["generationTime", "id", "meta", "status"]


def test_early_means_before_the_submit_is_answered(fauxlab: Mock, receiver: Receiver) -> None:
    """The event is there when the POST returns, and says success of a processing job."""
    fauxlab.scenario("webhook_early", times=1)

    reply = httpx.post(
        f"https://modelslab.com{SUBMIT}", json={**VALID, "webhook": receiver.url}
    ).json()

    assert [(event["id"], event["status"]) for event in receiver.all()] == [
        (reply["id"], "success")
    ]


def test_early_over_a_socket(fauxlab_server: Mock, receiver: Receiver) -> None:
    """The same over a real server, whose loop goes on meanwhile: the receiver can ask it."""
    url = f"{fauxlab_server.url}/image_editing"
    receiver.meanwhile = lambda event: event.update(
        fetched=httpx.post(f"{url}/fetch/{event['id']}", json={"key": KEY}).json()["status"]
    )

    httpx.post(
        f"{url}/flux_headshot",
        json={**VALID, "webhook": receiver.url},
        headers={"Prefer": "scenario=webhook_early"},
    )

    assert [event["fetched"] for event in receiver.all()] == ["processing"]


@pytest.mark.parametrize("fixture", ["fauxlab", "fauxlab_server"])
def test_the_auto_clock_ends_the_job_right_after_its_submit(
    request: pytest.FixtureRequest, receiver: Receiver, fixture: str
) -> None:
    """On the auto clock nobody needs to poll or advance: the answer is processing, the event
    follows, and the job has ended.
    """
    mock: Mock = request.getfixturevalue(fixture)
    base = mock.url

    reply = httpx.post(
        f"{base}/image_editing/flux_headshot", json={**VALID, "webhook": receiver.url}
    ).json()
    event = receiver.next()

    assert (reply["status"], event["status"], event["output"]) == (
        "processing",
        "success",
        reply["future_links"],
    )
    assert (
        httpx.post(f"{base}/image_editing/fetch/{reply['id']}", json={"key": KEY}).json()["status"]
        == "success"
    )


@pytest.mark.fauxlab(clock="real", eta=0.05)
def test_the_real_clock_delivers_by_itself(fauxlab_server: Mock, receiver: Receiver) -> None:
    """On the real clock the event comes when the time is over."""
    httpx.post(
        f"{fauxlab_server.url}/image_editing/flux_headshot", json={**VALID, "webhook": receiver.url}
    )

    assert receiver.next()["status"] == "success"


def test_a_receiver_in_the_tests_own_loop(mock: Mock) -> None:
    """With `advance_async` the loop that the receiver runs in goes on."""
    got: list[Any] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
        got.append(json.loads(await reader.readexactly(length)))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async def main() -> None:
        async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            submit(mock, webhook=f"http://127.0.0.1:{port}/")
            await mock.clock.advance_async(10)

    asyncio.run(main())

    assert [event["status"] for event in got] == ["success"]


def test_redelivery(mock: Mock, receiver: Receiver) -> None:
    """A job's webhook can be sent once more; attempts go on counting."""
    submit(mock, webhook=receiver.url)
    mock.clock.advance(10)
    mock.redeliver(next(iter(mock.jobs)))
    mock.clock.advance(0)

    assert [(attempt.attempt, attempt.code) for attempt in mock.webhooks] == [(1, 200), (2, 200)]


def test_nothing_is_sent_after_the_mock_is_closed(mock: Mock, receiver: Receiver) -> None:
    """A closed mock's outbox is silent, and no thread of it is left."""
    submit(mock, webhook=receiver.url)
    mock.close()
    mock.clock.advance(10)

    assert (
        receiver.all(),
        [thread.name for thread in threading.enumerate() if thread.name.startswith("fauxlab-web")],
    ) == ([], [])


def planned(job: int, due: float, webhooks: int) -> list[tuple[int, float]]:
    """(attempt, when) of every attempt of a job whose first ones are due then: see
    `test_thousands_of_webhooks`.
    """
    chances = [random.Random(f"0:{job}:{attempt}").uniform(-0.1, 0.1) for attempt in (1, 2)]
    first, second, third = accumulate(
        (pause_s * (1 + chance) for pause_s, chance in zip(BACKOFF_S, chances, strict=True)),
        initial=due,
    )
    if job % 100 == 0:
        return [(1, first), (2, second), (3, third)] * webhooks
    return [(1, first)] * webhooks + [(2, second)] * (job % 10 == 0)


def test_thousands_of_webhooks() -> None:
    """Nothing is lost, nothing doubled, every attempt comes at exactly its time, in order; no
    socket is needed to show it.

    One job in ten is refused at its first attempt, one in a hundred at each; one in seven has two
    webhooks, one in eleven a late one. A hundred are polled, each at another time.
    """
    tries: Counter[int] = Counter()

    def send(_: str, body: bytes) -> DeliveryOutcome:
        job = json.loads(body)["id"]
        tries[job] += 1
        return DeliveryOutcome(
            code=500 if job % 100 == 0 or (job % 10 == 0 and tries[job] == 1) else 200
        )

    mock = make_mock(eta=5.0, send=send)
    began = mock.clock.now()
    expected: list[tuple[int, int, float]] = []
    for number in range(COUNT):
        scenario = (
            "webhook_twice"
            if number % 7 == 0
            else "webhook_late"
            if number % 11 == 0
            else "success"
        )
        job = submit(
            mock,
            f"scenario={scenario}, eta={number % 97}",
            webhook="http://127.0.0.1:9/",
            seed=number,
        ).body["id"]
        due = number % 97 + (60 if scenario == "webhook_late" else 0)
        expected += [
            (job, *attempt)
            for attempt in planned(job, due, 2 if scenario == "webhook_twice" else 1)
        ]
    for job in list(mock.jobs)[:: COUNT // 100]:
        mock.clock.advance(1.5)
        fetch(mock, job.id)
    mock.clock.advance(1_000)

    made = [(one.job_id, one.attempt, one.at - began) for one in mock.webhooks]
    assert sorted((job, attempt) for job, attempt, _ in made) == sorted(
        (job, attempt) for job, attempt, _ in expected
    )
    assert [at for *_, at in sorted(made)] == pytest.approx(
        [at for *_, at in sorted(expected)], abs=1e-5
    )
    assert [at for *_, at in made] == sorted(at for *_, at in made)
