"""The `fauxlab` command.

One module for each group of commands; each imports what it needs when it runs.
"""

from __future__ import annotations

__all__: list[str] = []
