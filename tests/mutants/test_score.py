"""The checker's worth: it sees each kind of broken server, and leaves the right ones alone. `make
mutants` asks of all forms.
"""

from __future__ import annotations

import pytest

from mutants.catalogue import MUTANTS
from mutants.freedoms import FREEDOMS
from mutants.score import TOLERATED, Case, scored

pytestmark = pytest.mark.slow
FIRST_FORMS = {
    mutant.row: name for name, mutant in reversed(list(MUTANTS.items())) if name not in TOLERATED
}


@pytest.mark.parametrize("name", sorted(FIRST_FORMS.values()))
def test_the_first_form_of_each_row_is_found(name: str) -> None:
    """A server that is broken in one place has at least one finding."""
    assert scored(Case(mutant=name)).rules != ()


@pytest.mark.parametrize("name", sorted(FREEDOMS))
def test_a_right_server_of_other_habits_has_no_finding(name: str) -> None:
    """Whatever the contract leaves open is not held against a server."""
    assert scored(Case(freedom=name)).rules == ()


def test_what_is_tolerated_is_a_mutant_and_has_a_reason() -> None:
    """The list of mutants that are not held against a server names mutants, each with a sentence."""
    assert [
        name for name, reason in TOLERATED.items() if name not in MUTANTS or len(reason) < 20
    ] == []
