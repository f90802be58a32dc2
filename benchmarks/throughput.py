"""Valid POSTs with keep-alive, one worker, side by side with the bare application.

fauxlab validates request and reply, keeps a journal and logs a line for each.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from statistics import median

from common import BARE, FAUXLAB, REQUEST, check, connect, read_reply, running

ROUNDS, ROUND_S, CONNECTIONS = 7, 2.0, 4
SERVERS = {
    "bare application": BARE,
    "fauxlab": FAUXLAB,
    "fauxlab, log off": [*FAUXLAB, "--log-format", "off"],
}


def rate(port: int) -> float:
    """Requests per second of one round: each connection always has one request under way."""
    with ExitStack() as stack:
        connections = [stack.enter_context(connect(port)) for _ in range(CONNECTIONS)]
        for connection in connections:
            connection.sendall(REQUEST)
        count, started = 0, time.perf_counter()
        while time.perf_counter() - started < ROUND_S:
            for connection in connections:
                check(read_reply(connection))
                connection.sendall(REQUEST)
                count += 1
        return count / (time.perf_counter() - started)


def main() -> None:
    with ExitStack() as stack:
        ports = {
            name: stack.enter_context(running(command))[0] for name, command in SERVERS.items()
        }
        for port in ports.values():
            rate(port)
        rounds = [{name: rate(port) for name, port in ports.items()} for _ in range(ROUNDS)]
    print(
        f"valid POSTs, {ROUNDS} rounds of {ROUND_S:.0f} s each in turn, {CONNECTIONS} connections,"
        " one worker:"
    )
    for name in SERVERS:
        ratio = median(row[name] / row["bare application"] for row in rounds)
        print(
            f"{name:18} {median(row[name] for row in rounds):6.0f} requests/s, {ratio:.2f} of the"
            " bare application"
        )
    print("(aim: at least 0.70)")


if __name__ == "__main__":
    main()
