"""Keep the key out of everything that is written down, and long values short."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from fauxlab_contract.core.records import CUT
from fauxlab_contract.core.violation import Violation

__all__ = [
    "SHORTEST_SECRET",
    "hidden",
    "hide_tokens",
    "in_words",
    "is_secret_name",
    "kept_reply",
    "names_a_key",
    "redact",
    "safe_path",
    "scrub",
    "secret_in",
]

MAX_TEXT = 1_000
SHORTEST_SECRET = 4  # characters; a shorter key cannot be told from ordinary text
_NESTED = {dict, list}
_TOKEN = re.compile(r"(?=[A-Za-z_-]*[0-9])(?!-?[0-9]+(?![A-Za-z0-9_-]))[A-Za-z0-9_-]{16,}")
_SECRET_NAME = re.compile(
    r"(^|[^a-z])(api)?(key|token|secret|password|auth|authorization)($|[^a-z])"
)


def hidden(key: str) -> str:
    """What may be shown of a key: its last four characters when it is long enough to keep the rest
    secret.
    """
    return f"***{key[-4:]}" if len(key) >= 12 else "***"


def secret_in(key: Any) -> str | None:
    """Return the text to blot out wherever it stands; None for a key that is too short."""
    return key if isinstance(key, str) and len(key) >= SHORTEST_SECRET else None


def redact(
    body: Mapping[str, Any], raw: bytes, key_field: str, secret: str | None, limit: int
) -> Mapping[str, Any]:
    """A copy of `body` (which came as `raw`) for the journal: no key, no pictures, a note when it
    is still over `limit` bytes.
    """
    copy: dict[str, Any] = {name: value for name, value in body.items() if name != key_field}
    if not _is_plain(copy, raw, secret):
        copy = scrub(copy, secret)
    if key_field in body:
        key = body[key_field]
        copy[key_field] = hidden(key) if isinstance(key, str) else "***"
    if len(raw) > limit and (size := len(json.dumps(copy))) > limit:
        return {CUT: f"{size} bytes of JSON; the journal keeps {limit}"}
    return copy


def kept_reply(body: Any, content: bytes, secret: str | None, limit: int) -> Any:
    """A reply's body (sent as `content`) for the journal, without the key should it ever stand
    there.
    """
    if len(content) > limit:
        return {CUT: f"{len(content)} bytes of JSON; the journal keeps {limit}"}
    return scrub(body, secret) if secret and json.dumps(secret)[1:-1].encode() in content else body


def _is_plain(body: Mapping[str, Any], raw: bytes, secret: str | None) -> bool:
    """True for a short body without escapes, without a data URI, and with the secret in one place
    only: nothing to scrub.
    """
    if len(raw) > MAX_TEXT or b"\\" in raw or b'"data:' in raw or secret is None:
        return False
    return (
        raw.count(secret.encode()) == 1
        and not any(map(is_secret_name, body))
        and not _NESTED & set(map(type, body.values()))
    )


def scrub(value: Any, secret: str | None) -> Any:
    """`value` with `secret` blotted out of every text, and long texts by their digest."""
    if isinstance(value, str):
        return shortened(value if secret is None else value.replace(secret, "***"))
    if isinstance(value, dict):
        return {
            scrub(name, secret): "***" if is_secret_name(name) else scrub(item, secret)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [scrub(item, secret) for item in value]
    return value


def shortened(text: str) -> str:
    """Text as it is, or digest and length for pictures and whatever else is over 1,000 characters."""
    if len(text) <= MAX_TEXT and not text.startswith("data:"):
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return f"({len(text)} characters, sha256 {digest})"


def safe_path(path: str, *, known: bool) -> str:
    """A path for logs: printable ASCII, 200 characters; in an unknown path, parts that look like a
    key are left out.
    """
    path = path[:400]
    return ascii((path if known else hide_tokens(path))[:200])[1:-1]


def hide_tokens(text: str) -> str:
    """`text` with whatever looks like a key left out: a client may have put its key where none
    belongs.
    """
    return _TOKEN.sub("***", text)


def is_secret_name(name: str) -> bool:
    """Does a field of this name hold a key, a token or a password?"""
    return (
        _is_known_secret_name(name)
        if len(name) <= 32
        else _SECRET_NAME.search(name.lower()) is not None
    )


# the same few names come again and again; long ones, which strangers choose, are not kept
@lru_cache(maxsize=256)
def _is_known_secret_name(name: str) -> bool:
    return _SECRET_NAME.search(name.lower()) is not None


def names_a_key(query: str) -> bool:
    """Does a query give a value to something that is named like a key?"""
    return "=" in query and any(
        is_secret_name(name) for name, value in parse_qsl(query)[:100] if value
    )


def in_words(violations: tuple[Violation, ...], field: str = "") -> str:
    """All violations in words; values of fields that hold secrets are not repeated. `field` is the
    name of the value as a whole.
    """
    told = []
    for violation in violations:
        name = violation.field or field
        secret = is_secret_name(name) and violation.found != "nothing"
        text = f"{name} holds a value of the wrong kind." if secret else str(violation)
        told.append(
            text.replace("The body ", f"{field} ", 1) if field and not violation.field else text
        )
    return " ".join(told)
