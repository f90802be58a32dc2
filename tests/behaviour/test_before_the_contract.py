"""What comes before anybody looks at a body: refusals of every call, faults and delays."""

from __future__ import annotations

import pytest

from driving import KEY, SUBMIT, VALID, make_mock, post, submit
from fauxlab_mock.behaviour.rules import Rule
from fauxlab_mock.behaviour.scenarios import SCENARIOS
from fauxlab_mock.runtime.answer import Answer
from fauxlab_mock.runtime.mock import Mock

FIRST = [name for name, scenario in SCENARIOS.items() if scenario.comes_first("submit")]
BROKEN = {"a field": {"key": KEY}, "no JSON": b"{", "no object": b"[]"}


def by_setting(scenario: str) -> tuple[Mock, str]:
    return make_mock(scenario=scenario, errors="status"), ""


def by_rule(scenario: str) -> tuple[Mock, str]:
    mock = make_mock(errors="status")
    mock.scenario(scenario)
    return mock, ""


def by_preference(scenario: str) -> tuple[Mock, str]:
    return make_mock(errors="status"), f"scenario={scenario}"


def told(answer: Answer) -> tuple[int, bytes]:
    return answer.code, answer.content


def test_what_comes_first() -> None:
    """All refusing scenarios do but the one that is about the body, and nothing else does."""
    refusing = {name for name, scenario in SCENARIOS.items() if scenario.does_refuse("submit")}

    assert set(FIRST) == refusing - {"rejected_image"}


@pytest.mark.parametrize("choose", [by_setting, by_rule, by_preference])
@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("scenario", FIRST)
def test_every_call_is_refused(scenario: str, broken: str, choose: object) -> None:
    """A request that breaks the contract is refused as a valid one is, however that was chosen."""
    assert callable(choose)
    mock, prefer = choose(scenario)
    expected = told(submit(mock, prefer))
    headers = {"prefer": prefer} if prefer else {}

    assert told(post(mock, SUBMIT, BROKEN[broken], **headers)) == expected


def test_a_key_chooses_the_refusal_of_a_broken_body_as_well() -> None:
    """The key of a scenario is read from a body that lacks everything else."""
    mock = make_mock(errors="status")

    assert post(mock, SUBMIT, {"key": "mock_unavailable"}).code == 503


def test_a_key_that_is_not_accepted_meets_an_outage_first() -> None:
    """Who is down looks at no key."""
    mock = make_mock(errors="status", keys=frozenset({"mine"}), scenario="unavailable")

    assert submit(mock).code == 503


@pytest.mark.parametrize("broken", BROKEN)
def test_faults_and_delays_act_on_what_breaks_the_contract(broken: str) -> None:
    """A rule's and a request's own; the answer on its way is still that of the contract."""
    mock = make_mock(errors="status")
    plain = told(post(mock, SUBMIT, BROKEN[broken]))
    mock.fault("HANG", times=1)
    mock.add_rule(Rule(delay="2", times=1))
    answers = [post(mock, SUBMIT, BROKEN[broken]) for _ in range(2)]
    answers += [
        post(mock, SUBMIT, BROKEN[broken], prefer=each) for each in ("fault=HANG", "delay=2")
    ]

    assert [(answer.effect.fault, answer.effect.delay_s) for answer in answers] == [
        ("HANG", 0.0),
        (None, 2.0),
    ] * 2
    assert {told(answer) for answer in answers} == {plain}
    assert mock.rules == mock.unused_rules == ()


@pytest.mark.parametrize("scenario", ["failed", "rejected_image"])
def test_a_scenario_about_jobs_or_bodies_waits_for_a_valid_one(scenario: str) -> None:
    """A request that breaks the contract is told so, and does not use up the rule."""
    mock = make_mock(errors="status")
    mock.scenario(scenario, times=1)
    refused = submit(mock, width=5000)

    assert (refused.code, refused.body["message"]) == (
        400,
        "width must be at most 1024, not 5000.",
    )
    assert "x-mock-scenario" not in refused.headers
    with pytest.raises(AssertionError, match=f"'{scenario}', times 1: no valid call matched it"):
        mock.assert_all_used()
    submit(mock)
    assert mock.rules == ()


def test_the_verdict_tells_the_violation_all_the_same() -> None:
    """A body that was refused before it was looked at is judged, and the answer names both."""
    mock = make_mock(scenario="maintenance_html")
    answer = submit(mock, width=5000)

    assert (answer.code, "/width" in answer.headers["x-mock-violations"]) == (503, True)
    (finding,) = mock.verdict().findings
    assert (finding.rule, finding.field, finding.message) == (
        "request-violation",
        "width",
        f"Request 1 (POST {SUBMIT}): width must be at most 1024, not 5000.",
    )


def test_a_valid_body_under_an_outage_is_no_finding() -> None:
    """The refusal alone is nobody's mistake."""
    mock = make_mock(scenario="unavailable")
    post(mock, SUBMIT, VALID)

    assert mock.verdict().findings == ()
