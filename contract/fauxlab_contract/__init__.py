"""The contract as data: an OpenAPI document, its operations, and what breaks them. Names are loaded when first used (PEP 562)."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Conventions": "conventions",
    "Document": "document",
    "DocumentError": "document",
    "Exchange": "record",
    "Guard": "guard",
    "GuardError": "guard",
    "Limits": "wire",
    "Notice": "document",
    "Operation": "operation",
    "Variant": "operation",
    "Violation": "violation",
    "WireError": "wire",
    "coerce_request": "validate",
    "guarded": "guard",
    "job_violations": "lifecycle",
    "load_document": "document",
    "read_document": "document",
    "read_json": "wire",
    "request_violations": "validate",
    "response_violations": "validate",
}
__all__ = sorted(_HOMES, key=lambda name: (not name.isupper(), not name[0].isupper(), name))  # noqa: PLE0605 # built from the table


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *_HOMES]
