"""What may go wrong below HTTP, by the names that users of WireMock know.

The runtime turns a name into one `FaultEffect`; the server shows it on the wire, the in-process
adapters as the exception that their library would raise.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from fauxlab_mock.behaviour.told_mapping import ToldMapping

__all__ = ["DRIBBLE_PIECES", "FAULTS", "MAX_DELAY_S", "FaultEffect", "effect_of", "read_delay"]

_SUMMARIES = {
    "EMPTY_RESPONSE": "The connection is closed without a response.",
    "CONNECTION_RESET_BY_PEER": "The connection is reset.",
    "RANDOM_DATA_THEN_CLOSE": "Random bytes arrive instead of HTTP; then the connection is closed.",
    "MALFORMED_RESPONSE_CHUNK": (
        "A response head arrives, then bytes that are not a chunk; then the connection is closed."
    ),
    "TRUNCATED_JSON": "The response is correct HTTP, but its JSON is cut in half.",
    "DRIBBLE": "The response arrives in ten pieces over two seconds.",
    "HANG": "No response arrives; the connection stays open.",
}
FAULTS: Mapping[str, str] = ToldMapping(
    "Every fault by its name: `mock.fault(name)`, `Prefer: fault=name`.", _SUMMARIES
)
MAX_DELAY_S = 300.0
DRIBBLE_PIECES, DRIBBLE_S, HANG_S = 10, 2.0, 300.0
_CHUNKED_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
)


@dataclass(frozen=True, slots=True)
class FaultEffect:
    """What goes wrong with one answer on its way. Times in real seconds.

    The answer starts after `delay_s`. What comes then depends on `kind`:
    "whole": the answer; "cut": the answer with half of its body; "dribble": the answer in
    `DRIBBLE_PIECES` pieces over `lasts_s`; "hang": nothing for `lasts_s`; "close": the bytes of
    `data`, then the end of the connection; "reset": a reset of the connection.
    """

    fault: str | None = None
    kind: Literal["whole", "cut", "dribble", "hang", "close", "reset"] = "whole"
    delay_s: float = 0.0
    lasts_s: float = 0.0
    data: bytes = b""

    @property
    def silence_s(self) -> float:
        """How long a client waits for the first byte."""
        if self.kind == "dribble":
            return self.delay_s + self.lasts_s / DRIBBLE_PIECES
        return self.delay_s + self.lasts_s


_EFFECTS = {
    effect.fault: effect
    for effect in (
        FaultEffect(),
        FaultEffect("EMPTY_RESPONSE", "close"),
        FaultEffect("CONNECTION_RESET_BY_PEER", "reset"),
        FaultEffect("RANDOM_DATA_THEN_CLOSE", "close"),
        FaultEffect("MALFORMED_RESPONSE_CHUNK", "close", data=_CHUNKED_HEAD),
        FaultEffect("TRUNCATED_JSON", "cut"),
        FaultEffect("DRIBBLE", "dribble", lasts_s=DRIBBLE_S),
        FaultEffect("HANG", "hang", lasts_s=HANG_S),
    )
}
_NOISY = ("RANDOM_DATA_THEN_CLOSE", "MALFORMED_RESPONSE_CHUNK")


def effect_of(
    fault: str | None, delay: tuple[float, float] | None = None, seed: int = 0, number: int = 0
) -> FaultEffect:
    """Return the effect on the answer to call `number`; the same for the same seed.

    `delay` is (least, most) seconds.
    """
    effect = _EFFECTS[fault]
    if delay is not None:
        delay_s = random.Random(f"delay:{seed}:{number}").uniform(*delay)
        effect = replace(effect, delay_s=delay_s)
    if fault in _NOISY:
        effect = replace(effect, data=effect.data + _noise(seed, number))
    return effect


def read_delay(text: str) -> tuple[float, float]:
    """Read "0.2" or "0.1-0.5" as (least, most) real seconds; ValueError for anything else."""
    number = r"[0-9]{1,6}(?:\.[0-9]{1,6})?"
    found = re.fullmatch(f"({number})(?:-({number}))?", text.strip())
    least = float(found[1]) if found else -1.0
    most = float(found[2]) if found and found[2] else least
    if not 0 <= least <= most <= MAX_DELAY_S:
        raise ValueError(
            f"must be seconds from 0 to {MAX_DELAY_S:g}, or a range of them such as 0.1-0.5"
        )
    return least, most


def _noise(seed: int, number: int) -> bytes:
    """Return 69 random bytes that are not HTTP; the same for the same seed and call.

    They end a line, so that a client which reads by lines says that it got nonsense and not that it
    got nothing.
    """
    noise = random.Random(f"noise:{seed}:{number}").randbytes(64)
    return b"\xff" + noise + b"\r\n\r\n"
