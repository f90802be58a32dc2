"""Bugs that somebody else planted come first in the report of a check, whatever else is found."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from fauxlab_contract.check.options import Options
from fauxlab_contract.check.run import check
from fauxlab_contract.check.target import HttpTarget
from fauxlab_contract.openapi.document import load_document
from other_programs import OTHERS, load_program

KEY = "good-key-0123456789"
STARTS_WITHIN_S = 30


def source_with(names: Sequence[str]) -> str:
    """The right server's program with the bugs of several broken twins of it."""
    table = load_program(OTHERS / "broken_servers.py").TWINS
    twins = [twin for twin in table if twin.name in names]
    program: str = twins[0].program().read_text(encoding="utf-8")
    for right, broken in [pair for twin in twins for pair in twin.pairs]:
        assert right in program
        program = program.replace(right, broken, 1)
    assert [len({twin.right for twin in twins}), len(twins)] == [1, len(names)]
    return program


def _is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def served(program: str, folder: Path) -> Iterator[str]:
    """Run a server of tests/others on a free port, and give its base address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    file = folder / "server.py"
    file.write_text(program, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, str(file), str(port)],
        env={**os.environ, "KEY": KEY, "JOB_SECONDS": "0.3"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + STARTS_WITHIN_S
        while not _is_listening(port) and time.monotonic() < until:
            assert process.poll() is None
        yield f"http://127.0.0.1:{port}/api/v6"
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow
@pytest.mark.parametrize(
    "bugs, rules",
    [
        (
            ("null_seed_crashes", "id_as_text", "key_in_meta"),
            ["key-echoed", "crash", "reply-schema"],
        ),
        (
            ("files_too_early", "fetch_id_as_text", "unknown_id_is_processing"),
            ["unknown-id-answered", "reply-schema", "link-early"],
        ),
    ],
)
def test_three_planted_bugs_are_the_first_three(
    bugs: Sequence[str], rules: list[str], tmp_path: Path
) -> None:
    """Three bugs in a server with habits of its own are numbers one, two and three."""
    with served(source_with(bugs), tmp_path) as url, contextlib.closing(HttpTarget(url)) as target:
        options = Options(
            KEY, only=("examples", "boundaries", "lifecycle", "robustness"), timeout_s=5.0
        )
        report = check(target, load_document(), options)

    assert [finding.rule for finding in report.findings[:3]] == rules, str(report)
