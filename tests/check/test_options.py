"""The options of a server check: what cannot be meant is refused before the first call."""

from __future__ import annotations

from typing import Any

import pytest

from fauxlab_contract.check.options import Options

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"key": ""}, "key must be a string that is not empty"),
    ({"profile": "nonsense"}, "profile must be strict or as-written, not 'nonsense'"),
    ({"errors": "bogus"}, "errors must be any, envelope or status, not 'bogus'"),
    (
        {"only": ("examples", "boundries")},
        "only must be a tuple of one or more phases, not ('examples', 'boundries');"
        " the phases are examples, boundaries, properties, lifecycle, webhook, robustness",
    ),
    (
        {"only": "boundaries"},
        "only must be a tuple of one or more phases, not 'boundaries'; the phases"
        " are examples, boundaries, properties, lifecycle, webhook, robustness",
    ),
    (
        {"only": ()},
        "only must be a tuple of one or more phases, not (); the phases are examples, boundaries,"
        " properties, lifecycle, webhook, robustness",
    ),
    ({"max_calls": -1}, "max_calls must be 0 or more, or None, not -1"),
    ({"max_submits": -1}, "max_submits must be 0 or more, or None, not -1"),
    ({"max_seconds": -0.5}, "max_seconds must be 0 or more, or None, not -0.5"),
    ({"queue_limit": -2}, "queue_limit must be 0 or more, or None, not -2"),
]


@pytest.mark.parametrize("fields, message", REFUSED)
def test_what_cannot_be_meant_is_refused(fields: dict[str, Any], message: str) -> None:
    """A misspelt phase or profile, or a negative budget, must not look like a green check."""
    with pytest.raises(ValueError) as error:  # noqa: PT011 # the whole text is compared
        Options(**{"key": "any-key", **fields})

    assert str(error.value) == message
