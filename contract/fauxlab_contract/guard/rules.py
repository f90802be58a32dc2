"""The guard's rules, and the judgement of one request or one reply of a client. Pure: values in,
what was found out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal, NamedTuple
from urllib.parse import unquote, urlsplit

from fauxlab_contract.core.conventions import UNDECLARED
from fauxlab_contract.core.http import HttpResponse
from fauxlab_contract.core.secrets import hide_tokens, in_words, names_a_key, secret_in
from fauxlab_contract.core.strict_json import WireError, check_media_type, read_json
from fauxlab_contract.core.violation import Violation, describe
from fauxlab_contract.guard.hooks.watch import WatchedCall
from fauxlab_contract.openapi.document import Document
from fauxlab_contract.openapi.operation import Operation
from fauxlab_contract.openapi.schema import properties_at
from fauxlab_contract.validation.bodies import request_violations, response_violations

__all__ = [
    "RULES",
    "GuardObservation",
    "Rule",
    "name_of",
    "path_parts",
    "reply_findings",
    "request_findings",
    "secret_of",
]

ALIKE = 0.8  # of difflib: guidence_scale and guidance_scale are, prompt and enhance_prompt are not
# fauxlab's mock answers so when a test asked for just this reply
ON_PURPOSE = ("x-mock-scenario", "x-mock-fault")


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that a client, or a mocked reply, should not do."""

    id: str
    severity: Literal["error", "warning"]
    summary: str
    advice: str


RULES: Mapping[str, Rule] = {
    rule.id: rule
    for rule in (
        Rule(
            "request-violation",
            "error",
            "A field of a request breaks the contract.",
            "Send what the document allows.",
        ),
        Rule(
            "malformed-body",
            "error",
            "The body of a request is no JSON object.",
            "Send a JSON object, in UTF-8.",
        ),
        Rule(
            "media-type",
            "error",
            "A request is not labelled application/json.",
            "Let the library encode it: json=…, not data=….",
        ),
        Rule(
            "misspelt-field",
            "error",
            "An undeclared field looks like a known one.",
            "The API ignores what it does not know.",
        ),
        Rule(
            "unknown-path",
            "error",
            "No operation has this path.",
            "Compare it with the paths of the document (fauxlab routes).",
        ),
        Rule(
            "wrong-method",
            "error",
            "The path is known, the method is not.",
            "Use the document's method.",
        ),
        Rule(
            "key-in-url",
            "error",
            "The API key stands in a URL.",
            "Send it in the body alone: URLs end up in logs.",
        ),
        Rule(
            "plain-http",
            "error",
            "A call goes to the document's server by http.",
            "Use https: the key travels in the open.",
        ),
        Rule(
            "tls-not-verified",
            "warning",
            "The server's certificate is not checked.",
            "Leave verification on.",
        ),
        Rule(
            "reply-violation",
            "error",
            "A reply breaks the contract.",
            "If a mock or a recording said so, mend that: the API does not.",
        ),
    )
}


class GuardObservation(NamedTuple):
    """What a rule found: `place` is a pointer in the document, `field` the member of the body that
    it is about, if any.
    """

    rule: str
    message: str
    place: str
    field: str = ""


def request_findings(
    document: Document, call: WatchedCall, path: str, *, is_production: bool
) -> Iterator[GuardObservation]:
    """Every rule that a request breaks; `path` is where it goes as the document writes it, with the
    base path.
    """
    match = document.match(call.method, path)
    place = match.operation.pointer if match else "/paths"
    yield from _transport(call, is_production and document.origin.startswith("https:"))
    if names_a_key(urlsplit(call.url).query) or _holds_secret(call, secret_of(document, call)):
        yield GuardObservation("key-in-url", "The key stands in the URL.", place)
    if match is None:
        yield from _no_operation(document, call, path)
    else:
        yield from _body(document, match.operation, call)


def _transport(call: WatchedCall, is_https: bool) -> Iterator[GuardObservation]:
    if is_https and call.url.startswith("http:"):
        yield GuardObservation(
            "plain-http", "The call goes to production by plain http, not by https.", "/servers"
        )
    if is_https and not call.is_verified:
        yield GuardObservation(
            "tls-not-verified", "The certificate of production is not checked.", "/servers"
        )


def secret_of(document: Document, call: WatchedCall) -> str:
    """The key in a request's body; empty when there is none, or one too short to be told from
    ordinary text.
    """
    try:
        body = read_json(call.body or b"")
    except WireError:
        return ""
    key = body.get(document.conventions.fields.key) if isinstance(body, dict) else None
    return secret_in(key) or ""


def _holds_secret(call: WatchedCall, secret: str) -> bool:
    return bool(secret) and (secret in call.url or secret in unquote(call.url))


def _no_operation(document: Document, call: WatchedCall, path: str) -> Iterator[GuardObservation]:
    methods, told = document.methods(path), name_of(document, call, path)
    if methods:
        operation = next(
            match.operation for method in methods if (match := document.match(method, path))
        )
        yield GuardObservation(
            "wrong-method", f"{told}: this path takes {' or '.join(methods)}.", operation.pointer
        )
        return
    near = _near_path(document, path)
    hint = (
        f"; did you mean {near}?"
        if near
        else f"; the document's paths begin with {document.base_path or '/'}."
    )
    yield GuardObservation("unknown-path", f"{told} is no path of the document{hint}", "/paths")


