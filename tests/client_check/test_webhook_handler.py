"""`check_webhook_handler`: row C27 of the broken clients, and handlers that are right."""

from __future__ import annotations

import asyncio
import contextlib
import json
import multiprocessing
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from documents import with_text_ids
from fauxlab_mock.client_check import real_waits, webhook_handler
from fauxlab_mock.client_check.webhook_handler import check_webhook_handler

Act = Callable[[Any], object]
Make = Callable[[frozenset[Any], Act], Callable[[bytes], Any]]


def told(make: Make) -> list[tuple[str, str, tuple[str, ...]]]:
    """The findings about a handler: rule, message, trials."""
    report = check_webhook_handler(make)
    assert report.not_judged == ()
    return [(one.rule, one.message, one.trials) for one in report.findings]


def careful(ids: frozenset[int], act: Act) -> Callable[[bytes], int]:
    """Acts once, in the background, on a success with an output of a job that it knows."""
    done: set[int] = set()

    def handler(body: bytes) -> int:
        event = json.loads(body)
        number = event.get("id")
        if number not in ids:
            return 404
        if number not in done and event["status"] == "success" and event.get("output"):
            done.add(number)
            threading.Thread(target=act, args=(number,), daemon=True).start()
        return 200

    return handler


def twice(ids: frozenset[int], act: Act) -> Callable[[bytes], int]:
    """Forgets what it has done."""

    def handler(body: bytes) -> int:
        return careful(ids, act)(body)

    return handler


def anybody(ids: frozenset[int], act: Act) -> Callable[[bytes], int]:
    """Does not look whether the job is its own."""
    return lambda body: careful(frozenset({json.loads(body)["id"]}), act)(body)


def late(ids: frozenset[int], act: Act) -> Callable[[bytes], int]:
    """Acts first, and answers afterwards."""
    done: set[int] = set()

    def handler(body: bytes) -> int:
        number = json.loads(body)["id"]
        if number in ids - done:
            done.add(number)
            act(number)
        return 200

    return handler


def bare(ids: frozenset[int], act: Act) -> Callable[[bytes], int]:
    """Reads the output of whatever comes."""

    def handler(body: bytes) -> int:
        assert json.loads(body)["output"][0]
        return 200

    return handler


def refusing(ids: frozenset[int], act: Act) -> Callable[[bytes], int]:
    """Answers the second delivery with a conflict."""
    seen: list[bytes] = []

    def handler(body: bytes) -> int:
        seen.append(body)
        return 409 if len(seen) > 1 else 200

    return handler


def async_careful(ids: frozenset[int], act: Act) -> Callable[[bytes], Any]:
    """Does the same in a task, which goes on after the answer."""
    done: set[int] = set()
    tasks = set()

    async def handler(body: bytes) -> int:
        event = json.loads(body)
        number = event.get("id")
        if number in ids - done and event["status"] == "success" and event.get("output"):
            done.add(number)
            tasks.add(asyncio.create_task(asyncio.to_thread(act, number)))
        return 200

    return handler


def waited(pause: Callable[[float], object], seconds: float) -> Make:
    """A `make` of careful handlers that wait before they answer."""

    def make(ids: frozenset[int], act: Act) -> Callable[[bytes], int]:
        careful_one = careful(ids, act)

        def handler(body: bytes) -> int:
            pause(seconds)
            return careful_one(body)

        return handler

    return make


kept = {"sleep": time.sleep}  # real: nobody looks into a mapping


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def event_wait(seconds: float) -> None:
    threading.Event().wait(seconds)


def future_wait(seconds: float) -> None:
    with ThreadPoolExecutor() as pool:
        pool.submit(time.sleep, seconds).result()


