"""Which field plays which role, and how a document says otherwise."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from fauxlab_contract.core.conventions import (
    ROLES,
    STATES,
    Conventions,
    Fields,
    Words,
    conventions_of,
)


@pytest.mark.parametrize("extension", [None, {}, {"fields": {}, "words": {}}])
def test_a_document_that_says_nothing_gets_the_defaults(extension: Any) -> None:
    """Without `x-fauxlab` the vendor's own names apply."""
    assert conventions_of(extension) == Conventions(
        Fields(key="key", eta="eta"), Words(processing="processing", failed="failed")
    )


def test_a_document_may_rename_roles_and_words() -> None:
    """What `x-fauxlab` names is renamed; the rest stays."""
    found = conventions_of({"fields": {"key": "api_key"}, "words": {"processing": "queued"}})

    assert found == Conventions(Fields(key="api_key"), Words(processing="queued"))


@pytest.mark.parametrize(
    "extension, message",
    [
        ([], "x-fauxlab must be an object with the members fields and words"),
        ("key", "x-fauxlab must be an object with the members fields and words"),
        ({"field": {}}, "x-fauxlab has no member 'field'; did you mean fields?"),
        ({"fields": None}, "x-fauxlab.fields must map roles to names"),
        ({"fields": {"key": 5}}, "x-fauxlab.fields must map roles to names"),
        ({"fields": {"key": ""}}, "x-fauxlab.fields must map roles to names"),
        (
            {"words": {"queued": "x"}},
            "x-fauxlab.words has no role 'queued'; there are processing, success, failed, error",
        ),
        (
            {"words": {"succes": "x"}},
            "x-fauxlab.words has no role 'succes'; did you mean success?",
        ),
        (
            {"fields": {"fetch_resutl": "x"}},
            "x-fauxlab.fields has no role 'fetch_resutl'; did you mean fetch_result?",
        ),
    ],
)
def test_anything_else_is_refused_with_a_sentence(extension: Any, message: str) -> None:
    """An unknown role, or a name that is no text, is an error that names the roles."""
    with pytest.raises(ValueError, match=r"^x-fauxlab") as caught:
        conventions_of(extension)

    assert str(caught.value) == message


def test_the_page_lists_every_role_and_every_word() -> None:
    """The tables of docs/contract.md are the ones in the code, with the default names."""
    page = Path(__file__).resolve().parents[2] / "docs" / "contract.md"
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| (.+) \|$", page.read_text("utf-8"), re.MULTILINE)

    assert rows == [
        (field.name, getattr(names, field.name), meaning[field.name])
        for names, meaning in ((Fields(), ROLES), (Words(), STATES))
        for field in fields(names)
    ]
