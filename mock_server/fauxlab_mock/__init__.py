"""The mock: an engine that decides, and thin adapters around it. Names are loaded when they are first used (PEP 562)."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Answer": "answer",
    "Call": "engine",
    "Clock": "clock",
    "InvalidReplyError": "mock",
    "Job": "job",
    "Mock": "mock",
    "SCENARIOS": "scenario",
    "Settings": "settings",
    "create_app": "app",
    "intercepted": "intercept",
    "serve": "local",
    "virtual_time": "virtual_time",
}
__all__ = sorted(_HOMES, key=lambda name: (not name.isupper(), not name[0].isupper(), name))  # noqa: PLE0605 # built from the table


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *_HOMES]
