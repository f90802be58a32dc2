"""The guard's rules, and the judgement of one request or one reply of a client.

Pure: values in, observations out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from fauxlab_contract.core.http import HttpResponse
from fauxlab_contract.core.pointers import parts_of
from fauxlab_contract.core.rules import (
    KEY_IN_URL,
    MISSPELT_FIELD,
    PLAIN_HTTP,
    REQUEST_VIOLATION,
    TLS_NOT_VERIFIED,
    Rule,
    table_of,
)
from fauxlab_contract.core.secrets import (
    hide_tokens,
    in_words,
    is_secret_name,
    names_a_key,
    secret_in,
)
from fauxlab_contract.core.strict_json import WireError, check_media_type, read_json
from fauxlab_contract.core.text import nearest
from fauxlab_contract.core.violation import Violation, kind_of
from fauxlab_contract.guard.hooks.watch import WatchedCall
from fauxlab_contract.openapi.document import Document, Match
from fauxlab_contract.openapi.operation import Operation, RequestBody
from fauxlab_contract.openapi.schema import Schema
from fauxlab_contract.validation.bodies import request_violations, response_violations
from fauxlab_contract.validation.misspelt import misspelt_fields
from fauxlab_contract.validation.parameters import parameter_violations

__all__ = [
    "RULES",
    "GuardObservation",
    "name_of",
    "path_parts",
    "reply_findings",
    "request_findings",
    "secret_of",
]

ALIKE = 0.8  # of difflib: two paths that may have been confused
# fauxlab's mock sends these if a test asked for exactly this reply
ON_PURPOSE = ("x-mock-scenario", "x-mock-fault")

RULES = table_of(
    REQUEST_VIOLATION,
    Rule(
        "malformed-body",
        "error",
        "The body of a request is not a JSON object.",
        "Send a JSON object, in UTF-8.",
    ),
    Rule(
        "media-type",
        "error",
        "A request is not labelled application/json.",
        "Let the HTTP library encode the body: json=…, not data=….",
    ),
    MISSPELT_FIELD,
    Rule(
        "unknown-path",
        "error",
        "No operation has this path.",
        "Compare it with the paths of the document (fauxlab routes).",
    ),
    Rule(
        "wrong-method",
        "error",
        "The path exists, but not with this method.",
        "Use the document's method.",
    ),
    KEY_IN_URL,
    PLAIN_HTTP,
    TLS_NOT_VERIFIED,
    Rule(
        "reply-violation",
        "error",
        "A reply breaks the contract.",
        "If a mock or a recording gave this reply, correct it: the API does not answer like this.",
    ),
)


class GuardObservation(NamedTuple):
    """One broken rule: `place` is a pointer into the document, `field` a field of the body.

    `advice` takes the place of the rule's.
    """

    rule: str
    message: str
    place: str
    field: str = ""
    advice: str = ""


Observations = Iterator[GuardObservation]


def request_findings(
    document: Document, call: WatchedCall, path: str, *, is_production: bool
) -> Observations:
    """Yield every rule that a request breaks.

    `path` is where it goes, as the document writes it, with the base path.
    """
    match = document.match(call.method, path)
    place = match.operation.pointer if match else "/paths"
    if is_production:
        yield from _transport(call)
    query = urlsplit(call.url).query
    if names_a_key(query) or _holds_secret(call, secret_of(document, call)):
        yield GuardObservation("key-in-url", "The key is in the URL.", place)
    if match is None:
        yield from _no_operation(document, call, path)
    else:
        yield from _parameters(document, match, call)
        yield from _body(document, match.operation, call)


def _parameters(document: Document, match: Match, call: WatchedCall) -> Observations:
    """Yield what is wrong in the path, the query and the headers.

    A header or a key that is missing may yet be added, by an `auth` of httpx or a middleware.
    """
    operation, query = match.operation, urlsplit(call.url).query
    if not operation.parameters:
        return
    places = {(one.place, one.name): one.pointer for one in operation.parameters}
    secret = secret_of(document, call)
    for one in parameter_violations(operation, match.parameters, query, call.headers, secret):
        place, name = parts_of(one.pointer)[:2]
        if one.found != "nothing" or not (place == "header" or is_secret_name(name)):
            pointer = places[place, name]
            yield GuardObservation("request-violation", in_words((one,)), pointer, one.field)


def _transport(call: WatchedCall) -> Observations:
    if call.url.startswith("http:"):
        yield GuardObservation(
            "plain-http", "The call goes to production over plain http.", "/servers"
        )
    if not call.is_verified:
        yield GuardObservation(
            "tls-not-verified", "The certificate of production is not verified.", "/servers"
        )


def secret_of(document: Document, call: WatchedCall) -> str:
    """Return the key in a request's body; empty if there is none, or only a very short one."""
    try:
        body = read_json(call.body or b"")
    except WireError:
        return ""
    key = body.get(document.conventions.fields.key) if isinstance(body, dict) else None
    return secret_in(key) or ""


