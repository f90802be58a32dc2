"""The mutant servers: the correct one and its freedoms keep every statement, each mutant breaks the
one that is named for it.
"""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from mutants.catalogue import ARGUABLE
from mutants.driver import Driver
from mutants.lives_said import QUEUE_SAID, SAID
from mutants.requests_said import ACCEPTED, BODY, JSON, REFUSED, is_accepted, submitted
from mutants.server import FETCH, FREEDOMS, GOOD_KEY, MUTANTS, SUBMIT, Request, Server, serve
from receiving import receiving

EXPECTED = dict(
    line.split(" | ")
    for line in (Path(__file__).parent / "expected.txt").read_text(encoding="utf-8").splitlines()
)
Make = Callable[..., Server]


def holds(statement: str, make: Make) -> bool:
    """True when the statement holds; not for a crash or a reply that cannot be followed."""
    try:
        if statement in ACCEPTED or statement in REFUSED:
            sent = ACCEPTED.get(statement) or REFUSED[statement]
            return is_accepted(make(), sent) == (statement in ACCEPTED)
        check = SAID.get(statement) or QUEUE_SAID[statement]
        check(Driver(make(queue_limit=5) if statement in QUEUE_SAID else make()))
    except Exception:  # what a broken server does to a client is not foreseen
        return False
    return True


STATEMENTS = [*ACCEPTED, *REFUSED, *SAID, *QUEUE_SAID]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_the_correct_server_keeps_every_statement(statement: str) -> None:
    """The server without a switch is correct."""
    assert holds(statement, Server)


@pytest.mark.parametrize("freedom", FREEDOMS)
def test_each_freedom_keeps_every_statement(freedom: str) -> None:
    """A server that uses a freedom of the contract is as correct; its replies are valid by the
    document.
    """
    assert [
        statement
        for statement in STATEMENTS
        if not holds(statement, lambda **options: Server(freedom=freedom, **options))
    ] == []


@pytest.mark.parametrize("freedom", FREEDOMS)
def test_each_freedom_is_used(freedom: str) -> None:
    """A freedom changes what a client sees: else it tests nothing."""
    assert _seen(Server(freedom=freedom)) != _seen(Server())


@pytest.mark.parametrize("name", MUTANTS)
def test_each_mutant_breaks_its_statement(name: str) -> None:
    """One statement, true of the correct server, is false of the mutant."""
    assert not holds(EXPECTED[name], lambda **options: Server(name, **options))


def test_each_row_has_a_mutant() -> None:
    """Every row of the list of server mutants stands in the table, and each mutant has its
    expectation.
    """
    rows = {mutant.row for mutant in MUTANTS.values()}

    assert {f"S{number}" for number in range(1, 49)} - rows == set()
    assert list(EXPECTED) == list(MUTANTS)
    assert [name for name in ARGUABLE if not any(each.startswith(name) for each in MUTANTS)] == []
    assert {name.partition(".")[2] for name in MUTANTS} == {
        mutant.form for mutant in MUTANTS.values()
    }


def _seen(server: Server) -> list[object]:
    """What a client sees of one server from several sides."""
    d = Driver(server)
    seen: list[object] = [
        d.submit(guidance_scale=7.5, track_id=1),
        d.submit("scenario=failed"),
        d.submit(seed=...),
        d.submit(key="wrong-key-0"),
    ]
    fields: list[dict[str, Any]] = [
        {"seed": 2**70},
        {"face_image": "x"},
        {"more": json.loads("[" * 100 + "]" * 100)},
    ]
    seen += [d.submit(**each) for each in fields]
    seen += [
        server.handle(submitted(b"\xef\xbb\xbf" + json.dumps(BODY).encode())),
        server.handle(Request("POST", f"{SUBMIT}/", JSON, b"{}")),
    ]
    seen.append(server.handle(submitted(b'{"width": 9999}')))
    for _ in range(5):
        seen += [d.fetch(job.id) for job in server.jobs[:2]] + [server.now, list(d.hooks)]
        server.advance(1)
    for width in (..., 0):
        d.submit(width=width)
        link = server.behaviour.links(server, server.jobs[-1])[0]
        server.advance(60)
        seen += [link, d.get(link)]
    return [*seen, d.fetch("1"), list(d.hooks)]


