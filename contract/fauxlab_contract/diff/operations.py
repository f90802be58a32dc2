"""What changes from an operation to its namesake: parameters, body, replies and callbacks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from fauxlab_contract.diff.flat_schema import FlatSchema, flatten
from fauxlab_contract.diff.kinds import Change, Changes, Side
from fauxlab_contract.diff.schemas import schema_changes
from fauxlab_contract.openapi.document import Document
from fauxlab_contract.openapi.operation import (
    DeclaredReply,
    Operation,
    Variant,
    json_media,
    variants_of,
)
from fauxlab_contract.openapi.references import Node
from fauxlab_contract.openapi.schema import Schema
from fauxlab_contract.openapi.structure import METHODS

__all__ = ["check_hooks", "operation_changes", "webhook_changes"]

_PARAMETER = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class _Side:
    """An operation of one of the two documents."""

    document: Document
    operation: Operation

    @property
    def node(self) -> Node:
        return self.document.at(self.operation.pointer)

    @property
    def reply(self) -> _Body | None:
        success = self.operation.success
        return self._declared(self.operation.replies[success]) if success else None

    def other(self, codes: str) -> _Body | None:
        """What is declared for the code 422, 4XX or default; None for that of success."""
        replies = self.operation.replies
        declared = replies.get(codes)
        if declared is None and codes.isdecimal():
            declared = self.operation.reply_for(int(codes))
        is_other = declared is not None and declared.codes != self.operation.success
        return self._declared(declared) if declared and is_other else None

    def _declared(self, reply: DeclaredReply) -> _Body | None:
        status = self.document.conventions.fields.status
        return _Body(reply.schema, reply.variants, status) if reply.schema else None


@dataclass(frozen=True, slots=True)
class _Body:
    """What the server sends: a reply, or the body of a callback. `status` is a field's name."""

    schema: Schema
    variants: Mapping[str, Variant]
    status: str

    def of(self, variant: Variant) -> FlatSchema:
        """Return what one variant says, without its status."""
        whole = flatten(variant.schema)
        fields = {name: field for name, field in whole.properties.items() if name != self.status}
        return replace(whole, properties=fields)


def operation_changes(
    old_document: Document, old: Operation, new_document: Document, new: Operation
) -> Iterator[tuple[Side, Change]]:
    """Yield every change of one operation, each with the side that it touches."""
    before, after = _Side(old_document, old), _Side(new_document, new)
    for compare in (_security, _parameters, _request):
        for change in compare(before, after):
            yield "request", change
    for compare in (_codes, _reply, _others, _callbacks):
        for change in compare(before, after):
            yield "reply", change


def _security(old: _Side, new: _Side) -> Changes:
    was = old.node.value.get("security", old.document.tree.get("security")) or []
    becomes = new.node.value.get("security", new.document.tree.get("security")) or []
    if was != becomes:
        places = old.operation.pointer, new.operation.pointer
        message = "The security requirements are others."
        yield Change("security-changed", *places, message, was, becomes)


@dataclass(frozen=True, slots=True)
class _Parameter:
    """A parameter of an operation; `node` is the parameter object."""

    place: str
    node: Node

    def __str__(self) -> str:
        return f"The {self.place} parameter {self.node.value['name']}"

    @property
    def path(self) -> str:
        return f".{self.node.value['name']}"

    @property
    def is_required(self) -> bool:
        return bool(self.node.value.get("required"))

    @property
    def schema(self) -> Schema:
        return Schema(
            self.node.tree,
            self.node.value.get("schema", True),
            f"{self.node.pointer}/schema",
        )


def _parameters(old: _Side, new: _Side) -> Changes:
    olds, news = _declared(old), _declared(new)
    for key, parameter in olds.items():
        if key in news:
            yield from _parameter(parameter, news[key])
        elif parameter.place != "path":
            places = parameter.node.pointer, new.operation.pointer
            message = f"{parameter} is gone."
            yield Change("parameter-removed", *places, message, path=parameter.path)
    for key, parameter in news.items():
        if key not in olds and parameter.place != "path":
            kind, how = "parameter-added", "optional"
            if parameter.is_required:
                kind, how = "parameter-required", "required"
            message = f"{parameter} is new and {how}."
            places = old.operation.pointer, parameter.node.pointer
            yield Change(kind, *places, message, path=parameter.path)


