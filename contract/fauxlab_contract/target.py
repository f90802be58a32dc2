"""A server under check: one method to send a request, one clock. The real one speaks HTTP through httpx, which is imported when used."""

from __future__ import annotations

import ipaddress
import json
import shlex
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, AnyStr, Protocol
from urllib.parse import urlsplit

__all__ = ["Came", "HttpTarget", "Sent", "Target", "TargetError", "is_loopback_url", "json_call"]

MAX_READ_BYTES = 32 * 2**20
MAX_INLINE_CHARS = 4_000
JSON_TYPE = {"content-type": "application/json"}


class TargetError(ValueError):
    """An address that cannot be checked at all; the text says why."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One request as it is sent: an absolute `url`, header names in lower case. `made_by` is a shell command that prints a long body."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    made_by: str = ""

    def curl(self, secrets: Mapping[str, str]) -> str:
        """The same request for a shell. `secrets` maps keys to variables such as KEY, which the shell fills in as `$KEY`."""
        quoted = partial(_quoted, secrets=secrets)
        parts = ["curl", "-sS", "-X", self.method, quoted(self.url)]
        parts += [f"-H {quoted(f'{name}: {value}')}" for name, value in self.headers.items()]
        if not self.body:
            return " ".join(parts)
        text = self.body.decode("utf-8", "replace")
        if text.isprintable() and "\ufffd" not in text and len(text) <= MAX_INLINE_CHARS:
            return " ".join([*parts, "--data-binary", quoted(text)])
        return " ".join(
            [self.made_by or f"printf {_quoted(self.body[:MAX_INLINE_CHARS], secrets, _octal)}", "|", *parts, "--data-binary @-"]
        )


def _octal(text: bytes) -> str:
    """Bytes for printf, in single quotes."""
    return "'" + "".join(f"\\{byte:03o}" for byte in text) + "'"


def _quoted(text: AnyStr, secrets: Mapping[str, str], quote: Callable[[Any], str] = shlex.quote) -> str:
    """For a POSIX shell: everything in single quotes, and "$KEY" for a key."""
    for key, variable in secrets.items():
        secret: Any = key.encode() if isinstance(text, bytes) else key
        if secret and secret in text:
            rest = {other: name for other, name in secrets.items() if other != key}
            return f'"${variable}"'.join(_quoted(part, rest, quote) if part else "" for part in text.split(secret))
    return quote(text)


@dataclass(frozen=True, slots=True)
class Came:
    """What came back. `error` says why there is no answer (`code` is 0 then); `at` is the target's clock in seconds."""

    code: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    error: str = ""
    at: float = 0.0


class Target(Protocol):
    """`url` stands for the document's server. `send` never raises for anything that a server does."""

    @property
    def url(self) -> str: ...

    def send(self, sent: Sent, within_s: float) -> Came: ...

    def now(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


class HttpTarget:
    """A server at `url` (origin and base path). No redirect is followed, no proxy used, no answer read beyond 32 MiB.

    Raises TargetError for an address that is no http(s) URL.
    """

    def __init__(self, url: str) -> None:
        import httpx

        parts = _split(url)
        if (
            parts.scheme not in ("http", "https")
            or not parts.hostname
            or parts.query
            or parts.fragment
            or "@" in parts.netloc
            or " " in url
        ):
            raise TargetError(f"{url[:200]!a} is no address of a server; write it such as http://127.0.0.1:4010/api/v6")
        self.url = url.rstrip("/")
        self._client = httpx.Client(
            follow_redirects=False, trust_env=False, headers={"user-agent": "fauxlab-check", "accept-encoding": "identity"}
        )
        self._httpx = httpx

    def send(self, sent: Sent, within_s: float) -> Came:
        headers = dict(sent.headers)
        deadline = time.monotonic() + within_s
        try:
            with self._client.stream(sent.method, sent.url, headers=headers, content=sent.body or None, timeout=within_s) as answer:
                body = self._read(answer, deadline)
                return Came(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, body, at=self.now())
        except self._httpx.TimeoutException:
            return Came(0, error=f"no answer within {within_s:g} s", at=self.now())
        except (self._httpx.HTTPError, self._httpx.InvalidURL, ValueError) as error:
            return Came(0, error=f"{type(error).__name__}: {str(error)[:200]}", at=self.now())

    def reach(self) -> None:
        """Raise TargetError unless somebody listens there; nothing is sent."""
        parts = _split(self.url)
        try:
            socket.create_connection((parts.hostname, parts.port or {"http": 80, "https": 443}[parts.scheme]), timeout=10).close()
        except OSError as error:
            raise TargetError(f"{self.url} cannot be reached: {error.strerror or error}") from None

    def _read(self, answer: Any, deadline: float) -> bytes:
        body = bytearray()
        for chunk in answer.iter_bytes():
            body += chunk
            if len(body) > MAX_READ_BYTES:
                raise ValueError(f"the answer is over {MAX_READ_BYTES} bytes")
            if time.monotonic() > deadline:
                raise ValueError("the answer came too slowly")
        return bytes(body)

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def close(self) -> None:
        self._client.close()


def _split(url: str) -> Any:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise TargetError(f"{url[:200]!a} is no address of a server") from None
    return parts


def is_loopback_url(url: str) -> bool:
    """Does an address lead to this machine, by what is written in it alone?"""
    host = (_split(url).hostname or "").rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def json_call(url: str, body: Any, headers: Mapping[str, str]) -> Sent:
    """A POST of JSON."""
    return Sent("POST", url, {**JSON_TYPE, **headers}, json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())
