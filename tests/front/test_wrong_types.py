"""A value of a wrong type ends in one sentence, at each name that `import fauxlab` gives."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

import fauxlab

DOCUMENT = fauxlab.load_document()
ours: Any = fauxlab  # the types are wrong on purpose


def entered(block: AbstractContextManager[object]) -> None:
    with block:
        pass


@pytest.mark.parametrize(
    "call, error, said",
    [
        (
            lambda: ours.load_document(5),
            TypeError,
            "path must be the path of an OpenAPI document, not a value of type int",
        ),
        (
            lambda: ours.read_document("openapi: 3.1.0"),
            TypeError,
            "data must be the bytes of a document, such as Path(…).read_bytes(), not"
            " 'openapi: 3.1.0'",
        ),
        (
            lambda: ours.audit_document("api.yaml"),
            TypeError,
            "document must be what load_document returns, not 'api.yaml'",
        ),
        (
            lambda: ours.compare_documents(DOCUMENT, "api.yaml"),
            TypeError,
            "new must be what load_document returns, not 'api.yaml'",
        ),
        (
            lambda: ours.check(None, "api.yaml", ours.Options(key="any")),
            TypeError,
            "document must be what load_document returns, not 'api.yaml'",
        ),
        (
            lambda: entered(ours.guarded("api.yaml")),
            TypeError,
            "document must be what load_document returns, not 'api.yaml'",
        ),
        (
            lambda: entered(ours.guarded(DOCUMENT, ["http://127.0.0.1:9"])),
            TypeError,
            "urls must be a function that returns base URLs, not a value of type list",
        ),
        (
            lambda: entered(ours.intercepted(ours.Mock)),
            TypeError,
            "mock must be a Mock, such as Mock(), not a value of type type",
        ),
        (
            lambda: ours.Mock(clock="manual"),
            TypeError,
            "clock must be a Clock, such as Clock('manual'), not 'manual'",
        ),
        (
            lambda: ours.Mock(public_url="localhost:8000"),
            ValueError,
            "public_url must be an http or https URL such as http://mock.test:4010, not"
            " 'localhost:8000'",
        ),
        (
            lambda: ours.Mock().add_rule({"scenario": "failed"}),
            TypeError,
            "rule must be a Rule, such as Rule(scenario='failed'), not a value of type dict",
        ),
        (
            lambda: ours.Mock().add_rule(delay="20", kind="submit"),
            TypeError,
            "add_rule takes a rule: mock.add_rule(fauxlab.Rule(delay=…, kind=…))",
        ),
        (
            lambda: entered(ours.serve(keys=5)),
            ValueError,
            "keys must be a set of keys, which are texts",
        ),
        (
            lambda: entered(ours.serve(keys=[1])),
            ValueError,
            "keys must be a set of keys, which are texts",
        ),
    ],
)
def test_a_value_of_a_wrong_type_is_one_sentence(
    call: Callable[[], object], error: type[Exception], said: str
) -> None:
    """It says the name of the parameter, what it takes, and what came; never an AttributeError."""
    with pytest.raises(error) as caught:
        call()

    assert str(caught.value) == said