def _holds_secret(call: WatchedCall, secret: str) -> bool:
    return bool(secret) and (secret in call.url or secret in unquote(call.url))


def _no_operation(document: Document, call: WatchedCall, path: str) -> Observations:
    methods = document.methods(path)
    name = name_of(document, call, path)
    matches = [match for method in methods if (match := document.match(method, path))]
    if matches:
        message = f"{name}: this path takes {' or '.join(methods)}."
        yield GuardObservation("wrong-method", message, matches[0].operation.pointer)
        return
    hint = f"the document's paths begin with {document.base_path or '/'}."
    if near := _near_path(document, path):
        hint = f"did you mean {near}?"
    yield GuardObservation("unknown-path", f"{name} is not in the document; {hint}", "/paths")


def _near_path(document: Document, path: str) -> str:
    """Return the known path that was meant: a tail of `path`, else a path that looks like it."""
    for tail in path_parts(path):
        if methods := document.methods(document.base_path + tail):
            match = document.match(methods[0], document.base_path + tail)
            return document.base_path + match.operation.path if match else ""
    known = [operation.base_path + operation.path for operation in document.operations]
    return next(iter(nearest(path, known, ALIKE)), "")


def path_parts(path: str) -> list[str]:
    """Return the tails of a path: `/a/b/c` -> `/a/b/c`, `/b/c`, `/c`."""
    parts = path.split("/")[1:]
    tails = [parts[index:] for index in range(len(parts))]
    return ["/" + "/".join(tail) for tail in tails]


def name_of(document: Document, call: WatchedCall, path: str) -> str:
    """Return method and path of a call without secrets; the path as the document writes it."""
    match = document.match(call.method, path)
    if match:
        return f"{call.method} {match.operation.base_path}{match.operation.path}"
    secret = secret_of(document, call)
    shown = unquote(path)
    shown = shown.replace(secret, "***") if secret else shown
    return f"{call.method[:20]} {_as_ascii(shown, 200)}"


def _as_ascii(text: str, most: int) -> str:
    """Return at most `most` characters of a text, without secrets, as ASCII on one line."""
    shown = hide_tokens(text[:400])[:most]
    return ascii(shown)[1:-1]  # without the quotes


def _body(document: Document, operation: Operation, call: WatchedCall) -> Observations:
    request = operation.request
    if request is None or (call.body == b"" and not request.obliged):
        return
    label = call.headers.get("content-type", "")
    if label.partition(";")[0].strip().lower() in request.other_types:
        return  # declared, and not read
    wrong_label = _label_problem(call, request)
    if wrong_label:
        yield GuardObservation("media-type", wrong_label, request.pointer)
    if call.body is None or "content-encoding" in call.headers:
        return
    try:
        body = read_json(call.body)
    except WireError as error:
        if not wrong_label:
            yield GuardObservation("malformed-body", str(error), request.pointer)
        return
    if request.wants_object_not(body):
        message = f"The body must be a JSON object, not {kind_of(body)}."
        yield GuardObservation("malformed-body", message, request.pointer)
        return
    for violation in request_violations(operation, body):
        told = _broken("request-violation", document, request.pointer, violation)
        yield told._replace(advice=violation.hint)
    if isinstance(body, dict):
        yield from _misspelt(document, request, body)


