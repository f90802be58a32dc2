"""What a document says about one method and path, as frozen values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from fauxlab_contract.core.conventions import Conventions
from fauxlab_contract.openapi.references import Node, SchemaError
from fauxlab_contract.openapi.schema import Schema
from fauxlab_contract.openapi.structure import resolve_as
from fauxlab_contract.openapi.validator import SchemaValidator

__all__ = [
    "Operation",
    "OperationKind",
    "RequestBody",
    "Variant",
    "json_media",
    "json_reply",
    "request_body",
    "variants_of",
]

OperationKind = Literal["submit", "fetch", "plain"]
_JSON_TYPES = ("application/json", "*/*", "application/*")


@dataclass(frozen=True, slots=True)
class Variant:
    """One branch of a reply, named by its status word.

    `required` also holds `promised`: the names that only `x-fauxlab` demands. `check` judges both.
    """

    word: str
    pointer: str
    properties: Mapping[str, Schema] = field(repr=False)
    required: tuple[str, ...]
    schema: Schema = field(repr=False)
    check: SchemaValidator = field(repr=False)
    promised: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RequestBody:
    """The JSON body that an operation takes; `obliged` is False when the body may be missing."""

    pointer: str
    properties: Mapping[str, Schema] = field(repr=False)
    required: tuple[str, ...]
    obliged: bool
    schema: Schema = field(repr=False)
    check: SchemaValidator = field(repr=False)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method and path.

    `kind` is `submit` (may answer processing, and can be fetched), `fetch`, or `plain` (no
    lifecycle). `fetch_path` is the path template of the operation that fetches a submit's jobs.
    `error_codes` are the declared codes from 400 on. `reply` judges a reply by its whole schema,
    `variants` by the branch that its status names.
    """

    method: str
    path: str
    pointer: str
    kind: OperationKind
    code: int
    error_codes: tuple[int, ...]
    summary: str
    conventions: Conventions
    request: RequestBody | None
    variants: Mapping[str, Variant] = field(repr=False)
    reply: SchemaValidator | None = field(repr=False)
    reply_schema: Schema | None = field(repr=False)
    reply_example: Any = field(repr=False)
    fetch_path: str | None = None

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


def request_body(node: Node) -> RequestBody | None:
    """Read the `requestBody` of an operation; None when it takes no JSON with a schema."""
    body = resolve_as("body", node)
    media = json_media(body)
    if media is None or "schema" not in media.value:
        return None
    schema = Schema.of(media.part("schema")).resolved
    return RequestBody(
        pointer=schema.pointer,
        properties=schema.properties,
        required=schema.required,
        obliged=bool(body.value.get("required", False)),
        schema=schema,
        check=schema.validator,
    )


def json_reply(responses: Node) -> tuple[int, Node | None]:
    """Return (code, JSON media type object or None) of the first reply that means success.

    A 2xx code goes before 2XX, and that before default.
    """
    for pattern in ("2[0-9]{2}", "2XX", "default"):
        for code, response in responses.members():
            if re.fullmatch(pattern, code):
                media = json_media(resolve_as("response", response))
                return (int(code) if code.isdecimal() else 200), media
    return 200, None


def json_media(node: Node) -> Node | None:
    """Return the JSON media type object of a body or reply; None when there is none."""
    for name, media in node.member("content").members():
        if name.partition(";")[0].strip().lower() in _JSON_TYPES:
            return media
    return None


def variants_of(schema: Schema, conventions: Conventions) -> dict[str, Variant]:
    """Return the branches of a reply by status word; `{}` when no status tells them apart."""
    whole = schema.resolved
    found: dict[str, Variant] = {}
    for branch in whole.branches or [whole]:
        branch = branch.resolved
        words = _words(branch, conventions)
        if not words:
            return {}
        for word in words:
            found.setdefault(word, _variant(word, branch))
    return found


def _words(branch: Schema, conventions: Conventions) -> list[str]:
    """Return the words that the status of a branch may have; `[]` when it does not list them."""
    status = branch.properties.get(conventions.fields.status)
    if status is None:
        return []
    keywords = status.resolved.keywords
    words = keywords.get("enum", [keywords.get("const")])
    return [word for word in words if isinstance(word, str)]


def _variant(word: str, branch: Schema) -> Variant:
    promised, required = promised_members(branch), branch.required
    judged = branch.requiring(promised) if promised else branch
    return Variant(
        word=word,
        pointer=branch.pointer,
        properties=branch.properties,
        required=tuple(dict.fromkeys([*required, *promised])),
        schema=branch,
        check=judged.validator,
        promised=tuple(name for name in promised if name not in required),
    )


def promised_members(schema: Schema) -> list[str]:
    """Return the names in a schema's `x-fauxlab: {required: […]}`.

    Raise SchemaError when it says anything else.
    """
    extension = schema.keywords.get("x-fauxlab", {})
    if isinstance(extension, dict) and set(extension) <= {"required"}:
        names = extension.get("required", [])
        if isinstance(names, list) and all(isinstance(name, str) for name in names):
            return names
    raise SchemaError(schema.pointer, "x-fauxlab beside a schema must be {required: [names]}")
