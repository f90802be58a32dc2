"""Score `check_client` on clients in other people's habits: false alarms first, then kills.

`python tests/client_mutants/score_others.py [--only NAME…] [--trials NAME…] [--jobs 2] [--twice]
[--right] [--save FILE] [--against FILE]`

NAME is the number of a right client or the name of a bug. Each client is checked in a process of
its own, `--jobs` of them at a time. A broken client is killed by a finding of a rule that fits its
bug (`other_reasons.py`) and that its right twin does not have. Exit code 1 after a false alarm.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from client_mutants.other_reasons import DESERVED, OF_TIME, UNSEEN
from other_programs import OTHERS, load_program

__all__ = ["Client", "Result", "fitting", "kind_of"]

LONGEST_S = 300.0  # real seconds for one client


@dataclass(frozen=True)
class Client:
    """A right client (`04_thread_event_wait`), or a broken one with the number of its twin."""

    name: str
    bug: str = ""
    right: str = ""  # the number of the right twin; "" without one
    source: str = field(default="", repr=False)

    @property
    def number(self) -> str:
        return self.name.partition("_")[0]


@dataclass(frozen=True)
class Result:
    """What `check_client` said of a client; `failure` says why it said nothing."""

    findings: Sequence[Mapping[str, Any]] = ()
    not_judged: Sequence[str] = ()
    calls: int = 0
    virtual_s: float = 0.0
    real_s: float = 0.0
    failure: str = ""

    @property
    def serious(self) -> list[Mapping[str, Any]]:
        return [one for one in self.findings if one["severity"] in ("error", "warning")]


def all_clients() -> list[Client]:
    right = [
        Client(path.stem, source=path.read_text(encoding="utf-8"))
        for path in sorted((OTHERS / "clients").glob("*.py"))
    ]
    twins = load_program(OTHERS / "broken_clients.py").TWINS
    broken = [Client(one.name, one.bug, one.right or "", one.source()) for one in twins]
    return [*right, *broken]


def kind_of(finding: Mapping[str, Any]) -> str:
    """`time` for what the stage judges by its clock and its surroundings, else `judge`."""
    return "time" if finding["rule"] in OF_TIME else "judge"


def fitting(
    name: str, found: Sequence[Mapping[str, Any]], of_right: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Return the rules that fit a bug and by which it is told from its right twin."""
    deserved = DESERVED.get(name, "").split()
    theirs = {(one["rule"], one["field"], one["trial"]) for one in of_right}
    ours = {(one["rule"], one["field"], one["trial"]) for one in found}
    return sorted({rule for rule, *_ in ours - theirs if rule in deserved})


# One client, in a process of its own


def check_one(program: Path, result: Path, trials: Sequence[str]) -> None:
    """Check the client in a file, and write the `Result` as JSON."""
    from fauxlab_mock.client_check.check import check_client

    os.nice(10)
    began = time.monotonic()
    said: dict[str, Any]
    try:
        report = check_client(load_program(program).make, trials=trials or None)
        told = report.as_dict()
        said = {name: told[name] for name in ("findings", "not_judged", "calls", "virtual_s")}
    except BaseException as error:  # what comes out of a check is a result as well
        said = {"failure": f"{type(error).__name__}: {error}"}
    said["real_s"] = time.monotonic() - began
    result.write_text(json.dumps(said, default=str), encoding="utf-8")
    sys.stdout.flush()
    os._exit(0)  # threads that a client left behind keep nobody waiting


