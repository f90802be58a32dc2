"""Make request bodies from a schema: boundary cases here, Hypothesis strategies in
`generation.strategies`.

`generation.strategies` needs Hypothesis, so it is not imported here.
"""

from __future__ import annotations

from fauxlab_contract.generation.boundaries import boundary_requests

__all__ = ["boundary_requests"]
