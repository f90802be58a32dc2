"""The same seed and the same calls give the same transcript, byte for byte: chance, faults, noise,
delays, webhooks and their retries.
"""

from __future__ import annotations

import json
import random
from dataclasses import replace

from driving import BUNDLED, fetch, get, submit
from fauxlab_mock.behaviour.faults import FAULTS
from fauxlab_mock.behaviour.rules import Rule
from fauxlab_mock.behaviour.scenarios import SCENARIOS
from fauxlab_mock.clock.clock import Clock
from fauxlab_mock.runtime.answer import Answer
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.settings import Settings
from receiving import Receiver, receiving

RUNS = 3


def mixed_calls(seed: int, receiver: Receiver) -> bytes:
    """All that comes of 60 submits by every way of choosing, their fetches and links, and of
    webhooks that are refused at random.
    """
    mock = Mock(
        Settings(seed=seed, queue_limit=50, credits=200, refunds="on"),
        document=BUNDLED,
        clock=Clock("manual", start=1_000.0),
    )
    mock.fault("RANDOM_DATA_THEN_CLOSE", probability=0.2, delay="0.1-2")
    mock.add_rule(Rule(fault="TRUNCATED_JSON", probability=0.2, kind="fetch"))
    mock.scenario("unavailable", probability=0.2, from_s=5, to_s=40)
    mock.scenario("failed", probability=0.5)
    script = random.Random("the same calls for every seed")
    receiver.codes = script.choices([200, 500, 404], k=2_000)
    rows: list[object] = []

    def keep(answer: Answer) -> Answer:
        mock.clock.advance(0)  # what is due by now is delivered before the next call
        rows.append(
            [
                answer.code,
                answer.content.hex(),
                dict(answer.headers),
                repr(answer.effect),
            ]
        )
        return answer

    for _ in range(60):
        name = script.choice(list(SCENARIOS))
        prefer = script.choice(
            [
                "",
                "",
                f"scenario={name}",
                "eta=2, polls=1",
                f"fault={script.choice(list(FAULTS))}",
                "delay=0.1-0.5",
            ]
        )
        key = script.choice(["one-key-0123456789", "two-key-0123456789", f"mock_{name}"])
        hook = {"webhook": receiver.url} if script.random() < 0.5 else {}
        keep(
            submit(
                mock,
                prefer,
                key=key,
                seed=script.choice([7, ...]),
                width=script.choice([16, 32]),
                height=16,
                **hook,
            )
        )
        for job in tuple(mock.jobs)[-4:]:
            keep(fetch(mock, job.id, key))
            keep(get(mock, f"{mock.public_url}/generations/{job.files[0]}"))
        mock.clock.advance(script.choice([0.5, 1.7, 6]))
    mock.clock.advance(500)
    mock.close()
    log = [repr(replace(attempt, took_s=0.0)) for attempt in mock.webhooks]
    return json.dumps([rows, log, receiver.all(), mock.generations, mock.clock.now()]).encode()


def test_the_same_seed_gives_the_same_transcript() -> None:
    """Answers, headers, pictures, faults, noise, delays, costs and webhooks are the same in each
    run, and other ones for another seed.
    """
    with receiving() as receiver:
        first, *others = (mixed_calls(11, receiver) for _ in range(RUNS))
        different = mixed_calls(12, receiver)

    assert (len(first) > 100_000, [one == first for one in others], different == first) == (
        True,
        [True] * (RUNS - 1),
        False,
    )
