"""What may be wrong with the operations of a document: examples, replies, parameters, servers, and
schemas that nobody uses.
"""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import combinations, product
from typing import Any
from urllib.parse import unquote, urlsplit

from fauxlab_contract.audit.rules import Defect, Defects
from fauxlab_contract.audit.schemas import checker_for, shown
from fauxlab_contract.core.secrets import in_words
from fauxlab_contract.core.violation import Violation, pointer_to
from fauxlab_contract.diff.flat_schema import TYPES, types_of
from fauxlab_contract.openapi.document import Document
from fauxlab_contract.openapi.operation import Operation, Variant
from fauxlab_contract.openapi.sample import sample
from fauxlab_contract.openapi.schema import (
    SchemaError,
    properties_at,
    required_of,
    resolve,
    target_of,
)
from fauxlab_contract.openapi.validator import SchemaValidator
from fauxlab_contract.validation.bodies import request_violations, response_violations

__all__ = ["nodes_of", "operation_defects"]

_WRONG = (5, "x", None)  # values that are wrong for most fields
# what a notice of the document says -> the rule that it breaks, and the rest of the sentence
_NOTICES = (
    (r"nullable has no effect", "nullable-without-effect"),
    (r"the path parameter", "path-parameter"),
    (r"format .* is not checked", "unchecked-format"),
    (r"no 2xx reply", "no-reply-schema"),
    (r"the default", ""),  # the audit looks at defaults itself, and says which rule they break
    (r"", "unchecked-part"),
)
_DATA = ("example", "examples", "schema", "schemas")


def operation_defects(document: Document) -> Defects:
    """The defects of a document outside its schemas."""
    for notice in document.notices:
        rule = next(rule for pattern, rule in _NOTICES if re.match(pattern, notice.problem))
        for pointer in notice.pointers if rule else ():
            yield Defect(rule, pointer, f"{notice.problem[0].upper()}{notice.problem[1:]}.")
    yield from _servers(document)
    yield from _operation_ids(document)
    yield from _examples(document)
    for operation in document.operations:
        yield from _limits(document, operation)
        yield from _branches(document, operation)
        yield from _slips(document, operation)
        yield from _type_changes(document, operation)
    yield from _unused(document)


