"""The packages that fauxlab is built on, and what is said where one of them is not installed.

A plain install brings them all. One can be missing all the same: after `--no-deps`, on a platform
that has no build of it, or where the host does without.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

__all__ = [
    "CONTRACT",
    "IN_PROCESS",
    "MOCK",
    "PACKAGES",
    "SERVER",
    "missing",
    "not_installed",
    "require",
]

# Module -> the package that brings it.
PACKAGES = {
    "PIL": "pillow",
    "httpx": "httpx",
    "hypothesis": "hypothesis",
    "jsonschema": "jsonschema",
    "jsonschema_rs": "jsonschema-rs",
    "referencing": "referencing",
    "respx": "respx",
    "rfc3986_validator": "rfc3986-validator",
    "starlette": "starlette",
    "uvicorn": "uvicorn",
    "yaml": "pyyaml",
}
# What a document and its judges need; besides, what a mock needs, one behind a socket, and one that
# answers in process.
CONTRACT = ("jsonschema", "jsonschema_rs", "referencing", "rfc3986_validator", "yaml")
MOCK = (*CONTRACT, "PIL")
SERVER = (*MOCK, "starlette", "uvicorn")
IN_PROCESS = (*SERVER, "httpx", "respx")  # the calls of aiohttp go to a server, too


def missing(modules: Iterable[str]) -> list[str]:
    """Return those of `modules` that are not installed. Nothing is imported."""
    return [module for module in modules if find_spec(module) is None]


def not_installed(what: str, modules: Iterable[str]) -> ModuleNotFoundError:
    """Return the error for `what` ("fauxlab serve") that needs modules which are not installed.

    "fauxlab serve needs pillow, which is not installed; get it with pip install pillow"
    """
    modules = list(modules)
    packages = [PACKAGES.get(module, module) for module in modules]
    named = " and ".join(packages)
    which, them = ("which is", "it") if len(packages) == 1 else ("which are", "them")
    return ModuleNotFoundError(
        f"{what} needs {named}, {which} not installed; get {them} with pip install"
        f" {' '.join(packages)}",
        name=modules[0],
    )


def require(what: str, modules: Iterable[str]) -> None:
    """Raise ModuleNotFoundError, with a sentence, unless all `modules` are installed."""
    if lacking := missing(modules):
        raise not_installed(what, lacking)
