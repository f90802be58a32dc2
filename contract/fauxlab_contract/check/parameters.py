"""What a request needs beside its body: query, headers and parts of the path."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from fauxlab_contract.openapi.document import Document
from fauxlab_contract.openapi.operation import Operation, names_in
from fauxlab_contract.openapi.parameters import DeclaredParameter
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

_UNKNOWN = object()
# style -> what parts the items of a list
_SEPARATORS = {"simple": ",", "form": ",", "pipeDelimited": "|", "spaceDelimited": " "}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter that the document requires. `value` is what it gives as an example."""

    declared: DeclaredParameter
    value: Any = field(repr=False)

    @property
    def name(self) -> str:
        return self.declared.name

    @property
    def place(self) -> str:
        """query, header, path or cookie."""
        return self.declared.place

    @property
    def is_known(self) -> bool:
        """True if the document says what may be sent: by an example, an enum or a default.

        False for values inside each other, and in a style that is not known: nobody can say how
        they are written.
        """
        if self.value is _UNKNOWN or not isinstance(self.value, (list, dict)):
            return self.value is not _UNKNOWN
        members = self.value.values() if isinstance(self.value, dict) else self.value
        is_deep = isinstance(self.value, dict) and self.declared.style == "deepObject"
        is_flat = not any(isinstance(one, (list, dict)) for one in members)
        return bool(members) and is_flat and (is_deep or self.declared.style in _SEPARATORS)

    @property
    def text(self) -> str:
        """The value as it is sent: `a,b` for a list, `true` for True."""
        values = self.value
        if isinstance(values, dict):
            values = [part for member in values.items() for part in member]
        if isinstance(values, list):
            return _SEPARATORS[self.declared.style].join(map(_text, values))
        return _text(values)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """What is sent in a query: `[("id", "1"), ("id", "2")]` for a list that is exploded."""
        if isinstance(self.value, dict) and self.declared.style == "deepObject":
            return [(f"{self.name}[{name}]", _text(one)) for name, one in self.value.items()]
        if isinstance(self.value, dict) and self.declared.is_exploded:
            return [(name, _text(one)) for name, one in self.value.items()]
        if isinstance(self.value, list) and self.declared.is_exploded:
            return [(self.name, _text(one)) for one in self.value]
        return [(self.name, self.text)]

    def __str__(self) -> str:
        return str(self.declared)


@dataclass(frozen=True, slots=True)
class Parameters:
    """The required parameters of one operation."""

    required: tuple[Parameter, ...]

    def of(self, place: str) -> list[Parameter]:
        """Return those in one place whose value is known."""
        return [one for one in self.required if one.place == place and one.is_known]

    def query(self, without: str = "", **given: str) -> str:
        """Return the query that is required: `?voice=alto-2`, or nothing."""
        pairs = [
            pair
            for one in self.of("query")
            if one.name != without
            for pair in ([(one.name, given[one.name])] if one.name in given else one.pairs)
        ]
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
    return Parameters(
        tuple(
            Parameter(one, next(_values(document.at(one.pointer)), _UNKNOWN))
            for one in operation.parameters
            if one.is_required
        )
    )


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
    job_id = operation.job_parameter
    for one in parameters.required:
        is_given = one.place == "header" and one.name.lower() in given
        is_id = one.place == "path" and one.name == job_id
        if not (one.is_known or is_given or is_id):
            return str(one)
    declared = {one.name for one in parameters.required if one.place == "path"}
    return next(
        (
            f"the path parameter {name}"
            for name in names_in(operation.path)
            if name not in declared | {job_id}
        ),
        "",
    )


def path_with(operation: Operation, parameters: Parameters, job_id: Any = None) -> str:
    """Return the path of an operation; the id of a job stands for its last parameter."""
    values = {one.name: one.text for one in parameters.of("path")}
    names = names_in(operation.path)
    if names and job_id is not None:
        values[names[-1]] = str(job_id)

    path = operation.path
    for name in names:
        part = "{" + name + "}"
        path = path.replace(part, quote(values.get(name, part), safe=""))
    return path


def takes_key(operation: Operation) -> bool:
    """Return True if the body of an operation has the key."""
    declared = operation.request.properties if operation.request else {}
    return operation.conventions.fields.key in declared


def key_of(operation: Operation, key: str) -> dict[str, str]:
    """Return the key as a member of a body; empty if the operation does not take a key."""
    return {operation.conventions.fields.key: key} if takes_key(operation) else {}
