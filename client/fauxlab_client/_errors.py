"""What can go wrong, as one tree.

    FauxlabError
    ├── ValidationError          an argument breaks the contract (nothing was sent), or the API says
    │                            that the request does
    ├── AuthenticationError      the key is missing or not accepted
    ├── CreditsError             the account has no credits left
    ├── PlanError                the account's plan does not include this
    ├── RateLimitError           too many requests; `retry_after_s` says how long to wait
    ├── TryAgainError            the API is not ready and asks for the same request again later
    ├── RefusedError             any other refusal
    ├── ServerError              the API broke, or is not available
    ├── ConnectionFailedError    no reply came; `sent` says whether the request may have arrived
    ├── NotFoundError            the API does not know this job
    ├── JobFailedError           the job has ended without a picture
    ├── JobTimeoutError          the job did not end in time; it may still end, so wait for it again
    │                            by its `job_id`
    ├── BadReplyError            the reply is not one that this API gives
    ├── ConfigurationError       a proxy or a file of certificates that the environment names cannot
    │                            be used
    ├── DownloadError            a picture could not be downloaded
    └── UntrustedURLError        an address that this client does not send to

Every error has the API's own `message`, and the `job_id` where there is a job. No text ever
contains the key.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from fauxlab_client._contract import SHORTEST_SECRET

__all__ = [
    "AuthenticationError",
    "BadReplyError",
    "ConfigurationError",
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


class FauxlabError(Exception):
    """The root of the tree.

    `message` is the API's own text where there is one. `job_id`, `http_status` and `retry_after_s`
    are None when they are not known. `is_unreadable` is True after a response without a JSON
    object: cut off, garbled, or the page of a gateway (with a code below 500).
    """

    is_unreadable = False

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
        """Replace `secret` in the message, in case the API repeated it.

        A very short secret stays, because it cannot be told from an ordinary word.
        """
        if len(secret) >= SHORTEST_SECRET:
            self.message = self.message.replace(secret, "***")
        self.args = (self.message,)

    def __str__(self) -> str:
        if self.job_id is None:
            return self.message
        return f"{self.message} (job {self.job_id})"


class ValidationError(FauxlabError, ValueError):
    """An argument breaks the contract, or the API says that the request does.

    `field` names the argument; it is empty when the API refused the request as a whole.
    """

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
    """The key is missing or not accepted."""


class CreditsError(FauxlabError):
    """The account has no credits left."""


class PlanError(FauxlabError):
    """The account's plan does not include this."""


class RateLimitError(FauxlabError):
    """There were too many requests; `retry_after_s` says how long to wait."""


class TryAgainError(FauxlabError):
    """The API is not ready and asks for the same request again later."""


class RefusedError(FauxlabError):
    """The API refused for another reason."""


class ServerError(FauxlabError):
    """The API broke, or is not available."""


class ConnectionFailedError(FauxlabError):
    """No reply came.

    `sent` is True when bytes of the request may have reached the API; a submit must not be
    repeated then.
    """

    def __init__(self, message: str, *, sent: bool, job_id: int | None = None) -> None:
        super().__init__(message, job_id=job_id)
        self.sent = sent

    def __reduce__(self) -> tuple[Any, ...]:  # `sent` has no default, so pickle must pass it
        return partial(ConnectionFailedError, sent=self.sent), self.args, self.__dict__


class NotFoundError(FauxlabError):
    """The API does not know this job."""


class JobFailedError(FauxlabError):
    """The job has ended without a picture."""


class JobTimeoutError(FauxlabError, TimeoutError):
    """The job did not end in time; it may still end, so wait for it again by its `job_id`."""


class BadReplyError(FauxlabError):
    """The reply is not one that this API gives."""


class ConfigurationError(FauxlabError):
    """A proxy or a file of certificates that the environment names cannot be used.

    The text names the variable.
    """


class DownloadError(FauxlabError):
    """A picture could not be downloaded."""


class UntrustedURLError(FauxlabError):
    """An address that this client does not send to."""


for _name in __all__:  # tracebacks say fauxlab_client.RateLimitError
    globals()[_name].__module__ = "fauxlab_client"