def nodes_of(node: Any, pointer: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object of a document that is neither data nor a schema nor an extension."""
    if isinstance(node, list):
        for i, item in enumerate(node):
            yield from nodes_of(item, f"{pointer}/{i}")
    if not isinstance(node, dict):
        return
    yield pointer, node
    for key, value in node.items():
        if key not in _DATA and not key.startswith("x-"):
            yield from nodes_of(value, pointer + pointer_to([key]))


def _servers(document: Document) -> Defects:
    servers = document.tree.get("servers") or []
    if not servers:
        yield Defect("no-server", "/servers", "The document names no server.")
    for i, server in enumerate(servers):
        if not urlsplit(str(server.get("url", ""))).netloc:
            yield Defect(
                "no-server",
                f"/servers/{i}/url",
                f"The server {shown(server.get('url'))} is an address without a host.",
            )


def _operation_ids(document: Document) -> Defects:
    found = [
        (node["operationId"], pointer)
        for pointer, node in nodes_of(document.tree)
        if isinstance(node.get("operationId"), str)
    ]
    counts = Counter(name for name, _ in found)
    for name, pointer in found:
        if counts[name] > 1:
            yield Defect(
                "duplicate-operation-id",
                pointer,
                f"{counts[name]} operations have the operationId {shown(name)}.",
            )


def _examples(document: Document) -> Defects:
    """Examples beside schemas (of bodies, replies, parameters, headers). Replies are judged by the
    branch that their status names.
    """
    for pointer, node in nodes_of(document.tree):
        if "schema" not in node:
            continue
        for name, value, place in _examples_of(document, node, pointer):
            violations = _judged(document, node["schema"], pointer, value)
            if violations:
                what = f"The example {name}" if name else "The example"
                yield Defect(
                    "invalid-example",
                    place,
                    f"{what} breaks its schema: {in_words(violations, str(node.get('name', '')))}",
                )


def _examples_of(
    document: Document, node: Mapping[str, Any], pointer: str
) -> Iterator[tuple[str, Any, str]]:
    """(name, value, pointer) of each."""
    if "example" in node:
        yield "", node["example"], f"{pointer}/example"
    examples = node.get("examples")
    for name, example in examples.items() if isinstance(examples, dict) else ():
        example, place = resolve(document.tree, example, f"{pointer}/examples{pointer_to([name])}")
        if isinstance(example, dict) and "value" in example:
            yield name, example["value"], f"{place}/value"


def _judged(document: Document, schema: Any, pointer: str, value: Any) -> tuple[Violation, ...]:
    for operation in document.operations:
        if pointer.startswith(f"{operation.pointer}/requestBody/") and operation.request:
            return request_violations(operation, value)
        if operation.reply and operation.reply.pointer == f"{pointer}/schema":
            return response_violations(operation, value) or operation.reply.violations(value)
    return checker_for(document.tree, schema, pointer).violations(value)


def _limits(document: Document, operation: Operation) -> Defects:
    """Numbers of a request without a lower limit: those with an upper one, and the sizes of a
    picture.
    """
    fields = operation.conventions.fields
    request = operation.request
    places = (
        properties_at(document.tree, {"$ref": "#" + request.pointer}, request.pointer)
        if request
        else {}
    )
    for name, (schema, pointer) in places.items():
        schema, pointer = resolve(document.tree, schema, pointer)
        if (
            not isinstance(schema, dict)
            or not {"integer", "number"} & (types_of(document.tree, schema) - {"string"})
            or "type" not in schema
        ):
            continue
        low = schema.get("minimum", schema.get("exclusiveMinimum"))
        is_size = name in (fields.width, fields.height)
        if (
            low is None
            and "enum" not in schema
            and (is_size or {"maximum", "exclusiveMaximum"} & schema.keys())
        ):
            yield Defect(
                "no-lower-limit", pointer, f"{name} has no lower limit: 0 and -1 keep the document."
            )
        elif is_size and low is not None and (low < 0 or schema.get("minimum") == 0):
            yield Defect(
                "no-lower-limit",
                pointer,
                f"{name} may be {low}: a picture of that size does not exist.",
            )


def _branches(document: Document, operation: Operation) -> Defects:
    """What the branches of a reply require, and words that two of them claim."""
    status = operation.conventions.fields.status
    for variant in operation.variants.values():
        required = required_of(document.tree, {"$ref": "#" + variant.pointer})
        if not required:
            yield Defect(
                "branch-requires-nothing",
                variant.pointer,
                f"No member of this reply is required, not even {status}.",
            )
        elif status not in required:
            yield Defect(
                "status-not-required",
                variant.pointer,
                f"The reply requires {', '.join(required)}, and not {status}.",
            )
    if operation.reply is not None:
        yield from _twice(document.tree, operation, operation.reply)


def _twice(tree: Mapping[str, Any], operation: Operation, reply: SchemaValidator) -> Defects:
    """Status words that two branches of a oneOf claim."""
    status = operation.conventions.fields.status
    schema, _ = resolve(tree, operation.reply_schema)
    branches = (
        [resolve(tree, branch)[0] for branch in schema.get("oneOf") or ()]
        if isinstance(schema, dict)
        else []
    )
    for one, other in combinations(branches, 2):
        probe = sample(tree, one)
        if (
            isinstance(probe, dict)
            and status in probe
            and all(checker_for(tree, branch).is_valid(probe) for branch in (one, other))
        ):
            yield Defect(
                "status-word-twice",
                reply.pointer,
                f"Two branches take the status {shown(probe[status])}: {shown(probe)} fits both.",
            )


def _slips(document: Document, operation: Operation) -> Defects:
    """Bodies that the schema of a reply takes by mistake: without a status, and with fields of
    another branch.
    """
    reply, variants = operation.reply, operation.variants
    if reply is None or len({variant.pointer for variant in variants.values()}) < 2:
        return
    names = dict.fromkeys(name for variant in variants.values() for name in variant.properties)
    without = (
        {name: value}
        for name in names
        for value in _WRONG
        if name != operation.conventions.fields.status
    )
    slipped = next(
        (
            body
            for body in without
            if reply.is_valid(body) and _is_wrong(document.tree, operation, body)
        ),
        None,
    )
    if slipped:
        yield Defect("reply-slips-through", reply.pointer, f"The reply {shown(slipped)} is valid.")
    hole = next(
        (body for variant in variants.values() for body in _holes(operation, variant, reply)), None
    )
    if hole:
        yield Defect("unchecked-sibling", reply.pointer, f"The reply {shown(hole)} is valid.")


def _is_wrong(tree: Mapping[str, Any], operation: Operation, body: Mapping[str, Any]) -> bool:
    """Does every branch that declares the one member of `body` refuse its value?"""
    ((name, value),) = body.items()
    schemas = [
        variant.properties[name]
        for variant in operation.variants.values()
        if name in variant.properties
    ]
    return not any(checker_for(tree, schema).is_valid(value) for schema in schemas)


def _holes(
    operation: Operation, variant: Variant, reply: SchemaValidator
) -> Iterator[dict[str, Any]]:
    """Replies with the status of `variant` and a wrong value in a field of another branch, which
    the schema takes.
    """
    for name in dict.fromkeys(
        name for other in operation.variants.values() for name in other.properties
    ):
        for value in _WRONG if name not in variant.properties else ():
            body = {operation.conventions.fields.status: variant.word, name: value}
            if reply.is_valid(body) and any(
                violation.keyword == "sibling" for violation in response_violations(operation, body)
            ):
                yield body


def _type_changes(document: Document, operation: Operation) -> Defects:
    """Fields whose types have nothing in common in two replies of one lifecycle."""
    fetch = next(
        (
            other
            for other in document.operations
            if operation.fetch_path == other.path and other.kind == "fetch"
        ),
        None,
    )
    own = list(operation.variants.values())
    pairs = [(one, other, "") for one, other in combinations(own, 2)]
    pairs += [
        (one, other, " of a fetch")
        for one, other in product(own, fetch.variants.values() if fetch else ())
    ]
    for one, other, there in pairs:
        for name in one.properties:
            types, others = (_types(document, variant, name) for variant in (one, other))
            if types and others and not types & others:
                text = (
                    f"{name} is {_named(types)} in {one.word} and {_named(others)} in"
                    f" {other.word}{there}."
                )
                yield Defect("type-changes", f"{one.pointer}/properties{pointer_to([name])}", text)


def _types(document: Document, variant: Variant, name: str) -> frozenset[str]:
    return (
        types_of(document.tree, variant.properties[name])
        if name in variant.properties
        else frozenset()
    )


def _named(types: frozenset[str]) -> str:
    return " or ".join(
        name for name in TYPES if name in types and not (name == "integer" and "number" in types)
    )


def _unused(document: Document) -> Defects:
    """Component schemas that no path, webhook or other component in use leads to."""
    used, waiting = (
        set[str](),
        [value for name, value in document.tree.items() if name != "components"],
    )
    while waiting:
        for reference in _references(waiting.pop()):
            if reference not in used:
                used.add(reference)
                with contextlib.suppress(SchemaError):  # data may look like a reference
                    waiting.append(target_of(document.tree, reference))
    for name in (document.tree.get("components") or {}).get("schemas") or {}:
        pointer = pointer_to(["components", "schemas", name])
        if not any(
            unquote(reference) == "#" + pointer or unquote(reference).startswith(f"#{pointer}/")
            for reference in used
        ):
            yield Defect("unused-schema", pointer, f"Nothing refers to the schema {name}.")


def _references(node: Any) -> Iterator[str]:
    """What every `$ref` and every discriminator names below `node`."""
    if isinstance(node, list):
        for item in node:
            yield from _references(item)
    for key, value in node.items() if isinstance(node, dict) else ():
        if key == "$ref" and isinstance(value, str):
            yield value
        elif key == "mapping" and isinstance(value, dict):
            yield from (
                str(name) if "/" in str(name) else f"#/components/schemas/{name}"
                for name in value.values()
            )
        else:
            yield from _references(value)
