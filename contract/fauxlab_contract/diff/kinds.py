"""What may change between two documents, and how serious each change is for clients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from fauxlab_contract.core.rules import SEVERITIES, Rule, Severity

__all__ = ["EFFECTS", "KINDS", "Change", "ChangeKind", "Changes", "Effect", "Side"]

Effect = Literal["breaking", "risky", "harmless"]
Side = Literal["request", "reply", "document"]
# What readers of a diff see, in the order of SEVERITIES.
EFFECTS: Mapping[Severity, Effect] = {"error": "breaking", "warning": "risky", "note": "harmless"}
_SEVERITY_OF: Mapping[str, Severity] = {effect: name for name, effect in EFFECTS.items()}


class Change(NamedTuple):
    """One change: its kind, where it is, in words, and both values.

    The pointers lead into the old and the new document; one is empty where the thing is not there.
    `path` leads to it from the value that is compared: `.scenes[].prompt`.
    """

    kind: str
    old_pointer: str
    new_pointer: str
    message: str
    old: Any = None
    new: Any = None
    path: str = ""

    @property
    def field(self) -> str:
        """The field of a body that it is about: `scenes.prompt`; empty for the body itself."""
        return self.path.replace("[]", "").removeprefix(".")


Changes = Iterator[Change]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeKind(Rule):
    """A rule of the diff: its effect on what clients send (`request`) and read (`reply`).

    An effect is empty where the change cannot happen. A change on neither side has the first.
    """

    request: Effect | Literal[""]
    reply: Effect | Literal[""]

    def severity_on(self, side: Side) -> Severity:
        """Return the severity of this change on one side; without one, the more serious of both."""
        if side == "document":
            return self.severity
        return _SEVERITY_OF[self.reply if side == "reply" else self.request]


def _kind(
    name: str, request: Effect | Literal[""], reply: Effect | Literal[""], summary: str
) -> ChangeKind:
    severities = [_SEVERITY_OF[effect] for effect in (request, reply) if effect]
    severity = min(severities, key=SEVERITIES.index)
    return ChangeKind(name, severity, summary, request=request, reply=reply)


KINDS: Mapping[str, ChangeKind] = {
    kind.id: kind
    for kind in (
        _kind("operation-removed", "breaking", "", "An operation was removed."),
        _kind("operation-added", "harmless", "", "An operation was added."),
        _kind("schema-removed", "breaking", "", "A schema was removed, in a document of schemas."),
        _kind("schema-added", "harmless", "", "A schema was added, in a document of schemas."),
        _kind("server-changed", "risky", "", "The address of the first server changed."),
        _kind("security-changed", "risky", "", "The security of an operation changed."),
        _kind("code-changed", "", "risky", "The reply comes with another 2xx code."),
        _kind("error-code-added", "", "risky", "An error code is newly declared."),
        _kind("error-code-removed", "", "harmless", "An error code is no longer declared."),
        _kind("parameter-added", "harmless", "", "An optional parameter was added."),
        _kind(
            "parameter-removed", "risky", "", "A parameter was removed: it is ignored or refused."
        ),
        _kind("parameter-required", "breaking", "", "A parameter is now required."),
        _kind("parameter-optional", "harmless", "", "A parameter is no longer required."),
        _kind("body-added", "harmless", "risky", "A body now has a schema."),
        _kind("body-removed", "risky", "breaking", "A body no longer has a schema."),
        _kind("body-required", "breaking", "harmless", "A body is now required."),
        _kind("body-optional", "harmless", "risky", "A body is no longer required."),
        _kind("callback-added", "", "harmless", "A callback or webhook was added."),
        _kind(
            "callback-removed",
            "",
            "risky",
            "A callback or webhook is no longer described: it may never come.",
        ),
        _kind(
            "word-added",
            "harmless",
            "breaking",
            "A status word was added: clients that do not know it wait forever.",
        ),
        _kind(
            "word-removed",
            "breaking",
            "risky",
            "A status word was removed: clients that expect it wait in vain.",
        ),
        _kind("type-removed", "breaking", "harmless", "A type is no longer allowed."),
        _kind("type-added", "harmless", "breaking", "A type, or null, is newly allowed."),
        _kind("value-removed", "breaking", "harmless", "A listed value is no longer allowed."),
        _kind(
            "value-added", "harmless", "breaking", "A value is newly listed, or any is now allowed."
        ),
        _kind("field-required", "breaking", "harmless", "A field is now required."),
        _kind("field-optional", "harmless", "breaking", "A field is no longer required."),
        _kind("promise-added", "", "harmless", "x-fauxlab newly promises a member."),
        _kind("promise-removed", "", "risky", "x-fauxlab no longer promises a member."),
        _kind("field-added", "harmless", "harmless", "An optional field was added."),
        _kind(
            "field-removed",
            "risky",
            "breaking",
            "A field is no longer declared: ignored or refused in requests, missing in replies.",
        ),
        _kind(
            "field-refused",
            "breaking",
            "breaking",
            "A field is no longer declared, and undeclared fields are refused.",
        ),
        _kind("fields-closed", "breaking", "harmless", "Undeclared fields are now refused."),
        _kind("fields-opened", "harmless", "risky", "Undeclared fields are now allowed."),
        _kind("bound-tightened", "breaking", "harmless", "A bound or a length is tighter."),
        _kind("bound-loosened", "harmless", "risky", "A bound or a length is looser."),
        _kind("rule-added", "breaking", "harmless", "A rule such as format or pattern was added."),
        _kind("rule-removed", "harmless", "risky", "A rule such as format or pattern was removed."),
        _kind("rule-changed", "breaking", "risky", "A rule such as format or pattern changed."),
        _kind(
            "shape-removed", "breaking", "harmless", "One of several shapes is no longer allowed."
        ),
        _kind("shape-added", "harmless", "breaking", "Another shape is newly allowed."),
    )
}
