"""What counts as one cause: one finding for each, and the heaviest first."""

from __future__ import annotations

from collections.abc import Iterable

from fauxlab_contract.check.consequences import COMES_OF
from fauxlab_contract.check.findings import ServerFinding
from fauxlab_contract.check.options import PHASES
from fauxlab_contract.check.oracle import ObservedReply
from fauxlab_contract.check.rules import RULES
from fauxlab_contract.core.rules import SEVERITIES, field_at

__all__ = ["CauseKey", "by_weight", "cause_of", "field_of"]

CauseKey = tuple[str, str, str]  # rule, place, form
_MEMBER = "/properties/"


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


def field_of(where: str, form: str = "") -> str:
    """Return the field that a place is about; that of `…/required` is a pointer in `form`."""
    if where.endswith("/required") and form.startswith("/"):
        return form[1:].replace("/", ".")
    return field_at(where)


def by_weight(findings: Iterable[ServerFinding]) -> tuple[ServerFinding, ...]:
    """Return findings, errors first, then in the order of the rules and of the phases."""
    order = {rule: weight for weight, rule in enumerate(RULES)}

    def weight(finding: ServerFinding) -> tuple[int, int, int]:
        phase = PHASES.index(finding.phase) if finding.phase in PHASES else len(PHASES)
        return (
            SEVERITIES.index(finding.severity),
            order.get(finding.rule, len(order)),
            phase,
        )

    return tuple(sorted(_causes(findings), key=weight))


def _causes(findings: Iterable[ServerFinding]) -> list[ServerFinding]:
    """Return findings without those that certainly come of another one."""
    every = list(findings)
    found = {(one.rule, one.operation) for one in every}
    return [one for one in every if (COMES_OF.get(one.rule), one.operation) not in found]
