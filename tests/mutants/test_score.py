"""The checker's worth: it sees each kind of broken server, and leaves the right ones alone. `make
mutants` asks of all forms.
"""

from __future__ import annotations

import pytest

from fauxlab_contract.check.rules import RULES
from mutants.catalogue import MUTANTS
from mutants.freedoms import FREEDOMS
from mutants.others_reasons import DESERVED, EXPLAINED, UNJUDGED
from mutants.reasons import FORMS, KNOWN_MISSES, deserved
from mutants.score import TOLERATED, Case, scored
from other_programs import OTHERS, load_program

FIRST_FORMS = {
    mutant.row: name
    for name, mutant in reversed(list(MUTANTS.items()))
    if name not in {**TOLERATED, **KNOWN_MISSES}
}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(FIRST_FORMS.values()))
def test_the_first_form_of_each_row_is_found(name: str) -> None:
    """A server that is broken in one place has a finding of the rule that it deserves."""
    score = scored(Case(mutant=name))

    assert score.is_killed, (deserved(name), score.rules)


def test_each_row_deserves_a_rule_of_the_check() -> None:
    """Every mutant has an expectation, and each of its rules exists."""
    rules = {rule for name in MUTANTS for rule in deserved(name)}

    assert rules - set(RULES) == set()
    assert set(FORMS) | set(KNOWN_MISSES) <= set(MUTANTS)
    assert [name for name, reason in KNOWN_MISSES.items() if len(reason) < 20] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", [None, *sorted(FREEDOMS)])
def test_a_right_server_of_whatever_habits_has_no_finding(name: str | None) -> None:
    """Whatever the contract leaves open is not held against a server."""
    assert scored(Case(freedom=name)).rules == ()


def test_what_is_tolerated_is_a_mutant_and_has_a_reason() -> None:
    """What is not held against a server is a mutant, and has a sentence."""
    assert [
        name for name, reason in TOLERATED.items() if name not in MUTANTS or len(reason) < 20
    ] == []


def test_each_broken_server_of_others_has_its_rules() -> None:
    """The table of the other board names every twin, and rules that exist."""
    names = [twin.name for twin in load_program(OTHERS / "broken_servers.py").TWINS]
    rules = {rule for deserved_rules in DESERVED.values() for rule in deserved_rules.split()}

    assert list(DESERVED) == names
    assert rules - set(RULES) == {"not-judged"}
    assert [name for name, rules in DESERVED.items() if not rules] == list(UNJUDGED)
    assert {rule for rule, *_ in EXPLAINED} <= set(RULES)
