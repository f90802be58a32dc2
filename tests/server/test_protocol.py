"""What the server uses of uvicorn's private protocols is there, and is all that it uses."""

from __future__ import annotations

import ast
import importlib
import inspect
from pathlib import Path

import pytest

from fauxlab_mock.server import protocol

CLASSES = [
    node
    for node in ast.parse(Path(protocol.__file__).read_text(encoding="utf-8")).body
    if isinstance(node, ast.ClassDef)
]


def own_names() -> set[str]:
    """Everything that our mixins define themselves."""
    names = set()
    for node in (member for cls in CLASSES for member in cls.body):
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            assert isinstance(target, ast.Name)
            if node.value is not None:
                names.add(target.id)
    return names | {"mock", "lent", "idle", "stop"}


def read_of(owner: str) -> set[str]:
    """Every attribute that our mixins use of `owner`: self.transport -> transport."""
    return {
        node.attr
        for cls in CLASSES
        for node in ast.walk(cls)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == owner
    }


@pytest.mark.parametrize("name", protocol.USED)
def test_uvicorn_has_what_we_use(name: str) -> None:
    """Each name of the table is a member of its class, or is set on its instances."""
    module, _, cls = name.partition(":")
    found = getattr(importlib.import_module(module), cls)
    source = inspect.getsource(found)

    missing = [
        used
        for used in protocol.USED[name].split()
        if not hasattr(found, used) and f"self.{used}" not in source
    ]

    assert missing == []


def named(kind: str) -> set[str]:
    """Every name in the rows of USED for protocols, or for cycles."""
    rows = (names for key, names in protocol.USED.items() if key.endswith(kind))
    return {name for names in rows for name in names.split()}


def test_the_table_names_all_that_we_use() -> None:
    """The table is just what our mixins call, read or override of uvicorn."""
    of_protocols = (read_of("self") - own_names()) | (read_of("super()") - {"read"})

    assert of_protocols - named("Protocol") == set()
    assert named("Protocol") - of_protocols - own_names() == set()
    assert read_of("cycle") | read_of("self.cycle") == named("Cycle")
