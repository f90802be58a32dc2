"""Good clients of different habits go through every scenario and every fault, and the verdict finds
nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import fauxlab_client as fc
from driving import BUNDLED, KEY, SUBMIT, VALID
from fauxlab_mock.behaviour.rules import Rule
from fauxlab_mock.behaviour.scenarios import SCENARIOS
from fauxlab_mock.inprocess.interception import intercepted
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.settings import Settings
from receiving import Receiver, receiving

ETA_S, LATER_S = 10.0, 1_000.0
SMALL: dict[str, Any] = {"width": 8, "height": 8}  # pixels: nobody looks at the pictures
URL = f"https://modelslab.com{SUBMIT}"
PASSING = ("Internal server error", "Service temporarily unavailable", "Request not found")


class World:
    """What the clients share over all tests (building them takes longer than a lifecycle), and the
    mock of the moment.
    """

    def __init__(self, receiver: Receiver, folder: Path) -> None:
        self.receiver, self.folder = receiver, folder
        self.mock = Mock()
        self.http = httpx.Client(timeout=5)
        self.client = fc.Client(KEY, timeout_s=200, sleep=self.sleep, now=self.now)

    def now(self) -> float:
        return self.mock.clock.now()  # whichever mock there is now

    def sleep(self, seconds: float) -> None:
        self.mock.clock.advance(seconds)

    def call(self, url: str, body: dict[str, Any]) -> dict[str, Any]:
        """The members of an answer; none when there is no answer, or half of one."""
        with contextlib.suppress(httpx.TransportError, ValueError):
            told: dict[str, Any] = self.http.post(url, json=body).json()
            return told
        return {}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with receiving() as receiver:
        made = World(receiver, tmp_path_factory.mktemp("pictures"))
        with made.http, made.client:
            yield made


def our_own(world: World) -> None:
    """fauxlab_client: submit, wait, download."""
    with contextlib.suppress(fc.FauxlabError):
        result = world.client.generate(
            prompt="p", face_image="https://example.com/f.png", seed=1, **SMALL
        )
        world.client.download(result.output[0], world.folder)


def submitted(world: World, **fields: Any) -> dict[str, Any]:
    """Submit again only after refusals that say so, never after a lost answer."""
    for attempt in range(4):
        told = world.call(URL, VALID | SMALL | fields)
        if (
            "id" in told
            or not told.keys() & {"message", "messege"}
            or not (told["message"] == "Try Again" or "retry_after" in told)
        ):
            return told
        world.sleep(told.get("retry_after", 2 ** (attempt + 1)))
    return {}


def polled(world: World, job: dict[str, Any]) -> dict[str, Any]:
    """Fetch with growing pauses until the end, or five minutes are over; {} when there is no end to
    be had.
    """
    pause_s, waited_s = 1.0, 0.0
    while waited_s < 300:
        told = world.call(
            f"https://modelslab.com/api/v6/image_editing/fetch/{job['id']}", {"key": KEY}
        )
        if told.get("status") in ("success", "failed") and told.get("id") != "":
            return told
        if (
            told
            and told["status"] != "processing"
            and "retry_after" not in told
            and not told["message"].startswith(PASSING)
        ):
            return {}
        wait_s = max(pause_s, told.get("retry_after", 0.0))
        world.sleep(wait_s)
        pause_s, waited_s = min(pause_s * 1.4, 20.0), waited_s + wait_s
    return {}


def read(world: World, links: list[str] | str) -> None:
    """GET the picture; a link that is not alive yet is tried again."""
    link = links if isinstance(links, str) else links[0]
    for attempt in range(6):
        with contextlib.suppress(httpx.TransportError):
            if world.http.get(link).status_code == 200:
                return
        world.sleep(2.0**attempt)


def a_poller(world: World) -> None:
    """Confirms the success by one more fetch, then reads the link that the submit announced."""
    job = submitted(world)
    if job.get("status") == "processing" and job["fetch_result"].startswith(
        "https://modelslab.com/"
    ):
        world.sleep(job["eta"])
        told = polled(world, job)
        if told.get("status") == "success":
            polled(world, job)
            read(world, job["future_links"])


def a_listener(world: World) -> None:
    """Has a webhook, reads the picture as soon as it is told; polls only when nothing came for a
    long time.
    """
    told: list[dict[str, Any]] = []

    def heard(event: dict[str, Any]) -> None:
        if not told:
            told.append(event)
            if event["status"] == "success" and "output" in event:
                with contextlib.suppress(httpx.TransportError):
                    world.http.get(event["output"][0])

    world.receiver.meanwhile = heard
    job = submitted(world, webhook=world.receiver.url)
    if job.get("status") != "processing":
        return
    for _ in range(6):
        if not told:
            world.sleep(20)
    if not told and job["fetch_result"].startswith("https://modelslab.com/"):
        polled(world, job)
    elif told and told[0]["status"] == "success":
        world.call(f"https://modelslab.com/api/v6/image_editing/fetch/{job['id']}", {"key": KEY})
        read(world, job["future_links"])


HABITS: tuple[Callable[[World], None], ...] = (our_own, a_poller, a_listener)
READS: dict[Callable[[World], None], int] = {
    our_own: 1,
    a_poller: 1,
    a_listener: 2,
}  # of the link; the listener reads it in its receiver and once more
TROUBLES = {  # faults that are not named lose an answer as well, just as EMPTY_RESPONSE does
    "submit": ("", "HANG", "delay 3"),
    "fetch": ("", "EMPTY_RESPONSE", "TRUNCATED_JSON", "DRIBBLE", "delay 3", "delay 90"),
}


def live(
    world: World, habit: Callable[[World], None], scenario: str, kind: Any, trouble: str
) -> str:
    """One client's life, and long after; what the verdict says about it."""
    world.mock = Mock(
        Settings(clock="manual", eta=ETA_S), document=BUNDLED, raise_on_invalid_reply=True
    )
    times = 3 if SCENARIOS[scenario].refusal else None
    if trouble.startswith("delay"):
        world.mock.add_rule(Rule(delay=trouble.split()[1], kind=kind, times=2))
    elif trouble:
        world.mock.fault(trouble, kind=kind, times=2)
    world.mock.scenario(scenario, times=times, **({"kind": kind} if times else {}))
    with intercepted(world.mock):
        habit(world)
        world.mock.clock.advance(LATER_S)
    world.mock.close()
    return str(world.mock.verdict())


@pytest.mark.parametrize("habit", HABITS, ids=lambda habit: habit.__name__)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_good_client_has_no_findings(
    world: World, scenario: str, habit: Callable[[World], None]
) -> None:
    """Whatever the mock does to it, at its submits or its fetches."""
    said = {
        (kind, trouble): verdict
        for kind, troubles in TROUBLES.items()
        for trouble in troubles
        if "finding" in (verdict := live(world, habit, scenario, kind, trouble))
    }

    assert said == {}


@pytest.mark.parametrize("habit", HABITS, ids=lambda habit: habit.__name__)
def test_a_good_client_gets_its_picture(world: World, habit: Callable[[World], None]) -> None:
    """Where nothing goes wrong: one generation, and its picture was read."""
    said = live(world, habit, "success", "submit", "")

    assert (said, world.mock.generations, [job.reads for job in world.mock.jobs]) == (
        "the client behaved well",
        1,
        [READS[habit]],
    )
