"""What a document says about one method and path, as frozen values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from fauxlab_contract.core.conventions import Conventions
from fauxlab_contract.openapi.schema import SchemaError, properties_of, required_of, resolve
from fauxlab_contract.openapi.structure import resolve_as
from fauxlab_contract.openapi.validator import SchemaValidator

__all__ = [
    "Operation",
    "OperationKind",
    "RequestBody",
    "Variant",
    "json_media",
    "json_reply",
    "reply_branches",
    "request_body",
    "variants_of",
]

OperationKind = Literal["submit", "fetch", "plain"]


@dataclass(frozen=True, slots=True)
class Variant:
    """One branch of a reply, named by its status word. `required` also holds what only `x-fauxlab`
    demands.
    """

    word: str
    pointer: str
    properties: Mapping[str, Any] = field(repr=False)
    required: tuple[str, ...]
    check: SchemaValidator = field(repr=False)
    promised: tuple[str, ...] = ()  # those of `required` that only `x-fauxlab` demands


@dataclass(frozen=True, slots=True)
class RequestBody:
    """The JSON body that an operation takes. `obliged` is False when the whole body may be missing."""

    pointer: str
    properties: Mapping[str, Any] = field(repr=False)
    required: tuple[str, ...]
    obliged: bool
    check: SchemaValidator = field(repr=False)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method and path. `fetch_path` is the template of the operation that a submit's job is
    fetched with.

    `kind` is `submit` (may answer processing, and can be fetched), `fetch`, or `plain` (no
    lifecycle). `error_codes` are the declared codes from 400 on.
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
    reply_schema: Any = field(repr=False)
    reply_example: Any = field(repr=False)
    fetch_path: str | None = None

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


def request_body(tree: Mapping[str, Any], node: Any, pointer: str) -> RequestBody | None:
    """The JSON request body below an operation's `requestBody`; None when it takes none."""
    node, pointer = resolve_as("body", tree, node, pointer)
    media, pointer = json_media(node, pointer)
    if media is None or "schema" not in media:
        return None
    schema, pointer = resolve(tree, media["schema"], f"{pointer}/schema")
    return RequestBody(
        pointer=pointer,
        properties=properties_of(tree, schema),
        required=required_of(tree, schema),
        obliged=bool(node.get("required", False)),
        check=SchemaValidator(tree, schema, pointer),
    )


def json_reply(tree: Mapping[str, Any], responses: Any, pointer: str) -> tuple[int, Any, str]:
    """The first 2xx reply of an operation, else 2XX, else default: (code, its JSON media type
    object or None, pointer).
    """
    for pattern in ("2[0-9]{2}", "2XX", "default"):
        for code in responses:
            if re.fullmatch(pattern, code):
                node, here = resolve_as("response", tree, responses[code], f"{pointer}/{code}")
                media, here = json_media(node, here)
                return (int(code) if code.isdecimal() else 200), media, here
    return 200, None, pointer


def json_media(node: Any, pointer: str) -> tuple[Any, str]:
    """The JSON media type object of a body or reply, and its pointer; None when there is none."""
    for name, media in (node.get("content") or {}).items() if isinstance(node, dict) else ():
        if name.partition(";")[0].strip().lower() in ("application/json", "*/*", "application/*"):
            return media, f"{pointer}/content/{name.replace('/', '~1')}"
    return None, pointer


def variants_of(
    tree: Mapping[str, Any], schema: Any, pointer: str, conventions: Conventions
) -> dict[str, Variant]:
    """The branches of a reply schema by status word; empty when its branches are not told apart by
    one.
    """
    schema, pointer = resolve(tree, schema, pointer)
    found: dict[str, Variant] = {}
    for branch, here in reply_branches(tree, schema, pointer):
        words = _words(tree, branch, conventions)
        if not words:
            return {}
        for word in words:
            found.setdefault(word, _variant(tree, word, branch, here))
    return found


def reply_branches(tree: Mapping[str, Any], schema: Any, pointer: str) -> Iterator[tuple[Any, str]]:
    """The oneOf or anyOf branches of a resolved schema, else the schema itself, each resolved and
    with its pointer.
    """
    for keyword in ("oneOf", "anyOf"):
        if isinstance(schema, dict) and keyword in schema:
            for i, branch in enumerate(schema[keyword]):
                yield resolve(tree, branch, f"{pointer}/{keyword}/{i}")
            return
    yield schema, pointer


def _words(tree: Mapping[str, Any], branch: Any, conventions: Conventions) -> list[str]:
    status, _ = resolve(tree, properties_of(tree, branch).get(conventions.fields.status))
    if not isinstance(status, dict):
        return []
    words = status.get("enum", [status["const"]] if "const" in status else [])
    return [word for word in words if isinstance(word, str)]


def _variant(tree: Mapping[str, Any], word: str, branch: dict[str, Any], pointer: str) -> Variant:
    promised, required = promised_members(branch, pointer), required_of(tree, branch)
    return Variant(
        word=word,
        pointer=pointer,
        properties=properties_of(tree, branch),
        required=tuple(dict.fromkeys([*required, *promised])),
        check=SchemaValidator(tree, branch, pointer, promised),
        promised=tuple(name for name in promised if name not in required),
    )


def promised_members(schema: Mapping[str, Any], pointer: str) -> list[str]:
    """The names in a schema's `x-fauxlab: {required: […]}`; raises SchemaError when it says
    anything else.
    """
    extension = schema.get("x-fauxlab", {})
    names = (
        extension.get("required", [])
        if isinstance(extension, dict) and set(extension) <= {"required"}
        else None
    )
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise SchemaError(pointer, "x-fauxlab beside a schema must be {required: [names]}")
    return names
