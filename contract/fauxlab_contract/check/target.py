"""A server under check: one method to send a request, and one clock.

`HttpTarget` speaks HTTP through httpx, which is imported only if it is used.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

from fauxlab_contract.core.certificates import distrusted, trusted
from fauxlab_contract.core.hosts import DEFAULT_PORTS, is_base_url, is_loopback
from fauxlab_contract.core.http import HttpRequest, HttpResponse

__all__ = [
    "GoneError",
    "HttpTarget",
    "Target",
    "TargetError",
    "is_loopback_url",
    "is_refused",
    "is_same_place",
]

MAX_READ_BYTES = 32 * 2**20
REACH_S = 10.0
HTTP = b"HTTP/"
REFUSED = "ConnectError:"  # how httpx calls a connection that nobody took
# Steps of httpcore: a connection is opened, the head of a response was read.
OPENED = "connection.connect_tcp.started"
ANSWERED = "http11.receive_response_headers.complete"
TRUST = "name the file of its CA with --ca, or by the variable SSL_CERT_FILE"
# What to do about a certificate, by the codes of OpenSSL (openssl-verify(1)).
CURES = {
    9: "compare the clocks of both machines",
    10: "give the server a new one, or compare the clocks of both machines",
    18: "name its own file with --ca, or by the variable SSL_CERT_FILE",
    62: "write the name that it is for in the URL",
    64: "write the name or address that it is for in the URL",
}


class TargetError(ValueError):
    """An address that cannot be checked at all; the text says why."""

    __module__ = "fauxlab_contract.check"  # tracebacks name the room


class GoneError(Exception):
    """The server took no connection, several times in a row."""

    def __init__(self, sent: HttpRequest, came: HttpResponse) -> None:
        super().__init__("the server no longer listens")
        self.sent, self.came = sent, came


class Target(Protocol):
    """A server to check. `url` replaces the address of the document's server.

    One that can send several requests at the same time also has `send_together(requests,
    within_s)`, which returns their responses in the same order.
    """

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

    Follows no redirects, uses no proxy, and reads at most 32 MiB of a response. Trusts the
    certificates in the file `ca`, else those that SSL_CERT_FILE and SSL_CERT_DIR name, else the
    usual ones. Raises TargetError for an address that is not an http or https URL, and for
    certificates that cannot be read.
    """

    def __init__(self, url: str, *, ca: str | None = None) -> None:
        import httpx

        if not _is_server(url):
            raise TargetError(
                f"{url[:200]!a} is not the address of a server; write it like"
                " http://127.0.0.1:4010/api/v6"
            )
        self.url = url.rstrip("/")
        is_tls = url.startswith("https:")
        self._certificates = _certificates(ca, httpx.create_ssl_context, is_tls=is_tls)
        self._client = httpx.Client(
            follow_redirects=False,
            trust_env=False,  # no proxy
            verify=self._certificates,
            headers={"user-agent": "fauxlab-check", "accept-encoding": "identity"},
        )
        self._httpx, self._is_reached = httpx, False
        self._is_silent = False  # nothing has been answered yet

    def send(self, sent: HttpRequest, within_s: float) -> HttpResponse:
        """Send a request, and read the response within `within_s` seconds.

        Raises TargetError before the first request if no server can be reached, and at the first
        one if nothing was answered at all so far.
        """
        if not self._is_reached:
            self.reach()
        came, is_old = self._answer(sent, within_s)
        if is_old and came.error:  # it was closed meanwhile, as any server may
            came, _ = self._answer(sent, within_s)
        if self._is_silent and came.error:
            hint = "; if it speaks TLS, write https://" if self.url.startswith("http:") else ""
            raise TargetError(
                f"{self.url} cannot be checked: nothing there answers by HTTP ({came.error}){hint}"
            )
        self._is_silent = False
        return came

    def send_together(self, sent: Sequence[HttpRequest], within_s: float) -> list[HttpResponse]:
        """Send requests at the same time, and read the responses within `within_s` seconds."""
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(len(sent)) as pool:
            return list(pool.map(partial(self.send, within_s=within_s), sent))

    def _answer(self, sent: HttpRequest, within_s: float) -> tuple[HttpResponse, bool]:
        """Return a response, and whether an old connection broke before any of it came."""
        headers = dict(sent.headers)
        deadline = time.monotonic() + within_s
        steps: list[str] = []
        try:
            with self._client.stream(
                sent.method,
                sent.url,
                headers=headers,
                content=sent.body or None,
                timeout=within_s,
                extensions={"trace": lambda step, _: steps.append(step)},
            ) as answer:
                body = self._read(answer, deadline)
                named = {k.lower(): v for k, v in answer.headers.items()}
                return HttpResponse(answer.status_code, named, body, at=self.now()), False
        except self._httpx.TimeoutException:
            silent = HttpResponse(0, error=f"no answer within {within_s:g} s", at=self.now())
            return silent, False
        except (self._httpx.HTTPError, self._httpx.InvalidURL, ValueError) as error:
            problem = f"{type(error).__name__}: {str(error)[:200].rstrip('.')}"
            is_old = OPENED not in steps and ANSWERED not in steps
            return HttpResponse(0, error=problem, at=self.now()), is_old

    def reach(self) -> None:
        """Raise TargetError unless a server listens there, proves who it is, and speaks HTTP.

        No more is sent than a HEAD of the address itself, and a GET if nothing comes. What they are
        answered does not matter.
        """
        parts, began = _split(self.url), b""
        for method in ("HEAD", "GET"):
            try:
                began = self._first_bytes(method, parts)
            except OSError as error:  # one that is not about TLS may be a server's fault: go on
                if reason := _tls_trouble(error):
                    raise TargetError(f"{self.url} cannot be checked: {reason}") from None
            if began:
                break
        if not HTTP.startswith(began):
            kind = "TLS; write https://" if began.startswith(b"\x15\x03") else "not HTTP"
            raise TargetError(f"{self.url} cannot be checked: what answers there is {kind}")
        self._is_reached, self._is_silent = True, not began

    def _first_bytes(self, method: str, parts: Any) -> bytes:
        """Return how an answer begins; empty if the connection is closed without any."""
        host, port = parts.hostname, parts.port or DEFAULT_PORTS[parts.scheme]
        try:
            plain = socket.create_connection((host, port), timeout=REACH_S)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise TargetError(f"{self.url} cannot be reached: {reason}") from None
        with plain, self._secured(plain, parts) as connection:
            connection.sendall(_bare(method, parts))
            return connection.recv(len(HTTP))

    def _secured(self, plain: socket.socket, parts: Any) -> socket.socket:
        if parts.scheme == "http":
            return plain
        return self._certificates.wrap_socket(plain, server_hostname=parts.hostname)

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