@pytest.mark.parametrize(
    "make, rules",
    [
        (careful, set()),
        (async_careful, set()),
        (twice, {"webhook-acted-twice"}),
        (anybody, {"webhook-acted-twice", "webhook-unknown-accepted"}),
        (late, {"webhook-answered-late"}),
        (bare, {"crashed"}),
        (refusing, {"webhook-refused"}),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_handlers_are_told_apart(make: Any, rules: set[str]) -> None:
    """Each is found by the rules that it breaks, and the careful one by none."""
    report = check_webhook_handler(make)

    assert {finding.rule for finding in report.findings} == rules


@pytest.mark.parametrize("pause", [sleep, event_wait, future_wait])
@pytest.mark.parametrize("seconds, rules", [(0.9, []), (10, []), (12, ["webhook-answered-late"])])
def test_what_a_handler_waits_counts(
    pause: Callable[[float], object],
    seconds: float,
    rules: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In whatever way it waits, by the mock's clock: more than ten seconds are late."""
    monkeypatch.setattr(real_waits, "HOLD_S", 0.1)

    assert [rule for rule, *_ in told(waited(pause, seconds))] == rules


def test_a_late_answer_costs_no_real_time() -> None:
    """Each answer takes a quarter of an hour: each is told, and none is waited for."""
    report = check_webhook_handler(waited(sleep, 900))

    assert [(one.message, one.times) for one in report.findings] == [
        ("It answered after 900 s. More than 10 s are late; after 30 s a delivery has failed.", 9)
    ]
    assert (report.virtual_s > 9 * 900, report.real_s < 20) == (True, True)


def acting_first(*pauses: Callable[[], object]) -> Make:
    """A `make` of careful handlers that pause after they have begun to act, and then answer."""

    def make(ids: frozenset[Any], act: Act) -> Callable[[bytes], int]:
        careful_one = careful(ids, act)

        def handler(body: bytes) -> int:
            answer = careful_one(body)
            for pause in pauses:
                pause()
            return answer

        return handler

    return make


@pytest.mark.parametrize("pauses", [(), (partial(sleep, 0.5),)], ids=["at once", "after a sleep"])
def test_a_real_wait_beside_work_that_sleeps(pauses: tuple[Callable[[], object], ...]) -> None:
    """A handler that waits for its database, after it has begun to act, is not late for that."""
    assert told(acting_first(*pauses, lambda: kept["sleep"](0.1))) == []


def test_a_long_real_wait_beside_work_that_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its database takes longer than the clock is held: how late it answers, nobody knows."""
    for module in (real_waits, webhook_handler):
        monkeypatch.setattr(module, "HOLD_S", 0.1)

    report = check_webhook_handler(acting_first(lambda: kept["sleep"](0.2)))

    why = (
        "how late it answered: it waits in real time for longer than 0.1 s, and what sleeps"
        " meanwhile outran it"
    )
    assert (report.findings, report.is_judged) == ((), True)
    assert report.not_judged == (f"slow: {why}", f"twice while acting: {why}")


def with_a_table(ids: frozenset[Any], act: Act) -> Callable[[bytes], int]:
    """Remembers its jobs in a database, which belongs to the thread that opened it."""
    table = sqlite3.connect(":memory:")
    table.execute("create table done(id integer primary key)")

    def handler(body: bytes) -> int:
        event = json.loads(body)
        if event["id"] in ids and event.get("output"):
            with contextlib.suppress(sqlite3.IntegrityError):
                table.execute("insert into done values(?)", (event["id"],))
                threading.Thread(target=act, args=(event["id"],), daemon=True).start()
        return 200

    return handler


def with_a_signal(ids: frozenset[Any], act: Act) -> Callable[[bytes], int]:
    """Sets a signal, as is possible in the main thread alone."""
    signal.signal(signal.SIGUSR1, signal.getsignal(signal.SIGUSR1))
    return careful(ids, act)


@pytest.mark.parametrize("make", [with_a_table, with_a_signal])
def test_a_handler_is_made_where_it_is_called(make: Make) -> None:
    """In one thread, as a server's worker does both; unless that must be the main one."""
    assert told(make) == []


def test_a_handler_that_waits_for_its_own_work_on_a_lock() -> None:
    """It answers the first delivery at once, and the second when it has acted on the first."""

    def make(ids: frozenset[int], act: Act) -> Callable[[bytes], int]:
        lock, careful_one = threading.Lock(), careful(ids, lambda number: locked(number))  # noqa: PLW0108 # below

        def locked(number: int) -> None:
            with lock:
                begun.set()
                act(number)

        begun = threading.Event()

        def handler(body: bytes) -> int:
            with lock:
                answer = careful_one(body)
            if answer == 200 and json.loads(body)["status"] == "success":
                begun.wait(1)
            return answer

        return handler

    late_by_a_minute = (
        "It answered after 60 s. More than 10 s are late; after 30 s a delivery has failed."
    )
    assert told(make) == [("webhook-answered-late", late_by_a_minute, ("twice while acting",))]


def test_a_handler_that_nobody_wakes() -> None:
    """It never answers; the finding says at which line it waits."""

    def make(ids: frozenset[int], act: Act) -> Callable[[bytes], int]:
        def handler(body: bytes) -> int:
            if json.loads(body)["status"] == "failed":
                threading.Event().wait()
            return careful(ids, act)(body) if ids else 200

        return handler

    ((rule, message, trials),) = [one for one in told(make) if one[0] == "webhook-answered-late"]

    assert (rule, trials) == ("webhook-answered-late", ("failed",))
    assert message.startswith("It never answers: it waits at ")
    assert "test_webhook_handler.py" in message


def test_jobs_are_named_as_their_webhooks_do() -> None:
    """Where the document says that ids are UUIDs, a handler is given UUIDs."""
    report = check_webhook_handler(careful, document=with_text_ids())

    assert (report.findings, report.not_judged, report.is_judged) == ((), (), True)
    (found, *_) = check_webhook_handler(anybody, document=with_text_ids()).findings
    assert found.message == "It acted 2 times on job 00000000-0000-4000-8000-000100000001."


def test_what_a_handler_has_put_off_counts() -> None:
    """It acts a minute after its answer, on whatever came."""

    def make(ids: frozenset[int], act: Act) -> Callable[[bytes], int]:
        def handler(body: bytes) -> int:
            threading.Timer(60, act, args=(json.loads(body)["id"],)).start()
            return 200

        return handler

    assert [(rule, trials) for rule, _, trials in told(make)] == [
        ("webhook-acted-twice", ("twice", "twice while acting")),
        ("webhook-unknown-accepted", ("unknown",)),
    ]


def test_a_handler_that_remembers_too_late() -> None:
    """Only when it has acted does it remember the job: a second delivery comes before."""

    def make(ids: frozenset[int], act: Act) -> Callable[[bytes], int]:
        done: set[int] = set()

        def acted(number: int) -> None:
            act(number)
            done.add(number)

        def handler(body: bytes) -> int:
            number = json.loads(body)["id"]
            if number in ids - done:
                thread = threading.Thread(target=acted, args=(number,), daemon=True)
                thread.start()
                thread.join(0.7)  # in real time, and for longer than the clock is held
            return 200

        return handler

    assert [(rule, trials) for rule, _, trials in told(make)] == [
        ("webhook-acted-twice", ("twice while acting",))
    ]


def test_a_handler_that_needs_another_machine_is_not_accused() -> None:
    """Nothing leaves this machine; what a handler raises for that is not judged."""

    def make(ids: frozenset[int], act: Act) -> Callable[[bytes], int]:
        def handler(body: bytes) -> int:
            socket.create_connection(("database.example", 5432))
            return 200

        return handler

    report = check_webhook_handler(make)

    assert (report.findings, report.is_judged, report.is_ok) == ((), False, False)
    assert len(report.not_judged) == 7
    assert "database.example" in report.not_judged[0]
    assert str(report).startswith("nothing was judged: it needs another machine, in 7 trials")
    with pytest.raises(AssertionError, match="nothing was judged"):
        report.assert_ok()


def test_a_handler_that_forks_is_not_praised() -> None:
    """Each trial ends where it forks: nothing is known of it, so nothing is well."""

    def make(ids: frozenset[Any], act: Act) -> Callable[[bytes], int]:
        def handler(body: bytes) -> int:
            child = multiprocessing.get_context("fork").Process(target=act, args=(1,))
            child.start()
            return 200

        return handler

    report = check_webhook_handler(make)

    assert (report.findings, report.is_judged, report.is_ok) == ((), False, False)
    assert report.headline() == "nothing was judged: it works in another process, in 7 trials"


def test_a_waived_rule_of_a_handler() -> None:
    """Reasons count here as well."""
    assert check_webhook_handler(late, waive={"webhook-answered-late": "a batch job"}).is_ok


def one_argument(ids: frozenset[int]) -> Callable[[bytes], int]:
    """A `make` that does not take `act`."""
    return careful(ids, print)


@pytest.mark.parametrize(
    "make, message",
    [
        (
            one_argument,
            "the first argument must be make(ids, act), which returns a handler of webhooks; it is"
            " one_argument, which takes (ids: 'frozenset[int]')",
        ),
        (
            lambda *_: None,
            "the first argument must be make(ids, act), which returns a handler of webhooks; it"
            " returned a value of type NoneType",
        ),
    ],
)
def test_a_make_that_makes_no_handler_is_one_clear_error(make: Any, message: str) -> None:
    """What is called, how, and what came instead."""
    with pytest.raises(TypeError) as caught:
        check_webhook_handler(make)

    assert str(caught.value) == message
