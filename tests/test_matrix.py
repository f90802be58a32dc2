"""Every outcome at every place by every way of choosing, without a line of code on the server's side."""

from __future__ import annotations

from typing import Any

import pytest

from driving import fetch, make_mock, submit
from fauxlab_mock.mock import Mock
from fauxlab_mock.rule import Rule
from receiving import receiving

WAYS = ("prefer", "key", "rule", "setting")
OUTCOMES = {"processing": "stuck", "success": "success", "failed": "failed"}


def world(way: str, scenario: str, eta: float = 5.0) -> tuple[Mock, dict[str, Any]]:
    """A mock on which `scenario` is chosen by `way`, and what a submit has to bring along."""
    mock = make_mock(eta=eta, scenario=scenario if way == "setting" else "success")
    if way == "rule":
        mock.add_rule(Rule(scenario=scenario))
    fields: dict[str, Any] = {"prefer": f"scenario={scenario}"} if way == "prefer" else {}
    return mock, fields | ({"key": f"mock_{scenario}"} if way == "key" else {})


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("outcome", ["processing", "success", "error"])
def test_at_the_submit(outcome: str, way: str) -> None:
    """The submit itself says processing, success or error."""
    mock, fields = world(way, {"processing": "success", "success": "instant", "error": "no_credits"}[outcome])

    assert submit(mock, **fields).body["status"] == outcome


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_at_the_fetch(outcome: str, way: str) -> None:
    """A fetch says processing, success or failed."""
    mock, fields = world(way, OUTCOMES[outcome])
    job = submit(mock, **fields).body["id"]
    mock.clock.advance(5)

    assert fetch(mock, job, **({"key": fields["key"]} if "key" in fields else {})).body["status"] == outcome


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_at_the_webhook(outcome: str, way: str) -> None:
    """A webhook says success or failed; while a job is processing there is none."""
    mock, fields = world(way, OUTCOMES[outcome])
    with receiving() as receiver:
        submit(mock, webhook=receiver.url, **fields)
        mock.clock.advance(5)
        came = [event["status"] for event in receiver.all()]

    assert came == ([] if outcome == "processing" else [outcome])
