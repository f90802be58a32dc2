"""What a request needs beside its body: query, headers and parts of the path."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from fauxlab_contract.openapi.document import Document
from fauxlab_contract.openapi.operation import Operation
from fauxlab_contract.openapi.references import Node
from fauxlab_contract.openapi.schema import Schema

__all__ = [
    "Parameter",
    "Parameters",
    "key_of",
    "lacking",
    "parameters_of",
    "path_with",
    "takes_key",
]

_IN_PATH = re.compile(r"\{([^{}]+)\}")
_UNKNOWN = object()


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter that the document requires. `value` is what it gives as an example."""

    name: str
    place: str  # query, header, path or cookie
    value: Any = field(repr=False)

    @property
    def is_known(self) -> bool:
        """True if the document says what may be sent: by an example, an enum or a default."""
        return self.value is not _UNKNOWN

    @property
    def text(self) -> str:
        """The value as it is sent: `a,b` for a list, `true` for True."""
        if isinstance(self.value, list):
            return ",".join(map(_text, self.value))
        return _text(self.value)

    def __str__(self) -> str:
        return f"the {self.place} parameter {self.name}"


@dataclass(frozen=True, slots=True)
class Parameters:
    """The required parameters of one operation."""

    required: tuple[Parameter, ...]

    def of(self, place: str) -> list[Parameter]:
        """Return those in one place whose value is known."""
        return [one for one in self.required if one.place == place and one.is_known]

    def query(self, without: str = "", **given: str) -> str:
        """Return the query that is required: `?voice=alto-2`, or nothing."""
        pairs = {one.name: given.get(one.name, one.text) for one in self.of("query")}
        pairs.pop(without, None)
        return f"?{urlencode(pairs)}" if pairs else ""

    def headers(self, without: str = "") -> dict[str, str]:
        """Return the headers that are required, by their names in lower case."""
        found = {one.name.lower(): one.text for one in self.of("header")}
        cookies = "; ".join(f"{one.name}={one.text}" for one in self.of("cookie"))
        if cookies:
            found["cookie"] = cookies
        found.pop(without.lower(), None)
        return found


def parameters_of(document: Document, operation: Operation) -> Parameters:
    """Read the required parameters of an operation, those of its path included."""
    item = document.at(operation.pointer.rpartition("/")[0]).resolved
    node = document.at(operation.pointer)
    found = {}
    for parent in (item, node):
        for one in parent.member("parameters").items():
            parameter = one.resolved
            name, place = parameter.member("name").value, parameter.member("in").value
            if isinstance(name, str) and isinstance(place, str):
                is_required = parameter.member("required").value is True or place == "path"
                found[place, name] = (is_required, parameter)
    required = [
        Parameter(name, place, next(_values(node), _UNKNOWN))
        for (place, name), (is_required, node) in found.items()
        if is_required
    ]
    return Parameters(tuple(required))


def _values(parameter: Node) -> Iterator[Any]:
    """Yield what the document gives as a value of a parameter, the best first."""
    if "example" in parameter.value:
        yield parameter.value["example"]
    for _, example in parameter.member("examples").members():
        if isinstance(example.resolved.value, dict) and "value" in example.resolved.value:
            yield example.resolved.value["value"]
    schema = Schema.of(parameter.member("schema")).resolved
    keywords: Mapping[str, Any] = schema.keywords
    for name in ("example", "default", "const"):
        if name in keywords:
            yield keywords[name]
    for name in ("examples", "enum"):
        if isinstance(keywords.get(name), list):
            yield from keywords[name]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def lacking(operation: Operation, parameters: Parameters, given: Mapping[str, str]) -> str:
    """Return which parameter an operation needs and nothing says a value for; empty if none.

    The id of a job is known, and so are the headers that are `given`.
    """
    names = _IN_PATH.findall(operation.path)
    job_id = names[-1] if operation.kind == "fetch" and names else ""
    for one in parameters.required:
        is_given = one.place == "header" and one.name.lower() in given
        is_id = one.place == "path" and one.name == job_id
        if not (one.is_known or is_given or is_id):
            return str(one)
    declared = {one.name for one in parameters.required if one.place == "path"}
    return next(
        (f"the path parameter {name}" for name in names if name not in declared | {job_id}), ""
    )


def path_with(operation: Operation, parameters: Parameters, job_id: Any = None) -> str:
    """Return the path of an operation; the id of a job stands for its last parameter."""
    values = {one.name: one.text for one in parameters.of("path")}
    names = _IN_PATH.findall(operation.path)
    if names and job_id is not None:
        values[names[-1]] = str(job_id)

    def value(match: re.Match[str]) -> str:
        return quote(values.get(match[1], match[0]), safe="")

    return _IN_PATH.sub(value, operation.path)


def takes_key(operation: Operation) -> bool:
    """Return True if the body of an operation has the key."""
    declared = operation.request.properties if operation.request else {}
    return operation.conventions.fields.key in declared


def key_of(operation: Operation, key: str) -> dict[str, str]:
    """Return the key as a member of a body; empty if the operation does not take a key."""
    return {operation.conventions.fields.key: key} if takes_key(operation) else {}
