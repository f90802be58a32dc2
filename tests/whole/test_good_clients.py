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

pytestmark = pytest.mark.slow
ETA_S, LATER_S = 10.0, 1_000.0
SMALL: dict[str, Any] = {"width": 8, "height": 8}  # pixels: nobody looks at the pictures
URL = f"https://modelslab.com{SUBMIT}"
PASSING = ("Internal server error", "Service temporarily unavailable", "Request not found")


class Surroundings:
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
            reply: dict[str, Any] = self.http.post(url, json=body).json()
            return reply
        return {}


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Surroundings]:
    with receiving() as receiver:
        made = Surroundings(receiver, tmp_path_factory.mktemp("pictures"))
        with made.http, made.client:
            yield made


def our_own(around: Surroundings) -> None:
    """fauxlab_client: submit, wait, download."""
    with contextlib.suppress(fc.FauxlabError):
        result = around.client.generate(
            prompt="p", face_image="https://example.com/f.png", seed=1, **SMALL
        )
        around.client.download(result.output[0], around.folder)


def submitted(around: Surroundings, **fields: Any) -> dict[str, Any]:
    """Submit again only after refusals that say so, never after a lost answer."""
    for attempt in range(4):
        reply = around.call(URL, VALID | SMALL | fields)
        if (
            "id" in reply
            or not reply.keys() & {"message", "messege"}
            or not (reply["message"] == "Try Again" or "retry_after" in reply)
        ):
            return reply
        around.sleep(reply.get("retry_after", 2 ** (attempt + 1)))
    return {}


def polled(around: Surroundings, job: dict[str, Any]) -> dict[str, Any]:
    """Fetch with growing pauses until the end, or five minutes are over; {} when there is no end to
    be had.
    """
    pause_s, waited_s = 1.0, 0.0
    while waited_s < 300:
        reply = around.call(
            f"https://modelslab.com/api/v6/image_editing/fetch/{job['id']}", {"key": KEY}
        )
        if reply.get("status") in ("success", "failed") and reply.get("id") != "":
            return reply
        if (
            reply
            and reply["status"] != "processing"
            and "retry_after" not in reply
            and not reply["message"].startswith(PASSING)
        ):
            return {}
        wait_s = max(pause_s, reply.get("retry_after", 0.0))
        around.sleep(wait_s)
        pause_s, waited_s = min(pause_s * 1.4, 20.0), waited_s + wait_s
    return {}


def read(around: Surroundings, links: list[str] | str) -> None:
    """GET the picture; a link that is not alive yet is tried again."""
    link = links if isinstance(links, str) else links[0]
    for attempt in range(6):
        with contextlib.suppress(httpx.TransportError):
            if around.http.get(link).status_code == 200:
                return
        around.sleep(2.0**attempt)


def a_poller(around: Surroundings) -> None:
    """Confirms the success by one more fetch, then reads the link that the submit announced."""
    job = submitted(around)
    if job.get("status") == "processing" and job["fetch_result"].startswith(
        "https://modelslab.com/"
    ):
        around.sleep(job["eta"])
        reply = polled(around, job)
        if reply.get("status") == "success":
            polled(around, job)
            read(around, job["future_links"])


def a_listener(around: Surroundings) -> None:
    """Has a webhook, reads the picture as soon as it is told; polls only when nothing came for a
    long time.
    """
    reply: list[dict[str, Any]] = []

    def heard(event: dict[str, Any]) -> None:
        if not reply:
            reply.append(event)
            if event["status"] == "success" and "output" in event:
                with contextlib.suppress(httpx.TransportError):
                    around.http.get(event["output"][0])

    around.receiver.meanwhile = heard
    job = submitted(around, webhook=around.receiver.url)
    if job.get("status") != "processing":
        return
    for _ in range(6):
        if not reply:
            around.sleep(20)
    if not reply and job["fetch_result"].startswith("https://modelslab.com/"):
        polled(around, job)
    elif reply and reply[0]["status"] == "success":
        around.call(f"https://modelslab.com/api/v6/image_editing/fetch/{job['id']}", {"key": KEY})
        read(around, job["future_links"])


HABITS: tuple[Callable[[Surroundings], None], ...] = (our_own, a_poller, a_listener)
READS: dict[Callable[[Surroundings], None], int] = {
    our_own: 1,
    a_poller: 1,
    a_listener: 2,
}  # of the link; the listener reads it in its receiver and once more
TROUBLES = {  # faults that are not named lose an answer as well, just as EMPTY_RESPONSE does
    "submit": ("", "HANG", "delay 3"),
    "fetch": ("", "EMPTY_RESPONSE", "TRUNCATED_JSON", "DRIBBLE", "delay 3", "delay 90"),
}


def live(
    around: Surroundings,
    habit: Callable[[Surroundings], None],
    scenario: str,
    kind: Any,
    trouble: str,
) -> str:
    """One client's life, and long after; what the verdict says about it."""
    around.mock = Mock(
        Settings(clock="manual", eta=ETA_S), document=BUNDLED, raise_on_invalid_reply=True
    )
    row = SCENARIOS[scenario]
    times = 3 if row.refusal else None
    gates = {"kind": kind} if times and kind in row.refuses else {}
    if trouble.startswith("delay"):
        around.mock.add_rule(Rule(delay=trouble.split()[1], kind=kind, times=2))
    elif trouble:
        around.mock.fault(trouble, kind=kind, times=2)
    around.mock.scenario(scenario, times=times, **gates)
    with intercepted(around.mock):
        habit(around)
        around.mock.clock.advance(LATER_S)
    around.mock.close()
    return str(around.mock.verdict())


@pytest.mark.parametrize("habit", HABITS, ids=lambda habit: habit.__name__)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_good_client_has_no_findings(
    around: Surroundings, scenario: str, habit: Callable[[Surroundings], None]
) -> None:
    """Whatever the mock does to it, at its submits or its fetches."""
    said = {
        (kind, trouble): verdict
        for kind, troubles in TROUBLES.items()
        for trouble in troubles
        if "finding" in (verdict := live(around, habit, scenario, kind, trouble))
    }

    assert said == {}


@pytest.mark.parametrize("habit", HABITS, ids=lambda habit: habit.__name__)
def test_a_good_client_gets_its_picture(
    around: Surroundings, habit: Callable[[Surroundings], None]
) -> None:
    """Where nothing goes wrong: one generation, and its picture was read."""
    said = live(around, habit, "success", "submit", "")

    assert (
        said.splitlines()[0],
        around.mock.generations,
        [job.reads for job in around.mock.jobs],
    ) == (
        "the client behaved well",
        1,
        [READS[habit]],
    )
