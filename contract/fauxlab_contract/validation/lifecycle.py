"""The legal order of a job's states and what must hold between its replies. Pure data and
functions.

The engine uses `has_ended` and `remaining_s` to decide; checks use `job_violations` to judge what
any server answered.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from fauxlab_contract.core.conventions import Conventions, Words
from fauxlab_contract.core.pointers import pointer_to
from fauxlab_contract.core.violation import Violation, describe

__all__ = ["has_ended", "job_violations", "may_follow", "remaining_s"]

# sums of seconds since 1970 are only this exact; without it ten steps of 0.5 s may not make 5 s
CLOCK_STEP_S = 1e-6


def has_ended(*, now: float, ends_at: float, polls_answered: int, polls_planned: int) -> bool:
    """The one test for fetch, links and webhook: the time is over and enough fetches were answered
    `processing`.
    """
    return now >= ends_at - CLOCK_STEP_S and polls_answered >= polls_planned


def remaining_s(*, now: float, announced_end: float) -> int:
    """The `eta` field: whole seconds until the announced end, never negative."""
    return math.ceil(max(0.0, round(announced_end - now, 6)))


def may_follow(words: Words, before: str, after: str) -> bool:
    """May a reply with the status `after` follow one with `before`, for the same job? Only
    processing may change.
    """
    return before in (after, words.processing)


def job_violations(
    replies: Sequence[Mapping[str, Any]], conventions: Conventions
) -> tuple[Violation, ...]:
    """Every cross-reply rule that one job's replies break; `replies` are its submit's and fetches'
    bodies, in order.

    Rules: states only go forward, the id stays, eta is not negative and does not grow, no output
    while processing, an output at success that stays the same and equals the future links.
    """
    # an unknown id is an answer about no job
    known = [reply for reply in replies if reply.get(conventions.fields.id) != ""]
    checks = (_order, _same_id, _eta, _output, _links)
    return tuple(violation for check in checks for violation in check(known, conventions))


def _order(replies: Sequence[Mapping[str, Any]], conventions: Conventions) -> Iterator[Violation]:
    words = _present(replies, conventions.fields.status)
    for before, after in pairwise(words):
        if not may_follow(conventions.words, before, after):
            yield _broken(conventions.fields.status, "order", f"still {before}", after)


def _same_id(replies: Sequence[Mapping[str, Any]], conventions: Conventions) -> Iterator[Violation]:
    ids = _present(replies, conventions.fields.id)
    for other in ids[1:]:
        if other != ids[0] or type(other) is not type(ids[0]):
            yield _broken(conventions.fields.id, "same", ids[0], other)


def _eta(replies: Sequence[Mapping[str, Any]], conventions: Conventions) -> Iterator[Violation]:
    present = _present(replies, conventions.fields.eta)
    etas = [eta for eta in present if isinstance(eta, (int, float)) and not isinstance(eta, bool)]
    for eta in etas:
        if eta < 0:
            yield _broken(conventions.fields.eta, "minimum", 0, eta)
    for before, after in pairwise(etas):
        if after > before:
            yield _broken(conventions.fields.eta, "not-growing", before, after)


def _output(replies: Sequence[Mapping[str, Any]], conventions: Conventions) -> Iterator[Violation]:
    names, words = conventions.fields, conventions.words
    for reply in replies:
        word, output = reply.get(names.status), reply.get(names.output)
        if word == words.processing and output:
            yield _broken(names.output, "empty", "nothing while processing", output)
        if word == words.success and not output:
            yield _broken(names.output, "not-empty", "a link at success", output)


def _links(replies: Sequence[Mapping[str, Any]], conventions: Conventions) -> Iterator[Violation]:
    names, words = conventions.fields, conventions.words
    promised = _present(replies, names.future_links)
    final = _present(
        [reply for reply in replies if reply.get(names.status) == words.success], names.output
    )
    for links in (promised + final)[1:]:
        if links != (promised + final)[0]:
            yield _broken(names.output, "same", (promised + final)[0], links)


def _present(replies: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    return [reply[name] for reply in replies if name in reply]


def _broken(field: str, rule: str, expected: Any, came: Any) -> Violation:
    limit = describe(expected) if isinstance(expected, (dict, list)) else expected
    return Violation(pointer_to([field]), rule, limit, describe(came))