def _label_problem(call: WatchedCall, request: RequestBody) -> str:
    """Return what is wrong with the media type of a body; empty if it is right or not needed."""
    if call.body == b"":
        return ""
    try:
        check_media_type(call.headers.get("content-type"), request.media_types)
    except WireError as error:
        return str(error)
    return ""


def _broken(rule: str, document: Document, pointer: str, violation: Violation) -> GuardObservation:
    """Return a violation at the place where the document declares its field."""
    name = next(iter(parts_of(violation.pointer)), "")
    place = _declaration(document, pointer, name)
    return GuardObservation(rule, in_words((violation,)), place, violation.field)


def _declaration(document: Document, pointer: str, name: str) -> str:
    """Return where the schema at `pointer` declares a field; `pointer` if it does not."""
    declared = Schema.of(document.at(pointer)).properties
    return declared[name].pointer if name in declared else pointer


def _misspelt(document: Document, request: RequestBody, body: dict[str, Any]) -> Observations:
    """Yield undeclared fields that look like one that is missing. Other undeclared fields pass."""
    for field in misspelt_fields(request.properties, body, request.required):
        place = _declaration(document, request.pointer, field.meant)
        yield GuardObservation("misspelt-field", str(field), place, field.name)


def reply_findings(
    document: Document, call: WatchedCall, path: str, came: HttpResponse
) -> Observations:
    """Yield every rule that a reply breaks, no matter who gave it.

    Each is judged by what the document declares for its code. Not judged: redirects, HEAD, replies
    that a test asked our own mock for, and what comes from before the API: errors that are not JSON
    objects, and 5xx without a status.
    """
    match = document.match(call.method, path)
    is_on_purpose = any(name in came.headers for name in ON_PURPOSE)
    if match is None or call.method == "HEAD" or is_on_purpose:
        return
    operation, is_error = match.operation, came.code >= 400
    if not _has_schema(operation, came.code):
        return
    try:
        body = read_json(came.body)
    except WireError as error:
        if not is_error:
            problem = str(error).partition(";")[0]  # without the advice to the sender
            message = problem.rstrip(".") + "."
            yield GuardObservation("reply-violation", message, operation.pointer)
        return
    if is_error and _is_from_before_the_api(operation, came.code, body):
        return
    secret_in_json = json.dumps(secret_of(document, call))[1:-1].encode()
    pointer = _reply_pointer(operation, body, came.code)
    for violation in response_violations(operation, body, came.code):
        told = _broken("reply-violation", document, pointer, violation)
        if secret_in_json and secret_in_json in came.body:
            told = told._replace(message=f"{told.field} breaks {violation.keyword}.")
        yield told


def _has_schema(operation: Operation, code: int) -> bool:
    """Return True if the document has a schema for replies with this HTTP code.

    What `default` says of a 5xx does not count: a gateway answers so as well.
    """
    if not operation.is_success(code):
        declared = operation.reply_for(code)
        is_meant = code < 500 or (declared is not None and declared.codes != "default")
        return is_meant and declared is not None and declared.check is not None
    if operation.reply is None:
        return False
    if code >= 400:
        return bool(operation.variants)  # errors are one of several branches
    return 200 <= code < 300


def _is_from_before_the_api(operation: Operation, code: int, body: Any) -> bool:
    """Return True for an error of a gateway: it is no JSON object, or 5xx without a status.

    An error with a schema of its own is none of these.
    """
    if not operation.is_success(code):
        return False
    if not isinstance(body, dict):
        return True
    return code >= 500 and body.get(operation.conventions.fields.status) is None


def _reply_pointer(operation: Operation, body: Any, code: int) -> str:
    """Return the place of the schema that a reply is judged by: the branch its status names."""
    declared = operation.reply_for(code)
    if declared is not None and declared.schema and not operation.is_success(code):
        return declared.schema.pointer
    word = body.get(operation.conventions.fields.status) if isinstance(body, dict) else None
    variant = operation.variants.get(word) if isinstance(word, str) else None
    if variant is not None:
        return variant.pointer
    return operation.reply.pointer if operation.reply else operation.pointer
