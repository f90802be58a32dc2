"""Loads a program of tests/others, which is no module that could be imported by its name."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

__all__ = ["OTHERS", "load_program"]

OTHERS = Path(__file__).parent / "others"


def load_program(path: Path) -> Any:
    """The module of a file of Python."""
    name = f"other_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)  # dataclasses look there
    spec.loader.exec_module(module)
    return module
