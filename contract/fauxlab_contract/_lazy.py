"""Load the names of a package when they are first used (PEP 562).

A package that uses it imports the same names under `TYPE_CHECKING`, because a `__getattr__` that
type checkers see would make every name `Any`:

    if TYPE_CHECKING:
        from package.module import Name
    else:
        __getattr__, __dir__ = lazy(__name__, _HOMES)
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["lazy"]


def lazy(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return `__getattr__` and `__dir__` for `package`.

    `homes` maps each public name to the module that defines it: `{"Mock":
    "fauxlab_mock.runtime.mock"}`. A name whose home needs a package that is not installed raises
    ModuleNotFoundError with the command that installs it.
    """

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        try:
            value = getattr(import_module(homes[name]), name)
        except ModuleNotFoundError as error:
            from fauxlab_contract._parts import PACKAGES, not_installed

            if error.name not in PACKAGES:
                raise
            raise not_installed(f"{package}.{name}", [error.name]) from None
        setattr(sys.modules[package], name, value)  # the next access does not come here
        return value

    def names() -> list[str]:
        own = {name for name in vars(sys.modules[package]) if name.startswith("__")}
        return sorted(own | {*homes})

    return get, names
