"""The broken twins of the programs in tests/others."""

import ast
import importlib.util
from pathlib import Path
from typing import Any

import pytest

OTHERS = Path(__file__).parents[1] / "others"


def twins(table: str) -> list[Any]:
    spec = importlib.util.spec_from_file_location(table, OTHERS / f"{table}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: list[Any] = module.TWINS
    return found


@pytest.mark.parametrize("table, number", [("broken_clients", 103), ("broken_servers", 80)])
def test_each_broken_twin_can_be_made(table: str, number: int) -> None:
    """Each change fits the right program as it stands, and gives a program that compiles."""
    broken = twins(table)

    made = [twin.source() for twin in broken]

    assert len(made) == number
    for twin, source in zip(broken, made, strict=True):
        is_for_node = table == "broken_servers" and twin.program().suffix == ".js"
        assert is_for_node or ast.parse(source, twin.name).body
