"""The string formats that are really checked; one function each, shared by both validators.

A format that is not in `FORMATS` is an annotation: `document` names it in a warning, nothing checks it.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Mapping
from functools import lru_cache
from urllib.parse import unquote, urlsplit

__all__ = ["ANNOTATION_FORMATS", "FORMATS", "is_uri", "is_webhook_url", "prove_formats"]

MAX_URI_CHARS = 8_192
# Formats of OpenAPI that say how to store or show a value, not which values are allowed.
ANNOTATION_FORMATS = frozenset({"int32", "int64", "float", "double", "password", "byte", "binary"})
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_PLAIN_URI = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?")  # what nearly all are, seen at a glance
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def is_uri(text: str) -> bool:
    """An absolute URI of RFC 3986, without control characters (a trailing newline slips through most validators)."""
    if len(text) > MAX_URI_CHARS or not text.isascii() or not text.isprintable() or not _SCHEME.match(text):
        return False
    if _PLAIN_URI.fullmatch(text):
        return True
    from rfc3986_validator import validate_rfc3986  # type: ignore[import-untyped] # ships no types; takes 13 ms to import

    return bool(validate_rfc3986(text))


def is_uuid(text: str) -> bool:
    return _UUID.fullmatch(text) is not None


FORMATS: Mapping[str, Callable[[str], bool]] = {"uri": is_uri, "uuid": is_uuid}


@lru_cache(maxsize=256)
def is_webhook_url(text: str) -> bool:
    """http or https, with a host that is neither link-local nor a cloud's metadata service; loopback is fine."""
    if not is_uri(text):
        return False
    try:
        parts = urlsplit(text)
        host, _ = unquote(parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or not host:
        return False
    return host.lower() not in _METADATA_HOSTS and not _is_forbidden_address(host)


_METADATA_HOSTS = {"metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal"}
_METADATA_ADDRESSES = {ipaddress.ip_address(text) for text in ("100.100.100.200", "fd00:ec2::254", "192.0.0.192")}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def _is_forbidden_address(host: str) -> bool:
    address = _address(host)
    if address is None:
        return False
    embedded = _embedded(address) if isinstance(address, ipaddress.IPv6Address) else address
    return embedded.is_link_local or embedded.is_multicast or embedded.is_unspecified or embedded in _METADATA_ADDRESSES


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The IPv4 address inside an IPv6 one that is mapped, 6to4 or NAT64; else the address itself."""
    last = ipaddress.IPv4Address(int(address) % 2**32) if address in _NAT64 else None
    return address.ipv4_mapped or address.sixtofour or last or address


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a host text stands for, in the short and numeric forms that resolvers take too (0xa9fea9fe)."""
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


def prove_formats() -> None:
    """Raise RuntimeError unless the installed fast validator really calls our format functions."""
    import jsonschema_rs

    for name, good, bad in (("uri", "https://example.com/a", "not a uri"), ("uuid", "0" * 8 + "-0000" * 3 + "-" + "0" * 12, "x")):
        check = jsonschema_rs.Draft202012Validator({"format": name}, validate_formats=True, formats=dict(FORMATS), offline=True)
        if not check.is_valid(good) or check.is_valid(bad):
            raise RuntimeError(f"the installed jsonschema-rs does not check format: {name}; reinstall fauxlab's dependencies")
