"""The broken twins of the programs in tests/others."""

import ast

import pytest

from other_programs import OTHERS, load_program


@pytest.mark.parametrize("table, number", [("broken_clients", 103), ("broken_servers", 80)])
def test_each_broken_twin_can_be_made(table: str, number: int) -> None:
    """Each change fits the right program as it stands, and gives a program that compiles."""
    broken = load_program(OTHERS / f"{table}.py").TWINS

    made = [twin.source() for twin in broken]

    assert len(made) == number
    for twin, source in zip(broken, made, strict=True):
        is_for_node = table == "broken_servers" and twin.program().suffix == ".js"
        assert is_for_node or ast.parse(source, twin.name).body
