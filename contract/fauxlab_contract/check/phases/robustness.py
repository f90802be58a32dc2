"""The phase that sends what no client should.

Each request must be refused with a sentence, and the server must stay alive.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from fauxlab_contract.check.jobs.following import poll
from fauxlab_contract.check.jobs.links import look_again
from fauxlab_contract.check.jobs.observed_job import ObservedJob
from fauxlab_contract.check.oracle import ObservedReply
from fauxlab_contract.check.parameters import takes_key
from fauxlab_contract.check.phases.jobs import small_body
from fauxlab_contract.check.phases.unusual import UNUSUAL, declared_type, try_unusual
from fauxlab_contract.check.plan import Step
from fauxlab_contract.check.probe import Probe
from fauxlab_contract.core.conventions import UNDECLARED
from fauxlab_contract.core.http import JSON_TYPE
from fauxlab_contract.core.strict_json import WireError, read_json
from fauxlab_contract.generation.shapes import kinds_of, shape_of
from fauxlab_contract.generation.smallest import has_valid_body
from fauxlab_contract.openapi.document import Document
from fauxlab_contract.openapi.operation import Operation

__all__ = ["robustness"]

JSON = JSON_TYPE["content-type"]
# Makes the bytes to send from a valid body and the name of one of its fields.
MakeBytes = Callable[[dict[str, Any], str], bytes]
LARGE_BYTES = 12 * 2**20
LENIENT, LABEL = "lenient-json", "media-type-ignored"


@dataclass(frozen=True, slots=True)
class Malformed:
    """How to spoil a valid request.

    `rule` is broken when it is accepted; it is empty where only a crash is a fault. `media` is the
    Content-Type, None for no such header; `made_by` is a shell command that prints a long body.
    """

    label: str
    make: MakeBytes
    media: str | None = JSON
    rule: str = "malformed-accepted"
    made_by: str = ""
    rank: int = 5


def _text(body: Mapping[str, Any], _: str) -> bytes:
    return json.dumps(body).encode()


def _with(token: str) -> MakeBytes:
    """Replace one field's value by a token that is not JSON, or by JSON that needs care."""

    def make(body: Mapping[str, Any], name: str) -> bytes:
        marked = json.dumps({**body, name: "@"})
        return marked.replace('"@"', token).encode()

    return make


def _instead(data: bytes) -> MakeBytes:
    return lambda _, __: data


def _form(body: Mapping[str, Any], _: str) -> bytes:
    from urllib.parse import urlencode

    texts = {name: str(value) for name, value in body.items()}
    return urlencode(texts).encode()


def _twice(body: Mapping[str, Any], name: str) -> bytes:
    """Put the same key into the object twice: parsers differ in which of the values they take."""
    without_brace = json.dumps(body)[:-1]
    again = f"{json.dumps(name)}: {json.dumps(body[name])}"
    return f"{without_brace}, {again}}}".encode()


def _large(body: Mapping[str, Any], _: str) -> bytes:
    return json.dumps({**body, "padding": "x" * LARGE_BYTES}).encode()


_LARGE_BY = (
    f'python3 -c \'import json, sys; print(json.dumps({{"padding": "x" * {LARGE_BYTES}}}))\''
)


def _with_bad_byte(body: Mapping[str, Any], _: str) -> bytes:
    marked = json.dumps({**body, "padding": "@@"}).encode()
    return marked.replace(b"@@", b"\xc3(")


