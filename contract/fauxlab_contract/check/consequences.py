"""What certainly comes of a fault that is told already: one cause is one finding."""

from __future__ import annotations

import json
from collections.abc import Sequence

from fauxlab_contract.check.oracle import ObservedReply, reply_violations
from fauxlab_contract.core.pointers import parts_of
from fauxlab_contract.core.text import cut

__all__ = ["COMES_OF", "OF_ONE_JOB", "breaks_member", "is_id_of_another_type", "links_in_words"]

# A rule about the output -> the rule whose break, at the same operation, leaves it no meaning.
COMES_OF = {"future-links": "output-changed"}
# Rules that compare what is said about one job: of an id that two jobs share they know nothing.
OF_ONE_JOB = frozenset(
    {
        "id-changed",
        "state-order",
        "output-changed",
        "future-links",
        "webhook-body",
        "webhook-repeated",
        "webhook-early",
        "track-id",
        "eta",
        "meta-differs",
        "picture",
        "picture-differs",
        "picture-same",
    }
)


def breaks_member(reply: ObservedReply, name: str) -> bool:
    """Return True if a member of a reply breaks its schema; what comes of this needs no telling."""
    broken = reply_violations(reply, "strict")
    return any(parts_of(violation.pointer)[:1] == [name] for violation in broken)


def is_id_of_another_type(replies: Sequence[ObservedReply]) -> bool:
    """Return True if the ids read the same, and one of them breaks its schema by its type."""
    name = replies[0].operation.conventions.fields.id
    ids = {str(reply.body[name]) for reply in replies if name in reply.body}
    return len(ids) == 1 and any(breaks_member(reply, name) for reply in replies)


def links_in_words(rule: str, replies: Sequence[ObservedReply]) -> str:
    """Return what links were announced and what came; empty for a rule that is not about links."""
    if rule not in ("output-changed", "future-links"):
        return ""
    names, words = replies[0].operation.conventions.fields, replies[0].operation.conventions.words
    ends = [reply.body for reply in replies if reply.word == words.success]
    links = [reply.body.get(names.future_links) for reply in replies]
    told = [json.dumps(each.get(names.output)) for each in ends]
    if rule == "future-links":
        told = [json.dumps(each) for each in links if each] + told
    first, *others = dict.fromkeys(told)
    return f"the links were {cut(first, 200)}, then {cut(others[0], 200) if others else first}."
