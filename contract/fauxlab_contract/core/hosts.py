"""Which host names and addresses lead to this machine."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

__all__ = [
    "DEFAULT_PORTS",
    "is_address",
    "is_base_url",
    "is_local",
    "is_loopback",
    "is_this_machine",
]

DEFAULT_PORTS = {"http": 80, "https": 443}


def is_base_url(text: object) -> bool:
    """Return True for an http or https URL to which paths can be added: with a host, no query."""
    if not isinstance(text, str) or not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
        has_server = bool(parts.hostname) and parts.port != 0
    except ValueError:  # of brackets, and of a port that is none
        return False
    return has_server and parts.scheme in ("http", "https") and not set("?#") & set(text)


def is_loopback(host: str) -> bool:
    """Return True if a connection to `host` stays on this machine.

    0.0.0.0 and :: count: who connects to them reaches this machine.
    """
    host = _plain(host)
    if host in ("", "localhost") or host.endswith(".localhost"):
        return True
    if not is_address(host):
        return False
    address = _unmapped(host)
    return address.is_loopback or address.is_unspecified


def is_this_machine(host: str) -> bool:
    """Return True for loopback, and for this machine's own name and addresses.

    Nothing is sent, and no name is looked up.
    """
    if is_loopback(host):
        return True
    host = _plain(host)
    return _is_own_address(host) if is_address(host) else host == _plain(socket.gethostname())


def is_address(host: str) -> bool:
    """Return True for an IP address, False for a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_local(host: str) -> bool:
    """Return True if a server bound to `host` can be reached from this machine only.

    0.0.0.0 and :: accept connections from every interface, so they are not local.
    """
    host = _plain(host)
    if host == "" or not is_loopback(host):
        return False
    return not (is_address(host) and _unmapped(host).is_unspecified)


def _is_own_address(address: str) -> bool:
    """Return True for an address of this machine: packets to it come from that very address.

    Nothing is sent: connecting a socket for datagrams only chooses where they would come from.
    """
    plain = _unmapped(address)
    family = socket.AF_INET6 if plain.version == 6 else socket.AF_INET
    try:
        # the type below `socket.socket`, which others replace
        asker = socket.SocketType(family, socket.SOCK_DGRAM)
    except OSError:  # a machine without IPv6
        return False
    try:
        asker.connect((str(plain), 9))
        return ipaddress.ip_address(asker.getsockname()[0]) == plain
    except OSError:  # no way there
        return False
    finally:
        asker.close()


def _plain(host: str) -> str:
    """`[FE80::1%eth0]` -> `fe80::1`, `LocalHost.` -> `localhost`"""
    host = host.strip("[]").lower().rstrip(".")
    return host.partition("%")[0] if ":" in host else host


def _unmapped(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Return an IP address; of an IPv4 address mapped into IPv6, the IPv4 address."""
    parsed = ipaddress.ip_address(address)
    return getattr(parsed, "ipv4_mapped", None) or parsed