MALFORMED = (
    Malformed("JSON that ends too early", lambda body, name: _text(body, name)[:-1], rank=3),
    Malformed(
        "JSON with a comma too many",
        lambda body, name: _text(body, name)[:-1] + b",}",
        rule=LENIENT,
    ),
    Malformed(
        "JSON in single quotes",
        lambda body, name: _text(body, name).replace(b'"', b"'"),
        rule=LENIENT,
    ),
    Malformed("something behind the JSON", lambda body, name: _text(body, name) + b"x"),
    Malformed(
        "a comment in the JSON", lambda body, name: b"/* */" + _text(body, name), rule=LENIENT
    ),
    Malformed(
        "the object as a string", lambda body, name: json.dumps(_text(body, name).decode()).encode()
    ),
    Malformed("a byte that is not UTF-8 in a string", _with_bad_byte, rule=LENIENT),
    Malformed("two objects", lambda body, name: _text(body, name) * 2),
    Malformed(
        "an array around the body", lambda body, name: b"[" + _text(body, name) + b"]", rank=3
    ),
    Malformed("a text", _instead(b'"a text"')),
    Malformed("a number", _instead(b"5")),
    Malformed("null", _instead(b"null")),
    Malformed("an empty body", _instead(b"")),
    Malformed("bytes that are not text", _instead(b"\xff\xfe\x00\x81")),
    Malformed("a key twice", _twice, rank=3, rule=LENIENT),
    Malformed("a number beyond every double", _with("1e999")),
    Malformed("a number of 5,000 digits", _with("9" * 5_000)),
    Malformed("half a surrogate pair", _with('"\\ud800"'), rule=""),
    Malformed(
        "JSON in UTF-16",
        lambda body, name: _text(body, name).decode().encode("utf-16"),
        rule=LENIENT,
    ),
    Malformed("a byte order mark", lambda body, name: b"\xef\xbb\xbf" + _text(body, name), rule=""),
    Malformed("10,000 open brackets", _instead(b"[" * 10_000)),
    Malformed("arrays 10,000 deep", _with("[" * 10_000 + "]" * 10_000), rule=""),
    Malformed("text/plain", _text, "text/plain", rank=3, rule=LABEL),
    Malformed("no Content-Type", _text, None, rule=LABEL),
    Malformed("a form", _form, "application/x-www-form-urlencoded", rule=LABEL),
    Malformed("JSON labelled as a form", _text, "application/x-www-form-urlencoded", rule=LABEL),
    Malformed("application/jsonp", _text, "application/jsonp", rule=LABEL),
    Malformed("XML", _instead(b"<request/>"), "application/xml"),
    Malformed("12 MiB", _large, rule="", made_by=_LARGE_BY),
)
TOKENS = ("NaN", "Infinity", "-Infinity")
NOT_IMPLEMENTED = 501  # what RFC 9110 wants for a method that a server knows nowhere
# what a server need not see in a field that it does not read
UNREAD = ("a number beyond every double", "a number of 5,000 digits")
# what is sent to the fetch as well
OF_FETCH = [one for one in MALFORMED if one.label in ("JSON that ends too early", "a text")]
METHODS = ("GET", "PUT", "DELETE", "PATCH")


def robustness(document: Document, operation: Operation, fetch: Operation | None) -> Iterator[Step]:
    """Yield a step for each malformed request, each other method and path, and a valid request."""
    numbers = _number_fields(operation)
    # the last one is declared nowhere
    declared = numbers[-2] if len(numbers) > 1 else numbers[0]
    for malformed in MALFORMED:
        name = operation.conventions.fields.seed if malformed.make is _twice else declared
        yield _step(
            f"{operation.name}: {malformed.label}",
            partial(_spoiled, operation, _lenient(malformed, declared == numbers[-1]), name),
            malformed.rank,
        )
    if fetch is not None and takes_key(fetch):
        for malformed in OF_FETCH:
            run = partial(_spoiled_fetch, operation, fetch, malformed)
            yield _step(f"{operation.name}: fetch, {malformed.label}", run, 5)
    for token in TOKENS:
        for name in numbers:
            rule = LENIENT if name == numbers[-1] else "malformed-accepted"  # nobody reads it
            malformed = Malformed(f"{token} for {name}", _with(token), rule=rule)
            rank = 3 if (token, name) == (TOKENS[0], declared) else 6
            run = partial(_spoiled, operation, malformed, name)
            yield _step(f"{operation.name}: {malformed.label}", run, rank)
    yield _step(f"a path beside {operation.name}", partial(_no_path, operation), 6)
    for label, make, media in UNUSUAL:
        submits = int(operation.kind == "submit")
        run = partial(try_unusual, operation, label, make, media)
        yield _step(f"{operation.name}: {label}", run, 6, submits=submits)
    for method in METHODS:
        rank = 3 if method == "GET" else 6
        for asked in (operation, fetch):
            if asked is not None and method not in _methods(document, asked):
                run = partial(_other_method, operation, asked, method)
                yield _step(f"{method} instead of {asked.name}", run, rank)
    yield _step(
        f"{operation.name}: is it still alive?", partial(_alive, operation), 7, calls=3, submits=1
    )


