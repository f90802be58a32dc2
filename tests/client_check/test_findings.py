"""What a finding of `check_client` tells: where, in which trials, after which exchanges."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from client_mutants.drivers import make_of
from client_mutants.plain import Plain
from fauxlab_mock.client_check.check import KEY, check_client
from fauxlab_mock.client_check.report import ClientObservation, findings_of


def naive(base_url: str, key: str) -> Callable[..., Any]:
    """A client that looks at nothing."""

    def generate(**fields: Any) -> Any:
        url = f"{base_url}/image_editing/flux_headshot"
        return httpx.post(url, json={"key": key, **fields}).json()["future_links"]

    return generate


def line_of(text: str) -> int:
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def test_a_crash_says_at_which_line_and_after_what() -> None:
    """The innermost line of the client's own, all trials, and the exchanges with the key hidden."""
    report = check_client(naive, trials=["no_credits", "plan_required"])

    (crash,) = [one for one in report.findings if one.rule == "crashed"]
    place = f"test_findings.py:{line_of('json()[' + chr(34) + 'future_links')}."
    assert crash.message.startswith("KeyError: 'future_links', raised at ")
    assert crash.message.endswith(place)
    assert (crash.trials, crash.times) == (("no_credits", "plan_required"), 2)
    (exchange,) = crash.exchanges
    assert exchange.startswith("POST /api/v6/image_editing/flux_headshot {")
    assert '-> 200 {"status": "error", "message": "Insufficient credits' in exchange
    assert KEY not in exchange


def test_the_most_serious_stands_first() -> None:
    """Notes are last, whatever their rules' order."""
    rules = ("bad-argument-sent", "message-lost", "crashed")

    found = findings_of([ClientObservation(rule, "m", "success") for rule in rules])

    assert [one.severity for one in found] == ["error", "warning", "note"]


class SubmitsUntilItIsDone(Plain):
    """Asks for another picture whenever the first is not there, with another seed each time."""

    seeds = 0

    def fetch(self, job: Any) -> Any:
        SubmitsUntilItIsDone.seeds += 1
        body = {"key": self.key, "prompt": "p", "face_image": "https://example.com/f.png"}
        yield self.submit_call({**body, "seed": self.seeds})
        return (yield from super().fetch(job))


def test_one_call_that_pays_twice_is_told_whatever_its_seeds() -> None:
    """The verdict cannot know that both are one wish; the check does, for it made one call."""
    report = check_client(make_of(SubmitsUntilItIsDone, "requests"), trials=["success"])

    assert [one.rule for one in report.findings] == ["duplicate-submit"]


CRASHES: dict[str, Callable[[dict[str, Any]], object]] = {
    "no eta": lambda job: job["eta"],
    "negative eta": lambda job: [][-1 if job.get("eta", 1) < 0 else slice(0)],
    "id null": lambda job: int(job["id"]),
    "processing without id": lambda job: job["id"],
}


@pytest.mark.parametrize("trial", CRASHES)
def test_odd_promises_make_careless_clients_crash(trial: str) -> None:
    """Each of these trials finds who takes a member for granted."""

    class Careless(Plain):
        def read(self, reply: Any) -> Any:
            members = super().read(reply)
            if members["status"] == "processing":
                CRASHES[trial](dict(members))
            return members

    found = [
        [one.rule for one in check_client(make_of(kind, "requests"), trials=[trial]).findings]
        for kind in (Plain, Careless)
    ]

    assert found == [[], ["crashed"]]
