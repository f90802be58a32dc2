"""The minimal client. Names are loaded when they are first used (PEP 562)."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "AsyncClient": "async_client",
    "AuthenticationError": "errors",
    "BadReplyError": "errors",
    "Client": "client",
    "ConnectionFailedError": "errors",
    "Contract": "models",
    "CreditsError": "errors",
    "DownloadError": "errors",
    "FauxlabError": "errors",
    "Field": "models",
    "Job": "models",
    "JobFailedError": "errors",
    "JobTimeoutError": "errors",
    "NotFoundError": "errors",
    "PlanError": "errors",
    "Polling": "models",
    "RateLimitError": "errors",
    "RefusedError": "errors",
    "Result": "models",
    "ServerError": "errors",
    "TryAgainError": "errors",
    "UntrustedURLError": "errors",
    "ValidationError": "errors",
    "WebhookEvent": "webhook",
    "parse_webhook": "webhook",
}
__all__ = sorted(_HOMES, key=lambda name: (not name[0].isupper(), name))  # noqa: PLE0605 # built from the table


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *_HOMES]
