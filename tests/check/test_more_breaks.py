"""Broken servers of the board that other forms of their row hide, each found by its own rule."""

from __future__ import annotations

import threading
from contextlib import closing
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from driving import BUNDLED
from fauxlab_contract.check.run import Options, check
from fauxlab_contract.check.target import HttpTarget
from fauxlab_contract.core.http import HttpRequest, HttpResponse
from mutants.score import ServerTarget
from mutants.server import GOOD_KEY, OTHER_KEY, Server


@pytest.mark.parametrize(
    "mutant, phase, rule, message",
    [
        (
            "S24.zero",
            "lifecycle",
            "eta-off",
            "the first job: an eta of 0 s, and 10 s later it was still processing.",
        ),
        (
            "S26.production",
            "lifecycle",
            "fetch-result-elsewhere",
            "the first job: fetch_result is",
        ),
        (
            "S36.tells",
            "lifecycle",
            "foreign-job-told",
            "Another key is told 'This request belongs to another account', and 'Request not found'"
            " of an unknown id.",
        ),
        (
            "S40.names",
            "boundaries",
            "message-misleads",
            "without face_image, as without prompt, a request is refused with 'The prompt field is"
            " required.'.",
        ),
        (
            "S42.often",
            "webhook",
            "webhook-repeated",
            "the first job: its webhook came 6 times; each was answered with 200.",
        ),
        (
            "S44.fetched",
            "webhook",
            "webhook-missing",
            "a job that nobody fetches: no webhook came long after its eta, and then one came with"
            " its first fetch.",
        ),
        (
            "E15.webhook",
            "lifecycle+webhook",
            "webhook-body",
            "a job without track_id and size: the webhook of another job came to its address, too.",
        ),
        (
            "S18.gzip-always",
            "lifecycle+robustness",
            "compressed-unasked",
            "Accept-Encoding was identity, and Content-Encoding is 'gzip'.",
        ),
        (
            "S18.gzip-unnamed",
            "lifecycle+robustness",
            "reply-not-json",
            "The reply is compressed by gzip, and no Content-Encoding says so.",
        ),
    ],
)
def test_a_break_is_found_by_its_rule(mutant: str, phase: str, rule: str, message: str) -> None:
    """One server, one phase, one finding."""
    phases = tuple(phase.split("+"))
    options = Options(GOOD_KEY, other_key=OTHER_KEY, only=phases)

    report = check(ServerTarget(Server(mutant)), BUNDLED, options)

    found = [(one.rule, one.message[: len(message)]) for one in report.findings]
    assert found == [(rule, message)], str(report)


class AtOnce(ServerTarget):
    """Answers requests that come at the same time with one id, as a counter without a lock does."""

    def send_together(self, sent: list[HttpRequest], within_s: float) -> list[HttpResponse]:
        came = self.send(sent[0], within_s)
        return [replace(came, at=came.at) for _ in sent]


def test_submits_at_the_same_time_have_ids_of_their_own() -> None:
    """Four submits are sent at once; that they share an id is found as it is of others."""
    target = AtOnce(Server())

    report = check(target, BUNDLED, Options(GOOD_KEY, other_key=OTHER_KEY, only=("lifecycle",)))

    assert [(one.rule, one.times) for one in report.findings] == [("id-shared", 3)]


def test_a_target_that_sends_one_by_one_is_not_judged_by_races() -> None:
    """Where requests cannot be sent at the same time, the report says so."""
    options = Options(GOOD_KEY, other_key=OTHER_KEY, only=("lifecycle",))

    report = check(ServerTarget(Server()), BUNDLED, options)

    assert "lifecycle: no submits at the same time: here requests go one after the other" in (
        report.not_covered
    )


class Meeting(BaseHTTPRequestHandler):
    """Answers no POST before three have come."""

    barrier: threading.Barrier

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.end_headers()

    def do_POST(self) -> None:
        self.barrier.wait()
        self.send_response(int(self.path[1:]))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_over_http_requests_really_go_at_the_same_time() -> None:
    """Three requests of which none is answered before all have come; each gets its own answer."""
    handler = type("Handler", (Meeting,), {"barrier": threading.Barrier(3, timeout=10)})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        with closing(HttpTarget(url)) as target:
            sent = [HttpRequest("POST", f"{url}/{code}") for code in (201, 202, 203)]
            came = target.send_together(sent, 10.0)
        server.shutdown()
        thread.join()

    assert [(one.code, one.error) for one in came] == [(201, ""), (202, ""), (203, "")]
