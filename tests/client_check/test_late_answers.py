"""`check_client` and answers that come late or never, which cost no real time."""

from __future__ import annotations

import asyncio
import contextlib
import json
import select
import signal
import socket
import struct
import threading
import time
import urllib.request
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import httpx
import pytest
import requests

from client_mutants.drivers import make_of
from client_mutants.plain import Flow, LostError, Plain
from fauxlab_mock.client_check.check import check_client
from fauxlab_mock.client_check.report import ClientReport

SUBMITS = ["submit answered late", "submit never answered"]
FETCHES = ["fetch answered late", "fetch never answered"]
NOT_SEEN = (
    "nothing ended its wait for the answer, and how it waits was not seen (in C, in a selector, in"
    " uvloop or trio, for a thread, in another process)"
)
CONTEXT = httpx.create_ssl_context()  # takes longer to make than all the rest
Post = Callable[[str, Any], Any]
Make = Callable[[str, str], Callable[..., Any]]


def found(report: ClientReport) -> list[tuple[str, tuple[str, ...]]]:
    return [(finding.rule, finding.trials) for finding in report.findings]


def polling(post: Post, took_s: list[float] | None = None) -> Make:
    """A client that posts by `post(url, body)`, and gives a job up after a minute."""

    def make(base_url: str, key: str) -> Callable[..., Any]:
        def generate(prompt: str, face_image: str, seed: int) -> Any:
            began = time.monotonic()

            def sent(path: str, **body: Any) -> Any:
                return post(f"{base_url}/image_editing/{path}", {"key": key, **body})

            try:
                job = sent("flux_headshot", prompt=prompt, face_image=face_image, seed=seed)
                fetch = f"fetch/{job['id']}"
                while job["status"] == "processing" and time.monotonic() - began < 60:
                    time.sleep(5)
                    job = sent(fetch)
            finally:
                if took_s is not None:
                    took_s.append(round(time.monotonic() - began, 3))
            if job["status"] != "success":
                raise RuntimeError(job.get("message", "this takes too long"))
            return job["output"]

        return generate

    return make


def by_requests(timeout_s: float | None) -> Post:
    return lambda url, body: requests.post(url, json=body, timeout=timeout_s).json()


def by_httpx(timeout_s: float | None) -> Post:
    return lambda url, body: httpx.post(url, json=body, timeout=timeout_s, verify=CONTEXT).json()


def by_urllib(timeout_s: float | None) -> Post:
    def post(url: str, body: Any) -> Any:
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(url, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=timeout_s) as reply:
            return json.load(reply)

    return post


def in_a_loop(post: Callable[[str, Any], Awaitable[Any]]) -> Post:
    async def awaited(url: str, body: Any) -> Any:
        return await post(url, body)

    return lambda url, body: asyncio.run(awaited(url, body))


def by_async_httpx(timeout_s: float | None) -> Post:
    async def post(url: str, body: Any) -> Any:
        async with httpx.AsyncClient(timeout=timeout_s, verify=CONTEXT) as client:
            return (await client.post(url, json=body)).json()

    return in_a_loop(post)


def by_aiohttp(timeout_s: float | None) -> Post:
    async def post(url: str, body: Any) -> Any:
        timeout = aiohttp.ClientTimeout(sock_read=timeout_s)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(url, json=body) as reply,
        ):
            return await reply.json()

    return in_a_loop(post)


SYNC = [by_requests, by_httpx, by_urllib]
ASYNC = [by_async_httpx, by_aiohttp]


@pytest.mark.parametrize("post", [*SYNC, *ASYNC])
def test_a_timeout_strikes_on_the_mocks_clock(post: Callable[[float | None], Post]) -> None:
    """Twenty seconds of the clock after the request, whether the answer comes late or never."""
    took_s: list[float] = []

    report = check_client(polling(post(20), took_s), trials=SUBMITS)

    assert (report.findings, report.not_judged, took_s) == ((), (), [20, 20])


@pytest.mark.parametrize("post", SYNC)
def test_a_socket_without_a_timeout_is_told_and_gets_its_answer(
    post: Callable[[float | None], Post],
) -> None:
    """The result arrives after five minutes, which are added to those that a call may last."""
    report = check_client(polling(post(None)), trials=[*SUBMITS, *FETCHES], max_virtual_s=100)

    assert [str(finding) for finding in report.findings] == [
        "note: no-timeout: submit answered late: It waited five minutes for an answer: its socket"
        " has no timeout. (in 4 trials) Give each request a timeout: without one, a silent server"
        " holds a call for ever."
    ]
    assert report.not_judged == ()


def asynchronous(timeout_s: float | None) -> Make:
    def make(base_url: str, key: str) -> Callable[..., Any]:
        async def generate(prompt: str, face_image: str, seed: int) -> Any:
            body = {"key": key, "prompt": prompt, "face_image": face_image, "seed": seed}
            url = f"{base_url}/image_editing/flux_headshot"
            async with httpx.AsyncClient(timeout=None, verify=CONTEXT) as client:  # noqa: S113
                async with asyncio.timeout(timeout_s):
                    job = (await client.post(url, json=body)).json()
                raise RuntimeError(job.get("message", "it waits for no job"))

        return generate

    return make


