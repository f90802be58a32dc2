"""Keyword arguments are typed, and each TypedDict mirrors what it stands for."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from typing import get_type_hints

import pytest

import fauxlab
from fauxlab_client import ClientOptions, GenerateFields
from fauxlab_client._contract import CONTRACT
from fauxlab_client._models import FaceImage
from fauxlab_client._shared import BaseClient
from fauxlab_mock import Rule, RuleGates, Settings, SettingsFields

SERVE_DEFAULTS = {"clock": "auto", "port": 0}
PYTHON_TYPES = {"string": str, "integer": int, "number": float, "boolean": bool}


def test_the_arguments_of_serve_are_the_settings() -> None:
    """`SettingsFields` has the fields of `Settings`, in order, with their types."""
    expected = {field.name: field.type for field in fields(Settings)}

    assert {
        name: hint.__forward_arg__ for name, hint in SettingsFields.__annotations__.items()
    } == expected
    assert list(SettingsFields.__annotations__) == list(expected)
    assert SettingsFields.__required_keys__ == frozenset()


def test_the_gates_are_fields_of_a_rule() -> None:
    """`RuleGates` has the fields of `Rule` but what it does, how often, and its counters."""
    others = {"scenario", "fault", "times", "seen", "used"}
    expected = {field.name: field.type for field in fields(Rule) if field.name not in others}

    assert {
        name: hint.__forward_arg__ for name, hint in RuleGates.__annotations__.items()
    } == expected
    assert RuleGates.__required_keys__ == frozenset()


def test_the_options_of_a_client_are_those_of_its_base() -> None:
    """`ClientOptions` has the keyword arguments of `BaseClient`, with their types."""
    parameters = inspect.signature(BaseClient).parameters.values()
    hints = get_type_hints(BaseClient.__init__)
    keywords = [
        parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY
    ]

    assert get_type_hints(ClientOptions) == {name: hints[name] for name in keywords}
    assert ClientOptions.__required_keys__ == frozenset()


def test_the_fields_of_generate_are_those_of_the_contract() -> None:
    """`GenerateFields` has the contract's fields but the key: same types, same required ones."""
    expected = {}
    for name, field in CONTRACT.fields.items():
        kind = FaceImage if name == "face_image" else PYTHON_TYPES[field.type]
        expected[name] = kind if name in CONTRACT.required else kind | None
    del expected["key"]

    assert get_type_hints(GenerateFields) == expected
    assert GenerateFields.__required_keys__ == {*CONTRACT.required} - {"key"}


def test_help_of_serve_shows_each_setting() -> None:
    """`help(fauxlab.serve)` has the settings with types, defaults and what they mean."""
    shown = inspect.signature(fauxlab.serve).parameters
    defaults = {field.name: field.default for field in fields(Settings)} | SERVE_DEFAULTS

    assert {name: one.default for name, one in shown.items()} == defaults
    assert {name: one.annotation for name, one in shown.items()} == {
        field.name: field.type for field in fields(Settings)
    }
    text = inspect.getdoc(fauxlab.serve) or ""
    assert [name for name in shown if f"\n{name}: " not in text] == []


def test_serve_takes_what_its_signature_says() -> None:
    """The defaults that are shown are those that act."""
    with fauxlab.serve(host="::1") as mock:
        chosen = {name: getattr(mock.settings, name) for name in SERVE_DEFAULTS}

        assert (chosen, mock.url[:13]) == (SERVE_DEFAULTS, "http://[::1]:")


@pytest.mark.parametrize("method", [fauxlab.Mock.scenario, fauxlab.Mock.fault])
def test_help_of_rules_shows_each_gate(method: Callable[..., None]) -> None:
    """`help(Mock.scenario)` has the gates with the types and defaults of a `Rule`."""
    shown = inspect.signature(method).parameters
    rule = Rule(scenario="failed")
    gates = {one.name: one.type for one in fields(Rule) if one.name in RuleGates.__annotations__}

    assert [*shown] == ["self", "name", "times", *gates]
    assert {name: (shown[name].annotation, shown[name].default) for name in gates} == {
        name: (kind, getattr(rule, name)) for name, kind in gates.items()
    }
