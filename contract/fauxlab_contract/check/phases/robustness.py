"""The phase that sends what no client should: each must be refused in so many words, and the server
must go on living.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from fauxlab_contract.check.observed_job import look_again
from fauxlab_contract.check.phases.lifecycle import small_body
from fauxlab_contract.check.phases.single_bodies import PICTURE
from fauxlab_contract.check.picture import FACE
from fauxlab_contract.check.plan import Step
from fauxlab_contract.check.probe import Probe
from fauxlab_contract.core.conventions import UNDECLARED
from fauxlab_contract.core.http import JSON_TYPE, HttpRequest
from fauxlab_contract.openapi.operation import Operation

__all__ = ["robustness"]

JSON = JSON_TYPE["content-type"]
MakeBytes = Callable[
    [dict[str, Any], str], bytes
]  # from a valid body and the name of a field of it
LARGE_BYTES = 12 * 2**20


@dataclass(frozen=True, slots=True)
class Malformed:
    """How to spoil a valid request. `must_be_refused` is False where only a crash is a fault.
    `media` of None: no such header.
    """

    label: str
    make: MakeBytes
    media: str | None = JSON
    must_be_refused: bool = True
    made_by: str = ""
    rank: int = 5


def _text(body: Mapping[str, Any], _: str) -> bytes:
    return json.dumps(body).encode()


def _with(token: str) -> MakeBytes:
    """One field's value replaced by a token that is no JSON, or by JSON that needs care."""
    return lambda body, name: json.dumps({**body, name: "@"}).replace('"@"', token).encode()


def _instead(data: bytes) -> MakeBytes:
    return lambda _, __: data


def _form(body: Mapping[str, Any], _: str) -> bytes:
    from urllib.parse import urlencode

    return urlencode({name: str(value) for name, value in body.items()}).encode()


def _twice(body: Mapping[str, Any], name: str) -> bytes:
    """The same key twice in one object: parsers differ in which of the values they take."""
    return f"{json.dumps(body)[:-1]}, {json.dumps(name)}: {json.dumps(body[name])}}}".encode()


def _large(body: Mapping[str, Any], _: str) -> bytes:
    return json.dumps({**body, "padding": "x" * LARGE_BYTES}).encode()


_LARGE_BY = (
    f'python3 -c \'import json, sys; print(json.dumps({{"padding": "x" * {LARGE_BYTES}}}))\''
)


def _with_bad_byte(body: Mapping[str, Any], _: str) -> bytes:
    return json.dumps({**body, "padding": "@@"}).encode().replace(b"@@", b"\xc3(")


