"""The control API, in process: what it answers, what it changes, and whom it does not answer."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import fields
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driving import KEY, SUBMIT, VALID, fetch, make_mock, submit
from fauxlab_mock.admin.api import AdminCall, administer
from fauxlab_mock.admin.routes import ROUTES
from fauxlab_mock.behaviour.faults import FAULTS
from fauxlab_mock.behaviour.rules import Rule
from fauxlab_mock.behaviour.scenarios import SCENARIOS
from fauxlab_mock.engine.messages import Call, Decision
from fauxlab_mock.runtime.mock import Mock
from receiving import receiving

HOST = {"host": "127.0.0.1:4010"}
JSON = {"content-type": "application/json"}


def ask(mock: Mock, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    """(code, parsed reply); the query may stand in the path."""
    path, _, query = path.partition("?")
    named = (
        HOST
        | (JSON if body is not None or method == "POST" else {})
        | {name.replace("_", "-"): value for name, value in headers.items()}
    )
    data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    answer = administer(mock, AdminCall(method, f"/__admin{path}", query, named, data))
    assert KEY.encode() not in answer.content
    return answer.code, answer.body


def good(mock: Mock, method: str, path: str, body: Any = None) -> Any:
    code, reply = ask(mock, method, path, body)
    assert code == 200, reply
    return reply


def test_health() -> None:
    """One look says that the mock lives, where, on which clock, and what it has seen."""
    mock = make_mock()
    submit(mock)

    assert good(mock, "GET", "/health") == {
        "status": "ok",
        "url": "https://modelslab.com/api/v6",
        "clock": "manual",
        "generations": 1,
        "requests": 1,
        "jobs": 1,
        "webhooks": 0,
    }


def test_requests_are_found_and_counted() -> None:
    """By any member: code, job, operation, scenario, violations, number; the newest last."""
    mock = make_mock()
    job = submit(mock).body["id"]
    submit(mock, width=5_000)
    submit(mock, "scenario=no_credits")
    fetch(mock, job)

    def numbers(**criteria: Any) -> list[int]:
        return [row["number"] for row in good(mock, "POST", "/requests/find", criteria)["requests"]]

    assert [
        numbers(),
        numbers(violations=True),
        numbers(scenario="no_credits"),
        numbers(job_id=job),
        numbers(after=2),
        numbers(limit=1),
    ] == [
        [1, 2, 3, 4],
        [2],
        [3],
        [1, 4],
        [3, 4],
        [4],
    ]
    assert good(mock, "POST", "/requests/count", {"violations": False, "method": "POST"}) == {
        "count": 3
    }
    assert (
        good(mock, "GET", "/requests?violations=true&limit=5")["requests"][0]["violations"][0][
            "pointer"
        ]
        == "/width"
    )
    assert good(mock, "GET", "/requests")["total"] == 4


def test_what_matched_nothing_is_explained() -> None:
    """A wrong path, a wrong method, a wrong id: each with what was perhaps meant."""
    mock = make_mock()
    job = submit(mock).body["id"]
    mock.handle(Call("POST", "/api/v6/image_editing/flux_headshots"))
    mock.handle(Call("GET", "/api/v6/image_editing/fetch/1"))
    fetch(mock, str(job).replace("100", "101"))
    fetch(mock, job, key="another-key")

    assert [
        row["hint"] for row in good(mock, "GET", "/requests/unmatched/near-misses")["near_misses"]
    ] == [
        "There is no such path. Did you mean POST /api/v6/image_editing/flux_headshot?",
        "This path answers POST only.",
        f"There is no job 101000001. Did you mean {job}?",
        f"Job {job} belongs to another key, or is too old.",
    ]


def test_jobs_can_be_seen_and_ended() -> None:
    """complete and fail end a job now, advance brings its end nearer; each is seen by the next
    fetch.
    """
    mock = make_mock(eta=60.0)
    jobs = [submit(mock).body["id"] for _ in range(3)]
    states = [
        good(mock, "POST", f"/jobs/{jobs[0]}/complete")["state"],
        good(mock, "POST", f"/jobs/{jobs[1]}/fail", {"message": "no face found"})["state"],
        good(mock, "POST", f"/jobs/{jobs[2]}/advance", {"seconds": 50})["state"],
    ]
    mock.clock.advance(10)

    assert states == ["success", "failed", "processing"]
    assert [fetch(mock, job).body["status"] for job in jobs] == ["success", "failed", "success"]
    assert fetch(mock, jobs[1]).body["message"] == "no face found"
    assert [row["job_id"] for row in good(mock, "GET", "/jobs?state=success")["jobs"]] == [
        jobs[0],
        jobs[2],
    ]
    assert good(mock, "GET", f"/jobs/{jobs[0]}")["fetches"] == 1
    assert ask(mock, "POST", f"/jobs/{jobs[0]}/fail") == (
        409,
        {"error": f"Job {jobs[0]} has already ended: success."},
    )
    assert ask(mock, "GET", "/jobs/5") == (404, {"error": "There is no job 5."})


def test_ending_a_job_sends_its_webhook() -> None:
    """A job that is completed by hand, also a stuck one, has its webhook delivered; it can be sent
    again.
    """
    mock = make_mock(eta=60.0)
    with receiving() as receiver:
        job = submit(mock, "scenario=stuck", webhook=receiver.url).body["id"]
        # there is nothing to be sent once more yet
        assert ask(mock, "POST", f"/webhooks/{job}/redeliver")[0] == 409
        good(mock, "POST", f"/jobs/{job}/complete")
        first = receiver.next()
        good(mock, "POST", f"/webhooks/{job}/redeliver")
        second = receiver.next()
        mock.close()

    assert (first["status"], second) == ("success", first)
    assert [row["attempt"] for row in good(mock, "GET", f"/webhooks?job_id={job}")["webhooks"]] == [
        1,
        2,
    ]


def test_the_clock_can_be_moved_and_changed() -> None:
    """advance moves it; freeze, auto and real change its mode from now on, without a jump."""
    mock = make_mock(eta=30.0)
    job = submit(mock).body["id"]
    began = good(mock, "GET", "/clock")["now"]

    assert good(mock, "POST", "/clock/advance", {"seconds": 12.5}) == {
        "mode": "manual",
        "now": began + 12.5,
        "since_start_s": 12.5,
    }
    assert good(mock, "POST", "/clock/auto")["mode"] == "auto"
    assert [fetch(mock, job).body["status"] for _ in range(2)] == ["processing", "success"]
    assert good(mock, "POST", "/clock/real")["mode"] == "real"
    assert 30 <= good(mock, "POST", "/clock/freeze")["since_start_s"] < 60
    assert ask(mock, "POST", "/clock/advance", {"seconds": -1})[0] == 400
    assert ask(mock, "POST", "/clock/advance", {"seconds": "1"})[0] == 400


def test_rules_come_and_go() -> None:
    """A rule that is posted acts; the list shows its counts; deleting forgets all."""
    mock = make_mock()
    good(mock, "POST", "/rules", {"scenario": "no_credits", "times": 2, "key": KEY})
    refused = submit(mock).body["status"]
    ungated = {"after": 0, "probability": 1.0, "from_s": 0.0}

    assert (refused, good(mock, "GET", "/rules")) == (
        "error",
        {
            "rules": [
                {
                    "scenario": "no_credits",
                    "times": 2,
                    "key": "***6789",
                    **ungated,
                    "seen": 1,
                    "used": 1,
                }
            ]
        },
    )
    assert good(mock, "DELETE", "/rules") == {}
    assert submit(mock).body["status"] == "processing"
    code, reply = ask(mock, "POST", "/rules", {"scenario": "nonsense"})
    assert (
        code,
        reply["error"].startswith("there is no scenario 'nonsense'; there are success, "),
    ) == (400, True)


def test_reset() -> None:
    """The journal alone, or everything but the ids."""
    mock = make_mock()
    submit(mock)
    mock.scenario("failed")
    good(mock, "POST", "/reset", {"journal_only": True})
    kept = len(mock.requests), len(tuple(mock.jobs)), len(mock.rules)
    good(mock, "POST", "/reset")

    assert (kept, len(tuple(mock.jobs)), mock.rules, mock.generations) == (
        (0, 1, 1),
        0,
        (),
        0,
    )
    assert submit(mock).body["id"] == 100_000_002
    good(mock, "DELETE", "/requests")
    assert mock.requests == ()


def test_scenarios_and_settings_are_shown_without_secrets() -> None:
    """All scenarios with their sentences; all settings but keys and token."""
    mock = make_mock(keys=frozenset({KEY, "another-secret"}), eta=7.0)
    shown = good(mock, "GET", "/settings")

    assert (shown["eta"], "keys" in shown, "admin_token" in shown) == (7.0, False, False)
    assert [row["name"] for row in good(mock, "GET", "/scenarios")["scenarios"]] == list(SCENARIOS)


@pytest.mark.parametrize(
    "headers, code",
    [
        ({"host": "evil.example"}, 421),
        ({"host": "evil.example:4010"}, 421),
        ({"host": ""}, 200),
        ({"host": "localhost:4010"}, 200),
        ({"host": "[::1]:4010"}, 200),
        ({"host": "LOCALHOST:4010", "origin": "http://localhost:4010"}, 200),
        ({"host": "["}, 421),
        ({"host": "[::1"}, 421),
        ({"host": "[::1]x"}, 421),
        ({"host": "127.0.0.1:x"}, 421),
        ({"host": "127.0.0.1.evil.example"}, 421),
        ({"host": "evil.example@127.0.0.1"}, 421),
        ({"host": "127.0.0.1/evil.example"}, 421),
        ({"host": "127.0.0.1, evil.example"}, 421),
        ({"host": "93.184.216.34"}, 421),
        ({"origin": ""}, 403),
        ({"origin": "http://["}, 403),
        ({"origin": "//127.0.0.1:4010"}, 403),
        ({"origin": "file://127.0.0.1:4010"}, 403),
        ({"origin": "http://evil.example@127.0.0.1:4010"}, 403),
        ({"sec_fetch_site": "none, cross-site"}, 403),
        ({"sec_fetch_site": ""}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "http://127.0.0.1:3000"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:4010"}, 200),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "same-site"}, 403),
        ({"sec_fetch_site": "same-origin"}, 200),
        ({"content_type": "text/plain"}, 415),
        ({"content_type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_pages_of_others_are_kept_out(headers: dict[str, str], code: int) -> None:
    """Rebound names, foreign origins and forms are refused, and nothing is changed."""
    mock = make_mock()
    submit(mock)

    assert ask(mock, "POST", "/reset", {}, **headers)[0] == code
    assert len(tuple(mock.jobs)) == (0 if code == 200 else 1)


@pytest.mark.parametrize(
    "headers, body, code",
    [
        ({}, b"", 200),
        ({"content-type": ""}, b"", 200),
        ({"content-type": "text/plain;charset=UTF-8"}, b"", 200),
        ({"content-type": "application/json"}, b"", 200),
        ({"origin": "http://127.0.0.1:4010", "sec-fetch-site": "same-origin"}, b"", 200),
        ({"sec-fetch-mode": "cors"}, b"", 200),  # as Node sends it
        ({}, b"{}", 415),
        ({"content-type": "text/plain"}, b"{}", 415),
        ({"content-type": "application/x-www-form-urlencoded"}, b"", 415),
        ({"content-type": "multipart/form-data"}, b"", 415),
        ({"origin": "https://evil.example"}, b"", 403),
        ({"origin": "null"}, b"", 403),
        ({"sec-fetch-site": "cross-site"}, b"", 403),
        ({"sec-fetch-site": "same-site", "content-type": "text/plain"}, b"", 403),
    ],
)
def test_a_post_without_arguments_needs_no_body(
    headers: dict[str, str], body: bytes, code: int
) -> None:
    """An empty body needs no media type, wherever it does not come from a page of another."""
    mock = make_mock()
    submit(mock)
    answer = administer(mock, AdminCall("POST", "/__admin/reset", "", HOST | headers, body))

    assert answer.code == code
    assert len(tuple(mock.jobs)) == (0 if code == 200 else 1)


def test_no_reply_invites_other_origins() -> None:
    """No CORS header is ever sent, not even to a preflight."""
    mock = make_mock()
    for method in ("OPTIONS", "GET", "POST"):
        headers = (
            HOST
            | JSON
            | {
                "origin": "https://evil.example",
                "access-control-request-method": "POST",
            }
        )
        answer = administer(mock, AdminCall(method, "/__admin/health", "", headers))
        assert [name for name in answer.headers if name.startswith("access-control")] == []
        assert answer.code == 403


@pytest.mark.parametrize(
    "options, host, code",
    [
        ({}, "192.168.1.5:4010", 200),
        ({}, "[fe80::1]:4010", 200),
        ({}, "evil.example:4010", 421),
        ({"public_url": "http://mock.test:4010"}, "Mock.Test:4010", 200),
        ({"public_url": "http://mock.test:4010"}, "other.test:4010", 421),
    ],
)
def test_off_loopback_it_is_reached_by_address_or_by_its_public_name(
    options: dict[str, Any], host: str, code: int
) -> None:
    """An address in Host cannot have been pointed elsewhere by a page; a name can, so only that of
    --public-url is taken.
    """
    mock = make_mock(host="0.0.0.0", admin_token="secret-token-1", **options)

    assert ask(mock, "GET", "/health", host=host, authorization="Bearer secret-token-1")[0] == code


@pytest.mark.parametrize(
    "given, code",
    [
        ("", 401),
        ("Bearer wrong-token-1", 401),
        ("secret-token-1", 200),
        ("Bearer secret-token-1", 200),
        ("Bearer ü", 401),
    ],
)
def test_a_token_is_asked_for(given: str, code: int) -> None:
    """With a token set, a call without it is refused, and the refusal does not say it."""
    mock = make_mock(admin_token="secret-token-1")
    got, reply = ask(mock, "GET", "/health", **({"authorization": given} if given else {}))

    assert (got, "secret-token-1" in json.dumps(reply)) == (code, False)


@pytest.mark.parametrize(
    "method, path, body, code, said",
    [
        ("GET", "/helth", None, 404, "Did you mean /__admin/health?"),
        ("GET", "/xyzzy", None, 404, "There are /clock"),
        ("PUT", "/health", None, 405, "takes GET"),
        ("POST", "/reset", b"[1]", 400, "must be a JSON object"),
        ("POST", "/reset", b"{", 400, ""),
        (
            "POST",
            "/reset",
            {"journal": True},
            400,
            "There is no journal here; did you mean journal_only?",
        ),
        ("POST", "/reset", {"journal_only": 1}, 400, "journal_only has the wrong type"),
        ("POST", "/requests/find", {"code": True}, 400, "code has the wrong type"),
        ("GET", "/health?x=1", None, 400, "there are no arguments"),
        ("GET", "/health?x", None, 400, "There is no x here"),
        ("GET", "/requests?mock=1", None, 400, "There is no mock here; there are method, path, "),
        ("GET", "/requests?_=1", None, 400, "There is no _ here"),
        ("GET", "/requests?number=1", None, 400, "There is no number here"),
        ("GET", "/requests?limit=", None, 400, "limit has the wrong type"),
        ("GET", "/requests?limit=-1", None, 400, "limit must be a whole number from 0."),
        ("GET", "/requests?limit=1&limit=2", None, 400, "An argument appears twice"),
        ("GET", "/requests?" + "x=1&" * 51, None, 400, "A query may have at most 50 arguments."),
        (
            "GET",
            "/requests?scenario=nonsense",
            None,
            400,
            "There is no scenario 'nonsense'; there are success, instant, ",
        ),
        (
            "GET",
            "/requests?fault=RESET",
            None,
            400,
            "There is no fault 'RESET'; there are EMPTY_RESPONSE, ",
        ),
        (
            "POST",
            "/requests/find",
            {"operation": "x"},
            400,
            "operation must be one of POST /image_editing/flux_headshot, ",
        ),
        (
            "GET",
            "/jobs?state=done",
            None,
            400,
            "There is no state 'done'; there are processing, success, failed",
        ),
        ("GET", "/jobs?state=", None, 400, "There is no state ''"),
        ("POST", "/reset?journal_only=true", {}, 400, "Arguments belong in the body, as JSON."),
        (
            "POST",
            "/verdict",
            {"waive": {"request-violation": None}},
            400,
            "waive must map the ids of rules to reasons",
        ),
        ("POST", "/clock/advance", None, 400, "seconds is missing; send a JSON body such as {"),
        ("POST", "/clock/advance", {}, 400, "seconds is missing; send a JSON body such as {"),
        (
            "POST",
            "/clock/advance",
            {"seconds": 1e308},
            400,
            "seconds must be a number from 0 to 1000000000.",
        ),
    ],
)
def test_bad_calls_are_told_what_is_wrong(
    method: str, path: str, body: Any, code: int, said: str
) -> None:
    """A misspelt path, a wrong method, arguments that are not there: one sentence each, never a
    5xx.
    """
    headers = {"content_type": "application/json"} if method == "PUT" else {}
    got, reply = ask(make_mock(), method, path, body, **headers)

    assert (got, said in reply["error"]) == (code, True)


@pytest.mark.parametrize("method, pattern", [route[:2] for route in ROUTES])
def test_every_route_survives_nonsense(method: str, pattern: str) -> None:
    """Whatever arguments a route is given, it answers with a code below 500."""
    bodies: list[dict[str, Any]] = [
        {"x": 1},
        {"seconds": 1e308},
        {"seconds": 10**30},
        {"message": []},
        {"limit": -5},
        {"times": []},
    ]
    for body in [*bodies, {"body": {"a": [1]}}, {"scenario": "failed", "body": {"a": [1]}}]:
        mock = make_mock()
        submit(mock)
        path = pattern.replace("([0-9]{1,18})", "100000001")
        data = json.dumps(body).encode() if method == "POST" else b""
        query = (
            "" if method == "POST" else "&".join(f"{name}={value}" for name, value in body.items())
        )
        assert (
            administer(mock, AdminCall(method, f"/__admin{path}", query, HOST | JSON, data)).code
            < 500
        )


WEIRD = st.sampled_from(
    [
        "",
        "[",
        "[::1",
        "http://[",
        "\x00",
        "null",
        "evil.example",
        "\ud800",
        "ü",
        "a@b",
        "cross-site",
        "text/plain",
        "é" * 99,
    ]
)
PARTS = st.sampled_from(
    [
        name
        for name in re.split(r"\W+", " ".join(route.pattern for route in ROUTES))
        if name.isalpha()
    ]
)
PATHS = st.one_of(
    st.sampled_from(
        [
            route.pattern.replace("([0-9]{1,18})", number)
            for route in ROUTES
            for number in ("100000001", "9" * 18, "9" * 19, "x")
        ]
    ),
    st.lists(PARTS | st.text(max_size=3), max_size=4).map(lambda parts: "/" + "/".join(parts)),
)
NAMES = st.sampled_from(
    sorted(
        {name for route in ROUTES for name in route.kinds or ()}
        | {one.name for one in fields(Rule)}
    )
)
NAMES |= st.sampled_from(["mock", "self", "_", "number", "arguments", ""])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from([*SCENARIOS, *FAULTS, "success", 0, 1, 1e9]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)
MEMBERS = st.dictionaries(NAMES, VALUES, max_size=3)
CALLS = st.builds(
    AdminCall,
    st.sampled_from(["GET", "POST", "DELETE", "PUT", "HEAD", "OPTIONS", "", "get"])
    | st.sampled_from(["GET", "POST"]),
    PATHS.map(lambda path: f"/__admin{path}"),
    st.just("")
    | MEMBERS.map(lambda members: urlencode(members, errors="replace"))
    | st.text(max_size=20),
    st.dictionaries(
        st.sampled_from(["host", "origin", "sec-fetch-site", "authorization", "content-type"]),
        WEIRD,
        max_size=2,
    ).map(lambda weird: HOST | JSON | weird)
    | st.just(HOST | JSON),
    st.just(b"")
    | MEMBERS.map(lambda members: json.dumps(members).encode())
    | st.binary(max_size=20)
    | st.just(b"[" * 5_000),
)


def changeable(mock: Mock) -> list[object]:
    """All that a call can change, except the journal."""
    moment = 0 if mock.clock.mode == "real" else mock.clock.now()
    return [
        mock.jobs,
        mock.rules,
        mock.webhooks,
        mock.generations,
        mock.clock.mode,
        moment,
        mock.settings,
    ]


def state(mock: Mock) -> list[object]:
    """All that a call can change."""
    return [*changeable(mock), mock.requests]


@given(st.lists(CALLS, min_size=1, max_size=4), st.sampled_from([None, "secret-token-1"]))
@settings(max_examples=200)
def test_whatever_comes_is_answered_and_what_is_refused_changes_nothing(
    calls: list[AdminCall], token: str | None
) -> None:
    """Any method, path, query, headers and body: JSON with a code below 500; from 400 on with a
    sentence, and all is as it was.
    """
    mock = make_mock(admin_token=token, queue_mode="sequential", credits=10, refunds="on")
    for prefer in ("scenario=stuck", "scenario=failed", "polls=2"):
        submit(mock, prefer)
    for call in calls:
        before = state(mock)
        answer = administer(mock, call)
        reply = json.loads(answer.content, parse_constant=pytest.fail)

        assert answer.code in (200, 400, 401, 403, 404, 405, 409, 415, 421)
        assert answer.code == 200 or (
            state(mock) == before
            and isinstance(reply["error"], str)
            and len(reply["error"]) < 2_000
        )
    assert submit(mock).code == 200
    mock.close()


def test_a_reset_puts_the_clock_back_into_its_mode() -> None:
    """A clock that a test has frozen does not stand still for the tests after it."""
    mock = make_mock(clock="auto")
    mock.set_clock("manual")
    mock.clock.advance(60)
    moment = mock.clock.now()

    mock.reset()

    assert (mock.clock.mode, mock.clock.now()) == ("auto", moment)


def test_a_reset_that_cannot_read_its_rules_changes_nothing(tmp_path: Path) -> None:
    """With the file of --rules gone, or spoilt, a reset is refused and says why; with it back, it
    resets.
    """
    file = tmp_path / "rules.json"
    file.write_text('[{"scenario": "failed"}]')
    mock = make_mock(rules=str(file))
    submit(mock)
    before = state(mock)
    file.unlink()
    gone = ask(mock, "POST", "/reset")
    file.write_text('[{"scenario": "nonsense"}]')
    spoilt = ask(mock, "POST", "/reset")

    assert (gone[0], gone[1]["error"]) == (
        409,
        "Nothing was reset: --rules must name a file that can be read (No such file or directory)",
    )
    assert (
        spoilt[0],
        "there is no scenario 'nonsense'" in spoilt[1]["error"],
        state(mock) == before,
    ) == (409, True, True)
    file.write_text('[{"scenario": "instant"}]')
    assert (good(mock, "POST", "/reset"), mock.jobs, mock.rules) == (
        {},
        (),
        (Rule("instant"),),
    )


@pytest.mark.parametrize(
    "method, path",
    [("DELETE", "/rules"), ("POST", "/clock/auto"), ("POST", "/reset"), ("POST", "/rules")],
)
def test_every_change_waits_for_the_call_that_is_being_answered(method: str, path: str) -> None:
    """While the mock is at work on a call, nothing changes under its hands."""
    states: list[list[object]] = []

    def change_meanwhile(_: Call, decision: Decision) -> Decision:
        states.append(changeable(mock))
        change.start()
        change.join(0.1)
        states.append(changeable(mock))
        return decision

    mock = make_mock(transform_reply=change_meanwhile)
    mock.scenario("failed")
    body = {"scenario": "instant"} if path == "/rules" else {}
    change = threading.Thread(target=ask, args=(mock, method, path, body))
    mock.handle(Call("GET", "/nowhere"))
    change.join(10)

    before, meanwhile = states
    assert (meanwhile == before, changeable(mock) == before) == (True, False)


def test_so_many_near_misses_are_explained() -> None:
    """The last hundred, for each takes time; a trailing slash is no part of an id."""
    mock = make_mock(eta=0.0)
    last = submit(mock).body["id"]
    for number in range(150):
        fetch(mock, f"{last}{number % 10}/")
    rows = good(mock, "GET", "/requests/unmatched/near-misses")["near_misses"]

    assert (len(rows), rows[0]["hint"]) == (100, f"There is no job {last}0. Did you mean {last}?")


def test_over_a_socket(fauxlab_server: Mock) -> None:
    """Behind a real server, too, its calls are not journaled, and it waits for nobody's lock."""
    base = fauxlab_server.url.removesuffix("/api/v6")
    httpx.post(f"{base}{SUBMIT}", json=VALID)
    reply = httpx.post(f"{base}/__admin/requests/find", json={"code": 200})

    assert (reply.status_code, reply.headers["content-type"], reply.headers["cache-control"]) == (
        200,
        "application/json",
        "no-store",
    )
    assert [row["number"] for row in reply.json()["requests"]] == [1]
    assert httpx.get(f"{base}/__admin/health", headers={"Host": "evil.example"}).status_code == 421
    assert len(fauxlab_server.requests) == 1
