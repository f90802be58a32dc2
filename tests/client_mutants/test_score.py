"""One broken client of each row in the trials that tell, and correct ones in all of them. `make
mutants` scores them all.
"""

from __future__ import annotations

import re

import pytest

from client_mutants.catalogue import CORRECT, MUTANTS, Candidate
from fauxlab_mock.client_check.check import check_client

pytestmark = pytest.mark.slow
# row -> trials that tell, rules of which one must be found
TELLING: dict[str, tuple[tuple[str, ...], str]] = {
    **{
        f"C{number}": (("arguments",), "contract-violation")
        for number in (1, 2, 3, 4, 5, 6, 7, 8, 9)
    },
    "C10": (("arguments",), "misspelt-field argument-lost"),
    "C11": (("success",), "contract-violation"),
    "C12": (("success",), "wrong-path-or-method"),
    "C13": (("success",), "unknown-id wrong-path-or-method"),
    "C14": (("success",), "contract-violation gave-up"),
    "C15": (("slow",), "polled-too-fast polled-before-eta polled-without-backoff"),
    "C16": (("stuck", "fetch empty response, always"), "endless"),
    "C17": (("no_credits", "failed"), "error-taken-for-success polled-after-end"),
    "C18": (("submit without status", "fetch unknown status"), "crashed endless"),
    "C19": (("processing with output",), "wrong-result crashed"),
    "C20": (("success",), "wrong-result"),
    "C21": (("submit connection reset by peer", "slow", "stuck"), "duplicate-submit"),
    "C22": (("no_credits", "fetch refused"), "retried-permanent-error"),
    "C23": (("queue_full once", "fetch rate_limited once"), "ignored-retry-after"),
    "C24": (("instant", "slow"), "key-in-url"),
    "C25": (("success", "no_credits", "success_without_output", "arguments"), "key-leaked"),
    "C26": (("foreign_fetch_result", "redirecting_fetch"), "key-sent-elsewhere"),
    "C28": (("success",), "polled-after-end polled-after-webhook"),
    "C29": (("side by side",), "mixed-up"),
    "C30": (("plain http", "untrusted tls"), "plain-http tls-not-verified"),
    "C31": (("no_credits", "failed"), "message-lost"),
    "C32": (("cancelled", "failed"), "cancel-leaks polled-after-end"),
}
ONE_OF_EACH = tuple({one.row: one for one in reversed(MUTANTS)}.values())
PROMPT = [
    one
    for one in CORRECT
    if one.id in ("plain requests", "listens requests", "session requests", "fauxlab_client httpx")
]


@pytest.mark.parametrize("candidate", ONE_OF_EACH, ids=lambda one: one.id)
def test_a_broken_client_is_caught(candidate: Candidate) -> None:
    """One form of each row, by the rule that is about it."""
    trials, rules = TELLING[candidate.row]

    with candidate.opened() as make:
        found = {finding.rule for finding in check_client(make, trials=trials).findings}

    assert found & set(rules.split()) != set()


@pytest.mark.parametrize("candidate", PROMPT, ids=lambda one: one.id)
def test_a_correct_client_yields_nothing(candidate: Candidate) -> None:
    """Whatever its habits, in all trials."""
    with candidate.opened() as make:
        report = check_client(make)

    assert (str(report).splitlines()[1:], report.is_ok) == ([], True)


def test_every_row_has_a_broken_client() -> None:
    """C1 to C32, but for the handlers of C27, which have a check of their own; at least two forms
    or libraries each.
    """
    counts = {row: sum(one.row == row for one in MUTANTS) for row in {one.row for one in MUTANTS}}

    assert sorted(counts, key=lambda row: int(row[1:])) == [
        f"C{number}" for number in range(1, 33) if number != 27
    ]
    assert [row for row, count in counts.items() if count < 2] == []
    assert all(re.fullmatch(r"C\d+\.[a-z]+", one.name) for one in MUTANTS)