def _parameter(old: _Parameter, new: _Parameter) -> Changes:
    places = old.node.pointer, new.node.pointer
    if old.is_required != new.is_required and old.place != "path":
        kind, how = "parameter-optional", "no longer required"
        if new.is_required:
            kind, how = "parameter-required", "required now"
        yield Change(kind, *places, f"{old} is {how}.", path=old.path)
    changes = schema_changes(flatten(old.schema), flatten(new.schema), f".{old}")
    yield from _behind(f".{old}", changes, old.path)


def _declared(side: _Side) -> dict[tuple[str, str], _Parameter]:
    """Return the parameters of an operation by (place, name).

    Path parameters go by their position: callers do not see their names.
    """
    operation = side.operation
    in_path = _PARAMETER.findall(operation.path)
    path_pointer = operation.pointer.rpartition("/")[0]
    item = side.document.at(path_pointer)
    found: dict[tuple[str, str], _Parameter] = {}
    for holder in (item, side.node):
        for node in holder.member("parameters").items():
            parameter = node.resolved
            name = parameter.member("name").value
            place = str(parameter.member("in").value)
            if not isinstance(name, str):
                continue
            is_known = place == "path" and name in in_path
            key = str(in_path.index(name)) if is_known else name
            found[place, key] = _Parameter(place, parameter)
    return found


def _request(old: _Side, new: _Side) -> Changes:
    was, becomes = old.operation.request, new.operation.request
    places = (
        was.pointer if was else old.operation.pointer,
        becomes.pointer if becomes else new.operation.pointer,
    )
    if becomes and becomes.obliged and not (was and was.obliged):
        yield Change("body-required", *places, "A JSON body must be sent now.")
    if was and becomes:
        if was.obliged and not becomes.obliged:
            yield Change("body-optional", *places, "The body need not be sent any more.")
        yield from schema_changes(flatten(was.schema), flatten(becomes.schema))
    elif was:
        yield Change("body-removed", *places, "The JSON body no longer has a schema.")
    elif becomes:
        yield Change("body-added", *places, "The body has a JSON schema now.")


def _codes(old: _Side, new: _Side) -> Changes:
    before, after = old.operation, new.operation
    places = before.pointer, after.pointer
    if before.code != after.code:
        message = f"The reply comes with {after.code}, not {before.code}."
        yield Change("code-changed", *places, message, before.code, after.code)
    for code in sorted({*before.error_codes} ^ {*after.error_codes}):
        kind, how = "error-code-added", "newly"
        if code in before.error_codes:
            kind, how = "error-code-removed", "no longer"
        yield Change(kind, *places, f"The error code {code} is {how} declared.")


def _reply(old: _Side, new: _Side) -> Changes:
    before, after = old.reply, new.reply
    if before and after:
        yield from _body(before, after, "The reply", "")
    elif before:
        place = new.operation.pointer
        message = "The reply no longer has a JSON schema."
        yield Change("body-removed", before.schema.pointer, place, message)
    elif after:
        place = old.operation.pointer
        yield Change("body-added", place, after.schema.pointer, "The reply has a JSON schema now.")


def _others(old: _Side, new: _Side) -> Changes:
    """Compare what is declared for other codes than that of success: errors, above all.

    A code that is new is compared with what said something of it before: 4XX, or default. Codes
    that share their schemas are told once.
    """
    seen = set[tuple[str, str]]()
    for codes in dict.fromkeys([*old.operation.replies, *new.operation.replies]):
        before, after = old.other(codes), new.other(codes)
        if before is None or after is None:
            continue
        places = before.schema.resolved.pointer, after.schema.resolved.pointer
        if places not in seen:
            seen.add(places)
            yield from _body(before, after, f"The reply {codes}", f".{codes}")


def _callbacks(old: _Side, new: _Side) -> Changes:
    olds, news = (_called(side.document, side.operation) for side in (old, new))
    places = old.operation.pointer, new.operation.pointer
    for name in dict.fromkeys([*olds, *news]):
        what = f"The callback {name}"
        yield from _hook(olds.get(name), news.get(name), places, what, f".{name}")


