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
    "around_key",
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
_DATA_URI = re.compile(rb'"data:', re.IGNORECASE)
_TOKEN = re.compile(r"(?=[A-Za-z_-]*[0-9])(?!-?[0-9]+(?![A-Za-z0-9_-]))[A-Za-z0-9_-]{16,}")
_SECRET_NAME = re.compile(
    r"(^|[^a-z])(api)?(key|token|secret|password|auth|authorization)($|[^a-z])"
)


def hidden(key: str) -> str:
    """Return what may be shown of a key: its last four characters if it has at least twelve."""
    return f"***{key[-4:]}" if len(key) >= 12 else "***"


def secret_in(key: Any) -> str | None:
    """Return the text to blot out wherever it stands; None for a key that is too short."""
    return key if isinstance(key, str) and len(key) >= SHORTEST_SECRET else None


def around_key(text: str, key: str) -> list[str]:
    """Return the parts of a text around each place where a key stands.

    A short key may be part of any word, so it counts only where it is a value of its own: a string
    in JSON, a header, a parameter of a URL. `{"key": "a"}` -> `['{"key": "', '"}']`
    """
    if not key:
        return [text]
    if len(key) >= SHORTEST_SECRET:
        return text.split(key)
    parts, start = [], 0
    for found in _alone(key).finditer(text):
        parts.append(text[start : found.end() - len(key)])
        start = found.end()
    return [*parts, text[start:]]


@lru_cache(maxsize=16)
def _alone(key: str) -> re.Pattern[str]:
    """Return what finds a key as a value, with what is before it."""
    word = re.escape(key)
    in_json = rf'[:\[,]\s*"{word}(?="\s*(?:[,}}\]]|$))'
    in_header = rf"^[\w-]+: (?:\w+ )?{word}$"
    in_url = rf"[?&][\w.~%-]*={word}(?=[&#\s'\"]|$)"
    return re.compile(f"{in_json}|{in_header}|{in_url}", re.MULTILINE)


def redact(
    body: Mapping[str, Any], raw: bytes, key_field: str, secret: str | None, limit: int
) -> Mapping[str, Any]:
    """Return a copy of `body`, which came as `raw`, for the journal: no key and no pictures.

    A body that still has more than `limit` bytes of JSON is replaced by a note.
    """
    copy: dict[str, Any] = {name: value for name, value in body.items() if name != key_field}
    if not _is_plain(copy, raw, secret):
        copy = scrub(copy, secret)
    if key_field in body:
        key = body[key_field]
        copy[key_field] = hidden(key) if isinstance(key, str) else "***"
    if len(raw) > limit:
        size = len(json.dumps(copy))
        if size > limit:
            return {CUT: f"{size} bytes of JSON; the journal keeps {limit}"}
    return copy


def kept_reply(body: Any, content: bytes, secret: str | None, limit: int) -> Any:
    """Return a reply's body, sent as `content`, for the journal: without the key."""
    if len(content) > limit:
        return {CUT: f"{len(content)} bytes of JSON; the journal keeps {limit}"}
    holds_key = secret is not None and json.dumps(secret)[1:-1].encode() in content
    return scrub(body, secret) if holds_key else body


def _is_plain(body: Mapping[str, Any], raw: bytes, secret: str | None) -> bool:
    """Return True for a body with nothing to scrub.

    It is short, has no escapes and no data URI, and the secret stands in one place only.
    """
    if len(raw) > MAX_TEXT or b"\\" in raw or _DATA_URI.search(raw) or secret is None:
        return False
    return (
        raw.count(secret.encode()) == 1
        and not any(map(is_secret_name, body))
        and not _NESTED & set(map(type, body.values()))
    )


def scrub(value: Any, secret: str | None) -> Any:
    """Return `value` with `secret` replaced in every text, and long texts by their digest."""
    if isinstance(value, str):
        text = value if secret is None else value.replace(secret, "***")
        is_short = len(text) <= MAX_TEXT and text[:5].lower() != "data:"
        return text if is_short else _digested(text)
    if isinstance(value, dict):
        return {
            scrub(name, secret): "***" if is_secret_name(name) else scrub(item, secret)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [scrub(item, secret) for item in value]
    return value


def _digested(text: str) -> str:
    """Return the length and digest of a text."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return f"({len(text)} characters, sha256 {digest})"


def safe_path(path: str, *, known: bool) -> str:
    """Return a path for logs: printable ASCII, at most 200 characters.

    An unknown path may hold a key, so parts that look like one are left out.
    """
    path = path[:400]
    shown = path if known else hide_tokens(path)
    return ascii(shown[:200])[1:-1]  # without the quotes


def hide_tokens(text: str) -> str:
    """Return `text` without what looks like a key: a client may have put its key anywhere."""
    return _TOKEN.sub("***", text)


def is_secret_name(name: str) -> bool:
    """Return True if a field of this name holds a key, a token or a password."""
    # the same few names come again and again; long ones, which strangers choose, are not kept
    return _is_short_secret_name(name) if len(name) <= 32 else _matches_secret_name(name)


@lru_cache(maxsize=256)
def _is_short_secret_name(name: str) -> bool:
    return _matches_secret_name(name)


def _matches_secret_name(name: str) -> bool:
    return _SECRET_NAME.search(name.lower()) is not None


def names_a_key(query: str) -> bool:
    """Return True if a query gives a value to a name such as key: `key=abc&x=1`."""
    if "=" not in query:
        return False
    pairs = parse_qsl(query)[:100]
    return any(is_secret_name(name) for name, value in pairs if value)


def in_words(violations: tuple[Violation, ...], field: str = "") -> str:
    """Return all violations as sentences, without the values of fields that hold secrets.

    `field` is the name of the value as a whole.
    """
    sentences = []
    for violation in violations:
        name, sentence = violation.field or field, str(violation)
        if is_secret_name(name) and violation.found != "nothing":
            sentence = f"{name} holds a value of the wrong kind."
        if field and not violation.field:
            sentence = sentence.replace("The body ", f"{field} ", 1)
        sentences.append(sentence)
    return " ".join(sentences)
