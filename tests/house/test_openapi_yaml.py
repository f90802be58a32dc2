"""openapi.yaml: the structure of the vendor's published document, to the letter, and every addition
with its source.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import openapi_spec_validator
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SEEDS = sorted((ROOT.parent / "shared" / "seed").glob("*.txt"))
TREE: dict[str, Any] = yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))
HEADSHOT = "/image_editing/flux_headshot"

URIS = "array of string uri"
# The published structure: schema -> (required, properties in their order, each as "type
# keyword=value …").
PUBLISHED: dict[str, tuple[list[str] | None, dict[str, str]]] = {
    "FluxHeadshotRequest": (
        ["key", "prompt", "face_image", "seed"],
        {
            "key": "string",
            "prompt": "string",
            "face_image": "string",
            "width": "integer maximum=1024",
            "height": "integer maximum=1024",
            "num_inference_steps": "integer maximum=26",
            "guidance_scale": "number minimum=1 maximum=10",
            "seed": "integer",
            "webhook": "string uri",
            "track_id": "integer",
        },
    ),
    "ImageEditingSuccessResponse": (
        None,
        {
            "status": "string enum=success",
            "generationTime": "number",
            "id": "integer",
            "output": URIS,
            "proxy_links": URIS,
            "meta": "object additionalProperties=True",
        },
    ),
    "ImageEditingProcessingResponse": (
        None,
        {
            "status": "string enum=processing",
            "tip": "string",
            "eta": "integer",
            "message": "string",
            "fetch_result": "string uri",
            "id": "integer",
            "output": "array of string",
            "future_links": URIS,
            "proxy_links": URIS,
            "meta": "object additionalProperties=True",
        },
    ),
    "ImageEditingErrorResponse": (None, {"status": "string enum=error", "message": "string"}),
}


def compact(schema: dict[str, Any]) -> str:
    """A property's schema in the words of the table above; whatever the table has no word for stays
    visible.
    """
    rest = {
        name: value
        for name, value in schema.items()
        if name not in ("description", "type", "format")
    }
    words = [schema["type"]]
    if "items" in rest:
        words.append(f"of {compact(rest.pop('items'))}")
    if "format" in schema:
        words.append(schema["format"])
    words += [
        f"{name}={','.join(value) if isinstance(value, list) else value}"
        for name, value in rest.items()
    ]
    return " ".join(words)


def structure(schema: dict[str, Any]) -> tuple[list[str] | None, dict[str, str]]:
    return schema.get("required"), {
        name: compact(member) for name, member in schema["properties"].items()
    }


def bare(node: Any, *dropped: str) -> Any:
    """A tree without the members that describe or illustrate."""
    if isinstance(node, dict):
        return {key: bare(value, *dropped) for key, value in node.items() if key not in dropped}
    return [bare(item, *dropped) for item in node] if isinstance(node, list) else node


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_schemas_are_kept_to_the_letter(name: str) -> None:
    """Types, bounds, formats, enums, required names and the order of the properties are the
    vendor's.
    """
    schema = TREE["components"]["schemas"][name]
    found = structure(schema)

    assert (found, [*found[1]], schema["type"]) == (
        PUBLISHED[name],
        [*PUBLISHED[name][1]],
        "object",
    )
    assert set(schema) <= {"type", "required", "properties", "x-fauxlab", "x-retry-after"}


def test_the_published_operation_is_kept_to_the_letter() -> None:
    """One POST with a required JSON body and one reply of three branches, in the vendor's order,
    without security.
    """
    operation = TREE["paths"][HEADSHOT]["post"]

    assert [*TREE["paths"][HEADSHOT]] == ["post"]
    assert bare(operation["requestBody"], "examples", "x-fauxlab", "x-source") == {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/FluxHeadshotRequest"}}
        },
    }
    assert bare(operation["responses"], "examples", "description") == {
        "200": {
            "content": {
                "application/json": {
                    "schema": {
                        "oneOf": [
                            {"$ref": f"#/components/schemas/ImageEditing{word}Response"}
                            for word in ("Success", "Processing", "Error")
                        ]
                    }
                }
            }
        }
    }
    assert (
        TREE["openapi"],
        TREE["info"]["version"],
        TREE["info"]["license"],
        TREE["security"],
    ) == ("3.1.0", "6.0.0", {"name": "MIT"}, [])
    assert [server["url"] for server in TREE["servers"]] == ["https://modelslab.com/api/v6"]


def test_every_addition_says_where_it_comes_from() -> None:
    """Each path, schema and callback that the vendor's page lacks carries an `x-source`."""
    callbacks = [
        operation
        for item in TREE["paths"].values()
        for parent in item.values()
        for callback in parent.get("callbacks", {}).values()
        for path in callback.values()
        for operation in path.values()
    ]
    added = [
        *(
            operation
            for path, item in TREE["paths"].items()
            if path != HEADSHOT
            for operation in item.values()
        ),
        *(
            schema
            for name, schema in TREE["components"]["schemas"].items()
            if name not in PUBLISHED
        ),
        *callbacks,
    ]

    assert (len(added), [node for node in added if not node.get("x-source")]) == (8, [])


def test_only_known_places_hold_more_than_the_published_members() -> None:
    """Beside the published members, the headshot operation has an id, examples, a sample and the
    webhook's callback only.
    """
    operation = TREE["paths"][HEADSHOT]["post"]

    assert set(operation) == {
        "operationId",
        "summary",
        "description",
        "requestBody",
        "responses",
        "callbacks",
    }
    assert (set(TREE), set(TREE["components"])) == (
        {"openapi", "info", "servers", "security", "paths", "components"},
        {"schemas"},
    )


def test_a_strict_validator_accepts_it() -> None:
    """openapi-spec-validator finds nothing."""
    assert [
        error.message
        for error in openapi_spec_validator.OpenAPIV31SpecValidator(TREE).iter_errors()
    ] == []


if SEEDS:
    # The page is not ours to ship; what it holds is said by the table above. Where it lies beside
    # the checkout, it is compared itself.

    def test_the_structure_equals_that_of_the_published_page() -> None:
        """Without descriptions and our additions, our document is the published one, key order
        included.
        """
        block = re.search(
            r"^`{3,}yaml[^\n]*\n(.*?)^`{3,}",
            SEEDS[0].read_text(encoding="utf-8"),
            re.MULTILINE | re.DOTALL,
        )
        assert block is not None
        published = bare(yaml.safe_load(block[1]), "description", "summary")
        ours = bare(
            TREE,
            "description",
            "summary",
            "examples",
            "callbacks",
            "operationId",
            "x-fauxlab",
            "x-source",
            "x-retry-after",
        )
        ours["paths"] = {HEADSHOT: ours["paths"][HEADSHOT]}
        ours["components"]["schemas"] = {
            name: ours["components"]["schemas"][name] for name in PUBLISHED
        }

        assert yaml.safe_dump(ours, sort_keys=False) == yaml.safe_dump(published, sort_keys=False)

    def test_no_description_is_copied() -> None:
        """Every description of the published page is said in our own words."""
        seed = re.sub(r"\s+", " ", SEEDS[0].read_text(encoding="utf-8"))
        texts: list[str] = []

        def collect(node: Any) -> None:
            if isinstance(node, dict):
                texts.extend(
                    " ".join(value.split())
                    for key, value in node.items()
                    if key in ("description", "summary") and isinstance(value, str)
                )
            for child in (
                node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
            ):
                collect(child)

        collect(TREE)

        assert [text for text in texts if len(text.split()) > 2 and text in seed] == []
