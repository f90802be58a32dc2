"""How many of the broken servers Schemathesis sees.

Each mutant is served on loopback, and the same run is judged three ways. Schemathesis is no
dependency of this project: make an environment for it and name its command:

    python -m venv peer && peer/bin/pip install schemathesis
    python benchmarks/peers_server.py peer/bin/schemathesis

It has its best chance: a document in which the key is the valid one, in which good addresses stand
for `format: uri`, and which links the submit to the fetch; all its checks and phases; and one
hand-written check that reads the status in the body. What it reports about the correct server too,
by check and operation, is a false alarm and kills nothing.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from mutants.score import Case, scored  # noqa: E402
from mutants.server import (  # noqa: E402 # they live beside the tests
    FREEDOMS,
    GOOD_KEY,
    MUTANTS,
    Server,
    serve,
)

# times real time: a job of three seconds ends in 60 ms, so that later fetches see results
SPEED = 50
BY_HAND = "Custom check failed: `body_tells`"
SEEDS = (1, 2, 3)  # of the runs against the correct server
HOOKS = '''
import schemathesis
from hypothesis import strategies as st

GOOD = ["http://127.0.0.1:9/hook", "https://example.com/hook?job=1", "http://[::1]:9/"]
schemathesis.openapi.format("uri", st.sampled_from(GOOD))


@schemathesis.check
def body_tells(ctx, response, case):
    """Negative data must not become a job, positive data must not be an error."""
    try:
        status = response.json().get("status")
    except Exception:
        return
    if case.meta is None or response.status_code in (404, 405):
        return
    mode, taken = case.meta.generation.mode, status in ("success", "processing")
    assert not (mode.is_negative and taken), "negative data was taken"
    assert not (mode.is_positive and status == "error"), "positive data was refused"
'''
Failure = tuple[str, str]  # what, at which operation
TIMED_OUT: Failure = ("time limit", "")  # says nothing, and kills nothing


def peer_document(coded: bool) -> dict[str, Any]:
    """Return the contract with the valid key and a link from submit to fetch.

    For `coded` servers it also has the refusals' HTTP codes.
    """
    tree: dict[str, Any] = yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))
    submit, fetch = (
        tree["paths"][path]["post"]
        for path in ("/image_editing/flux_headshot", "/image_editing/fetch/{id}")
    )
    for name in ("FluxHeadshotRequest", "FetchRequest"):
        tree["components"]["schemas"][name]["properties"]["key"] = {
            "type": "string",
            "const": GOOD_KEY,
        }
    for operation in (submit, fetch):
        for example in operation["requestBody"]["content"]["application/json"]["examples"].values():
            example["value"]["key"] = GOOD_KEY
    fetch["parameters"][0]["schema"]["minLength"] = 1
    link = {
        "operationId": fetch["operationId"],
        "parameters": {"id": "$response.body#/id"},
        "requestBody": {"key": GOOD_KEY},
    }
    submit["responses"]["200"]["links"] = {"result": link}
    if coded:
        for operation in (submit, fetch):
            operation["responses"] |= {
                str(code): operation["responses"]["200"] for code in (400, 401, 404, 429)
            }
    return tree


def failures(
    command: str, server: Server, folder: Path, seed: int, options: argparse.Namespace
) -> set[Failure]:
    """What one run reports; {TIMED_OUT} when it took too long."""
    report = folder / "report.json"
    report.unlink(missing_ok=True)
    words = (
        "--checks all --no-color --generation-database none --no-shrink --continue-on-failure"
        " --report json"
    )
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": str(folder / "hooks.py")}
    with serve(server, realtime=True, speed=SPEED) as url:
        arguments = [
            command,
            "run",
            str(folder / "document.yaml"),
            "--url",
            url,
            *words.split(),
            "--report-json-path",
            str(report),
        ]
        arguments += ["--max-examples", str(options.examples), "--seed", str(seed)]
        try:
            subprocess.run(
                arguments,
                env=environment,
                cwd=folder,
                capture_output=True,
                timeout=options.seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return {TIMED_OUT}
    return _reported(json.loads(report.read_text(encoding="utf-8"))) if report.exists() else set()


def _reported(report: Mapping[str, Any]) -> set[Failure]:
    found = {
        (failure["title"], operation)
        for failure in report["failures"]
        for operation in failure["operations"] or [""]
    }
    return found | {(str(error.get("title", error)), "") for error in report["errors"]}


def chosen(options: argparse.Namespace) -> list[str]:
    """The first forms of each row, or all whose name begins with --only."""
    taken: collections.Counter[str] = collections.Counter()
    names = []
    for name, mutant in MUTANTS.items():
        taken[mutant.row] += 1
        if name.startswith(options.only) and taken[mutant.row] <= options.forms:
            names.append(name)
    return names


def measure(options: argparse.Namespace, coded: bool) -> dict[str, set[Failure]]:
    """What it reports beyond the false alarms, per mutant; the false alarms themselves under ""."""
    freedom = "4xx" if coded else None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "document.yaml").write_text(
            yaml.safe_dump(peer_document(coded)), encoding="utf-8"
        )
        (folder / "hooks.py").write_text(HOOKS, encoding="utf-8")

        def alarms(queue_limit: int | None) -> set[Failure]:
            correct = [
                failures(
                    options.command,
                    Server(freedom=freedom, queue_limit=queue_limit),
                    folder,
                    seed,
                    options,
                )
                for seed in SEEDS
            ]
            return set().union(*correct)

        known = {None: alarms(None), 5: alarms(5)}
        found = {"": known[None]}
        for mutant in chosen(options):
            limit = 5 if MUTANTS[mutant].row == "S48" else None
            found[mutant] = (
                failures(
                    options.command, Server(mutant, freedom, queue_limit=limit), folder, 1, options
                )
                - known[limit]
            )
            print(
                f"{mutant:32}"
                f" {'; '.join(sorted(' at '.join(each) for each in found[mutant])) or '-'}",
                flush=True,
            )
    return found


def false_alarms(options: argparse.Namespace) -> int:
    """Return the correct servers in which the peer reports more than in the plain one.

    Each of them uses a freedom that the contract leaves.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "document.yaml").write_text(
            yaml.safe_dump(peer_document(coded=False)), encoding="utf-8"
        )
        (folder / "hooks.py").write_text(HOOKS, encoding="utf-8")
        known = failures(options.command, Server(), folder, 1, options)
        alarmed = 0
        for freedom in FREEDOMS:
            seen = (
                failures(options.command, Server(freedom=freedom), folder, 1, options)
                - known
                - {TIMED_OUT}
            )
            alarmed += bool(seen)
            print(
                f"freedom {freedom:24}"
                f" {'; '.join(sorted(' at '.join(each) for each in seen)) or '-'}",
                flush=True,
            )
    return alarmed


