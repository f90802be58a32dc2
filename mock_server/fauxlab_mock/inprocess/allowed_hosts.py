"""Which hosts may be reached beside loopback while a mock is active."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fauxlab_contract.core.hosts import is_address, is_loopback, is_this_machine

__all__ = ["AllowedHosts"]

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class _Entry:
    """One line of a list: a host in lower case or a network, and a port if only that is allowed."""

    host: str | _Network
    port: int | None = None


class AllowedHosts:
    """Names, addresses and networks that may be reached, and this machine by whatever name.

    `AllowedHosts(["postgres:5432", "10.0.0.0/8", "[2001:db8::7]:6379"])`: a port is optional, and
    a name also allows the addresses to which it was resolved. The `mocked` host, whose calls a mock
    answers, is never allowed.
    """

    def __init__(
        self,
        entries: Iterable[str] = (),
        mocked: str | None = None,
        *,
        source: str = "allow_hosts",
    ) -> None:
        """Read the entries; ValueError for one that is no host, address or network.

        `source` is what the user calls the list.
        """
        if isinstance(entries, str):
            entries = [entries]
        elif not isinstance(entries, Iterable) or isinstance(entries, (bytes, Mapping)):
            raise ValueError(_refusal(source, entries))
        self._entries = [part for entry in entries for part in _read(entry, source)]
        self._mocked = mocked

    def hint(self, where: str) -> str:
        """Return the end of a refusal: what to do about `postgres:5432`."""
        if _plain(where.rpartition(":")[0] or where) == self._mocked:
            return "its calls are answered at the `url` of the fixture fauxlab_server"
        allowing = f'@pytest.mark.fauxlab(allow_hosts=["{where}"])'
        return (
            f"{allowing}, the ini key fauxlab_allow_hosts, or outside pytest"
            f' intercepted(allow_hosts=["{where}"]) allows it'
        )

    def allows(self, host: str, port: Any = None) -> bool:
        """Return True if `host` may be looked up, or reached at `port`."""
        if self.is_mocked(host):
            return False
        return any(_covers(each, host, port) for each in self._entries) or is_this_machine(host)

    def is_mocked(self, host: str) -> bool:
        """Return True for the host whose calls the mock answers, unless it is this machine."""
        return _plain(host) == self._mocked and not is_loopback(host)

    def remember(self, name: str, addresses: Iterable[str]) -> None:
        """Allow the addresses to which an allowed name was resolved, at the same port as it."""
        ports = [entry.port for entry in self._entries if entry.host == _plain(name)]
        found = [_Entry(_plain(address), port) for address in addresses for port in ports]
        self._entries += [entry for entry in dict.fromkeys(found) if entry not in self._entries]


def _read(text: object, source: str) -> list[_Entry]:
    """`a,b:1` -> [_Entry("a"), _Entry("b", 1)]; ValueError says what an entry may be."""
    if not isinstance(text, str):
        raise ValueError(_refusal(source, text))
    return [_read_one(part.strip(), source) for part in text.split(",")]


def _read_one(text: str, source: str) -> _Entry:
    if "/" in text:
        with contextlib.suppress(ValueError):
            return _Entry(ipaddress.ip_network(text, strict=False))
    elif is_address(text.strip("[]")):
        return _Entry(_plain(text))
    else:
        host, colon, port = text.rpartition(":")
        if not colon:
            host, port = text, "0"
        is_host = (host and not set(host) & set(" :@?#*")) or is_address(host.strip("[]"))
        if is_host and port.isdecimal() and int(port) < 2**16:
            return _Entry(_plain(host), int(port) or None)
    raise ValueError(_refusal(source, text))


def _refusal(source: str, came: object) -> str:
    return (
        f"{source} takes names, IP addresses and networks, the first two with a port if wanted,"
        f" such as postgres:5432 or 10.0.0.0/8, not {came!r:.80}"
    )


def _covers(entry: _Entry, host: str, port: Any) -> bool:
    if isinstance(entry.host, str):
        is_port = entry.port is None or not str(port).isdecimal() or int(port) == entry.port
        return entry.host == _plain(host) and is_port
    return is_address(host) and ipaddress.ip_address(_plain(host)) in entry.host


def _plain(host: str) -> str:
    """`[FE80::1]` -> `fe80::1`, `Postgres.` -> `postgres`"""
    return host.strip("[]").lower().rstrip(".").partition("%")[0]
