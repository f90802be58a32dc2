"""Blocks that patch while a fixture lives: they end in the reverse order of their beginnings."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

__all__ = ["in_its_place"]

SCOPES = ("session", "package", "module", "class", "function")  # the widest first


@dataclass(slots=True, eq=False)
class _Block:
    """A block that patches, as `make()` makes it, and how narrow its scope is."""

    rank: int
    make: Callable[[], AbstractContextManager[Any]]
    stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def begin(self) -> None:
        self.stack.enter_context(self.make())


_open_blocks: list[_Block] = []  # those of wider scopes first


@contextlib.contextmanager
def in_its_place(scope: str, make: Callable[[], AbstractContextManager[Any]]) -> Iterator[None]:
    """Keep a block open that patches, below all blocks of narrower scopes, whichever came first.

    They end before it, and patches must end in the reverse order of their beginnings; so those that
    are open are closed for a moment, and begin again inside.
    """
    block = _Block(SCOPES.index(scope), make)
    inner = [other for other in _open_blocks if other.rank > block.rank]
    for other in reversed(inner):
        other.stack.close()
    block.begin()
    for other in inner:
        other.begin()
    place = len(_open_blocks) - len(inner)
    _open_blocks.insert(place, block)
    try:
        yield
    finally:
        _open_blocks.remove(block)
        block.stack.close()
