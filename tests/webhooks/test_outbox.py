"""The outbox under stress: resets, closings and advances in the midst of deliveries. Nothing is
sent; `send` is the test's own.
"""

from __future__ import annotations

import asyncio
import json
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import httpx
import pytest

from driving import SUBMIT, VALID, fetch, get, make_mock, submit
from fauxlab_mock.clock.virtual import virtual_time
from fauxlab_mock.engine.job import Job
from fauxlab_mock.engine.messages import Call
from fauxlab_mock.engine.store import MemoryStore
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.settings import Limits
from fauxlab_mock.webhooks.delivery import DeliveryOutcome
from fauxlab_mock.webhooks.outbox import THREAD_NAME
from receiving import Receiver, receiving

HOOK = "http://127.0.0.1:9/"
WAIT_S = 10
DELIVERED = DeliveryOutcome(code=200)
monotonic = time.monotonic  # the real one, whatever virtual time does


class Sender:
    """Sends nothing. `told` is (job, the mock's clock) of each delivery; `outcome(job)` says what
    becomes of it, by default 200.
    """

    def __init__(self) -> None:
        self.told: list[tuple[int, float]] = []
        self.outcome: Callable[[int], DeliveryOutcome | None] = lambda _: None
        self.now: Callable[[], float] = lambda: 0.0

    def __call__(self, _: str, body: bytes) -> DeliveryOutcome:
        job: int = json.loads(body)["id"]
        self.told.append((job, self.now()))
        return self.outcome(job) or DELIVERED

    @property
    def jobs(self) -> list[int]:
        return [job for job, _ in self.told]


@pytest.fixture
def mock() -> Iterator[Mock]:
    """A mock that really sends."""
    one = make_mock(eta=10)
    yield one
    one.close()


@pytest.fixture
def sender() -> Sender:
    return Sender()


@pytest.fixture
def silent(sender: Sender) -> Iterator[Mock]:
    """A mock whose webhooks go to `sender`."""
    one = make_mock(eta=10, send=sender)
    sender.now = one.clock.now
    yield one
    one.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


def tried(mock: Mock, began: float) -> list[tuple[int, int, float]]:
    """(job, attempt, seconds since `began`) of every attempt."""
    return [
        (one.job_id - 100_000_000, one.attempt, round(one.at - began, 3)) for one in mock.webhooks
    ]


def lasting(duration_s: float, job: Job, _: float) -> Job:
    return replace(job, plan=replace(job.plan, duration_s=duration_s))


def workers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == THREAD_NAME]


def test_a_reset_in_the_midst_of_a_delivery(silent: Mock, sender: Sender) -> None:
    """What is under way at a reset is not logged and not repeated; what waited is gone; the next
    job has its webhook.
    """

    def reset_once(job: int) -> DeliveryOutcome | None:
        if job > 100_000_001:
            return None
        silent.reset()
        return DeliveryOutcome(code=500)

    sender.outcome = reset_once
    began = silent.clock.now()
    submit(silent, webhook=HOOK)
    submit(silent, webhook=HOOK)
    submit(silent, "polls=1", webhook=HOOK)
    silent.clock.advance(100_000)

    assert (sender.jobs, silent.webhooks) == ([100_000_001], ())
    submit(silent, webhook=HOOK)
    silent.clock.advance(100)
    assert [(job, attempt) for job, attempt, _ in tried(silent, began)] == [(4, 1)]
    assert sender.jobs == [100_000_001, 100_000_004]


