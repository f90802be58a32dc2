"""What may be wrong with the operations of a document, and schemas that nothing uses."""

from __future__ import annotations

import contextlib
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from itertools import combinations, product
from typing import Any
from urllib.parse import unquote, urlsplit

from fauxlab_contract.audit.rules import Defect, Defects
from fauxlab_contract.audit.schemas import shown
from fauxlab_contract.core.pointers import pointer_to
from fauxlab_contract.core.secrets import in_words
from fauxlab_contract.core.violation import Violation
from fauxlab_contract.generation.sample import sample
from fauxlab_contract.openapi.document import Document
from fauxlab_contract.openapi.operation import Operation, Variant
from fauxlab_contract.openapi.references import Node, SchemaError
from fauxlab_contract.openapi.schema import Schema
from fauxlab_contract.openapi.structure import METHODS
from fauxlab_contract.openapi.types import type_names, types_of
from fauxlab_contract.validation.bodies import request_violations, response_violations

__all__ = ["operation_defects"]

_WRONG = (5, "x", None)  # values that are wrong for most fields
_DATA = ("example", "examples", "schema", "schemas")


def operation_defects(document: Document) -> Defects:
    """Yield the defects of a document outside its schemas."""
    yield from _servers(document)
    yield from _operation_ids(document)
    yield from _examples(document)
    for operation in document.operations:
        yield from _limits(operation)
        yield from _branches(operation)
        yield from _status_words(operation)
        yield from _slips(operation)
        yield from _type_changes(document, operation)
    yield from _unused(document)


def _objects(node: Node) -> Iterator[Node]:
    """Yield every object of a document that is neither data nor a schema nor an extension."""
    for item in node.items():
        yield from _objects(item)
    if isinstance(node.value, dict):
        yield node
    for name, member in node.members():
        if name not in _DATA and not name.startswith("x-"):
            yield from _objects(member)


def _servers(document: Document) -> Defects:
    servers = document.root.member("servers")
    if not servers.value and document.operations:
        yield Defect("no-server", "/servers", "The document names no server.")
    for server in servers.items():
        url = server.member("url")
        if not urlsplit(str(server.value.get("url", ""))).netloc:
            message = f"The server {shown(url.value)} is an address without a host."
            yield Defect("no-server", url.pointer, message)


def _operation_ids(document: Document) -> Defects:
    ids = [
        (name, node.pointer)
        for node in _operations(document.root)
        if isinstance(name := node.value.get("operationId"), str)
    ]
    counts = Counter(name for name, _ in ids)
    for name, pointer in ids:
        if counts[name] > 1:
            message = f"{counts[name]} operations have the operationId {shown(name)}."
            yield Defect("duplicate-operation-id", pointer, message)


def _operations(root: Node) -> Iterator[Node]:
    """Yield the operations of paths, webhooks, callbacks and components, each once.

    An operationId elsewhere, as in a link, names one of them.
    """
    components = root.member("components")
    places = (root.member("paths"), root.member("webhooks"), components.member("pathItems"))
    items = deque(item for place in places for _, item in place.members())
    callbacks = [callback for _, callback in components.member("callbacks").members()]
    seen = set[str]()
    while items or callbacks:
        if callbacks:
            items += [item for _, item in _target(callbacks.pop()).members()]
            continue
        for method, operation in _target(items.popleft()).members():
            is_new = method in METHODS and operation.pointer not in seen
            if is_new and isinstance(operation.value, dict):
                seen.add(operation.pointer)
                yield operation
                callbacks += [one for _, one in operation.member("callbacks").members()]


def _target(node: Node) -> Node:
    """Return what a reference leads to; the reference itself if it leads to nothing."""
    with contextlib.suppress(SchemaError):
        return node.resolved
    return node


def _examples(document: Document) -> Defects:
    """Find examples that break the schema beside them: of bodies, replies, parameters, headers."""
    for node in _objects(document.root):
        if "schema" not in node.value:
            continue
        schema = Schema.of(node.part("schema"))
        for name, example in _examples_of(node):
            violations = _judged(document, schema, example.value)
            if violations:
                what = f"The example {name}" if name else "The example"
                broken = in_words(violations, str(node.value.get("name", "")))
                message = f"{what} breaks its schema: {broken}"
                yield Defect("invalid-example", example.pointer, message)


