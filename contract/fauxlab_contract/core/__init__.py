"""Values and helpers that every other room uses: violations, records, strict JSON, secrets, hosts.

Imports nothing of ours and no third-party package.
"""

from __future__ import annotations

from fauxlab_contract.core.conventions import Conventions, Fields, Words
from fauxlab_contract.core.gate import Baseline
from fauxlab_contract.core.http import HttpRequest, HttpResponse
from fauxlab_contract.core.records import Exchange, JobFacts, WebhookAttempt
from fauxlab_contract.core.rules import Finding, Findings, Severity
from fauxlab_contract.core.strict_json import JsonLimits, WireError, read_json
from fauxlab_contract.core.violation import Violation

__all__ = [
    "Baseline",
    "Conventions",
    "Exchange",
    "Fields",
    "Finding",
    "Findings",
    "HttpRequest",
    "HttpResponse",
    "JobFacts",
    "JsonLimits",
    "Severity",
    "Violation",
    "WebhookAttempt",
    "WireError",
    "Words",
    "read_json",
]
