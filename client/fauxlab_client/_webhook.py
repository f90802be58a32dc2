"""Read a webhook of the API.

The vendor signs nothing: anybody who knows your address can post there. Take an event as a hint,
and confirm it by a fetch (`client.fetch(event.job_id)`) before you act on it. The same event may
arrive twice: `event.dedupe_key` is the same then.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from fauxlab_client._errors import BadReplyError
from fauxlab_client._reply import id_of, links_of

__all__ = ["WebhookEvent", "parse_webhook"]

MAX_BODY_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """What a webhook says about a job.

    `output` is empty for a failure, and may be for a success: fetch the job then. `track_id` has
    the type that came.
    """

    job_id: int
    status: Literal["success", "failed"]
    output: tuple[str, ...] = ()
    message: str = ""
    track_id: int | str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def dedupe_key(self) -> str:
        """Equal for two deliveries of the same event."""
        return f"{self.job_id}:{self.status}"


def parse_webhook(body: bytes | str) -> WebhookEvent:
    """Read the body of a webhook's POST; raise `BadReplyError` for anything but an event."""
    if len(body) > MAX_BODY_BYTES:
        raise BadReplyError(f"A webhook has at most {MAX_BODY_BYTES} bytes.")
    try:
        text = body if isinstance(body, str) else body.decode()
        event = json.loads(text)
    except (ValueError, RecursionError):
        raise BadReplyError("The webhook is not JSON.") from None
    if not isinstance(event, dict):
        raise BadReplyError("The webhook is not a JSON object.")
    job_id = id_of(event)
    if job_id is None:
        raise BadReplyError("The webhook has no job id.")
    return WebhookEvent(
        job_id=job_id,
        status=_status(event.get("status")),
        output=links_of(event.get("output")),
        message=str(event.get("message") or event.get("messege") or ""),
        track_id=_track_id(event.get("track_id")),
        raw=event,
    )


def _status(value: Any) -> Literal["success", "failed"]:
    if value == "success":
        return "success"
    if value in ("failed", "error"):
        return "failed"
    raise BadReplyError("The webhook has no status that ends a job (success or failed).")


def _track_id(value: Any) -> int | str | None:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return None
    return value
