"""The score: how many of the broken servers `fauxlab check` sees for the right reason, and whether
it leaves the right ones alone. `make mutants` prints it.

    python tests/mutants/score.py [--max-calls N] [--seeds N] [--all-seeds] [NAME…]

Each case has a fresh server, in process, on its own clock. A mutant is killed when a rule that it
deserves (reasons.py) is among the findings. Exit code 1 when a right server has a finding, when a
mutant survives that is not among `TOLERATED`, or dies for another reason that is not among
`KNOWN_MISSES`.
"""

from __future__ import annotations

import argparse
import gzip
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from multiprocessing import Pool
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # when it is run as a program

from fauxlab_contract.check.run import PHASES, Options, check
from fauxlab_contract.core.http import HttpRequest, HttpResponse
from fauxlab_contract.openapi.document import load_document
from mutants.reasons import KNOWN_MISSES, deserved
from mutants.server import FREEDOMS, GOOD_KEY, MUTANTS, OTHER_KEY, Request, Server

DOCUMENT = load_document()
QUEUE_LIMIT = 5
# Mutants that the check does not hold against a server, and why.
TOLERATED: Mapping[str, str] = {
    "S16.surrogate": "RFC 8259 leaves to the receiver what half a surrogate pair means",
    "S37.blanks": "blanks around a key give nobody access who does not know it",
    "S47.no-allow": "a rule of HTTP, not of this contract; many gateways break it",
    "S47.wrong-path": (
        "its body is an error, which is how this API refuses: many servers answer so"
    ),
    "S38.faceless": "no document promises that another face gives another picture: a warning",
    "E03.soon": "the check ends before; how long links live is said in prose only",
}


class ServerTarget:
    """One of the servers here as the target of a check."""

    def __init__(self, server: Server) -> None:
        self.server, self.url = server, f"{server.origin}/api/v6"

    def send(self, sent: HttpRequest, within_s: float) -> HttpResponse:  # noqa: ARG002
        parts = urlsplit(sent.url)
        headers = {"host": parts.netloc, **sent.headers}
        try:
            answer = self.server.handle(
                Request(sent.method, unquote(parts.path), headers, sent.body, parts.query)
            )
        except Exception as error:  # the break of some mutants is a crash
            return HttpResponse(
                0, error=f"the connection was closed ({type(error).__name__})", at=self.now()
            )
        named = {name.lower(): value for name, value in answer.headers.items()}
        is_packed = named.get("content-encoding") == "gzip"
        body = gzip.decompress(answer.body) if is_packed else answer.body
        return HttpResponse(answer.code, named, body, at=self.now())

    def now(self) -> float:
        return self.server.now

    def sleep(self, seconds: float) -> None:
        self.server.advance(seconds)


@dataclass(frozen=True)
class Case:
    """A server to check: a mutant, a freedom, or neither. `options` are those of the check beyond
    the keys.
    """

    mutant: str | None = None
    freedom: str | None = None
    seed: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.mutant or self.freedom or "correct"


@dataclass(frozen=True)
class Score:
    """What became of one case: rules of the errors and of the hygiene found, the phase of the
    first, calls, submits, real seconds.
    """

    case: Case
    rules: tuple[str, ...]
    phase: str
    calls: int
    submits: int
    seconds: float

    @property
    def is_killed(self) -> bool:
        """True when a rule that the mutant deserves is among the findings."""
        return not deserved(self.case.name).isdisjoint(self.rules)


def scored(case: Case) -> Score:
    """Check one server. A mutant is judged by the error profile that it has, a freedom by any."""
    is_queue = case.name.startswith("S48")
    server = Server(
        case.mutant, case.freedom, seed=case.seed, queue_limit=QUEUE_LIMIT if is_queue else None
    )
    chosen: dict[str, Any] = {
        "errors": "any" if case.freedom else "envelope",
        "seed": case.seed,
        **case.options,
    }
    started = time.perf_counter()
    limit = QUEUE_LIMIT if is_queue else None
    report = check(
        ServerTarget(server),
        DOCUMENT,
        Options(GOOD_KEY, other_key=OTHER_KEY, queue_limit=limit, **chosen),
    )
    found = [one for one in report.findings if one.severity == "error" or one.group]
    first = min((finding.phase for finding in found), key=PHASES.index, default="")
    rules = tuple(dict.fromkeys(finding.rule for finding in found))
    return Score(case, rules, first, report.calls, report.submits, time.perf_counter() - started)


