"""docs/api.md describes every public name, with its room and its signature."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path

import pytest

import fauxlab

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
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
