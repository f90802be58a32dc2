"""With which arguments a client is called: the schema of a request meets a callable's signature."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fauxlab_contract.generation.boundaries import boundary_requests, smallest_request
from fauxlab_contract.openapi.operation import Operation

__all__ = ["ArgumentCase", "Arguments", "arguments_of"]

# Values that keep the contract and are plain enough for every client to take them, by how their
# cases are labelled.
_PLAIN = ("at ", "inside ", "shortest", "longest")
PROMPT, FACE = "studio portrait", "https://example.com/face.png"  # nobody fetches it
_MISSING = object()


@dataclass(frozen=True, slots=True)
class ArgumentCase:
    """The arguments of one call: those of the base call, but for one `field` and its `value`.

    `is_valid`: the document allows the value. `must_pass`: any good client takes it.
    """

    label: str
    arguments: Mapping[str, Any]
    field: str = ""
    value: Any = None
    is_valid: bool = True
    must_pass: bool = False


@dataclass(frozen=True, slots=True)
class Arguments:
    """How a callable is called: `base` holds the arguments of a plain call.

    `names` maps the fields that it takes to the names of its arguments.
    """

    operation: Operation
    base: Mapping[str, Any]
    names: Mapping[str, str]

    @property
    def unreachable(self) -> tuple[str, ...]:
        """The declared fields that no argument reaches; the key is never among them."""
        fields = self.operation.request.properties if self.operation.request else {}
        reached = {*self.names, self.operation.conventions.fields.key}
        return tuple(field for field in fields if field not in reached)

    def cases(self) -> Iterator[ArgumentCase]:
        """Yield the base call, and every boundary of every field that an argument reaches."""
        yield ArgumentCase("base arguments", self.base, must_pass=True)
        key = {self.operation.conventions.fields.key: "key-0123"}
        for case in boundary_requests(self.operation, **key):
            field, _, label = case.label.partition(" ")
            if field not in self.names or (
                label == "missing" and self.names[field] not in self.base
            ):
                continue
            value = case.body.get(field, _MISSING)
            must_pass = case.is_valid and label.startswith(_PLAIN)
            yield self._case(case.label, field, value, is_valid=case.is_valid, must_pass=must_pass)
        for field in self._numbers():
            for value in (math.nan, math.inf):
                yield self._case(f"{field} {value}", field, value, is_valid=False)

    def two_wishes(self) -> list[Mapping[str, Any]]:
        """Return the arguments of two calls that ask for different things; none if none do."""
        names = self.operation.conventions.fields
        for field, pair in (
            (names.seed, (11, 22)),
            (names.prompt, ("a first wish", "a second wish")),
        ):
            if field in self.names:
                return [{**self.base, self.names[field]: value} for value in pair]
        return []

    def _case(
        self, label: str, field: str, value: Any, *, is_valid: bool, must_pass: bool = False
    ) -> ArgumentCase:
        """Return the base call with another value for a field, or without it for `_MISSING`."""
        name = self.names[field]
        arguments = {**self.base, name: value}
        if value is _MISSING:
            del arguments[name]
        return ArgumentCase(label, arguments, field, value, is_valid, must_pass)

    def _numbers(self) -> list[str]:
        schemas = self.operation.request.properties if self.operation.request else {}
        return [
            field
            for field in self.names
            if schemas[field].keywords.get("type") in ("number", "integer")
        ]


def arguments_of(
    operation: Operation,
    call: Callable[..., Any],
    given: Mapping[str, Any] | None,
    names: Mapping[str, str] | None,
) -> Arguments:
    """Return how to call `call`: with the fields that its parameters are, and what is `given`.

    A parameter is the field that it is named after, or the one that `names` maps to it. Raise
    ValueError for a field that the document does not declare, and for a parameter without default
    that is no field and is not given.
    """
    parameters = inspect.signature(call).parameters
    reached = _reached_fields(operation, parameters, names or {})
    base = _base_values(operation, reached) | dict(given or {})
    missing = _missing_parameters(parameters, base)
    # required by the callable, not by the document
    for field, name in reached.items():
        if name in missing:
            base[name] = _valid_value(operation, field)
    unknown = [name for name in missing if name not in base]
    if unknown:
        raise ValueError(
            f"the callable needs {', '.join(unknown)}, which no field is called: give them in"
            " arguments, or map them in names"
        )
    return Arguments(operation, base, reached)


def _reached_fields(
    operation: Operation, parameters: Mapping[str, inspect.Parameter], names: Mapping[str, str]
) -> dict[str, str]:
    """Return the fields that a callable takes: `{"face_image": "photo"}`, by name of parameter.

    A callable that takes keywords of any name takes all fields. The key is never among them.
    """
    declared = operation.request.properties if operation.request else {}
    fields = [field for field in declared if field != operation.conventions.fields.key]
    unknown = [field for field in names if field not in fields]
    if unknown:
        raise ValueError(
            f"names has {', '.join(unknown)}, which the document does not declare; its fields are"
            f" {', '.join(fields)}"
        )
    takes_all = any(
        parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values()
    )
    mapped = {field: names.get(field, field) for field in fields}
    return {field: name for field, name in mapped.items() if takes_all or name in parameters}


def _base_values(operation: Operation, reached: Mapping[str, str]) -> dict[str, Any]:
    """Return arguments for the fields that the document requires, as far as they are reached."""
    roles = operation.conventions.fields
    plain = {roles.prompt: PROMPT, roles.face_image: FACE, roles.init_image: FACE}
    return {
        reached[field]: plain.get(field, value)
        for field, value in smallest_request(operation).items()
        if field in reached
    }


def _missing_parameters(
    parameters: Mapping[str, inspect.Parameter], base: Mapping[str, Any]
) -> list[str]:
    """Return the names of the parameters that must be given and have no value yet."""
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [
        name
        for name, parameter in parameters.items()
        if parameter.default is parameter.empty and parameter.kind in by_name and name not in base
    ]


def _valid_value(operation: Operation, field: str) -> Any:
    """Return the first value of a field at a bound that the document allows, else None."""
    for case in boundary_requests(operation):
        if case.is_valid and field in case.body and case.label.startswith(field):
            return case.body[field]
    return None
