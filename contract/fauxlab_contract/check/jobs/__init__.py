"""One job under observation: how it begins, how it is followed, and what its links serve.

Other rooms have no business here.
"""

from __future__ import annotations

__all__: list[str] = []
