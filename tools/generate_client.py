"""Write what the client knows of the contract: `python tools/generate_client.py FOLDER` makes the
modules of `generated()` there.

The client imports nothing of ours at run time, so it gets its own copies; a test fails when one is
stale.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fauxlab_contract.core import webhook_url
from fauxlab_contract.openapi.document import Document, load_document
from fauxlab_contract.openapi.operation import Operation

__all__ = ["client_contract", "generated"]

_HEAD = '''"""The bundled contract as the client knows it. Generated from openapi.yaml by `make generate`; do not edit."""

from fauxlab_client._models import Contract, Field

__all__ = ["CONTRACT"]

CONTRACT = Contract(
'''


def client_contract(document: Document) -> str:
    """Python source of the contract of a document's only submit operation."""
    operation = next(operation for operation in document.operations if operation.kind == "submit")
    return _HEAD + "".join(f"    {line}\n" for line in _lines(document, operation)) + ")\n"


def _lines(document: Document, operation: Operation) -> Iterator[str]:
    request = operation.request
    if request is None:
        raise ValueError(f"{operation.name} takes no JSON body, so there is nothing to generate")
    yield f'base_url="{document.origin}{document.base_path}",'
    yield f'submit_path="{operation.path}",'
    yield f'fetch_path="{operation.fetch_path}",'
    yield "required=(" + ", ".join(f'"{name}"' for name in request.required) + "),"
    yield "fields={"
    for name, schema in request.properties.items():
        yield f'    "{name}": {_field(schema.keywords)},'
    yield "},"


def _field(keywords: Mapping[str, Any]) -> str:
    rules = {name: keywords[name] for name in ("minimum", "maximum", "format") if name in keywords}
    written = [
        f'"{keywords["type"]}"',
        *(
            f'{name}="{rule}"' if isinstance(rule, str) else f"{name}={rule}"
            for name, rule in rules.items()
        ),
    ]
    return f"Field({', '.join(written)})"


def generated(document: Document) -> Mapping[str, str]:
    """File name -> Python source of each module of the client that is made here: the bounds, and
    the rule for webhook addresses.
    """
    rule = Path(webhook_url.__file__).read_text(encoding="utf-8")
    note = "# Generated from the contract's module of this name by `make generate`; do not edit.\n"
    return {"_contract.py": client_contract(document), "_webhook_url.py": note + rule}


if __name__ == "__main__":
    for name, source in generated(load_document()).items():
        Path(sys.argv[1], name).write_text(source, encoding="utf-8")
