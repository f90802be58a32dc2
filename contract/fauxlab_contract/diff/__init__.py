"""Compare two documents: which changes break clients, which are risky, which are harmless.

The kinds of change are one table, `KINDS`.
"""

from __future__ import annotations

from fauxlab_contract.diff.kinds import KINDS
from fauxlab_contract.diff.report import Diff, DocumentChange, compare_documents

__all__ = ["KINDS", "Diff", "DocumentChange", "compare_documents"]
