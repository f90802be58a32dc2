"""The Prefer header."""

from __future__ import annotations

import pytest

from fauxlab_mock.behaviour.preferences import Preferences, read_preferences
from fauxlab_mock.behaviour.refusals import Refused
from fauxlab_mock.behaviour.scenarios import Plan


@pytest.mark.parametrize(
    "header, expected",
    [
        (None, Preferences()),
        ("", Preferences()),
        ("scenario=failed", Preferences("failed")),
        ("scenario=failed, eta=2, polls=3", Preferences("failed", 2.0, 3)),
        ('SCENARIO="failed" , Eta = 0.5;,polls=0', Preferences("failed", 0.5, 0)),
        ("respond-async; x=y", Preferences()),
        ("respond-async, wait=100", Preferences()),
        ("eta=1, eta=2", Preferences(None, 1.0)),
        ("eta=86400, polls=1000", Preferences(None, 86400.0, 1000)),
        (",,;=,", Preferences()),
    ],
)
def test_known_preferences_are_read_and_others_ignored(
    header: str | None, expected: Preferences
) -> None:
    """Names in any case, quoted values, parameters and unknown preferences are read as RFC 7240
    says; the first of two counts.
    """
    assert read_preferences(header) == expected


@pytest.mark.parametrize(
    "header",
    [
        "eta=x",
        "eta=-1",
        "eta=86401",
        "eta",
        "eta=nan",
        "eta=1e3",
        "polls=1.5",
        "polls=1001",
        "polls=-1",
    ],
)
def test_values_out_of_range_are_refused(header: str) -> None:
    """A known preference with an impossible value is refused, naming the preference."""
    with pytest.raises(Refused) as caught:
        read_preferences(header)

    assert caught.value.message.startswith(f"The preference {header.partition('=')[0]} must be a ")


@pytest.mark.parametrize(
    "header, name, parameter",
    [
        ("scenario=rate_limited;retry_after=5", "scenario", "retry_after"),
        ("polls=2, scenario=failed; x=y; ETA = 0.5", "scenario", "eta"),
    ],
)
def test_a_preference_after_a_semicolon_is_refused(header: str, name: str, parameter: str) -> None:
    """It would be lost, as a parameter of the one before it; the sentence says what to write."""
    with pytest.raises(Refused) as caught:
        read_preferences(header)

    assert (caught.value.refusal.case, caught.value.message) == (
        "misuse",
        f"{parameter} follows a semicolon, as a parameter of {name}; separate preferences by"
        f" commas: {name}=…, {parameter}=….",
    )


@pytest.mark.parametrize("header", ["scenario=failed; etta=1", "wait=10; eta=1; polls=2"])
def test_other_parameters_are_hinted_at(header: str) -> None:
    """What may have been meant for the mock, but need not, is answered with a hint."""
    assert read_preferences(header).hint == (
        "Nothing comes of what follows a semicolon in Prefer; separate preferences by commas."
    )


def test_preferences_go_over_a_plan() -> None:
    """What was asked for replaces the plan's members, the rest stays."""
    plan = Plan(5, 5, polls=1, outcome="failed")

    assert Preferences(None, 2.0).over(plan) == Plan(2, 2, polls=1, outcome="failed")
    assert Preferences(None, None, 4).over(plan) == Plan(5, 5, polls=4, outcome="failed")


def test_applied_lists_what_was_asked() -> None:
    """The acknowledgement names each preference with its value, shortest form."""
    assert Preferences("failed", 2.0, 3).applied() == "scenario=failed, eta=2, polls=3"
    assert Preferences().applied() == ""
