"""Texts from a stranger made fit for a terminal, for XML and for JSON, and long ones for a line."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator
from typing import Any

__all__ = ["LINE", "MAX_TEXT_CHARS", "command_lines", "plain", "printable", "shown", "wrapped"]

LINE = 160  # characters of a line of a report
MAX_TEXT_CHARS, MAX_COMMAND_CHARS = 1_000, 3_000


def shown(value: str, limit: int = MAX_TEXT_CHARS) -> str:
    """Return any text on one line, in at most about `limit` characters.

    Characters that are not printable (control characters, line ends, halves of surrogate pairs,
    marks that turn the direction of writing) become escapes such as `\\x1b`: they move no cursor,
    hide nothing, and are allowed in XML.
    """
    left = len(value) - limit
    if left > 0:
        value = f"{value[:limit]}… ({left} more characters)"
    return printable(value)


def printable(value: str) -> str:
    """Return a text with an escape for each character that is not printable."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in value
    )


def wrapped(text: str, indent: str, first: str = "") -> Iterator[str]:
    """Yield a text as lines of at most about LINE characters, each behind `indent`.

    The first line begins with `first` instead, which must be as long.
    """
    lines = textwrap.wrap(shown(text), LINE - len(indent), break_on_hyphens=False) or [""]
    for number, line in enumerate(lines):
        yield (indent if number or not first else first) + line


def command_lines(command: str) -> Iterator[str]:
    """Yield a command for a POSIX shell as lines that can be pasted as they are.

    Options begin a line, and long quoted texts are broken by a backslash: `'ab'\\`, then `'cd'`.
    Nothing is yielded for a command that is too long to be pasted.
    """
    if len(command) > MAX_COMMAND_CHARS:
        return
    line, quote, is_escaped = "", "", False
    for place, char in enumerate(shown(command, MAX_COMMAND_CHARS)):
        is_option = not quote and line.endswith(" ") and command[place : place + 2] in ("-H", "--")
        if is_option and line.strip():
            yield f"{line}\\"
            line = ""
        elif quote == "'" and char != "'" and len(line) >= LINE:
            yield f"{line}'\\"
            line = "'"
        line += char
        if not quote and char in "'\"" and not is_escaped:
            quote = char
        elif char == quote:
            quote = ""
        is_escaped = not quote and char == "\\" and not is_escaped
    yield line


def plain(value: Any) -> Any:
    """Return what every JSON parser reads: no NaN, no half of a surrogate pair."""
    match value:
        case dict():
            return {name: plain(item) for name, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case float() if not math.isfinite(value):
            return None
    return value
