"""Mutants in how a body, a media type or a webhook's address is read."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from mutants.behaviour import Behaviour, Switch, all_of, change
from mutants.mutant import CrashError, crash_if, field, is_text_number, number_in, raw, table, when
from mutants.rules import (
    ABSENT,
    METADATA_HOSTS,
    Refused,
    is_json_type,
    is_webhook,
    nesting,
    strict_json,
)

__all__ = ["BODY_MUTANTS"]


def or_takes(holds: Callable[[str], object]) -> Switch:
    """The webhook's rule takes these texts too."""
    return field("webhook", webhook=lambda text: is_webhook(text) or bool(holds(text)))


def but_refuses(holds: Callable[[str], object]) -> Switch:
    """The webhook's rule refuses these good addresses."""
    return field("webhook", webhook=lambda text: is_webhook(text) and not holds(text))


def rescued(rescue: Callable[[bytes], Any]) -> Switch:
    """What strict reading refuses is read by `rescue`."""

    def switch(behaviour: Behaviour) -> Behaviour:
        def read(data: bytes) -> Any:
            try:
                return behaviour.read(data)
            except Refused:
                try:
                    return rescue(data)
                except (ValueError, SyntaxError, TypeError):
                    raise Refused("Invalid API Request", "error.json") from None

        return replace(behaviour, read=read)

    return switch


def reads(after: Callable[[Any], Any]) -> Switch:
    """What was read is changed by `after`."""
    return lambda behaviour: replace(behaviour, read=lambda data: after(behaviour.read(data)))


def form(data: bytes) -> dict[str, Any]:
    pairs = parse_qsl(data.decode(), strict_parsing=True)
    return {name: number_in(value) if is_text_number(value) else value for name, value in pairs}


def host_of(text: str) -> str:
    try:
        return urlsplit(text).hostname or ""
    except ValueError:
        return ""


