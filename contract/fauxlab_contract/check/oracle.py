"""The oracle: it reads a reply's body. HTTP 200 says nothing; `processing` and `success` are
acceptance, `error` is refusal.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from fauxlab_contract.check.options import Options
from fauxlab_contract.core.conventions import Conventions
from fauxlab_contract.core.http import HttpRequest, HttpResponse
from fauxlab_contract.core.strict_json import WireError, read_json
from fauxlab_contract.core.violation import Violation, describe
from fauxlab_contract.openapi.operation import Operation
from fauxlab_contract.validation.bodies import response_violations

__all__ = ["ObservedReply", "judge", "problem_of_numbers", "read_reply"]

ReplyOutcome = Literal["accepted", "refused", "broken"]
Observation = tuple[str, str, str]  # rule, place, message
# that a client may be prepared for
ERROR_CODES = frozenset({400, 401, 402, 403, 404, 409, 415, 422, 429, 500, 503})
# said about HTTP itself, by whatever stands before the API
BELOW_THE_CONTRACT = frozenset({405, 408, 411, 413, 414, 431})


@dataclass(frozen=True, slots=True)
class ObservedReply:
    """One request to an operation and what came: `body` is empty when it was no JSON object,
    `problem` says so.

    `outcome` is read from the status word, not from the HTTP code: accepted, refused, or broken,
    when it is neither.
    """

    operation: Operation
    sent: HttpRequest = field(repr=False)
    came: HttpResponse
    body: dict[str, Any]
    problem: str
    outcome: ReplyOutcome

    @property
    def word(self) -> Any:
        return self.body.get(self.operation.conventions.fields.status)

    @property
    def eta_s(self) -> float | None:
        return _number(self.body.get(self.operation.conventions.fields.eta))

    @property
    def retry_after(self) -> float | None:
        return _number(self.body.get(self.operation.conventions.fields.retry_after))

    @property
    def message(self) -> str:
        names = self.operation.conventions.fields
        return str(self.body.get(names.message) or self.body.get(names.legacy_message) or "")

    @property
    def is_unknown(self) -> bool:
        """Does it say that there is no such job?"""
        conventions = self.operation.conventions
        told = any(word in self.message.casefold() for word in conventions.unknown_words)
        return self.outcome == "refused" and (told or self.body.get(conventions.fields.id) == "")

    @property
    def is_busy(self) -> bool:
        """Was it refused for now, whatever was asked?"""
        said = self.message.casefold()
        is_told = any(word in said for word in self.operation.conventions.busy_words)
        is_error = self.operation.kind != "fetch" and self.outcome == "refused"
        return is_error and (self.retry_after is not None or self.came.code == 429 or is_told)


def _number(value: Any) -> float | None:
    return (
        value
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0
        else None
    )


def read_reply(operation: Operation, sent: HttpRequest, came: HttpResponse) -> ObservedReply:
    """Read an answer as a reply of an operation."""
    body, problem = _object(came)
    words = operation.conventions.words
    word = body.get(operation.conventions.fields.status)
    outcome: ReplyOutcome = "broken"
    if word in (words.processing, words.success):
        outcome = "accepted"
    elif word in (words.error, words.failed) or (400 <= came.code < 500 and word is None):
        outcome = "refused"
    elif not operation.variants and 200 <= came.code < 300:
        outcome = "accepted"
    return ObservedReply(operation, sent, came, body, problem, outcome)


def _object(came: HttpResponse) -> tuple[dict[str, Any], str]:
    if came.error:
        return {}, came.error
    try:
        value = read_json(came.body)
    except WireError as error:
        return {}, str(error)
    return (
        (value, "") if isinstance(value, dict) else ({}, f"it is {describe(value)}, not an object")
    )


def judge(reply: ObservedReply, options: Options) -> Iterator[Observation]:
    """What one reply breaks by itself, as (rule, place in the document, message)."""
    came, operation = reply.came, reply.operation
    if came.error or came.code >= 500:
        if not (reply.is_busy and came.code == 503):
            yield "crash", operation.pointer, f"{operation.name} was answered by {_shown(came)}."
        if came.error:
            return
    yield from _key_echoed(reply, options)
    yield from _code(reply, options)
    if reply.problem:
        yield (
            "reply-not-json",
            operation.pointer,
            f"The reply of {operation.name} is no JSON object: {reply.problem}",
        )
        return
    if "json" not in came.headers.get("content-type", ""):
        yield (
            "reply-media-type",
            operation.pointer,
            f"The reply is labelled {came.headers.get('content-type', 'not at all')[:60]!a}.",
        )
    for violation in reply_violations(reply, options.profile):
        yield (
            "reply-schema",
            _branch_pointer(reply) + violation.pointer,
            _sentence(reply, violation),
        )
    yield from _beyond_schema(reply)


def _shown(came: HttpResponse) -> str:
    return came.error or f"HTTP {came.code}"


def _key_echoed(reply: ObservedReply, options: Options) -> Iterator[Observation]:
    text = reply.came.body.decode("utf-8", "replace") + "".join(reply.came.headers.values())
    for key in (options.key, options.other_key):
        if key and (key in text or json.dumps(key)[1:-1] in text):
            yield (
                "key-echoed",
                reply.operation.pointer,
                f"The key stands in a reply of {reply.operation.name}.",
            )


def _code(reply: ObservedReply, options: Options) -> Iterator[Observation]:
    operation, code = reply.operation, reply.came.code
    declared = code == operation.code or code in operation.error_codes
    if reply.outcome == "refused" and code in BELOW_THE_CONTRACT:
        return
    if reply.outcome != "refused":
        if not declared and code < 500:
            yield (
                "http-code",
                operation.pointer,
                f"{_what(reply)} came with HTTP {code}, not {operation.code}.",
            )
    elif options.errors == "envelope" and not declared:
        yield (
            "http-code",
            operation.pointer,
            (
                f"An error came with HTTP {code}; the document declares {operation.code} for errors"
                " too."
            ),
        )
    elif (
        options.errors == "status"
        and code < 400
        and reply.word == operation.conventions.words.error
    ):
        yield (
            "http-code",
            operation.pointer,
            f"An error came with HTTP {code}, not with a code of its own (--errors status).",
        )
    elif options.errors == "status" and code >= 400 and code not in ERROR_CODES:
        yield (
            "http-code",
            operation.pointer,
            f"An error came with HTTP {code}, which no source names.",
        )
    elif options.errors == "any" and not declared and code < 500:
        rule = "undeclared-code" if code in ERROR_CODES else "http-code"
        message = f"An error came with HTTP {code}; the document declares {operation.code} alone."
        yield rule, f"{operation.pointer}/responses/{code}", message


def _what(reply: ObservedReply) -> str:
    return f"{reply.word!a:.40}" if isinstance(reply.word, str) else "A reply without a status"


def reply_violations(reply: ObservedReply, profile: str) -> tuple[Violation, ...]:
    """strict: the branch that the status names, and what is promised beside the schema; as-written:
    the schema alone.
    """
    operation = reply.operation
    if (
        reply.outcome == "refused"
        and reply.word == operation.conventions.words.error
        and reply.word not in operation.variants
    ):
        return ()
    if profile == "as-written":
        return operation.reply.violations(reply.body) if operation.reply else ()
    return response_violations(operation, reply.body)


def _branch_pointer(reply: ObservedReply) -> str:
    variant = reply.operation.variants.get(reply.word) if isinstance(reply.word, str) else None
    return variant.pointer if variant else reply.operation.pointer


def _sentence(reply: ObservedReply, violation: Violation) -> str:
    return (
        f"A {reply.word if isinstance(reply.word, str) else ''} reply of {reply.operation.name}:"
        f" {violation}".replace("  ", " ")
    )


def problem_of_numbers(body: Mapping[str, Any], conventions: Conventions) -> Iterator[Observation]:
    """(rule, field, message) for seconds below 0, which no schema forbids."""
    names = conventions.fields
    for rule, name in (("generation-time", names.generation_time), ("eta", names.eta)):
        seconds = body.get(name)
        if isinstance(seconds, (int, float)) and seconds < 0:
            yield rule, name, f"{name} is {seconds}, below 0."


def _beyond_schema(reply: ObservedReply) -> Iterator[Observation]:
    names, where = reply.operation.conventions.fields, _branch_pointer(reply)
    for rule, name, problem in problem_of_numbers(reply.body, reply.operation.conventions):
        yield rule, f"{where}/{name}", problem
    if reply.outcome == "refused" and reply.body and not reply.message.strip():
        yield (
            "reply-schema",
            f"{where}/{names.message}",
            f"An error of {reply.operation.name} says nothing in {names.message}.",
        )
