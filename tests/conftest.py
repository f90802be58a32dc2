"""Settings of the whole suite: Hypothesis repeats its examples unless told otherwise."""

from __future__ import annotations

import gc
import importlib
import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "ci", derandomize=True, deadline=None, max_examples=100, database=None, print_blob=True
)
settings.register_profile(
    "deep", deadline=None, max_examples=5_000, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_collection_finish() -> None:
    """Keep what was collected out of the garbage collector's way: some tests collect often.

    Trio shows its random numbers to Hypothesis when it is imported, which looks for who holds them:
    in a frozen heap it finds nobody.
    """
    importlib.import_module("trio")
    gc.freeze()