@pytest.mark.parametrize("timeout_s, rules", [(None, ["no-timeout"]), (500, []), (5, [])])
def test_a_task_is_told_when_nothing_would_have_ended_its_wait(
    timeout_s: float | None, rules: list[str]
) -> None:
    """Any deadline around it is one, and one that is later than the answer as well."""
    report = check_client(asynchronous(timeout_s), trials=SUBMITS)

    assert [finding.rule for finding in report.findings] == rules
    assert [finding.message for finding in report.findings] == [
        "It waited five minutes for an answer: nothing ends the wait of its task." for _ in rules
    ]


@pytest.mark.parametrize("timeout_s", [300, 3_000])
def test_a_timeout_of_five_minutes_or_more_is_one(timeout_s: float) -> None:
    """The very time for which the answer is held back included."""
    report = check_client(polling(by_requests(timeout_s)), trials=["stuck", *SUBMITS, *FETCHES])

    assert (report.findings, report.not_judged) == ((), ())


class SubmitsAgain(Plain):
    def submit(self, body: Any) -> Flow:
        try:
            return (yield from super().submit(body))
        except LostError:
            return (yield from super().submit(body))


class ForgivesNothing(Plain):
    def passes(self, _error: Exception) -> bool:
        return False


class NoneWhenLate(Plain):
    def generate(self, **fields: Any) -> Flow:
        try:
            return (yield from super().generate(**fields))
        except LostError:
            return None


class CrashesWhenLate(Plain):
    def generate(self, **fields: Any) -> Flow:
        try:
            return (yield from super().generate(**fields))
        except LostError:
            reply: Any = None
            return reply["output"]


@pytest.mark.parametrize(
    "kind, expected",
    [
        (Plain, []),
        (SubmitsAgain, [("duplicate-submit", tuple(SUBMITS))]),
        (ForgivesNothing, [("gave-up", tuple(FETCHES))]),
        (NoneWhenLate, [("wrong-result", tuple(SUBMITS))]),
        (CrashesWhenLate, [("crashed", tuple(SUBMITS))]),
    ],
)
def test_what_a_client_makes_of_its_timeout_is_judged(
    kind: type[Plain], expected: list[Any]
) -> None:
    """Another submit costs another job, one fetch without an answer is no end, None no result."""
    report = check_client(make_of(kind, "requests"), trials=["stuck", *SUBMITS, *FETCHES])

    assert (found(report), report.not_judged) == (expected, ())


def test_a_client_without_a_timeout_did_not_give_up_before_its_time() -> None:
    """After five minutes, nobody knows what it thinks of the job."""
    make = make_of(ForgivesNothing, "requests", {"timeout": None})

    report = check_client(make, trials=["stuck", *FETCHES])

    assert (found(report), report.not_judged) == ([("no-timeout", tuple(FETCHES))], ())


def test_a_client_whose_own_deadline_has_passed_did_not_give_up() -> None:
    """Its timeout is as long as its patience, which the trial `stuck` shows."""
    report = check_client(polling(by_requests(60)), trials=["stuck", *FETCHES])

    assert (report.findings, report.not_judged) == ((), ())


def counting_ahead(base_url: str, key: str) -> Callable[..., Any]:
    """Bears with timeouts, and gives up where its next pause would end after its minute."""

    def generate(prompt: str, face_image: str, seed: int) -> Any:
        ends_at = time.monotonic() + 60

        def sent(path: str, **body: Any) -> Any:
            return by_requests(48)(f"{base_url}/image_editing/{path}", {"key": key, **body})

        job = sent("flux_headshot", prompt=prompt, face_image=face_image, seed=seed)
        fetch = f"fetch/{job['id']}"
        while job["status"] == "processing" or not job.get("id"):
            if time.monotonic() + 7 > ends_at:
                raise RuntimeError("no result within the minute")
            time.sleep(7)
            with contextlib.suppress(requests.Timeout):
                job = sent(fetch)
        return job["output"]

    return generate


def test_a_client_that_raises_a_pause_before_its_deadline_is_not_judged() -> None:
    """It gives a stuck job up after 56 s, and would be there after 62 s: 55 s are as good."""
    report = check_client(counting_ahead, trials=["stuck", *FETCHES])

    why = (
        "it raised after 55 s, less than a pause before its own deadline: in the trial stuck it"
        " lasted 56 s"
    )
    assert (report.findings, report.not_judged) == ((), tuple(f"{name}: {why}" for name in FETCHES))


def test_a_client_that_bears_with_not_found_may_say_its_own_deadline() -> None:
    """It asked again and again; the message is no news, and the deadline is why it ended."""
    report = check_client(counting_ahead, trials=["never found"])

    assert (report.findings, report.not_judged) == ((), ())


