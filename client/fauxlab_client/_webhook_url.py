# Generated from the contract's module of this name by `make generate`; do not edit.
"""Which addresses may be given for a webhook: http(s) URLs that lead to no cloud's secrets."""

from __future__ import annotations

import ipaddress
import re
import socket
from functools import lru_cache
from urllib.parse import unquote, urlsplit

__all__ = ["is_forbidden_address", "is_webhook_url", "written_address"]

_MAX_CHARS = 8_192
_PCHAR = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})"
_HOST = r"(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+)"
_USER = r"(?:(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})*@)?"
_URL = re.compile(
    rf"[Hh][Tt][Tt][Pp][Ss]?://{_USER}{_HOST}(?::[0-9]*)?(?:/{_PCHAR}*)*(?:\?(?:{_PCHAR}|[/?])*)?(?:#(?:{_PCHAR}|[/?])*)?"
)
_METADATA_HOSTS = {
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "instance-data",
    "instance-data.ec2.internal",
}
_METADATA_ADDRESSES = {
    ipaddress.ip_address(text) for text in ("100.100.100.200", "fd00:ec2::254", "192.0.0.192")
}
# NAT64, and the form that came before mapped addresses
_EMBEDDING = [ipaddress.IPv6Network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96")]


@lru_cache(maxsize=256)
def is_webhook_url(text: str) -> bool:
    """Return True for an http(s) URL whose host is not link-local and no metadata service.

    Loopback is allowed.
    """
    if len(text) > _MAX_CHARS or not _URL.fullmatch(text):
        return False
    try:
        parts = urlsplit(text)
        host = unquote(parts.hostname or "").rstrip(".")
        _ = parts.port  # raises for a port that is no number
    except ValueError:
        return False
    if not host or not host.isascii() or not host.isprintable():
        return False
    address = written_address(host)
    if address is None:
        in_brackets = parts.netloc.rpartition("@")[2].startswith("[")
        return not in_brackets and host.lower() not in _METADATA_HOSTS
    return not is_forbidden_address(address)


def is_forbidden_address(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Return True for an address that no webhook may go to, in whatever form it is written.

    It is link-local, multicast, unspecified or a cloud's metadata service.
    """
    embedded = _embedded(address) if isinstance(address, ipaddress.IPv6Address) else address
    return (
        embedded.is_link_local
        or embedded.is_multicast
        or embedded.is_unspecified
        or embedded in _METADATA_ADDRESSES
    )


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Return the IPv4 address inside an IPv6 address, else the address itself.

    It may be mapped, compatible, 6to4 or NAT64.
    """
    inside = address.ipv4_mapped or address.sixtofour
    if inside is not None:
        return inside
    if int(address) <= 1:  # the unspecified and the loopback address
        return address
    if any(address in network for network in _EMBEDDING):
        return ipaddress.IPv4Address(int(address) % 2**32)
    return address


def written_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address that a host stands for; None for a name.

    Resolvers also take short and numeric forms: 0xa9fea9fe is 169.254.169.254.
    """
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError:
        return None
