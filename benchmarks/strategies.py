"""Generated requests per second, and how often they hit the edges of the contract.

`valid_requests` is held against a hand-written `fixed_dictionaries` of the same fields.
"""

from __future__ import annotations

import time
from collections import Counter
from statistics import median
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fauxlab import load_document, valid_requests

ROUNDS, EXAMPLES, EDGE_ROUNDS = 9, 1_000, 20
SUBMIT = load_document().operations[0]
EDGES = {
    "width": (1024,),
    "height": (1024,),
    "num_inference_steps": (26,),
    "guidance_scale": (1, 10),
}
BY_HAND = st.fixed_dictionaries(
    {
        "prompt": st.text(max_size=40),
        "face_image": st.text(max_size=40),
        "seed": st.integers(-(2**63), 2**63 - 1),
    },
    optional={
        "key": st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=4, max_size=24),
        "width": st.integers(-(2**63), 1024),
        "height": st.integers(-(2**63), 1024),
        "num_inference_steps": st.integers(-(2**63), 26),
        "guidance_scale": st.floats(1, 10),
        "webhook": st.sampled_from(
            ["http://127.0.0.1:9/hook", "https://example.com/hook?job=1", "http://localhost/"]
        ),
        "track_id": st.integers(-(2**63), 2**63 - 1),
    },
)
OURS = valid_requests(SUBMIT)


def draw(bodies: st.SearchStrategy[dict[str, Any]], examples: int, seen: Counter[str]) -> float:
    """Bodies per second of one run; counts the edges that it hits."""

    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(bodies)
    def run(body: dict[str, Any]) -> None:
        for field, edges in EDGES.items():
            seen.update(f"{field} = {edge}" for edge in edges if body.get(field) == edge)

    started = time.perf_counter()
    run()
    return examples / (time.perf_counter() - started)


def main() -> None:
    draw(OURS, 100, Counter())
    draw(BY_HAND, 100, Counter())
    rates = []
    for number in range(ROUNDS):
        order = [OURS, BY_HAND] if number % 2 else [BY_HAND, OURS]
        measured = {id(bodies): draw(bodies, EXAMPLES, Counter()) for bodies in order}
        rates.append((measured[id(OURS)], measured[id(BY_HAND)]))
    ratio = median(ours / theirs for ours, theirs in rates)
    print(
        f"{ROUNDS} rounds of {EXAMPLES} examples each in turn:"
        f" {median(rate[0] for rate in rates):.0f} bodies/s,",
        end=" ",
    )
    print(f"by hand {median(rate[1] for rate in rates):.0f}, ratio {ratio:.2f} (aim: at least 1)")
    ours, theirs = Counter[str](), Counter[str]()
    for _ in range(EDGE_ROUNDS):
        draw(OURS, 100, ours)
        draw(BY_HAND, 100, theirs)
    for field, edges in EDGES.items():
        for edge in edges:
            name = f"{field} = {edge}"
            print(
                f"{name:28} {ours[name] / EDGE_ROUNDS:5.1f} per 100 examples, by hand"
                f" {theirs[name] / EDGE_ROUNDS:5.1f}"
            )


if __name__ == "__main__":
    main()
