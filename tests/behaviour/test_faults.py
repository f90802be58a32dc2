"""Faults: each is seen as what it claims to be by a raw socket, by httpx and by requests, over a
socket and in process.
"""

from __future__ import annotations

import json
import socket
import struct
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import requests

from driving import VALID, make_mock, submit
from fauxlab_mock.behaviour.faults import FAULTS
from fauxlab_mock.runtime.mock import Mock
from receiving import receiving

PRODUCTION = "https://modelslab.com/api/v6/image_editing/flux_headshot"
# fault -> what httpx and requests raise (None for an answer that comes), and what they say of it
SEEN: dict[str, tuple[type[Exception] | None, type[Exception] | None, str]] = {
    "EMPTY_RESPONSE": (
        httpx.RemoteProtocolError,
        requests.exceptions.ConnectionError,
        "without sending a response|closed connection without response",
    ),
    "CONNECTION_RESET_BY_PEER": (
        httpx.ReadError,
        requests.exceptions.ConnectionError,
        "reset by peer",
    ),
    "RANDOM_DATA_THEN_CLOSE": (
        httpx.RemoteProtocolError,
        requests.exceptions.ConnectionError,
        "illegal status line|BadStatusLine",
    ),
    "MALFORMED_RESPONSE_CHUNK": (
        httpx.RemoteProtocolError,
        requests.exceptions.ChunkedEncodingError,
        "(illegal|malformed) chunk header|InvalidChunkLength",
    ),
    "HANG": (httpx.ReadTimeout, requests.exceptions.ReadTimeout, "timed out|read timeout"),
    "TRUNCATED_JSON": (None, None, ""),
    "DRIBBLE": (None, None, ""),
}


def test_every_fault_has_a_row() -> None:
    """The table above is complete."""
    assert set(SEEN) == set(FAULTS)


def url_of(mock: Mock) -> str:
    return f"{mock.url}/image_editing/flux_headshot"


def call(library: str, url: str, read_s: float = 5.0) -> Any:
    if library == "httpx":
        return httpx.post(url, json=VALID, timeout=read_s)
    return requests.post(url, json=VALID, timeout=(5, read_s))


@pytest.mark.parametrize("library", ["httpx", "requests"])
@pytest.mark.parametrize("fault", SEEN)
@pytest.mark.parametrize("fixture", ["fauxlab", "fauxlab_server"])
def test_what_a_client_sees(
    request: pytest.FixtureRequest, fixture: str, fault: str, library: str
) -> None:
    """The same exception for the same reason, or the same answer, in process and over a socket; the
    call after it is answered as ever.
    """
    mock: Mock = request.getfixturevalue(fixture)
    mock.fault(fault, times=1)
    *errors, reason = SEEN[fault]
    expected = errors[library == "requests"]

    if expected is not None:
        with pytest.raises(expected, match=reason):
            call(library, url_of(mock), read_s=0.2 if fault == "HANG" else 5)
    elif fault == "TRUNCATED_JSON":
        reply = call(library, url_of(mock))
        with pytest.raises(json.JSONDecodeError):
            json.loads(reply.content)
        assert reply.status_code == 200
    else:
        assert call(library, url_of(mock)).json()["status"] == "processing"

    # the first job was made all the same
    assert call(library, url_of(mock)).json()["id"] == 100_000_002


def raw(mock: Mock, fault: str, within_s: float = 10) -> list[bytes]:
    """What comes back over a plain socket, piece by piece; ConnectionResetError for a reset,
    TimeoutError when nothing comes.
    """
    body = json.dumps(VALID).encode()
    head = (
        "POST /api/v6/image_editing/flux_headshot HTTP/1.1\r\nHost: x\r\nContent-Type:"
        f" application/json\r\nPrefer: fault={fault}\r\n"
    )
    port = int(mock.url.split(":")[2].split("/")[0])
    with socket.create_connection(("127.0.0.1", port), timeout=within_s) as connection:
        connection.sendall(
            f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
        )
        return list(iter(lambda: connection.recv(65_536), b""))


@pytest.mark.parametrize("fault", SEEN)
@pytest.mark.parametrize("fixture", ["fauxlab", "fauxlab_server"])
def test_a_job_has_its_webhook_whatever_becomes_of_the_answer(
    request: pytest.FixtureRequest, fixture: str, fault: str
) -> None:
    """A fault happens after the call was taken: the webhook comes, also while a client still hangs
    on for its answer.
    """
    mock: Mock = request.getfixturevalue(fixture)
    mock.fault(fault, times=1)
    # in process, the time that it would is over at once
    hangs_on = (fault, fixture) == ("HANG", "fauxlab_server")
    with receiving() as receiver, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(
            httpx.post,
            url_of(mock),
            json={**VALID, "webhook": receiver.url},
            timeout=2 if hangs_on else 5,
        )
        event = receiver.next()
        was_waiting = hangs_on and not answer.done()
        failure = answer.exception()

    assert (event["id"], event["status"], was_waiting) == (100_000_001, "success", hangs_on)
    assert (failure is None) == (SEEN[fault][0] is None)


