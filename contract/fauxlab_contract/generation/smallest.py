"""The smallest valid value of a schema, and the smallest valid body of a request.

Hypothesis is asked only for what is not plain, such as a pattern.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fauxlab_contract._parts import missing
from fauxlab_contract.core.pointers import parts_of
from fauxlab_contract.generation.sample import sample
from fauxlab_contract.generation.shapes import NoValueError, with_integers
from fauxlab_contract.openapi.operation import Operation
from fauxlab_contract.openapi.schema import Schema

__all__ = [
    "RequestFields",
    "branches_of",
    "examples_of",
    "fields_of",
    "has_valid_body",
    "integers_in",
    "required_names",
    "smallest_request",
    "smallest_value",
    "value_or_sample",
]

RequestFields = dict[str, Any]


def smallest_value(schema: Schema) -> Any:
    """Return a small value that the schema allows. Raise NoValueError if none could be made."""
    value = with_integers(schema, sample(schema))
    if schema.value is not False and (not schema.keywords or schema.validator.is_valid(value)):
        return value
    if missing(["hypothesis"]):
        raise NoValueError(f"{schema.pointer}: making a value for it needs hypothesis")
    from fauxlab_contract.generation.drawing import found

    return with_integers(schema, found(schema))


def smallest_request(operation: Operation, **fixed: Any) -> RequestFields:
    """Return a valid body with the required fields alone, and those of `fixed`.

    Where no valid body can be made, it is as near to one as possible: `has_valid_body` tells.
    """
    plain = _required_alone(operation, fixed)
    if operation.request is None or operation.request.check.is_valid(plain):
        return plain
    for body in (*_examples(operation, fixed), _everything(operation, plain)):
        if operation.request.check.is_valid(body):
            return _reduced(operation, body, fixed)
    return plain


def has_valid_body(operation: Operation, body: Mapping[str, Any]) -> bool:
    """Return True if the document allows this body."""
    return operation.request is None or operation.request.check.is_valid(dict(body))


def _required_alone(operation: Operation, fixed: Mapping[str, Any]) -> RequestFields:
    required, fields = required_names(operation), fields_of(operation, fixed)
    body: RequestFields = {}
    for name, schema in fields.items():
        if name in required:
            body[name] = value_or_sample(schema)
    key = operation.conventions.fields.key
    if key in body and (schema := fields[key]).validator.is_valid("key-0123"):
        body[key] = "key-0123"
    return {**body, **fixed}


def value_or_sample(schema: Schema) -> Any:
    """Return a small value that the schema allows; one near to it where none could be made."""
    try:
        return smallest_value(schema)
    except NoValueError:
        return with_integers(schema, sample(schema))


def _examples(operation: Operation, fixed: Mapping[str, Any]) -> Iterator[RequestFields]:
    for _, body in examples_of(operation):
        if isinstance(body, dict):
            yield {**integers_in(operation, body), **fixed}


def integers_in(operation: Operation, body: Mapping[str, Any]) -> RequestFields:
    """Return a body of an operation with 8 in the place of 8.0, where a field is an integer."""
    if operation.request is None:
        return dict(body)
    whole: RequestFields = with_integers(operation.request.schema, dict(body))
    return whole


def _everything(operation: Operation, plain: RequestFields) -> RequestFields:
    fields = fields_of(operation, plain)
    return {**{name: value_or_sample(schema) for name, schema in fields.items()}, **plain}


def _reduced(operation: Operation, body: RequestFields, fixed: Mapping[str, Any]) -> RequestFields:
    """Leave out one field after the other, where the body stays valid without it."""
    for name in list(body):
        rest = {other: value for other, value in body.items() if other != name}
        if name not in fixed and has_valid_body(operation, rest):
            body = rest
    return body


def examples_of(operation: Operation) -> Iterator[tuple[str, Any]]:
    """Yield (name, body) for each example that the document gives for a request, valid or not."""
    if operation.request is None:
        return
    node = operation.request.schema.tree.root
    for part in parts_of(operation.pointer):
        node = node.part(part)
    content = node.member("requestBody").resolved.member("content")
    for _, media in content.members():
        for name, example in media.member("examples").members():
            value = example.resolved.member("value").value
            if value is not None:
                yield name, value
        if isinstance(media.value, dict) and "example" in media.value:
            yield "example", media.value["example"]


def fields_of(operation: Operation, fixed: Mapping[str, Any]) -> dict[str, Schema]:
    """Return the schemas of the fields that are not in `fixed`, references followed.

    Some documents require fields that they do not declare; those may be anything. Fields that are
    for replies only are left out.
    """
    request = operation.request
    if request is None:
        return {}
    anything = request.schema.but({})
    required = required_names(operation)
    fields = dict.fromkeys(required, anything)
    for branch in branches_of(operation)[:1]:
        fields.update(branch.properties)
    fields.update(request.properties)
    return {
        name: schema.resolved
        for name, schema in fields.items()
        if name not in fixed
        and (name in required or schema.resolved.keywords.get("readOnly") is not True)
    }


def branches_of(operation: Operation) -> list[Schema]:
    """Return the alternatives of a request as a whole; `[]` for most requests."""
    if operation.request is None:
        return []
    schema = operation.request.schema
    branches = (*schema.each("oneOf"), *schema.each("anyOf"))
    return [branch.resolved for branch in branches]


def required_names(operation: Operation) -> tuple[str, ...]:
    """Return the required fields; of a request with alternatives, also those of the first."""
    names = operation.request.required if operation.request else ()
    branches = branches_of(operation)
    return (*names, *branches[0].required) if branches else names
