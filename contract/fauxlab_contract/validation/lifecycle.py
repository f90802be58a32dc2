"""The legal order of a job's states, and what must hold between its replies.

The engine decides with `has_ended` and `remaining_s`; checks judge a server's replies with
`job_violations`.
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

# sums of seconds since 1970 are not exact: without this, ten steps of 0.5 s may not make 5 s
CLOCK_STEP_S = 1e-6


def has_ended(*, now: float, ends_at: float, polls_answered: int, polls_planned: int) -> bool:
    """Return True if the time is over and enough fetches were answered `processing`.

    Fetch, links and webhook all ask this.
    """
    return now >= ends_at - CLOCK_STEP_S and polls_answered >= polls_planned


def remaining_s(*, now: float, announced_end: float) -> int:
    """Return the `eta` field: whole seconds until the announced end, never negative."""
    left_s = round(announced_end - now, 6)
    return math.ceil(max(0.0, left_s))


def may_follow(words: Words, before: str, after: str) -> bool:
    """Return True if a job's status may change from `before` to `after`: only processing may."""
    return before in (after, words.processing)


def job_violations(
    replies: Sequence[Mapping[str, Any]], conventions: Conventions
) -> tuple[Violation, ...]:
    """Return what the replies to a job's submit and fetches, in order, contradict each other in.

    The state only goes forward and the id stays. The eta is not negative and does not grow. There
    is no output while processing; at success there is one, equal to the future links.
    """
    # a reply with an empty id is about no job
    known = [reply for reply in replies if reply.get(conventions.fields.id) != ""]
    checks = (_order, _same_id, _eta, _output, _links)
    return tuple(violation for check in checks for violation in check(known, conventions))


def _order(replies: Sequence[Mapping[str, Any]], conventions: Conventions) -> Iterator[Violation]:
    status = conventions.fields.status
    for before, after in pairwise(_present(replies, status)):
        if not may_follow(conventions.words, before, after):
            yield _broken(status, "order", f"still {before}", after)


def _same_id(replies: Sequence[Mapping[str, Any]], conventions: Conventions) -> Iterator[Violation]:
    name = conventions.fields.id
    ids = [one for one in _present(replies, name) if one is not None]  # null says nothing
    first = describe(ids[0]) if ids and isinstance(ids[0], str) else next(iter(ids), None)
    for other in ids[1:]:
        is_same = other == ids[0] and type(other) is type(ids[0])
        if not is_same:
            yield _broken(name, "same", first, other)


def _eta(replies: Sequence[Mapping[str, Any]], conventions: Conventions) -> Iterator[Violation]:
    name = conventions.fields.eta
    etas = [eta for eta in _present(replies, name) if type(eta) in (int, float)]
    for eta in etas:
        if eta < 0:
            yield _broken(name, "minimum", 0, eta)
    for before, after in pairwise(etas):
        if after > before:
            yield _broken(name, "not-growing", before, after)


def _output(replies: Sequence[Mapping[str, Any]], conventions: Conventions) -> Iterator[Violation]:
    words, name = conventions.words, conventions.fields.output
    for reply in replies:
        word = reply.get(conventions.fields.status)
        output = reply.get(name)
        if word == words.processing and output:
            yield _broken(name, "empty", "nothing while processing", output)
        if word == words.success and not output:
            yield _broken(name, "not-empty", "a link at success", output)


def _links(replies: Sequence[Mapping[str, Any]], conventions: Conventions) -> Iterator[Violation]:
    names, success = conventions.fields, conventions.words.success
    successes = [reply for reply in replies if reply.get(names.status) == success]
    links = _present(replies, names.future_links)
    links += _present(successes, names.output)
    for other in links[1:]:
        if other != links[0]:
            yield _broken(names.output, "same", links[0], other)


def _present(replies: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    return [reply[name] for reply in replies if name in reply]


def _broken(field: str, rule: str, expected: Any, came: Any) -> Violation:
    limit = describe(expected) if isinstance(expected, (dict, list)) else expected
    return Violation(pointer_to([field]), rule, limit, describe(came))