def _certificates(
    ca: str | None, usual: Callable[..., ssl.SSLContext], *, is_tls: bool
) -> ssl.SSLContext:
    try:
        return trusted(lambda: usual(trust_env=False), ca, "--ca")
    except ValueError as error:
        if is_tls or ca is not None:
            raise TargetError(str(error)) from None
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # for links elsewhere: trusts nobody


def _bare(method: str, parts: Any) -> bytes:
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
    host = parts.netloc.encode("idna").decode()
    return f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()


def _tls_trouble(error: Exception) -> str:
    """Return why a server cannot be spoken to by TLS; empty if that is not what went wrong."""
    reason = distrusted(error)
    if not reason:
        return ""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{reason}; {CURES.get(error.verify_code, TRUST)}"
    return f"{reason}; is it an https address, and does it ask for no certificate of yours?"


def _split(url: str) -> Any:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise TargetError(f"{url[:200]!a} is not the address of a server") from None
    return parts


def _is_server(url: str) -> bool:
    """Return True for an http or https URL that has neither user, query nor fragment."""
    return is_base_url(url) and "@" not in _split(url).netloc


def is_loopback_url(url: str) -> bool:
    """Return True if an address leads to this machine. No name is looked up."""
    host = _split(url).hostname
    return bool(host) and is_loopback(host)


def is_refused(url: str, sent: HttpRequest, came: HttpResponse) -> bool:
    """Return True if the server at `url` did not take the connection of a request."""
    return sent.url.startswith(url) and came.error.startswith(REFUSED)


def is_same_place(url: str, other: str) -> bool:
    """Return True for the same address; all names of this machine count as the same host."""
    try:
        first, second = urlsplit(url), urlsplit(other)
        is_local = is_loopback_url(url) and is_loopback_url(other)
        return (is_local or first.hostname == second.hostname) and (
            (first.scheme, first.port, first.path.rstrip("/"))
            == (second.scheme, second.port, second.path.rstrip("/"))
        )
    except ValueError:
        return False