def _examples_of(node: Node) -> Iterator[tuple[str, Node]]:
    """Yield (name, value) of the examples beside a schema; the name is empty for the only one."""
    if "example" in node.value:
        yield "", node.part("example")
    for name, member in node.member("examples").members():
        example = _target(member)
        if isinstance(example.value, dict) and "value" in example.value:
            yield name, example.part("value")


def _judged(document: Document, schema: Schema, value: Any) -> tuple[Violation, ...]:
    """Judge an example as the request or reply that it belongs to, else by its schema alone.

    A reply is judged by the branch that its status names.
    """
    for operation in document.operations:
        if schema.pointer.startswith(f"{operation.pointer}/requestBody/") and operation.request:
            return request_violations(operation, value)
        if operation.reply and operation.reply.pointer == schema.pointer:
            return response_violations(operation, value) or operation.reply.violations(value)
    return schema.validator.violations(value)


def _limits(operation: Operation) -> Defects:
    """Find numbers of a request without a lower limit: limited above, or a size of a picture."""
    fields = operation.conventions.fields
    properties = operation.request.properties if operation.request else {}
    for name, schema in properties.items():
        schema = schema.merged
        if not _is_number(schema):
            continue
        keywords = schema.keywords
        low = keywords.get("minimum", keywords.get("exclusiveMinimum"))
        allows_zero = keywords.get("minimum") == 0
        is_size = name in (fields.width, fields.height)
        is_limited = is_size or not keywords.keys().isdisjoint(("maximum", "exclusiveMaximum"))
        if low is None and is_limited and "enum" not in keywords:
            message = f"{name} has no lower limit: the document allows 0 and -1."
            yield Defect("no-lower-limit", schema.pointer, message)
        elif is_size and low is not None and (low < 0 or allows_zero):
            message = f"{name} may be {low}: a picture of that size does not exist."
            yield Defect("no-lower-limit", schema.pointer, message)


def _is_number(schema: Schema) -> bool:
    return "type" in schema.keywords and bool({"integer", "number"} & types_of(schema))


def _branches(operation: Operation) -> Defects:
    """Find branches of a reply that do not require their status."""
    status = operation.conventions.fields.status
    for variant in operation.variants.values():
        required = variant.schema.required
        if not required:
            message = f"No member of this reply is required, not even {status}."
            yield Defect("branch-requires-nothing", variant.pointer, message)
        elif status not in required:
            message = f"The reply requires {', '.join(required)}, and not {status}."
            yield Defect("status-not-required", variant.pointer, message)


def _status_words(operation: Operation) -> Defects:
    """Find status words that two branches of a oneOf claim."""
    if operation.reply_schema is None:
        return
    status = operation.conventions.fields.status
    branches = [branch.resolved for branch in operation.reply_schema.resolved.each("oneOf")]
    for pair in combinations(branches, 2):
        probe = sample(pair[0])
        if not isinstance(probe, dict) or status not in probe:
            continue
        if all(branch.validator.is_valid(probe) for branch in pair):
            word = shown(probe[status])
            message = f"Two branches take the status {word}: {shown(probe)} fits both."
            yield Defect("status-word-twice", operation.reply_schema.pointer, message)


def _slips(operation: Operation) -> Defects:
    """Find bodies that the schema of a reply takes by mistake.

    They have no status, or a field of another branch with a wrong value.
    """
    reply, variants = operation.reply, operation.variants
    branches = {variant.pointer for variant in variants.values()}
    if reply is None or len(branches) < 2:
        return
    if slipped := next(filter(reply.is_valid, _without_status(operation)), None):
        message = f"The reply {shown(slipped)} is valid."
        yield Defect("reply-slips-through", reply.pointer, message)
    foreign = [body for variant in variants.values() for body in _foreign(operation, variant)]
    holes = (body for body in foreign if reply.is_valid(body) and _is_astray(operation, body))
    if hole := next(holes, None):
        yield Defect("unchecked-sibling", reply.pointer, f"The reply {shown(hole)} is valid.")


