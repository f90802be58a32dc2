"""What may go wrong below HTTP, by the names that users of WireMock know. What each looks like:
`server.py` and `intercept.py`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping

__all__ = ["FAULTS", "MAX_DELAY_S", "damaged", "delay_of", "noise", "read_delay"]

FAULTS: Mapping[str, str] = {
    "EMPTY_RESPONSE": "The connection is closed without an answer.",
    "CONNECTION_RESET_BY_PEER": "The connection is reset.",
    "RANDOM_DATA_THEN_CLOSE": "Random bytes come instead of HTTP, then the connection is closed.",
    "MALFORMED_RESPONSE_CHUNK": (
        "An HTTP head comes, then what is no chunk, then the connection is closed."
    ),
    "TRUNCATED_JSON": "The answer is HTTP as it should be, its JSON is cut in half.",
    "DRIBBLE": "The answer comes in ten pieces over two seconds.",
    "HANG": "No answer comes; the connection stays open.",
}
MAX_DELAY_S = 300.0
DRIBBLE_PIECES, DRIBBLE_S, HANG_S = 10, 2.0, 300.0


def read_delay(text: str) -> tuple[float, float]:
    """(least, most) real seconds out of "0.2" or "0.1-0.5"; ValueError for anything else."""
    found = re.fullmatch(
        r"([0-9]{1,6}(?:\.[0-9]{1,6})?)(?:-([0-9]{1,6}(?:\.[0-9]{1,6})?))?", text.strip()
    )
    least = float(found[1]) if found else -1.0
    most = float(found[2]) if found and found[2] else least
    if not 0 <= least <= most <= MAX_DELAY_S:
        raise ValueError(
            f"must be seconds from 0 to {MAX_DELAY_S:g}, or a range of them such as 0.1-0.5"
        )
    return least, most


def delay_of(bounds: tuple[float, float], seed: int, number: int) -> float:
    """The delay of the call with this number, in seconds; the same for the same seed."""
    return random.Random(f"delay:{seed}:{number}").uniform(*bounds)


def noise(seed: int, number: int) -> bytes:
    """Random bytes that are no HTTP; the same for the same seed and call.

    A client that reads by lines finds their end, and says that it got nonsense, not that it got
    nothing.
    """
    return b"\xff" + random.Random(f"noise:{seed}:{number}").randbytes(64) + b"\r\n\r\n"


def damaged(content: bytes) -> bytes:
    """The first half of a body."""
    return content[: len(content) // 2]
