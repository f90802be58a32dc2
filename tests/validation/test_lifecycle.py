"""The order of states, and what must hold between the replies of one job."""

from __future__ import annotations

from typing import Any

import pytest

from fauxlab_contract.core.conventions import Conventions, Fields, Words
from fauxlab_contract.core.violation import Violation
from fauxlab_contract.validation.lifecycle import has_ended, job_violations, may_follow, remaining_s

LINK = "https://example.com/1.png"
SUBMIT = {"status": "processing", "id": 7, "eta": 5, "output": [], "future_links": [LINK]}
POLL = {"status": "processing", "output": ""}
DONE = {"status": "success", "id": 7, "output": [LINK]}
FAILED = {"status": "failed", "id": 7, "message": "no", "output": ""}


@pytest.mark.parametrize(
    "replies",
    [
        pytest.param(
            [SUBMIT, POLL, POLL | {"eta": 5}, POLL | {"eta": 0}, DONE, DONE], id="success"
        ),
        pytest.param([SUBMIT, POLL, FAILED, FAILED], id="failure"),
        pytest.param([DONE], id="success at once"),
        pytest.param([SUBMIT, DONE | {"id": None}], id="a null id, which the schema judges"),
        pytest.param([], id="no reply"),
    ],
)
def test_good_histories_break_no_rule(replies: list[dict[str, Any]]) -> None:
    """Processing, then one final state for ever, breaks nothing."""
    assert job_violations(replies, Conventions()) == ()


@pytest.mark.parametrize(
    "replies, violation",
    [
        pytest.param(
            [SUBMIT, DONE, POLL],
            Violation("/status", "order", "still success", 'the text "processing"'),
            id="success falls back",
        ),
        pytest.param(
            [SUBMIT, FAILED, DONE],
            Violation("/status", "order", "still failed", 'the text "success"'),
            id="failure recovers",
        ),
        pytest.param([SUBMIT, DONE | {"id": 8}], Violation("/id", "same", 7, "8"), id="id changes"),
        pytest.param(
            [SUBMIT, DONE | {"id": "7"}],
            Violation("/id", "same", 7, 'the text "7"'),
            id="id changes its type",
        ),
        pytest.param(
            [SUBMIT | {"id": 1}, DONE | {"id": True}],
            Violation("/id", "same", 1, "true"),
            id="id becomes true",
        ),
        pytest.param(
            [SUBMIT | {"eta": -1}, DONE],
            Violation("/eta", "minimum", 0, "-1"),
            id="first eta negative",
        ),
        pytest.param(
            [SUBMIT, POLL | {"eta": -1}, DONE],
            Violation("/eta", "minimum", 0, "-1"),
            id="later eta negative",
        ),
        pytest.param(
            [SUBMIT, POLL | {"eta": 6}, DONE],
            Violation("/eta", "not-growing", 5, "6"),
            id="eta grows",
        ),
        pytest.param(
            [SUBMIT | {"output": [LINK]}, DONE],
            Violation("/output", "empty", "nothing while processing", "an array with 1 item"),
            id="output while processing",
        ),
        pytest.param(
            [POLL, {"status": "success", "id": 7, "output": []}],
            Violation("/output", "not-empty", "a link at success", "an empty array"),
            id="no output at success",
        ),
        pytest.param(
            [POLL, {"status": "success", "id": 7}],
            Violation("/output", "not-empty", "a link at success", "null"),
            id="output missing",
        ),
        pytest.param(
            [SUBMIT, DONE | {"output": [LINK, LINK]}],
            Violation("/output", "same", "an array with 1 item", "an array with 2 items"),
            id="output is not what was promised",
        ),
        pytest.param(
            [POLL, DONE, DONE | {"output": [LINK, LINK]}],
            Violation("/output", "same", "an array with 1 item", "an array with 2 items"),
            id="output changes after success",
        ),
    ],
)
def test_each_rule_has_its_violation(replies: list[dict[str, Any]], violation: Violation) -> None:
    """One broken rule is one violation, which can be compared and hashed."""
    found = job_violations(replies, Conventions())

    assert (found, {*found}) == ((violation,), {violation})


@pytest.mark.parametrize("eta", ["3", None, True, [], {}])
def test_an_eta_of_another_type_is_left_to_the_schema(eta: Any) -> None:
    """Cross-reply rules look at numbers only, and do not stumble over anything else."""
    assert job_violations([SUBMIT, POLL | {"eta": eta}, DONE], Conventions()) == ()


def test_a_document_s_own_names_are_used() -> None:
    """Field names and words come from the conventions."""
    conventions = Conventions(
        Fields(status="state", eta="left"), Words(processing="queued", success="done")
    )

    found = job_violations(
        [{"state": "done", "output": [LINK]}, {"state": "queued", "left": -1}], conventions
    )

    assert found == (
        Violation("/state", "order", "still done", 'the text "queued"'),
        Violation("/left", "minimum", 0, "-1"),
    )


@pytest.mark.parametrize("after", ["processing", "success", "failed", "error"])
@pytest.mark.parametrize("before", ["processing", "success", "failed", "error"])
def test_only_processing_may_change(before: str, after: str) -> None:
    """Every final state stays what it is."""
    assert may_follow(Words(), before, after) is (before in ("processing", after))


@pytest.mark.parametrize(
    "now, polls, ended",
    [
        (104.999, 9, False),
        (105.0, 1, False),
        (105.0, 2, True),
        (200.0, 2, True),
        (105.0 - 5e-7, 2, True),
    ],
)
def test_a_job_has_ended_when_time_and_polls_are_over(now: float, polls: int, ended: bool) -> None:
    """Both the time and the polls must be over; a rounding error of the clock does not count."""
    assert has_ended(now=now, ends_at=105.0, polls_answered=polls, polls_planned=2) is ended


@pytest.mark.parametrize(
    "now, eta",
    [(100.0, 5), (100.1, 5), (104.0, 1), (104.2, 1), (105.0, 0), (106.0, 0), (100.0000001, 5)],
)
def test_the_eta_is_whole_seconds_and_never_negative(now: float, eta: int) -> None:
    """What remains is rounded up, and 0 after the end."""
    assert remaining_s(now=now, announced_end=105.0) == eta


def test_an_early_not_found_breaks_nothing() -> None:
    """A reply about an unknown id is about no job, so it spoils no job's history."""
    replies: list[dict[str, object]] = [
        {"status": "processing", "id": 5, "output": []},
        {"status": "failed", "id": "", "message": "Request not found", "output": ""},
        {"status": "processing", "output": ""},
        {"status": "success", "id": 5, "output": ["https://example.com/a.png"]},
    ]

    assert job_violations(replies, Conventions()) == ()
