"""The steps from the JSON values of an OpenAPI document to its operations.

A defect that makes the document unusable raises SchemaError. Other defects are noted.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs

from fauxlab_contract.core.conventions import conventions_of
from fauxlab_contract.core.pointers import parts_of, pointer_to
from fauxlab_contract.core.text import either
from fauxlab_contract.openapi.dialect import (
    check_loops,
    check_schema,
    schemas_of,
    standard_members,
    subschemas,
)
from fauxlab_contract.openapi.formats import prove_formats
from fauxlab_contract.openapi.operation import (
    BaseUrl,
    DeclaredReply,
    Operation,
    OperationKind,
    declared_reply,
    names_in,
    request_body,
    success_code,
)
from fauxlab_contract.openapi.parameters import DeclaredParameter, declared_parameters
from fauxlab_contract.openapi.references import (
    Node,
    NoticeKind,
    Problem,
    SchemaError,
    Tree,
    lost_references,
)
from fauxlab_contract.openapi.roles import asks_for_one, is_fetch_path, lost_names, shared_parts
from fauxlab_contract.openapi.schema import Schema
from fauxlab_contract.openapi.structure import METHODS, check_shape, resolve_as
from fauxlab_contract.openapi.types import contradictions

__all__ = ["DocumentReader"]

_ERROR_CODE = re.compile("[45][0-9]{2}")
_EMPTY = ("204", "205")  # RFC 9110: they have no content
_LOCAL = "http://localhost"
LIKE_A_FETCH = (
    "it is taken for a submit, although its path ends with an id and its body has no more than a"
    " key; a fetch is known by a path that ends with /fetch/{id}"
)


class DocumentReader:
    """Reads one document; `notes` maps each problem to the pointers where it was found.

    `root` is the document with its schemas in JSON Schema 2020-12.
    """

    def __init__(self, members: Any) -> None:
        self.notes: dict[Problem, list[str]] = {}
        self.version = _version(members)
        raw = Tree(members).root
        check_shape(raw)
        prove_formats()
        self._check_schemas(raw)
        self.root = Tree(standard_members(raw, self.version), self.version).root
        try:
            self.conventions = conventions_of(members.get("x-fauxlab"))
        except ValueError as error:
            raise SchemaError("/x-fauxlab", str(error)) from None
        self.servers = self._own_servers()
        schemas = [Schema.of(schema) for schema in schemas_of(self.root)]
        _check_dialect(schemas)
        self._check_values(schemas)
        for pointer, text in lost_names(members.get("x-fauxlab"), self.conventions, schemas):
            self._note(pointer, Problem(text, "lost-name"))

    @property
    def title(self) -> str:
        title = self.root.member("info").member("title").value
        return "" if title is None else str(title)

    def operations(self) -> tuple[Operation, ...]:
        """Return all operations, each submit with the path that its jobs are fetched from.

        There are none in a document of webhooks or components alone.
        """
        operations = _pair_fetches(list(self._operations()))
        for one in operations:
            if one.kind == "submit" and asks_for_one(one):
                self._note(one.pointer, Problem(LIKE_A_FETCH, "fetch-not-recognized"))
        for pointer, text in lost_references(self.root):
            if not any(pointer in places for places in self.notes.values()):
                self._note(pointer, Problem(text, "lost-reference"))
        return operations

    def _own_servers(self) -> tuple[BaseUrl, ...]:
        """Return the servers of the document; without any it is http://localhost."""
        nodes = list(self.root.member("servers").items())
        first = _server(nodes[0], _LOCAL) if nodes else BaseUrl(_LOCAL, "")
        return self._servers_of(self.root, (first,))

    def _servers_of(self, node: Node, above: tuple[BaseUrl, ...]) -> tuple[BaseUrl, ...]:
        """Return the servers that a path or an operation names, else those of what is `above`.

        An address without a host is one of the document's own host.
        """
        found = []
        for server in node.member("servers").items():
            try:
                found.append(_server(server, above[0].origin))
            except SchemaError as error:
                self._note(error.pointer, Problem(f"{error}, so it is not served"))
        return tuple(dict.fromkeys(found)) or above

    def _note(self, pointer: str, problem: Problem) -> None:
        self.notes.setdefault(problem, []).append(pointer)

    def _check_schemas(self, raw: Node) -> None:
        """Refuse keywords, references and loops that cannot be served, in all schemas."""
        tops = list(schemas_of(raw))
        for top in tops:
            check_shape(top, "schema")
        schemas = [schema for top in tops for schema in subschemas(top)]
        known = {id(schema.value) for schema in schemas}
        for schema in schemas:
            check_schema(schema, self.version, self._note)
            if id(schema.resolved.value) not in known:
                reference = schema.value["$ref"][:200]
                raise SchemaError(schema.pointer, f"$ref {reference!r} names no schema")
            self._note_nullable(schema)
        for schema in schemas:
            check_loops(schema)

    def _note_nullable(self, schema: Node) -> None:
        if not isinstance(schema.value, dict) or "nullable" not in schema.value:
            return
        is_true, lost = schema.value["nullable"] is True, ""
        if self.version == "3.1":
            lost = "in OpenAPI 3.1; write type: [..., 'null'] to allow null"
        elif is_true and "type" not in schema.value:
            lost = "in OpenAPI 3.0 without a type beside it"
        elif is_true and _leaves_null_out(schema.value.get("enum")):
            lost = "beside an enum that does not list null: null is refused"
        if lost:
            problem = Problem(f"nullable has no effect {lost}", "nullable-without-effect")
            self._note(schema.pointer, problem)

    def _check_values(self, schemas: Sequence[Schema]) -> None:
        """Note each schema that no value fits, and each default that breaks its own schema."""
        for top in schemas:
            for schema in subschemas(top):
                if "default" in schema.keywords and not _takes_default(schema):
                    default = schema.keywords["default"]
                    text = f"the default {default!r:.60} breaks its own schema"
                    self._note(schema.pointer, Problem(text, "default"))
                for problem in contradictions(schema):
                    text = f"{_name(schema)} {problem}, so no value fits"
                    self._note(schema.pointer, Problem(text, "no-value"))

    def _operations(self) -> Iterator[Operation]:
        needed = ("paths", "components", "webhooks") if self.version == "3.1" else ("paths",)
        if not any(name in self.root.value for name in needed):
            raise SchemaError("/paths", f"it has no {either(needed)}, so it describes nothing")
        for path, node in self.root.member("paths").members():
            if path.startswith("x-"):
                continue
            item = resolve_as("pathItem", node)
            if not path.startswith("/") or not isinstance(item.value, dict):
                raise SchemaError(
                    item.pointer, "a path must start with a slash and hold operations"
                )
            for method in METHODS:
                if method in item.value:
                    yield self._operation(method, path, item)

    def _operation(self, method: str, path: str, item: Node) -> Operation:
        node = item.part(method)
        responses = node.member("responses")
        if not isinstance(node.value, dict) or not isinstance(responses.value or {}, dict):
            raise SchemaError(node.pointer, "an operation must be an object with responses")
        parameters = declared_parameters(
            [*item.member("parameters").items(), *node.member("parameters").items()]
        )
        self._check_parameters(path, parameters, node.pointer)
        if node.value.get("security", self.root.value.get("security")):
            self._note(
                node.pointer, Problem("security is not enforced; only the key in the body is")
            )
        body = node.member("requestBody")
        request = request_body(body)
        if request is None and body.value:
            self._note(node.pointer, Problem("the request body is not JSON, so it is not checked"))
        for other in request.other_types if request else ():
            self._note(node.pointer, Problem(f"a request body of type {other} is not checked"))
        replies = self._replies(responses)
        success = success_code(replies)
        reply = replies[success] if success else None
        if success not in _EMPTY and (reply is None or reply.schema is None):
            text = "no 2xx reply has a JSON schema, so it is answered with an empty object"
            self._note(node.pointer, Problem(text, "no-reply-schema"))
        variants = reply.variants if reply else {}
        return Operation(
            method=method.upper(),
            path=path,
            pointer=node.pointer,
            kind=self._kind(path, variants),
            code=int(success) if success and success.isdecimal() else 200,
            error_codes=_error_codes(replies),
            summary=str(node.value.get("summary", "")),
            conventions=self.conventions,
            request=request,
            replies=replies,
            servers=self._servers_of(node, self._servers_of(item, self.servers)),
            variants=variants,
            reply=reply.check if reply else None,
            reply_schema=reply.schema if reply else None,
            reply_example=reply.example if reply else None,
            parameters=parameters,
        )

    def _replies(self, responses: Node) -> dict[str, DeclaredReply]:
        """Return what each code, range of codes (4XX) and `default` declares."""
        found = {}
        success = success_code(responses.value or ())
        for codes, node in responses.members():
            if codes.startswith("x-"):
                continue
            try:
                found[codes] = declared_reply(codes, node, self.conventions)
            except SchemaError as error:
                if codes == success:
                    raise
                kind: NoticeKind = "lost-reference" if "$ref" in node.value else "unchecked-part"
                self._note(node.pointer, Problem(f"the reply is not judged: {error}", kind))
        return found

    def _kind(self, path: str, words: Container[str]) -> OperationKind:
        known = self.conventions.words
        if known.processing not in words or known.success not in words:
            return "plain"
        return "fetch" if is_fetch_path(path) else "submit"

    def _check_parameters(
        self, path: str, parameters: Sequence[DeclaredParameter], pointer: str
    ) -> None:
        for one in parameters:
            if one.unjudged and not one.is_ignored:
                text = f"values of {one} are not checked: {one.unjudged}"
                self._note(pointer, Problem(text))
        declared = [one.name for one in parameters if one.place == "path"]
        named = names_in(path)
        for name in named:
            if name not in declared:
                text = f"the path parameter {name} is not declared"
                self._note(pointer, Problem(text, "path-parameter"))
        for name in declared:
            if name not in named:
                text = f"the path parameter {name} is not in the path"
                self._note(pointer, Problem(text, "path-parameter"))