MALFORMED = (
    Malformed("JSON that ends too early", lambda body, name: _text(body, name)[:-1], rank=3),
    Malformed("JSON with a comma too many", lambda body, name: _text(body, name)[:-1] + b",}"),
    Malformed("JSON in single quotes", lambda body, name: _text(body, name).replace(b'"', b"'")),
    Malformed("something behind the JSON", lambda body, name: _text(body, name) + b"x"),
    Malformed("a comment in the JSON", lambda body, name: b"/* */" + _text(body, name)),
    Malformed(
        "the object as a text", lambda body, name: json.dumps(_text(body, name).decode()).encode()
    ),
    Malformed("a byte that is not UTF-8 in a text", _with_bad_byte),
    Malformed("two objects", lambda body, name: _text(body, name) * 2),
    Malformed(
        "an array around the body", lambda body, name: b"[" + _text(body, name) + b"]", rank=3
    ),
    Malformed("a text", _instead(b'"a text"')),
    Malformed("a number", _instead(b"5")),
    Malformed("null", _instead(b"null")),
    Malformed("an empty body", _instead(b"")),
    Malformed("bytes that are no text", _instead(b"\xff\xfe\x00\x81")),
    Malformed("a key twice", _twice, rank=3),
    Malformed("a number beyond every double", _with("1e999")),
    Malformed("a number of 5,000 digits", _with("9" * 5_000)),
    Malformed("half a surrogate pair", _with('"\\ud800"'), must_be_refused=False),
    Malformed("JSON in UTF-16", lambda body, name: _text(body, name).decode().encode("utf-16")),
    Malformed(
        "a byte order mark",
        lambda body, name: b"\xef\xbb\xbf" + _text(body, name),
        must_be_refused=False,
    ),
    Malformed("10,000 open brackets", _instead(b"[" * 10_000)),
    Malformed("arrays 10,000 deep", _with("[" * 10_000 + "]" * 10_000), must_be_refused=False),
    Malformed("text/plain", _text, "text/plain", rank=3),
    Malformed("no Content-Type", _text, None),
    Malformed("a form", _form, "application/x-www-form-urlencoded"),
    Malformed("JSON labelled as a form", _text, "application/x-www-form-urlencoded"),
    Malformed("application/jsonp", _text, "application/jsonp"),
    Malformed("XML", _instead(b"<request/>"), "application/xml"),
    Malformed("12 MiB", _large, must_be_refused=False, made_by=_LARGE_BY),
)
# Valid requests that look unusual: (label, body, media type). They must be accepted.
UNUSUAL: tuple[tuple[str, MakeBytes, str], ...] = (
    ("a charset", _text, "application/json; charset=utf-8"),
    ("a media type in capitals", _text, "Application/JSON"),
    (
        "spaces and line ends",
        lambda body, _: b" " + json.dumps(body, indent=1).encode() + b"\n",
        JSON,
    ),
    ("escapes", lambda body, _: json.dumps(body).replace("p", "\\u0070").encode(), JSON),
    (
        "members in another order",
        lambda body, _: json.dumps(dict(reversed(body.items()))).encode(),
        JSON,
    ),
    (
        "a picture in base64",
        lambda body, _: json.dumps(
            {name: FACE if value == PICTURE else value for name, value in body.items()}
        ).encode(),
        JSON,
    ),
    ("100 KiB", lambda body, _: json.dumps({**body, "padding": "x" * 100 * 2**10}).encode(), JSON),
)
TOKENS = ("NaN", "Infinity", "-Infinity")
METHODS = ("GET", "PUT", "DELETE", "PATCH")


def robustness(operation: Operation, fetch: Operation | None) -> Iterator[Step]:
    """Each way of spoiling a request once; other methods and paths; and a valid request at the end."""
    numbers = _number_fields(operation)
    declared = numbers[-2:][0]  # the last one before that which nobody declared
    for one in MALFORMED:
        name = operation.conventions.fields.seed if one.make is _twice else declared
        yield Step(
            "robustness",
            f"{operation.name}: {one.label}",
            partial(_spoiled, operation, one, name),
            1,
            0,
            one.rank,
        )
    for token in TOKENS:
        for name in numbers:
            one = Malformed(f"{token} for {name}", _with(token))
            rank = 3 if (token, name) == (TOKENS[0], declared) else 6
            yield Step(
                "robustness",
                f"{operation.name}: {one.label}",
                partial(_spoiled, operation, one, name),
                1,
                0,
                rank,
            )
    yield Step(
        "robustness", f"a path beside {operation.name}", partial(_no_path, operation), 1, 0, 6
    )
    for label, make, media in UNUSUAL:
        unusual = partial(_unusual, operation, label, make, media)
        yield Step(
            "robustness",
            f"{operation.name}: {label}",
            unusual,
            1,
            int(operation.kind == "submit"),
            6,
        )
    for method in METHODS:
        rank = 3 if method == "GET" else 6
        yield Step(
            "robustness",
            f"{method} instead of {operation.name}",
            partial(_other_method, operation, operation, method),
            1,
            0,
            rank,
        )
        if fetch is not None:
            run = partial(_other_method, operation, fetch, method)
            yield Step("robustness", f"{method} instead of {fetch.name}", run, 1, 0, rank)
    yield Step(
        "robustness", f"{operation.name}: is it still alive?", partial(_alive, operation), 3, 1, 7
    )


