"""Nothing leaves the machine. No address here would answer, and none is ever asked."""

from __future__ import annotations

import asyncio
import http.client
import os
import socket
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from importlib.util import find_spec
from typing import Any

import pytest

from fauxlab_contract.core.hosts import is_local, is_loopback
from fauxlab_mock.inprocess.no_network import BlockedError, only_loopback

FAR = "elsewhere.example"
FAR_ADDRESS = "192.0.2.1"  # RFC 5737: for documentation, never routed
LOOPS = ["asyncio", *(["uvloop"] if find_spec("uvloop") else [])]


@pytest.fixture
def refusals() -> Iterator[list[str]]:
    lines: list[str] = []
    with only_loopback(lines.append):
        yield lines


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST.",
        "a.localhost",
        "127.0.0.1",
        "127.9.9.9",
        "::1",
        "[::1]",
        "::ffff:127.0.0.1",
        "",
    ],
)
def test_this_machine_is_loopback(host: str) -> None:
    """Every spelling of this machine passes."""
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        FAR,
        FAR_ADDRESS,
        "localhost.example.com",
        "localhost%.example.com",
        "127.example",
        "::ffff:192.0.2.1",
        "2001:db8::1",
        "10.0.0.1",
    ],
)
def test_others_are_not(host: str) -> None:
    """Names that merely look like this machine, and private networks, do not."""
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        "0.0.0.0",
        "0.0.0.0.",
        "::",
        "::0",
        "[::]",
        "0:0::0",
        "::ffff:0.0.0.0",
        "::%lo",
        "0",
        "",
        FAR,
        FAR_ADDRESS,
        "10.0.0.1",
    ],
)
def test_what_listens_there_can_be_reached_from_outside(host: str) -> None:
    """Every spelling of all addresses and of other machines' can; loopback and its names cannot."""
    assert not is_local(host)
    assert all(
        is_local(own)
        for own in ("127.0.0.1", "localhost", "LOCALHOST.", "::1", "::ffff:127.0.0.1", "127.9.9.9")
    )


@pytest.mark.parametrize(
    "call",
    [
        lambda: socket.create_connection((FAR, 443), timeout=1),
        lambda: socket.getaddrinfo(FAR, 443),
        lambda: socket.getaddrinfo(host=FAR.encode(), port=443),
        lambda: socket.gethostbyname(FAR),
        lambda: socket.gethostbyaddr(FAR),
        lambda: socket.getnameinfo((FAR, 443), 0),
        lambda: http.client.HTTPSConnection(FAR, timeout=1).request("GET", "/"),
    ],
)
def test_a_name_is_refused_before_it_is_looked_up(
    refusals: list[str], call: Callable[[], object]
) -> None:
    """Whoever asks for another machine by name is told which."""
    with pytest.raises(
        BlockedError, match=r"a connection to elsewhere\.example(:443)? is not mocked"
    ):
        call()
    assert {line.removesuffix(":443") for line in refusals} == {f"a connection to {FAR}"}


@pytest.mark.parametrize("method", ["connect", "connect_ex"])
def test_an_address_is_refused_at_the_socket(refusals: list[str], method: str) -> None:
    """A socket that would connect to an address elsewhere is refused, also one for datagrams."""
    with socket.socket() as stream, pytest.raises(BlockedError, match=FAR_ADDRESS):
        getattr(stream, method)((FAR_ADDRESS, 443))
    with (
        socket.socket(type=socket.SOCK_DGRAM) as datagrams,
        pytest.raises(BlockedError, match=FAR_ADDRESS),
    ):
        datagrams.sendto(b"x", (FAR_ADDRESS, 53))
    with (
        socket.socket(type=socket.SOCK_DGRAM) as datagrams,
        pytest.raises(BlockedError, match=FAR_ADDRESS),
    ):
        datagrams.sendmsg([b"x"], [], 0, (FAR_ADDRESS, 54))

    assert refusals == [f"a connection to {FAR_ADDRESS}:{port}" for port in (443, 53, 54)]


@pytest.mark.parametrize("name", LOOPS)
def test_datagrams_of_an_event_loop_are_held_to_it(refusals: list[str], name: str) -> None:
    """A datagram endpoint that is tied to an address elsewhere is refused."""

    async def connect() -> object:
        return await asyncio.get_running_loop().create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=(FAR_ADDRESS, 53)
        )

    with pytest.raises(BlockedError, match=FAR_ADDRESS):
        run(name, connect)


def test_a_proxy_on_this_machine_is_no_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies of the environment are forgotten inside the block, and there again afterwards."""
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with only_loopback(print):
        inside = "https_proxy" in os.environ

    assert (inside, os.environ["https_proxy"]) == (False, "http://127.0.0.1:9")


def test_urllib_reports_it_as_its_own_error(refusals: list[str]) -> None:
    """The refusal is an OSError, so that libraries wrap it like any connection that failed."""
    with pytest.raises(urllib.error.URLError, match=r"elsewhere\.example"):
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            f"https://{FAR}/", timeout=1
        )


def run(name: str, main: Callable[[], Awaitable[Any]]) -> Any:
    loop = __import__(name).new_event_loop()
    try:
        return loop.run_until_complete(main())
    finally:
        loop.close()


@pytest.mark.parametrize("name", LOOPS)
@pytest.mark.parametrize("host", [FAR, FAR_ADDRESS])
def test_event_loops_are_held_to_it(refusals: list[str], name: str, host: str) -> None:
    """Connections and look-ups of an event loop are refused, also of one that does them in C."""

    async def connect() -> object:
        return await asyncio.open_connection(host, 443)

    with pytest.raises(BlockedError, match=host):
        run(name, connect)
    assert refusals == [f"a connection to {host}:443"]


@pytest.mark.parametrize("name", LOOPS)
def test_a_loops_own_socket_call_is_held_to_it(refusals: list[str], name: str) -> None:
    """`sock_connect` too."""

    async def connect() -> None:
        with socket.socket() as stream:
            stream.setblocking(False)
            await asyncio.get_running_loop().sock_connect(stream, (FAR_ADDRESS, 443))

    with pytest.raises(BlockedError, match=FAR_ADDRESS):
        run(name, connect)


@pytest.mark.parametrize("name", LOOPS)
def test_loopback_and_unix_sockets_pass(refusals: list[str], name: str) -> None:
    """A server of the test's own is reached, by address and by name, and socket pairs work."""

    async def roundtrip() -> bytes:
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        async with server:
            for host in ("127.0.0.1", "localhost"):
                reader, writer = await asyncio.open_connection(
                    host, server.sockets[0].getsockname()[1], family=socket.AF_INET
                )
                rest = await reader.read()
                writer.close()
                await writer.wait_closed()
        return rest

    left, right = socket.socketpair()
    with left, right:
        left.sendall(b"x")
        assert (run(name, roundtrip), right.recv(1), refusals) == (b"", b"x", [])


def test_everything_is_as_before_afterwards() -> None:
    """The block leaves no patch behind."""
    before = socket.getaddrinfo, socket.socket.connect, socket.socket.sendto
    with only_loopback(print):
        assert socket.getaddrinfo is not before[0]

    assert (socket.getaddrinfo, socket.socket.connect, socket.socket.sendto) == before