def test_on_the_wire(fauxlab_server: Mock) -> None:
    """Byte by byte: nothing, a reset, noise, a head with noise for a chunk, half a body under a
    true length, a silence, ten pieces.
    """
    assert raw(fauxlab_server, "EMPTY_RESPONSE") == []
    with pytest.raises(ConnectionResetError):
        raw(fauxlab_server, "CONNECTION_RESET_BY_PEER")
    with pytest.raises(TimeoutError):  # the connection stays open, and nothing comes
        raw(fauxlab_server, "HANG", within_s=0.2)
    noise = b"".join(raw(fauxlab_server, "RANDOM_DATA_THEN_CLOSE"))
    assert (noise[:1], len(noise), noise.isascii()) == (b"\xff", 69, False)
    head, _, rest = b"".join(raw(fauxlab_server, "MALFORMED_RESPONSE_CHUNK")).partition(b"\r\n\r\n")
    assert (head.startswith(b"HTTP/1.1 200"), b"chunked" in head, rest[:1]) == (True, True, b"\xff")
    head, _, rest = b"".join(raw(fauxlab_server, "TRUNCATED_JSON")).partition(b"\r\n\r\n")
    assert (f"content-length: {len(rest)}".encode() in head, rest[:10], rest[-1:] == b"}") == (
        True,
        b'{"status":',
        False,
    )
    pieces = raw(fauxlab_server, "DRIBBLE")
    head, _, rest = b"".join(pieces).partition(b"\r\n\r\n")
    assert (
        len(pieces) >= 5,
        json.loads(rest)["status"],
        f"content-length: {len(rest)}".encode() in head,
    ) == (True, "processing", True)


@pytest.mark.fauxlab(clock="manual")
def test_a_delay_in_process_passes_on_the_mocks_clock(fauxlab: Mock) -> None:
    """A delay below the client's timeout moves the clock; one above it is a timeout, and moves it
    by that much.
    """
    began = fauxlab.clock.now()
    headers = {"Prefer": "delay=3"}

    assert (
        httpx.post(PRODUCTION, json=VALID, headers=headers, timeout=5).headers["preference-applied"]
        == "delay=3"
    )
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(PRODUCTION, json=VALID, headers=headers, timeout=2)
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.post(PRODUCTION, json=VALID, headers=headers, timeout=1)
    assert fauxlab.clock.now() - began == pytest.approx(6)


def test_a_delay_over_a_socket_is_real(fauxlab_server: Mock) -> None:
    """A server's delay makes a client with less patience give up."""
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(url_of(fauxlab_server), json=VALID, headers={"Prefer": "delay=5"}, timeout=0.1)


@pytest.mark.parametrize(
    "prefer, said",
    [
        ("fault=RESET", f"There is no such fault; there are {', '.join(FAULTS)}."),
        ("fault=hang", "There is no fault 'hang'; did you mean HANG?"),
        *(
            (
                f"delay={delay}",
                "The preference delay must be seconds from 0 to 300, or a range of them such as"
                f" 0.1-0.5, not '{delay}'.",
            )
            for delay in ("soon", "301", "2-1")
        ),
    ],
)
def test_unknown_faults_and_delays_are_refused(prefer: str, said: str) -> None:
    """A preference that makes no sense is answered with what would; nothing is started."""
    mock = make_mock()
    reply = submit(mock, prefer)

    assert (reply.code, reply.body["detail"], list(mock.jobs)) == (501, said, [])


def test_the_same_seed_gives_the_same_transcript() -> None:
    """Twenty runs with chance, delays and noise: every answer the same, byte for byte; another seed
    gives another.
    """

    def transcript(seed: int) -> list[object]:
        mock = make_mock(seed=seed)
        mock.fault("RANDOM_DATA_THEN_CLOSE", probability=0.3, delay="0.1-2")
        mock.scenario("server_error", probability=0.3)
        answers = [submit(mock, seed=number) for number in range(40)]
        return [(answer.content, answer.effect) for answer in answers]

    first = transcript(5)
    assert all(transcript(5) == first for _ in range(19))
    assert transcript(6) != first


def test_a_reset_is_a_reset() -> None:
    """The option that makes the kernel send RST has the layout that the platform wants."""
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert struct.unpack("ii", one.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)) == (1, 0)
