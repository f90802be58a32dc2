"""One mutant, and the small switches that most of them are made of."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from mutants.behaviour import Behaviour, Reply, Switch, change, edit

__all__ = [
    "INSTANT",
    "CrashError",
    "Mutant",
    "code",
    "crash_if",
    "drop",
    "each_reply",
    "field",
    "is_text_number",
    "number_in",
    "put",
    "raw",
    "table",
    "when",
]

# success at the submit, which the contract allows: for the breaks that need it
INSTANT = change(eta_s=0)


class CrashError(RuntimeError):
    """What a mutant that crashes raises."""


@dataclass(frozen=True)
class Mutant:
    """One way to be broken; `row` names a row of the list of mutants, `form` the member of its
    family.
    """

    name: str
    row: str
    summary: str
    form: str
    switch: Switch


def table(rows: Iterable[tuple[str, str, Switch]]) -> dict[str, Mutant]:
    """Mutants by name, from (name such as S05.floor, summary, switch)."""
    found: dict[str, Mutant] = {}
    for name, summary, switch in rows:
        assert name not in found, name
        row, _, form = name.partition(".")
        found[name] = Mutant(name, row[0] + row[1:].lstrip("0"), summary, form, switch)
    return found


def field(name: str, **parts: Any) -> Switch:
    """A switch that replaces parts of one field's rule."""

    def switch(behaviour: Behaviour) -> Behaviour:
        return replace(
            behaviour, fields={**behaviour.fields, name: replace(behaviour.fields[name], **parts)}
        )

    return switch


def crash_if(holds: Callable[[bytes], object]) -> Switch:
    """A switch that crashes on the bodies for which `holds` is true."""

    def switch(behaviour: Behaviour) -> Behaviour:
        def read(data: bytes) -> Any:
            if holds(data):
                raise CrashError
            return behaviour.read(data)

        return replace(behaviour, read=read)

    return switch


def each_reply(kind: str, do: Callable[[Reply], object]) -> Switch:
    """A switch that lets `do` change every reply whose kind is, or begins with, one of those in
    `kind` (separated by blanks).
    """
    kinds = tuple(kind.split())

    def edited(_: object, reply: Reply) -> None:
        if reply.kind.startswith(kinds):
            do(reply)

    return edit(edited)


def put(kind: str, **members: Any) -> Switch:
    """Sets members of the body; a callable is asked for the value, with the reply."""

    def do(reply: Reply) -> None:
        reply.body |= {
            name: value(reply) if callable(value) else value for name, value in members.items()
        }

    return each_reply(kind, do)


def drop(kind: str, *names: str) -> Switch:
    """Leaves members of the body out."""

    def do(reply: Reply) -> None:
        reply.body = {name: value for name, value in reply.body.items() if name not in names}

    return each_reply(kind, do)


def code(kind: str, number: int, **headers: str) -> Switch:
    """Another HTTP code, the right body."""

    def do(reply: Reply) -> None:
        reply.code = number
        reply.headers |= headers

    return each_reply(kind, do)


def raw(kind: str, make: Callable[[bytes], bytes], media_type: str = "application/json") -> Switch:
    """Other bytes in place of the body; `make` gets the right ones."""

    def do(reply: Reply) -> None:
        reply.raw = make(json.dumps(reply.body).encode() if reply.raw is None else reply.raw)
        reply.headers["content-type"] = media_type

    return each_reply(kind, do)


def when(holds: Callable[[Any], object], make: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """An `admit` that converts the values for which `holds` is true."""
    return lambda value: make(value) if holds(value) else value


def is_text_number(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"-?\d{1,20}(\.\d{1,20})?", value))


def number_in(text: str) -> float:
    return float(text) if "." in text else int(text)
