"""Which operation of the new document is which of the old one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from fauxlab_contract.openapi.document import Document
from fauxlab_contract.openapi.operation import Operation

__all__ = ["Pair", "moves", "pair_operations"]

Pair = tuple[Operation | None, Operation | None]  # None for what is gone, and for what is new
_Key = tuple[str, str]  # method and path
_PARAMETER = re.compile(r"\{[^{}]+\}")


def pair_operations(old: Document, new: Document) -> Iterator[Pair]:
    """Yield each operation of both documents once: the pairs, then what is gone, then what is new.

    They are paired by their paths in the document, or by their paths behind the host, since a part
    of the path may move into the address of the server: whichever pairs more of them goes first.
    """
    pairs: dict[str, Operation] = {}  # pointer of the old one -> the new one
    ways = sorted((_by_path, _by_address), key=lambda way: -len(_pairs(old, new, way)))
    for way in ways:
        taken = {operation.pointer for operation in pairs.values()}
        for before, after in _pairs(old, new, way):
            if before.pointer not in pairs and after.pointer not in taken:
                pairs[before.pointer] = after
    for operation in old.operations:
        yield operation, pairs.get(operation.pointer)
    known = {operation.pointer for operation in pairs.values()}
    for operation in new.operations:
        if operation.pointer not in known:
            yield None, operation


def moves(pairs: Iterable[Pair]) -> Iterator[tuple[str, str]]:
    """Yield (old, new) addresses of the servers of operations that have moved, each two once."""
    found: dict[tuple[str, str], None] = {}
    for before, after in pairs:
        if before and after:
            was, becomes = before.servers[0], after.servers[0]
            old, new = was.origin, becomes.origin
            if (old, _by_address(before)) != (new, _by_address(after)):
                found[old + was.base_path, new + becomes.base_path] = None
    yield from found


_Way = Callable[[Operation], _Key]


def _pairs(old: Document, new: Document, way: _Way) -> list[tuple[Operation, Operation]]:
    news = {way(operation): operation for operation in new.operations}
    return [
        (operation, news[way(operation)]) for operation in old.operations if way(operation) in news
    ]


def _by_path(operation: Operation) -> _Key:
    """Return method and path, without the names of path parameters: callers do not see them."""
    return operation.method, _PARAMETER.sub("{}", operation.path.rstrip("/"))


def _by_address(operation: Operation) -> _Key:
    method, path = _by_path(operation)
    return method, operation.base_path + path
