"""Judge one request, one reply, or all replies about one job.

Every function returns violations as values; an empty tuple means that the body is valid.
"""

from __future__ import annotations

from fauxlab_contract.validation.bodies import (
    coerce_request,
    request_violations,
    response_violations,
)
from fauxlab_contract.validation.lifecycle import job_violations

__all__ = ["coerce_request", "job_violations", "request_violations", "response_violations"]
