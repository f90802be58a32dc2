"""The minimal client.

Names load when they are first used (PEP 562), so importing this package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what type checkers and editors see; `_HOMES` says the same to the interpreter
    from fauxlab_client._async_client import AsyncClient
    from fauxlab_client._client import Client
    from fauxlab_client._contract import GenerateFields
    from fauxlab_client._errors import (
        AuthenticationError,
        BadReplyError,
        ConfigurationError,
        ConnectionFailedError,
        CreditsError,
        DownloadError,
        FauxlabError,
        JobFailedError,
        JobTimeoutError,
        NotFoundError,
        PlanError,
        RateLimitError,
        RefusedError,
        ServerError,
        TryAgainError,
        UntrustedURLError,
        ValidationError,
    )
    from fauxlab_client._models import Contract, Field, Job, Polling, Result
    from fauxlab_client._shared import ClientOptions
    from fauxlab_client._webhook import WebhookEvent, parse_webhook

_HOMES = {
    "AsyncClient": "fauxlab_client._async_client",
    "AuthenticationError": "fauxlab_client._errors",
    "BadReplyError": "fauxlab_client._errors",
    "Client": "fauxlab_client._client",
    "ClientOptions": "fauxlab_client._shared",
    "ConfigurationError": "fauxlab_client._errors",
    "ConnectionFailedError": "fauxlab_client._errors",
    "Contract": "fauxlab_client._models",
    "CreditsError": "fauxlab_client._errors",
    "DownloadError": "fauxlab_client._errors",
    "FauxlabError": "fauxlab_client._errors",
    "Field": "fauxlab_client._models",
    "GenerateFields": "fauxlab_client._contract",
    "Job": "fauxlab_client._models",
    "JobFailedError": "fauxlab_client._errors",
    "JobTimeoutError": "fauxlab_client._errors",
    "NotFoundError": "fauxlab_client._errors",
    "PlanError": "fauxlab_client._errors",
    "Polling": "fauxlab_client._models",
    "RateLimitError": "fauxlab_client._errors",
    "RefusedError": "fauxlab_client._errors",
    "Result": "fauxlab_client._models",
    "ServerError": "fauxlab_client._errors",
    "TryAgainError": "fauxlab_client._errors",
    "UntrustedURLError": "fauxlab_client._errors",
    "ValidationError": "fauxlab_client._errors",
    "WebhookEvent": "fauxlab_client._webhook",
    "parse_webhook": "fauxlab_client._webhook",
}
__all__ = [
    "AsyncClient",
    "AuthenticationError",
    "BadReplyError",
    "Client",
    "ClientOptions",
    "ConfigurationError",
    "ConnectionFailedError",
    "Contract",
    "CreditsError",
    "DownloadError",
    "FauxlabError",
    "Field",
    "GenerateFields",
    "Job",
    "JobFailedError",
    "JobTimeoutError",
    "NotFoundError",
    "PlanError",
    "Polling",
    "RateLimitError",
    "RefusedError",
    "Result",
    "ServerError",
    "TryAgainError",
    "UntrustedURLError",
    "ValidationError",
    "WebhookEvent",
    "parse_webhook",
]


if not TYPE_CHECKING:  # a visible __getattr__ would make every name `Any` to a type checker

    def __getattr__(name):
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
