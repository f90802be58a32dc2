"""Settings of the whole suite: Hypothesis repeats its examples unless told otherwise."""

from __future__ import annotations

import gc
import importlib
import os

from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import none

settings.register_profile(
    "ci", derandomize=True, deadline=None, max_examples=100, database=None, print_blob=True
)
settings.register_profile(
    "deep", deadline=None, max_examples=5_000, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_collection_finish() -> None:
    """Keep what was collected out of the garbage collector's way: some tests collect often.

    Hypothesis looks for who holds random numbers when it hears of them, trio's and its own: in a
    frozen heap it finds nobody.
    """
    importlib.import_module("trio")
    given(none())(settings(derandomize=False, max_examples=1)(lambda _: None))()
    gc.freeze()
