"""What the client knew when, as far as the journal shows it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from driving import fetch, make_mock, submit
from fauxlab_contract.core.records import Exchange, JobFacts, WebhookAttempt
from fauxlab_contract.verdict.history import JobHistory, are_together, elapsed_s

JOB = JobFacts(7, "owner", 0.0, 10.0, 10.0, "success", True, "success")


BLANK = Exchange(0, 0.0, 0.0, "POST", "/", None, None, 0, 200, None)


def exchange(number: int, **members: Any) -> Exchange:
    return replace(BLANK, number=number, **members)


@pytest.mark.parametrize(
    "after, until, has_news",
    [(1, 2, False), (2, 2, False), (2, 3, True), (3, 3, True), (4, 9, True), (5, 5, False)],
    ids=["before", "just before", "meanwhile", "between", "still going on", "after"],
)
def test_a_webhook_between_two_calls(after: int, until: int, has_news: bool) -> None:
    """The calls 3 and 5 have a webhook between them when it may have been received there."""
    life = JobHistory(
        JOB, attempts=[WebhookAttempt(1, 0.0, 0.0, 7, 1, 200, "", False, after, until)]
    )

    assert life.has_news(exchange(3), exchange(5)) is has_news


def test_a_pause_may_be_part_virtual_and_part_real() -> None:
    """A pause is as long as both parts together; two calls are together if neither part is long."""
    first, moved, slept = exchange(1), exchange(2, at=5.0, real_s=0.25), exchange(3, real_s=8.0)
    close = exchange(4, at=0.375, real_s=0.375)

    assert [elapsed_s(first, second) for second in (moved, slept, close)] == [5.25, 8.0, 0.75]
    assert [are_together(first, second) for second in (moved, slept, close)] == [False, False, True]


@pytest.mark.parametrize(
    "fault, delay_s, known",
    [
        (None, 0.0, (True, False)),
        (None, 2.0, (False, False)),
        ("DRIBBLE", 0.0, (False, False)),
        ("HANG", 2.0, (False, True)),
    ],
)
def test_an_answer_is_heard_or_lost_or_neither(
    fault: str | None, delay_s: float, known: tuple[bool, bool]
) -> None:
    """(heard for certain, lost for certain)"""
    one = exchange(1, fault=fault, delay_s=delay_s)

    assert (one.is_heard, one.is_lost) == known


@pytest.mark.parametrize("asks, due_s", [(False, 10.0), (True, 40.0)])
def test_a_job_that_nobody_asked_for_is_due_at_its_eta(asks: bool, due_s: float) -> None:
    """One that was fetched while it was processed is due at its end; two minutes later it is
    abandoned.
    """
    mock = make_mock(eta=10.0)
    job = submit(mock, "scenario=slow").body["id"]
    mock.clock.advance(10)
    if asks:
        fetch(mock, job)
    mock.clock.advance(due_s - 10 + 119)
    early = mock.verdict()
    mock.clock.advance(1)

    assert (early.findings, early.not_judged) == ((), ("abandoned-job",))
    assert [finding.rule for finding in mock.verdict().findings] == ["abandoned-job"]
