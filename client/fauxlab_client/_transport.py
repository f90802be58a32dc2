"""How the clients reach an address: straight or by a proxy, and whose certificates they trust.

Both follow from the environment, and whatever it says, a transport or a `ConfigurationError` comes
of it. A transport is made when it is first needed, so a variable that concerns others is no
trouble.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from functools import cache
from typing import Generic, TypeVar

import httpx

from fauxlab_client._certificates import trusted
from fauxlab_client._errors import ConfigurationError
from fauxlab_client._proxies import Proxies

__all__ = ["AsyncTransport", "Transport"]

T = TypeVar("T")


@cache
def _usual_certificates() -> ssl.SSLContext:
    """Load the certificates of certifi once; that takes 30 ms."""
    return httpx.create_ssl_context(trust_env=False)


class Routes(Generic[T]):
    """The transports of one client, by the way that they take; `make` is a class of httpx."""

    def __init__(self, make: Callable[..., T], proxies: Proxies, base_url: str) -> None:
        self._make, self._proxies = make, proxies
        self.made: dict[tuple[str, str], T] = {}  # (scheme, proxy) -> transport
        self.to(base_url)  # what cannot be used is told at once

    def to(self, url: str) -> T:
        """Return the transport to an address; raise `ConfigurationError` if there can be none."""
        scheme, _, _ = url.partition(":")
        route = (scheme, self._proxies.proxy_for(url))
        if route not in self.made:
            self.made[route] = self._made(*route)
        return self.made[route]

    def _made(self, scheme: str, proxy: str) -> T:
        if scheme == "http":  # to this machine, and no TLS: nobody need be trusted
            return self._make(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), trust_env=False)
        try:
            certificates = trusted(_usual_certificates)
        except ValueError as error:
            raise ConfigurationError(str(error)) from None
        if not proxy:
            return self._make(verify=certificates, trust_env=False)
        return self._by_proxy(proxy, certificates)

    def _by_proxy(self, proxy: str, certificates: ssl.SSLContext) -> T:
        """Return a transport by a proxy; what is wrong with its URL is for httpx to say."""
        named = f"{self._proxies.variable} is {self._proxies.shown()!r}"
        advice = "unset it, or add the host to NO_PROXY"
        try:
            if not httpx.URL(proxy).host:
                raise ValueError("it has no host")
            own = certificates if proxy.startswith("https:") else None
            by = httpx.Proxy(proxy, ssl_context=own)
            return self._make(verify=certificates, trust_env=False, proxy=by)
        except ImportError:
            raise ConfigurationError(
                f"{named}, for which httpx needs another package: pip install 'httpx[socks]'; or"
                f" {advice}."
            ) from None
        except (ValueError, httpx.InvalidURL):
            raise ConfigurationError(
                f"{named}, which cannot be used; write it like http://host:3128 or"
                f" socks5://host:1080, {advice}."
            ) from None


class Transport(httpx.BaseTransport):
    """Sends each request on its own way."""

    def __init__(self, proxies: Proxies, base_url: str) -> None:
        self._routes = Routes(httpx.HTTPTransport, proxies, base_url)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._routes.to(str(request.url)).handle_request(request)

    def close(self) -> None:
        for transport in self._routes.made.values():
            transport.close()


class AsyncTransport(httpx.AsyncBaseTransport):
    """Sends each request on its own way, for asyncio."""

    def __init__(self, proxies: Proxies, base_url: str) -> None:
        self._routes = Routes(httpx.AsyncHTTPTransport, proxies, base_url)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._routes.to(str(request.url)).handle_async_request(request)

    async def aclose(self) -> None:
        for transport in self._routes.made.values():
            await transport.aclose()
