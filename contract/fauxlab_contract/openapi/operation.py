"""What a document says about one method and path, as frozen values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from fauxlab_contract.core.conventions import Conventions
from fauxlab_contract.core.strict_json import is_json_type
from fauxlab_contract.openapi.keywords import ANNOTATIONS
from fauxlab_contract.openapi.parameters import DeclaredParameter
from fauxlab_contract.openapi.references import Node, SchemaError
from fauxlab_contract.openapi.schema import Schema
from fauxlab_contract.openapi.structure import resolve_as
from fauxlab_contract.openapi.types import takes_type
from fauxlab_contract.openapi.validator import SchemaValidator

__all__ = [
    "BaseUrl",
    "DeclaredReply",
    "Operation",
    "OperationKind",
    "RequestBody",
    "Variant",
    "declared_reply",
    "json_media",
    "names_in",
    "plain_type",
    "request_body",
    "success_code",
    "variants_of",
]

OperationKind = Literal["submit", "fetch", "plain"]


class BaseUrl(NamedTuple):
    """Where operations are served: `https://api.example` and `/v1`, which may be empty."""

    origin: str
    base_path: str


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
    """The JSON body that an operation takes; `obliged` is False when the body may be missing.

    `media_types` are the types that it may be labelled with, `other_types` those of bodies that the
    document allows beside it, and that are not judged.
    """

    pointer: str
    properties: Mapping[str, Schema] = field(repr=False)
    required: tuple[str, ...]
    obliged: bool
    schema: Schema = field(repr=False)
    check: SchemaValidator = field(repr=False)
    media_types: tuple[str, ...] = ("application/json",)
    other_types: tuple[str, ...] = ()

    @property
    def media_type(self) -> str:
        """The type to label a body with."""
        return plain_type(self.media_types)

    def wants_object_not(self, value: Any) -> bool:
        """Return True where an object is expected and `value` is of a type that is not taken."""
        if isinstance(value, dict):  # as nearly always; types take long to find
            return False
        return takes_type(self.schema, {}) and not takes_type(self.schema, value)


@dataclass(frozen=True, slots=True)
class DeclaredReply:
    """What the document declares for the replies of `codes`: 200, 4XX or default.

    `schema` is that of the JSON body, None where the document has none; `example` the first one.
    `media_type` is what the body is labelled with.
    `variants` are its branches by status word, `{}` when no status tells them apart.
    """

    codes: str
    pointer: str
    schema: Schema | None = field(repr=False)
    example: Any = field(repr=False)
    variants: Mapping[str, Variant] = field(repr=False)
    media_type: str = "application/json"

    @property
    def check(self) -> SchemaValidator | None:
        """The compiled schema, which judges a body as a whole."""
        return self.schema.validator if self.schema else None


@dataclass(frozen=True, slots=True)
class Operation:
    """One method and path.

    `kind` is `submit` (may answer processing, and can be fetched), `fetch`, or `plain` (no
    lifecycle). `fetch_path` is the path template of the operation that fetches a submit's jobs.
    `servers` are those of the operation, else of its path, else of the document; `base_path` is
    that of the first. `replies` holds all declared replies by what they are declared for; `code`,
    `variants`, `reply` and its kin speak of the one that means success. `reply` judges that by its
    whole schema, `variants` by the branch that its status names. `error_codes` are the declared
    codes from 400 on. `parameters` are those of its path, query, headers and cookies.
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
    servers: tuple[BaseUrl, ...] = field(repr=False)
    replies: Mapping[str, DeclaredReply] = field(repr=False)
    variants: Mapping[str, Variant] = field(repr=False)
    reply: SchemaValidator | None = field(repr=False)
    reply_schema: Schema | None = field(repr=False)
    reply_example: Any = field(repr=False)
    parameters: tuple[DeclaredParameter, ...] = field(default=(), repr=False)
    fetch_path: str | None = None

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def base_path(self) -> str:
        return self.servers[0].base_path

    @property
    def job_parameter(self) -> str | None:
        """The name of the part of a fetch's path that is the id of a job: the last one."""
        return names_in(self.path)[-1] if self.kind == "fetch" else None

    @property
    def success(self) -> str | None:
        """What the reply that means success is declared for: 200, 2XX or default."""
        return success_code(self.replies)

    def reply_for(self, code: int) -> DeclaredReply | None:
        """Return what the document declares for an HTTP code; None when it says nothing of it.

        The code itself goes before its range (4XX), and that before `default`.
        """
        return next((found for name in _names_of(code) if (found := self.replies.get(name))), None)

    def is_success(self, code: int) -> bool:
        """Return True if a reply with this code is judged as the one that means success.

        It is that reply, or the document says nothing of the code.
        """
        declared = self.reply_for(code)
        return declared is None or declared is self.reply_for(self.code)