def _server(node: Node, origin: str) -> BaseUrl:
    """Read a server; one without a host has the `origin` of its surroundings."""
    value = node.value if isinstance(node.value, dict) else {}
    url = str(value.get("url", "/"))
    for name, variable in (value.get("variables") or {}).items():
        url = url.replace("{" + name + "}", str(variable.get("default", "")))
    try:
        parts = urlsplit(url)
    except ValueError:
        raise SchemaError(f"{node.pointer}/url", f"{url[:200]!r} is not a URL") from None
    is_absolute = parts.scheme and parts.netloc
    path = parts.path.strip("/")
    return BaseUrl(
        f"{parts.scheme}://{parts.netloc}" if is_absolute else origin, f"/{path}" if path else ""
    )


def _version(members: Any) -> str:
    """Return "3.0" or "3.1"; raise SchemaError for every other version, and for no document."""
    if not isinstance(members, dict):
        raise SchemaError("", "it is not an OpenAPI document: its top level is not an object")
    if "openapi" not in members:
        older = "; it says swagger, convert it to OpenAPI 3 first" if "swagger" in members else ""
        raise SchemaError(
            "", f"it is not an OpenAPI document: the member openapi is missing{older}"
        )
    named = str(members["openapi"])
    version = re.match(r"(3\.[01])(\.|$)", named)
    if version is None:
        raise SchemaError(
            "/openapi", f"version {named[:40]!r} is not understood; only 3.0 and 3.1 are"
        )
    return version.group(1)