def _lenient(malformed: Malformed, is_unread: bool) -> Malformed:
    return (
        replace(malformed, rule=LENIENT) if is_unread and malformed.label in UNREAD else malformed
    )


def _methods(document: Document, asked: Operation) -> set[str]:
    """Return the methods that the document declares for the path of an operation."""
    return {other.method for other in document.operations if other.path == asked.path}


def _step(
    label: str, run: Callable[[Probe], None], rank: int, calls: int = 1, submits: int = 0
) -> Step:
    return Step("robustness", label, run, calls, submits, rank)


def _number_fields(operation: Operation) -> list[str]:
    """Return the declared integers, then the declared numbers, then an undeclared field."""
    declared = operation.request.properties if operation.request else {}
    kinds = {name: kinds_of(shape_of(schema).keywords) for name, schema in declared.items()}
    integers = [name for name, kind in kinds.items() if kind == ["integer"]]
    numbers = [name for name, kind in kinds.items() if kind == ["number"]]
    undeclared = next((name for name in UNDECLARED if name not in declared), "not_declared")
    return [*integers, *numbers, undeclared]


def _spoiled(operation: Operation, malformed: Malformed, name: str, probe: Probe) -> None:
    """Send a malformed request; it must not be accepted."""
    body = small_body(probe, operation)
    if malformed.make is _twice and name not in body:
        name = next(iter(body), "")
    if malformed.make is _twice and not name:
        probe.note(f"robustness: {operation.name}: no field could be sent twice")
        return
    media = malformed.media and declared_type(operation, malformed.media)
    headers = {} if media is None else {"content-type": media}
    data = malformed.make(body, name)
    if _may_be_taken(operation, data, malformed.media):
        return  # it is what the document allows, such as no body at all
    sent = replace(probe.request(operation, data, headers=headers), made_by=malformed.made_by)
    reply = probe.ask(operation, sent)
    if malformed.rule and (reply.outcome == "accepted" or reply.is_echo):
        said, form = f"{malformed.label}: it was accepted.", malformed.label
        if form.partition(" ")[0] in TOKENS:
            form = "token"  # a parser takes all of them, wherever they stand
        probe.find(malformed.rule, said, reply, form=form)


def _spoiled_fetch(
    operation: Operation, fetch: Operation, malformed: Malformed, probe: Probe
) -> None:
    """Fetch a job with a body that is no JSON object; it tells no key, so it must be refused."""
    job = probe.first_jobs.get(operation.name)
    if job is None:
        return
    data = malformed.make(probe.smallest(fetch), probe.names.key)
    reply = probe.ask(fetch, probe.request(fetch, data, job_id=job.id))
    if reply.outcome == "accepted":
        label = malformed.label
        probe.find("malformed-accepted", f"fetch, {label}: it was accepted.", reply, form=label)


def _fetch_again(probe: Probe, job: ObservedJob) -> None:
    """Check that the first job is still known, and has not begun again."""
    before = job.last_word
    if not job.is_over or job.is_processing:
        return
    reply = poll(probe, job)
    if reply.word == probe.conventions.words.processing:
        said = f"it was {before}, and a later fetch says {reply.word}."
        probe.find("state-order", f"{job.label}: {said}", reply)


