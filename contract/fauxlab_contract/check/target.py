"""A server under check: one method to send a request, and one clock.

`HttpTarget` speaks HTTP through httpx, which is imported only if it is used.
"""

from __future__ import annotations

import socket
import time
from typing import Any, Protocol
from urllib.parse import urlsplit

from fauxlab_contract.core.hosts import DEFAULT_PORTS, is_loopback
from fauxlab_contract.core.http import HttpRequest, HttpResponse

__all__ = ["HttpTarget", "Target", "TargetError", "is_loopback_url"]

MAX_READ_BYTES = 32 * 2**20


class TargetError(ValueError):
    """An address that cannot be checked at all; the text says why."""

    __module__ = "fauxlab_contract.check"  # tracebacks name the room


class Target(Protocol):
    """A server to check. `url` replaces the address of the document's server."""

    @property
    def url(self) -> str: ...

    def send(self, sent: HttpRequest, within_s: float) -> HttpResponse:
        """Send a request. Whatever the server does, return a response, with `error` set."""
        ...

    def now(self) -> float:
        """Return the seconds on the clock of the server."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait on the clock of the server."""
        ...


class HttpTarget:
    """A server at `url` (origin and base path), spoken to through httpx.

    Follows no redirects, uses no proxy, and reads at most 32 MiB of a response. Raises TargetError
    for an address that is not an http or https URL.
    """

    def __init__(self, url: str) -> None:
        import httpx

        if not _is_server(url):
            raise TargetError(
                f"{url[:200]!a} is not the address of a server; write it like"
                " http://127.0.0.1:4010/api/v6"
            )
        self.url = url.rstrip("/")
        self._client = httpx.Client(
            follow_redirects=False,
            trust_env=False,
            headers={"user-agent": "fauxlab-check", "accept-encoding": "identity"},
        )
        self._httpx = httpx

    def send(self, sent: HttpRequest, within_s: float) -> HttpResponse:
        """Send a request, and read the response within `within_s` seconds."""
        headers = dict(sent.headers)
        deadline = time.monotonic() + within_s
        try:
            with self._client.stream(
                sent.method, sent.url, headers=headers, content=sent.body or None, timeout=within_s
            ) as answer:
                body = self._read(answer, deadline)
                return HttpResponse(
                    answer.status_code,
                    {k.lower(): v for k, v in answer.headers.items()},
                    body,
                    at=self.now(),
                )
        except self._httpx.TimeoutException:
            return HttpResponse(0, error=f"no answer within {within_s:g} s", at=self.now())
        except (self._httpx.HTTPError, self._httpx.InvalidURL, ValueError) as error:
            return HttpResponse(
                0, error=f"{type(error).__name__}: {str(error)[:200]}", at=self.now()
            )

    def reach(self) -> None:
        """Raise TargetError unless a server listens there. Nothing is sent."""
        parts = _split(self.url)
        try:
            socket.create_connection(
                (parts.hostname, parts.port or DEFAULT_PORTS[parts.scheme]), timeout=10
            ).close()
        except OSError as error:
            raise TargetError(f"{self.url} cannot be reached: {error.strerror or error}") from None

    def _read(self, answer: Any, deadline: float) -> bytes:
        body = bytearray()
        for chunk in answer.iter_bytes():
            body += chunk
            if len(body) > MAX_READ_BYTES:
                raise ValueError(f"the answer is over {MAX_READ_BYTES} bytes")
            if time.monotonic() > deadline:
                raise ValueError("the response arrived too slowly")
        return bytes(body)

    def now(self) -> float:
        """Return the seconds of a clock that never goes back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait for some seconds."""
        time.sleep(seconds)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _split(url: str) -> Any:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise TargetError(f"{url[:200]!a} is not the address of a server") from None
    return parts


def _is_server(url: str) -> bool:
    """Return True for an http or https URL that has neither user, query nor fragment."""
    parts = _split(url)
    is_plain = not (parts.query or parts.fragment or "@" in parts.netloc or " " in url)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and is_plain


def is_loopback_url(url: str) -> bool:
    """Return True if an address leads to this machine. No name is looked up."""
    host = _split(url).hostname
    return bool(host) and is_loopback(host)
