"""The pytest plugin: fixtures `fauxlab`, `fauxlab_server`, `fauxlab_time`, `fauxlab_guard`.

Loaded by its entry point; imports nothing heavy until a fixture is used.
"""

from __future__ import annotations

__all__: list[str] = []
