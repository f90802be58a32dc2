"""Clients that keep a connection, wait for the eta and fetch on it: how many of them fail?

`python benchmarks/patient_clients.py [SESSIONS]`: some ten seconds, of which the eta takes five.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import requests
from common import BODY, FAUXLAB, PATH, running

SESSIONS, THREADS = 1_000, 50
KEY = {"key": BODY["key"]}
MADE = {name: value for name, value in BODY.items() if name != "webhook"}


def some_clients(port: int, count: int) -> Counter[str]:
    """Play this many clients side by side; return how many ended how."""
    waiting: list[tuple[float, requests.Session, str]] = []
    outcomes: Counter[str] = Counter()
    for _ in range(count):
        session = requests.Session()
        session.trust_env = False
        job = session.post(f"http://127.0.0.1:{port}{PATH}", json=MADE, timeout=30).json()
        waiting.append((time.monotonic() + job["eta"], session, job["fetch_result"]))
    for due, session, url in waiting:
        time.sleep(max(0.0, due - time.monotonic()))
        try:
            outcomes[session.post(url, json=KEY, timeout=30).json()["status"]] += 1
        except requests.RequestException as error:
            outcomes[str(error)] += 1
        session.close()
    return outcomes


def main() -> int:
    """Print how the sessions ended; return 1 if one of them failed."""
    sessions = int(sys.argv[1]) if len(sys.argv) > 1 else SESSIONS
    shares = [len(range(first, sessions, THREADS)) for first in range(THREADS)]
    began = time.monotonic()
    with running(FAUXLAB) as (port, _), ThreadPoolExecutor(THREADS) as pool:
        outcomes = sum(pool.map(lambda share: some_clients(port, share), shares), Counter[str]())
    took_s = time.monotonic() - began
    print(f"{sessions} sessions, {took_s:.1f} s: {dict(outcomes)}")
    return int(outcomes["success"] < sessions)


if __name__ == "__main__":
    sys.exit(main())
