"""Judge one request or one reply by the contract: all violations at once, as frozen values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from fauxlab_contract.core.pointers import pointer_to, value_at
from fauxlab_contract.core.secrets import secret_in
from fauxlab_contract.core.strict_json import INT64_MAX, INT64_MIN
from fauxlab_contract.core.violation import Violation, describe, in_order, kind_of
from fauxlab_contract.core.webhook_url import is_webhook_url
from fauxlab_contract.openapi.operation import Operation, Variant
from fauxlab_contract.openapi.schema import Schema
from fauxlab_contract.openapi.types import TYPES, type_names, types_of

__all__ = ["coerce_request", "request_violations", "response_violations"]

_NUMERIC = re.compile(r"[+-]?[0-9]{1,32}(\.[0-9]{1,32})?")
_WEBHOOK_RULE = "an http or https URL with a host that is not link-local"


def request_violations(operation: Operation, body: Any) -> tuple[Violation, ...]:
    """Return every rule that `body` breaks as the request of `operation`; `()` when it is valid.

    Beyond the schema, a webhook must be an address that a server may call: http(s), with a host
    that is not link-local. No violation shows the value of the key.
    """
    if operation.request is None:
        return ()
    found = list(operation.request.check.violations(body))
    broken = {violation.pointer for violation in found}
    webhook = _webhook_violations(operation, body)
    found += [violation for violation in webhook if violation.pointer not in broken]
    return in_order(_hide_key(operation, body, found))


def _webhook_violations(operation: Operation, body: Any) -> Iterator[Violation]:
    name = operation.conventions.fields.webhook
    if not isinstance(body, dict) or not operation.request:
        return
    url = body.get(name) if name in operation.request.properties else None
    if isinstance(url, str) and not is_webhook_url(url):
        hint = "Use an address such as http://127.0.0.1:8000/hook."
        yield Violation(pointer_to([name]), "webhook", _WEBHOOK_RULE, describe(url), hint)


def _hide_key(operation: Operation, body: Any, found: Iterable[Violation]) -> Iterator[Violation]:
    """Yield the violations without descriptions of values that hold the key."""
    name = operation.conventions.fields.key
    secret = secret_in(body.get(name)) if isinstance(body, dict) else None
    for violation in found:
        if violation.found == "nothing":
            yield violation
        elif violation.pointer == pointer_to([name]):
            yield replace(violation, found=kind_of(body[name]), hint="")
        elif secret is not None and _holds(body, violation.pointer, secret):
            yield replace(violation, found="a value with the key in it", hint="")
        else:
            yield violation


def _holds(body: Any, pointer: str, secret: str) -> bool:
    """Return True if the text or number at `pointer` contains the key.

    The value is looked at, not its description, which may be cut or escaped.
    """
    value = value_at(body, pointer)
    return not isinstance(value, (dict, list)) and secret in str(value)


def coerce_request(operation: Operation, body: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """Return the body as published samples show that the live API takes it.

    Numeric text becomes a number, null means absent, and an absent seed is `seed`. Only declared
    fields are touched.
    """
    properties = operation.request.properties if operation.request else {}
    result = {
        name: _number(value, properties[name]) if name in properties else value
        for name, value in body.items()
        if value is not None or name not in properties
    }
    if operation.conventions.fields.seed in properties:
        result.setdefault(operation.conventions.fields.seed, seed)
    return result


def _number(value: Any, schema: Schema) -> Any:
    """Return the number that a text holds, where the schema takes numbers and no text."""
    if not isinstance(value, str):
        return value
    types = types_of(schema)
    if "string" in types or "integer" not in types:  # number is integer as well
        return value
    text = value.strip()
    if not _NUMERIC.fullmatch(text):
        return value
    number = float(text) if "." in text else int(text)
    return number if INT64_MIN <= number <= INT64_MAX else value


def response_violations(
    operation: Operation, body: Any, code: int | None = None
) -> tuple[Violation, ...]:
    """Return every rule that `body` breaks as a reply of `operation`; `()` when it is valid.

    A reply with variants is judged by the branch that its status names. A missing or unknown status
    is a violation; so is a member that only other branches declare, when it fits none of them.

    With its HTTP `code`, a reply is judged by what the document declares for that code. An error
    code of which the document says nothing is judged only where errors are one of the variants.
    """
    if code is not None and not operation.is_success(code):
        declared = operation.reply_for(code)
        return declared.check.violations(body) if declared and declared.check else ()
    if code is not None and code >= 400 and operation.reply_for(code) is None:
        return _own_violations(operation, body) if operation.variants else ()
    return _own_violations(operation, body)


def _own_violations(operation: Operation, body: Any) -> tuple[Violation, ...]:
    """Judge a reply that means success, or an error among its variants."""
    if not operation.variants:
        return operation.reply.violations(body) if operation.reply else ()
    name = operation.conventions.fields.status
    word = body.get(name) if isinstance(body, dict) else None
    variant = operation.variants.get(word) if isinstance(word, str) else None
    if variant is None:
        came = describe(word) if isinstance(body, dict) and name in body else "nothing"
        return (Violation(pointer_to([name]), "status", tuple(operation.variants), came),)
    strays = _sibling_violations(operation, variant, body)
    return in_order([*variant.check.violations(body), *strays])


def _sibling_violations(
    operation: Operation, variant: Variant, body: Mapping[str, Any]
) -> Iterator[Violation]:
    for name in body:
        if name in variant.properties:
            continue
        others = operation.variants.values()
        schemas = [other.properties[name] for other in others if name in other.properties]
        if schemas and not any(schema.validator.is_valid(body[name]) for schema in schemas):
            yield Violation(pointer_to([name]), "sibling", _types(schemas), describe(body[name]))


def _types(schemas: Iterable[Schema]) -> str:
    """Return the types that schemas name: `integer or string`."""
    types = frozenset[str]().union(*map(types_of, schemas))
    return " or ".join(type_names(types)) if types < frozenset(TYPES) else "any"
