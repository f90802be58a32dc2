"""The options that decide which findings fail a command: the same for every judge."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from fauxlab.cli.command import UsageError
from fauxlab.cli.parser import Parser
from fauxlab.cli.report_files import check_writable
from fauxlab_contract.core.gate import Baseline, read_baseline, read_waiver
from fauxlab_contract.core.rules import SEVERITIES, Findings, Rule, Severity
from fauxlab_contract.core.text import counted, not_one_of

if TYPE_CHECKING:
    SomeFindings = TypeVar("SomeFindings", bound=Findings)

__all__ = ["Gate", "add_gate"]


def add_gate(
    parser: Parser, fail_on: Severity, place: str = "", words: Sequence[str] = SEVERITIES
) -> None:
    """Add the options that `Gate` obeys: --fail-on, --waive, --baseline, --write-baseline.

    `place` is what findings of this judge are found at, such as TRIAL; empty for nothing. `words`
    are the judge's own words for the severities, the most serious first.
    """
    names = dict(zip(SEVERITIES, words, strict=True))

    def read(text: str) -> Severity:
        for severity, name in names.items():
            if text in (severity, name):
                return severity
        raise argparse.ArgumentTypeError(not_one_of(text, words))

    parser.add_argument(
        "--fail-on",
        metavar="{" + ",".join(words) + "}",
        type=read,
        default=fail_on,
        help=f"mildest finding that fails the command (default: {names[fail_on]})",
    )
    parser.add_argument(
        "--waive",
        metavar=f"RULE[:FIELD]{f'[@{place}]' if place else ''}=REASON",
        action="append",
        default=[],
        help="accept the findings of a rule, for a reason; may be given several times",
    )
    parser.add_argument(
        "--baseline", metavar="FILE", help="accept what FILE names: only new findings fail"
    )
    parser.add_argument(
        "--write-baseline",
        metavar="FILE",
        help="write a baseline of all findings that are not waived, and accept them",
    )


class Gate:
    """Which findings fail a command, as its options say.

    Made before the work, so that a mistake is told at once:

        gate = Gate(parsed, RULES)
        report = gate.apply(audit_document(document))
        print_report(report, parsed.format)
        return gate.exit_code(report)
    """

    def __init__(self, parsed: argparse.Namespace, rules: Mapping[str, Rule]) -> None:
        """Read the waivers and the baseline; raise UsageError for one that is wrong."""
        self.fail_on: Severity = parsed.fail_on
        self.waivers: dict[str, str] = {}
        for text in parsed.waive:
            try:
                name, reason = read_waiver(text, rules)
            except ValueError as error:
                raise UsageError(f"--waive: {error}") from None
            self.waivers[name] = reason
        self.baseline = _read(parsed.baseline) if parsed.baseline else None
        self._target: str | None = parsed.write_baseline
        if self._target:
            check_writable("--write-baseline", self._target)

    def apply(self, report: SomeFindings) -> SomeFindings:
        """Return the report without what is accepted; write the baseline if one is wanted.

        Raises UsageError for the baseline of another judge, and a file that cannot be written.
        """
        report = report.with_waivers(self.waivers)
        baseline = self.baseline
        if self._target:
            baseline = report.as_baseline(self._target)
            _write(self._target, baseline)
            known = counted(len(report.findings), "findings")
            print(f"fauxlab: wrote {self._target}: {known}", file=sys.stderr)
        if baseline is None:
            return report
        try:
            return report.against(baseline)
        except ValueError as error:
            raise UsageError(f"--baseline: {error}") from None

    def exit_code(self, report: Findings) -> int:
        """Return 1 if a finding is as serious as --fail-on says, else 0."""
        return 1 if report.has(self.fail_on) else 0


def _read(file: str) -> Baseline:
    try:
        return read_baseline("--baseline", file)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _write(file: str, baseline: Baseline) -> None:
    try:
        Path(file).write_bytes(baseline.as_bytes())
    except OSError as error:
        reason = error.strerror or error
        raise UsageError(f"--write-baseline {file} cannot be written: {reason}") from None
