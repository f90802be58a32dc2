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
    assert meant_field(name, ["key", "seed", "top_k"], [name]) == meant
