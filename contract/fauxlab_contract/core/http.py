"""HTTP requests and responses as plain values, and a request as a curl command."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, AnyStr

from fauxlab_contract.core.secrets import around_key

__all__ = ["JSON_TYPE", "HttpRequest", "HttpResponse", "json_call"]

MAX_INLINE_CHARS = 4_000
JSON_TYPE = {"content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request as it is sent: an absolute `url`, header names in lower case.

    `made_by` is a shell command that prints a body too long for a command line.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    made_by: str = ""

    def curl(self, secrets: Mapping[str, str]) -> str:
        """Return the same request as a command for a POSIX shell.

        `secrets` maps keys to names of variables: where a key stands, the command has `$KEY`.
        """
        quoted = partial(_quoted, secrets=secrets)
        parts = ["curl", "-sS", "-X", self.method, quoted(self.url)]
        for name, value in self.headers.items():
            header = quoted(f"{name}: {value}")
            parts.append(f"-H {header}")
        if not self.body:
            return " ".join(parts)
        text = self.body.decode("utf-8", "replace")
        if text.isprintable() and "\ufffd" not in text and len(text) <= MAX_INLINE_CHARS:
            return " ".join([*parts, "--data-binary", quoted(text)])
        start = self.body[:MAX_INLINE_CHARS]
        source = self.made_by or f"printf {_quoted(start, secrets, _octal)}"
        return " ".join([source, "|", *parts, "--data-binary @-"])


def _octal(text: bytes) -> str:
    """Return bytes for printf, in single quotes: `b"a"` -> `'\\141'`."""
    escapes = "".join(f"\\{byte:03o}" for byte in text)
    return f"'{escapes}'"


def _around(text: AnyStr, key: str) -> list[AnyStr]:
    if isinstance(text, str):
        return around_key(text, key)
    return [
        part.encode("latin-1")
        for part in around_key(text.decode("latin-1"), key.encode().decode("latin-1"))
    ]


def _quoted(
    text: AnyStr, secrets: Mapping[str, str], quote: Callable[[Any], str] = shlex.quote
) -> str:
    """Quote a text for a POSIX shell, with "$KEY" where a key stands."""
    for key, variable in secrets.items():
        parts = _around(text, key)
        if len(parts) > 1:
            others = {other: name for other, name in secrets.items() if other != key}
            quoted = [_quoted(part, others, quote) if part else "" for part in parts]
            return f'"${variable}"'.join(quoted)
    return quote(text)


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """One response. `error` says why there is none; `code` is 0 then.

    `at` is the target's clock in seconds.
    """

    code: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    error: str = ""
    at: float = 0.0


def json_call(url: str, body: Any, headers: Mapping[str, str]) -> HttpRequest:
    """Return a POST of `body` as JSON."""
    data = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return HttpRequest("POST", url, {**JSON_TYPE, **headers}, data)
