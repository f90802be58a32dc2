"""From a call of any HTTP library to what the mock answers, without HTTP.

The adapters of the libraries share this: which calls are the mock's, and what comes of each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from fauxlab_contract.core.hosts import DEFAULT_PORTS, is_loopback
from fauxlab_mock.engine.messages import Call
from fauxlab_mock.inprocess.allowed_hosts import AllowedHosts
from fauxlab_mock.inprocess.no_network import BlockedError
from fauxlab_mock.runtime.answer import Answer
from fauxlab_mock.runtime.mock import Mock

__all__ = ["Answered", "Door", "answer_call"]

__tracebackhide__ = True
WEBHOOKS_AFTER_S = 0.01  # real seconds from an answer to the first webhook after it


@dataclass(frozen=True, slots=True)
class Door:
    """Where calls may go while a mock is active: to its own address, and to allowed hosts."""

    mock: Mock
    allowed: AllowedHosts

    def leads_to_mock(self, url: str) -> bool:
        """Return True for a URL at the mock's address, or at one that an operation names."""
        origin = _origin(url)
        return origin == self.origin or origin in self.others

    @property
    def origin(self) -> str:
        """The mock's address: `https://modelslab.com`."""
        return _origin(self.mock.public_url)

    @property
    def others(self) -> frozenset[str]:
        """The addresses that operations name for themselves, where the mock has the document's."""
        document = self.mock.document
        if self.origin != _origin(document.origin):
            return frozenset()
        general = {origin for origin, _ in document.own_servers}
        named = {origin for each in document.operations for origin, _ in each.servers}
        return frozenset(map(_origin, named - general))

    def is_ours(self, what: str, url: str) -> bool:
        """Return True for a call to the mock's address, False for one that may pass.

        Raise `BlockedError` for all others: by plain http, or at another port, a call would not
        arrive in production either. `what` is its method, or `a call`.
        """
        origin, ours = _origin(url), self.origin
        if origin == ours or origin in self.others:
            return True
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or DEFAULT_PORTS.get(parts.scheme)
        is_host_ours = host == urlsplit(ours).hostname and not is_loopback(host)
        if not is_host_ours and self.allowed.allows(host, port):
            return False
        self.mock.blocked.append(f"a call to {origin}")
        hint = f"its address is {ours}" if is_host_ours else self.allowed.hint(f"{host}:{port}")
        raise BlockedError(
            f"fauxlab: {what} to {origin} is not mocked, and nothing leaves this machine while the"
            f" mock is active; {hint}"
        )


@dataclass(frozen=True, slots=True)
class Answered:
    """What comes of a call: the answer, or nothing, `pause_s` seconds later.

    It `is_too_late` when the client gives up before it comes, `is_missing` when it never does and
    the client waits until the connection ends.
    """

    answer: Answer
    pause_s: float
    is_too_late: bool
    is_missing: bool


def answer_call(
    mock: Mock,
    method: str,
    url: str,
    headers: Mapping[str, Any],
    body: bytes,
    read_timeout_s: float | None,
) -> Answered:
    """Return the mock's answer to one call. A HEAD has no content.

    Outside of virtual time a delay only moves the mock's clock; inside, the caller makes the pause.
    """
    parts = urlsplit(url)
    call = Call(method, parts.path, _named(headers), body, parts.query)
    with mock.respond(call, webhooks_after_s=WEBHOOKS_AFTER_S) as answer:
        effect = answer.effect
        is_too_late = read_timeout_s is not None and effect.silence_s > read_timeout_s
        pause_s = effect.delay_s + effect.lasts_s
        if is_too_late:
            pause_s = read_timeout_s or 0.0
        if pause_s and not mock.clock.is_virtual:
            mock.clock.let_pass(pause_s)
            pause_s = 0.0
    is_missing = effect.kind == "hang" and not is_too_late
    return Answered(answer, pause_s, is_too_late, is_missing)


def _named(headers: Mapping[str, Any]) -> dict[str, str]:
    """Return headers with names in lower case and values as text."""
    return {
        name.lower(): value.decode("latin-1") if isinstance(value, bytes) else value
        for name, value in headers.items()
    }


def _origin(url: str) -> str:
    """Return scheme, host and port, the default port left out: `https://modelslab.com`."""
    parts = urlsplit(url)
    is_default = parts.port in (None, DEFAULT_PORTS.get(parts.scheme))
    port = "" if is_default else f":{parts.port}"
    return f"{parts.scheme}://{parts.hostname}{port}"
