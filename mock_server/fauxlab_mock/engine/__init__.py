"""Decide what one call is answered with, from the call, the stored jobs and the time.

Pure: no socket, no lock, no clock of its own.
"""

from __future__ import annotations

from fauxlab_mock.engine.engine import Engine
from fauxlab_mock.engine.job import Job
from fauxlab_mock.engine.messages import Call, Decision, Reply
from fauxlab_mock.engine.store import MemoryStore, Store

__all__ = ["Call", "Decision", "Engine", "Job", "MemoryStore", "Reply", "Store"]
