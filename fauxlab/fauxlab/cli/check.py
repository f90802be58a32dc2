"""`fauxlab check`: check a running server against the contract."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from fauxlab.cli.command import UsageError, add_document, load
from fauxlab.cli.gate import Gate, add_gate
from fauxlab.cli.parser import Commands, Parser, add_choice, add_command
from fauxlab.cli.report_files import ReportFiles, add_report, add_verbose
from fauxlab_contract.check.options import PHASES, Options
from fauxlab_contract.core.text import counted, no_such

if TYPE_CHECKING:
    from fauxlab_contract.check.findings import Report
    from fauxlab_contract.check.run import Progress
    from fauxlab_contract.check.target import HttpTarget
    from fauxlab_contract.openapi.document import Document

__all__ = ["add_check"]

# limits for a server on another machine, unless others are given
ELSEWHERE_CALLS, ELSEWHERE_SUBMITS = 100, 10
MAX_SECONDS = 1e6
HYPOTHESIS_FOLDER = "HYPOTHESIS_STORAGE_DIRECTORY"


def add_check(commands: Commands) -> None:
    """Add `fauxlab check`."""
    parser = add_command(
        commands,
        "check",
        _check,
        "check a running server against the contract",
        example="check http://127.0.0.1:4010/api/v6 --key any --any-key",
        variables=(
            "FAUXLAB_KEY        for --key\nFAUXLAB_OTHER_KEY  for --other-key\n"
            "SSL_CERT_FILE      for --ca"
        ),
    )
    parser.add_argument(
        "url", metavar="URL", help="address of the server, such as http://127.0.0.1:4010/api/v6"
    )
    add_document(parser)
    _add_keys(parser)
    _add_choices(parser)
    _add_limits(parser)
    add_gate(parser, "error", "OPERATION")
    add_verbose(
        parser, "what was sent and came for each finding, and a command that sends it again"
    )
    add_report(parser, ".html, .json, .xml (JUnit) or .txt")
    parser.add_argument(
        "--ca",
        metavar="FILE",
        help=(
            "certificates to trust, in PEM form, when URL is https (default: SSL_CERT_FILE and"
            " SSL_CERT_DIR, else the usual ones)"
        ),
    )
    parser.add_argument(
        "--yes", action="store_true", help="really send to a server that is not on this machine"
    )


def _add_keys(parser: Parser) -> None:
    add = parser.add_argument
    add("--key", metavar="KEY", help="a key that the server accepts (default: FAUXLAB_KEY)")
    add(
        "--other-key",
        metavar="KEY",
        help=(
            "a second key, whose holder must not see the jobs of the first (default:"
            " FAUXLAB_OTHER_KEY)"
        ),
    )
    add("--any-key", action="store_true", help="the server accepts every key")
    add(
        "--header",
        metavar="NAME:VALUE",
        type=_header,
        action="append",
        default=[],
        help="a header to send with each request; may be given several times",
    )


def _add_choices(parser: Parser) -> None:
    add = parser.add_argument
    add_choice(
        parser,
        "--profile",
        ("strict", "as-written"),
        "as-written: judge single requests and replies by the schemas alone; strict: also by what"
        " the prose promises, and hygiene",
    )
    add_choice(
        parser,
        "--errors",
        ("any", "envelope", "status"),
        "HTTP codes of errors: envelope (the declared ones), status (4xx and 5xx) or any",
    )
    add(
        "--only",
        metavar="PHASE,…",
        help=f"phases to run, out of {', '.join(PHASES)} (default: all)",
    )
    add(
        "--queue-limit",
        metavar="N",
        type=_whole,
        help="check that a key may have N unfinished jobs, and no more",
    )
    add(
        "--seed",
        metavar="N",
        type=_number,
        default=0,
        help="seed of everything random (default: 0)",
    )


def _add_limits(parser: Parser) -> None:
    add = parser.add_argument
    add(
        "--max-calls",
        metavar="N",
        type=_whole,
        help=f"send at most N requests (default: no limit; elsewhere {ELSEWHERE_CALLS})",
    )
    add(
        "--max-submits",
        metavar="N",
        type=_whole,
        help=(
            "start at most N jobs, each of which may cost money (default: no limit; elsewhere"
            f" {ELSEWHERE_SUBMITS})"
        ),
    )
    add("--max-seconds", metavar="S", type=_seconds, help="take at most S seconds")
    add(
        "--timeout",
        metavar="S",
        type=_seconds,
        default=10.0,
        help="seconds to wait for each response (default: 10)",
    )
    add(
        "--delay",
        metavar="S",
        type=_seconds,
        default=0.0,
        help="seconds to wait between two requests (default: none)",
    )


def _whole(text: str) -> int:
    is_number = text.isascii() and text.isdecimal() and len(text) < 10
    if not is_number or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!a} is not a whole number from 1")
    return int(text)


def _number(text: str) -> int:
    is_number = text.removeprefix("-").isdecimal() and text.isascii() and len(text) < 20
    if not is_number:
        raise argparse.ArgumentTypeError(f"{text[:80]!a} is not a whole number")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < MAX_SECONDS:
        raise argparse.ArgumentTypeError(f"{text!a} is not a number of seconds above 0")
    return value


def _header(text: str) -> tuple[str, str]:
    """Return ("x-tenant", "acme") for "X-Tenant: acme"; what the value is, no error says."""
    name, colon, value = text.partition(":")
    name, value = name.strip(), value.strip()
    is_name = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    if not (colon and is_name and value.isprintable() and value.isascii() and value):
        raise argparse.ArgumentTypeError("write a header as NAME:VALUE, such as X-Tenant:acme")
    return name.lower(), value


def _check(parsed: argparse.Namespace) -> int:
    """Check the server and print the report; return 1 if the server broke a rule."""
    from fauxlab_contract.check.report.formats import as_json, junit, text
    from fauxlab_contract.check.report.html import html
    from fauxlab_contract.check.rules import RULES
    from fauxlab_contract.check.target import TargetError

    gate = Gate(parsed, RULES)
    document = load(parsed.document, is_quiet=True, is_served=True)
    writers: dict[str, Callable[[Report], str]] = {
        ".txt": text,
        ".json": as_json,
        ".xml": partial(junit, fails_at=gate.fail_on),
        ".html": html,
    }
    files = ReportFiles(parsed.report, writers)
    try:
        report = gate.apply(_report(parsed, document))
    except TargetError as error:
        raise UsageError(str(error)) from None
    # first: it is there whatever becomes of the files
    print(text(report, verbose=parsed.verbose), end="")
    if report.findings and not (parsed.verbose or parsed.report):
        print("\n--verbose shows what was sent and came; --report FILE writes it")
    files.write(report)
    if not report.is_whole:
        raise KeyboardInterrupt  # told as everywhere, after what was found
    return gate.exit_code(report)


def _report(parsed: argparse.Namespace, document: Document) -> Report:
    """Check the server; raise TargetError if it cannot be reached."""
    from fauxlab_contract.check.run import check, require_a_phase
    from fauxlab_contract.check.target import HttpTarget, is_loopback_url

    target = HttpTarget(parsed.url, ca=parsed.ca)
    is_here = is_loopback_url(target.url)
    options = _options(parsed, is_here=is_here)
    require_a_phase(options)
    if not parsed.yes and not is_here:
        print(_plan(target, document, options))
        raise UsageError(
            "nothing was sent: the server is not on this machine; add --yes to run this plan"
        )
    target.reach()
    with (
        contextlib.closing(target),
        _hypothesis_in_a_temporary_folder(),
        _progress() as progress,
    ):
        return check(target, document, options, progress)


@contextlib.contextmanager
def _hypothesis_in_a_temporary_folder() -> Iterator[None]:
    """Give Hypothesis a folder for the block, or it makes `.hypothesis` in the current one."""
    if HYPOTHESIS_FOLDER in os.environ:
        yield
        return
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="fauxlab-") as folder:
        os.environ[HYPOTHESIS_FOLDER] = folder
        try:
            yield
        finally:
            del os.environ[HYPOTHESIS_FOLDER]


def _options(parsed: argparse.Namespace, *, is_here: bool) -> Options:
    key = parsed.key or os.environ.get("FAUXLAB_KEY")
    other_key = parsed.other_key or os.environ.get("FAUXLAB_OTHER_KEY") or None
    if not key:
        raise UsageError(
            "give a key that the server accepts with --key or the variable FAUXLAB_KEY; if it"
            " accepts every key, give any key, and --any-key"
        )
    if other_key == key:
        raise UsageError("--other-key must differ from --key")
    return Options(
        key=key,
        other_key=other_key,
        any_key=parsed.any_key,
        profile=parsed.profile,
        errors=parsed.errors,
        max_calls=parsed.max_calls or (None if is_here else ELSEWHERE_CALLS),
        max_submits=parsed.max_submits or (None if is_here else ELSEWHERE_SUBMITS),
        max_seconds=parsed.max_seconds,
        seed=parsed.seed,
        only=_phases(parsed.only),
        queue_limit=parsed.queue_limit,
        timeout_s=parsed.timeout,
        has_receiver=is_here,
        headers=tuple(parsed.header),
        delay_s=parsed.delay,
    )


def _phases(text: str | None) -> tuple[str, ...]:
    """Return the phases in "examples,boundaries"; all of them for no text."""
    if not text:
        return PHASES
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in PHASES:
            raise UsageError(no_such("phase", name, PHASES))
    return names


def _plan(target: HttpTarget, document: Document, options: Options) -> str:
    """Return what would be sent, and what it may cost."""
    from fauxlab_contract.check.run import planned_steps

    steps, _ = planned_steps(document, options)
    calls = sum(step.calls for step in steps)
    submits = sum(step.submits for step in steps)
    head = (
        f"{target.url} would get up to {counted(calls, 'requests')}, which may start up to"
        f" {counted(submits, 'generations')}, each of which may cost money:"
    )
    lines = [f"  {step.phase:11}{step.label}" for step in steps]
    return "\n".join([head, *lines])


@contextlib.contextmanager
def _progress() -> Iterator[Progress]:
    """Give what shows progress: on a terminal one line, written again and again, then wiped."""

    def write(line: str) -> None:
        sys.stderr.write(f"\r{line:70}\r")
        sys.stderr.flush()

    def show(phase: str, done: int, total: int, findings: int) -> None:
        write(f"{phase}: {done} of {total} steps, {counted(findings, 'findings')}")

    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    try:
        yield show
    finally:
        write("")
