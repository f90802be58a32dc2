"""Which field plays which role, and how a document says otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from fauxlab_contract.core.conventions import Conventions, Fields, Words, conventions_of


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
        ({"field": {}}, "x-fauxlab knows fields and words, not ['field']"),
        ({"fields": None}, "x-fauxlab.fields must map roles to names"),
        ({"fields": {"key": 5}}, "x-fauxlab.fields must map roles to names"),
        ({"fields": {"key": ""}}, "x-fauxlab.fields must map roles to names"),
        (
            {"words": {"queued": "x"}},
            "x-fauxlab.words has no role queued; the roles are processing, success, failed, error",
        ),
    ],
)
def test_anything_else_is_refused_with_a_sentence(extension: Any, message: str) -> None:
    """An unknown role, or a name that is no text, is an error that names the roles."""
    with pytest.raises(ValueError, match=r"^x-fauxlab") as caught:
        conventions_of(extension)

    assert str(caught.value) == message
