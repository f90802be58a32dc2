"""What pyproject.toml says of versions is what CI tries."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
OF_CLIENTS = {"aiohttp": "3.9.0"}  # libraries of clients that are patched -> the lowest that works


def pins(name: str) -> dict[str, str]:
    """Package -> version of each line `package==version` in a file of requirements/."""
    text = (ROOT / "requirements" / name).read_text("utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)==([^ \n]+)", text, re.MULTILINE))


def floors() -> dict[str, str]:
    """Package -> floor of each dependency, that of the extra `pytest` included."""
    asked = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["pytest"]]
    # the whole specifier: a dependency without a floor, or with a cap, is not of this form
    found = [re.fullmatch(r"([a-z0-9-]+)>=([0-9.]+)(;.*)?", text) for text in asked]
    assert None not in found, asked
    return {match[1]: match[2] for match in found if match}


def test_the_floors_are_the_versions_that_are_tried() -> None:
    """Each dependency has a floor and no cap, and `make test-lowest` installs just that floor."""
    lowest = floors()
    tried = pins("lowest.in")

    assert lowest | OF_CLIENTS == tried
    assert tried == {name: pins("lowest.txt")[name] for name in tried}


def test_the_floors_of_clients_are_told() -> None:
    """What no dependency of ours names, but our patches reach into, has its floor in the docs."""
    told = (ROOT / "docs" / "dependencies.md").read_text("utf-8")

    assert [name for name, floor in OF_CLIENTS.items() if f"| {name} {floor} |" not in told] == []


def test_a_plain_install_has_everything_but_pytest() -> None:
    """The extra `pytest` brings pytest alone, and `check` nothing; both names still resolve."""
    extras = PROJECT["optional-dependencies"]

    assert {name: [re.split("[>=]", item)[0] for item in extras[name]] for name in extras} == {
        "check": [],
        "pytest": ["pytest"],
    }
