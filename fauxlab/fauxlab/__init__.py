"""One front door: everything that a user of fauxlab is meant to touch.

Names load when they are first used (PEP 562), so importing this package costs next to nothing. Each
name lives in one of the three packages below; nothing is defined here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fauxlab_contract._lazy import lazy

if TYPE_CHECKING:  # what type checkers and editors see; `_HOMES` says the same to the interpreter
    from fauxlab_client._async_client import AsyncClient
    from fauxlab_client._client import Client
    from fauxlab_client._contract import GenerateFields
    from fauxlab_client._errors import FauxlabError
    from fauxlab_client._models import Polling, Result
    from fauxlab_client._shared import ClientOptions
    from fauxlab_client._webhook import WebhookEvent, parse_webhook
    from fauxlab_contract.audit.report import Audit, AuditFinding, audit_document
    from fauxlab_contract.audit.samples import Sample, read_samples
    from fauxlab_contract.check.findings import Report, ServerFinding
    from fauxlab_contract.check.options import Options
    from fauxlab_contract.check.run import check
    from fauxlab_contract.check.target import HttpTarget, Target, TargetError
    from fauxlab_contract.core.conventions import Conventions
    from fauxlab_contract.core.gate import Baseline
    from fauxlab_contract.core.http import HttpRequest, HttpResponse
    from fauxlab_contract.core.records import Exchange, WebhookAttempt
    from fauxlab_contract.core.rules import Finding, Findings, Severity
    from fauxlab_contract.core.violation import Violation
    from fauxlab_contract.diff.report import Diff, DocumentChange, compare_documents
    from fauxlab_contract.generation.boundaries import RequestCase, boundary_requests
    from fauxlab_contract.generation.strategies import invalid_requests, valid_requests
    from fauxlab_contract.guard.guard import Guard, GuardError, GuardFinding, guarded
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
    from fauxlab_contract.validation.bodies import request_violations, response_violations
    from fauxlab_contract.validation.lifecycle import job_violations
    from fauxlab_contract.verdict.verdict import Verdict, VerdictFinding
    from fauxlab_mock.behaviour.faults import FAULTS
    from fauxlab_mock.behaviour.rules import Rule, RuleGates
    from fauxlab_mock.behaviour.scenarios import SCENARIOS
    from fauxlab_mock.client_check.check import check_client
    from fauxlab_mock.client_check.report import ClientFinding, ClientReport
    from fauxlab_mock.client_check.webhook_handler import check_webhook_handler
    from fauxlab_mock.clock.clock import Clock, ClockMode
    from fauxlab_mock.clock.virtual import virtual_time
    from fauxlab_mock.engine.job import Job
    from fauxlab_mock.engine.messages import Call
    from fauxlab_mock.engine.store import Store
    from fauxlab_mock.inprocess.interception import intercepted
    from fauxlab_mock.inprocess.no_network import BlockedError
    from fauxlab_mock.runtime.answer import Answer
    from fauxlab_mock.runtime.mock import Mock
    from fauxlab_mock.runtime.own_reply import InvalidReplyError
    from fauxlab_mock.runtime.target import MockTarget
    from fauxlab_mock.server.app import create_app
    from fauxlab_mock.server.serving import serve
    from fauxlab_mock.settings import Limits, Settings, SettingsFields

_HOMES = {
    "FAULTS": "fauxlab_mock.behaviour.faults",
    "SCENARIOS": "fauxlab_mock.behaviour.scenarios",
    "Answer": "fauxlab_mock.runtime.answer",
    "AsyncClient": "fauxlab_client._async_client",
    "Audit": "fauxlab_contract.audit.report",
    "AuditFinding": "fauxlab_contract.audit.report",
    "Baseline": "fauxlab_contract.core.gate",
    "BlockedError": "fauxlab_mock.inprocess.no_network",
    "Call": "fauxlab_mock.engine.messages",
    "Client": "fauxlab_client._client",
    "ClientFinding": "fauxlab_mock.client_check.report",
    "ClientOptions": "fauxlab_client._shared",
    "ClientReport": "fauxlab_mock.client_check.report",
    "Clock": "fauxlab_mock.clock.clock",
    "ClockMode": "fauxlab_mock.clock.clock",
    "Conventions": "fauxlab_contract.core.conventions",
    "DeclaredReply": "fauxlab_contract.openapi.operation",
    "Diff": "fauxlab_contract.diff.report",
    "Document": "fauxlab_contract.openapi.document",
    "DocumentChange": "fauxlab_contract.diff.report",
    "DocumentError": "fauxlab_contract.openapi.document",
    "Exchange": "fauxlab_contract.core.records",
    "FauxlabError": "fauxlab_client._errors",
    "Finding": "fauxlab_contract.core.rules",
    "Findings": "fauxlab_contract.core.rules",
    "GenerateFields": "fauxlab_client._contract",
    "Guard": "fauxlab_contract.guard.guard",
    "GuardError": "fauxlab_contract.guard.guard",
    "GuardFinding": "fauxlab_contract.guard.guard",
    "HttpRequest": "fauxlab_contract.core.http",
    "HttpResponse": "fauxlab_contract.core.http",
    "HttpTarget": "fauxlab_contract.check.target",
    "InvalidReplyError": "fauxlab_mock.runtime.own_reply",
    "Job": "fauxlab_mock.engine.job",
    "Limits": "fauxlab_mock.settings",
    "Match": "fauxlab_contract.openapi.document",
    "Mock": "fauxlab_mock.runtime.mock",
    "MockTarget": "fauxlab_mock.runtime.target",
    "Notice": "fauxlab_contract.openapi.document",
    "Operation": "fauxlab_contract.openapi.operation",
    "Options": "fauxlab_contract.check.options",
    "Polling": "fauxlab_client._models",
    "Report": "fauxlab_contract.check.findings",
    "RequestBody": "fauxlab_contract.openapi.operation",
    "RequestCase": "fauxlab_contract.generation.boundaries",
    "Result": "fauxlab_client._models",
    "Rule": "fauxlab_mock.behaviour.rules",
    "RuleGates": "fauxlab_mock.behaviour.rules",
    "Sample": "fauxlab_contract.audit.samples",
    "ServerFinding": "fauxlab_contract.check.findings",
    "Settings": "fauxlab_mock.settings",
    "SettingsFields": "fauxlab_mock.settings",
    "Severity": "fauxlab_contract.core.rules",
    "Store": "fauxlab_mock.engine.store",
    "Target": "fauxlab_contract.check.target",
    "TargetError": "fauxlab_contract.check.target",
    "Variant": "fauxlab_contract.openapi.operation",
    "Verdict": "fauxlab_contract.verdict.verdict",
    "VerdictFinding": "fauxlab_contract.verdict.verdict",
    "Violation": "fauxlab_contract.core.violation",
    "WebhookAttempt": "fauxlab_contract.core.records",
    "WebhookEvent": "fauxlab_client._webhook",
    "audit_document": "fauxlab_contract.audit.report",
    "boundary_requests": "fauxlab_contract.generation.boundaries",
    "check": "fauxlab_contract.check.run",
    "check_client": "fauxlab_mock.client_check.check",
    "check_webhook_handler": "fauxlab_mock.client_check.webhook_handler",
    "compare_documents": "fauxlab_contract.diff.report",
    "create_app": "fauxlab_mock.server.app",
    "guarded": "fauxlab_contract.guard.guard",
    "intercepted": "fauxlab_mock.inprocess.interception",
    "invalid_requests": "fauxlab_contract.generation.strategies",
    "job_violations": "fauxlab_contract.validation.lifecycle",
    "load_document": "fauxlab_contract.openapi.document",
    "parse_webhook": "fauxlab_client._webhook",
    "read_document": "fauxlab_contract.openapi.document",
    "read_samples": "fauxlab_contract.audit.samples",
    "request_violations": "fauxlab_contract.validation.bodies",
    "response_violations": "fauxlab_contract.validation.bodies",
    "serve": "fauxlab_mock.server.serving",
    "valid_requests": "fauxlab_contract.generation.strategies",
    "virtual_time": "fauxlab_mock.clock.virtual",
}
__all__ = [
    "FAULTS",
    "SCENARIOS",
    "Answer",
    "AsyncClient",
    "Audit",
    "AuditFinding",
    "Baseline",
    "BlockedError",
    "Call",
    "Client",
    "ClientFinding",
    "ClientOptions",
    "ClientReport",
    "Clock",
    "ClockMode",
    "Conventions",
    "DeclaredReply",
    "Diff",
    "Document",
    "DocumentChange",
    "DocumentError",
    "Exchange",
    "FauxlabError",
    "Finding",
    "Findings",
    "GenerateFields",
    "Guard",
    "GuardError",
    "GuardFinding",
    "HttpRequest",
    "HttpResponse",
    "HttpTarget",
    "InvalidReplyError",
    "Job",
    "Limits",
    "Match",
    "Mock",
    "MockTarget",
    "Notice",
    "Operation",
    "Options",
    "Polling",
    "Report",
    "RequestBody",
    "RequestCase",
    "Result",
    "Rule",
    "RuleGates",
    "Sample",
    "ServerFinding",
    "Settings",
    "SettingsFields",
    "Severity",
    "Store",
    "Target",
    "TargetError",
    "Variant",
    "Verdict",
    "VerdictFinding",
    "Violation",
    "WebhookAttempt",
    "WebhookEvent",
    "audit_document",
    "boundary_requests",
    "check",
    "check_client",
    "check_webhook_handler",
    "compare_documents",
    "create_app",
    "guarded",
    "intercepted",
    "invalid_requests",
    "job_violations",
    "load_document",
    "parse_webhook",
    "read_document",
    "read_samples",
    "request_violations",
    "response_violations",
    "serve",
    "valid_requests",
    "virtual_time",
]


if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy(__name__, _HOMES)
