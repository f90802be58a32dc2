"""What may change between two documents, and how bad each change is for clients: one table, one
line each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

__all__ = ["KINDS", "Change", "Changes", "Kind", "Severity", "Side"]

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
class Kind:
    """`request` is the severity for what clients send, `reply` for what they read. A change of
    neither has the first.
    """

    id: str
    request: Severity
    reply: Severity
    summary: str


KINDS: Mapping[str, Kind] = {
    kind.id: kind
    for kind in (
        Kind("operation-removed", "breaking", "", "An operation is gone."),
        Kind("operation-added", "harmless", "", "An operation is new."),
        Kind("server-changed", "risky", "", "The first server has another address."),
        Kind("security-changed", "risky", "", "The security of an operation is another."),
        Kind("code-changed", "", "risky", "The reply comes with another 2xx code."),
        Kind("error-code-added", "", "risky", "An error code is newly declared."),
        Kind("error-code-removed", "", "harmless", "An error code is no longer declared."),
        Kind("parameter-added", "harmless", "", "A parameter is new and optional."),
        Kind("parameter-removed", "risky", "", "A parameter is gone: ignored or refused."),
        Kind("parameter-required", "breaking", "", "A parameter must be sent now."),
        Kind("parameter-optional", "harmless", "", "A parameter need not be sent any more."),
        Kind("body-added", "harmless", "risky", "A body has a schema now."),
        Kind("body-removed", "risky", "breaking", "A body has no schema any more."),
        Kind("body-required", "breaking", "harmless", "A body must be sent now."),
        Kind("body-optional", "harmless", "risky", "A body need not be sent any more."),
        Kind("callback-added", "", "harmless", "A callback is new."),
        Kind(
            "callback-removed", "", "risky", "A callback is no longer described: it may never come."
        ),
        Kind(
            "word-added",
            "harmless",
            "breaking",
            "A status word is new: clients that know only the others wait for ever.",
        ),
        Kind(
            "word-removed",
            "breaking",
            "risky",
            "A status word is gone: clients that wait for it wait in vain.",
        ),
        Kind("type-removed", "breaking", "harmless", "A type is no longer allowed."),
        Kind("type-added", "harmless", "breaking", "A type, or null, is newly allowed."),
        Kind("value-removed", "breaking", "harmless", "A listed value is no longer allowed."),
        Kind(
            "value-added", "harmless", "breaking", "A value is newly listed, or any is allowed now."
        ),
        Kind("field-required", "breaking", "harmless", "A field must be there now."),
        Kind("field-optional", "harmless", "breaking", "A field need not be there any more."),
        Kind("promise-added", "", "harmless", "x-fauxlab promises a member that it did not."),
        Kind("promise-removed", "", "risky", "x-fauxlab no longer promises a member."),
        Kind("field-added", "harmless", "harmless", "A field is new and optional."),
        Kind(
            "field-removed",
            "risky",
            "breaking",
            "A field is no longer declared: ignored or refused in requests, missing in replies.",
        ),
        Kind(
            "field-refused",
            "breaking",
            "breaking",
            "A field is no longer declared, and undeclared fields are refused.",
        ),
        Kind("fields-closed", "breaking", "harmless", "Undeclared fields are refused now."),
        Kind("fields-opened", "harmless", "risky", "Undeclared fields are allowed now."),
        Kind("bound-tightened", "breaking", "harmless", "A bound or a length is tighter."),
        Kind("bound-loosened", "harmless", "risky", "A bound or a length is looser."),
        Kind("rule-added", "breaking", "harmless", "A rule such as format or pattern is new."),
        Kind("rule-removed", "harmless", "risky", "A rule such as format or pattern is gone."),
        Kind("rule-changed", "breaking", "risky", "A rule such as format or pattern is another."),
        Kind(
            "shape-removed", "breaking", "harmless", "One of several shapes is no longer allowed."
        ),
        Kind("shape-added", "harmless", "breaking", "Another shape is newly allowed."),
    )
}
