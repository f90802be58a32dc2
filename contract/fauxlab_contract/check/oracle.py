"""The oracle: what a reply means, and what is wrong with it on its own.

It reads the body: `processing` and `success` are acceptance, `error` is refusal, HTTP 200 says
nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from fauxlab_contract.check.options import Options
from fauxlab_contract.core.conventions import OWN_TITLE, Conventions
from fauxlab_contract.core.http import HttpRequest, HttpResponse
from fauxlab_contract.core.pointers import parts_of
from fauxlab_contract.core.secrets import secret_in
from fauxlab_contract.core.strict_json import WireError, read_json
from fauxlab_contract.core.violation import Violation, describe
from fauxlab_contract.openapi.operation import Operation
from fauxlab_contract.openapi.schema import Schema
from fauxlab_contract.validation.bodies import response_violations

__all__ = [
    "ObservedReply",
    "error_shapes",
    "judge",
    "meta_problems",
    "problem_of_numbers",
    "read_reply",
    "reply_violations",
    "shapes_of_reply",
]

ReplyOutcome = Literal["accepted", "refused", "broken"]
Observation = tuple[str, str, str]  # rule, place in the document, message
# Codes of errors that a client may be prepared for.
ERROR_CODES = frozenset({400, 401, 402, 403, 404, 409, 415, 422, 429, 500, 503})
ERROR_MARKS = ("error", "failed", "failure")  # constants of errors where nothing has a role
SUCCESS_FLAGS = ("success", "ok")
ENVELOPE_CODE = 200  # in which APIs like this one send their errors
TOO_LARGE = frozenset({413, 414, 431})  # what stands before the API often says so with a page
# Codes that say something about HTTP itself; what stands before the API may send them.
BELOW_THE_CONTRACT = frozenset({405, 408, 411, 413, 414, 431})


@dataclass(frozen=True, slots=True)
class ObservedReply:
    """One request to an operation and what came.

    If the body is not a JSON object, `body` is empty and `problem` says why. `outcome` is read from
    the status in the body, not from the HTTP code; broken is neither accepted nor refused.
    """

    operation: Operation
    sent: HttpRequest = field(repr=False)
    came: HttpResponse
    body: dict[str, Any]
    problem: str
    outcome: ReplyOutcome

    @property
    def word(self) -> Any:
        """The status in the body."""
        return self.body.get(self.operation.conventions.fields.status)

    @property
    def eta_s(self) -> float | None:
        """The eta in seconds; None if there is none, or a negative one."""
        return _number(self.body.get(self.operation.conventions.fields.eta))

    @property
    def retry_after(self) -> float | None:
        """The seconds to wait after a refusal; None if it does not say."""
        return _number(self.body.get(self.operation.conventions.fields.retry_after))

    @property
    def message(self) -> str:
        """The server's sentence; empty if there is none."""
        names = self.operation.conventions.fields
        sentence = self.body.get(names.message) or self.body.get(names.legacy_message)
        return str(sentence or "")

    @property
    def said(self) -> str:
        """What a refusal says, to be quoted: its sentence, else what frameworks say in `detail`."""
        sentence = self.message or self.body.get("detail")
        if not sentence:
            return "no message"
        text = sentence if isinstance(sentence, str) else json.dumps(sentence)
        return repr(text[:200])

    @property
    def of_fauxlab(self) -> str:
        """What fauxlab's mock says in its own name; empty for a reply of the API."""
        return str(self.body.get("detail", "")) if self.body.get("title") == OWN_TITLE else ""

    @property
    def is_unknown(self) -> bool:
        """True for a refusal that says that there is no such job."""
        conventions = self.operation.conventions
        message = self.message.casefold()
        is_said = any(word in message for word in conventions.unknown_words)
        has_empty_id = self.body.get(conventions.fields.id) == ""
        return self.outcome == "refused" and (is_said or has_empty_id)

    @property
    def is_echo(self) -> bool:
        """True for a reply that is no JSON for the same reason as the request, such as NaN."""
        return (
            bool(self.problem) and self.came.code < 400 and self.problem == _fault(self.sent.body)
        )

    @property
    def is_busy(self) -> bool:
        """True for a refusal that any request would get now, such as a full queue."""
        if self.operation.kind == "fetch" or self.outcome != "refused":
            return False
        message = self.message.casefold()
        is_said = any(word in message for word in self.operation.conventions.busy_words)
        return self.retry_after is not None or self.came.code == 429 or is_said


