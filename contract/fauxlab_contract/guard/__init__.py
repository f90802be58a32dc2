"""Watch the HTTP calls of a test, and fail it where a call or a mocked reply breaks the contract.

`guard.hooks` has one module for each HTTP library, imported only if the library is.
"""

from __future__ import annotations

from fauxlab_contract.guard.guard import Guard, GuardError, GuardFinding, guarded
from fauxlab_contract.guard.rules import RULES

__all__ = ["RULES", "Guard", "GuardError", "GuardFinding", "guarded"]