def right_ones(seeds: int, options: Mapping[str, Any], *, everywhere: bool) -> list[Case]:
    """The correct server with each seed, and the freedoms (with each seed when `everywhere`)."""
    plain = [Case(seed=seed, options=options) for seed in range(seeds)]
    return plain + [
        Case(freedom=name, seed=seed, options=options)
        for name in FREEDOMS
        for seed in range(seeds if everywhere else 1)
    ]


def _table(scores: Iterable[Score]) -> None:
    rows: dict[str, list[Score]] = {}
    for score in scores:
        rows.setdefault(MUTANTS[score.case.name].row, []).append(score)
    print(f"{'row':5}{'mutants':>8}{'killed':>8}{'seconds':>9}  by phase")
    for row, members in sorted(
        rows.items(), key=lambda item: (item[0][0] != "S", int(item[0][1:]))
    ):
        phases = Counter(score.phase for score in members if score.is_killed)
        by_phase = ", ".join(f"{phase} {count}" for phase, count in phases.most_common())
        seconds = sum(score.seconds for score in members)
        print(f"{row:5}{len(members):8}{phases.total():8}{seconds:9.1f}  {by_phase}")


def _print_trouble(mutants: Iterable[Score], right: Iterable[Score]) -> bool:
    """Print false alarms, survivors and kills for another reason, each with what is known about it;
    return whether any of them is unexpected.
    """
    is_bad = False
    for score in right:
        if score.rules:
            is_bad = True
            print(
                f"false alarm: {score.case.name}, seed {score.case.seed}: {', '.join(score.rules)}"
            )
    missed = [score for score in mutants if not score.is_killed]
    for score in sorted(missed, key=lambda score: bool(score.rules)):
        name = score.case.name
        known = KNOWN_MISSES.get(name) if score.rules else TOLERATED.get(name)
        what = "killed for another reason" if score.rules else "survived"
        is_bad = is_bad or known is None
        print(f"{what}: {name}: {MUTANTS[name].summary}" + (f" (known: {known})" if known else ""))
        if score.rules:
            print(f"    deserves {', '.join(deserved(name))}; found: {', '.join(score.rules)}")
    return is_bad


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Score the checker on broken and on right servers."
    )
    parser.add_argument("--max-calls", type=int, help="the budget of each check")
    parser.add_argument(
        "--seeds", type=int, default=20, help="for the correct server (default: 20)"
    )
    parser.add_argument(
        "--all-seeds", action="store_true", help="each freedom with each seed as well"
    )
    parser.add_argument("names", nargs="*", help="only mutants whose names begin so")
    parsed = parser.parse_args()
    options = {"max_calls": parsed.max_calls}
    started = time.perf_counter()
    wanted = [name for name in MUTANTS if not parsed.names or name.startswith(tuple(parsed.names))]
    right = right_ones(parsed.seeds, options, everywhere=parsed.all_seeds)
    with Pool(2) as pool:
        scores = pool.map(
            scored, [*(Case(name, options=options) for name in wanted), *right], chunksize=4
        )
    mutants, correct = scores[: len(wanted)], scores[len(wanted) :]
    is_bad = _print_trouble(mutants, correct)
    _table(mutants)
    killed = sum(score.is_killed for score in mutants)
    noticed = sum(bool(score.rules) for score in mutants)
    alarms = sum(bool(score.rules) for score in correct)
    print(
        f"{killed} of {len(mutants)} mutants killed for the right reason, {noticed - killed} for"
        f" another, {len(mutants) - noticed} survived; {alarms} false alarms on {len(correct)}"
        " right servers"
    )
    mean = sum(score.calls for score in scores) / len(scores)
    print(f"{mean:.0f} calls a check on average; {time.perf_counter() - started:.0f} s in all")
    if parsed.max_calls is not None:
        return 0
    return 1 if is_bad else 0


if __name__ == "__main__":
    sys.exit(main())
