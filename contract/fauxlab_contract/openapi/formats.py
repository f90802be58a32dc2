"""What texts must look like: the formats that are checked, and patterns.

A format that is not in `FORMATS` is not checked; the document has a notice that says so. Patterns
are regular expressions of ECMA 262, so Python's `re` is never asked about them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

import jsonschema_rs

__all__ = ["ANNOTATION_FORMATS", "FORMATS", "is_pattern", "is_uri", "matches", "prove_formats"]

MAX_URI_CHARS = 8_192
# Formats of OpenAPI that say how to store or show a value, not which values are allowed.
ANNOTATION_FORMATS = frozenset({"int32", "int64", "float", "double", "password", "byte", "binary"})
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
# nearly all URIs look like this; the full grammar takes much longer
_PLAIN_URI = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def is_uri(text: str) -> bool:
    """Return True for an absolute URI of RFC 3986.

    Control characters are refused first: most validators let a trailing newline through.
    """
    is_plain_text = text.isascii() and text.isprintable()
    if len(text) > MAX_URI_CHARS or not is_plain_text or not _SCHEME.match(text):
        return False
    if _PLAIN_URI.fullmatch(text):
        return True
    from rfc3986_validator import validate_rfc3986  # type: ignore[import-untyped] # ships no types; takes 13 ms to import

    return bool(validate_rfc3986(text))


def is_uuid(text: str) -> bool:
    return _UUID.fullmatch(text) is not None


FORMATS: Mapping[str, Callable[[str], bool]] = {"uri": is_uri, "uuid": is_uuid}


def prove_formats() -> None:
    """Raise RuntimeError unless the installed jsonschema-rs calls our format functions."""
    for name, good, bad in (
        ("uri", "https://example.com/a", "not a uri"),
        ("uuid", "00000000-0000-0000-0000-000000000000", "x"),
    ):
        check = jsonschema_rs.Draft202012Validator(
            {"format": name}, validate_formats=True, formats=dict(FORMATS), offline=True
        )
        if not check.is_valid(good) or check.is_valid(bad):
            raise RuntimeError(
                f"the installed jsonschema-rs does not check format: {name}; reinstall fauxlab's"
                " dependencies"
            )


def is_pattern(pattern: str) -> bool:
    r"""Return False for a pattern that cannot be read, such as `(` and, without `u`, `[\w-.]`."""
    return _compiled(pattern) is not None


def matches(pattern: str, text: str) -> bool:
    """Return True if a text holds what a pattern describes, or if the pattern cannot be read."""
    compiled = _compiled(pattern)
    return compiled is None or compiled.is_valid(text)


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> jsonschema_rs.Draft202012Validator | None:
    try:
        return jsonschema_rs.Draft202012Validator({"pattern": pattern}, offline=True)
    except jsonschema_rs.ValidationError:
        return None
