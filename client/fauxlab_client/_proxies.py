"""Which proxy the environment names for an address; no network here.

httpx would read the same variables, but it knows no networks in NO_PROXY (`10.0.0.0/8`), refuses
some of what others write there (`[::1]`), and raises what is not our error.
"""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit
from urllib.request import getproxies

from fauxlab_client._urls import is_local

__all__ = ["Proxies"]

VARIABLES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxy for https addresses, as the environment was when a client was made.

    `variable` names where `url` comes from; both are empty without a proxy. `bypass` is NO_PROXY.
    """

    variable: str = ""
    url: str = field(default="", repr=False)  # may hold a password
    bypass: tuple[str, ...] = ()

    @classmethod
    def of_environment(cls) -> Self:
        """Read the variables, or else the settings of the system."""
        known = getproxies()
        url = (known.get("https") or known.get("all") or "").strip()
        if not url:
            return cls()
        names = (name for name in VARIABLES if os.environ.get(name, "").strip() == url)
        bypass = tuple(known.get("no", "").replace(",", " ").lower().split())
        full = url if "://" in url else f"http://{url}"
        return cls(next(names, "the proxy of the system"), full, bypass)

    def proxy_for(self, address: str) -> str:
        """Return the proxy for an address; an empty text where none is to be used.

        None is used for http, for it would read the key, and none for this machine.
        """
        parts = urlsplit(address)
        if not self.url or parts.scheme != "https" or is_local(address):
            return ""
        host, port = (parts.hostname or "").rstrip("."), str(parts.port or 443)
        return "" if any(_covers(entry, host, port) for entry in self.bypass) else self.url

    def shown(self) -> str:
        """Return the proxy's URL without its user and password."""
        scheme, _, rest = self.url.partition("://")
        _, at, place = rest.rpartition("@")
        return f"{scheme}://{'***@' if at else ''}{place}"


def _covers(entry: str, host: str, port: str) -> bool:
    """True if an entry of NO_PROXY stands for a host.

    It is `*`, a name that stands for everything below it too, an address or a network. Before it
    may stand a scheme, behind it a port.
    """
    scheme, _, place = entry.rpartition("://")
    if scheme not in ("", "https", "all"):
        return False
    if place == "*":
        return True
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(place.strip("[]"), strict=False)
    except ValueError:
        name, _, its_port = place.removeprefix("*").removeprefix(".").rpartition(":")
        if not its_port.isdecimal():
            name, its_port = place.removeprefix("*").removeprefix("."), port
    name = name.strip("[]").rstrip(".")
    is_below = bool(name) and (host == name or host.endswith(f".{name}"))
    return is_below and its_port == port
