"""Which field plays which role, and which status word means what.

This is the only place in the code that names a field or a status word of the API. A document can
change the names with

    x-fauxlab: {fields: {key: api_key}, words: {processing: queued}}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

__all__ = ["UNDECLARED", "Conventions", "Fields", "Words", "conventions_of"]

# Fields that callers send although the bundled document does not declare them; servers ignore
# fields that they do not know.
UNDECLARED: Mapping[str, Any] = {
    "negative_prompt": "blurry",
    "samples": 1,
    "base64": False,
    "safety_checker": "no",
}


@dataclass(frozen=True, slots=True)
class Fields:
    """Role -> field name. Roles of the request first, then those of replies."""

    key: str = "key"
    prompt: str = "prompt"
    face_image: str = "face_image"
    init_image: str = "init_image"
    width: str = "width"
    height: str = "height"
    seed: str = "seed"
    webhook: str = "webhook"
    track_id: str = "track_id"

    status: str = "status"
    id: str = "id"
    eta: str = "eta"
    message: str = "message"
    legacy_message: str = "messege"
    tip: str = "tip"
    fetch_result: str = "fetch_result"
    output: str = "output"
    future_links: str = "future_links"
    proxy_links: str = "proxy_links"
    generation_time: str = "generationTime"
    meta: str = "meta"
    file_prefix: str = "file_prefix"
    retry_after: str = "retry_after"


@dataclass(frozen=True, slots=True)
class Words:
    """State -> status word."""

    processing: str = "processing"
    success: str = "success"
    failed: str = "failed"
    error: str = "error"


@dataclass(frozen=True, slots=True)
class Conventions:
    """Field names and status words of one document.

    The message of a refusal has one of `busy_words` if the same request may be accepted later; the
    reply to a fetch of an unknown job has one of `unknown_words`.
    """

    fields: Fields = Fields()
    words: Words = Words()
    busy_words: tuple[str, ...] = ("rate limit", "queue", "try again", "too many")
    unknown_words: tuple[str, ...] = ("not found",)


def conventions_of(extension: Any) -> Conventions:
    """Return the conventions that a document's `x-fauxlab` member asks for; None: the defaults.

    Raise ValueError for an unknown role, and for a name that is not text.
    """
    if extension is None:
        return Conventions()
    if not isinstance(extension, Mapping):
        raise ValueError("x-fauxlab must be an object with the members fields and words")
    unknown = set(extension) - {"fields", "words"}
    if unknown:
        raise ValueError(f"x-fauxlab knows fields and words, not {sorted(map(str, unknown))}")
    return Conventions(
        fields=_renamed(Fields(), extension.get("fields", {}), "fields"),
        words=_renamed(Words(), extension.get("words", {}), "words"),
    )


_Names = TypeVar("_Names", Fields, Words)


def _renamed(names: _Names, changes: Any, member: str) -> _Names:
    known = [field.name for field in fields(names)]
    new_names = changes.values() if isinstance(changes, Mapping) else [None]
    if not all(isinstance(name, str) and name for name in new_names):
        raise ValueError(f"x-fauxlab.{member} must map roles to names")
    unknown = [str(role) for role in changes if role not in known]
    if unknown:
        raise ValueError(
            f"x-fauxlab.{member} has no role {', '.join(unknown)}; the roles are {', '.join(known)}"
        )
    return replace(names, **changes)
