"""What came in and went out: a ring of the last exchanges. Bodies arrive here with the key already
hidden.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from fauxlab_contract.core.records import Exchange

__all__ = ["Journal"]


class Journal:
    """Keeps the last `entries` exchanges; `count` says how many there ever were."""

    def __init__(self, entries: int) -> None:
        self._ring: deque[Exchange] = deque(maxlen=entries)
        self.count = 0

    def add(self, exchange: Exchange) -> None:
        self._ring.append(exchange)
        self.count += 1

    def __iter__(self) -> Iterator[Exchange]:
        return iter(tuple(self._ring))

    def __len__(self) -> int:
        return len(self._ring)

    def clear(self) -> None:
        self._ring.clear()
