"""The public tables of the mock's behaviour: what `help` says of them, and that they stay."""

from __future__ import annotations

import pydoc
from collections.abc import Mapping
from typing import Any

import pytest

from fauxlab_mock.behaviour.faults import FAULTS
from fauxlab_mock.behaviour.scenarios import SCENARIOS
from fauxlab_mock.behaviour.told_mapping import ToldMapping


def told(table: Any) -> list[str]:
    """The lines of `help`, without its title."""
    return [line.strip() for line in pydoc.plain(pydoc.render_doc(table)).splitlines()[2:]]


def test_help_says_what_a_table_holds() -> None:
    """What it is, and a line for each name; nothing about the methods of a mapping."""
    table = ToldMapping("Prices in euros.", {"tea": 2, "coffee": 3}, lambda price: f"{price} EUR")

    assert told(table) == [
        "{'tea': 2, 'coffee': 3}",
        "Prices in euros.",
        "",
        "tea     2 EUR",
        "coffee  3 EUR",
    ]


@pytest.mark.parametrize("table", [SCENARIOS, FAULTS])
def test_help_of_the_public_tables(table: Mapping[str, Any]) -> None:
    """Each name has its line."""
    assert [line.split()[0] for line in told(table)[3:]] == [*table]


@pytest.mark.parametrize("table", [SCENARIOS, FAULTS])
def test_a_public_table_cannot_be_changed(table: Any) -> None:
    """Another part of the program reads the same one."""
    with pytest.raises(TypeError):
        table["new"] = "row"
