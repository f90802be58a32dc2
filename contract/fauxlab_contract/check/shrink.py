"""Hypothesis as a search for the smallest body on which a server and the contract disagree. The
only module that runs Hypothesis.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fauxlab_contract.generation.boundaries import RequestCase
from fauxlab_contract.openapi.operation import Operation

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
    fails: Callable[[RequestCase], bool],
    most: int,
) -> Iterator[RequestCase]:
    """For each broken rule (or for valid bodies at all), the smallest of `count` drawn bodies on
    which `fails` is true.

    `fails` is called for at most `most` bodies.
    """
    from fauxlab_contract.generation.strategies import invalid_requests, valid_requests

    bodies = (
        valid_requests(operation, **fixed).map(lambda body: RequestCase("a valid body", body))
        if valid
        else invalid_requests(operation, **fixed)
    )
    search = _Search(fails, most)
    for _ in range(MOST_KINDS):
        search.known = set(search.smallest)
        _run(search, bodies, count, seed)
        found = [case for rule, case in search.smallest.items() if rule not in search.known]
        if not found:
            return
        yield from found


class _Search:
    """Looks at bodies; `smallest` are those that failed, by the rule that they break. Rules that
    are `known` are passed over.
    """

    def __init__(self, fails: Callable[[RequestCase], bool], most: int) -> None:
        self._fails, self._left = fails, most
        self.known: set[tuple[str, str]] = set()
        self.smallest: dict[tuple[str, str], RequestCase] = {}

    def look(self, case: RequestCase) -> None:
        rule = (case.pointer, case.keyword)
        if rule in self.known or self._left <= 0:
            return
        self._left -= 1
        if self._fails(case):
            if rule not in self.smallest or _size(case) < _size(self.smallest[rule]):
                self.smallest[rule] = case
            raise _Disagreement


def _run(search: _Search, bodies: Any, count: int, seed: int) -> None:
    """Draw `count` bodies, and shrink the first on which the two disagree."""
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import seed as seeded

    def look(case: RequestCase) -> None:  # Hypothesis runs functions, and no methods
        search.look(case)

    phases, checks = [Phase.generate, Phase.shrink], list(HealthCheck)
    quiet = settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=phases,
        suppress_health_check=checks,
    )
    try:
        quiet(seeded(seed)(given(bodies)(look)))()  # type: ignore[no-untyped-call] # seed() hides the types
    except BaseException as error:
        if not _is_disagreement(error):
            raise


def _is_disagreement(error: BaseException) -> bool:
    """Did Hypothesis end for our reason? When `most` is used up in the middle of shrinking it calls
    the test flaky.
    """
    from hypothesis.errors import Flaky

    if isinstance(error, BaseExceptionGroup):
        return all(_is_disagreement(one) for one in error.exceptions)
    return isinstance(error, (_Disagreement, Flaky))


def _size(case: RequestCase) -> int:
    return len(json.dumps(case.body))
