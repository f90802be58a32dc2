"""One POST to a webhook, on a plain connection: the address that is checked is the one dialled."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from fauxlab_contract.core.certificates import distrusted, trusted
from fauxlab_contract.core.hosts import DEFAULT_PORTS, is_this_machine
from fauxlab_contract.core.text import cut
from fauxlab_contract.core.webhook_url import is_forbidden_address, written_address

__all__ = ["DeliveryOutcome", "WebhookDestinations", "is_delivering", "port_here", "post"]

MAX_READ_BYTES = 64 * 2**10
MAX_REASON = 400  # characters
_THREAD = threading.local()
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class WebhookDestinations:
    """Where webhooks may go: this machine, by any name or address of its own, and `hosts` by name.

    Never to `own` ports of this machine, where the mock itself listens.
    """

    hosts: frozenset[str] = frozenset()
    off: bool = False
    own: Callable[[], Collection[int]] = frozenset

    @classmethod
    def named(cls, option: str, own: Callable[[], Collection[int]]) -> WebhookDestinations:
        """Read the option --webhooks: off, loopback, or names of further hosts."""
        names = frozenset(_plain(name) for name in option.split(","))
        return cls(names - {"loopback", "off"}, off="off" in names, own=own)

    def objection_by_name(self, host: str) -> str:
        """Return why the name `host` may not even be looked up; empty when it may."""
        return "" if _plain(host) in self.hosts or is_this_machine(host) else _not_named(host)

    def objection(self, host: str, port: int, address: Address) -> str:
        """Return why `address`, which `host` resolves to, may not be dialled; empty when it may."""
        if is_forbidden_address(address):
            return f"{address} is link-local, multicast, unspecified or a cloud's metadata service"
        # other embedded addresses lead through a gateway
        if is_this_machine(str(address)):
            return f"port {port} is the mock's own" if port in self.own() else ""
        return "" if _plain(host) in self.hosts else _not_named(host)


@dataclass(frozen=True, slots=True)
class DeliveryOutcome:
    """What became of one POST.

    `code` is None when no answer came; `error` says why, or why nothing was sent (`suppressed`).
    `reached` is False where that says nothing of the receiver: no such host, no way to it, a
    certificate that the mock does not trust, an error of the mock's own.
    """

    code: int | None = None
    error: str = ""
    suppressed: bool = False
    took_s: float = 0.0
    reached: bool = True

    @property
    def delivered(self) -> bool:
        return self.code is not None and 200 <= self.code < 300


def post(url: str, body: bytes, targets: WebhookDestinations, within_s: float) -> DeliveryOutcome:
    """POST JSON and read the status, following no redirect.

    A name that is neither allowed nor this machine's is not looked up. Of the addresses that the
    host resolves to, those that are allowed are tried in order, all within `within_s`. Never raises
    for anything that a receiver does.
    """
    started = time.monotonic()
    deadline = started + within_s
    code, error, reached = None, "", False
    allowed: list[tuple[str, int]] = []
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port or DEFAULT_PORTS[parts.scheme]
        with _dialling():
            allowed, objection = _resolved(host, port, targets)
            if objection:
                return DeliveryOutcome(error=objection, suppressed=True, reached=False)
            dialled = _connected(allowed, deadline)
        with dialled, _secured(dialled, parts, host, deadline) as connection:
            reached = True
            connection.settimeout(_left_s(deadline))
            connection.sendall(_head(parts, body) + body)
            code = _status(connection, deadline)
        if not 200 <= code < 300:
            error = f"answered {code}"
    # RuntimeError: pytest-socket's
    except (OSError, ValueError, KeyError, RuntimeError) as failure:
        is_late = isinstance(failure, TimeoutError)
        error = f"no answer within {within_s:g} s" if is_late else _reason(failure)
        reached = reached or _is_of_receiver(failure, allowed)
    return DeliveryOutcome(code, error, took_s=time.monotonic() - started, reached=reached)


def is_delivering() -> bool:
    """Return True in a thread that looks up or dials a receiver that the mock allows."""
    return getattr(_THREAD, "is_dialling", False)


@contextlib.contextmanager
def _dialling() -> Iterator[None]:
    _THREAD.is_dialling = True
    try:
        yield
    finally:
        _THREAD.is_dialling = False


def port_here(host: str) -> int | None:
    """Return the port of `localhost:8000`; None for another machine, or without a port."""
    try:
        parts = urlsplit(f"//{host}")
        return parts.port if is_this_machine(parts.hostname or "") else None
    except ValueError:  # it is no host and port at all
        return None


def _reason(failure: Exception) -> str:
    if untrusted := distrusted(failure):
        return f"{untrusted}; the variable SSL_CERT_FILE names certificates to trust"
    reason = getattr(failure, "strerror", None) or failure
    return cut(f"{type(failure).__name__}: {reason}", MAX_REASON)


def _is_of_receiver(failure: Exception, addresses: Sequence[tuple[str, int]]) -> bool:
    """Return True if a connection failed because of a receiver on this machine.

    Nobody listens, it hangs, or it speaks no TLS. Of other machines that cannot be known.
    """
    is_its_own = isinstance(failure, (ConnectionError, TimeoutError, ssl.SSLError))
    is_here = bool(addresses) and all(is_this_machine(address) for address, _ in addresses)
    return is_its_own and is_here and not distrusted(failure)


def _plain(host: str) -> str:
    return host.strip().lower().rstrip(".")


def _not_named(host: str) -> str:
    host = cut(host, 200)
    return (
        f"{host} is not this machine, and not among the hosts of --webhooks; the setting"
        f' webhooks="{host}" would send it'
    )


def _resolved(
    host: str, port: int, targets: WebhookDestinations
) -> tuple[list[tuple[str, int]], str]:
    """Return the addresses that may be dialled; if none may, also why not."""
    if targets.off:
        return [], "webhooks are switched off"
    written = written_address(host)
    if written is None and (objection := targets.objection_by_name(host)):
        return [], objection
    found = [written] if written is not None else _looked_up(host, port)
    objections = {address: targets.objection(host, port, address) for address in found}
    allowed = [(str(address), port) for address, reason in objections.items() if not reason]
    if allowed or not objections:
        return allowed, ""
    return [], next(iter(objections.values()))


def _looked_up(host: str, port: int) -> list[Address]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    # "fe80::1%eth0" -> "fe80::1"
    return [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]


def _left_s(deadline: float) -> float:
    left_s = deadline - time.monotonic()
    if left_s <= 0:
        raise TimeoutError
    return left_s


def _connected(addresses: Sequence[tuple[str, int]], deadline: float) -> socket.socket:
    """Return a connection to the first address that takes one; raise what the last one raised.

    Each address gets its share of the time that is left.
    """
    failure: OSError = OSError("the host has no address")
    for number, address in enumerate(addresses):
        try:
            return socket.create_connection(
                address, timeout=_left_s(deadline) / (len(addresses) - number)
            )
        except OSError as error:
            failure = error
    raise failure


def _secured(plain: socket.socket, parts: SplitResult, host: str, deadline: float) -> socket.socket:
    plain.settimeout(_left_s(deadline))  # of the handshake as a whole
    if parts.scheme != "https":
        return plain
    return trusted(ssl.create_default_context).wrap_socket(plain, server_hostname=host)


def _head(parts: SplitResult, body: bytes) -> bytes:
    target = parts.path or "/"
    if parts.query:
        target += f"?{parts.query}"
    host = parts.netloc.rpartition("@")[2]
    lines = (
        f"POST {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: fauxlab\r\nContent-Type:"
        " application/json\r\n"
    )
    return f"{lines}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode("ascii")


def _status(connection: socket.socket, deadline: float) -> int:
    """Return the code of the final answer, read to the end of its headers.

    Raise ValueError for anything that is not HTTP.
    """
    data = b""
    while b"\r\n\r\n" not in data:
        connection.settimeout(_left_s(deadline))
        chunk = connection.recv(4_096)
        if not chunk:
            if data:
                raise ValueError("the answer ended before the end of its headers")
            raise ValueError("closed without an answer")
        data += chunk
        if len(data) > MAX_READ_BYTES:
            raise ValueError(f"the answer's headers are over {MAX_READ_BYTES} bytes")
        # 100 Continue and its like come before the answer
        while data.startswith(b"HTTP/1.1 1") and b"\r\n\r\n" in data:
            data = data.partition(b"\r\n\r\n")[2]
    version, _, rest = data.partition(b" ")
    if not version.startswith(b"HTTP/1.") or not rest[:3].isdigit():
        raise ValueError("the answer is not HTTP")
    return int(rest[:3])
