"""Find the smallest bodies on which a server and the contract disagree, with Hypothesis.

No other module runs Hypothesis.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fauxlab_contract.generation.boundaries import RequestCase
from fauxlab_contract.openapi.operation import Operation

__all__ = ["smallest_failures"]

MOST_KINDS = 8  # of failures, searched one after the other


class _Disagreement(Exception):  # noqa: N818 # a result, not an error
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
    """Yield the smallest of `count` drawn bodies for which `fails` returns True, for each rule.

    With `valid`, valid bodies are drawn, and all failures count as one rule. `fails` is called for
    at most `most` bodies. Raise NoValueError if no such body can be drawn.
    """
    from hypothesis.errors import Unsatisfiable

    from fauxlab_contract.generation.shapes import NoValueError
    from fauxlab_contract.generation.strategies import invalid_requests, valid_requests

    if valid:
        drawn = valid_requests(operation, **fixed)
        bodies = drawn.map(lambda body: RequestCase("a valid body", body))
    else:
        bodies = invalid_requests(operation, **fixed)
    search = _Search(fails, most)
    for _ in range(MOST_KINDS):
        search.known = set(search.smallest)
        try:
            _run(search, bodies, count, seed)
        except Unsatisfiable:
            kind = "valid body" if valid else "body with one fault"
            raise NoValueError(f"{operation.name}: no {kind} could be drawn") from None
        new = [case for rule, case in search.smallest.items() if rule not in search.known]
        if not new:
            return
        yield from new


class _Search:
    """Looks at bodies, and remembers the smallest failure of each rule.

    Rules that are `known` are ignored.
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

    def look(case: RequestCase) -> None:  # Hypothesis does not run methods
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
        quiet(seeded(seed)(given(bodies)(look)))()  # type: ignore[no-untyped-call]
    except BaseException as error:
        if not _is_disagreement(error):
            raise


def _is_disagreement(error: BaseException) -> bool:
    """Return True if Hypothesis stopped because of a disagreement.

    If `most` is used up while it shrinks a body, it calls the test flaky.
    """
    from hypothesis.errors import Flaky

    if isinstance(error, BaseExceptionGroup):
        return all(map(_is_disagreement, error.exceptions))
    return isinstance(error, (_Disagreement, Flaky))


def _size(case: RequestCase) -> int:
    return len(json.dumps(case.body))
