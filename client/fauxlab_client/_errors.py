"""What can go wrong, as one tree.

    FauxlabError
    ├── ValidationError          an argument breaks the contract (nothing was sent), or the API says
    that the request does ├── AuthenticationError      the key is missing or not accepted ├──
    CreditsError             the account has no credits left ├── PlanError                the
    account's plan does not include this ├── RateLimitError           too many requests;
    `retry_after_s` says how long to wait ├── TryAgainError            the API is not ready and asks
    for the same request again later ├── RefusedError             any other refusal ├── ServerError
    the API broke, or is not available ├── ConnectionFailedError    no answer came; `sent` tells
    whether the request may have arrived ├── NotFoundError            the API does not know this job
    ├── JobFailedError           the job has ended without a picture ├── JobTimeoutError
    the job did not end in time; it may still, `job_id` lets you go on waiting ├── BadReplyError
    the answer is not one that this API gives ├── DownloadError            a picture could not be
    had └── UntrustedURLError        an address that this client does not send to

Every error knows the `job_id` when there is one and the API's own `message`. No text ever contains
the key.
"""

from __future__ import annotations

__all__ = [
    "AuthenticationError",
    "BadReplyError",
    "ConnectionFailedError",
    "CreditsError",
    "DownloadError",
    "FauxlabError",
    "JobFailedError",
    "JobTimeoutError",
    "NotFoundError",
    "PlanError",
    "RateLimitError",
    "RefusedError",
    "ServerError",
    "TryAgainError",
    "UntrustedURLError",
    "ValidationError",
]


SHORTEST_SECRET = 6


class FauxlabError(Exception):
    """`message` is the API's own text where there is one; `job_id` and `http_status` are None when
    they are not known.
    """

    def __init__(
        self,
        message: str,
        *,
        job_id: int | None = None,
        http_status: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.job_id = job_id
        self.http_status = http_status
        self.retry_after_s = retry_after_s

    def hide(self, secret: str) -> None:
        """Take `secret` out of the text, should somebody have put it there. What is shorter is a
        word, not a secret.
        """
        if len(secret) >= SHORTEST_SECRET:
            self.message = self.message.replace(secret, "***")
        self.args = (self.message,)

    def __str__(self) -> str:
        return self.message if self.job_id is None else f"{self.message} (job {self.job_id})"


class ValidationError(FauxlabError, ValueError):
    """`field` names the argument; empty when the API refused the request as a whole."""

    def __init__(
        self,
        message: str,
        *,
        field: str = "",
        job_id: int | None = None,
        http_status: int | None = None,
    ) -> None:
        super().__init__(message, job_id=job_id, http_status=http_status)
        self.field = field


class AuthenticationError(FauxlabError):
    pass


class CreditsError(FauxlabError):
    pass


class PlanError(FauxlabError):
    pass


class RateLimitError(FauxlabError):
    pass


class TryAgainError(FauxlabError):
    pass


class RefusedError(FauxlabError):
    pass


class ServerError(FauxlabError):
    pass


class ConnectionFailedError(FauxlabError):
    """`sent` is True when bytes of the request may have reached the API: a submit must not be
    repeated then.
    """

    def __init__(self, message: str, *, sent: bool, job_id: int | None = None) -> None:
        super().__init__(message, job_id=job_id)
        self.sent = sent


class NotFoundError(FauxlabError):
    pass


class JobFailedError(FauxlabError):
    pass


class JobTimeoutError(FauxlabError, TimeoutError):
    pass


class BadReplyError(FauxlabError):
    pass


class DownloadError(FauxlabError):
    pass


class UntrustedURLError(FauxlabError):
    pass
