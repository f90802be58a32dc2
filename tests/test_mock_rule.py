"""Scenarios that a test sets for the calls to come."""

from __future__ import annotations

from typing import Any

import pytest

from driving import fetch, make_mock, submit
from fauxlab_mock.mock import Mock


def statuses(mock: Mock, count: int) -> list[str]:
    return [submit(mock).body["status"] for _ in range(count)]


def test_a_scenario_holds_for_so_many_calls() -> None:
    """After its times are over, the setting counts again."""
    mock = make_mock()
    mock.scenario("no_credits", times=2)

    assert statuses(mock, 3) == ["error", "error", "processing"]


def test_scenarios_follow_each_other() -> None:
    """The first that was set is used up before the next begins; one without times stays."""
    mock = make_mock()
    mock.scenario("no_credits", times=1)
    mock.scenario("instant")

    assert statuses(mock, 3) == ["error", "success", "success"]


def test_a_planned_failure_waits_for_a_submit() -> None:
    """A scenario that plans a job is not used up by a fetch; one that refuses is."""
    mock = make_mock(eta=0.0, polls=1)
    first = submit(mock).body["id"]
    mock.scenario("failed", times=1)

    assert fetch(mock, first).body["status"] == "processing"
    second = submit(mock).body["id"]
    assert [fetch(mock, job).body["status"] for job in (second, first, second)] == ["processing", "success", "failed"]

    mock.scenario("rate_limited", times=1)
    assert [fetch(mock, first).body["status"] for _ in range(2)] == ["error", "success"]


def test_what_a_call_chooses_itself_goes_before() -> None:
    """The Prefer header and a scenario key win, and use nothing up."""
    mock = make_mock()
    mock.scenario("no_credits", times=1)

    assert [submit(mock, "scenario=instant").body["status"], submit(mock, key="mock_instant").body["status"]] == ["success", "success"]
    assert statuses(mock, 2) == ["error", "processing"]


@pytest.mark.parametrize("arguments", [{"name": "nonsense"}, {"name": "failed", "times": 0}, {"name": "failed", "times": True}])
def test_nonsense_is_refused_at_once(arguments: dict[str, Any]) -> None:
    """An unknown scenario or a count below one raises where it is set, not when it would be used."""
    with pytest.raises(ValueError, match=r"the scenarios are success, .*|times must be a whole number from 1"):
        make_mock().scenario(**arguments)
