"""Make request bodies from a schema: a list of boundary cases, and strategies for Hypothesis.

The strategies need Hypothesis, so the names load when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fauxlab_contract._lazy import lazy

if TYPE_CHECKING:  # what type checkers and editors see; `_HOMES` says the same to the interpreter
    from fauxlab_contract.generation.boundaries import RequestCase, boundary_requests
    from fauxlab_contract.generation.strategies import invalid_requests, valid_requests

_HOMES = {
    "RequestCase": "fauxlab_contract.generation.boundaries",
    "boundary_requests": "fauxlab_contract.generation.boundaries",
    "invalid_requests": "fauxlab_contract.generation.strategies",
    "valid_requests": "fauxlab_contract.generation.strategies",
}
__all__ = [
    "RequestCase",
    "boundary_requests",
    "invalid_requests",
    "valid_requests",
]


if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy(__name__, _HOMES)
