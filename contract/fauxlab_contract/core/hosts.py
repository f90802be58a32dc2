"""Which host names and addresses lead to this machine."""

from __future__ import annotations

import ipaddress

__all__ = ["DEFAULT_PORTS", "is_address", "is_local", "is_loopback"]

DEFAULT_PORTS = {"http": 80, "https": 443}


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


def _plain(host: str) -> str:
    """`[FE80::1%eth0]` -> `fe80::1`, `LocalHost.` -> `localhost`"""
    host = host.strip("[]").lower().rstrip(".")
    return host.partition("%")[0] if ":" in host else host


def _unmapped(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Return an IP address; of an IPv4 address mapped into IPv6, the IPv4 address."""
    parsed = ipaddress.ip_address(address)
    return getattr(parsed, "ipv4_mapped", None) or parsed
