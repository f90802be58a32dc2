"""Score the broken clients: who catches which for the right reason, and what a client costs.

`python tests/client_mutants/score.py [--peer FILE] [ROW or FORM …]`; FILE holds the lines that
peer.py prints, one for each form. A client is killed when `check_client` finds a rule that it
deserves (reasons.py). Exit code 1 when a correct client has a finding, when a broken one survives,
or dies for another reason that is not among `KNOWN_MISSES`.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from client_mutants.catalogue import CORRECT, MUTANTS, Candidate
from client_mutants.reasons import KNOWN_MISSES, deserved
from fauxlab_contract.guard.guard import CallUnderWay, Guard
from fauxlab_contract.guard.hooks.watch import watching
from fauxlab_contract.guard.rules import GuardObservation
from fauxlab_contract.openapi.document import load_document
from fauxlab_contract.verdict.rules import RULES
from fauxlab_mock.client_check.check import check_client
from fauxlab_mock.client_check.demands.servers import TRIALS
from fauxlab_mock.client_check.report import ClientReport

__all__ = ["DETECTORS", "Detector", "score"]

# -> rules that were broken, virtual and real seconds
Detector = Callable[[Candidate], tuple[list[str], float, float]]


class _Listener(Guard):
    """A guard that only writes down what it finds, on whatever port a mock listens here."""

    def __init__(self) -> None:
        super().__init__(load_document())
        self.rules: set[str] = set()

    def _path(self, url: str) -> str | None:
        parts = urlsplit(url)
        is_ours = parts.hostname == "127.0.0.1" and not parts.path.startswith(
            ("/generations/", "/hook")
        )
        return unquote(parts.path) if is_ours else None

    def _note(self, seen: CallUnderWay, found: Iterable[GuardObservation]) -> None:
        # those are of our servers' making
        self.rules |= {one.rule for one in found} - {"reply-violation"}


@cache
def _checked(candidate: Candidate) -> tuple[ClientReport, _Listener]:
    guard = _Listener()
    with candidate.opened() as make, watching(guard):
        return check_client(make), guard


def by_guard(candidate: Candidate) -> tuple[list[str], float, float]:
    """What the traffic guard says of the requests alone, in the same situations."""
    report, guard = _checked(candidate)
    return sorted(guard.rules), report.virtual_s, report.real_s


def by_check_client(candidate: Candidate) -> tuple[list[str], float, float]:
    report, _ = _checked(candidate)
    return sorted({finding.rule for finding in report.findings}), report.virtual_s, report.real_s


def by_verdict(candidate: Candidate) -> tuple[list[str], float, float]:
    """What the verdict says by itself, of plain arguments, in the same situations."""
    report, _ = _checked(candidate)
    return (
        sorted({one.rule for one in report.findings if one.rule in RULES and one.trial in TRIALS}),
        report.virtual_s,
        report.real_s,
    )


DETECTORS: dict[str, Detector] = {
    "check_client": by_check_client,
    "guard": by_guard,
    "verdict": by_verdict,
}


def score(
    candidates: Sequence[Candidate], detectors: Mapping[str, Detector]
) -> dict[str, dict[Candidate, list[str]]]:
    """Print a line for each candidate as it is done; return detector -> candidate -> rules."""
    rules_of: dict[str, dict[Candidate, list[str]]] = {name: {} for name in detectors}
    for candidate in candidates:
        cells, virtual_s, real_s = [], 0.0, 0.0
        for name, detect in detectors.items():
            rules, virtual, real = detect(candidate)
            virtual_s, real_s = max(virtual_s, virtual), max(real_s, real)
            rules_of[name][candidate] = rules
            cells.append(", ".join(rules) or "-")
        print(
            f"{candidate.name} | {candidate.library} | {' | '.join(cells)} | {virtual_s:.0f} |"
            f" {real_s:.1f}",
            flush=True,
        )
    return rules_of


def false_alarms() -> int:
    """Print what our detectors say of correct clients; return how many of them are accused."""
    accused = 0
    for candidate in CORRECT:
        for name, detect in DETECTORS.items():
            if rules := detect(candidate)[0]:
                accused += 1
                print(f"false alarm: {candidate.id} ({name}): {', '.join(rules)}")
    return accused


def missed(rules_of: Mapping[Candidate, Sequence[str]]) -> tuple[int, int, bool]:
    """Print survivors and kills for another reason; return their counts, and whether one of them
    is unexpected.
    """
    others = {
        candidate: rules
        for candidate, rules in rules_of.items()
        if deserved(candidate.name).isdisjoint(rules)
    }
    is_bad = False
    for candidate, rules in sorted(others.items(), key=lambda item: bool(item[1])):
        known = KNOWN_MISSES.get(candidate.name) if rules else None
        what = "killed for another reason" if rules else "survived"
        is_bad = is_bad or known is None
        print(
            f"{what}: {candidate.id}: {candidate.summary}" + (f" (known: {known})" if known else "")
        )
        if rules:
            print(f"    deserves {', '.join(deserved(candidate.name))}; found: {', '.join(rules)}")
    survivors = sum(not rules for rules in others.values())
    return survivors, len(others) - survivors, is_bad


def by_peer(file: Path) -> Detector:
    """What a request's schema shows to pytest-synapse. What it says of replies is about our
    servers: it says it of correct clients, too.
    """
    lines = [
        json.loads(line[line.index('{"id"') :])
        for line in file.read_text().splitlines()
        if '{"id"' in line
    ]
    told = {
        line["id"]: sorted({error.partition(":")[0] for error in line["errors"]} & {"request_body"})
        for line in lines
    }
    return lambda candidate: (told[candidate.name], 0.0, 0.0)


def main(names: Sequence[str]) -> int:
    warnings.simplefilter("ignore")
    detectors = dict(DETECTORS)
    if names[:1] == ["--peer"]:
        detectors["pytest-synapse"] = by_peer(Path(names[1]))
        names = names[2:]
    started = time.monotonic()
    chosen = [one for one in MUTANTS if not names or one.row in names or one.name in names]
    alarms = 0 if names else false_alarms()
    print(f"form | library | {' | '.join(detectors)} | virtual s | real s")
    rules_of = score(chosen, detectors)
    survivors, for_another, is_bad = missed(rules_of["check_client"])
    rows = {candidate.row for candidate in chosen}
    for name, by_candidate in rules_of.items():
        unseen = [candidate for candidate, rules in by_candidate.items() if not rules]
        whole = rows - {candidate.row for candidate in unseen}
        print(
            f"{name} notices {len(chosen) - len(unseen)} of {len(chosen)} clients, {len(whole)} of"
            f" {len(rows)} rows whole"
        )
    print(
        f"{len(chosen) - survivors - for_another} of {len(chosen)} clients killed for the right"
        f" reason, {for_another} for another, {survivors} survived; {alarms} false alarms on"
        f" {0 if names else len(CORRECT)} correct clients; {time.monotonic() - started:.0f} s"
    )
    return 1 if is_bad or alarms else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
