"""What counts as one cause: one finding for each, the heaviest first.

What certainly comes of a fault that is told already is not told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence

from fauxlab_contract.check.findings import ServerFinding
from fauxlab_contract.check.options import PHASES
from fauxlab_contract.check.oracle import ObservedReply, reply_violations
from fauxlab_contract.check.rules import RULES
from fauxlab_contract.core.pointers import parts_of
from fauxlab_contract.core.rules import SEVERITIES, field_at
from fauxlab_contract.core.text import cut

__all__ = [
    "BY_NONSENSE",
    "COMES_OF",
    "OF_ONE_JOB",
    "CauseKey",
    "breaks_member",
    "by_weight",
    "cause_of",
    "field_of",
    "in_words",
    "is_id_of_another_type",
    "links_in_words",
]

CauseKey = tuple[str, str, str]  # rule, place, form
_MEMBER = "/properties/"
# A rule about the output -> the rule whose break, at the same operation, leaves it no meaning.
COMES_OF = {"future-links": "output-changed"}
BY_NONSENSE = {"crash": "malformed-accepted", "reply-not-json": "malformed-accepted"}
# Rules that compare what is said about one job: of an id that two jobs share they know nothing.
OF_ONE_JOB = frozenset(
    {
        "id-changed",
        "state-order",
        "output-changed",
        "future-links",
        "webhook-body",
        "webhook-repeated",
        "webhook-twice",
        "webhook-early",
        "track-id",
        "eta",
        "eta-off",
        "meta-differs",
        "picture",
        "picture-differs",
        "picture-same",
    }
)


def cause_of(rule: str, reply: ObservedReply, where: str, form: str) -> CauseKey:
    """Return what two findings of one cause have in common.

    `where` is a place in the document, `form` tells causes at one place apart.
    """
    match RULES[rule].one_for:
        case "check":
            return rule, "", ""
        case "operation":
            return rule, reply.operation.name, form
        case "code":
            return rule, str(reply.came.code), form
        case "member":
            return rule, field_at(where) or where, form
        case "field" if field := field_of(where, form):
            is_missing = where.endswith("/required")
            owner = where.partition(_MEMBER)[0].removesuffix("/required")
            return rule, f"{owner}{_MEMBER}{field}", "missing" if is_missing else ""
    return rule, where, form


def in_words(text: str) -> str:
    """Return a sentence without what has digits, which changes from run to run: ids, times."""
    return re.sub(r"\S*\d\S*", "#", text)


def field_of(where: str, form: str = "") -> str:
    """Return the field that a place is about; that of `…/required` is a pointer in `form`."""
    if where.endswith("/required") and form.startswith("/"):
        return form[1:].replace("/", ".")
    return field_at(where)


def by_weight(findings: Iterable[ServerFinding]) -> tuple[ServerFinding, ...]:
    """Return findings, errors first, then in the order of the rules and of the phases.

    What only nonsense brings about (the robustness is tried last) weighs as much as taking it.
    """
    order = {rule: weight for weight, rule in enumerate(RULES)}

    def weight(finding: ServerFinding) -> tuple[int, int, int]:
        phase = PHASES.index(finding.phase) if finding.phase in PHASES else len(PHASES)
        rule = finding.rule
        if finding.phase == PHASES[-1]:
            rule = BY_NONSENSE.get(rule, rule)
        return SEVERITIES.index(finding.severity), order.get(rule, len(order)), phase

    return tuple(sorted(_causes(findings), key=weight))


def _causes(findings: Iterable[ServerFinding]) -> list[ServerFinding]:
    """Return findings without those that certainly come of another one."""
    every = list(findings)
    found = {(one.rule, one.operation) for one in every}
    return [one for one in every if (COMES_OF.get(one.rule), one.operation) not in found]


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
