"""The score over servers that others wrote (tests/others): which right ones `fauxlab check`
accuses, and how many of the broken ones it sees for the right reason.

    python tests/mutants/score_others.py [--python FILE] [--at-once N] [--save FILE] [NAME…]

Each server is a program of its own, and is checked over HTTP, a few at a time. `--python` is an
interpreter that has what the servers import (Flask, FastAPI, aiohttp); what cannot be started is
not judged. A broken server is killed when a finding that its right twin has not got is of a rule
that others_reasons.py names for its bug. Exit code 1 when a right server has a finding that
others_reasons.py does not explain.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # when it is run as a program

from fauxlab_contract.check.run import Options, check
from fauxlab_contract.check.target import HttpTarget, TargetError
from fauxlab_contract.openapi.document import Document, bundled_path, load_document
from mutants.others_reasons import DESERVED, UNJUDGED, explained
from other_programs import OTHERS, load_program

KEY = "board-key-0123"
STARTS_WITHIN_S, MAX_SECONDS = 20.0, 240.0
SERVERS = OTHERS / "servers"


@dataclass(frozen=True)
class Found:
    """A finding: where and with which requests, and what it says without the numbers, which differ
    from run to run.
    """

    rule: str
    severity: str
    where: str
    said: str
    steps: tuple[str, ...]

    def marks(self) -> set[tuple[str, str, str]]:
        """Return what tells this finding from others: rule, place, request."""
        return {(self.rule, self.where, step) for step in self.steps or (self.said,)}


@dataclass(frozen=True)
class Result:
    """What became of one server. `trouble` says why there was no report."""

    name: str
    right: str  # the number of the right server
    findings: tuple[Found, ...]
    trouble: str
    calls: int
    seconds: float


def right_programs() -> dict[str, Path]:
    """Return the right servers: number -> program."""
    return {path.name[:2]: path for path in sorted(SERVERS.glob("*.py"))}


def result_of(python: str, named: tuple[str, str, str]) -> Result:
    """Start one server (name, number of the right one, source or nothing), and check it."""
    name, right, source = named
    started, report, trouble = time.perf_counter(), None, ""
    try:
        with _running(python, right_programs()[right], source) as port:
            document = _document(right)
            target = HttpTarget(f"http://127.0.0.1:{port}{document.base_path}")
            with contextlib.closing(target):
                report = check(target, document, Options(KEY, max_seconds=MAX_SECONDS))
    except TargetError as error:
        trouble = f"not judged: {error}"
    except Exception as error:  # a traceback is a result too
        trouble = f"traceback: {type(error).__name__}: {error}"
    findings = tuple(map(_found, report.findings)) if report else ()
    seconds = time.perf_counter() - started
    return Result(name, right, findings, trouble, report.calls if report else 0, seconds)


def _found(finding: Any) -> Found:
    said = re.sub(r"\d+", "#", finding.message)[:400]
    return Found(finding.rule, finding.severity, finding.where, said, finding.steps)


def _document(right: str) -> Document:
    own = next(SERVERS.glob(f"{right}_*.yaml"), None)
    return load_document(own or bundled_path())


@contextlib.contextmanager
def _running(python: str, program: Path, source: str) -> Iterator[int]:
    """Run a server, or what `source` makes of it, on a free port until the block ends."""
    port = _free_port()
    environment = {**os.environ, "KEY": KEY, "PYTHONDONTWRITEBYTECODE": "1"}
    environment.setdefault("JOB_SECONDS", "0.3")
    with tempfile.TemporaryDirectory(prefix="fauxlab-others-") as folder:
        is_node = program.with_suffix(".js").exists()
        file = program.with_suffix(".js") if is_node else program
        if source:
            file = Path(folder, file.name)
            file.write_text(source, encoding="utf-8")
        command = ["node" if is_node else python, str(file), str(port)]
        quiet: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen(command, cwd=folder, env=environment, **quiet)
        try:
            _wait_for(port, process)
            yield port
        finally:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
            return
        time.sleep(0.05)
    raise TargetError("the server did not start; does --python have what it imports?")


def _print_right(results: Sequence[Result]) -> int:
    """Print the false alarms, then what is explained; return how many alarms there are."""
    alarms, known = [], Counter[str]()
    for result in results:
        for found in result.findings:
            reason = explained(result.right, found.rule, found.said)
            if reason or found.severity != "error":
                known[f"{found.severity} {found.rule}: {reason or 'a warning'}"] += 1
            else:
                alarms.append(f"{result.name}: {found.rule}: {found.said[:300]}")
        if result.trouble:
            alarms.append(f"{result.name}: {result.trouble}")
    for alarm in alarms:
        print(f"false alarm: {alarm}")
    for reason, count in known.most_common():
        print(f"    explained, {count} times: {reason}")
    return len(alarms)


def is_killed(result: Result, right: Result | None) -> bool:
    """Return True for a finding of a deserved rule that the right twin has not got."""
    known = {mark for found in (right.findings if right else ()) for mark in found.marks()}
    rules = DESERVED[result.name].split()
    if "not-judged" in rules and result.trouble.startswith("not judged"):
        return True
    return any(found.rule in rules and found.marks() - known for found in result.findings)


def _print_broken(broken: Sequence[Result], right: Sequence[Result]) -> int:
    bugs = {twin.name: twin.bug for twin in _twins()}
    by_number = {result.right: result for result in right}
    killed = 0
    for result in broken:
        twin = by_number.get(result.right)
        if is_killed(result, twin):
            killed += 1
            continue
        new = {found.rule for found in result.findings} - {
            found.rule for found in (twin.findings if twin else ())
        }
        print(f"survived: {result.name} ({result.right}): {bugs[result.name]}")
        wanted = DESERVED[result.name] or f"nothing: {UNJUDGED[result.name]}"
        print(f"    deserves {wanted}; new rules: {', '.join(sorted(new))}")
        if result.trouble:
            print(f"    {result.trouble[:300]}")
    return killed


def _twins() -> list[Any]:
    return list(load_program(OTHERS / "broken_servers.py").TWINS)


def main() -> int:
    parser = argparse.ArgumentParser(description="Score the check on servers of others.")
    parser.add_argument("--python", default=sys.executable, help="runs the servers")
    parser.add_argument("--at-once", type=int, default=4, help="servers at a time (default: 4)")
    parser.add_argument("--save", help="write the results as JSON")
    parser.add_argument("--load", help="score the results of such a file instead")
    parser.add_argument("names", nargs="*", help="only servers whose names begin so")
    parsed = parser.parse_args()
    started = time.perf_counter()
    wanted = tuple(parsed.names) or ("",)
    twins = [twin for twin in _twins() if twin.name.startswith(wanted)]
    numbers = {twin.right for twin in twins}
    named = [
        (path.stem, number, "")
        for number, path in right_programs().items()
        if path.stem.startswith(wanted) or number in numbers
    ]
    named += [(twin.name, twin.right, twin.source()) for twin in twins]
    if parsed.load:
        results = _loaded(parsed.load)
    else:
        with ProcessPoolExecutor(parsed.at_once) as pool:
            results = list(pool.map(partial(result_of, parsed.python), named))
    if parsed.save:
        text = json.dumps([asdict(result) for result in results], indent=1)
        Path(parsed.save).write_text(text, encoding="utf-8")
    broken = [result for result in results if result.name in DESERVED]
    right = [result for result in results if result.name not in DESERVED]
    alarms = _print_right(right)
    killed = _print_broken(broken, right)
    print(
        f"{alarms} false alarms on {len(right)} right servers;"
        f" {killed} of {len(broken)} broken ones killed for the right reason"
    )
    times = [result.seconds for result in results]
    print(
        f"one check takes {statistics.median(times):.1f} s (median), {max(times):.1f} s (worst);"
        f" {time.perf_counter() - started:.0f} s in all"
    )
    return 1 if alarms else 0


def _found_again(row: dict[str, Any]) -> Found:
    return Found(**{**row, "steps": tuple(row.get("steps", ()))})


def _loaded(file: str) -> list[Result]:
    rows = json.loads(Path(file).read_text(encoding="utf-8"))
    return [
        Result(**{**row, "findings": tuple(map(_found_again, row["findings"]))}) for row in rows
    ]


if __name__ == "__main__":
    sys.exit(main())
