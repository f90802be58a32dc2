"""The command `fauxlab check`: judge a running server by the contract. Exit codes: 0 fine, 1
findings.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fauxlab_contract.check.options import PHASES

__all__ = ["add_check", "run_check"]

# for a server that is not on this machine, unless other limits are given
ELSEWHERE_CALLS, ELSEWHERE_SUBMITS = 100, 10


def add_check(parser: argparse.ArgumentParser) -> None:
    """The arguments of `fauxlab check`."""
    parser.add_argument(
        "url", metavar="URL", help="the server's address, as http://127.0.0.1:4010/api/v6"
    )
    parser.add_argument(
        "document",
        nargs="?",
        metavar="DOCUMENT",
        help="OpenAPI document (default: the bundled one)",
    )
    add = parser.add_argument
    add(
        "--key",
        metavar="KEY",
        help="a key that the server takes (default: the variable FAUXLAB_KEY)",
    )
    add(
        "--other-key",
        metavar="KEY",
        help="a second one, whose holder must not see the first one's jobs (FAUXLAB_OTHER_KEY)",
    )
    add("--any-key", action="store_true", help="the server takes every key")
    add(
        "--profile",
        choices=("strict", "as-written"),
        default="strict",
        help="as-written: what the schemas say, and no more",
    )
    add(
        "--errors",
        choices=("any", "envelope", "status"),
        default="any",
        help="HTTP codes of errors: the document's, the prose's, or both",
    )
    add("--only", metavar="PHASE,…", help=f"phases, out of {', '.join(PHASES)} (default: all)")
    add(
        "--max-calls",
        metavar="N",
        type=_whole,
        help="send no more requests (default: no limit; elsewhere 100)",
    )
    add(
        "--max-submits",
        metavar="N",
        type=_whole,
        help="start no more jobs, each of which may cost money (default: no limit; elsewhere 10)",
    )
    add("--max-seconds", metavar="S", type=_seconds, help="take no longer")
    add(
        "--queue-limit",
        metavar="N",
        type=_whole,
        help="prove that a key may have N unfinished jobs, and no more",
    )
    add(
        "--timeout",
        metavar="S",
        type=_seconds,
        default=10.0,
        help="seconds to wait for one answer (default: 10)",
    )
    add("--seed", metavar="N", type=int, default=0, help="of all that is drawn (default: 0)")
    add(
        "--report",
        metavar="FILE",
        action="append",
        default=[],
        help="write a report: .html, .json, .xml (JUnit) or .txt; may be given again",
    )
    add("--yes", action="store_true", help="really send to a server that is not on this machine")


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!a} is not a whole number from 1")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text!a} is not a number of seconds above 0")
    return value


def run_check(parsed: argparse.Namespace, document: Any) -> int:
    """Check and print; 1 when a promise was broken. ValueError, with a sentence, for what cannot be
    checked.
    """
    from fauxlab_contract.check.run import check
    from fauxlab_contract.check.target import HttpTarget, is_loopback_url

    writers = [(file, _writer(file)) for file in parsed.report]
    target = HttpTarget(parsed.url)
    options = _options(parsed, is_here=is_loopback_url(target.url))
    if not parsed.yes and not is_loopback_url(target.url):
        print(_planned(target.url, document, options))
        raise ValueError(
            "nothing was sent: the server is not on this machine; add --yes to send this"
        )
    target.reach()
    with tempfile.TemporaryDirectory(prefix="fauxlab-") as folder:
        # else it leaves a folder of its own wherever we are
        os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", folder)
        report = check(
            target, document, options, _progress() if sys.stderr.isatty() else lambda *_: None
        )
    target.close()
    for file, write in writers:
        try:
            Path(file).write_text(write(report), encoding="utf-8")
        except OSError as error:
            raise ValueError(f"{file} cannot be written: {error.strerror or error}") from None
    from fauxlab_contract.check.report.formats import text

    print(text(report))
    return 0 if report.is_ok else 1


def _options(parsed: argparse.Namespace, *, is_here: bool) -> Any:
    from fauxlab_contract.check.run import Options

    key = parsed.key or os.environ.get("FAUXLAB_KEY")
    if not key:
        raise ValueError(
            "name a key that the server takes with --key or the variable FAUXLAB_KEY; for one that"
            " takes all, any, and --any-key"
        )
    only = tuple(name.strip() for name in (parsed.only or ",".join(PHASES)).split(","))
    unknown = [name for name in only if name not in PHASES]
    if unknown:
        raise ValueError(
            f"there is no phase {unknown[0][:40]!a}; the phases are {', '.join(PHASES)}"
        )
    other = parsed.other_key or os.environ.get("FAUXLAB_OTHER_KEY") or None
    if other == key:
        raise ValueError("--other-key must be another key than --key")
    return Options(
        key=key,
        other_key=other,
        any_key=parsed.any_key,
        profile=parsed.profile,
        errors=parsed.errors,
        max_calls=parsed.max_calls or (None if is_here else ELSEWHERE_CALLS),
        max_submits=parsed.max_submits or (None if is_here else ELSEWHERE_SUBMITS),
        max_seconds=parsed.max_seconds,
        seed=parsed.seed,
        only=only,
        queue_limit=parsed.queue_limit,
        timeout_s=parsed.timeout,
        has_receiver=is_here,
    )


def _planned(url: str, document: Any, options: Any) -> str:
    """What would be sent, and what it may cost."""
    from fauxlab_contract.check.run import planned_steps

    steps, _ = planned_steps(document, options)
    calls: Counter[str] = Counter()
    for step in steps:
        calls[step.phase] += step.calls
    submits = sum(step.submits for step in steps)
    lines = [
        f"{url} would get up to {sum(calls.values())} requests, which may start and cost up to"
        f" {submits} generations:"
    ]
    lines += [f"  {step.phase:11}{step.label}" for step in steps]
    return "\n".join(lines)


def _writer(file: str) -> Callable[[Any], str]:
    """What makes the text of a report, by the ending of its file."""
    from fauxlab_contract.check.report.formats import as_json, junit, text
    from fauxlab_contract.check.report.html import html

    writers: Mapping[str, Callable[[Any], str]] = {
        ".txt": text,
        ".json": as_json,
        ".xml": junit,
        ".html": html,
    }
    writer = writers.get(Path(file).suffix.lower())
    if writer is None:
        raise ValueError(f"--report {file}: the ending must be one of {', '.join(writers)}")
    if not Path(file).resolve().parent.is_dir():
        raise ValueError(f"--report {file}: there is no such folder")
    return writer


def _progress() -> Callable[[str, int, int, int], None]:
    """One line on a terminal that is written over and over; empty at the end."""

    def tell(phase: str, done: int, total: int, findings: int) -> None:
        line = (
            ""
            if done == total
            else (
                f"{phase}: {done} of {total} steps, {findings}"
                f" finding{'' if findings == 1 else 's'}"
            )
        )
        sys.stderr.write(f"\r{line:70}\r")
        sys.stderr.flush()

    return tell
