"""An OpenAPI document as frozen values: read it, check it, ask it for operations and schemas.

The only room that opens a contract file.
"""

from __future__ import annotations

from fauxlab_contract.openapi.document import (
    Document,
    DocumentError,
    Match,
    Notice,
    load_document,
    read_document,
)
from fauxlab_contract.openapi.operation import DeclaredReply, Operation, RequestBody, Variant

__all__ = [
    "DeclaredReply",
    "Document",
    "DocumentError",
    "Match",
    "Notice",
    "Operation",
    "RequestBody",
    "Variant",
    "load_document",
    "read_document",
]
