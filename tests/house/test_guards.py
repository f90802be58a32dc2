"""The house rules that no linter knows: which way imports point, what modules export, what the
project may not speak of.
"""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import fauxlab
import fauxlab_contract
import fauxlab_mock
from rooms import PACKAGES as PACKAGE_ROOMS
from rooms import ROOMS, drawing

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    "fauxlab_contract": ROOT / "contract",
    "fauxlab_mock": ROOT / "mock_server",
    "fauxlab_client": ROOT / "client",
    "fauxlab": ROOT / "fauxlab",
}


def module_name(path: Path) -> str:
    """contract/fauxlab_contract/check/plan.py -> fauxlab_contract.check.plan"""
    parts = path.relative_to(ROOT).with_suffix("").parts[1:]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = [
    pytest.param(package, path, id=module_name(path))
    for package, folder in PACKAGES.items()
    for path in sorted((folder / package).rglob("*.py"))
]
OURS = set(PACKAGES)
# Third-party package -> the only modules that may import it; a package that is not named here may
# be imported by none.
THIRD_PARTY = {
    "jsonschema": {"fauxlab_contract.openapi.validator"},
    "referencing": {"fauxlab_contract.openapi.validator"},
    "jsonschema_rs": {
        "fauxlab_contract.openapi.validator",
        "fauxlab_contract.openapi.reader",
        "fauxlab_contract.openapi.formats",
        "fauxlab_contract.openapi.keywords",
        "fauxlab_contract.openapi.structure",
    },
    "yaml": {"fauxlab_contract.core.yaml12", "fauxlab_contract.openapi.positions"},
    "rfc3986_validator": {"fauxlab_contract.openapi.formats"},
    "starlette": {"fauxlab_mock.server.app"},
    "time_machine": {"fauxlab_mock.clock.wall"},
    "uvicorn": {"fauxlab_mock.server.protocol", "fauxlab_mock.server.uvicorn_server"},
    "hypothesis": {
        "fauxlab_contract.check.phases.shrink",
        "fauxlab_contract.generation.drawing",
        "fauxlab_contract.generation.strategies",
        "fauxlab_contract.generation.search",
    },
    "PIL": {"fauxlab_mock.engine.pictures", "fauxlab_client._face"},
    "anyio": {"fauxlab_mock.inprocess.httpx_adapter", "fauxlab_mock.inprocess.pauses"},
    "respx": {"fauxlab_mock.inprocess.httpx_adapter"},
    "aiohttp": {"fauxlab_mock.inprocess.aiohttp_adapter"},
    "uvloop": {
        "fauxlab_mock.clock.loops",
        "fauxlab_mock.inprocess.no_network",
        "fauxlab_mock.server.uvicorn_server",
    },
    "trio": {"fauxlab_mock.clock.trio_runs"},
    "urllib3": {"fauxlab_mock.inprocess.connection_adapter"},
    "pytest": {
        "fauxlab.pytest_plugin.choices",
        "fauxlab.pytest_plugin.guard",
        "fauxlab.pytest_plugin.guard_baseline",
        "fauxlab.pytest_plugin.fixtures",
    },
    "httpx": {
        "fauxlab_contract.check.target",
        "fauxlab_mock.inprocess.httpx_adapter",
        "fauxlab_client._urls",
        "fauxlab_client._shared",
        "fauxlab_client._transport",
        "fauxlab_client._client",
        "fauxlab_client._async_client",
    },
}


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, at its top or inside a function."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            yield node.module or ""


def room_of(module: str) -> str:
    """fauxlab_mock.server.app -> server; fauxlab_client._flow -> client; a package itself -> ""."""
    package, _, rest = module.partition(".")
    if package == "fauxlab_client":
        return "client"
    return "" if rest in ("", "_lazy", "_parts", "__main__") else rest.partition(".")[0]


def arrows() -> dict[tuple[str, str], str]:
    """(room, other room that it imports) -> the module that does."""
    found: dict[tuple[str, str], str] = {}
    for package, folder in PACKAGES.items():
        for path in sorted((folder / package).rglob("*.py")):
            name = module_name(path)
            for module in imports(path):
                if module.partition(".")[0] in OURS:
                    found.setdefault((room_of(name), room_of(module)), name)
    return {pair: name for pair, name in found.items() if "" not in pair and pair[0] != pair[1]}


ALLOWED = {(room, other) for room, below in ROOMS.items() for other in below.split()}


@pytest.mark.parametrize("package", [fauxlab, fauxlab_contract, fauxlab_mock])
def test_dir_lists_the_public_names_alone(package: Any) -> None:
    """Who completes a name in a shell sees what may be used, and Python's own names."""
    names = [name for name in dir(package) if not name.startswith("__")]

    assert names == sorted(name for name in package.__all__ if not name.startswith("__"))


def test_the_table_of_rooms_leads_down() -> None:
    """A room of tools/rooms.py imports rooms of earlier lines only; else the code is misplaced."""
    order = list(ROOMS)

    assert [(a, b) for a, b in sorted(ALLOWED) if order.index(b) >= order.index(a)] == []


def test_imports_follow_the_table_of_rooms() -> None:
    """Each import between rooms is in tools/rooms.py, and each arrow there is imported.

    A new arrow downward: add the word there and draw anew. An arrow upward: move the code.
    """
    found = arrows()

    assert {pair: name for pair, name in found.items() if pair not in ALLOWED} == {}
    assert ALLOWED - found.keys() == set()