def test_a_reset_while_a_delivery_is_taken(
    silent: Mock, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reset in another thread comes before a delivery is taken or after it, never between finding
    and taking it.
    """
    sender.outcome = lambda _: DeliveryOutcome(code=500)
    submit(silent, webhook=HOOK)
    submit(silent, webhook=HOOK)
    move, resets = silent.clock.move_to, threading.Thread(target=silent.reset)

    def moved_meanwhile(moment: float) -> None:
        resets.start()
        resets.join(0.05)  # it cannot end in that time, for the outbox is locked
        move(moment)

    with monkeypatch.context() as patches:
        patches.setattr(silent.clock, "move_to", moved_meanwhile)
        silent.clock.advance(10)
    resets.join(WAIT_S)
    sent = [*sender.jobs]
    silent.clock.advance(100_000)

    assert (silent.webhooks, silent.clock.events.busy_since()) == ((), None)
    assert sender.jobs == sent
    assert sent in ([], [100_000_001])


def test_resets_do_not_end_the_worker() -> None:
    """Resets without a pause race the worker; afterwards it delivers as ever, and a closed mock has
    no thread.
    """
    sender, sends = Sender(), queue.SimpleQueue[int]()
    sender.outcome = sends.put
    mock = make_mock(clock="auto", eta=1, send=sender)
    over = threading.Event()

    def reset() -> None:
        while not over.is_set():
            mock.reset()

    thread = threading.Thread(target=reset)
    thread.start()
    for _ in range(300):
        submit(mock, webhook=HOOK)
    over.set()
    thread.join(WAIT_S)
    last = submit(mock, webhook=HOOK).body["id"]

    assert last in iter(lambda: sends.get(timeout=WAIT_S), None)
    mock.close()
    for worker in workers():
        worker.join(WAIT_S)
    assert workers() == []


def test_a_bug_is_told_and_the_next_webhook_comes(silent: Mock, sender: Sender) -> None:
    """What raises within a delivery is a failed attempt with its name in the log; others are
    delivered.
    """

    def broken(job: int) -> None:
        if job == 100_000_001:
            raise LookupError(job)

    sender.outcome = broken
    submit(silent, webhook=HOOK)
    submit(silent, webhook=HOOK)
    silent.clock.advance(10)

    assert [(one.error, one.code) for one in silent.webhooks] == [
        ("internal error LookupError", None),
        ("", 200),
    ]


class FailingStore(MemoryStore):
    """Forgets how to find a job while `is_broken`."""

    is_broken = False

    def job(self, number: int) -> Job | None:
        if self.is_broken:
            raise ZeroDivisionError
        return super().job(number)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_worker_that_dies_is_replaced(sender: Sender) -> None:
    """Should the worker meet what nobody foresaw, the next delivery that is due starts another."""
    store = FailingStore(Limits())
    mock = make_mock(store=store, send=sender, eta=10)
    submit(mock, webhook=HOOK)
    (job,) = mock.jobs
    for is_broken in (True, False):
        store.is_broken = is_broken
        mock.redeliver(job)
        for thread in workers():
            thread.join(WAIT_S)
    mock.close()

    assert sender.jobs == [job.id]


@pytest.mark.parametrize(
    "scenario", ["webhook_early", "webhook_before_success", "success", "webhook_lost"]
)
def test_a_closed_outbox_sends_nothing(silent: Mock, sender: Sender, scenario: str) -> None:
    """Whatever a job's webhook waits for: after `close` it waits for ever, and a delivery under way
    is not repeated.
    """
    silent.close()
    submit(silent, f"scenario={scenario}", webhook=HOOK)
    silent.clock.advance(100)

    assert sender.told == []


def test_a_delivery_that_is_under_way_at_the_end_is_the_last(silent: Mock, sender: Sender) -> None:
    """Closed while it delivers, the outbox logs that attempt and begins no other."""

    def close(_: int) -> DeliveryOutcome:
        silent.close()
        return DeliveryOutcome(code=500)

    sender.outcome = close
    submit(silent, webhook=HOOK)
    submit(silent, webhook=HOOK)
    silent.clock.advance(1_000)

    assert (len(sender.told), len(silent.webhooks)) == (1, 1)


def test_a_receiver_may_advance_the_clock(mock: Mock, receiver: Receiver) -> None:
    """It does not wait for its own delivery; what falls due on its way is delivered; the advance it
    came from goes on and adds up.
    """
    began, real = mock.clock.now(), monotonic()
    seen: list[tuple[float, float]] = []

    def advance(event: dict[str, Any]) -> None:
        before = mock.clock.now()
        if event["id"] == 100_000_001:
            mock.clock.advance(5)
        seen.append((before - began, mock.clock.now() - began))

    receiver.meanwhile = advance
    for eta in (10, 12, 30):
        submit(mock, f"eta={eta}", webhook=receiver.url)
    mock.clock.advance(100)

    assert [(round(before), round(after)) for before, after in seen] == [
        (12, 12),
        (10, 15),
        (30, 30),
    ]
    assert sorted(tried(mock, began)) == [(1, 1, 10.0), (2, 1, 12.0), (3, 1, 30.0)]
    assert (round(mock.clock.now() - began, 6), monotonic() - real < 5) == (105.0, True)


@pytest.mark.parametrize("mode", ["manual", "auto"])
def test_a_receiver_may_advance_the_clock_by_the_control_api(
    request: pytest.FixtureRequest, fauxlab_server: Mock, receiver: Receiver, mode: str
) -> None:
    """Over HTTP, inside a delivery, on either clock: answered at once, not after the webhook's 30
    s.
    """
    fauxlab_server.clock.set_mode(mode)  # type: ignore[arg-type] # the parametrized literal
    admin = fauxlab_server.url.replace("/api/v6", "/__admin/clock/advance")
    receiver.meanwhile = lambda event: event.update(
        code=httpx.post(admin, json={"seconds": 5}, timeout=5).status_code
    )
    real = monotonic()
    httpx.post(
        f"{fauxlab_server.url}/image_editing/flux_headshot", json={**VALID, "webhook": receiver.url}
    )
    httpx.post(admin, json={"seconds": 100})

    assert (receiver.next()["code"], monotonic() - real < 5) == (200, True)


@pytest.mark.parametrize("mode", ["manual", "auto"])
def test_a_receiver_may_sleep_in_virtual_time(receiver: Receiver, mode: str) -> None:
    """A receiver that sleeps 5 s while its sender's clock is moved by a sleep of 100 s: both wake
    at their moments, in no time.
    """
    mock = make_mock(eta=10, clock=mode)
    began, real = mock.clock.now(), monotonic()
    woken: list[tuple[str, float]] = []

    def nap(event: dict[str, Any]) -> None:
        asleep = mock.clock.now()
        time.sleep(5)
        woken.append(("receiver", round(mock.clock.now() - asleep, 3)))
        event["slept"] = True

    receiver.meanwhile = nap
    with virtual_time(mock.clock):
        submit(mock, webhook=receiver.url)
        asleep = mock.clock.now()
        time.sleep(100)
        woken.append(("client", round(mock.clock.now() - asleep, 3)))

    assert (woken, monotonic() - real < 5) == ([("receiver", 5.0), ("client", 100.0)], True)
    assert ([one.code for one in mock.webhooks], round(mock.webhooks[0].at - began, 3)) == (
        [200],
        10.0,
    )
    mock.close()


def test_a_slow_receiver_holds_virtual_time(mock: Mock, receiver: Receiver) -> None:
    """A receiver that really works, and does not sleep, finds the clock at its job's end all the
    while.
    """
    began = mock.clock.now()
    at: list[float] = []
    lock = threading.Lock()
    lock.acquire()

    def work(_: dict[str, Any]) -> None:
        lock.acquire(timeout=0.1)  # in real time
        at.append(round(mock.clock.now() - began, 3))

    receiver.meanwhile = work
    with virtual_time(mock.clock):
        submit(mock, webhook=receiver.url)
        time.sleep(100)

    assert (at, round(mock.clock.now() - began, 3)) == ([10.0], 100.0)


def test_a_receiver_in_the_loop_of_its_client_may_sleep(mock: Mock) -> None:
    """Client and receiver are tasks of one loop; the receiver sleeps before it answers."""
    began, real = mock.clock.now(), monotonic()
    answered: list[float] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(
            int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
        )
        await asyncio.sleep(5)
        answered.append(round(mock.clock.now() - began, 3))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async def main() -> None:
        async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
            submit(mock, webhook=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
            await asyncio.sleep(60)

    with virtual_time(mock.clock):
        asyncio.run(main())

    assert (answered, round(mock.clock.now() - began, 3), monotonic() - real < 5) == (
        [15.0],
        60.0,
        True,
    )


@pytest.mark.parametrize("mode", ["auto", "real"])
def test_an_advance_finds_done_what_the_worker_had_begun(receiver: Receiver, mode: str) -> None:
    """A delivery that the worker began just before is in the log when `advance` returns."""
    mock = make_mock(eta=0.001, clock=mode)
    reached = threading.Event()

    def answer_slowly(_: dict[str, Any]) -> None:
        reached.set()
        threading.Event().wait(0.6)  # as under load

    receiver.meanwhile = answer_slowly
    submit(mock, webhook=receiver.url)
    reached.wait(WAIT_S)
    mock.clock.advance(0)

    assert [one.code for one in mock.webhooks] == [200]
    mock.close()


def test_an_advance_finds_done_what_the_worker_begins_meanwhile(
    silent: Mock, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no matter whether the worker is quicker to take what is due than the advance, which
    has just seen that nothing is under way.
    """
    reached, go_on = threading.Event(), threading.Event()
    settle = silent.clock.events.settle
    submit(silent, webhook=HOOK)
    silent.clock.advance(10)
    (job,) = silent.jobs

    def take_long(_: int) -> None:
        reached.set()
        go_on.wait(0.1)

    def settle_and_begin() -> bool:
        has_waited = settle()
        if not reached.is_set():
            silent.redeliver(job)
            reached.wait(WAIT_S)
        return has_waited

    sender.outcome = take_long
    monkeypatch.setattr(silent.clock.events, "settle", settle_and_begin)
    silent.clock.advance(0)

    assert [one.attempt for one in silent.webhooks] == [1, 2]


def test_the_next_event_waits_for_nothing(silent: Mock, sender: Sender) -> None:
    """Virtual time asks for it, and a delivery that is under way may wait for virtual time."""
    reached, go_on = threading.Event(), threading.Event()

    def wait(_: int) -> None:
        reached.set()
        go_on.wait(WAIT_S)

    submit(silent, webhook=HOOK)
    silent.clock.advance(10)
    sender.outcome = wait
    silent.redeliver(next(iter(silent.jobs)))
    reached.wait(WAIT_S)
    began = monotonic()
    event = silent.clock.events.next_event(silent.clock.now())
    took_s = monotonic() - began
    go_on.set()

    assert (event, took_s < 1) == (None, True)


def test_the_worker_sees_that_the_clock_was_advanced(receiver: Receiver) -> None:
    """On the real clock a webhook that was an hour away comes when an advance has left a moment of
    it.
    """
    mock = make_mock(eta=3_600, clock="real")
    submit(mock, webhook=receiver.url)
    mock.clock.advance(3_599.8)

    assert receiver.next()["status"] == "success"
    mock.close()


def test_the_real_clock_repeats_what_failed_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three attempts are made although nobody calls the mock again; then no thread is left."""
    monkeypatch.setattr("fauxlab_mock.webhooks.outbox.BACKOFF_S", (0.01, 0.02))
    sent = threading.Semaphore(0)

    def refuse(*_: object) -> DeliveryOutcome:
        sent.release()
        return DeliveryOutcome(code=500)

    mock = make_mock(eta=0, clock="real", send=refuse)
    submit(mock, webhook=HOOK)
    came = [sent.acquire(timeout=WAIT_S) for _ in range(3)]
    mock.close()

    assert came == [True, True, True]
    assert ([one.attempt for one in mock.webhooks], workers()) == ([1, 2, 3], [])


def test_an_early_webhook_that_is_refused_late_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its receiver refuses after the answer to the submit has ceased to wait: two attempts more."""
    monkeypatch.setattr("fauxlab_mock.webhooks.outbox.EARLY_S", 0.01)
    sent, go_on = threading.Semaphore(0), threading.Event()

    def refuse(*_: object) -> DeliveryOutcome:
        sent.release()
        go_on.wait(WAIT_S)
        return DeliveryOutcome(code=500)

    mock = make_mock(eta=0, clock="auto", send=refuse)
    submit(mock, "scenario=webhook_early", webhook=HOOK)
    go_on.set()
    came = [sent.acquire(timeout=WAIT_S) for _ in range(3)]
    mock.close()

    assert came == [True, True, True]


@pytest.mark.parametrize(
    "scenario, times",
    [("webhook_late", [70.0]), ("success", [10.0]), ("webhook_twice", [10.0, 10.0])],
)
def test_polls_move_no_webhook_that_has_its_time(scenario: str, times: list[float]) -> None:
    """A fetch of the job, and a read of its link, leave a late webhook and the repeated attempts at
    the times they had.
    """

    def attempts(*, polled: bool) -> list[tuple[int, int, float]]:
        mock = make_mock(eta=10, send=lambda *_: DeliveryOutcome(code=500))
        began = mock.clock.now()
        job = submit(mock, f"scenario={scenario}", webhook=HOOK, width=16, height=16).body
        for _ in range(200):
            mock.clock.advance(1)
            if polled:
                fetch(mock, job["id"])
                get(mock, job["future_links"][0])
        return tried(mock, began)

    left_alone = attempts(polled=False)

    assert [at for _, attempt, at in left_alone if attempt == 1] == times
    assert len(left_alone) == 3 * len(times)
    assert attempts(polled=True) == left_alone


@pytest.mark.parametrize(
    "scenario, after_s", [("success", 0.0), ("webhook_twice", 0.0), ("webhook_late", 60.0)]
)
def test_a_job_that_is_brought_nearer_takes_its_webhook_along(
    silent: Mock, scenario: str, after_s: float
) -> None:
    """The control API moves the end of a job: its webhook is due at the new end, or a minute after
    it, and once only.
    """
    began = silent.clock.now()
    job = submit(silent, f"scenario={scenario}, eta=100", webhook=HOOK).body["id"]
    for duration_s in (70, 20):
        silent.change_job(job, partial(lasting, duration_s))
    silent.clock.advance(1_000)

    assert [round(one.at - began, 3) for one in silent.webhooks] == [20 + after_s] * (
        2 if scenario == "webhook_twice" else 1
    )


@pytest.mark.parametrize("scenario, after_s", [("success", 0.0), ("webhook_late", 60.0)])
def test_a_webhook_follows_the_last_poll_that_its_job_waits_for(
    silent: Mock, scenario: str, after_s: float
) -> None:
    """A job that ends at its second poll, after its time, has its webhook then, or a minute later;
    further polls change nothing.
    """
    began = silent.clock.now()
    job = submit(silent, f"scenario={scenario}, eta=10, polls=2", webhook=HOOK).body["id"]
    for pause_s in (5, 35, 10, 20, 40):
        silent.clock.advance(pause_s)
        fetch(silent, job)
    silent.clock.advance(0)

    assert [round(one.at - began, 3) for one in silent.webhooks] == [40 + after_s]


def test_a_slow_host_holds_up_no_other_on_the_real_clock() -> None:
    """While one receiver does not answer, those at other hosts get theirs; those of the same host
    wait, in order.
    """
    go_on, others = threading.Event(), threading.Semaphore(0)
    sends: list[str] = []

    def send(url: str, _: bytes) -> DeliveryOutcome:
        if url.endswith("/1"):
            go_on.wait(WAIT_S)
        sends.append(url)
        others.release()
        return DELIVERED

    mock = make_mock(eta=0, clock="real", send=send)
    for url in (
        "http://slow/1",
        "http://slow/2",
        "http://SLOW/3",
        "http://quick/4",
        "http://quick:81/5",
        "http://quick/6",
    ):
        submit(mock, webhook=url)
    for _ in range(3):
        others.acquire(timeout=WAIT_S)
    before = [*sends]
    go_on.set()
    for _ in range(3):
        others.acquire(timeout=WAIT_S)
    mock.close()

    assert sorted(before) == ["http://quick/4", "http://quick/6", "http://quick:81/5"]
    assert sends[3:] == ["http://slow/1", "http://slow/2", "http://SLOW/3"]
    assert [one.code for one in mock.webhooks] == [200] * 6


def test_a_failure_is_paid_back_before_its_receiver_is_told(sender: Sender) -> None:
    """At the moment of the delivery, once for a job however often it is told; a success is not."""
    costs: list[int] = []
    mock = make_mock(eta=10, refunds="on", send=sender)

    def note_cost(_: int) -> DeliveryOutcome:
        costs.append(mock.generations)
        return DeliveryOutcome(code=500)

    sender.outcome = note_cost
    submit(mock, "scenario=failed", webhook=HOOK)
    submit(mock, "scenario=webhook_lost", webhook=HOOK)
    submit(mock, "eta=20", webhook=HOOK)
    mock.clock.advance(9)
    before = mock.generations
    mock.clock.advance(100)

    assert (before, costs, mock.generations) == (3, [2] * 6, 2)


def test_only_its_own_call_sends_an_early_webhook(silent: Mock, sender: Sender) -> None:
    """Another call that ends in between does not take it: it is told, and then the answer comes."""
    call = Call(
        "POST",
        SUBMIT,
        {"content-type": "application/json", "prefer": "scenario=webhook_early"},
        json.dumps({**VALID, "webhook": HOOK}).encode(),
    )
    responding = silent.respond(call)  # decided and stored, not yet told
    submit(silent)
    silent.clock.advance(0)
    before = sender.jobs
    with responding as answer:
        during = sender.jobs

    assert (before, during) == ([], [answer.body["id"]])


def test_webhooks_of_one_moment_come_one_after_the_other() -> None:
    """On a clock that is moved, those that are due at the same moment come in the order of their
    jobs, though a receiver asks for its job meanwhile, which wakes the worker.
    """
    mock = make_mock(eta=5)
    came: list[str] = []
    others = threading.Semaphore(0)

    def confirm(event: dict[str, Any]) -> None:
        came.append(f"begin {event['id']}")
        others.release()
        fetch(mock, event["id"])
        others.acquire()
        others.acquire(timeout=0.1)  # another that comes meanwhile would be seen by now
        came.append(f"end {event['id']}")

    with receiving() as receiver:
        receiver.meanwhile = confirm
        jobs = [submit(mock, seed=seed, webhook=receiver.url).body["id"] for seed in range(3)]
        mock.clock.advance(5)

    assert came == [f"{what} {job}" for job in jobs for what in ("begin", "end")]
    assert [attempt.job_id for attempt in mock.webhooks] == jobs
