"""docs/api.md describes every public name, with its room and its signature."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path

import pytest

import fauxlab

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
SECTIONS = {
    section.partition("\n")[0]: section.partition("\n")[2]
    for section in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]
}
FUNCTIONS = [name for name in fauxlab.__all__ if inspect.isfunction(getattr(fauxlab, name))]
EXAMPLES = re.findall(r"^```python\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE)


def test_the_page_has_every_public_name_and_no_other() -> None:
    """The headings of docs/api.md are the public names of `fauxlab`, each once."""
    headings = re.findall(r"^### (.*)$", PAGE, re.MULTILINE)

    assert sorted(headings) == sorted(fauxlab.__all__)


@pytest.mark.parametrize("name", fauxlab.__all__)
def test_each_name_has_its_signature_its_room_and_a_sentence(name: str) -> None:
    """Below a heading stand the signature and the room in one line, and then a sentence."""
    head, blank, sentence = SECTIONS[name].splitlines()[:3]
    quoted = re.findall("`([^`]+)`", head.partition(" · needs ")[0])
    signature, room = quoted[0], quoted[-1]

    assert re.search(rf"\b{name}\b|^Literal", signature)
    assert getattr(importlib.import_module(room), name) is getattr(fauxlab, name)
    assert (blank, sentence[0].isupper()) == ("", True)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_has_its_parameters_in_order(name: str) -> None:
    """The signature on the page names the parameters of the function, all of them."""
    signature = SECTIONS[name].partition("`")[2].partition("`")[0]
    arguments = signature.partition("(")[2]
    written = re.findall(r"(?:^|, )\**(\w+)(?=[:=,)])", arguments.partition(" -> ")[0])

    assert written == list(inspect.signature(getattr(fauxlab, name)).parameters)


@pytest.mark.parametrize("code", EXAMPLES, ids=range(len(EXAMPLES)))
def test_the_examples_work(code: str) -> None:
    """Each example of the page runs, and its assertions hold."""
    exec(compile(code, "docs/api.md", "exec"), {})  # noqa: S102 # our own page


def is_public(name: str) -> bool:
    """True for a room, such as fauxlab_contract.guard, and for a name that a room or root lists."""
    package, room, *rest = name.split(".")
    if room in importlib.import_module(package).__all__:
        return rest == []
    module = importlib.import_module(f"{package}.{room}")
    is_room = hasattr(module, "__path__") or room == "settings"
    return is_room and (rest == [] or rest[0] in module.__all__)


@pytest.mark.parametrize(
    "path",
    [
        ROOT / "README.md",
        *sorted((ROOT / "docs").glob("*.md")),
        *sorted((ROOT / "examples").glob("*.py")),
    ],
    ids=lambda path: path.name,
)
def test_pages_name_public_modules_only(path: Path) -> None:
    """A dotted name of our packages on a page is a package, a room, or a public name in one."""
    text = path.read_text(encoding="utf-8")
    dotted = re.findall(r"\bfauxlab_(?:contract|mock|client)(?:\.[A-Za-z_]\w*)+", text)

    assert [name for name in dotted if not is_public(name)] == []