def test_without_a_measure_of_its_patience_a_client_is_not_judged() -> None:
    """Whether it raised for one late fetch or at its own deadline is not known."""
    report = check_client(polling(by_requests(20)), trials=FETCHES)

    assert (report.findings, report.not_judged) == (
        (),
        tuple(
            f"{name}: it raised, perhaps at its own deadline; the trial stuck tells when that is"
            for name in FETCHES
        ),
    )


def by_hand(wait: Callable[[socket.socket], bytes]) -> Post:
    """HTTP over a socket without a timeout, of which a `wait` gets the first bytes, if any."""

    def post(url: str, body: Any) -> Any:
        parts, content = urlsplit(url), json.dumps(body).encode()
        head = f"POST {parts.path} HTTP/1.1\r\nhost: mock\r\nconnection: close\r\n"
        head += f"content-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n"
        with socket.create_connection((str(parts.hostname), parts.port or 80)) as connection:
            connection.sendall(head.encode() + content)
            first = wait(connection)
            with connection.makefile("rb") as rest:
                reply = first + rest.read()
            return json.loads(reply.partition(b"\r\n\r\n")[2] or b"{}")

    return post


def selected(connection: socket.socket) -> bytes:
    if not select.select([connection], [], [], 20)[0]:
        raise TimeoutError("no answer")
    return b""


def selected_and_read_at_once(connection: socket.socket) -> bytes:
    selected(connection)
    connection.setblocking(False)
    first = connection.recv(100)
    connection.setblocking(True)
    return first


def read_with_an_option(connection: socket.socket) -> bytes:
    """The system ends the read, after twenty seconds."""
    end = struct.pack("ll", 20, 0)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, end)
    return connection.recv(100)


def by_a_thread(url: str, body: Any) -> Any:
    """A request without a timeout in a thread that is waited for in C."""
    replies: list[Any] = []

    def work() -> None:
        with contextlib.suppress(requests.RequestException):
            replies.append(by_requests(None)(url, body))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(20)
    if not replies:
        raise TimeoutError("no answer")
    return replies[0]


def by_an_alarm(url: str, body: Any) -> Any:
    """A request without a timeout that a signal ends, in real time."""
    signal.setitimer(signal.ITIMER_REAL, 1_000)
    try:
        return by_requests(None)(url, body)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


@pytest.mark.parametrize(
    "post",
    [
        by_hand(selected),
        by_hand(selected_and_read_at_once),
        by_hand(read_with_an_option),
        by_a_thread,
        by_an_alarm,
    ],
)
def test_a_wait_that_is_not_seen_is_not_judged(post: Post) -> None:
    """Its timeout is in real time, in which the mock's five minutes are nothing."""
    report = check_client(polling(post), trials=["stuck", *SUBMITS, *FETCHES])

    assert (report.findings, report.not_judged) == (
        (),
        tuple(f"{name}: {NOT_SEEN}" for name in (*SUBMITS, *FETCHES)),
    )


def test_an_alarm_from_before_is_not_the_clients() -> None:
    """A test runner may have set one as the limit of the whole test."""
    left_s, _ = signal.setitimer(signal.ITIMER_REAL, 1_000)
    try:
        report = check_client(polling(by_requests(None)), trials=SUBMITS)
    finally:
        signal.setitimer(signal.ITIMER_REAL, left_s)

    assert (found(report), report.not_judged) == ([("no-timeout", tuple(SUBMITS))], ())


def test_a_deadline_around_a_thread_is_seen() -> None:
    """The thread that reads has no timeout, but the call does not wait for it without one."""
    took_s: list[float] = []

    def post(url: str, body: Any) -> Any:
        done = threading.Event()

        def work() -> None:
            with contextlib.suppress(requests.RequestException):
                by_requests(None)(url, body)
            done.set()

        threading.Thread(target=work, daemon=True).start()
        if not done.wait(20):
            raise TimeoutError("no answer")

    report = check_client(polling(post, took_s), trials=SUBMITS)

    assert (report.findings, report.not_judged, took_s) == ((), (), [20, 20])


def test_what_is_held_back_is_let_go_at_the_end_of_its_trial() -> None:
    """A thread that is left reading does not move the clock of the next trial."""
    first: list[threading.Thread] = []

    def post(url: str, body: Any) -> Any:
        if first:
            first[0].join(5)  # in real time, in which the clock might move
            return by_requests(20)(url, body)

        def work() -> None:
            with contextlib.suppress(requests.RequestException):
                by_requests(None)(url, body)

        first.append(threading.Thread(target=work, daemon=True))
        first[0].start()
        time.sleep(1)
        raise TimeoutError("no answer")

    report = check_client(polling(post), trials=["submit never answered", "negative eta"])

    assert (found(report), first[0].is_alive()) == ([], False)
    assert report.virtual_s < 60
