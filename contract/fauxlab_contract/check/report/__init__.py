"""A server check's report as text, JSON, JUnit or one HTML page.

All forms read the same `Report`.
"""

from __future__ import annotations

__all__: list[str] = []
