"""The contract as data: an OpenAPI document, its operations, and what breaks them.

Names load when they are first used (PEP 562), so importing this package costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fauxlab_contract._lazy import lazy

if TYPE_CHECKING:  # what type checkers and editors see; `_HOMES` says the same to the interpreter
    from fauxlab_contract.audit.report import Audit, audit_document
    from fauxlab_contract.core.conventions import Conventions
    from fauxlab_contract.core.records import Exchange, JobFacts, WebhookAttempt
    from fauxlab_contract.core.strict_json import JsonLimits, WireError, read_json
    from fauxlab_contract.core.violation import Violation
    from fauxlab_contract.diff.report import Diff, compare_documents
    from fauxlab_contract.generation.boundaries import boundary_requests
    from fauxlab_contract.guard.guard import Guard, GuardError, guarded
    from fauxlab_contract.openapi.document import (
        Document,
        DocumentError,
        Match,
        Notice,
        load_document,
        read_document,
    )
    from fauxlab_contract.openapi.operation import (
        DeclaredReply,
        Operation,
        RequestBody,
        Variant,
    )
    from fauxlab_contract.validation.bodies import (
        coerce_request,
        request_violations,
        response_violations,
    )
    from fauxlab_contract.validation.lifecycle import job_violations
    from fauxlab_contract.verdict.verdict import Verdict, judge

_HOMES = {
    "Audit": "fauxlab_contract.audit.report",
    "Conventions": "fauxlab_contract.core.conventions",
    "DeclaredReply": "fauxlab_contract.openapi.operation",
    "Diff": "fauxlab_contract.diff.report",
    "Document": "fauxlab_contract.openapi.document",
    "DocumentError": "fauxlab_contract.openapi.document",
    "Exchange": "fauxlab_contract.core.records",
    "Guard": "fauxlab_contract.guard.guard",
    "GuardError": "fauxlab_contract.guard.guard",
    "JobFacts": "fauxlab_contract.core.records",
    "JsonLimits": "fauxlab_contract.core.strict_json",
    "Match": "fauxlab_contract.openapi.document",
    "Notice": "fauxlab_contract.openapi.document",
    "Operation": "fauxlab_contract.openapi.operation",
    "RequestBody": "fauxlab_contract.openapi.operation",
    "Variant": "fauxlab_contract.openapi.operation",
    "Verdict": "fauxlab_contract.verdict.verdict",
    "Violation": "fauxlab_contract.core.violation",
    "WebhookAttempt": "fauxlab_contract.core.records",
    "WireError": "fauxlab_contract.core.strict_json",
    "audit_document": "fauxlab_contract.audit.report",
    "boundary_requests": "fauxlab_contract.generation.boundaries",
    "coerce_request": "fauxlab_contract.validation.bodies",
    "compare_documents": "fauxlab_contract.diff.report",
    "guarded": "fauxlab_contract.guard.guard",
    "job_violations": "fauxlab_contract.validation.lifecycle",
    "judge": "fauxlab_contract.verdict.verdict",
    "load_document": "fauxlab_contract.openapi.document",
    "read_document": "fauxlab_contract.openapi.document",
    "read_json": "fauxlab_contract.core.strict_json",
    "request_violations": "fauxlab_contract.validation.bodies",
    "response_violations": "fauxlab_contract.validation.bodies",
}
__all__ = [
    "Audit",
    "Conventions",
    "DeclaredReply",
    "Diff",
    "Document",
    "DocumentError",
    "Exchange",
    "Guard",
    "GuardError",
    "JobFacts",
    "JsonLimits",
    "Match",
    "Notice",
    "Operation",
    "RequestBody",
    "Variant",
    "Verdict",
    "Violation",
    "WebhookAttempt",
    "WireError",
    "audit_document",
    "boundary_requests",
    "coerce_request",
    "compare_documents",
    "guarded",
    "job_violations",
    "judge",
    "load_document",
    "read_document",
    "read_json",
    "request_violations",
    "response_violations",
]


if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy(__name__, _HOMES)
