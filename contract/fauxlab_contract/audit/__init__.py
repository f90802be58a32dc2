"""Find contradictions inside one document, and between it and sample bodies.

The rules are one table, `RULES`.
"""

from __future__ import annotations

from fauxlab_contract.audit.report import Audit, AuditFinding, audit_document
from fauxlab_contract.audit.rules import RULES
from fauxlab_contract.audit.samples import Sample, read_samples

__all__ = ["RULES", "Audit", "AuditFinding", "Sample", "audit_document", "read_samples"]
