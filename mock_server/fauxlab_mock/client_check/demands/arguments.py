"""With which arguments a client is called: the schema of a request meets a callable's signature."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fauxlab_contract.core.conventions import Fields
from fauxlab_contract.generation.boundaries import RequestCase, boundary_requests, smallest_request
from fauxlab_contract.generation.nested import all_values
from fauxlab_contract.generation.sample import sample
from fauxlab_contract.generation.values import WEBHOOKS, judged
from fauxlab_contract.openapi.operation import Operation
from fauxlab_contract.openapi.schema import Schema
from fauxlab_mock.client_check.making import function_of

__all__ = ["ArgumentCase", "Arguments", "arguments_of"]

# Values that keep the contract and are plain enough for every client to take them, by how their
# cases are labelled.
_PLAIN = ("at ", "inside ", "shortest", "longest")
PROMPT, FACE = "studio portrait", "https://example.com/face.png"  # nobody fetches it
BEYOND_ASCII = "Zürich, 東京, ∑ and 😀"
SEEDS, PROMPTS = (11, 22), ("a first wish", "a second wish")
# Values that a good client may refuse as well as send: the document says `format: uri` only, and
# libraries differ about what that is.
_EITHER_WAY = ("169.254", "a9fea9fe", "metadata.google", "[fe80", "2852039166", "http://[", "a b")
_EITHER_WAY_EXACTLY = ("//example.com/hook", "https://example.com/\n")
_UNTYPED = (inspect.Parameter.empty, Any, object, "Any", "typing.Any", "object")
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

    `names` maps the fields that it takes to the names of its arguments. The fields in `typed` have
    a type in the signature, so that values of other types are not tried.
    """

    operation: Operation
    base: Mapping[str, Any]
    names: Mapping[str, str]
    typed: frozenset[str] = frozenset()

    @property
    def unreachable(self) -> tuple[str, ...]:
        """The declared fields that no argument reaches; the key is never among them."""
        fields = self.operation.request.properties if self.operation.request else {}
        reached = {*self.names, self.operation.conventions.fields.key}
        return tuple(field for field in fields if field not in reached)

    def cases(self) -> Iterator[ArgumentCase]:
        """Yield the base call, one with every field, and every boundary of every field."""
        yield ArgumentCase("base arguments", self.base, must_pass=True)
        yield ArgumentCase("every field", self.every_field(), must_pass=True)
        key = {self.operation.conventions.fields.key: "key-0123"}
        for case in boundary_requests(self.operation, **key):
            field, _, label = case.label.partition(" ")
            value = case.body.get(field, _MISSING)
            if self._is_fair(case, field, label, value):
                must_pass = case.is_valid and label.startswith(_PLAIN)
                yield self._case(
                    case.label, field, value, is_valid=case.is_valid, must_pass=must_pass
                )
        for field in self._free_texts():
            yield self._case(f"{field} beyond ASCII", field, BEYOND_ASCII, must_pass=True)
        for field in self._numbers():
            for value in (math.nan, math.inf):
                yield self._case(f"{field} {value}", field, value, is_valid=False)

    def every_field(self) -> dict[str, Any]:
        """Return the base arguments with a plain value for each other field."""
        cases = [case for case in boundary_requests(self.operation) if case.is_valid]
        plain = {name: self._plain_value(field, cases) for field, name in self.names.items()}
        return {name: value for name, value in plain.items() if value is not None} | {**self.base}

    def two_wishes(self) -> list[Mapping[str, Any]]:
        """Return the arguments of two calls that ask for different things; none if none do."""
        roles = self.operation.conventions.fields
        for field, liked in ((roles.seed, SEEDS), (roles.prompt, PROMPTS)):
            pair = self._two_values(field, liked) if field in self.names else ()
            if len(pair) > 1:
                return [{**self.base, self.names[field]: value} for value in pair[:2]]
        return []

    def _two_values(self, field: str, liked: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the values that are liked as far as they are allowed, or two others that are."""
        schema = self._schema(field)
        if all(schema.validator.is_valid(value) for value in liked):
            return liked
        values = judged(schema, all_values(self.operation, field, schema))
        allowed = {repr(one.value): one.value for one in values if not one.keyword}
        return tuple(allowed.values())

    def _is_fair(self, case: RequestCase, field: str, label: str, value: Any) -> bool:
        """Return True for a case that tells something about a client."""
        if field not in self.names or (label == "missing" and self.names[field] not in self.base):
            return False
        if case.keyword == "type" and field in self.typed:
            return False
        if case.keyword in ("format", "webhook") and isinstance(value, str):
            is_known = value in _EITHER_WAY_EXACTLY
            return not is_known and not any(part in value for part in _EITHER_WAY)
        return True

    def _plain_value(self, field: str, cases: list[RequestCase]) -> Any:
        """Return a value that every client takes; None if none is known."""
        schema, roles = self._schema(field), self.operation.conventions.fields
        liked = {**_plain(roles), roles.webhook: WEBHOOKS[0]}
        inside = [case.body[field] for case in cases if case.label.startswith(f"{field} inside ")]
        # the last one is furthest from the default, and no longer a bound
        for value in (liked.get(field), *inside[-1:], sample(schema)):
            if value is not None and schema.validator.is_valid(value):
                return value
        return None

    def _schema(self, field: str) -> Schema:
        schemas = self.operation.request.properties if self.operation.request else {}
        return schemas[field].resolved

    def _free_texts(self) -> list[str]:
        """Return the fields of people's own words: texts that nothing but a length limits."""
        roles, bound = self.operation.conventions.fields, {"format", "enum", "pattern", "const"}
        return [
            field
            for field in self.names
            if field not in (roles.face_image, roles.init_image)
            and self._schema(field).keywords.get("type") == "string"
            and not self._schema(field).keywords.keys() & bound
            and self._schema(field).validator.is_valid(BEYOND_ASCII)
        ]

    def _case(
        self,
        label: str,
        field: str,
        value: Any,
        *,
        is_valid: bool = True,
        must_pass: bool = False,
    ) -> ArgumentCase:
        """Return the base call with another value for a field, or without it for `_MISSING`."""
        name = self.names[field]
        arguments = {**self.base, name: value}
        if value is _MISSING:
            del arguments[name]
        return ArgumentCase(label, arguments, field, value, is_valid, must_pass)

    def _numbers(self) -> list[str]:
        return [
            field
            for field in self.names
            if field not in self.typed
            and self._schema(field).keywords.get("type") in ("number", "integer")
        ]


def arguments_of(
    operation: Operation,
    call: Callable[..., Any],
    given: Mapping[str, Any] | None,
    names: Mapping[str, str] | None,
    *,
    wrong_types: bool = False,
) -> Arguments:
    """Return how to call `call`: with the fields that its parameters are, and what is `given`.

    A parameter is the field that it is named after, or the one that `names` maps to it. With
    `wrong_types`, values of other types than its annotation's are tried, too. Raise
    ValueError for a field that the document does not declare, and for a parameter without default
    that is no field and is not given, or takes its value by place only; TypeError for a generator.
    """
    parameters = inspect.signature(call).parameters
    _check_callable(call, parameters)
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
    typed = frozenset() if wrong_types else _typed_fields(parameters, reached)
    return Arguments(operation, base, reached, typed)


def _check_callable(call: Callable[..., Any], parameters: Mapping[str, inspect.Parameter]) -> None:
    """Raise TypeError for a generator, ValueError for parameters that cannot be given by name."""
    function = function_of(call)
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(
            "the callable is a generator, which does nothing until it is iterated; wrap it in a"
            " function that does one whole generation and returns its result"
        )
    by_place = [
        name
        for name, parameter in parameters.items()
        if parameter.kind is parameter.POSITIONAL_ONLY and parameter.default is parameter.empty
    ]
    if by_place:
        raise ValueError(
            f"the callable takes {', '.join(by_place)} by place only, and is called by name; wrap"
            " it in a function without / in its signature"
        )


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


def _typed_fields(
    parameters: Mapping[str, inspect.Parameter], reached: Mapping[str, str]
) -> frozenset[str]:
    """Return the fields whose parameters, or all keywords together, have a type."""
    keywords = [one for one in parameters.values() if one.kind is inspect.Parameter.VAR_KEYWORD]
    typed = set()
    for field, name in reached.items():
        taken = [parameters[name]] if name in parameters else keywords
        if all(parameter.annotation not in _UNTYPED for parameter in taken):
            typed.add(field)
    return frozenset(typed)


def _base_values(operation: Operation, reached: Mapping[str, str]) -> dict[str, Any]:
    """Return arguments for the fields that the document requires, as far as they are reached."""
    roles = operation.conventions.fields
    plain = _plain(roles)
    schemas = operation.request.properties if operation.request else {}
    return {
        reached[field]: plain[field]
        if field in plain and schemas[field].validator.is_valid(plain[field])
        else value
        for field, value in smallest_request(operation).items()
        if field in reached
    }


def _plain(roles: Fields) -> dict[str, str]:
    """Return texts that people would write, by the fields that they are for."""
    return {roles.prompt: PROMPT, roles.face_image: FACE, roles.init_image: FACE}


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