def _called(document: Document, operation: Operation) -> dict[str, _Body]:
    """Return the bodies of an operation's callbacks by name."""
    return {
        name: body
        for name, callback in document.at(operation.pointer).member("callbacks").members()
        for _, item in callback.resolved.members()
        for body in _sent(document, item)
    }


def _webhooks(document: Document) -> dict[str, _Body]:
    """Return the bodies of a document's webhooks by name."""
    return {
        name: body
        for name, item in document.root.member("webhooks").members()
        for body in _sent(document, item)
    }


def check_hooks(document: Document) -> None:
    """Raise SchemaError for a callback or webhook that cannot be read, and so not compared."""
    _webhooks(document)
    for operation in document.operations:
        _called(document, operation)


def webhook_changes(old: Document, new: Document) -> Iterator[tuple[str, Change]]:
    """Yield every change of a webhook, each with its name: `webhook done`."""
    olds, news = _webhooks(old), _webhooks(new)
    for name in dict.fromkeys([*olds, *news]):
        places, what = ("/webhooks", "/webhooks"), f"The webhook {name}"
        for change in _hook(olds.get(name), news.get(name), places, what, ""):
            yield f"webhook {name}", change


def _hook(
    old: _Body | None, new: _Body | None, places: tuple[str, str], what: str, path: str
) -> Changes:
    """Compare what the server sends by itself; `places` is where it is described, or would be."""
    if old and new:
        yield from _body(old, new, what, path)
    elif old:
        message = f"{what} is no longer described."
        yield Change("callback-removed", old.schema.pointer, places[1], message)
    elif new:
        yield Change("callback-added", places[0], new.schema.pointer, f"{what} is new.")


def _body(old: _Body, new: _Body, what: str, path: str) -> Changes:
    """Compare what clients read, word by word where both sides have words.

    `what` names the body in a sentence, `path` in front of its fields.
    """
    if not old.variants or not new.variants:
        yield from _behind(path, schema_changes(flatten(old.schema), flatten(new.schema), path))
        return
    pointers = {variant.pointer for variant in old.variants.values()}
    is_one = len(pointers) == 1  # one schema may stand for all words
    for word in dict.fromkeys([*old.variants, *new.variants]):
        before, after = old.variants.get(word), new.variants.get(word)
        if before and after:
            yield from _promises(before, after)
            here = path if is_one else f"{path}.{word}"
            yield from _behind(here, schema_changes(old.of(before), new.of(after), here))
        elif before:
            message = f"{what} no longer says {word}."
            yield Change("word-removed", before.pointer, new.schema.pointer, message, word, None)
        elif after:
            message = f"{what} newly says {word}."
            yield Change("word-added", old.schema.pointer, after.pointer, message, None, word)


def _behind(start: str, changes: Changes, instead: str = "") -> Changes:
    """Let paths begin behind what stands there for people only: a word, a callback."""
    for change in changes:
        yield change._replace(path=instead + change.path.removeprefix(start))


def _promises(old: Variant, new: Variant) -> Changes:
    """Compare the members that only `x-fauxlab` demands, and only on one side."""
    gone = [name for name in old.promised if name not in new.required]
    if gone:
        message = f"{old.word}: x-fauxlab no longer promises {', '.join(gone)}."
        yield Change("promise-removed", old.pointer, new.pointer, message)
    more = [name for name in new.promised if name not in old.required]
    if more:
        message = f"{old.word}: x-fauxlab promises {', '.join(more)} now."
        yield Change("promise-added", old.pointer, new.pointer, message)


def _sent(document: Document, item: Node) -> Iterator[_Body]:
    """Yield the JSON bodies that the server sends to the address of a path item."""
    conventions = document.conventions
    for method in METHODS:
        media = json_media(item.resolved.member(method).member("requestBody").resolved)
        if media and "schema" in media.value:
            schema = Schema.of(media.part("schema"))
            yield _Body(schema, variants_of(schema, conventions), conventions.fields.status)
