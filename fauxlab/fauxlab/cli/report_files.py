"""Files that a command writes besides what it prints: the option --report, and what others need."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from fauxlab.cli.command import UsageError
from fauxlab.cli.parser import Parser

__all__ = ["ReportFiles", "add_report", "add_verbose", "check_writable"]

SomeReport = TypeVar("SomeReport")


def add_report(parser: Parser, endings: str) -> None:
    """Add --report; `endings` says which there are, such as `.json, .xml (JUnit) or .txt`."""
    parser.add_argument(
        "--report",
        metavar="FILE",
        action="append",
        default=[],
        help=f"write a report: {endings}; may be given several times",
    )


def add_verbose(parser: Parser, what: str) -> None:
    """Add --verbose; `what` it prints besides the first screen."""
    parser.add_argument("--verbose", action="store_true", help=f"also print {what}")


class ReportFiles(Generic[SomeReport]):
    """The files that are asked for, each with what writes it.

    `writers` maps an ending such as `.json` to a function. Made before the work, so that a file
    which cannot be written is told at once: raise UsageError.
    """

    def __init__(
        self, files: Sequence[str], writers: Mapping[str, Callable[[SomeReport], str]]
    ) -> None:
        self._writers: dict[str, Callable[[SomeReport], str]] = {}
        for file in files:
            writer = writers.get(Path(file).suffix.lower())
            if writer is None:
                endings = ", ".join(writers)
                raise UsageError(f"--report {file}: the ending must be one of {endings}")
            check_writable("--report", file)
            self._writers[file] = writer

    def write(self, report: SomeReport) -> None:
        """Write the report into each file. Raise UsageError for one that cannot be written."""
        for file, write in self._writers.items():
            try:
                Path(file).write_text(write(report), encoding="utf-8")
            except OSError as error:
                raise UsageError(f"{file} cannot be written: {error.strerror or error}") from None


def check_writable(option: str, file: str) -> None:
    """Raise UsageError for a file that cannot be written, before work is done for it."""
    path = Path(file).resolve()
    if not path.parent.is_dir():
        raise UsageError(f"{option} {file}: there is no such folder")
    if path.is_dir():
        raise UsageError(f"{option} {file} is a folder")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UsageError(f"{option} {file} cannot be written: Permission denied")
