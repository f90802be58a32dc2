"""Which addresses may get the key, and which may be downloaded from."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

import httpx

from fauxlab_client._errors import UntrustedURLError, ValidationError

__all__ = ["check_base_url", "check_download_url", "check_same_origin", "is_http_url", "is_local"]

_DEFAULT_PORTS = {"http": 80, "https": 443}


def _split(url: str) -> SplitResult | None:
    """Return the parts of an absolute http(s) URL with a host; None for anything else."""
    is_plain = url.isascii() and url.isprintable()
    if not is_plain or " " in url or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
        _ = httpx.URL(url).host  # raises for a host that cannot be decoded
    except (ValueError, httpx.InvalidURL):
        return None
    return parts if host and parts.scheme in _DEFAULT_PORTS else None


def is_http_url(url: str) -> bool:
    """True for an absolute http or https URL with a host."""
    return _split(url) is not None


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    host = (parts.hostname or "").lower()
    if _is_loopback(host):
        host = "localhost"
    port = parts.port or _DEFAULT_PORTS[parts.scheme]
    return parts.scheme, host, port


def check_base_url(url: str, name: str = "base_url") -> str:
    """Return the base URL without a trailing slash; `name` is what an error calls it.

    Raises `ValidationError` unless it is https, or http to this machine.
    """
    parts = _split(url)
    is_bare = "?" not in url and "#" not in url
    if parts is None or parts.username is not None or not is_bare:
        raise ValidationError(
            f"{name} must be an absolute http or https URL without user, query or fragment.",
            field="base_url",
        )
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise ValidationError(
            f"{name} must be https for {parts.hostname}: the key would travel in the clear.",
            field="base_url",
        )
    return url.rstrip("/")


def check_same_origin(url: str, base_url: str) -> None:
    """Raise `UntrustedURLError` unless `url` has the scheme, host and port of `base_url`.

    The key may go nowhere else.
    """
    parts, base = _split(url), urlsplit(base_url)
    if parts is None or parts.username is not None or _origin(parts) != _origin(base):
        host = parts.hostname if parts else "no http address"
        raise UntrustedURLError(
            f"The key goes to {base.hostname} only; the API named {host} instead. Nothing was sent"
            " there."
        )


def is_local(url: str) -> bool:
    """True for a URL of this machine."""
    parts = _split(url)
    return parts is not None and _is_loopback(parts.hostname or "")


def check_download_url(url: str, *, allow_local: bool = True) -> None:
    """Raise `UntrustedURLError` unless a picture may come from `url`.

    It may by https from anywhere, and by http from this machine. After a redirect from elsewhere
    (`allow_local` False) nothing may come from this machine.
    """
    parts = _split(url)
    if parts is None or parts.username is not None:
        is_allowed = False
    elif is_local(url):
        is_allowed = allow_local
    else:
        is_allowed = parts.scheme == "https"
    if not is_allowed:
        raise UntrustedURLError(
            "Pictures are downloaded by https, or by http from this machine; this link is neither."
        )