def _number(value: Any) -> float | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if is_number and value >= 0 else None


def read_reply(operation: Operation, sent: HttpRequest, came: HttpResponse) -> ObservedReply:
    """Read a response as a reply of an operation."""
    body, problem = _object(came)
    word = body.get(operation.conventions.fields.status)
    outcome = _outcome(operation, came.code, word)
    if outcome == "accepted" and not operation.variants:
        outcome = _outcome_by_shape(operation, body)
    return ObservedReply(operation, sent, came, body, problem, outcome)


def _outcome(operation: Operation, code: int, word: Any) -> ReplyOutcome:
    words = operation.conventions.words
    if word in (words.processing, words.success):
        return "accepted"
    if word in (words.error, words.failed):
        return "refused"
    if 400 <= code < 500 and (word is None or not operation.is_success(code)):
        return "refused"
    if not operation.variants and 200 <= code < 300:
        return "accepted"
    return "broken"


def _outcome_by_shape(operation: Operation, body: Mapping[str, Any]) -> ReplyOutcome:
    """Return what a reply with 2xx means where nothing has the role of a status.

    Of several shapes, those of errors are refusals; if none is told by a constant, it stays open.
    """
    shapes = shapes_of_reply(operation)
    if len(shapes) < 2:
        return "accepted"
    errors = error_shapes(operation)
    fitting = [shape for shape in shapes if shape.validator.is_valid(body)]
    if not errors or not fitting:
        return "broken"
    return "refused" if all(shape in errors for shape in fitting) else "accepted"


def shapes_of_reply(operation: Operation) -> list[Schema]:
    """Return the branches of the reply that means success; `[]` for one shape."""
    schema = operation.reply_schema
    return [branch.resolved for branch in schema.resolved.branches] if schema else []


def error_shapes(operation: Operation) -> list[Schema]:
    """Return the branches that a constant marks as errors, such as `state: error`."""
    words = operation.conventions.words
    marks = {words.error, words.failed, *ERROR_MARKS}
    return [shape for shape in shapes_of_reply(operation) if _is_marked(shape, marks)]


def _is_marked(shape: Schema, marks: Collection[str]) -> bool:
    for name, member in shape.properties.items():
        keywords = member.resolved.keywords
        listed = keywords.get("enum", [keywords["const"]] if "const" in keywords else [])
        if name in SUCCESS_FLAGS and listed == [False]:
            return True
        if listed and all(isinstance(one, str) and one.casefold() in marks for one in listed):
            return True
    return False


def _object(came: HttpResponse) -> tuple[dict[str, Any], str]:
    """Return (the body, ""), or ({}, why it is not a JSON object)."""
    if came.error:
        return {}, came.error
    try:
        value = read_json(came.body)
    except WireError as error:
        if error.rule != "integer-range":
            return {}, str(error)
        value = json.loads(came.body)  # JSON all the same: Node writes 2^63 as 9223372036854776000
    if not isinstance(value, dict):
        return {}, f"it is {describe(value)}, not an object"
    return value, ""


def _fault(body: bytes) -> str:
    """Return why bytes are no JSON; empty if they are."""
    try:
        read_json(body)
    except WireError as error:
        return str(error)
    return ""