def test_the_same_seed_gives_the_same_server() -> None:
    """Two servers with one seed answer alike, with other seeds differently."""
    assert _seen(Server(seed=1)) == _seen(Server(seed=1))
    assert _seen(Server(seed=1)) != _seen(Server(seed=2))


def _call(url: str, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    connection.request(method, path, body, dict(JSON))
    response = connection.getresponse()
    try:
        return response.status, response.read()
    finally:
        connection.close()


def test_over_loopback_it_lives_and_sends_its_webhook() -> None:
    """A real URL: submit, a webhook by a real POST at the end, the result, the picture."""
    server = Server()
    with receiving() as receiver, serve(server) as url:
        code, data = _call(
            url,
            "POST",
            SUBMIT,
            json.dumps(
                {**BODY, "webhook": receiver.url, "track_id": 4, "width": 8, "height": 8}
            ).encode(),
        )
        job = json.loads(data)
        before = receiver.all()
        server.advance(3)
        event = receiver.next()
        result = _call(
            url, "POST", urlsplit(job["fetch_result"]).path, json.dumps({"key": GOOD_KEY}).encode()
        )
        picture = _call(url, "GET", urlsplit(job["future_links"][0]).path)
        head = _call(url, "HEAD", urlsplit(job["future_links"][0]).path)

    assert (code, job["status"], before, url) == (200, "processing", [], f"{server.origin}/api/v6")
    assert (event["status"], event["id"], event["track_id"], event["output"]) == (
        "success",
        job["id"],
        4,
        job["future_links"],
    )
    assert json.loads(result[1]) == {
        "status": "success",
        "id": job["id"],
        "output": job["future_links"],
    }
    assert (picture[0], picture[1][:4], head) == (200, b"\x89PNG", (200, b""))


def test_in_real_time_the_clock_goes_by_itself() -> None:
    """With `realtime` a webhook comes without anybody's advancing the clock."""
    with receiving() as receiver, serve(Server(eta_s=0), realtime=True) as url:
        _call(url, "POST", SUBMIT, json.dumps({**BODY, "webhook": receiver.url}).encode())

        assert receiver.next()["status"] == "success"


@pytest.mark.parametrize(
    "name, code", [("S16.malformed-crash", 500), ("S18.submit-204", 200), (None, 200)]
)
def test_over_loopback_a_crash_is_answered_500(name: str | None, code: int) -> None:
    """A mutant that raises is an HTTP 500, and the connection lives on."""
    with serve(Server(name)) as url:
        assert _call(url, "POST", SUBMIT, b"{")[0] == code
        assert _call(url, "POST", f"{FETCH}1", json.dumps({"key": GOOD_KEY}).encode())[0] == 200


def test_over_loopback_chunks_arrive_whole() -> None:
    """The freedom of chunked replies is real chunks on the wire."""
    with serve(Server(freedom="chunked")) as url:
        assert (
            json.loads(_call(url, "POST", SUBMIT, json.dumps(BODY).encode())[1])["status"]
            == "processing"
        )


def test_the_server_knows_nothing_of_the_tools_that_it_tests() -> None:
    """No module of the server itself imports one of the three packages; those that judge it do."""
    folder = Path(__file__).parent
    importing = {
        path.name
        for path in folder.glob("*.py")
        if not path.name.startswith("test_")
        if re.search(r"^(from|import) fauxlab_", path.read_text(encoding="utf-8"), re.MULTILINE)
    }

    assert importing == {"lives_said.py", "score.py", "score_others.py"}
