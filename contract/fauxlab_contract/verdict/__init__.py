"""Judge a client by everything that it sent during whole lifecycles.

The rules and their advice are one table, `RULES`.
"""

from __future__ import annotations

from fauxlab_contract.verdict.rules import RULES
from fauxlab_contract.verdict.verdict import Verdict, VerdictFinding, judge

__all__ = ["RULES", "Verdict", "VerdictFinding", "judge"]
