"""What the notices of a document mean: the rule that each of them breaks."""

from __future__ import annotations

from fauxlab_contract.audit.rules import Defect, Defects
from fauxlab_contract.openapi.document import Document
from fauxlab_contract.openapi.references import Node

__all__ = ["notice_defects"]

_OWN = ("default", "no-value")  # kinds of what the audit looks at itself, and says better
_EMPTY_REPLIES = {"204", "205"}  # RFC 9110: they have no content


def notice_defects(document: Document) -> Defects:
    """Yield a defect for each place of each notice that is one."""
    for notice in document.notices:
        problem = notice.problem
        message = f"{problem[:1].upper()}{problem[1:]}{'' if problem.endswith('?') else '.'}"
        for pointer in () if notice.kind in _OWN else notice.pointers:
            if notice.kind == "no-reply-schema":
                yield from _undescribed(document.at(pointer), message)
            else:
                yield Defect(notice.kind, pointer, message)


def _undescribed(operation: Node, message: str) -> Defects:
    """Tell of a reply that should have a schema: it has content, or its code promises some."""
    if operation.pointer.endswith("/head"):
        return  # RFC 9110: what answers HEAD has no content
    replies = [
        (code, reply.resolved)
        for code, reply in operation.member("responses").members()
        if code.startswith("2")
    ]
    types = [name for _, reply in replies for name, _ in reply.member("content").members()]
    if types and not any("json" in name.lower() or "*" in name for name in types):
        other = f"A reply in {', '.join(types)} is not checked."
        yield Defect("unchecked-part", operation.pointer, other)
    elif not replies or {code for code, _ in replies} - _EMPTY_REPLIES:
        yield Defect("no-reply-schema", operation.pointer, message)
