"""Values that Hypothesis finds: the simplest of a strategy, and a text for a pattern.

Hypothesis is imported when the first value is wanted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from random import Random
from typing import Any

from fauxlab_contract._parts import missing
from fauxlab_contract.openapi.formats import matches

__all__ = ["simplest", "text_of"]

_TRIES = 300
_NAMED_GROUP = re.compile(r"(?<!\\)\(\?<(?=\w)")  # as ECMA 262 writes it


def simplest(strategy: Any, is_right: Callable[[Any], bool], *, shrinks: bool = True) -> Any:
    """Return the simplest value of a Hypothesis strategy that is right; always the same.

    Without `shrinks` it is the first that is right, which nearly always is the simplest as well.
    Raise hypothesis.errors.HypothesisException if none is found.
    """
    from hypothesis import HealthCheck, Phase, find, settings

    quiet = settings(
        max_examples=_TRIES,
        database=None,
        deadline=None,
        phases=[Phase.generate, *([Phase.shrink] if shrinks else [])],
        suppress_health_check=list(HealthCheck),
    )

    def search() -> Any:
        return find(strategy, is_right, settings=quiet, random=Random(0))

    # in a thread of its own, because a test that uses Hypothesis may be running in this one
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(search).result()


@lru_cache(maxsize=256)
def text_of(pattern: str, least: int = 0, most: int | None = None) -> str | None:
    """Return a simple text that a pattern describes, of `least` to `most` characters.

    `text_of("^job_[0-9]+$")` -> `"job_0"`. None where none is found: Hypothesis reads patterns as
    Python does, and its texts are held against ECMA 262.
    """
    if missing(["hypothesis"]):
        return None
    from hypothesis.errors import HypothesisException, InvalidArgument

    for strategy in _texts(pattern):
        try:
            # shrinking takes long for a long text: its time grows with the square of the length
            text = simplest(strategy, partial(matches, pattern), shrinks=False)
        except (HypothesisException, InvalidArgument, re.error):
            continue
        fitting = (one for one in _stretched(text, least) if matches(pattern, one))
        return next((one for one in fitting if most is None or len(one) <= most), None)
    return None


def _stretched(text: str, least: int) -> Iterator[str]:
    """Yield a text, and where it is too short, those with one of its characters many times."""
    lacking = least - len(text)
    if lacking <= 0:
        yield text
        return
    for place in reversed(range(len(text))):
        yield text[:place] + text[place] * lacking + text[place:]


def _texts(pattern: str) -> Iterator[Any]:
    """Yield strategies for the texts of a pattern: of printable ASCII, then of any character."""
    from hypothesis import strategies as st

    named = _NAMED_GROUP.sub("(?P<", pattern)
    for alphabet in (st.characters(min_codepoint=32, max_codepoint=126), st.characters()):
        yield st.from_regex(named, alphabet=alphabet)