def _names(operation: Operation) -> list[str]:
    """Return the members that any branch of the reply declares."""
    variants = operation.variants.values()
    return list(dict.fromkeys(name for variant in variants for name in variant.properties))


def _without_status(operation: Operation) -> Iterator[Mapping[str, Any]]:
    """Yield replies of one member, with a value that all branches which declare it refuse."""
    for name in _names(operation):
        if name == operation.conventions.fields.status:
            continue
        variants = operation.variants.values()
        schemas = [other.properties[name] for other in variants if name in other.properties]
        for value in _WRONG:
            if not any(schema.validator.is_valid(value) for schema in schemas):
                yield {name: value}


def _foreign(operation: Operation, variant: Variant) -> Iterator[Mapping[str, Any]]:
    """Yield replies of `variant` that also have a field of another branch."""
    status = operation.conventions.fields.status
    others = [name for name in _names(operation) if name not in variant.properties]
    for name in others:
        for value in _WRONG:
            yield {status: variant.word, name: value}


def _is_astray(operation: Operation, body: Mapping[str, Any]) -> bool:
    """Return True if a field of another branch has a value that fits no branch."""
    violations = response_violations(operation, body)
    return any(violation.keyword == "sibling" for violation in violations)


def _type_changes(document: Document, operation: Operation) -> Defects:
    """Find fields whose types have nothing in common in two replies of one lifecycle."""
    for first, second, where in _reply_pairs(document, operation):
        for name, schema in first.properties.items():
            if name not in second.properties:
                continue
            types = types_of(schema)
            others = types_of(second.properties[name])
            if types and others and not types & others:
                message = (
                    f"{name} is {_named(types)} in {first.word} and {_named(others)} in"
                    f" {second.word}{where}."
                )
                pointer = f"{first.pointer}/properties{pointer_to([name])}"
                yield Defect("type-changes", pointer, message)


def _reply_pairs(
    document: Document, operation: Operation
) -> Iterator[tuple[Variant, Variant, str]]:
    """Yield each two replies that a client may get about one job, and where the second is from."""
    own = operation.variants.values()
    for first, second in combinations(own, 2):
        yield first, second, ""
    fetch = document.fetch_of(operation)
    for first, second in product(own, fetch.variants.values() if fetch else ()):
        yield first, second, " of a fetch"


def _named(types: frozenset[str]) -> str:
    return " or ".join(type_names(types))


def _unused(document: Document) -> Defects:
    """Find component schemas that no path, webhook or other component in use leads to."""
    if "paths" not in document.tree and "webhooks" not in document.tree:
        return  # it is there for others
    used = [unquote(reference) for reference in _used_references(document)]
    schemas = document.root.member("components").member("schemas")
    for name, schema in schemas.members():
        below = f"#{schema.pointer}/"
        if not any(f"{reference}/".startswith(below) for reference in used):
            yield Defect("unused-schema", schema.pointer, f"Nothing refers to the schema {name}.")


def _used_references(document: Document) -> set[str]:
    """Return every `$ref` that the paths lead to, through other references too."""
    used = set[str]()
    waiting = [value for name, value in document.tree.items() if name != "components"]
    while waiting:
        for reference in _references(waiting.pop()):
            if reference not in used:
                used.add(reference)
                with contextlib.suppress(SchemaError):  # data may look like a reference
                    waiting.append(document.root.target(reference).value)
    return used


def _references(value: Any) -> Iterator[str]:
    """Yield what every `$ref` and every discriminator names below a JSON value."""
    if isinstance(value, list):
        for item in value:
            yield from _references(item)
    if not isinstance(value, dict):
        return
    for name, member in value.items():
        if name == "$ref" and isinstance(member, str):
            yield member
        elif name == "mapping" and isinstance(member, dict):
            for named in map(str, member.values()):
                yield named if "/" in named else f"#/components/schemas/{named}"
        else:
            yield from _references(member)
