"""Write the client's `_contract.py` from a document: `python -m fauxlab_contract.generate > client/fauxlab_client/_contract.py`.

The client imports nothing of ours at run time, so it gets its own copy of the bounds; a test fails when the copy is stale.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fauxlab_contract.document import Document, load_document
from fauxlab_contract.operation import Operation

__all__ = ["client_contract"]

_HEAD = '''"""The bundled contract as the client knows it. Generated from openapi.yaml by `make generate`; do not edit."""

from fauxlab_client.models import Contract, Field

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
        yield f'    "{name}": {_field(schema)},'
    yield "},"


def _field(schema: dict[str, Any]) -> str:
    rules = {name: schema[name] for name in ("minimum", "maximum", "format") if name in schema}
    written = [f'"{schema["type"]}"', *(f'{name}="{rule}"' if isinstance(rule, str) else f"{name}={rule}" for name, rule in rules.items())]
    return f"Field({', '.join(written)})"


if __name__ == "__main__":
    print(client_contract(load_document()), end="")