def checked(client: Client, trials: Sequence[str]) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        program, said = Path(folder) / f"{client.name}.py", Path(folder) / "said.json"
        program.write_text(client.source, encoding="utf-8")
        command = [sys.executable, "-W", "ignore", __file__, "--one", str(program), str(said)]
        try:
            done = subprocess.run(
                [*command, "--trials", *trials],
                capture_output=True,
                timeout=LONGEST_S,
                text=True,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Result(real_s=LONGEST_S, failure=f"it took more than {LONGEST_S:.0f} s")
        if not said.exists():
            return Result(failure=f"exit {done.returncode}: {done.stderr[-300:]}")
        return Result(**json.loads(said.read_text(encoding="utf-8")))


# All clients


def all_checked(clients: Collection[Client], trials: Sequence[str], jobs: int) -> dict[str, Result]:
    results: dict[str, Result] = {}
    with ThreadPoolExecutor(jobs) as pool:
        under_way = {one.name: pool.submit(checked, one, trials) for one in clients}
        for name, future in under_way.items():
            results[name] = future.result()
            print(f"{len(results)}/{len(clients)} {name}", file=sys.stderr, flush=True)
    return results


def alarms(
    right: Collection[Client], results: Mapping[str, Result]
) -> dict[tuple[str, str], list[str]]:
    """Return (kind, rule) -> a line for each finding of that rule about a right client."""
    lines: dict[tuple[str, str], list[str]] = {}
    for one in right:
        if reason := results[one.name].failure:
            lines.setdefault(("time", "failure"), []).append(f"{one.name} | {reason:.300}")
        for found in results[one.name].serious:
            lines.setdefault((kind_of(found), found["rule"]), []).append(
                f"{one.name} | {found['severity']} {found['rule']} | {found['trial']} |"
                f" {found['message']:.300} ({found['times']}x)"
            )
    return lines


def false_alarms(right: Collection[Client], results: Mapping[str, Result]) -> int:
    """Print all findings about right clients, those of time last; return how many they are."""
    lines = alarms(right, results)
    print(f"FALSE ALARMS on {len(right)} right clients")
    for (kind, rule), found in sorted(lines.items()):
        accused = {line.partition(" | ")[0] for line in found}
        print(f"  {kind:5} | {rule} | {len(found)} on {len(accused)} clients")
        print("".join(f"        | {line}\n" for line in found), end="")
    accused = {line.partition(" | ")[0] for found in lines.values() for line in found}
    counts = {
        kind: sum(len(found) for (of, _), found in lines.items() if of == kind)
        for kind in ("time", "judge")
    }
    print(f"{counts['time']} of time, {counts['judge']} of judge, on {len(accused)} clients")
    return sum(counts.values())


def unjudged(clients: Collection[Client], results: Mapping[str, Result]) -> None:
    print("NOT JUDGED")
    whom: dict[str, list[str]] = {}
    for one in clients:
        result = results[one.name]
        for reason in [*result.not_judged, *([result.failure] if result.failure else [])]:
            whom.setdefault(reason, []).append(one.name)
    for reason, names in sorted(whom.items(), key=lambda item: -len(item[1])):
        print(f"  {reason:.300} | {len(names)}: {', '.join(names[:6])}")


def kills(broken: Collection[Client], results: Mapping[str, Result]) -> None:
    """Print the fate of each broken client, survivors first."""
    by_number = {name.partition("_")[0]: result for name, result in results.items()}
    lines: dict[str, list[str]] = {"survived": [], "unseen": [], "killed": []}
    for one in broken:
        of_right = by_number[one.right].findings if one.right in by_number else []
        found = results[one.name].findings
        rules = fitting(one.name, found, of_right)
        if rules:
            lines["killed"].append(f"{one.name}: {', '.join(rules)}")
        elif one.name in UNSEEN:
            lines["unseen"].append(f"{one.name}: {UNSEEN[one.name]}")
        else:
            others = ", ".join(sorted({each["rule"] for each in found})) or "nothing"
            wanted = DESERVED.get(one.name, "?")
            lines["survived"].append(f"{one.name} ({one.bug}): wants {wanted}; found {others}")
    for fate, said in lines.items():
        print(f"{fate.upper()}: {len(said)} of {len(broken)}")
        print("".join(f"  {line}\n" for line in said), end="")


def differing(before: Mapping[str, Result], after: Mapping[str, Result]) -> None:
    """Print whose findings are not the same in a second run."""
    for name, result in after.items():
        first, second = (
            [(one["rule"], one["trial"], one["times"]) for one in run.findings]
            for run in (before[name], result)
        )
        if first != second or list(before[name].not_judged) != list(result.not_judged):
            print(f"  differs: {name}: {sorted(set(first) ^ set(second))}")


def times(results: Mapping[str, Result]) -> None:
    taken = sorted(((one.real_s, name) for name, one in results.items()), reverse=True)
    if taken:
        worst = ", ".join(f"{name} {seconds:.1f}" for seconds, name in taken[:8])
        print(f"REAL TIME of check_client: median {median(s for s, _ in taken):.1f} s; {worst}")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME")
    parser.add_argument("--trials", nargs="*", default=[], metavar="NAME")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--right", action="store_true", help="right clients alone")
    parser.add_argument("--twice", action="store_true", help="say whose findings differ")
    parser.add_argument("--one", nargs=2, type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        program, result = given.one
        check_one(program, result, given.trials)
    clients = [
        one
        for one in all_clients()
        if (not given.only or {one.name, one.number} & {*given.only})
        and not (given.right and one.bug)
    ]
    results = all_checked(clients, given.trials, given.jobs)
    right = [one for one in clients if not one.bug]
    count = false_alarms(right, results)
    unjudged(clients, results)
    kills([one for one in clients if one.bug], results)
    if given.twice:
        print("A SECOND RUN")
        differing(results, all_checked(clients, given.trials, given.jobs))
    times(results)
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
