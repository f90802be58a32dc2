"""Pictures that do not go by the seed: how bad that is depends on what the document promises."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from documents import altered, request_schema
from driving import BUNDLED, KEY
from fauxlab_contract.check.options import Options
from fauxlab_contract.check.run import check
from fauxlab_contract.core.http import HttpRequest, HttpResponse
from fauxlab_contract.openapi.document import Document
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.settings import Settings
from targets import RecordedTarget

SUBMIT = next(operation for operation in BUNDLED.operations if operation.kind == "submit")


def with_seed(**keywords: Any) -> Document:
    """The bundled document with another schema of the seed."""

    def change(tree: dict[str, Any]) -> None:
        request_schema(tree)["properties"]["seed"] = keywords

    return altered(change)


@pytest.mark.parametrize(
    "seed, severity",
    [
        ({"type": "integer", "description": "The same seed gives the same picture."}, "error"),
        ({"type": "integer", "description": "A number."}, "warning"),
        ({"type": "integer"}, "warning"),
        ({"type": ["integer", "null"], "description": "Null draws one."}, None),
        ({"type": ["integer", "null"], "description": "Makes it reproducible."}, "error"),
    ],
    ids=str,
)
def test_pictures_go_by_the_seed_where_the_document_says_so(
    seed: dict[str, Any], severity: str | None
) -> None:
    """A promise that is broken is an error, an expectation a warning, a drawn seed no fault."""
    document = with_seed(**seed)
    target = RecordedTarget(
        Mock(Settings(clock="manual", keys=frozenset({KEY})), document=document)
    )
    honest, seeds = target.send, count(1)

    def changing(sent: HttpRequest, within_s: float) -> HttpResponse:
        if sent.url.endswith(SUBMIT.path):
            body = {**json.loads(sent.body), "seed": next(seeds)}
            sent = replace(sent, body=json.dumps(body).encode())
        return honest(sent, within_s)

    target.send = changing  # type: ignore[method-assign] # each job has another picture
    report = check(target, document, Options(KEY, only=("lifecycle",)))
    target.mock.close()

    found = {one.severity for one in report.findings if one.rule == "picture-differs"}
    assert found == ({severity} if severity else set()), str(report)
