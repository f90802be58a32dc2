"""What is demanded of a client: with which arguments and servers it is tried, and how it is judged.

Private: `check_client` is the way in.
"""

from __future__ import annotations

__all__: list[str] = []
