"""The refusal table: what the API says when it says no.

The facts come from the vendor's prose on errors and from captured replies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fauxlab_contract.core.text import did_you_mean, nearest
from fauxlab_mock.behaviour.quirks import ELSEWHERE

__all__ = ["OWN", "REFUSALS", "Refusal", "Refused", "unknown_name"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """One row: a case, its message and its HTTP code.

    `code` is sent in the error profile `status`, and in both profiles when `keeps_code`; of
    `codes`, the first that the document declares goes before it. `extra`
    maps roles to values beside the message. With a `content-type` in `headers` the message is the
    whole body. What no API would say (`is_own`) is said in a shape of the mock's own, with `code`
    in both profiles: a client must not take it for an error of the API.
    """

    case: str
    message: str
    code: int
    keeps_code: bool = False
    is_own: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def codes(self) -> tuple[int, ...]:
        """The HTTP codes that say this, the best first."""
        return _CODES.get(self.case) or _CODES.get(self.code) or (self.code,)


# a case, or a code -> the codes that documents declare for it (RFC 9110: what is no JSON is 400,
# what is JSON and breaks the schema 422)
_CODES: Mapping[str | int, tuple[int, ...]] = {
    "invalid": (422, 400),
    "missing_key": (401, 403, 422, 400),
    400: (400, 422),
    401: (401, 403),
    404: (404, 410),
    415: (415, 400, 422),
}
_PAGE = """<!DOCTYPE html>
<html><head><title>503 Service Temporarily Unavailable</title></head>
<body><center><h1>503 Service Temporarily Unavailable</h1></center>
<hr><center>gateway</center></body></html>
"""
REFUSALS: Mapping[str, Refusal] = {
    refusal.case: refusal
    for refusal in (
        Refusal("malformed", "Invalid API Request", 400),
        Refusal(  # RFC 9110, 8.4 and 15.5.16
            "encoding", "Invalid API Request", 415, headers={"accept-encoding": "identity"}
        ),
        Refusal("invalid", "", 400),  # the message is the list of violations
        Refusal("missing_key", "API key required", 401),
        Refusal("invalid_key", "Invalid API key", 401),
        Refusal("no_credits", "Insufficient credits. Please add more credits to continue.", 402),
        Refusal(
            "rate_limited",
            "Rate limit exceeded. Maximum 5 queued requests allowed.",
            429,
            extra={"retry_after": 30},
        ),
        Refusal("plan", "This feature requires a premium subscription", 403),
        Refusal("no_image", "Unable to fetch image from provided URL", 400),
        Refusal("try_again", "Try Again", 503),
        Refusal("unavailable", "Service temporarily unavailable. Please try again later.", 503),
        Refusal(
            "maintenance",
            _PAGE,
            503,
            keeps_code=True,
            headers={"content-type": "text/html; charset=utf-8", "retry-after": "120"},
        ),
        Refusal("moved", "Moved", 307, keeps_code=True, headers={"location": f"{ELSEWHERE}/"}),
        Refusal("unknown_id", "Request not found", 404),
        Refusal("job_failed", "", 500),
        Refusal("server_error", "Internal server error. Please try again.", 500),
        # What only the mock can say:
        Refusal("face_too_large", "", 400),
        Refusal("picture_too_large", "", 400),
        Refusal("misuse", "", 501, is_own=True),  # it was asked for what it does not have
        Refusal("no_control", "", 404, is_own=True),  # a path that was meant for the control API
        Refusal("no_reply", "", 500, is_own=True),  # it cannot make one that fits the document
        Refusal("store_full", "", 503, is_own=True),
        Refusal(
            "internal", "Internal error in fauxlab; its log has the details.", 500, is_own=True
        ),
        Refusal("bad_framing", "Invalid HTTP request", 400, keeps_code=True),
        Refusal("no_route", "", 404, keeps_code=True),
        Refusal(
            "no_link",
            "There is no picture here: the job has not succeeded, or does not exist.",
            404,
            keeps_code=True,
        ),
        Refusal("wrong_method", "", 405, keeps_code=True),
        Refusal("too_slow", "The request took too long to arrive.", 408, keeps_code=True),
        Refusal(
            "body_too_large", "The body is larger than this mock accepts.", 413, keeps_code=True
        ),
        Refusal(
            "headers_too_large",
            "The headers are larger than this mock accepts.",
            431,
            keeps_code=True,
        ),
    )
}
OWN = frozenset(case for case, refusal in REFUSALS.items() if refusal.is_own)


class Refused(Exception):  # noqa: N818 # it ends an answer, it is no error of anybody's
    """Stops the answering of one call.

    `message` replaces the table's; `extra` and `headers` are added to the reply.
    """

    def __init__(
        self,
        case: str,
        message: str = "",
        *,
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(case)
        self.refusal = REFUSALS[case]
        self.message = message or self.refusal.message
        self.extra = {**self.refusal.extra, **(extra or {})}
        self.headers = {**self.refusal.headers, **(headers or {})}


def unknown_name(kind: str, name: str, known: Iterable[str], before: str = "") -> Refused:
    """Return the refusal of a call that names, say, a scenario which does not exist.

    The name is repeated only if it resembles a known one: anything else may be a secret. `before`
    is said before.
    """
    names, name = list(known), name[:200]
    shown = f"{kind} {name[:40]!a}" if nearest(name, names) else f"such {kind}"
    hint = did_you_mean(name, names)
    message = f"{before}There is no {shown}; {hint}" + ("" if hint.endswith("?") else ".")
    return Refused("misuse", message)
