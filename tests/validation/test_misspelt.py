"""Which declared field an undeclared one was meant to be."""

from __future__ import annotations

import pytest

from fauxlab_contract.validation.misspelt import meant_field


@pytest.mark.parametrize(
    "name, meant",
    [("kye", "key"), ("sead", "seed"), ("top_p", ""), ("size", ""), ("topk", "top_k")],
)
def test_a_short_name_may_be_a_slip_or_another_word(name: str, meant: str) -> None:
    """A letter that is a word of its own makes another field."""
    assert meant_field(name, ["key", "seed", "top_k"], [name], ["key", "seed"]) == meant


@pytest.mark.parametrize(
    "name, meant", [("date", ""), ("dtaa", ""), ("DATA", "data"), ("dat", "data")]
)
def test_another_letter_makes_another_word_unless_the_field_is_required(
    name: str, meant: str
) -> None:
    """`date` is a field of the caller's own where `data` may be left out, and a slip where not."""
    assert meant_field(name, ["data"], [name]) == meant
    assert meant_field("date", ["data"], ["date"], ["data"]) == "data"


def test_two_swapped_letters_make_another_word_as_well() -> None:
    """`from` is a word of its own beside `form`; where `form` is required, it is missing."""
    meant = [meant_field("from", ["form"], ["from"], required) for required in ([], ["form"])]

    assert meant == ["", "form"]
