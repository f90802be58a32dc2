"""What pytest-synapse says of the same clients on the same traffic: run by score.py in an
environment that has it.

`python -m pytest -q -p no:fauxlab --openapi-spec openapi.yaml tests/client_mutants/peer.py`; prints
a line of JSON for each client.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from client_mutants.catalogue import CORRECT, MUTANTS, Candidate
from fauxlab_mock.client_check.check import check_client

ONE_LIBRARY_EACH = [*{one.name: one for one in reversed((*CORRECT, *MUTANTS))}.values()]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("candidate", ONE_LIBRARY_EACH, ids=lambda one: one.id)
def test_peer(candidate: Candidate, synapse_flow_logger: Any) -> None:
    """Never fails: what its own engine makes of the traffic is printed."""
    from pytest_synapse.coverage_engine import SynapseCoverageEngine  # type: ignore[import-not-found] # in the other environment alone
    from pytest_synapse.spec_parser import OpenAPISpecParser  # type: ignore[import-not-found]

    synapse_flow_logger.clear()
    with candidate.opened() as make:
        check_client(make)
    engine = SynapseCoverageEngine(OpenAPISpecParser("openapi.yaml"))
    engine.process_events(synapse_flow_logger.get_events())
    errors = engine.get_validation_errors()
    kinds = sorted(
        {
            f"{kind}: {text}"
            for by_kind in errors.values()
            for kind, some in by_kind.items()
            for one in some
            for text in one["errors"]
        }
    )
    print(
        json.dumps({"id": candidate.name, "is_correct": candidate in CORRECT, "errors": kinds}),
        file=sys.__stdout__,
        flush=True,
    )
