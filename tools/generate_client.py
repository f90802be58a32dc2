"""Write what the client knows of the contract, as modules of the client.

    python tools/generate_client.py client/fauxlab_client

The client imports nothing of ours when it runs, so it gets copies; a test fails when one is stale.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fauxlab_contract.core import certificates, webhook_url
from fauxlab_contract.core.secrets import SHORTEST_SECRET
from fauxlab_contract.openapi.document import Document, load_document

__all__ = ["client_contract", "generated"]

_HEAD = '''\
"""What the client knows of the contract: bounds, and the fields of `generate` with their types.

Generated from openapi.yaml by `make generate`; do not edit.
"""

from typing import Required, TypedDict

from fauxlab_client._models import Contract, FaceImage, Field

__all__ = ["CONTRACT", "SHORTEST_SECRET", "GenerateFields"]

'''
_FIELDS_HEAD = '''class GenerateFields(TypedDict, total=False):
    """What `generate` and `submit` take; None leaves a field out."""

'''
_PYTHON_TYPES = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}
_NOTE = "# Generated from the contract's module of this name by `make generate`; do not edit.\n"


def client_contract(document: Document) -> str:
    """Return the Python source of the contract of a document's only submit operation."""
    operation = next(operation for operation in document.operations if operation.kind == "submit")
    request = operation.request
    if request is None:
        raise ValueError(f"{operation.name} takes no JSON body, so there is nothing to generate")
    names = document.conventions.fields
    required = ", ".join(_quoted(name) for name in request.required)
    fields, members = [], []
    for name, schema in request.properties.items():
        keywords = schema.keywords
        fields.append(f"        {_quoted(name)}: {_rule(keywords)},")
        if name != names.key:
            is_required, is_face = name in request.required, name == names.face_image
            members.append(_member(name, keywords, is_required=is_required, is_face=is_face))
    lines = [
        f"SHORTEST_SECRET = {SHORTEST_SECRET}  # characters; a shorter key may be a word",
        "CONTRACT = Contract(",
        f'    base_url="{document.origin}{document.base_path}",',
        f'    submit_path="{operation.path}",',
        f'    fetch_path="{operation.fetch_path}",',
        f"    required=({required}),",
        "    fields={",
        *fields,
        "    },",
        ")",
        "\n",
    ]
    return _HEAD + "\n".join(lines) + "\n" + _FIELDS_HEAD + "".join(members)


def _quoted(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _rule(schema: Mapping[str, Any]) -> str:
    """Return the call that makes a `Field`: `Field("integer", maximum=1024)`."""
    bounds = [
        f"{keyword}={_quoted(schema[keyword])}"
        for keyword in ("minimum", "maximum", "format")
        if keyword in schema
    ]
    arguments = [_quoted(schema["type"]), *bounds]
    return f"Field({', '.join(arguments)})"


def _member(name: str, schema: Mapping[str, Any], *, is_required: bool, is_face: bool) -> str:
    """Return one line of the TypedDict: `width: int | None  # at most 1024`."""
    kind = "FaceImage" if is_face else _PYTHON_TYPES[schema["type"]]
    words = {"minimum": "at least {}", "maximum": "at most {}", "format": "a {}"}
    bounds = [text.format(schema[keyword]) for keyword, text in words.items() if keyword in schema]
    annotation = f"Required[{kind}]" if is_required else f"{kind} | None"
    comment = f"  # {', '.join(bounds)}" if bounds else ""
    return f"    {name}: {annotation}{comment}\n"


def generated(document: Document) -> Mapping[str, str]:
    """Return file name -> Python source of each module of the client that is made here."""
    sources = [Path(str(module.__file__)) for module in (certificates, webhook_url)]
    copies = {f"_{path.name}": _NOTE + path.read_text(encoding="utf-8") for path in sources}
    return {"_contract.py": client_contract(document), **copies}


if __name__ == "__main__":
    for name, source in generated(load_document()).items():
        Path(sys.argv[1], name).write_text(source, encoding="utf-8")
