"""Open an OpenAPI document, check it, and turn it into operations.

Only this module opens a contract file. Nothing is ever fetched. A defect that makes the document
unusable raises one `DocumentError`; one that spoils a single operation, or has no effect, becomes a
`Notice`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs

import fauxlab_contract.openapi.schema as schemas
from fauxlab_contract.core.conventions import Conventions, conventions_of
from fauxlab_contract.core.violation import pointer_to
from fauxlab_contract.core.yaml12 import MAX_DOCUMENT_BYTES, ParseError, parse
from fauxlab_contract.openapi.formats import FORMATS, prove_formats
from fauxlab_contract.openapi.operation import (
    Operation,
    OperationKind,
    json_reply,
    request_body,
    variants_of,
)
from fauxlab_contract.openapi.structure import check_shape, resolve_as
from fauxlab_contract.openapi.validator import SchemaValidator, rooted

__all__ = [
    "Document",
    "DocumentError",
    "Match",
    "Notice",
    "bundled_path",
    "load_document",
    "read_document",
]

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_PARAMETER = re.compile(r"\{([^{}]+)\}")
_FETCH = re.compile(r"/fetch/\{[^{}]+\}/?$")


class DocumentError(ValueError):
    """A document that cannot be used.

    `source` is its name, `pointer` the place inside it (may be empty).
    """

    __module__ = "fauxlab_contract.openapi"  # tracebacks name the room

    def __init__(self, source: str, pointer: str, problem: str) -> None:
        super().__init__(f"{source}{': at ' + pointer if pointer else ''}: {problem}")
        self.source, self.pointer, self.problem = source, pointer, problem

    def __reduce__(self) -> tuple[type[DocumentError], tuple[str, str, str]]:
        return DocumentError, (self.source, self.pointer, self.problem)


@dataclass(frozen=True, slots=True)
class Notice:
    """A defect that does not stop the document from being served: what it is, and all the places
    where it stands.
    """

    problem: str
    pointers: tuple[str, ...]

    def __str__(self) -> str:
        more = f" and {len(self.pointers) - 1} more places" if len(self.pointers) > 1 else ""
        return f"{self.problem} (at {self.pointers[0]}{more})"


@dataclass(frozen=True, slots=True)
class Match:
    """An operation and the values of its path parameters."""

    operation: Operation
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Document:
    """A checked document. `base_path` and `origin` come from its first server; paths of operations
    are relative to it.
    """

    source: str
    version: str
    title: str
    origin: str
    base_path: str
    operations: tuple[Operation, ...]
    notices: tuple[Notice, ...]
    conventions: Conventions
    tree: Mapping[str, Any] = field(repr=False)

    def match(self, method: str, path: str) -> Match | None:
        """The operation that a method and a full path (with the base path) mean; None when there is
        none.
        """
        matches = [match for match in self._matches(path) if match.operation.method == method]
        # OpenAPI: /a/b goes before /a/{id}
        return min(matches, key=lambda match: len(match.parameters), default=None)

    def methods(self, path: str) -> tuple[str, ...]:
        """The methods that some operation answers on a full path; empty when the path is unknown."""
        return tuple(dict.fromkeys(match.operation.method for match in self._matches(path)))

    def _matches(self, path: str) -> Iterator[Match]:
        if not path.startswith(self.base_path + "/"):
            return
        parts = (
            path.removeprefix(self.base_path).rstrip("/").split("/")
            if not path.endswith("//")
            else []
        )
        for operation in self.operations:
            parameters = _match_path(operation.path.rstrip("/").split("/"), parts)
            if parameters is not None:
                yield Match(operation, parameters)


def _match_path(template: list[str], parts: list[str]) -> dict[str, str] | None:
    """`["", "fetch", "{id}"]` and `["", "fetch", "7"]` -> `{"id": "7"}`; None when they do not fit."""
    if len(template) != len(parts):
        return None
    found = {}
    for expected, part in zip(template, parts, strict=True):
        if expected.startswith("{") and expected.endswith("}") and part:
            found[expected[1:-1]] = part
        elif expected != part:
            return None
    return found


def bundled_path() -> Path:
    """openapi.yaml as it lies in a wheel (in the package's folder) or in a checkout (two folders
    above that).
    """
    package = Path(__file__).resolve().parents[1]
    inside = package / "openapi.yaml"
    return inside if inside.exists() else package.parents[1] / "openapi.yaml"


def load_document(path: str | Path | None = None) -> Document:
    """Read, check and compile the document at `path`, by default the bundled one. Raises
    `DocumentError`.
    """
    file = bundled_path() if path is None else Path(path)
    source = file.name if path is None else str(path)
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_DOCUMENT_BYTES + 1)
    except OSError as error:
        raise DocumentError(source, "", f"it cannot be read: {error.strerror or error}") from None
    except ValueError as error:  # a path with a null character
        raise DocumentError(source, "", f"it cannot be read: {error}") from None
    return read_document(data, source)


def read_document(data: bytes, source: str = "document") -> Document:
    """Like `load_document`, from bytes that are already there."""
    try:
        return _Reader(parse(data), source).document()
    except ParseError as error:
        raise DocumentError(source, "", str(error)) from None
    except schemas.SchemaError as error:
        raise DocumentError(source, error.pointer, str(error)) from None


class _Reader:
    """The steps from a tree to a Document; collects notices on its way."""

    def __init__(self, tree: Any, source: str) -> None:
        self.source = source
        self.version = _version(tree)
        check_shape(tree)
        self.raw = tree
        self.found: dict[str, list[str]] = {}

    def note(self, pointer: str, problem: str) -> None:
        self.found.setdefault(problem, []).append(pointer)

    def document(self) -> Document:
        prove_formats()
        self.check_schemas()
        self.tree = schemas.standard_tree(self.raw, self.version)
        try:
            conventions = conventions_of(self.raw.get("x-fauxlab"))
        except ValueError as error:
            raise schemas.SchemaError("/x-fauxlab", str(error)) from None
        self.conventions = conventions
        self.check_dialect()
        self.check_defaults()
        operations = _pair_fetches(list(self.operations()))
        if not operations:
            raise schemas.SchemaError("/paths", "there is no operation to serve")
        origin, base_path = self.server()
        info = self.raw.get("info")
        return Document(
            source=self.source,
            version=self.version,
            title=str(info.get("title", "")) if isinstance(info, dict) else "",
            origin=origin,
            base_path=base_path,
            operations=tuple(operations),
            notices=tuple(Notice(problem, tuple(places)) for problem, places in self.found.items()),
            conventions=conventions,
            tree=self.tree,
        )

    def check_schemas(self) -> None:
        for pointer, schema in schemas.schemas_of(self.raw):
            check_shape(schema, pointer, "schema")
        found = [
            pair
            for pointer, schema in schemas.schemas_of(self.raw)
            for pair in schemas.subschemas(schema, pointer)
        ]
        known = {id(schema) for _, schema in found}
        for pointer, schema in found:
            schemas.check_schema(self.raw, schema, pointer, self.note)
            target, _ = schemas.resolve(self.raw, schema, pointer)
            if id(target) not in known:
                raise schemas.SchemaError(pointer, f"$ref {schema['$ref'][:200]!r} names no schema")
            if self.version == "3.1" and isinstance(schema, dict) and "nullable" in schema:
                self.note(
                    pointer,
                    "nullable has no effect in OpenAPI 3.1; write type: [..., 'null'] to allow"
                    " null",
                )
            elif (
                isinstance(schema, dict) and schema.get("nullable") is True and "type" not in schema
            ):
                self.note(pointer, "nullable has no effect in OpenAPI 3.0 without a type beside it")
        for pointer, schema in found:
            schemas.check_loops(self.raw, schema, pointer)

    def check_dialect(self) -> None:
        """Refuse what JSON Schema itself refuses, such as `maximum: "26"`, also in schemas that
        nothing uses.
        """
        for pointer, schema in schemas.schemas_of(self.tree):
            try:
                jsonschema_rs.meta.validate(schema)
            except jsonschema_rs.ValidationError as error:
                place = pointer + pointer_to(error.instance_path)
                raise schemas.SchemaError(
                    place, f"this is no valid schema: {error.message[:300]}"
                ) from None

    def check_defaults(self) -> None:
        """Note each default that breaks its own schema; it is harmless, nothing here fills defaults
        in.
        """
        for pointer, schema in schemas.schemas_of(self.tree):
            for here, inner in schemas.subschemas(schema, pointer):
                if isinstance(inner, dict) and "default" in inner and not _takes(self.tree, inner):
                    self.note(here, f"the default {inner['default']!r:.60} breaks its own schema")

    def server(self) -> tuple[str, str]:
        """(origin, base path) of the first server."""
        servers = self.raw.get("servers") or [{}]
        first = servers[0] if isinstance(servers, list) and isinstance(servers[0], dict) else {}
        url = str(first.get("url", "/"))
        for name, variable in (first.get("variables") or {}).items():
            url = url.replace("{" + name + "}", str(variable.get("default", "")))
        try:
            parts = urlsplit(url)
        except ValueError:
            raise schemas.SchemaError("/servers/0/url", f"{url[:200]!r} is not a URL") from None
        origin = (
            f"{parts.scheme}://{parts.netloc}"
            if parts.scheme and parts.netloc
            else "http://localhost"
        )
        return origin, "/" + parts.path.strip("/") if parts.path.strip("/") else ""

    def operations(self) -> Iterator[Operation]:
        paths = self.tree.get("paths")
        if not isinstance(paths, dict) or not paths:
            raise schemas.SchemaError("/paths", "it has no paths, so there is nothing to serve")
        for path, item in paths.items():
            pointer = "/paths/" + path.replace("~", "~0").replace("/", "~1")
            if path.startswith("x-"):
                continue
            item, pointer = resolve_as("pathItem", self.tree, item, pointer)
            if not path.startswith("/") or not isinstance(item, dict):
                raise schemas.SchemaError(
                    pointer, "a path must start with a slash and hold operations"
                )
            for method in METHODS:
                if method in item:
                    yield self.operation(method, path, item, f"{pointer}/{method}")

    def operation(self, method: str, path: str, item: Mapping[str, Any], pointer: str) -> Operation:
        node = item[method]
        if not isinstance(node, dict) or not isinstance(node.get("responses") or {}, dict):
            raise schemas.SchemaError(pointer, "an operation must be an object with responses")
        self.check_parameters(
            path, [*(item.get("parameters") or ()), *(node.get("parameters") or ())], pointer
        )
        if node.get("security", self.raw.get("security")):
            self.note(pointer, "security is not enforced; only the key in the body is")
        request = request_body(self.tree, node.get("requestBody"), f"{pointer}/requestBody")
        if request is None and node.get("requestBody"):
            self.note(pointer, "the request body is not application/json, so it is not checked")
        code, media, here = json_reply(
            self.tree, node.get("responses") or {}, f"{pointer}/responses"
        )
        schema = (media or {}).get("schema")
        if schema is None:
            self.note(
                pointer, "no 2xx reply has a JSON schema, so it is answered with an empty object"
            )
        variants = (
            variants_of(self.tree, schema, f"{here}/schema", self.conventions)
            if schema is not None
            else {}
        )
        return Operation(
            method=method.upper(),
            path=path,
            pointer=pointer,
            kind=self.kind(path, variants),
            code=code,
            error_codes=tuple(
                int(code)
                for code in node.get("responses") or {}
                if re.fullmatch("[45][0-9]{2}", code)
            ),
            summary=str(node.get("summary", "")),
            conventions=self.conventions,
            request=request,
            variants=variants,
            reply=SchemaValidator(self.tree, schema, f"{here}/schema")
            if schema is not None
            else None,
            reply_schema=schema,
            reply_example=_example(self.tree, media or {}),
        )

    def kind(self, path: str, variants: Mapping[str, Any]) -> OperationKind:
        words = self.conventions.words
        if words.processing not in variants or words.success not in variants:
            return "plain"
        return "fetch" if _FETCH.search(path) else "submit"

    def check_parameters(self, path: str, parameters: list[Any], pointer: str) -> None:
        declared = []
        for node in parameters:
            parameter, _ = resolve_as("parameter", self.tree, node, pointer)
            place = parameter.get("in") if isinstance(parameter, dict) else None
            if place == "path":
                declared.append(parameter.get("name"))
            else:
                self.note(pointer, f"{place} parameters are not checked")
        for name in _PARAMETER.findall(path):
            if name not in declared:
                self.note(pointer, f"the path parameter {name} is not declared")
        for name in declared:
            if name not in _PARAMETER.findall(path):
                self.note(pointer, f"the path parameter {name} does not stand in the path")


def _version(tree: Any) -> str:
    """ "3.0" or "3.1"; raises SchemaError for whatever else calls itself a document."""
    if not isinstance(tree, dict):
        raise schemas.SchemaError("", "it is not an OpenAPI document: its top level is no object")
    if "openapi" not in tree:
        older = "; it says swagger, convert it to OpenAPI 3 first" if "swagger" in tree else ""
        raise schemas.SchemaError(
            "", f"it is not an OpenAPI document: the member openapi is missing{older}"
        )
    version = re.match(r"(3\.[01])(\.|$)", str(tree["openapi"]))
    if version is None:
        raise schemas.SchemaError(
            "/openapi",
            f"version {str(tree['openapi'])[:40]!r} is not understood; only 3.0 and 3.1 are",
        )
    return version.group(1)


def _takes(tree: Mapping[str, Any], schema: Mapping[str, Any]) -> bool:
    """True when a schema takes its own default, or cannot be compiled (then `Checker` says so, with
    the place).
    """
    root = rooted(tree if "$ref" in repr(schema) else {}, schema)
    try:
        check = jsonschema_rs.Draft202012Validator(
            root, validate_formats=True, formats=dict(FORMATS), offline=True
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError):
        return True
    return check.is_valid(schema["default"])


def _example(tree: Mapping[str, Any], media: Mapping[str, Any]) -> Any:
    """The first example of a media type object, or None."""
    if "example" in media:
        return media["example"]
    for node in (media.get("examples") or {}).values():
        example, _ = resolve_as("example", tree, node)
        return example.get("value")
    return None


def _pair_fetches(operations: list[Operation]) -> list[Operation]:
    """Give each submit the fetch whose path begins most alike; a submit without any fetch has no
    lifecycle.
    """
    fetches = [operation.path for operation in operations if operation.kind == "fetch"]
    paired = []
    for operation in operations:
        if operation.kind == "submit" and fetches:
            operation = replace(
                operation,
                fetch_path=max(fetches, key=lambda path: _shared_parts(path, operation.path)),
            )
        elif operation.kind == "submit":
            operation = replace(operation, kind="plain")
        paired.append(operation)
    return paired


def _shared_parts(one: str, other: str) -> int:
    pairs = list(zip(one.split("/"), other.split("/"), strict=False))
    return next((i for i, (a, b) in enumerate(pairs) if a != b), len(pairs))
