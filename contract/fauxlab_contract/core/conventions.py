"""Which field plays which role, and which status word means what.

This is the only place in the code that names a field or a status word of the API. A document can
change the names with

    x-fauxlab: {fields: {key: api_key}, words: {processing: queued}}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

from fauxlab_contract.core.text import did_you_mean

__all__ = [
    "OWN_TITLE",
    "ROLES",
    "STATES",
    "UNDECLARED",
    "Conventions",
    "Fields",
    "Words",
    "conventions_of",
]

# The title of what the mock answers in its own name: no API says this.
OWN_TITLE = "An answer of fauxlab itself, not of the API"
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


# What each role and each state is: docs/contract.md shows them.
ROLES: Mapping[str, str] = {
    "key": "request: the API key; it is hidden wherever something is written down",
    "prompt": "request: the text that the mock draws on its picture",
    "face_image": "request: the image that gives width and height where they are missing",
    "init_image": "request: the same, where there is no face image",
    "width": "request: pixels of the picture",
    "height": "request: pixels of the picture",
    "seed": "request: makes a generation repeatable",
    "webhook": "request: the address that is told the end of the job",
    "track_id": "request: the caller's own id, which comes back in the webhook",
    "status": "reply: the word that tells the branches apart",
    "id": "reply: the number of the job, with which it is fetched",
    "eta": "reply: seconds until the job ends",
    "message": "reply: what is wrong, or what to do next",
    "legacy_message": "reply: what the scenario `legacy_messege` says in place of the message",
    "tip": "reply: advice beside the message",
    "fetch_result": "reply: the URL at which the job is fetched",
    "output": "reply: the links of the pictures",
    "future_links": "reply: the links that will lead to the pictures",
    "proxy_links": "reply: the links once more",
    "generation_time": "reply: seconds that the job took",
    "meta": "reply: the request as it took effect",
    "file_prefix": "reply: the beginning of the pictures' names, in `meta`",
    "retry_after": "reply: seconds to wait after a refusal",
}
STATES: Mapping[str, str] = {
    "processing": "the job runs",
    "success": "the job has its pictures",
    "failed": "the job failed, or is not known",
    "error": "the call was refused",
}


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
    for name in extension:
        if name not in ("fields", "words"):
            raise ValueError(_has_no("x-fauxlab has no member", name, ("fields", "words")))
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
    for role in changes:
        if role not in known:
            raise ValueError(_has_no(f"x-fauxlab.{member} has no role", role, known))
    return replace(names, **changes)


def _has_no(what: str, name: Any, known: Iterable[str]) -> str:
    return f"{what} {str(name)[:80]!a}; {did_you_mean(str(name)[:200], known)}"