def row(label: str, found: Mapping[str, Iterable[Failure]], *, by_hand: bool) -> str:
    """One line of the table."""

    def counts(seen: Iterable[Failure]) -> bool:
        return any(what != TIMED_OUT[0] and (by_hand or what != BY_HAND) for what, _ in seen)

    killed = [name for name in found if name and counts(found[name])]
    rows = {MUTANTS[name].row for name in found if name}
    alarms = sum(by_hand or what != BY_HAND for what, _ in found[""])
    seen_rows = len({MUTANTS[name].row for name in killed})
    return (
        f"| {label} | killed {len(killed)} of {len(found) - 1} | of {seen_rows} rows of {len(rows)}"
        f" | {alarms} on the correct server |"
    )


def ours(options: argparse.Namespace) -> dict[str, set[Failure]]:
    """Run `fauxlab check` on the same servers: mutant -> rules that it found broken.

    Under "" stand those of the correct server.
    """
    found = {
        name: {(rule, "") for rule in scored(Case(mutant=name)).rules} for name in chosen(options)
    }
    return {"": {(rule, "") for rule in scored(Case()).rules}, **found}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "command", help="path of the schemathesis command in an environment of its own"
    )
    parser.add_argument(
        "--forms", type=int, default=2, help="how many mutants of each row, %(default)s by default"
    )
    parser.add_argument("--only", default="", help="mutants whose name begins so")
    parser.add_argument(
        "--examples", type=int, default=50, help="examples per operation, %(default)s by default"
    )
    parser.add_argument(
        "--seconds", type=float, default=120, help="time limit of one run, %(default)s by default"
    )
    parser.add_argument(
        "--freedoms",
        action="store_true",
        help="count false alarms on the correct servers that use a freedom, too",
    )
    options = parser.parse_args()
    options.command = str(Path(options.command).absolute())
    version = subprocess.run(
        [options.command, "--version"], capture_output=True, text=True, check=True
    ).stdout.strip()
    started = time.monotonic()
    plain, coded = measure(options, coded=False), measure(options, coded=True)
    lines = [
        row("stock checks", plain, by_hand=False),
        row("and the hand-written check", plain, by_hand=True),
        row("stock checks, where refusals come as documented 4xx", coded, by_hand=False),
        row("the same and the hand-written check", coded, by_hand=True),
        row("fauxlab check, on the same servers", ours(options), by_hand=True),
    ]
    print(
        f"\n{version}, {options.examples} examples, {time.monotonic() - started:.0f} s",
        *lines,
        sep="\n",
    )
    print(
        "reported on the correct server:",
        *sorted(" at ".join(each) for each in plain[""] | coded[""]),
        sep="\n  ",
    )
    if options.freedoms:
        print(
            f"correct servers with a freedom that it alarms about: {false_alarms(options)} of"
            f" {len(FREEDOMS)}"
        )


if __name__ == "__main__":
    main()
