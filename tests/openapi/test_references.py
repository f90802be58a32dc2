"""What a schema refers to, taken out of its document."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fauxlab_contract.openapi.document import read_document
from fauxlab_contract.openapi.references import Tree
from fauxlab_contract.openapi.schema import Schema

SIZE = {"type": "integer", "maximum": 8}
A = {"properties": {"size": {"$ref": "#/components/schemas/Size"}}}
LOOP = {"items": {"$ref": "#/components/schemas/Loop"}}
TREE = Tree(
    {
        "components": {"schemas": {"A": A, "Size": SIZE, "Loop": LOOP, "Other": {"type": "null"}}},
        "paths": {"/a b": {"get": {"parameters": [{"schema": {"type": "string"}}]}}},
        "x-more": {"a": {}},
    }
)


@pytest.mark.parametrize(
    "references, expected",
    [
        ([], {}),
        (["#/components/schemas/Size"], {"components": {"schemas": {"Size": SIZE}}}),
        (["#/components/schemas/A"], {"components": {"schemas": {"A": A, "Size": SIZE}}}),
        (["#/components/schemas/Loop"], {"components": {"schemas": {"Loop": LOOP}}}),
        (
            ["#/components/schemas/A/properties/size", "#/components/schemas/A"],
            {"components": {"schemas": {"A": A, "Size": SIZE}}},
        ),
        (
            ["#/paths/~1a%20b/get/parameters/0/schema"],
            {"paths": {"/a b": {"get": {"parameters": {"0": {"schema": {"type": "string"}}}}}}},
        ),
        (["#/components/schemas/None", "other.yaml#/A", "#/x-more/a"], {}),
    ],
)
def test_only_what_is_referred_to_is_taken(references: list[str], expected: Any) -> None:
    """Through other references too, each thing once, in its place; what leads nowhere is left."""
    value = {"allOf": [{"$ref": reference} for reference in references]}

    assert TREE.referred_to_by(value) == expected


@pytest.mark.parametrize(
    "reference, good, bad",
    [
        ("#/components/schemas/A", {"size": 8}, {"size": 9}),
        ("#/components/schemas/Loop", [[[]]], None),
        ("#/paths/~1a%20b/get/parameters/0/schema", "x", 1),
        ("#/components/schemas/A/properties/size", 8, 9),
    ],
)
def test_a_schema_is_compiled_with_what_it_refers_to(reference: str, good: Any, bad: Any) -> None:
    """Both validators find it, also an item of a list."""
    validator = Schema(TREE, {"$ref": reference}, "/here").validator

    assert (validator.is_valid(good), validator.violations(good)) == (True, ())
    assert bad is None or len(validator.violations(bad)) == 1


def test_a_reference_leads_to_a_plain_pointer() -> None:
    """The place behind a percent-encoded reference is written as every place is."""
    target = TREE.root.target("#/paths/~1a%20b/get/parameters/0")

    assert target.pointer == "/paths/~1a b/get/parameters/0"


def test_a_load_compiles_nothing_that_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a schema refers to is gathered for its first value, once for all who refer to it."""
    gathered: list[Any] = []
    really = Tree.referred_to_by

    def gather(tree: Tree, value: Any) -> dict[str, Any]:
        gathered.append(value)
        return really(tree, value)

    monkeypatch.setattr(Tree, "referred_to_by", gather)
    ring = {
        f"C{i}": {
            "type": "object",
            "properties": {"next": {"$ref": f"#/components/schemas/C{i - 1}"}},
        }
        for i in range(1, 9)
    }
    schema = {"$ref": "#/components/schemas/C8"}
    body = {"content": {"application/json": {"schema": schema}}}
    tree = {
        "openapi": "3.1.0",
        "paths": {
            f"/{i}": {"post": {"requestBody": body, "responses": {"200": body}}} for i in "ab"
        },
        "components": {"schemas": {**ring, "C0": {"$ref": "#/components/schemas/C8"}}},
    }
    document = read_document(json.dumps(tree).encode())
    at_load = len(gathered)

    requests = [operation.request for operation in document.operations]
    checks = [request.check for request in requests if request]
    checks += [operation.reply for operation in document.operations if operation.reply]

    assert [check.is_valid({"next": {"next": 5}}) for check in checks] == [False] * 4
    assert (at_load, len(gathered)) == (0, 1)