def _may_be_taken(operation: Operation, data: bytes, media: str | None) -> bool:
    """Return True if a body is not spoiled after all: it is empty, or as valid as before."""
    if not data:
        return operation.request is None or not operation.request.obliged
    if media != JSON:
        request = operation.request
        return request is not None and media in request.other_types  # a form, say
    try:
        body = read_json(data)
    except WireError:
        return False
    if isinstance(body, dict):
        return "padding" not in body and has_valid_body(operation, body)
    return operation.request is not None and operation.request.check.is_valid(body)


def _other_method(operation: Operation, asked: Operation, method: str, probe: Probe) -> None:
    """Send a request by another method: any refusal will do, but it must not make or tell a job."""
    job_id, body = None, small_body(probe, operation)
    if asked is not operation:
        job = probe.first_jobs.get(operation.name)
        job_id = job.id if job else 1
        body = {probe.names.key: probe.options.key}
    # the body goes with GET too: a server that does not look at the method takes it
    headers = {**JSON_TYPE, "connection": "close"}  # so that an unread body disturbs nothing
    data = json.dumps(body).encode()
    request = replace(probe.request(asked, data, job_id=job_id, headers=headers), method=method)
    reply = probe.look(asked, request)
    path_pointer = asked.pointer.rpartition("/")[0]
    where = f"{path_pointer}/{method.lower()}"
    _must_refuse(probe, reply, f"{method} on {asked.path}", where, method)


def _nowhere(operation: Operation, probe: Probe) -> str:
    """Return an address that no operation of the document has, beside or below this one's.

    Empty if they have both: `/jobs/7_not_there` is an address of `/jobs/{id}`.
    """
    url, base = probe.url(operation), probe.target.url
    for address in (f"{url}_not_there", f"{url}/not/there"):
        path = probe.document.base_path + address.removeprefix(base)
        if probe.document.match(operation.method, path) is None:
            return address
    return ""


def _no_path(operation: Operation, probe: Probe) -> None:
    """Send a valid request to a path that is not in the document; it must not create a job."""
    data, url = json.dumps(small_body(probe, operation)).encode(), _nowhere(operation, probe)
    if not url:
        probe.note(f"robustness: {operation.name}: every path near it is one of the document's")
        return
    reply = probe.look(operation, replace(probe.request(operation, data), url=url))
    _must_refuse(probe, reply, "An unknown path", "", "path")


def _must_refuse(probe: Probe, reply: ObservedReply, what: str, where: str, form: str) -> None:
    """Add a finding for a request outside the document that crashed the server or was accepted."""
    code = reply.came.code
    if reply.came.error or (code >= 500 and code != NOT_IMPLEMENTED):
        said = f"{what} was answered by {reply.came.error or code}."
        probe.find("crash", said, reply)
    elif reply.outcome == "accepted" or (reply.outcome == "broken" and 200 <= code < 300):
        said = f"{what} was answered with HTTP {code}."
        probe.find("method-accepted", said, reply, where, "" if where else form)


def _alive(operation: Operation, probe: Probe) -> None:
    """Check that a valid request is answered, and that the first job's link serves the same."""
    job = probe.first_jobs.get(operation.name)
    if job is not None:
        look_again(probe, job)
        _fetch_again(probe, job)
    reply = probe.post(operation, small_body(probe, operation))
    if reply.outcome == "refused" and not _was_taken(probe, operation):
        return  # as from the start
    is_dead = bool(reply.came.error) or reply.came.code >= 500 or reply.outcome == "refused"
    if is_dead and not reply.is_busy:
        answer = reply.message[:100] or reply.came.error or f"HTTP {reply.came.code}"
        said = f"After all this a valid request is answered with {answer!r}."
        probe.find("crash", said, reply, form="alive")


def _was_taken(probe: Probe, operation: Operation) -> bool:
    """Return True if a small body was accepted before."""
    before = probe.plain_replies.get(operation.name)
    return operation.name in probe.first_jobs or (
        before is not None and before.outcome == "accepted"
    )