def judge(reply: ObservedReply, options: Options) -> Iterator[Observation]:
    """Yield what is wrong with one reply on its own: (rule, place in the document, message)."""
    came, operation = reply.came, reply.operation
    is_told_to_wait = reply.is_busy and came.code == 503
    if (came.error or came.code >= 500) and not is_told_to_wait:
        answer = came.error or f"HTTP {came.code}"
        yield "crash", operation.pointer, f"{operation.name} was answered by {answer}."
        yield from _key_echoed(reply, options)
        return  # what else is wrong with such an answer comes of this
    yield from _key_echoed(reply, options)
    yield from _code(reply, options.errors)
    if reply.problem:
        if reply.is_echo or came.code in TOO_LARGE:
            return  # that the request was taken is the fault; or it never came to the API
        message = f"The reply of {operation.name} is not a JSON object: {reply.problem}"
        yield "reply-not-json", operation.pointer, message
        return
    media_type = came.headers.get("content-type", "not at all")
    if "json" not in media_type:
        message = f"The reply is labelled {media_type[:60]!a}."
        yield "reply-media-type", operation.pointer, message
    for violation in () if came.code >= 500 else reply_violations(reply, options.profile):
        yield "reply-schema", _member_pointer(reply, violation.pointer), _sentence(reply, violation)
    yield from _beyond_schema(reply)


def _key_echoed(reply: ObservedReply, options: Options) -> Iterator[Observation]:
    headers = "".join(reply.came.headers.values())
    text = reply.came.body.decode("utf-8", "replace") + headers
    for key in map(secret_in, (options.key, options.other_key)):
        if key and (key in text or json.dumps(key)[1:-1] in text):
            yield (
                "key-echoed",
                reply.operation.pointer,
                f"The key is in a reply of {reply.operation.name}.",
            )


def _code(reply: ObservedReply, errors: str) -> Iterator[Observation]:
    """Check the HTTP code; `errors` says how the server answers with errors."""
    operation, code = reply.operation, reply.came.code
    if reply.outcome != "refused":
        if not _is_declared(reply) and code < 500:
            message = f"{_what(reply)} came with HTTP {code}, not {operation.code}."
            yield "http-code", operation.pointer, message
        return
    if code not in BELOW_THE_CONTRACT:
        yield from ERROR_CODE_CHECKS[errors](reply)


def _is_declared(reply: ObservedReply) -> bool:
    code = reply.came.code
    return code == reply.operation.code or reply.operation.reply_for(code) is not None


def _in_envelope(reply: ObservedReply) -> Iterator[Observation]:
    if not _is_declared(reply):
        operation = reply.operation
        declared = f"the document declares {operation.code} for errors too."
        message = f"An error came with HTTP {reply.came.code}; {declared}"
        yield "http-code", operation.pointer, message


def _by_status(reply: ObservedReply) -> Iterator[Observation]:
    operation, code = reply.operation, reply.came.code
    if code < 400 and reply.word == operation.conventions.words.error:
        message = f"An error came with HTTP {code}, not with an error code (--errors status)."
        yield "http-code", operation.pointer, message
    if code >= 400 and code not in ERROR_CODES:
        message = f"An error came with HTTP {code}, which no source names."
        yield "http-code", operation.pointer, message


def _by_any_code(reply: ObservedReply) -> Iterator[Observation]:
    operation, code = reply.operation, reply.came.code
    is_open = code == ENVELOPE_CODE and not operation.error_codes  # nothing says how errors come
    if not _is_declared(reply) and code < 500 and not is_open:
        rule = "undeclared-code" if code in ERROR_CODES else "http-code"
        codes = [str(each) for each in sorted({operation.code, *operation.error_codes})]
        declared = " and ".join([", ".join(codes[:-1]), codes[-1]] if codes[1:] else codes)
        message = f"An error came with HTTP {code}; the document declares only {declared}."
        yield rule, f"{operation.pointer}/responses/{code}", message


# How the server answers with errors (--errors) -> the check of the code of an error.
ERROR_CODE_CHECKS: Mapping[str, Callable[[ObservedReply], Iterator[Observation]]] = {
    "any": _by_any_code,
    "envelope": _in_envelope,
    "status": _by_status,
}