def parses(data: bytes) -> Any:
    """The value, or a text when it is no JSON."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return "no JSON"


def _id_crashes(path: str) -> str:
    if "/fetch/" in path and not path.rpartition("/")[2].isdigit():
        raise CrashError
    return path


WEBHOOKS = [
    ("S14.empty", "takes an empty webhook", or_takes(lambda text: text == "")),
    ("S14.word", "takes the webhook `hook`", or_takes(lambda text: re.fullmatch(r"\w+", text))),
    ("S14.path", "takes the webhook `/hook`", or_takes(lambda text: re.fullmatch(r"/\w.*", text))),
    (
        "S14.no-scheme",
        "takes the webhook `//host/hook`",
        or_takes(lambda text: text.startswith("//")),
    ),
    (
        "S14.host-only",
        "takes the webhook `example.com/hook`",
        or_takes(lambda text: re.fullmatch(r"[\w-]+(\.[\w-]+)+(:\d+)?(/.*)?", text)),
    ),
    (
        "S14.blank",
        "takes a webhook with a blank in it",
        or_takes(lambda text: " " in text and is_webhook(text.replace(" ", ""))),
    ),
    (
        "S14.number",
        "takes a number as webhook",
        field("webhook", admit=when(lambda v: type(v) is int, lambda _: ABSENT)),
    ),
    ("S15.ftp", "takes an ftp webhook", or_takes(lambda text: text.startswith("ftp://"))),
    ("S15.mailto", "takes a mailto webhook", or_takes(lambda text: text.startswith("mailto:"))),
    ("S15.file", "takes a file webhook", or_takes(lambda text: text.startswith("file:"))),
    (
        "S15.any-scheme",
        "takes any scheme",
        or_takes(
            lambda text: re.match(r"[a-z][a-z0-9+.-]*:", text) and not re.match("https?:", text)
        ),
    ),
    (
        "S15.no-host",
        "takes a webhook without a host",
        or_takes(lambda text: re.match("https?:", text) and not host_of(text)),
    ),
    (
        "S15.link-local",
        "takes 169.254.169.254 as webhook",
        or_takes(lambda text: host_of(text) == "169.254.169.254"),
    ),
    (
        "S15.link-local-other",
        "knows 169.254.169.254 only, no other link-local address",
        or_takes(
            lambda text: host_of(text).startswith("169.254.") and host_of(text) != "169.254.169.254"
        ),
    ),
    (
        "S15.link-local-6",
        "takes a link-local IPv6 address",
        or_takes(lambda text: host_of(text).startswith("fe80:")),
    ),
    (
        "S15.metadata-name",
        "takes metadata.google.internal",
        or_takes(lambda text: host_of(text) in METADATA_HOSTS),
    ),
    (
        "S15.trailing-dot",
        "a dot at the end hides a metadata host",
        or_takes(lambda text: host_of(text).endswith(".")),
    ),
    (
        "S15.decimal",
        "takes a link-local address as one number",
        or_takes(lambda text: host_of(text).isdigit()),
    ),
    (
        "S15.hex",
        "takes a link-local address in hexadecimal",
        or_takes(lambda text: host_of(text).startswith("0x")),
    ),
    (
        "S15.mapped",
        "takes a link-local address inside an IPv6 one",
        or_takes(lambda text: host_of(text).startswith("::ffff:")),
    ),
    (
        "S15.user",
        "a user name before the host hides it",
        or_takes(lambda text: "@" in text and host_of(text)),
    ),
    (
        "S15.refuses-loopback",
        "refuses a webhook on loopback",
        but_refuses(lambda text: host_of(text) in ("127.0.0.1", "localhost", "::1")),
    ),
    (
        "S15.refuses-https",
        "refuses an https webhook",
        but_refuses(lambda text: text.startswith("https")),
    ),
    ("S15.refuses-query", "refuses a webhook with a query", but_refuses(lambda text: "?" in text)),
    (
        "S15.refuses-port",
        "refuses a webhook with a port",
        but_refuses(lambda text: urlsplit(text).port),
    ),
]


READING = [
    (
        "S16.malformed-crash",
        "a body that is no JSON crashes it",
        crash_if(lambda data: data and parses(data) == "no JSON"),
    ),
    ("S16.empty-crash", "an empty body crashes it", crash_if(lambda data: not data)),
    (
        "S16.array-crash",
        "an array crashes it",
        crash_if(lambda data: isinstance(parses(data), list)),
    ),
    (
        "S16.scalar-crash",
        "a bare string, number or null crashes it",
        crash_if(
            lambda data: not isinstance(parses(data), (dict, list)) and parses(data) != "no JSON"
        ),
    ),
    (
        "S16.encoding-crash",
        "a body that is not UTF-8 crashes it",
        crash_if(lambda data: "\ufffd" in data.decode("utf-8", "replace")),
    ),
    (
        "S16.surrogate-crash",
        "half a surrogate pair crashes it",
        crash_if(lambda data: re.search(rb"\\u[dD][89abAB]..(?!\\u[dD])", data)),
    ),
    (
        "S16.deep-crash",
        "deep nesting crashes it",
        crash_if(
            lambda data: (
                data.count(b"[") + data.count(b"{") > 900
                and nesting(data.decode("utf-8", "replace")) > 900
            )
        ),
    ),
    (
        "S16.digits-crash",
        "an integer of thousands of digits crashes it",
        crash_if(lambda data: re.search(rb"\d{4301}", data)),
    ),
    (
        "S16.large-crash",
        "a body of more than 64 KiB crashes it",
        crash_if(lambda data: len(data) > 64 * 2**10),
    ),
    ("S16.id-crash", "a fetch of an id that is no number crashes it", change(routes=_id_crashes)),
    (
        "S16.key-crash",
        "a key that is no text crashes it",
        crash_if(
            lambda data: (
                isinstance(parses(data), dict) and not isinstance(parses(data).get("key", ""), str)
            )
        ),
    ),
    (
        "S16.html",
        "malformed JSON is answered with a page of HTML",
        raw("error.json", lambda _: b"<h1>Bad Request</h1>", "text/html"),
    ),
    (
        "S16.trailing-comma",
        "a comma before the closing brace passes",
        rescued(lambda data: strict_json(re.sub(rb",\s*}", b"}", data))),
    ),
    (
        "S16.trailing-text",
        "text behind the object passes",
        rescued(
            lambda data: strict_json(
                data[: json.JSONDecoder().raw_decode(data.decode("latin-1"))[1]]
            )
        ),
    ),
    (
        "S16.truncated",
        "an object without its closing brace passes",
        rescued(lambda data: strict_json(data + b"}")),
    ),
    (
        "S16.single-quotes",
        "single quotes pass",
        rescued(lambda data: ast.literal_eval(data.decode()) if data.startswith(b"{'") else []),
    ),
    (
        "S16.comment",
        "a comment passes",
        rescued(lambda data: strict_json(re.sub(rb"/\*.*?\*/", b"", data))),
    ),
    (
        "S16.array",
        "an array with one object passes",
        reads(lambda value: value[0] if isinstance(value, list) and value else value),
    ),
    (
        "S16.string",
        "an object inside a JSON string passes",
        reads(lambda value: strict_json(value.encode()) if isinstance(value, str) else value),
    ),
    (
        "S16.duplicates-last",
        "of two members with one name the last counts",
        change(read=lambda data: strict_json(data, duplicates=True)),
    ),
    (
        "S16.duplicates-crash",
        "a name that stands twice crashes it",
        crash_if(
            lambda data: (
                isinstance(parses(data), dict)
                and len(re.findall(rb'"(?:prompt|key|seed|width)":', data))
                > len(set(re.findall(rb'"(?:prompt|key|seed|width)":', data)))
            )
        ),
    ),
    (
        "S16.utf-16",
        "a body in UTF-16 passes",
        rescued(lambda data: strict_json(data.decode("utf-16").encode()) if b"\0" in data else []),
    ),
    (
        "S16.replaced",
        "bytes that are not UTF-8 are replaced and pass",
        rescued(
            lambda data: (
                strict_json(data.decode("utf-8", "replace").encode()) if b"\0" not in data else []
            )
        ),
    ),
    (
        "S16.surrogate",
        "half a surrogate pair passes",
        change(read=lambda data: strict_json(data, surrogates=True)),
    ),
    (
        "S17.text",
        "a text/plain body is read as JSON",
        change(takes_type=lambda text: is_json_type(text) or (text or "").startswith("text/plain")),
    ),
    (
        "S17.none",
        "a body without a media type is read as JSON",
        change(takes_type=lambda text: is_json_type(text) or not text),
    ),
    (
        "S17.form",
        "a form is taken for the object",
        all_of(
            change(
                takes_type=lambda text: (
                    is_json_type(text) or text == "application/x-www-form-urlencoded"
                )
            ),
            rescued(form),
        ),
    ),
    (
        "S17.form-label",
        "JSON that says it is a form is read",
        change(
            takes_type=lambda text: (
                is_json_type(text) or text == "application/x-www-form-urlencoded"
            )
        ),
    ),
    (
        "S17.prefix",
        "application/jsonp is taken for JSON",
        change(takes_type=lambda text: (text or "").lower().startswith("application/json")),
    ),
    ("S17.any", "the media type is never looked at", change(takes_type=lambda _: True)),
    (
        "S17.refuses-charset",
        "refuses application/json; charset=utf-8",
        change(takes_type=lambda text: (text or "").lower() == "application/json"),
    ),
    (
        "S17.refuses-capitals",
        "refuses Application/JSON",
        change(
            takes_type=lambda text: (text or "").partition(";")[0].strip() == "application/json"
        ),
    ),
]


BODY_MUTANTS = table([*WEBHOOKS, *READING])
