"""Valid bodies that are refused: what is to blame, so that one cause is one finding."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from fauxlab_contract.check.causes import in_words
from fauxlab_contract.check.oracle import ObservedReply
from fauxlab_contract.check.probe import Probe
from fauxlab_contract.openapi.operation import Operation

__all__ = ["find_plain_refused", "find_refused", "place_of"]

MOST_FORM = 60  # characters of a refusal that tell it from others


def place_of(operation: Operation, name: str) -> str:
    """Return where the document declares a field of the request; the request if it does not."""
    pointer = operation.request.pointer if operation.request else operation.pointer
    declared = operation.request is not None and name in operation.request.properties
    return f"{pointer}/properties/{name}" if declared else pointer


def _blamed_place(operation: Operation, reply: ObservedReply, otherwise: str = "") -> str:
    """Return where the document declares the one field that a refusal names.

    If it names none, or several, that of the field `otherwise`; "" if there is no such field.
    """
    declared = operation.request.properties if operation.request else {}
    words = set(re.findall(r"\w+", reply.message))
    named = [
        name for name in declared if name in words and name != operation.conventions.fields.key
    ]
    name = named[0] if len(named) == 1 else otherwise
    return place_of(operation, name) if name in declared else ""


def find_refused(
    probe: Probe, reply: ObservedReply, plain: Mapping[str, Any], label: str, about: str = ""
) -> None:
    """Add a finding for a valid request that was refused, and that looks unusual.

    `about` is the field that is unusual; with none, `label` names what is. `plain` is its body
    without that. It is sent once, as plain as can be: if it is refused, too, then the looks are not
    to blame.
    """
    operation = reply.operation
    if operation.name not in probe.plain_replies:
        probe.plain_replies[operation.name] = probe.post(operation, plain)
    refusal = probe.plain_replies[operation.name]
    if refusal.outcome == "refused":
        find_plain_refused(probe, refusal, "a small body")
        return
    place = _blamed_place(operation, reply, about)
    probe.find("valid-refused", _said(label, reply), reply, place, "" if place else label)


def find_plain_refused(
    probe: Probe, reply: ObservedReply, label: str, about: str = "", rule: str = "valid-refused"
) -> None:
    """Add a finding for a valid JSON body that was refused: for each field, or each sentence."""
    place = _blamed_place(reply.operation, reply, about)
    form = "" if place else in_words(probe.hide(reply.message))[:MOST_FORM]
    probe.find(rule, _said(label, reply), reply, place, form)


def _said(label: str, reply: ObservedReply) -> str:
    return f"{label}: it was refused with {reply.said}, although the document allows it."
