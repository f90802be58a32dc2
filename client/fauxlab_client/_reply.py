"""Read what the API answered: tolerant of its habits, strict about what they mean.

Habits seen in the wild: ids as text, eta as a float, `messege` for `message`, `output` as a list, a
text or an empty text, errors inside HTTP 200, and errors with a 4xx or 5xx code.
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

# pattern of the message, or of the newer member `code` -> error; the first row that fits decides
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
    """An HTTP response, as far as this client reads it. Header names are in lower case."""

    code: int
    headers: Mapping[str, str]
    content: bytes


def read_reply(reply: HttpReply) -> dict[str, Any]:
    """Return the JSON object of a response.

    Without one, raise the error of its HTTP code, or `BadReplyError`.
    """
    try:
        body = json.loads(reply.content.decode())
    except (ValueError, RecursionError):
        body = None
    if isinstance(body, dict):
        return body
    code = reply.code
    kind = ServerError if code >= 500 else _BY_CODE.get(code, BadReplyError)
    error = kind(f"The API answered HTTP {code} without a JSON object.", http_status=code)
    error.retry_after_s = number(reply.headers.get("retry-after"))
    error.is_unreadable = code < 300 or 400 <= code < 500  # a redirect is an answer
    raise error


def status_of(body: Mapping[str, Any], http_status: int) -> str:
    """Return `processing` or `success`, or raise the error that the reply stands for."""
    status = body.get("status")
    if status in ("error", "failed") or http_status >= 400:
        raise error_of(body, http_status)
    if status is None:
        raise BadReplyError("The API answered without a status.", http_status=http_status)
    if status not in ("processing", "success"):
        raise BadReplyError(
            f"The API answered with the unknown status {str(status)[:40]!r}.",
            http_status=http_status,
        )
    return str(status)


def error_of(body: Mapping[str, Any], http_status: int) -> FauxlabError:
    """Return the error of a reply that refuses."""
    kind = _kind_of_error(body, http_status)
    error = kind(_message(body) or _detail(body), http_status=http_status)
    error.job_id = id_of(body)
    error.retry_after_s = number(body.get("retry_after"))
    return error


def _kind_of_error(body: Mapping[str, Any], http_status: int) -> type[FauxlabError]:
    """Return the error that the message, the member `code` or else the HTTP code stands for."""
    has_failed = body.get("status") == "failed"
    if has_failed and id_of(body) is not None:
        return JobFailedError  # whatever its message says
    code = body.get("code", "")
    text = f"{_message(body)}\n{code}".lower()
    for pattern, kind in _BY_MESSAGE:
        if re.search(pattern, text, re.MULTILINE):
            return kind
    if http_status >= 500:
        return ServerError
    if "retry_after" in body:
        return RateLimitError
    return _BY_CODE.get(http_status, JobFailedError if has_failed else RefusedError)


def _message(body: Mapping[str, Any]) -> str:
    """Return the text of a refusal, under whatever name it came; empty if there is none."""
    for name in ("message", "messege", "error"):
        value = body.get(name)
        if value:
            text = value if isinstance(value, str) else json.dumps(value)
            return text[:1_000]
    return ""


def _detail(body: Mapping[str, Any]) -> str:
    """Return what an answer that is not the API's says (RFC 9457); it tells no kind of error."""
    detail = body.get("detail")
    if isinstance(detail, str) and detail:
        return detail[:1_000]
    return "The API refused without a message."


def job_of(body: Mapping[str, Any], http_status: int) -> Job:
    """Return the job in the reply to a submit, or raise the error that the reply stands for."""
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
    eta_s = number(body.get("eta"))
    return Job(job_id, eta_s, links_of(body.get("future_links")))


def result_of(body: Mapping[str, Any], job_id: int | None = None) -> Result:
    """Return the result in a reply with the status success.

    `job_id` is the job that was asked for, if it is known. Raises `BadReplyError` for a reply about
    another job, without an id, or without an output.
    """
    told_id = id_of(body)
    if job_id is None:
        job_id = told_id
    elif told_id not in (None, job_id):
        raise BadReplyError(f"The API answered for job {told_id} instead.", job_id=job_id)
    output = links_of(body.get("output"))
    if not output:
        raise BadReplyError("The API says success without an output.", job_id=job_id)
    if job_id is None:
        raise BadReplyError("The API says success without an id.")
    took_s = number(body.get("generationTime"))
    return Result(job_id, output, _seed_of(body), took_s, body)


def _seed_of(body: Mapping[str, Any]) -> int | None:
    meta = body.get("meta")
    seed = meta.get("seed") if isinstance(meta, dict) else None
    return seed if isinstance(seed, int) else None


def id_of(body: Mapping[str, Any]) -> int | None:
    """Return the id of a job, also from text; None for everything else."""
    value = body.get("id")
    if isinstance(value, str):
        is_number = value.isascii() and value.isdecimal() and len(value) < 20
        return int(value) if is_number else None
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value


def links_of(value: Any) -> tuple[str, ...]:
    """Return the links in a list, in one text, or in nothing."""
    items = value if isinstance(value, list) else [value]
    return tuple(item for item in items if isinstance(item, str) and item)


def number(value: Any) -> float | None:
    """Return a finite number that is not negative, also from text; None for everything else."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    try:
        parsed = float(value)
    except (ValueError, OverflowError):
        return None
    return parsed if math.isfinite(parsed) and parsed >= 0 else None
