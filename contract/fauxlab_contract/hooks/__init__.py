"""One small hook for each HTTP library: what a client sends and what it is told, seen above whatever answers for the network."""

from __future__ import annotations

__all__: list[str] = []
