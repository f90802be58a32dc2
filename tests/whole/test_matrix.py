"""Every outcome at every place by every way of choosing, without a line of code on the server's
side.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from driving import KEY, fetch, make_mock, submit
from fauxlab_mock.admin.api import AdminCall, administer
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.settings import from_environment
from receiving import receiving

WAYS = ("Prefer", "key", "control API", "Mock.scenario", "rules file", "--scenario")


def mock_and_call(way: str, scenario: str, folder: Path) -> tuple[Mock, str, str]:
    """A mock on which calls get `scenario` by `way`; and what they have to bring along for it: key
    and Prefer.
    """
    environment = {"FAUXLAB_ETA": "5"}
    if way == "--scenario":
        environment["FAUXLAB_SCENARIO"] = scenario
    if way == "rules file":
        environment["FAUXLAB_RULES"] = str(folder / "rules.yaml")
        (folder / "rules.yaml").write_text(f"- scenario: {scenario}\n")
    mock = make_mock(**from_environment(environment))
    if way == "Mock.scenario":
        mock.scenario(scenario)
    if way == "control API":
        headers = {"host": "localhost", "content-type": "application/json"}
        assert (
            administer(
                mock,
                AdminCall(
                    "POST",
                    "/__admin/rules",
                    "",
                    headers,
                    json.dumps({"scenario": scenario}).encode(),
                ),
            ).code
            == 200
        )
    return (
        mock,
        f"mock_{scenario}" if way == "key" else KEY,
        f"scenario={scenario}" if way == "Prefer" else "",
    )


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "outcome, scenario",
    [("processing", "success"), ("success", "instant"), ("error", "no_credits")],
)
def test_at_the_submit(outcome: str, scenario: str, way: str, tmp_path: Path) -> None:
    """The submit itself says processing, success or error."""
    mock, key, prefer = mock_and_call(way, scenario, tmp_path)

    assert submit(mock, prefer, key=key).body["status"] == outcome


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "outcome, scenario", [("processing", "stuck"), ("success", "success"), ("failed", "failed")]
)
def test_at_the_fetch_of_a_job_that_was_submitted_so(
    outcome: str, scenario: str, way: str, tmp_path: Path
) -> None:
    """Long after the eta a fetch that chooses nothing says processing, success or failed."""
    mock, key, prefer = mock_and_call(way, scenario, tmp_path)
    job = submit(mock, prefer, key=key).body["id"]
    before = fetch(mock, job, key).body["status"]
    mock.clock.advance(5)

    assert (before, fetch(mock, job, key).body["status"]) == ("processing", outcome)


@pytest.mark.parametrize("way", WAYS)
def test_an_error_at_the_fetch_alone(way: str, tmp_path: Path) -> None:
    """A fetch says error, of a job that was submitted well; the job is not touched by it."""
    mock, key, prefer = mock_and_call(way, "server_error", tmp_path)
    job = submit(mock, "scenario=success").body["id"]
    mock.clock.advance(5)

    assert fetch(mock, job, key, prefer).body["status"] == "error"
    assert fetch(mock, job, prefer="scenario=success").body["status"] == "success"


@pytest.mark.parametrize(
    "outcome, scenario", [("processing", "stuck"), ("success", "success"), ("failed", "failed")]
)
def test_a_fetch_may_prefer_any_outcome(outcome: str, scenario: str) -> None:
    """Whatever its job was planned for, one fetch is answered as it asks."""
    mock = make_mock(eta=5.0)
    jobs = [
        submit(mock, f"scenario={planned}").body["id"] for planned in ("stuck", "success", "failed")
    ]
    mock.clock.advance(5)

    assert [fetch(mock, job, prefer=f"scenario={scenario}").body["status"] for job in jobs] == [
        outcome
    ] * 3


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "outcome, scenario",
    [
        (["processing"], "stuck"),
        (["success", "success"], "success"),
        (["failed", "failed"], "failed"),
        (["success", "processing"], "webhook_before_success"),
        (["success"], "webhook_lost"),
    ],
)
def test_at_the_webhook(outcome: list[str], scenario: str, way: str, tmp_path: Path) -> None:
    """A webhook says success or failed, as a fetch at that moment does, or before it does; of a job
    in process, or lost, there is none.
    """
    mock, key, prefer = mock_and_call(way, scenario, tmp_path)
    seen: list[str] = []
    with receiving() as receiver:
        job = submit(mock, prefer, key=key, webhook=receiver.url).body["id"]
        receiver.meanwhile = lambda event: seen.extend(
            [event["status"], fetch(mock, job, key).body["status"]]
        )
        mock.clock.advance(5)
        mock.close()

    assert (seen or [fetch(mock, job, key).body["status"]]) == outcome
