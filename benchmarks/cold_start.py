"""Cold start: the time from starting the process to the first correct reply.

fauxlab and the bare application take turns.
"""

from __future__ import annotations

import time
from statistics import median

from common import BARE, FAUXLAB, REQUEST, check, connect, read_reply, running

PAIRS = 20


def seconds(command: list[str]) -> float:
    started = time.perf_counter()
    with running(command) as (port, _), connect(port) as connection:
        connection.sendall(REQUEST)
        check(read_reply(connection))
        return time.perf_counter() - started


def main() -> None:
    for command in (FAUXLAB, BARE):
        seconds(command)  # the first start compiles byte code and fills the disk cache
    pairs = [(seconds(FAUXLAB), seconds(BARE)) for _ in range(PAIRS)]
    ours, bare = zip(*pairs, strict=True)
    print(
        f"cold start, {PAIRS} pairs: fauxlab {median(ours):.3f} s, bare application"
        f" {median(bare):.3f} s"
    )
    print(f"ratio, median of pairs: {median(a / b for a, b in pairs):.2f} (aim: at most 1.30)")


if __name__ == "__main__":
    main()
