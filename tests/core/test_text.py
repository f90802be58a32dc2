"""Counts, long texts and wrong names in messages."""

from __future__ import annotations

from pathlib import Path

import pytest

from fauxlab_contract.core.text import (
    counted,
    cut,
    did_you_mean,
    nearest,
    no_such,
    not_one_of,
    number,
)


@pytest.mark.parametrize("number, text", [(0, "0 calls"), (1, "1 call"), (2, "2 calls")])
def test_numbers_have_their_noun(number: int, text: str) -> None:
    """One is singular, all else plural."""
    assert counted(number, "calls") == text


@pytest.mark.parametrize(
    "value, text", [(64.0, "64"), (64, "64"), (0.1, "0.1"), (-2.0, "-2"), (1e300, "1e+300")]
)
def test_a_number_is_written_as_people_write_it(value: float, text: str) -> None:
    """FastAPI writes 64.0 for the bound of an integer."""
    assert number(value) == text


@pytest.mark.parametrize("text, short", [("", ""), ("abcdef", "abcdef"), ("abcdefg", "abc...")])
def test_a_long_text_ends_in_dots(text: str, short: str) -> None:
    """A text of the limit stays whole, a longer one has just as many characters."""
    assert cut(text, 6) == short


def test_names_that_are_alike_are_found() -> None:
    """The most alike go first, as many as are asked for; how alike they must be can be said."""
    known = ["prompt", "width", "widths", "enhance_prompt"]

    assert nearest("widht", known, most=2) == ["width", "widths"]
    assert (nearest("prompt", known[3:]), nearest("prompt", known[3:], 0.8)) == ([known[3]], [])


@pytest.mark.parametrize(
    "name, near",
    [
        ("sead", ["seed"]),
        ("seet", ["seed"]),
        ("sede", ["seed"]),
        ("KYE", ["key"]),
        ("size", []),
        ("side", []),
        ("need", []),  # another word begins otherwise
        ("kex", []),
        ("see4", []),
        ("ab", []),
    ],
)
def test_one_slip_in_a_short_name_is_found(name: str, near: list[str]) -> None:
    """However alike two names must be: a letter of three or four is much of a name."""
    assert nearest(name, ["seed", "key", "ac"], 0.8) == near


def test_a_wrong_name_is_answered_with_names_that_exist() -> None:
    """Near names are proposed, and where there are none, all names are listed."""
    assert did_you_mean("widht", ["height", "width"]) == "did you mean width?"
    assert did_you_mean("widht", ["widths", "width"], most=2) == "did you mean width or widths?"
    assert did_you_mean("eta", ["height", "width"]) == "there are height, width"
    assert did_you_mean("hang", ["HANG"]) == "did you mean HANG?"


def test_a_name_that_is_not_there_is_named_with_its_neighbour() -> None:
    """An unknown name is told with the one that was meant, or with all."""
    known = ["boundaries", "lifecycle"]

    assert no_such("phase", "lifecycel", known) == (
        "there is no phase 'lifecycel'; did you mean lifecycle?"
    )
    assert no_such("phase", "x", known) == "there is no phase 'x'; there are boundaries, lifecycle"
    assert not_one_of("lifecycel", known) == "cannot be 'lifecycel'; did you mean lifecycle?"
    assert not_one_of("x", known) == "must be one of boundaries, lifecycle, not 'x'"


def test_names_are_compared_in_one_place() -> None:
    """Only core/text.py knows difflib."""
    root = Path(__file__).resolve().parents[2]
    folders = ("contract", "mock_server", "client", "fauxlab")
    files = [path for folder in folders for path in (root / folder).rglob("*.py")]

    assert [path.name for path in files if "import difflib" in path.read_text("utf-8")] == []
    assert [path.name for path in files if "from difflib" in path.read_text("utf-8")] == ["text.py"]
