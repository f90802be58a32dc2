"""One broken client of each row in the trials that tell, and correct ones in all of them. `make
mutants` scores them all.
"""

from __future__ import annotations

import re

import pytest

from client_mutants.catalogue import CORRECT, MUTANTS, Candidate
from client_mutants.other_reasons import DESERVED, OF_TIME, UNSEEN
from client_mutants.reasons import FORMS, KNOWN_MISSES, deserved
from fauxlab_mock.client_check.check import check_client
from fauxlab_mock.client_check.report import CLIENT_RULES
from other_programs import OTHERS, load_program

# row -> trials that tell
TELLING: dict[str, tuple[str, ...]] = {
    **{f"C{number}": ("arguments",) for number in range(1, 11)},
    **{f"C{number}": ("success",) for number in (11, 12, 13, 14, 20, 28)},
    "C15": ("slow",),
    "C16": ("stuck", "fetch empty response always"),
    "C17": ("no_credits", "failed"),
    "C18": ("submit without status", "fetch unknown status"),
    "C19": ("processing with output",),
    "C21": ("submit connection reset by peer", "slow", "stuck"),
    "C22": ("no_credits", "fetch refused"),
    "C23": ("queue_full once", "fetch rate_limited once"),
    "C24": ("instant", "slow"),
    "C25": ("success", "no_credits", "success_without_output", "arguments"),
    "C26": ("foreign_fetch_result", "redirecting_fetch"),
    "C29": ("side by side",),
    "C30": ("plain http", "untrusted tls"),
    "C31": ("no_credits", "failed"),
    "C32": ("cancelled", "failed"),
    "C33": ("stuck", "submit never answered", "fetch never answered"),
}
ONE_OF_EACH = tuple({one.row: one for one in reversed(MUTANTS)}.values())
PROMPT = [
    one
    for one in CORRECT
    if one.id in ("plain requests", "listens requests", "session requests", "fauxlab_client httpx")
]


@pytest.mark.slow
@pytest.mark.parametrize("candidate", ONE_OF_EACH, ids=lambda one: one.id)
def test_a_broken_client_is_caught(candidate: Candidate) -> None:
    """One form of each row has a finding of the rule that it deserves."""
    with candidate.opened() as make:
        report = check_client(make, trials=TELLING[candidate.row])

    rules = {finding.rule for finding in report.findings}
    assert rules & deserved(candidate.name) != set(), rules


def test_each_form_deserves_a_rule_of_the_check() -> None:
    """Every broken client has an expectation, and each of its rules exists."""
    names = {candidate.name for candidate in MUTANTS}
    rules = {rule for name in names for rule in deserved(name)}

    assert rules - set(CLIENT_RULES) == set()
    assert set(FORMS) | set(KNOWN_MISSES) <= names
    assert [name for name, reason in KNOWN_MISSES.items() if len(reason) < 20] == []


@pytest.mark.slow
@pytest.mark.parametrize("candidate", PROMPT, ids=lambda one: one.id)
def test_a_correct_client_yields_nothing(candidate: Candidate) -> None:
    """Whatever its habits, in all trials."""
    with candidate.opened() as make:
        report = check_client(make)

    assert (str(report).splitlines()[1:], report.is_ok) == ([], True)


def test_every_row_has_a_broken_client() -> None:
    """C1 to C33, but for the handlers of C27, which have a check of their own; at least two forms
    or libraries each.
    """
    counts = {row: sum(one.row == row for one in MUTANTS) for row in {one.row for one in MUTANTS}}

    assert sorted(counts, key=lambda row: int(row[1:])) == [
        f"C{number}" for number in range(1, 34) if number != 27
    ]
    assert [row for row, count in counts.items() if count < 2] == []
    assert all(re.fullmatch(r"C\d+\.[a-z]+", one.name) for one in MUTANTS)


def test_each_bug_of_others_deserves_a_rule_or_cannot_be_seen() -> None:
    """The table of the other score board is whole; it may name rules that are still to come."""
    bugs = {one.name for one in load_program(OTHERS / "broken_clients.py").TWINS}

    assert {*DESERVED, *UNSEEN} == bugs
    assert DESERVED.keys() & UNSEEN.keys() == set()
    assert OF_TIME - set(CLIENT_RULES) == set()
