"""What a client sees of the scenarios that plan a job or change a reply.

Scenarios that refuse are tested in tests/engine.
"""

from __future__ import annotations

from typing import Any

import pytest

from driving import BUNDLED, KEY, fetch, get, make_mock, post, submit
from fauxlab_contract.core.conventions import Fields, Words
from fauxlab_contract.validation.bodies import response_violations
from fauxlab_mock.behaviour.quirks import ELSEWHERE
from fauxlab_mock.behaviour.scenarios import SCENARIOS
from fauxlab_mock.runtime.answer import Answer
from fauxlab_mock.runtime.mock import Mock

SUBMIT, FETCH = BUNDLED.operations
ETA_S = 10.0


def start(scenario: str, eta: float = ETA_S) -> tuple[Mock, Any]:
    """A mock, and the reply to a submit that prefers `scenario`."""
    mock = make_mock(eta=eta)
    return mock, submit(mock, f"scenario={scenario}").body


def statuses(mock: Mock, job: Any, *seconds: float) -> list[str]:
    """The status of a fetch after each of these times, counted from the submit."""
    began = mock.clock.now()
    seen = []
    for moment in seconds:
        mock.clock.advance_to(began + moment)
        seen.append(fetch(mock, job["id"]).body["status"])
    return seen


@pytest.mark.parametrize(
    "scenario, seconds, expected",
    [
        ("slow", (10, 39.9, 40), ["processing", "processing", "success"]),
        ("stuck", (10, 1_000, 86_400 * 365), ["processing"] * 3),
        ("failed_late", (10, 29.9, 30), ["processing", "processing", "failed"]),
        (
            "flapping",
            (9, 10, 11, 12, 13),
            ["processing", "success", "processing", "success", "success"],
        ),
    ],
)
def test_the_course_of_a_job(
    scenario: str, seconds: tuple[float, ...], expected: list[str]
) -> None:
    """What is announced stays the eta; what happens is what the scenario says."""
    mock, job = start(scenario)

    assert (job["status"], job["eta"], statuses(mock, job, *seconds)) == (
        "processing",
        10,
        expected,
    )


def test_a_stuck_job_keeps_its_patience_with_an_eta_of_nothing() -> None:
    """Without an announced time, slow and stuck jobs still take theirs; the eta in replies is 0
    then.
    """
    mock, job = start("stuck", eta=0.0)

    assert (job["status"], job["eta"], statuses(mock, job, 5)) == ("processing", 0, ["processing"])


def test_the_auto_clock_leaves_a_stuck_job_stuck() -> None:
    """There is no end to move to, so the auto clock stands still."""
    mock = make_mock(clock="auto")
    job = submit(mock, "scenario=stuck").body
    before = mock.clock.now()

    assert [fetch(mock, job["id"]).body["status"] for _ in range(3)] == ["processing"] * 3
    assert mock.clock.now() == before


def test_late_links_come_alive_at_the_third_read() -> None:
    """Reads before the end do not count; two after it are answered 404."""
    mock, job = start("late_links")
    link = job["future_links"][0]
    early = get(mock, link).code
    mock.clock.advance(10)

    assert (early, [get(mock, link).code for _ in range(4)]) == (404, [404, 404, 200, 200])


def test_expired_links_are_gone() -> None:
    """The job succeeds, and its picture cannot be had at any time."""
    mock, job = start("expired_links")
    mock.clock.advance(10)

    assert (fetch(mock, job["id"]).body["status"], get(mock, job["future_links"][0]).code) == (
        "success",
        404,
    )


def test_a_gateways_page_comes_instead_of_json() -> None:
    """maintenance_html answers every call with HTML and 503, in both error profiles."""
    mock = make_mock()
    reply = submit(mock, "scenario=maintenance_html")

    assert (reply.code, reply.headers["content-type"], reply.content[:15]) == (
        503,
        "text/html; charset=utf-8",
        b"<!DOCTYPE html>",
    )
    assert fetch(mock, 1, prefer="scenario=maintenance_html").content == reply.content


def test_a_redirecting_fetch_leads_elsewhere() -> None:
    """The submit is answered as ever; fetches of that job, and of no other, are redirected."""
    mock, job = start("redirecting_fetch")
    other = submit(mock).body
    reply = fetch(mock, job["id"])

    assert (reply.code, reply.headers["location"].startswith(ELSEWHERE)) == (307, True)
    assert fetch(mock, other["id"]).body["status"] == "processing"


