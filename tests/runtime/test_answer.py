"""The header that carries violations."""

from __future__ import annotations

import json

from fauxlab_contract.core.violation import Violation
from fauxlab_mock.runtime.answer import violations_header


def test_the_header_of_violations_holds_as_many_as_fit_into_4_kib() -> None:
    """The list ends before the limit, is still JSON, and leaves no room for the next one."""
    violations = tuple(Violation(f"/field{i:03}", "maximum", 5, "7") for i in range(200))

    header = violations_header(violations)

    rows = json.loads(header)
    assert [row["pointer"] for row in rows] == [f"/field{i:03}" for i in range(len(rows))]
    assert 4_096 - len(header) // len(rows) - 2 <= len(header) <= 4_096


def test_a_long_value_is_cut_to_80_characters() -> None:
    """80 characters stand as they are, the end of a longer text becomes three points."""
    texts = ["x" * 80, "x" * 81]
    violations = tuple(Violation("/a", "enum", 5, text) for text in texts)

    rows = json.loads(violations_header(violations))

    assert [row["found"] for row in rows] == ["x" * 80, "x" * 77 + "..."]
