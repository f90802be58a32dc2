"""Which host names and addresses lead to this machine."""

from __future__ import annotations

import ipaddress

__all__ = ["DEFAULT_PORTS", "is_address", "is_local", "is_loopback"]

DEFAULT_PORTS = {"http": 80, "https": 443}


def is_loopback(host: str) -> bool:
    """Is `host` a name or address of this machine alone? The unspecified address counts, for
    connecting to it stays here.
    """
    host = _plain(host)
    if host in ("", "localhost") or host.endswith(".localhost"):
        return True
    return is_address(host) and (_unmapped(host).is_loopback or _unmapped(host).is_unspecified)


def is_address(host: str) -> bool:
    """Is `host` an IP address, and no name?"""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_local(host: str) -> bool:
    """Can a server that is bound to `host` be reached from this machine alone? The unspecified
    address means every one there is.
    """
    host = _plain(host)
    return (
        host != ""
        and is_loopback(host)
        and not (is_address(host) and _unmapped(host).is_unspecified)
    )


def _plain(host: str) -> str:
    host = host.strip("[]").lower().rstrip(".")
    return host.partition("%")[0] if ":" in host else host  # an IPv6 address may name its interface


def _unmapped(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """An IP address; of one that is IPv4 in IPv6 clothes, the IPv4 address."""
    found = ipaddress.ip_address(address)
    return getattr(found, "ipv4_mapped", None) or found