def names_in(path: str) -> list[str]:
    """Return the names of the parameters in a path: `/{app}/fetch/{id}` -> `["app", "id"]`."""
    return re.findall(r"\{([^{}]+)\}", path)


def request_body(node: Node) -> RequestBody | None:
    """Read the `requestBody` of an operation; None when it takes no JSON with a schema."""
    body = resolve_as("body", node)
    media = json_media(body)
    if media is None or "schema" not in media.value:
        return None
    schema = Schema.of(media.part("schema")).towards("request").resolved
    names = {
        name: is_json_type(name) and other.value.get("schema") == media.value["schema"]
        for name, other in body.member("content").members()
    }
    return RequestBody(
        pointer=schema.pointer,
        properties=schema.properties,
        required=schema.required,
        obliged=bool(body.value.get("required", False)),
        schema=schema,
        check=schema.validator,
        media_types=tuple(name for name, is_alike in names.items() if is_alike),
        other_types=tuple(name for name, is_alike in names.items() if not is_alike),
    )


def success_code(codes: Iterable[str]) -> str | None:
    """Return the first of the declared codes that means success: 2xx, else 2XX, else default."""
    for pattern in ("2[0-9]{2}", "2XX", "default"):
        for code in codes:
            if re.fullmatch(pattern, code):
                return code
    return None


def declared_reply(codes: str, node: Node, conventions: Conventions) -> DeclaredReply:
    """Read one of the `responses` of an operation."""
    response = resolve_as("response", node)
    media = json_media(response)
    schema = None
    if media and "schema" in media.value:
        schema = Schema.of(media.part("schema")).towards("reply")
    return DeclaredReply(
        codes=codes,
        pointer=response.pointer,
        schema=schema,
        example=_example(media) if media else None,
        variants=variants_of(schema, conventions) if schema else {},
        media_type=plain_type([name for name, _ in response.member("content").members()]),
    )


def _example(media: Node) -> Any:
    """Return the first example of a media type object, or None."""
    if "example" in media.value:
        return media.value["example"]
    for _, node in media.member("examples").members():
        return resolve_as("example", node).value.get("value")
    return None


def _names_of(code: int) -> tuple[str, str, str]:
    """Return what may declare a code, the nearest first: 404 -> 404, 4XX, default."""
    return str(code), f"{code // 100}XX", "default"


def json_media(node: Node) -> Node | None:
    """Return the JSON media type object of a body or reply; None when there is none.

    application/json goes before other types of JSON.
    """
    found = [
        (name, media) for name, media in node.member("content").members() if is_json_type(name)
    ]
    found.sort(key=lambda each: each[0] != "application/json")
    return found[0][1] if found else None


def plain_type(media_types: Iterable[str]) -> str:
    """Return the type of JSON that a body is labelled with: application/json if it may be."""
    names = [name for name in media_types if is_json_type(name) and "*" not in name]
    return "application/json" if "application/json" in names or not names else names[0]


def variants_of(schema: Schema, conventions: Conventions) -> dict[str, Variant]:
    """Return the branches of a reply by status word; `{}` when no status tells them apart."""
    found: dict[str, Variant] = {}
    for branch in _alternatives(schema.resolved):
        words = _words(branch, conventions)
        if not words:
            return {}
        for word in words:
            found.setdefault(word, _variant(word, branch))
    return found


def _alternatives(schema: Schema) -> list[Schema]:
    """Return the branches of a schema, or of a part of its allOf, each with all beside it.

    Without branches it is the schema itself.
    """
    parts = [part.resolved for part in schema.each("allOf")]
    parted = next((part for part in parts if part.branches), None)
    if not schema.branches and parted is None:
        return [schema]
    others = {
        keyword: value
        for keyword, value in schema.keywords.items()
        if keyword not in ANNOTATIONS and keyword not in ("oneOf", "anyOf", "allOf", "x-fauxlab")
    }
    beside = [others] if others.keys() - {"type"} else []
    beside += [part.value for part in parts if part is not parted]
    branches = schema.branches if parted is None else _alternatives(parted)
    return [_with(branch.resolved, beside) for branch in branches]


def _with(branch: Schema, beside: list[Any]) -> Schema:
    if not beside:
        return branch
    extension = {
        name: value for name, value in branch.keywords.items() if name.startswith("x-fauxlab")
    }
    return branch.but({**extension, "allOf": [*beside, branch.value]})


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
