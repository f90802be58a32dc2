"""The forms in which a judge's report is told: text, JSON and JUnit, from one `Sheet`."""

from __future__ import annotations

__all__: list[str] = []
