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
CALLABLES = [name for name in SECTIONS if re.match(rf"`{name}\(", SECTIONS[name].lstrip())]
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


@pytest.mark.parametrize("name", CALLABLES)
def test_the_parameters_on_the_page_are_the_real_ones(name: str) -> None:
    """A signature on the page names the parameters in order; `…` stands for some left out."""
    signature = SECTIONS[name].partition("`")[2].partition("`")[0]
    arguments = signature.partition("(")[2].partition(" -> ")[0]
    written = re.findall(r"(?:^|, )\**(\w+)(?=[:=,)])", arguments)
    real = list(inspect.signature(getattr(fauxlab, name)).parameters)

    assert written == [parameter for parameter in real if parameter in written]
    assert written == real or "…" in arguments


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
