"""What a server check does, phase by phase.

`check.run` puts them in order.
"""

from __future__ import annotations

__all__: list[str] = []
