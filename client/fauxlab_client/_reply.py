"""Read what the API answered: tolerant of its habits, strict about what they mean.

Habits seen in the wild: ids as text, eta as a float, `messege` for `message`, `output` as a list, a
text or an empty text, errors inside HTTP 200, and errors with an HTTP code of their own.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fauxlab_client._errors import (
    AuthenticationError,
    BadReplyError,
    CreditsError,
    FauxlabError,
    JobFailedError,
    NotFoundError,
    PlanError,
    RateLimitError,
    RefusedError,
    ServerError,
    TryAgainError,
    ValidationError,
)
from fauxlab_client._models import Job, Result

__all__ = [
    "HttpReply",
    "error_of",
    "id_of",
    "job_of",
    "links_of",
    "read_reply",
    "result_of",
    "status_of",
]

# The first row that fits decides. HTTP code, pattern of the message or of the newer `code` member,
# error.
_BY_MESSAGE: tuple[tuple[str, type[FauxlabError]], ...] = (
    (r"invalid[ _]api[ _]key|api key required|missing_api_key", AuthenticationError),
    (r"credits|insufficient_balance", CreditsError),
    (r"subscription|plan_required", PlanError),
    (r"rate[ _]limit|queued requests", RateLimitError),
    (r"request not found", NotFoundError),
    (r"^try again\.?$", TryAgainError),
    (r"internal server error|temporarily unavailable|provider_error", ServerError),
    (
        r"invalid api request|field is required|must be |validation_error|unable to fetch image",
        ValidationError,
    ),
)
_BY_CODE: Mapping[int, type[FauxlabError]] = {
    400: ValidationError,
    401: AuthenticationError,
    402: CreditsError,
    403: PlanError,
    404: NotFoundError,
    422: ValidationError,
    429: RateLimitError,
}


@dataclass(frozen=True, slots=True)
class HttpReply:
    """An HTTP answer as far as this client looks at it. Header names in lower case."""

    code: int
    headers: Mapping[str, str]
    content: bytes


def read_reply(reply: HttpReply) -> dict[str, Any]:
    """The JSON object of an answer; raises the error of its HTTP code when there is none, else
    `BadReplyError`.
    """
    try:
        body = json.loads(reply.content.decode())
    except (ValueError, RecursionError):
        body = None
    if isinstance(body, dict):
        return body
    if reply.code >= 500:
        raise ServerError(f"The API answered HTTP {reply.code}.", http_status=reply.code)
    if reply.code in _BY_CODE:
        error = _BY_CODE[reply.code](f"The API answered HTTP {reply.code}.", http_status=reply.code)
        error.retry_after_s = number(reply.headers.get("retry-after"))
        raise error
    raise BadReplyError(
        f"The API answered HTTP {reply.code} without a JSON object.", http_status=reply.code
    )


def status_of(body: Mapping[str, Any], http_status: int) -> str:
    """`processing` or `success`; raises the error that the reply stands for."""
    status = body.get("status")
    if status in ("error", "failed") or http_status >= 400:
        raise error_of(body, http_status)
    if status not in ("processing", "success"):
        came = (
            "without a status"
            if status is None
            else f"with the unknown status {str(status)[:40]!r}"
        )
        raise BadReplyError(f"The API answered {came}.", http_status=http_status)
    return str(status)


def error_of(body: Mapping[str, Any], http_status: int) -> FauxlabError:
    """The error of a refusing reply, told by its message, its `code` member, or its HTTP code."""
    message = _message(body)
    if body.get("status") == "failed" and id_of(body) is not None:
        # whatever its message says
        return JobFailedError(message, job_id=id_of(body), http_status=http_status)
    known = f"{message}\n{body.get('code', '')}".lower()
    kind = next(
        (kind for pattern, kind in _BY_MESSAGE if re.search(pattern, known, re.MULTILINE)), None
    )
    if kind is None and "retry_after" in body and http_status < 500:
        kind = RateLimitError
    if kind is None:
        kind = ServerError if http_status >= 500 else _BY_CODE.get(http_status)
    if kind is None:
        kind = JobFailedError if body.get("status") == "failed" else RefusedError
    error = kind(message, http_status=http_status)
    error.job_id = id_of(body)
    error.retry_after_s = number(body.get("retry_after"))
    return error


def _message(body: Mapping[str, Any]) -> str:
    for name in ("message", "messege", "error"):
        if body.get(name):
            text = body[name] if isinstance(body[name], str) else json.dumps(body[name])
            return text[:1_000]
    return "The API refused without a message."


def job_of(body: Mapping[str, Any], http_status: int) -> Job:
    """The job of a submit's reply; raises the error it stands for, `BadReplyError` when it has no
    id.
    """
    status = status_of(body, http_status)
    if status == "success":
        result = result_of(body)
        return Job(result.id, 0.0, result.output, result)
    job_id = id_of(body)
    if job_id is None:
        raise BadReplyError(
            "The API accepted the request without an id; it may have been charged.",
            http_status=http_status,
        )
    return Job(job_id, number(body.get("eta")), links_of(body.get("future_links")))


def result_of(body: Mapping[str, Any], job_id: int | None = None) -> Result:
    """The result of a reply with the status success; raises `BadReplyError` when it has no id or no
    output.
    """
    found = id_of(body)
    if job_id is not None and found not in (None, job_id):
        raise BadReplyError(f"The API answered for job {found} instead.", job_id=job_id)
    number_of_job = job_id if job_id is not None else found
    links = links_of(body.get("output"))
    if number_of_job is None or not links:
        raise BadReplyError(
            "The API says success without " + ("an id." if links else "an output."),
            job_id=number_of_job,
        )
    meta = body.get("meta")
    seed = meta.get("seed") if isinstance(meta, dict) else None
    return Result(
        number_of_job,
        links,
        seed if isinstance(seed, int) else None,
        number(body.get("generationTime")),
        body,
    )


def id_of(body: Mapping[str, Any]) -> int | None:
    value = body.get("id")
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def links_of(value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    return tuple(item for item in items if isinstance(item, str) and item)


def number(value: Any) -> float | None:
    """A finite number that is not negative, also from text; None for everything else."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) and found >= 0 else None