def whole(scenario: str) -> list[Answer]:
    """Submit, a fetch while processing, a fetch after the end."""
    mock = make_mock(eta=ETA_S)
    first = submit(mock, f"scenario={scenario}")
    answers = [first, fetch(mock, 100_000_001)]
    mock.clock.advance(10)
    return [*answers, fetch(mock, 100_000_001)]


@pytest.mark.parametrize(
    "scenario, place, field, value",
    [
        ("float_eta", 0, "eta", 10.5),
        ("string_id", 0, "id", "100000001"),
        ("string_id", 2, "id", "100000001"),
        ("empty_proxy_links", 0, "proxy_links", ""),
        ("legacy_messege", 0, "messege", "Fetch the result once the estimated seconds are over."),
        ("legacy_messege", 1, "messege", "Not ready yet, try again later."),
        ("output_as_string", 0, "output", ""),
        ("success_without_output", 2, "status", "success"),
        (
            "foreign_fetch_result",
            0,
            "fetch_result",
            f"{ELSEWHERE}/api/v6/image_editing/fetch/100000001",
        ),
    ],
)
def test_quirks(scenario: str, place: int, field: str, value: object) -> None:
    """Each quirk changes the one thing that its name says, in every reply about its job."""
    assert whole(scenario)[place].body[field] == value


def test_a_quirk_changes_nothing_else() -> None:
    """Apart from the field that it bends, a bent reply is the ordinary one."""
    ordinary, bent = whole("success"), whole("string_id")

    assert [{**one.body, "id": None} for one in bent] == [
        {**one.body, "id": None} for one in ordinary
    ]
    assert whole("success_without_output")[2].body == {"status": "success", "id": 100_000_001}
    assert whole("output_as_string")[2].body["output"] == ordinary[2].body["output"][0]
    assert "message" not in whole("legacy_messege")[0].body


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_what_keeps_the_contract_and_what_breaks_it(scenario: str) -> None:
    """A reply is valid unless its scenario is marked as breaking the contract; then at least one
    reply of the whole breaks it.
    """
    answers = whole(scenario)
    broken = any(
        not isinstance(body := _body(answer), dict)
        or answer.code == 307
        or response_violations(operation, body)
        for answer, operation in zip(answers, (SUBMIT, FETCH, FETCH), strict=True)
    )
    if scenario == "flapping":
        broken = True  # what it breaks is the order of replies: see above

    assert broken == SCENARIOS[scenario].breaks_contract
    assert {answer.headers.get("x-mock-scenario", "success") for answer in answers[:1]} == {
        scenario
    }


def _body(answer: Answer) -> Any:
    is_page = answer.headers.get("content-type", "").startswith("text/html")
    return answer.content if is_page else answer.body


def test_the_scenario_stands_in_every_reply_about_its_job() -> None:
    """X-Mock-Scenario names the scenario that a job was planned by, on its fetches too."""
    assert [answer.headers.get("x-mock-scenario") for answer in whole("string_id")] == [
        "string_id"
    ] * 3


def test_a_preferred_quirk_on_a_fetch_touches_that_reply_alone() -> None:
    """A quirk can be asked for at a fetch; the next is plain."""
    mock, job = start("success")
    mock.clock.advance(10)
    bent = fetch(mock, job["id"], prefer="scenario=string_id").body

    assert (bent["id"], fetch(mock, job["id"]).body["id"]) == (str(job["id"]), job["id"])


def test_a_key_chooses_a_quirk_for_the_whole_job() -> None:
    """With the key mock_<scenario> no header is needed."""
    mock = make_mock(eta=0.0)
    job = submit(mock, key="mock_output_as_string").body

    assert job["output"] == "https://modelslab.com/generations/" + next(iter(mock.jobs)).files[0]


def test_quirks_follow_the_documents_own_names() -> None:
    """The table names roles, so a document with other words bends the same."""
    from fauxlab_contract.core.conventions import Conventions
    from fauxlab_mock.behaviour.quirks import QUIRKS

    conventions = Conventions(Fields(eta="wait", id="job"), Words())
    assert QUIRKS["float_eta"]({"wait": 1, "job": 2}, conventions) == {"wait": 1.5, "job": 2}
    assert QUIRKS["string_id"]({"wait": 1, "job": 2}, conventions) == {"wait": 1, "job": "2"}


def test_a_key_in_use_is_no_secret_of_a_refusal() -> None:
    """No reply of any scenario repeats the key."""
    for scenario in SCENARIOS:
        assert all(KEY.encode() not in answer.content for answer in whole(scenario))
        assert (
            KEY.encode()
            not in post(
                make_mock(),
                "/api/v6/image_editing/fetch/1",
                {"key": KEY},
                prefer=f"scenario={scenario}",
            ).content
        )