def _what(reply: ObservedReply) -> str:
    """Return the status of a reply as the subject of a sentence."""
    if isinstance(reply.word, str):
        return f"{reply.word!a:.40}"
    return "A reply without a status"


def reply_violations(reply: ObservedReply, profile: str) -> tuple[Violation, ...]:
    """Return what a reply breaks of its schema.

    strict: the branch that its status names, and what is promised beside the schema. as-written:
    the schema alone. Where the document declares the code of an error, its schema is what counts.
    """
    operation = reply.operation
    is_error = reply.outcome == "refused" and reply.word == operation.conventions.words.error
    is_own = not operation.is_success(reply.came.code)  # the code has a schema of its own
    if is_error and not is_own and reply.word not in operation.variants:
        return ()
    if profile == "as-written" and not is_own:
        return operation.reply.violations(reply.body) if operation.reply else ()
    return response_violations(operation, reply.body, reply.came.code)


def _member_pointer(reply: ObservedReply, pointer: str) -> str:
    """Return where the document declares what stands at a pointer into a reply, or around it."""
    operation = reply.operation
    variant = operation.variants.get(reply.word) if isinstance(reply.word, str) else None
    schema = variant.schema if variant else operation.reply_schema
    if schema is None:
        return operation.pointer
    for part in parts_of(pointer):
        items = Schema.of(schema.resolved.member("items"))
        below = schema.properties.get(part, items if part.isdigit() else None)
        if below is None or below.value is None:
            break
        schema = below
    return schema.pointer


def _sentence(reply: ObservedReply, violation: Violation) -> str:
    word = f" {reply.word}" if isinstance(reply.word, str) else ""
    return f"A{word} reply of {reply.operation.name}: {violation}"


def problem_of_numbers(body: Mapping[str, Any], conventions: Conventions) -> Iterator[Observation]:
    """Yield (rule, field, message) for seconds below 0, which no schema forbids."""
    names = conventions.fields
    for rule, name in (("generation-time", names.generation_time), ("eta", names.eta)):
        seconds = body.get(name)
        if isinstance(seconds, (int, float)) and seconds < 0:
            yield rule, name, f"{name} is {seconds}, below 0."


def meta_problems(
    operation: Operation, asked: Mapping[str, Any], body: Mapping[str, Any]
) -> Iterator[str]:
    """Yield what differs between meta and the request: numbers, and a prompt that is cut."""
    names = operation.conventions.fields
    meta = body.get(names.meta)
    if not isinstance(meta, dict):
        return
    for name, sent in asked.items():
        shown = meta.get(name)
        is_number = type(sent) in (int, float) and name != names.track_id
        is_cut = name == names.prompt and isinstance(shown, str) and sent not in shown
        is_other = is_number and not _same_number(shown, sent)
        if shown is not None and (is_cut or is_other):
            yield f"{names.meta} shows {name} as {describe(shown)}, sent was {describe(sent)}."


def _same_number(shown: Any, sent: float) -> bool:
    try:
        return float(shown) == float(sent)
    except (TypeError, ValueError):
        return False


def _beyond_schema(reply: ObservedReply) -> Iterator[Observation]:
    """Yield what is wrong although the schema allows it: negative seconds, an empty message."""
    names = reply.operation.conventions.fields
    for rule, name, problem in problem_of_numbers(reply.body, reply.operation.conventions):
        yield rule, _member_pointer(reply, f"/{name}"), problem
    is_own = not reply.operation.is_success(reply.came.code)  # which may have no message
    has_role = bool(reply.operation.variants)  # else nothing says which member is the message
    is_mute = reply.outcome == "refused" and reply.body and not reply.message.strip()
    if is_mute and has_role and not is_own:
        yield (
            "reply-schema",
            _member_pointer(reply, f"/{names.message}"),
            f"An error of {reply.operation.name} says nothing in {names.message}.",
        )