@pytest.mark.parametrize("package, path", MODULES)
def test_only_named_modules_import_other_packages(package: str, path: Path) -> None:
    """Nobody imports a package's `__init__`, and third-party packages only where the table says."""
    name = module_name(path)
    found = set(imports(path))
    ours = {module for module in found if module.partition(".")[0] in OURS}
    faces = {module for module in ours if module in OURS or module.partition(".")[2] in ROOMS}
    others = {module.partition(".")[0] for module in found} - OURS - sys.stdlib_module_names

    assert faces - {"fauxlab_mock.settings"} == set(), "import the module, not the package"
    assert {other for other in others if name not in THIRD_PARTY.get(other, ())} == set()


def test_there_is_no_import_cycle() -> None:
    """All modules can be put in an order in which each imports only earlier ones."""
    graph = {
        module_name(path): {module for module in imports(path) if module.partition(".")[0] in OURS}
        for package, folder in PACKAGES.items()
        for path in (folder / package).rglob("*.py")
        if path.name != "__init__.py"
    }
    remaining = dict(graph)
    while free := [name for name, needs in remaining.items() if not needs & remaining.keys()]:
        for name in free:
            del remaining[name]

    assert remaining == {}


def test_the_drawing_of_the_rooms_is_fresh() -> None:
    """docs/rooms.svg is what tools/rooms.py draws, and it shows every room."""
    shown = [room for rooms in PACKAGE_ROOMS.values() for room in rooms]

    assert sorted(shown) == sorted(ROOMS)
    assert (ROOT / "docs" / "rooms.svg").read_text(encoding="utf-8") == drawing()


def test_no_folder_is_crowded() -> None:
    """A room holds thirteen files at most (`__init__` aside); the client is flat, like httpx."""
    crowded = {
        str(folder.relative_to(ROOT)): size
        for package, top in PACKAGES.items()
        for folder in [top / package, *(top / package).rglob("*")]
        if folder.is_dir() and package != "fauxlab_client"
        if (size := len([path for path in folder.glob("*.py") if path.name != "__init__.py"])) > 14
    }

    assert crowded == {}


@pytest.mark.parametrize(
    "package, path",
    [module for module in MODULES if module.id != "fauxlab.__main__"],  # it is only run
)
def test_every_public_module_lists_its_names_sorted(package: str, path: Path) -> None:
    """`__all__` exists, is sorted (constants, classes, functions), and each of its names is really
    there.
    """
    module = importlib.import_module(module_name(path))

    assert list(module.__all__) == sorted(
        module.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name)
    )
    assert [name for name in module.__all__ if not hasattr(module, name)] == []


@pytest.mark.parametrize("package, path", MODULES)
def test_every_module_says_what_it_is_for(package: str, path: Path) -> None:
    """Each module begins with a docstring."""
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "module, banned",
    [
        (
            "fauxlab_mock",
            {"starlette", "uvicorn", "jsonschema", "yaml", "PIL", "fauxlab_mock.runtime.mock"},
        ),
        (
            "fauxlab_contract",
            {"jsonschema", "jsonschema_rs", "yaml", "fauxlab_contract.openapi.document"},
        ),
        (
            "fauxlab.cli.main",
            {
                "asyncio",
                "importlib.metadata",
                "starlette",
                "uvicorn",
                "jsonschema",
                "jsonschema_rs",
                "yaml",
                "PIL",
                "httpx",
            },
        ),
        (
            "fauxlab.pytest_plugin.fixtures",
            {
                "respx",
                "httpx",
                "starlette",
                "hypothesis",
                "jsonschema_rs",
                "yaml",
                "time_machine",
                "fauxlab_mock.runtime.mock",
            },
        ),
        (
            "fauxlab.pytest_plugin.guard",
            {
                "respx",
                "httpx",
                "requests",
                "aiohttp",
                "jsonschema_rs",
                "fauxlab_contract.guard.guard",
            },
        ),
        (
            "fauxlab_mock.server.uvicorn_server",
            {"jsonschema", "rfc3986_validator", "PIL", "httpx", "hypothesis"},
        ),
    ],
)
def test_imports_stay_light(module: str, banned: set[str]) -> None:
    """Importing a package or the command does not import what only a later step needs."""
    code = (
        f"import sys, {module}; print([name for name in {sorted(banned)!r} if name in sys.modules])"
    )

    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )

    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "folder", ["contract", "mock_server", "client", "tests", "examples", "benchmarks", "docs"]
)
def test_the_project_speaks_of_itself_alone(folder: str) -> None:
    """No file names a package index, a home folder or another machine's path."""
    words = ("pypi.org", "pythonhosted", "/home/", "/root/", "/work/", "/Users/")
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in {".py", ".md", ".toml", ".yaml", ".txt"} and path.name != "test_guards.py"
        for word in words
        if word in path.read_text(encoding="utf-8")
    ]

    assert found == []


def test_the_pins_name_no_index() -> None:
    """The pinned requirements hold names, versions and hashes, and no address."""
    text = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")

    assert "--hash=sha256:" in text
    assert [line for line in text.splitlines() if "index-url" in line or "://" in line] == []
