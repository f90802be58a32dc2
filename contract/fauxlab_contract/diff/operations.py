"""What changes from one operation to its namesake in another document: parameters, body, replies,
callbacks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fauxlab_contract.diff.flat_schema import FlatSchema, merge
from fauxlab_contract.diff.kinds import Change, Changes, Side
from fauxlab_contract.diff.schemas import schema_changes
from fauxlab_contract.openapi.document import METHODS, Document
from fauxlab_contract.openapi.operation import Operation, Variant, json_media, variants_of
from fauxlab_contract.openapi.schema import resolve, target_of

__all__ = ["operation_changes"]

_PARAMETER = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class _Side:
    """An operation of one of the two documents. `node` is what stands at its pointer."""

    document: Document
    operation: Operation

    @property
    def node(self) -> Mapping[str, Any]:
        node: Mapping[str, Any] = target_of(self.document.tree, "#" + self.operation.pointer)
        return node

    def resolve(self, node: Any, pointer: str = "") -> tuple[Any, str]:
        return resolve(self.document.tree, node, pointer)


@dataclass(frozen=True, slots=True)
class _Body:
    """What the server sends: a reply, or the body of a callback."""

    document: Document
    schema: Any
    pointer: str
    variants: Mapping[str, Variant]

    def merged(self, variant: Variant | None = None) -> FlatSchema:
        """What one variant says, without its status; all that is said when there are no variants."""
        if variant is None:
            return merge(self.document.tree, self.schema, self.pointer)
        whole = merge(self.document.tree, {"$ref": "#" + variant.pointer}, variant.pointer)
        status = self.document.conventions.fields.status
        properties = {name: placed for name, placed in whole.properties.items() if name != status}
        return replace(whole, properties=properties)


def operation_changes(
    old: Document, one: Operation, new: Document, other: Operation
) -> Iterator[tuple[Side, Change]]:
    """Every change of one operation, each with the side that it touches."""
    sides = _Side(old, one), _Side(new, other)
    for change in (*_security(*sides), *_parameters(*sides), *_request(*sides)):
        yield "request", change
    places = one.pointer, other.pointer
    for change in (*_codes(*sides), *_body(_reply(sides[0]), _reply(sides[1]), places)):
        yield "reply", change
    olds, news = dict(_callbacks(sides[0])), dict(_callbacks(sides[1]))
    for name in dict.fromkeys([*olds, *news]):
        one_body, other_body = olds.get(name), news.get(name)
        if one_body and other_body:
            for change in _body(one_body, other_body, places, name):
                yield "reply", change
        elif one_body:
            yield (
                "reply",
                Change(
                    "callback-removed",
                    one_body.pointer,
                    other.pointer,
                    f"The callback {name} is no longer described.",
                ),
            )
        elif other_body:
            yield (
                "reply",
                Change(
                    "callback-added",
                    one.pointer,
                    other_body.pointer,
                    f"The callback {name} is new.",
                ),
            )


def _security(old: _Side, new: _Side) -> Changes:
    was, becomes = (
        side.node.get("security", side.document.tree.get("security")) or [] for side in (old, new)
    )
    if was != becomes:
        yield Change(
            "security-changed",
            old.operation.pointer,
            new.operation.pointer,
            "The security requirements are others.",
            was,
            becomes,
        )


def _parameters(old: _Side, new: _Side) -> Changes:
    olds, news = _declared(old), _declared(new)
    for key, (node, pointer) in olds.items():
        name = f"The {key[0]} parameter {node['name']}"
        if key not in news and key[0] != "path":
            yield Change("parameter-removed", pointer, new.operation.pointer, f"{name} is gone.")
        elif key in news:
            other, there = news[key]
            if bool(node.get("required")) != bool(other.get("required")) and key[0] != "path":
                kind = "parameter-required" if other.get("required") else "parameter-optional"
                yield Change(
                    kind,
                    pointer,
                    there,
                    f"{name} is"
                    f" {'required now' if other.get('required') else 'no longer required'}.",
                )
            merged = [
                merge(side.document.tree, item.get("schema", True), f"{place}/schema")
                for side, item, place in ((old, node, pointer), (new, other, there))
            ]
            yield from schema_changes(merged[0], merged[1], f".{name}")
    for key, (node, pointer) in news.items():
        if key not in olds and key[0] != "path":
            kind, how = (
                ("parameter-required", "required")
                if node.get("required")
                else ("parameter-added", "optional")
            )
            yield Change(
                kind,
                old.operation.pointer,
                pointer,
                f"The {key[0]} parameter {node['name']} is new and {how}.",
            )


def _declared(side: _Side) -> dict[tuple[str, str], tuple[Mapping[str, Any], str]]:
    """(place, name) -> parameter and pointer. Path parameters go by their position: callers do not
    see their names.
    """
    positions = {name: str(i) for i, name in enumerate(_PARAMETER.findall(side.operation.path))}
    item = side.operation.pointer.rpartition("/")[0]
    found: dict[tuple[str, str], tuple[Mapping[str, Any], str]] = {}
    for holder in (item, side.operation.pointer):
        for i, node in enumerate(
            target_of(side.document.tree, "#" + holder).get("parameters") or ()
        ):
            parameter, pointer = side.resolve(node, f"{holder}/parameters/{i}")
            if isinstance(parameter, dict) and isinstance(name := parameter.get("name"), str):
                place = str(parameter.get("in"))
                found[place, positions.get(name, name) if place == "path" else name] = (
                    parameter,
                    pointer,
                )
    return found


def _request(old: _Side, new: _Side) -> Changes:
    was, becomes = old.operation.request, new.operation.request
    places = (
        was.pointer if was else old.operation.pointer,
        becomes.pointer if becomes else new.operation.pointer,
    )
    if becomes and becomes.obliged and not (was and was.obliged):
        yield Change("body-required", *places, "A JSON body must be sent now.")
    if was and becomes and was.obliged and not becomes.obliged:
        yield Change("body-optional", *places, "The body need not be sent any more.")
    if was and becomes:
        merged = [
            merge(side.document.tree, {"$ref": "#" + place}, place)
            for side, place in zip((old, new), places, strict=True)
        ]
        yield from schema_changes(merged[0], merged[1])
    elif was:
        yield Change("body-removed", *places, "The JSON body has no schema any more.")
    elif becomes:
        yield Change("body-added", *places, "The body has a JSON schema now.")


def _codes(old: _Side, new: _Side) -> Changes:
    one, other = old.operation, new.operation
    if one.code != other.code:
        yield Change(
            "code-changed",
            one.pointer,
            other.pointer,
            f"The reply comes with {other.code}, not {one.code}.",
            one.code,
            other.code,
        )
    for code in sorted({*one.error_codes} ^ {*other.error_codes}):
        kind, how = (
            ("error-code-removed", "no longer")
            if code in one.error_codes
            else ("error-code-added", "newly")
        )
        yield Change(kind, one.pointer, other.pointer, f"The error code {code} is {how} declared.")


def _reply(side: _Side) -> _Body | None:
    operation = side.operation
    return (
        _Body(side.document, operation.reply_schema, operation.reply.pointer, operation.variants)
        if operation.reply
        else None
    )


def _body(old: _Body | None, new: _Body | None, places: tuple[str, str], name: str = "") -> Changes:
    """What clients read: by status word where both sides have them. `name` is that of a callback."""
    what, path = (f"The callback {name}", f".{name}") if name else ("The reply", "")
    if old is None or new is None:
        if old is not new:
            kind, how = (
                ("body-removed", "has no JSON schema any more")
                if old
                else ("body-added", "has a JSON schema now")
            )
            yield Change(
                kind,
                old.pointer if old else places[0],
                new.pointer if new else places[1],
                f"{what} {how}.",
            )
        return
    if not old.variants or not new.variants:
        yield from schema_changes(old.merged(), new.merged(), path)
        return
    # one schema may stand for all words
    here = "" if len({variant.pointer for variant in old.variants.values()}) == 1 else "."
    for word in dict.fromkeys([*old.variants, *new.variants]):
        one, other = old.variants.get(word), new.variants.get(word)
        if one and other:
            yield from _promises(one, other)
            yield from schema_changes(
                old.merged(one), new.merged(other), f"{path}{here and here + word}"
            )
        elif one:
            yield Change(
                "word-removed",
                one.pointer,
                new.pointer,
                f"{what} no longer says {word}.",
                word,
                None,
            )
        elif other:
            yield Change(
                "word-added", old.pointer, other.pointer, f"{what} newly says {word}.", None, word
            )


def _promises(old: Variant, new: Variant) -> Changes:
    """Members that only `x-fauxlab` demands, on one side, and nothing on the other."""
    gone = [name for name in old.promised if name not in new.required]
    if gone:
        yield Change(
            "promise-removed",
            old.pointer,
            new.pointer,
            f"{old.word}: x-fauxlab no longer promises {', '.join(gone)}.",
        )
    more = [name for name in new.promised if name not in old.required]
    if more:
        yield Change(
            "promise-added",
            old.pointer,
            new.pointer,
            f"{old.word}: x-fauxlab promises {', '.join(more)} now.",
        )


def _callbacks(side: _Side) -> Iterator[tuple[str, _Body]]:
    """The JSON bodies that the server sends to clients, by the name of the callback."""
    document = side.document
    for name, callback in (side.node.get("callbacks") or {}).items():
        callback, pointer = side.resolve(
            callback, f"{side.operation.pointer}/callbacks/{_escaped(name)}"
        )
        for expression, item in callback.items() if isinstance(callback, dict) else ():
            item, here = side.resolve(item, f"{pointer}/{_escaped(expression)}")
            for method in METHODS if isinstance(item, dict) else ():
                body, place = side.resolve(
                    (item.get(method) or {}).get("requestBody"), f"{here}/{method}/requestBody"
                )
                media, place = json_media(body, place)
                if media and "schema" in media:
                    schema, place = media["schema"], f"{place}/schema"
                    yield (
                        name,
                        _Body(
                            document,
                            schema,
                            place,
                            variants_of(document.tree, schema, place, document.conventions),
                        ),
                    )


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")