def _near_path(document: Document, path: str) -> str:
    """The known path that is meant: one that the path ends with, else one that looks like it."""
    for tail in path_parts(path):
        if methods := document.methods(document.base_path + tail):
            match = document.match(methods[0], document.base_path + tail)
            return document.base_path + match.operation.path if match else ""
    known = [document.base_path + operation.path for operation in document.operations]
    return next(iter(get_close_matches(path, known, n=1, cutoff=ALIKE)), "")


def path_parts(path: str) -> list[str]:
    """`/a/b/c` -> `/a/b/c`, `/b/c`, `/c`."""
    parts = path.split("/")[1:]
    return ["/" + "/".join(parts[i:]) for i in range(len(parts))]


def name_of(document: Document, call: WatchedCall, path: str) -> str:
    """A call as people name it, without anything secret: method and template, or the path that no
    operation has.
    """
    match = document.match(call.method, path)
    if match:
        return f"{call.method} {document.base_path}{match.operation.path}"
    secret = secret_of(document, call)
    shown = path.replace(secret, "***") if secret else path
    return f"{call.method[:20]} {ascii(hide_tokens(shown[:400])[:200])[1:-1]}"


def _body(
    document: Document, operation: Operation, call: WatchedCall
) -> Iterator[GuardObservation]:
    request = operation.request
    if request is None or (call.body == b"" and not request.obliged):
        return
    labelled = True
    if call.body != b"":
        try:
            check_media_type(call.headers.get("content-type"))
        except WireError as error:
            labelled = False
            yield GuardObservation("media-type", str(error), request.pointer)
    if call.body is None or "content-encoding" in call.headers:
        return
    try:
        body = read_json(call.body)
    except WireError as error:
        if labelled:
            yield GuardObservation("malformed-body", str(error), request.pointer)
        return
    if not isinstance(body, dict):
        yield GuardObservation(
            "malformed-body",
            f"The body must be a JSON object, not {describe(body)[:20]}.",
            request.pointer,
        )
        return
    for violation in request_violations(operation, body):
        yield _broken("request-violation", document, request.pointer, violation)
    yield from _misspelt(document, operation, body)


def _broken(rule: str, document: Document, pointer: str, violation: Violation) -> GuardObservation:
    """A violation, at the place where the document declares the field."""
    first = violation.pointer.split("/")[1:2]
    name = first[0].replace("~1", "/").replace("~0", "~") if first else ""
    told = f"{in_words((violation,))} {violation.hint}".strip()
    return GuardObservation(rule, told, _declaration(document, pointer, name), violation.field)


def _declaration(document: Document, pointer: str, name: str) -> str:
    """Where the schema at `pointer` declares a field; `pointer` itself when it does not."""
    declared = properties_at(document.tree, {"$ref": "#" + pointer}, pointer)
    return declared[name][1] if name in declared else pointer


def _misspelt(
    document: Document, operation: Operation, body: Mapping[str, Any]
) -> Iterator[GuardObservation]:
    """Undeclared fields that look like one that is not there. Whatever else is undeclared is the
    client's own business.
    """
    request = operation.request
    if request is None or not request.properties:
        return
    declared = request.properties
    known = {_plain(name): name for name in (*UNDECLARED, *declared) if name not in body}
    for name in body:
        near = get_close_matches(_plain(name), known, n=1, cutoff=ALIKE)
        if (
            name in declared
            or name in UNDECLARED
            or not near
            or _goes_further(name, known[near[0]])
        ):
            continue
        meant = known[near[0]]
        place = _declaration(document, request.pointer, meant)
        shown = ascii(hide_tokens(name[:400])[:60])[1:-1]
        yield GuardObservation(
            "misspelt-field",
            f"{shown} is no field of this operation; did you mean {meant}?",
            place,
            shown,
        )


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _goes_further(name: str, known: str) -> bool:
    """safety_checker_type is another field than safety_checker, not a wrong spelling of it."""
    return set(known.split("_")) < set(name.split("_"))


def reply_findings(
    document: Document, call: WatchedCall, path: str, came: HttpResponse
) -> Iterator[GuardObservation]:
    """Every rule that a reply breaks, whoever gave it.

    Not judged: redirects, HEAD, codes that the document declares with a schema of their own, what
    our own mock was asked to say wrongly, and what comes from before the API: errors that are no
    JSON object, and 5xx without a status.
    """
    match = document.match(call.method, path)
    if (
        match is None
        or match.operation.reply is None
        or call.method == "HEAD"
        or any(name in came.headers for name in ON_PURPOSE)
    ):
        return
    operation, is_error = match.operation, came.code >= 400
    if (
        came.code in operation.error_codes
        or (is_error and not operation.variants)
        or not (200 <= came.code < 300 or is_error)
    ):
        return
    try:
        body = read_json(came.body)
    except WireError as error:
        if not is_error:
            yield GuardObservation(
                "reply-violation", str(error).partition(";")[0].rstrip(".") + ".", operation.pointer
            )
        return
    if is_error and not isinstance(body, dict):
        return
    word = body.get(operation.conventions.fields.status) if isinstance(body, dict) else None
    if came.code >= 500 and word is None:
        return
    variant = operation.variants.get(word) if isinstance(word, str) else None
    pointer = (
        variant.pointer
        if variant
        else operation.reply.pointer
        if operation.reply
        else operation.pointer
    )
    secret = json.dumps(secret_of(document, call))[1:-1].encode()
    for violation in response_violations(operation, body):
        told = _broken("reply-violation", document, pointer, violation)
        yield (
            told._replace(message=f"{told.field} breaks {violation.keyword}.")
            if secret and secret in came.body
            else told
        )
