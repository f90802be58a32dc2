"""Judge a running server: send requests, follow jobs, receive webhooks, report what broke.

Phases live in `check.phases`, the forms of a report in `check.report`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fauxlab_contract._lazy import lazy

if TYPE_CHECKING:  # what type checkers and editors see; `_HOMES` says the same to the interpreter
    from fauxlab_contract.check.findings import Report, ServerFinding
    from fauxlab_contract.check.options import PHASES, Options
    from fauxlab_contract.check.rules import RULES
    from fauxlab_contract.check.run import check
    from fauxlab_contract.check.target import HttpTarget, Target, TargetError

_HOMES = {
    "PHASES": "fauxlab_contract.check.options",
    "RULES": "fauxlab_contract.check.rules",
    "HttpTarget": "fauxlab_contract.check.target",
    "Options": "fauxlab_contract.check.options",
    "Report": "fauxlab_contract.check.findings",
    "ServerFinding": "fauxlab_contract.check.findings",
    "Target": "fauxlab_contract.check.target",
    "TargetError": "fauxlab_contract.check.target",
    "check": "fauxlab_contract.check.run",
}
__all__ = [
    "PHASES",
    "RULES",
    "HttpTarget",
    "Options",
    "Report",
    "ServerFinding",
    "Target",
    "TargetError",
    "check",
]


if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy(__name__, _HOMES)
