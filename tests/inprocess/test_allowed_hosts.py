"""The list of hosts that may be reached while a mock is active."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import httpx
import pytest
import requests

from fauxlab_mock.inprocess.allowed_hosts import AllowedHosts
from fauxlab_mock.inprocess.interception import intercepted
from fauxlab_mock.inprocess.no_network import BlockedError, only_loopback
from fauxlab_mock.runtime.mock import Mock

FAR_ADDRESS = "203.0.113.1"  # RFC 5737: for documentation, never routed


@pytest.mark.parametrize(
    "entry, host, port",
    [
        ("postgres", "postgres", 5432),
        (" Postgres. ", "POSTGRES", None),
        ("postgres:5432", "postgres", 5432),
        ("postgres:5432", "postgres", "5432"),
        ("postgres:5432", "postgres", None),
        ("203.0.113.1", "203.0.113.1", 80),
        ("203.0.113.1:80", "203.0.113.1", 80),
        ("203.0.113.0/24", "203.0.113.77", 80),
        ("203.0.113.9/24", "203.0.113.77", 80),
        ("2001:db8::7", "2001:DB8::7", 80),
        ("[2001:db8::7]", "2001:db8::7", 80),
        ("[2001:db8::7]:6379", "2001:db8::7", 6379),
        ("2001:db8::/32", "2001:db8::7", 80),
        ("other", "localhost", 80),
        ("other", socket.gethostname(), 80),
    ],
)
def test_entries_allow(entry: str, host: str, port: Any) -> None:
    """Names, addresses and networks, with and without a port; this machine always."""
    assert AllowedHosts([entry]).allows(host, port)


@pytest.mark.parametrize(
    "entry, host, port",
    [
        ("postgres", "elsewhere.example", 5432),
        ("postgres", "a.postgres", 5432),
        ("postgres:5432", "postgres", 6379),
        ("postgres:5432", "postgres", "6379"),
        ("203.0.113.1", "203.0.113.2", 80),
        ("203.0.113.1:80", "203.0.113.1", 81),
        ("203.0.113.0/24", "203.0.114.1", 80),
        ("203.0.113.0/24", "postgres", 80),
        ("[2001:db8::7]:6379", "2001:db8::7", 80),
        ("203.0.113.0/24", "2001:db8::7", 80),
    ],
)
def test_entries_do_not_allow(entry: str, host: str, port: Any) -> None:
    """What an entry does not name stays refused."""
    assert not AllowedHosts([entry]).allows(host, port)


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "*",
        "*.internal",
        "http://postgres",
        "postgres:",
        "postgres:x",
        "postgres:70000",
        "10.0.0.0/99",
        "a b",
        "/",
    ],
)
def test_an_entry_that_is_no_host_is_an_error(entry: str) -> None:
    """The error quotes the entry, and says what there may be."""
    with pytest.raises(
        ValueError, match=rf"such as postgres:5432 or 10\.0\.0\.0/8, not {re.escape(repr(entry))}$"
    ):
        AllowedHosts([entry])


def test_a_text_is_a_list_with_commas() -> None:
    """`a,b` are two hosts, as on the command line of pytest-socket."""
    allowed = AllowedHosts("postgres:5432, redis")

    assert [allowed.allows(host) for host in ("postgres", "redis", "mongo")] == [True, True, False]


@contextmanager
def resolving(found: str) -> Iterator[list[Any]]:
    """Resolve every name to one address; connections to it are noted and not made."""
    connected: list[Any] = []
    entry = (socket.AF_INET, socket.SOCK_STREAM, 6, "", (found, 5432))
    with (
        patch.object(socket, "getaddrinfo", lambda *_, **__: [entry]),
        patch.object(socket, "gethostbyname", lambda *_: found),
        patch.object(socket, "gethostbyname_ex", lambda name: (name, [], [found])),
        patch.object(socket, "getnameinfo", lambda *_: ("postgres", "5432")),
        patch.object(socket.socket, "connect", lambda _, address: connected.append(address)),
    ):
        yield connected


@pytest.mark.parametrize(
    "look_up",
    [
        lambda: socket.getaddrinfo("postgres", 5432),
        lambda: socket.gethostbyname("postgres"),
        lambda: socket.gethostbyname_ex("postgres"),
    ],
)
def test_an_allowed_name_allows_its_addresses(look_up: Callable[[], object]) -> None:
    """A database is reached by its name: the address behind it is allowed, at its port alone."""
    refusals: list[str] = []
    with (
        resolving(FAR_ADDRESS) as connected,
        only_loopback(refusals.append, allowed=AllowedHosts(["postgres:5432"])),
    ):
        with socket.socket() as early, pytest.raises(BlockedError):
            early.connect((FAR_ADDRESS, 5432))
        look_up()
        socket.getnameinfo(("127.0.0.1", 5432), 0)
        with socket.socket() as stream:
            stream.connect((FAR_ADDRESS, 5432))
        with socket.socket() as stream, pytest.raises(BlockedError, match=r"203\.0\.113\.1:6379"):
            stream.connect((FAR_ADDRESS, 6379))

    assert connected == [(FAR_ADDRESS, 5432)]
    assert refusals == [f"a connection to {FAR_ADDRESS}:{port}" for port in (5432, 6379)]


def test_this_machines_own_addresses_pass_by_any_name() -> None:
    """An address of this machine is not elsewhere; nothing is sent to find that out."""
    with socket.socket(type=socket.SOCK_DGRAM) as asker:
        try:
            asker.connect((FAR_ADDRESS, 9))
        except OSError:
            pytest.skip("this machine has no address but loopback")
        own = asker.getsockname()[0]

    assert (AllowedHosts().allows(own, 80), AllowedHosts().allows(FAR_ADDRESS, 80)) == (True, False)


def test_own_name_that_resolves_elsewhere_leads_nowhere() -> None:
    """The own name may be looked up; if that gives a strange address, the connection is refused."""
    with resolving(FAR_ADDRESS) as connected, only_loopback(print, allowed=AllowedHosts()):
        socket.getaddrinfo(socket.gethostname(), 80)
        with socket.socket() as stream, pytest.raises(BlockedError):
            stream.connect((FAR_ADDRESS, 80))

    assert connected == []


def test_every_library_may_reach_an_allowed_host() -> None:
    """In process, calls to an allowed host pass through to its socket; others say how to allow."""
    with (
        resolving(FAR_ADDRESS) as connected,
        intercepted(Mock(), allow_hosts=["inner.example:5432"]) as mock,
    ):
        with pytest.raises(httpx.TransportError):
            httpx.get("http://inner.example:5432/", timeout=0.5)
        with pytest.raises(requests.RequestException):
            requests.get("http://inner.example:5432/", timeout=0.5)
        with pytest.raises(
            requests.ConnectionError,
            match=r'fauxlab\(allow_hosts=\["other\.example:80"\]\), the ini key'
            r" fauxlab_allow_hosts, or outside pytest"
            r' intercepted\(allow_hosts=\["other\.example:80"\]\) allows it',
        ):
            requests.get("http://other.example/", timeout=0.1)

    assert connected == [(FAR_ADDRESS, 5432)] * 2
    assert list(mock.blocked) == ["a call to http://other.example"]
