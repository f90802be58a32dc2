"""Keep the key out of everything that is written down, and long values short."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from fauxlab_contract.record import CUT
from fauxlab_contract.wire import hide_tokens, is_secret_name

__all__ = ["hidden", "kept_reply", "redact", "safe_path", "scrub", "secret_in"]

MAX_TEXT = 1_000
_NESTED = {dict, list}


def hidden(key: str) -> str:
    """What may be shown of a key: its last four characters when it is long enough to keep the rest secret."""
    return f"***{key[-4:]}" if len(key) >= 12 else "***"


def secret_in(key: Any) -> str | None:
    """The text to blot out wherever it stands; None for a key too short to be told from ordinary text."""
    return key if isinstance(key, str) and len(key) > 3 else None


def redact(body: Mapping[str, Any], raw: bytes, key_field: str, secret: str | None, limit: int) -> Mapping[str, Any]:
    """A copy of `body` (which came as `raw`) for the journal: no key, no pictures, a note when it is still over `limit` bytes."""
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
    """A reply's body (sent as `content`) for the journal, without the key should it ever stand there."""
    if len(content) > limit:
        return {CUT: f"{len(content)} bytes of JSON; the journal keeps {limit}"}
    return scrub(body, secret) if secret and json.dumps(secret)[1:-1].encode() in content else body


def _is_plain(body: Mapping[str, Any], raw: bytes, secret: str | None) -> bool:
    """True for a short body without escapes, without a data URI, and with the secret in one place only: nothing to scrub."""
    if len(raw) > MAX_TEXT or b"\\" in raw or b'"data:' in raw or secret is None:
        return False
    return raw.count(secret.encode()) == 1 and not any(map(is_secret_name, body)) and not _NESTED & set(map(type, body.values()))


def scrub(value: Any, secret: str | None) -> Any:
    """`value` with `secret` blotted out of every text, and long texts by their digest."""
    if isinstance(value, str):
        return shortened(value if secret is None else value.replace(secret, "***"))
    if isinstance(value, dict):
        return {scrub(name, secret): "***" if is_secret_name(name) else scrub(item, secret) for name, item in value.items()}
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
    """A path for logs: printable ASCII, 200 characters; in an unknown path, parts that look like a key are left out."""
    path = path[:400]
    return ascii((path if known else hide_tokens(path))[:200])[1:-1]
