"""What may change between two documents, and how bad each change is for clients: one table, one
line each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

__all__ = ["KINDS", "Change", "ChangeKind", "Changes", "Severity", "Side"]

Severity = Literal["breaking", "risky", "harmless", ""]  # "" where it cannot happen
Side = Literal["request", "reply", "document"]


class Change(NamedTuple):
    """One change: its kind, where (pointers into both documents, empty where there is none), in
    words, and both values.
    """

    kind: str
    old_pointer: str
    new_pointer: str
    message: str
    old: Any = None
    new: Any = None


Changes = Iterator[Change]


@dataclass(frozen=True, slots=True)
class ChangeKind:
    """`request` is the severity for what clients send, `reply` for what they read. A change of
    neither has the first.
    """

    id: str
    request: Severity
    reply: Severity
    summary: str


KINDS: Mapping[str, ChangeKind] = {
    kind.id: kind
    for kind in (
        ChangeKind("operation-removed", "breaking", "", "An operation is gone."),
        ChangeKind("operation-added", "harmless", "", "An operation is new."),
        ChangeKind("server-changed", "risky", "", "The first server has another address."),
        ChangeKind("security-changed", "risky", "", "The security of an operation is another."),
        ChangeKind("code-changed", "", "risky", "The reply comes with another 2xx code."),
        ChangeKind("error-code-added", "", "risky", "An error code is newly declared."),
        ChangeKind("error-code-removed", "", "harmless", "An error code is no longer declared."),
        ChangeKind("parameter-added", "harmless", "", "A parameter is new and optional."),
        ChangeKind("parameter-removed", "risky", "", "A parameter is gone: ignored or refused."),
        ChangeKind("parameter-required", "breaking", "", "A parameter must be sent now."),
        ChangeKind("parameter-optional", "harmless", "", "A parameter need not be sent any more."),
        ChangeKind("body-added", "harmless", "risky", "A body has a schema now."),
        ChangeKind("body-removed", "risky", "breaking", "A body has no schema any more."),
        ChangeKind("body-required", "breaking", "harmless", "A body must be sent now."),
        ChangeKind("body-optional", "harmless", "risky", "A body need not be sent any more."),
        ChangeKind("callback-added", "", "harmless", "A callback is new."),
        ChangeKind(
            "callback-removed", "", "risky", "A callback is no longer described: it may never come."
        ),
        ChangeKind(
            "word-added",
            "harmless",
            "breaking",
            "A status word is new: clients that know only the others wait for ever.",
        ),
        ChangeKind(
            "word-removed",
            "breaking",
            "risky",
            "A status word is gone: clients that wait for it wait in vain.",
        ),
        ChangeKind("type-removed", "breaking", "harmless", "A type is no longer allowed."),
        ChangeKind("type-added", "harmless", "breaking", "A type, or null, is newly allowed."),
        ChangeKind("value-removed", "breaking", "harmless", "A listed value is no longer allowed."),
        ChangeKind(
            "value-added", "harmless", "breaking", "A value is newly listed, or any is allowed now."
        ),
        ChangeKind("field-required", "breaking", "harmless", "A field must be there now."),
        ChangeKind("field-optional", "harmless", "breaking", "A field need not be there any more."),
        ChangeKind("promise-added", "", "harmless", "x-fauxlab promises a member that it did not."),
        ChangeKind("promise-removed", "", "risky", "x-fauxlab no longer promises a member."),
        ChangeKind("field-added", "harmless", "harmless", "A field is new and optional."),
        ChangeKind(
            "field-removed",
            "risky",
            "breaking",
            "A field is no longer declared: ignored or refused in requests, missing in replies.",
        ),
        ChangeKind(
            "field-refused",
            "breaking",
            "breaking",
            "A field is no longer declared, and undeclared fields are refused.",
        ),
        ChangeKind("fields-closed", "breaking", "harmless", "Undeclared fields are refused now."),
        ChangeKind("fields-opened", "harmless", "risky", "Undeclared fields are allowed now."),
        ChangeKind("bound-tightened", "breaking", "harmless", "A bound or a length is tighter."),
        ChangeKind("bound-loosened", "harmless", "risky", "A bound or a length is looser."),
        ChangeKind(
            "rule-added", "breaking", "harmless", "A rule such as format or pattern is new."
        ),
        ChangeKind(
            "rule-removed", "harmless", "risky", "A rule such as format or pattern is gone."
        ),
        ChangeKind(
            "rule-changed", "breaking", "risky", "A rule such as format or pattern is another."
        ),
        ChangeKind(
            "shape-removed", "breaking", "harmless", "One of several shapes is no longer allowed."
        ),
        ChangeKind("shape-added", "harmless", "breaking", "Another shape is newly allowed."),
    )
}
