"""Right clients in other people's habits (tests/others) live with the mock and in its time."""

import asyncio
import gc
import inspect
import warnings
from pathlib import Path
from typing import Any

import pytest

from fauxlab_mock import Mock, Settings, virtual_time
from fauxlab_mock.engine.job import State
from fauxlab_mock.inprocess.interception import intercepted
from fauxlab_mock.server.serving import attach_server
from other_programs import OTHERS, load_program

CLIENTS = sorted((OTHERS / "clients").glob("*.py"))
API = "https://modelslab.com/api/v6"
# What no seam of Python's HTTP libraries answers: sockets by hand, and another program.
ON_A_SERVER_ONLY = {"53_raw_socket", "54_curl_subprocess", "74_asyncio_streams_by_hand"}
ETA_S = 5.0
# A right client may poll as often as it likes; beyond the eta it needs its longest pause at most.
LATEST_S = 5.0


def generate(path: Path, base_url: str) -> Any:
    """One generation by the client; coroutines run in a loop of their own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # some never close a session
        call = load_program(path).make(base_url, "any-key")
        value = call(prompt="studio portrait", face_image="https://example.com/face.jpg", seed=7)
        if inspect.isawaitable(value):
            value = asyncio.run(_awaited(value))
        del call
        gc.collect()
    return value


async def _awaited(value: Any) -> Any:
    return await value


def outcome(mock: Mock, value: Any) -> tuple[bool, list[State], list[str]]:
    """Whether there is a result, the jobs' ends, and what fails the client's verdict."""
    faults = [str(finding) for finding in mock.verdict().findings if finding.severity != "note"]
    ends = [job.state(mock.clock.now()) for job in mock.jobs]
    return bool(value), ends, faults


@pytest.mark.slow
@pytest.mark.parametrize("path", CLIENTS, ids=lambda path: path.stem)
def test_it_waits_in_virtual_time(path: Path) -> None:
    """On a server, a right client has its one job's result after the eta, on the mock's clock."""
    mock = Mock(Settings(clock="manual", eta=ETA_S))
    began = mock.clock.now()

    with attach_server(mock), virtual_time(mock.clock):
        value = generate(path, mock.url)

    took_s = mock.clock.now() - began
    assert outcome(mock, value) == (True, ["success"], [])
    assert ETA_S <= took_s <= ETA_S + LATEST_S


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [path for path in CLIENTS if path.stem not in ON_A_SERVER_ONLY],
    ids=lambda path: path.stem,
)
def test_it_is_answered_in_process(path: Path) -> None:
    """At the API's own address, a right client gets its one job's result."""
    mock = Mock(Settings(clock="auto", polls=2))

    with intercepted(mock), virtual_time(mock.clock):
        value = generate(path, API)

    assert outcome(mock, value) == (True, ["success"], [])
