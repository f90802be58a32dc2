"""A mapping that tells `help` what it holds: of a plain one, `help` shows Python's own methods."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

__all__ = ["ToldMapping"]

Value = TypeVar("Value")


class ToldMapping(Mapping[str, Value]):
    """A mapping that cannot be changed; its docstring has `what` it is, and a line for each name.

    `summary(value)` is what the line says. With `|`, a new dict comes of it.
    """

    def __init__(
        self, what: str, rows: Mapping[str, Value], summary: Callable[[Value], str] = str
    ) -> None:
        self._rows = dict(rows)
        width = max(map(len, rows), default=0)
        lines = [f"{name:{width}}  {summary(value)}" for name, value in rows.items()]
        self.__doc__ = "\n".join([what, "", *lines])

    def __getitem__(self, name: str) -> Value:
        return self._rows[name]

    def __contains__(self, name: object) -> bool:  # that of Mapping raises and catches
        return name in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __or__(self, other: Mapping[str, Any]) -> dict[str, Any]:
        return self._rows | dict(other) if isinstance(other, Mapping) else NotImplemented

    def __ror__(self, other: Mapping[str, Any]) -> dict[str, Any]:
        return dict(other) | self._rows if isinstance(other, Mapping) else NotImplemented

    def __repr__(self) -> str:
        return repr(self._rows)
