"""What is wrong with the arguments of a mock is one sentence."""

from __future__ import annotations

from typing import Any

import pytest

from driving import make_mock
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.server.serving import serve


@pytest.mark.parametrize(
    "arguments, said",
    [
        (
            {"scenario": "failed"},
            "scenario is a setting: make the mock by Mock(Settings(scenario=…))",
        ),
        ({"scenaro": "failed"}, "there is no setting 'scenaro'; did you mean scenario?"),
        (
            {"document": "api.yaml"},
            "document must be what load_document returns; a file is named by"
            " Mock(Settings(document=…)), not by 'api.yaml'",
        ),
        (
            {"settings": {"eta": 2}},
            "settings must be Settings, such as Settings(eta=2), not \"{'eta': 2}\"",
        ),
    ],
)
def test_settings_in_the_place_of_arguments_are_told_where_they_belong(
    arguments: dict[str, Any], said: str
) -> None:
    """A mock takes settings as a value; what comes otherwise is named, with the right way."""
    with pytest.raises(TypeError) as caught:
        Mock(**arguments)

    assert str(caught.value) == said


def test_a_misspelt_setting_of_serve_is_named() -> None:
    """Before anything is served, with what was perhaps meant."""
    misspelt: dict[str, Any] = {"scenaro": "failed"}
    with (
        pytest.raises(TypeError, match=r"^there is no setting 'scenaro'; did you mean scenario\?$"),
        serve(**misspelt),
    ):
        pass


@pytest.mark.parametrize(
    "name, gates, said",
    [
        ("fial", {}, "there is no scenario 'fial'; did you mean failed?"),
        ("failed", {"kidn": "submit"}, "a rule has no member kidn; did you mean kind?"),
    ],
)
def test_a_misspelt_scenario_or_condition_is_named(
    name: str, gates: dict[str, Any], said: str
) -> None:
    """Where the rule is given, not when it does not act."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 # the whole message is compared
        make_mock().scenario(name, **gates)

    assert str(caught.value) == said
