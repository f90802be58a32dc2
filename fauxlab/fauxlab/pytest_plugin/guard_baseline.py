"""The guard's baseline in pytest: what it knows lets no test fail, and a run may write it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fauxlab.pytest_plugin.choices import OPTION_GROUP, ini_value
from fauxlab_contract.core.text import counted

if TYPE_CHECKING:
    from fauxlab_contract.core.gate import Baseline
    from fauxlab_contract.guard.guard import Guard

__all__ = ["BASELINE", "TARGET", "add_options", "baseline_lines", "note_known", "read_options"]

BASELINE: pytest.StashKey[Baseline | None] = pytest.StashKey()  # of a run
TARGET: pytest.StashKey[str | None] = pytest.StashKey()  # the file that a run writes
KEY, FLAG = "fauxlab_guard_baseline", "--fauxlab-guard-baseline"
WRITE = "--fauxlab-guard-write-baseline"
EXPLAINED = "a file of findings of the guard that are known: only new ones fail a test"
MOST_GONE = 5  # names at the end of a run


def add_options(parser: pytest.Parser) -> None:
    group = parser.getgroup(*OPTION_GROUP)
    group.addoption(FLAG, metavar="FILE", help=EXPLAINED)
    group.addoption(
        WRITE, metavar="FILE", help="write such a file at the end of the run, and fail no test"
    )
    parser.addini(KEY, EXPLAINED, default=None)


def read_options(config: pytest.Config) -> None:
    """Read the baseline once, and look whether the other can be written; UsageError if not.

    They may be one file, which need not be there yet.
    """
    source: str = FLAG
    file: str | None = config.getoption(FLAG)
    if file is None and (file := ini_value(config, KEY)):
        folder = config.inipath.parent if config.inipath else Path()
        source, file = KEY, str(folder / str(file))
    config.stash[TARGET] = target = config.getoption(WRITE)
    is_begun = file and target and Path(file).resolve() == Path(target).resolve()
    if is_begun and not Path(str(file)).exists():  # this run writes it for the first time
        file = None
    config.stash[BASELINE] = _read(source, file) if file else None
    if target is None:
        return
    path = Path(target).absolute()
    if path.is_dir() or not path.parent.is_dir():
        reason = "it is a folder" if path.is_dir() else "there is no such folder"
        raise pytest.UsageError(f"{WRITE} {target}: {reason}")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise pytest.UsageError(f"{WRITE} {target} cannot be written: Permission denied")


def _read(source: str, file: str) -> Baseline:
    from fauxlab_contract.core.gate import read_baseline

    try:
        baseline = read_baseline(source, file)
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None
    try:
        baseline.check_judge("guard")
    except ValueError as error:
        raise pytest.UsageError(f"{source}: {error}") from None
    return baseline


def note_known(report: Any, guard: Guard) -> None:
    """Write into a report what belongs into a baseline; it travels from xdist's workers, too."""
    report.fauxlab_guard_known = [list(known) for known in sorted(guard.as_baseline().known)]


def baseline_lines(config: pytest.Config, reports: Iterable[Any]) -> Iterator[str]:
    """Yield what the end of a run says of its baselines; write the one that is wanted."""
    from fauxlab_contract.core.gate import Baseline

    entries = [each for one in reports for each in getattr(one, "fauxlab_guard_known", ())]
    found = {(rule, severity, field, place) for rule, severity, field, place in entries}
    baseline, target = config.stash[BASELINE], config.stash[TARGET]
    if baseline is not None:
        known = counted(len(found & baseline.known), "findings")
        yield f"fauxlab: the guard's baseline knows {known} of this run"
        if gone := baseline.gone(found):
            more = f" and {len(gone) - MOST_GONE} more" if gone[MOST_GONE:] else ""
            yield f"  not found this time: {', '.join(gone[:MOST_GONE])}{more}"
    if target is not None:
        try:
            Path(target).write_bytes(Baseline("guard", frozenset(found), target).as_bytes())
        except OSError as error:
            yield f"fauxlab: {WRITE} {target} cannot be written: {error.strerror or error}"
        else:
            yield f"fauxlab: wrote {target}: {counted(len(found), 'findings')}"
