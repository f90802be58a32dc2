"""From a call of any HTTP library to what the mock answers, without HTTP.

The adapters of the libraries share this: which calls are the mock's, and what comes of each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from fauxlab_contract.core.hosts import DEFAULT_PORTS, is_loopback
from fauxlab_mock.behaviour.faults import FaultEffect
from fauxlab_mock.engine.messages import Call
from fauxlab_mock.inprocess.no_network import BlockedError
from fauxlab_mock.runtime.mock import Mock

__all__ = ["CallFailure", "answer_call", "is_ours"]

WEBHOOKS_AFTER_S = 0.01  # real seconds from an answer to the first webhook after it


@dataclass(frozen=True, slots=True)
class CallFailure:
    """A call that gets no whole response: the message, and each library's exception for it.

    These are names in `httpx` and in `requests.exceptions`; aiohttp makes its own, for its calls go
    to a real server.
    """

    message: str
    httpx: str
    requests: str


_TOO_LATE = CallFailure("no answer within the client's read timeout", "ReadTimeout", "ReadTimeout")
_FAILURES: Mapping[str | None, CallFailure] = {
    "EMPTY_RESPONSE": CallFailure(
        "Server disconnected without sending a response.", "RemoteProtocolError", "ConnectionError"
    ),
    "CONNECTION_RESET_BY_PEER": CallFailure(
        "[Errno 104] Connection reset by peer", "ReadError", "ConnectionError"
    ),
    "RANDOM_DATA_THEN_CLOSE": CallFailure(
        "illegal status line", "RemoteProtocolError", "ConnectionError"
    ),
    "MALFORMED_RESPONSE_CHUNK": CallFailure(
        "malformed chunk header", "RemoteProtocolError", "ChunkedEncodingError"
    ),
}


def is_ours(mock: Mock, method: str, url: str) -> bool:
    """Return True for a call to the mock's address, False for one to this machine.

    Raise `BlockedError` for all others: by plain http, or at another port, a call would not arrive
    in production either.
    """
    origin, ours = _origin(url), _origin(mock.public_url)
    if origin == ours:
        return True
    if is_loopback(urlsplit(url).hostname or ""):
        return False
    mock.blocked.append(f"{method} to {origin}")
    raise BlockedError(
        f"fauxlab: {method} to {origin} is not mocked, and nothing leaves this machine while the"
        f" mock is active; its address is {ours}"
    )


def answer_call(
    mock: Mock,
    method: str,
    url: str,
    headers: Mapping[str, Any],
    body: bytes,
    read_timeout_s: float | None,
) -> tuple[int, bytes, dict[str, str]] | CallFailure:
    """Return (code, content, headers) of the answer to one call, or how it fails.

    The content is empty for a HEAD. Delays pass on the mock's clock, not in real time.
    """
    parts = urlsplit(url)
    call = Call(method, unquote(parts.path), _named(headers), body, parts.query)
    with mock.respond(call, webhooks_after_s=WEBHOOKS_AFTER_S) as answer:
        failure = _failure_of(answer.effect, read_timeout_s)
        passes_s = answer.effect.delay_s + answer.effect.lasts_s
        if failure is _TOO_LATE:
            passes_s = read_timeout_s or answer.effect.lasts_s
        if passes_s:
            mock.clock.advance(passes_s)
    if failure is not None:
        return failure
    return answer.code, b"" if method == "HEAD" else answer.content, answer.all_headers


def _named(headers: Mapping[str, Any]) -> dict[str, str]:
    """Return headers with names in lower case and values as text."""
    return {
        name.lower(): value.decode("latin-1") if isinstance(value, bytes) else value
        for name, value in headers.items()
    }


def _failure_of(effect: FaultEffect, read_timeout_s: float | None) -> CallFailure | None:
    """Return how a fault or a delay makes a call fail, if it does.

    A client without a timeout would wait forever for an answer that hangs, so it fails as well.
    """
    is_too_late = read_timeout_s is not None and effect.silence_s > read_timeout_s
    if is_too_late or effect.kind == "hang":
        return _TOO_LATE
    return _FAILURES.get(effect.fault)


def _origin(url: str) -> str:
    """Return scheme, host and port, the default port left out: `https://modelslab.com`."""
    parts = urlsplit(url)
    is_default = parts.port in (None, DEFAULT_PORTS.get(parts.scheme))
    port = "" if is_default else f":{parts.port}"
    return f"{parts.scheme}://{parts.hostname}{port}"