def _check_dialect(schemas: Sequence[Schema]) -> None:
    """Refuse what JSON Schema refuses, such as `maximum: "26"`, in all schemas of a document."""
    for schema in schemas:
        try:
            jsonschema_rs.meta.validate(schema.value)
        except jsonschema_rs.ValidationError as error:
            place = schema.pointer + pointer_to(error.instance_path)
            raise SchemaError(place, f"this is not a valid schema: {error.message[:300]}") from None


def _name(schema: Schema) -> str:
    """Return the name of a property or component for a sentence."""
    kind, name = ["", "", *parts_of(schema.pointer)][-2:]
    return name if kind in ("properties", "schemas") else "a schema"


def _leaves_null_out(values: Any) -> bool:
    """Return True for an enum that does not list null."""
    return isinstance(values, list) and None not in values


def _takes_default(schema: Schema) -> bool:
    """Return True if a schema takes its own default, or is invalid; its operation will say that."""
    try:
        return not schema.broken_by(schema.keywords["default"])
    except SchemaError:
        return True


def _error_codes(codes: Iterable[str]) -> tuple[int, ...]:
    return tuple(int(code) for code in codes if _ERROR_CODE.fullmatch(code))


def _pair_fetches(operations: Sequence[Operation]) -> tuple[Operation, ...]:
    """Give each submit the fetch whose path begins most alike.

    Without any fetch a submit has no lifecycle, so it is plain.
    """
    fetches = [operation.path for operation in operations if operation.kind == "fetch"]
    paired = []
    for operation in operations:
        if operation.kind == "submit" and fetches:
            nearest = max(fetches, key=lambda path: shared_parts(path, operation.path))
            operation = replace(operation, fetch_path=nearest)
        elif operation.kind == "submit":
            operation = replace(operation, kind="plain")
        paired.append(operation)
    return tuple(paired)