def _number_fields(operation: Operation) -> list[str]:
    """The declared fields that must be numbers, those that may have a fraction last but one; then
    one that nobody declared.
    """
    declared = operation.request.properties if operation.request else {}
    kinds = {name: schema.keywords.get("type") for name, schema in declared.items()}
    undeclared = next((name for name in UNDECLARED if name not in declared), "not_declared")
    return [
        *(name for kind in ("integer", "number") for name in kinds if kinds[name] == kind),
        undeclared,
    ]


def _spoiled(operation: Operation, one: Malformed, name: str, probe: Probe) -> None:
    body = small_body(probe, operation)
    headers = {} if one.media is None else {"content-type": one.media}
    data = one.make(body, name if name in body or one.make is not _twice else next(iter(body)))
    reply = probe.ask(
        operation, HttpRequest("POST", probe.url(operation), headers, data, one.made_by)
    )
    if one.must_be_refused and reply.outcome == "accepted":
        probe.find("malformed-accepted", f"{one.label}: it was accepted.", reply, form=one.label)


def _unusual(operation: Operation, label: str, make: MakeBytes, media: str, probe: Probe) -> None:
    reply = probe.ask(
        operation,
        HttpRequest(
            "POST",
            probe.url(operation),
            {"content-type": media},
            make(small_body(probe, operation), ""),
        ),
    )
    if reply.outcome == "refused":
        probe.find(
            "valid-refused",
            f"{label}: it was refused with {reply.message[:200]!r}, though it is good JSON.",
            reply,
            form=label,
        )


def _other_method(operation: Operation, asked: Operation, method: str, probe: Probe) -> None:
    """A call by another method: whatever refuses it will do, as long as it makes or tells nothing."""
    life = probe.cores.get(operation.name)
    job_id = (life.number if life else 1) if asked is not operation else None
    body = json.dumps(
        {operation.conventions.fields.key: probe.options.key}
        if asked is not operation
        else small_body(probe, operation)
    )
    sent = HttpRequest(
        method, probe.url(asked, job_id), JSON_TYPE, b"" if method == "GET" else body.encode()
    )
    reply = probe.look(asked, sent)
    if reply.came.error or reply.came.code >= 500:
        probe.find(
            "crash",
            f"{method} on {asked.path} was answered by {reply.came.error or reply.came.code}.",
            reply,
            form=method,
        )
    elif reply.outcome == "accepted" or 200 <= reply.came.code < 300:
        where = f"{asked.pointer.rpartition('/')[0]}/{method.lower()}"
        probe.find(
            "method-accepted",
            f"{method} on {asked.path} was answered with HTTP {reply.came.code}.",
            reply,
            where,
        )


def _no_path(operation: Operation, probe: Probe) -> None:
    """A path that the document does not have makes no job."""
    sent = HttpRequest(
        "POST",
        f"{probe.url(operation)}_not_there",
        JSON_TYPE,
        json.dumps(small_body(probe, operation)).encode(),
    )
    reply = probe.look(operation, sent)
    if reply.came.error or reply.came.code >= 500:
        probe.find(
            "crash",
            f"An unknown path was answered by {reply.came.error or reply.came.code}.",
            reply,
            form="path",
        )
    elif reply.outcome == "accepted" or 200 <= reply.came.code < 300:
        probe.find(
            "method-accepted",
            f"An unknown path was answered with HTTP {reply.came.code}.",
            reply,
            form="path",
        )


def _alive(operation: Operation, probe: Probe) -> None:
    """A valid request is still answered, and the first job's link still serves what it did."""
    life = probe.cores.get(operation.name)
    if life is not None:
        look_again(probe, life)
    reply = probe.post(operation, small_body(probe, operation))
    if reply.outcome != "accepted" and not reply.is_busy:
        probe.find(
            "crash",
            f"After all this a valid request is answered with {reply.message[:100]!r}.",
            reply,
            form="alive",
        )
