"""Hypothesis as a search for the smallest body on which a server and the contract disagree. The only module that runs Hypothesis."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fauxlab_contract.boundaries import Case
from fauxlab_contract.operation import Operation

__all__ = ["smallest_failures"]

MOST_KINDS = 8  # of failures that are looked for, one after the other


class _Disagreement(Exception):  # noqa: N818 # it carries a result, it is no error
    pass


def smallest_failures(
    operation: Operation,
    fixed: Mapping[str, Any],
    count: int,
    *,
    valid: bool,
    seed: int,
    fails: Callable[[Case], bool],
    most: int,
) -> Iterator[Case]:
    """For each broken rule (or for valid bodies at all), the smallest of `count` drawn bodies on which `fails` is true.

    `fails` is called for at most `most` bodies.
    """
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import seed as seeded

    from fauxlab_contract.strategies import invalid_requests, valid_requests

    bodies = (
        valid_requests(operation, **fixed).map(lambda body: Case("a valid body", body)) if valid else invalid_requests(operation, **fixed)
    )
    known: set[tuple[str, str]] = set()
    left = most
    smallest: dict[tuple[str, str], Case] = {}

    def search(case: Case) -> None:
        nonlocal left
        rule = (case.pointer, case.keyword)
        if rule in known or left <= 0:
            return
        left -= 1
        if fails(case):
            if rule not in smallest or _size(case) < _size(smallest[rule]):
                smallest[rule] = case
            raise _Disagreement

    quiet = settings(
        max_examples=count, database=None, deadline=None, phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck)
    )
    for _ in range(MOST_KINDS):
        before = set(smallest)
        try:
            quiet(seeded(seed)(given(bodies)(search)))()
        except BaseException as error:
            if not _is_disagreement(error):
                raise
        yield from (smallest[rule] for rule in smallest if rule not in before)
        known |= set(smallest)
        if set(smallest) == before:
            return


def _is_disagreement(error: BaseException) -> bool:
    """Did Hypothesis end for our reason? When `most` is used up in the middle of shrinking it calls the test flaky."""
    from hypothesis.errors import Flaky

    if isinstance(error, BaseExceptionGroup):
        return all(_is_disagreement(one) for one in error.exceptions)
    return isinstance(error, (_Disagreement, Flaky))


def _size(case: Case) -> int:
    return len(json.dumps(case.body))
