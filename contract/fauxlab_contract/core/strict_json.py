"""Strict JSON: which bodies may travel at all.

`json.loads` accepts NaN, keeps the last of two equal keys, reads UTF-16 and recurses as deep as the
sender likes. `read_json` accepts none of that: it returns a value, or a `WireError` says which rule
the bytes break and where.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from fauxlab_contract.core.secrets import hide_tokens
from fauxlab_contract.core.text import either

__all__ = [
    "DEFAULT_LIMITS",
    "JSON",
    "JsonLimits",
    "WireError",
    "check_encoding",
    "check_media_type",
    "is_json_type",
    "is_labelled",
    "read_json",
]

JSON = Any  # dict[str, JSON] | list[JSON] | str | int | float | bool | None

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
_JSON = "application/json"
_WILDCARDS = ("*/*", "application/*", "application/*+json")
_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class JsonLimits:
    """The limits of a JSON body; every field is a count in the unit of its name."""

    body_bytes: int = 10 * 2**20
    json_depth: int = 64
    object_keys: int = 1_000
    number_chars: int = 64


DEFAULT_LIMITS = JsonLimits()


class WireError(ValueError):
    """A body that must not travel.

    `rule` is a short name; the text says what is wrong, where, and which limit it breaks. `line`
    and `column` count from 1; both are 0 if the place is not known.
    """

    __module__ = "fauxlab_contract.core"  # tracebacks name the room

    def __init__(self, rule: str, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.rule, self.line, self.column = rule, line, column

    def __reduce__(self) -> tuple[type[WireError], tuple[str, str, int, int]]:
        return WireError, (self.rule, str(self), self.line, self.column)


def is_json_type(media_type: str) -> bool:
    """Return True for application/json and every other media type of JSON (RFC 6839: `+json`).

    Wildcards that JSON fits, and parameters such as a charset, are allowed.
    """
    kind = media_type.partition(";")[0].strip().lower()
    return kind in (_JSON, *_WILDCARDS) or kind.endswith("+json")


def is_labelled(kind: str, media_types: Sequence[str]) -> bool:
    """Return True if a media type is one of `media_types`, which may hold wildcards.

    Only JSON fits a wildcard.
    """
    kinds = [name.partition(";")[0].strip().lower() for name in media_types]
    return kind in kinds or (is_json_type(kind) and any(each in _WILDCARDS for each in kinds))


def check_media_type(value: str | None, media_types: Sequence[str] = (_JSON,)) -> None:
    """Raise WireError unless a Content-Type header says one of `media_types`.

    If it names a charset, that must be utf-8.
    """
    wanted = either([_JSON if name in _WILDCARDS else name for name in media_types])
    if value is None:
        raise WireError("media-type", f"Content-Type is missing; send {wanted}.")
    kind, *parameters = [part.strip().lower() for part in value.split(";")]
    if not is_labelled(kind, media_types):
        raise WireError("media-type", f"Content-Type must be {wanted}, not {_short(kind)}.")
    for parameter in parameters:
        name, _, charset = parameter.partition("=")
        if name.strip() == "charset" and charset.strip(' "') not in ("utf-8", "utf8"):
            raise WireError("charset", f"The charset must be utf-8, not {_short(charset)}.")


def check_encoding(value: str | None) -> None:
    """Raise WireError if a Content-Encoding header says that a body is compressed."""
    if value is not None and value.strip().lower() not in ("", "identity"):
        raise WireError(
            "encoding", f"Content-Encoding must not be {_short(value)}; send the body as it is."
        )


def read_json(data: bytes, limits: JsonLimits = DEFAULT_LIMITS) -> JSON:
    """Return the value of one JSON text in UTF-8; raise WireError for anything else."""
    if len(data) > limits.body_bytes:
        raise WireError("body-size", f"The body may have at most {limits.body_bytes} bytes.")
    if not data.strip():
        raise WireError("empty", "The body is empty; send a JSON object.")
    if data.startswith(_BOM):
        raise WireError("bom", "The body starts with a byte order mark; send plain UTF-8.")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        if data.startswith(_GZIP):
            raise WireError("encoding", "The body is compressed (gzip); send plain JSON.") from None
        raise WireError("utf-8", f"The body is not UTF-8 at byte {error.start}.") from None
    try:
        value = _decoder(limits).decode(text)
    except json.JSONDecodeError as error:
        raise WireError(
            "json",
            f"The body is not JSON: {error.msg} at line {error.lineno} column {error.colno}.",
            error.lineno,
            error.colno,
        ) from None
    except RecursionError:
        raise _too_deep(limits.json_depth) from None
    brackets = data.count(b"[") + data.count(b"{")  # counting them is faster than walking
    if brackets > limits.json_depth and _depth(value) > limits.json_depth:
        raise _too_deep(limits.json_depth)
    if b"\\u" in data:
        _check_surrogates(value)
    return value


def _depth(value: JSON) -> int:
    """Return how many arrays and objects stand around the innermost value: `[[1]]` -> 2."""
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, (dict, list))]:
        depth += 1
        children = [item.values() if isinstance(item, dict) else item for item in level]
        level = [child for group in children for child in group]
    return depth


def _too_deep(limit: int) -> WireError:
    return WireError("depth", f"The JSON may be nested at most {limit} levels deep.")


def _check_surrogates(value: JSON) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise WireError(
            "surrogate", "A \\u escape is half of a surrogate pair; send whole characters."
        ) from None


@lru_cache(maxsize=16)
def _decoder(limits: JsonLimits) -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=_object_reader(limits.object_keys),
        parse_int=_int_reader(limits.number_chars),
        parse_float=_float_reader(limits.number_chars),
        parse_constant=_refuse_constant,
    )


def _object_reader(most_keys: int) -> Callable[[list[tuple[str, JSON]]], dict[str, JSON]]:
    def read(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
        if len(pairs) > most_keys:
            raise WireError(
                "object-keys", f"An object may have at most {most_keys} keys, not {len(pairs)}."
            )
        value = dict(pairs)
        if len(value) != len(pairs):
            raise WireError(
                "duplicate-key",
                f"The key {_short(_first_duplicate(pairs))} appears twice in one object.",
            )
        return value

    return read


def _first_duplicate(pairs: list[tuple[str, JSON]]) -> str:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            break
        seen.add(name)
    return name


def _int_reader(most_chars: int) -> Callable[[str], int]:
    def read(token: str) -> int:
        _check_length(token, most_chars)
        value = int(token)
        if not INT64_MIN <= value <= INT64_MAX:
            raise WireError(
                "integer-range", f"The integer {_short(token)} does not fit into 64 bits."
            )
        return value

    return read


def _float_reader(most_chars: int) -> Callable[[str], float]:
    def read(token: str) -> float:
        _check_length(token, most_chars)
        value = float(token)
        if math.isinf(value):
            raise WireError(
                "number-range", f"The number {_short(token)} is beyond the range of a double."
            )
        return value

    return read


def _check_length(token: str, most_chars: int) -> None:
    if len(token) > most_chars:
        raise WireError(
            "number-length",
            f"A number may have at most {most_chars} characters, not {len(token)}.",
        )


def _refuse_constant(token: str) -> JSON:
    raise WireError("constant", f"{token} is not JSON.")


def _short(text: str) -> str:
    """Return at most 40 printable ASCII characters of what a stranger sent, in quotes."""
    text = hide_tokens(text[:400])
    if len(text) > 40:
        text = text[:40] + "…"
    return ascii(text).replace("\\u2026", "...")
