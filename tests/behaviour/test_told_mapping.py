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


def test_a_table_is_joined_as_a_dict_is() -> None:
    """The right one wins, and what comes of it is a dict of one's own; with no other kind."""
    table: Any = ToldMapping("Prices in euros.", {"tea": 2, "coffee": 3})

    assert [table | {"tea": 1}, {"tea": 1, "water": 0} | table] == [
        {"tea": 1, "coffee": 3},
        {"tea": 2, "water": 0, "coffee": 3},
    ]
    assert table | table == table
    with pytest.raises(TypeError):
        table | 7


def test_a_name_is_looked_up_without_an_exception() -> None:
    """A name that is not there is asked for with each call; what cannot be a name is an error."""
    table: Any = ToldMapping("Prices in euros.", {"tea": 2})

    assert ["tea" in table, "milk" in table, table.get("milk")] == [True, False, None]
    assert "__contains__" in vars(ToldMapping)
    with pytest.raises(TypeError):
        table.__contains__([])
