"""Texts for patterns, as Hypothesis finds them."""

from __future__ import annotations

import pytest

from fauxlab_contract.generation import search
from fauxlab_contract.generation.search import text_of


@pytest.mark.parametrize(
    "pattern, least, most, text",
    [
        ("^[0-9]{4}-[A-Z]{2}$", 0, None, "0000-AA"),
        ("^job_[0-9]+$", 0, None, "job_0"),
        ("^job_[0-9]+$", 8, 8, "job_0000"),
        ("^(a|bc)+$", 3, None, "aaa"),
        ("^[а-я]{2}$", 0, None, "аа"),  # Cyrillic
        ("^(?<year>[0-9]{4})$", 0, None, "0000"),
        ("^[a-z]{4}$", 5, None, None),
        ("^[a-z]{4}$", 0, 3, None),
        (r"^\p{L}+$", 0, None, None),
        ("^(?!x)x", 0, None, None),
    ],
)
def test_a_text_is_found_for_a_pattern(
    pattern: str, least: int, most: int | None, text: str | None
) -> None:
    """It is simple, printable where it can be, and within the lengths; else there is none."""
    assert text_of(pattern, least, most) == text


def test_a_text_for_a_long_pattern_takes_no_time() -> None:
    """The first text is taken, because making it smaller takes the square of its length."""
    assert text_of("^[a-z]{300}$") == "a" * 300


def test_without_hypothesis_no_text_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that does without Hypothesis is told what cannot be made, as before."""
    monkeypatch.setattr(search, "missing", list)

    assert text_of("^only in this test[0-9]$") is None
