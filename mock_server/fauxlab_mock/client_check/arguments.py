"""With which arguments a client is called: from the schema of a request and the signature of the
callable.
"""

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
    """Arguments of one call. `name`, `field` and `value`: what is not as in the base call.
    `must_pass`: a good client takes it.

    `is_valid`: the document allows it.
    """

    label: str
    arguments: Mapping[str, Any]
    field: str = ""
    value: Any = None
    is_valid: bool = True
    must_pass: bool = False


@dataclass(frozen=True, slots=True)
class Arguments:
    """`names` maps the fields that the callable takes to the names of its arguments; `base` is what
    a plain call has.
    """

    operation: Operation
    base: Mapping[str, Any]
    names: Mapping[str, str]

    @property
    def unreachable(self) -> tuple[str, ...]:
        """The declared fields that no argument reaches."""
        fields = self.operation.request.properties if self.operation.request else {}
        return tuple(
            name
            for name in fields
            if name not in self.names and name != self.operation.conventions.fields.key
        )

    def cases(self) -> Iterator[ArgumentCase]:
        """The base call, and every boundary of every field that an argument reaches."""
        yield ArgumentCase("base arguments", self.base, must_pass=True)
        for case in boundary_requests(
            self.operation, **{self.operation.conventions.fields.key: "key-0123"}
        ):
            field, _, label = case.label.partition(" ")
            if field in self.names and (label != "missing" or self.names[field] in self.base):
                yield self._case(
                    case.label, field, case.body.get(field, _MISSING), label, is_valid=case.is_valid
                )
        for field, value in (
            (field, value) for field in self._numbers() for value in (math.nan, math.inf)
        ):
            yield self._case(f"{field} {value}", field, value, "", is_valid=False)

    def two_wishes(self) -> list[Mapping[str, Any]]:
        """Two calls that ask for different things, as far as the arguments reach."""
        names = self.operation.conventions.fields
        for field, pair in (
            (names.seed, (11, 22)),
            (names.prompt, ("a first wish", "a second wish")),
        ):
            if field in self.names:
                return [{**self.base, self.names[field]: value} for value in pair]
        return []

    def _case(
        self, label: str, field: str, value: Any, kind: str, *, is_valid: bool
    ) -> ArgumentCase:
        rest = {name: given for name, given in self.base.items() if name != self.names[field]}
        arguments = rest if value is _MISSING else {**rest, self.names[field]: value}
        return ArgumentCase(
            label, arguments, field, value, is_valid, is_valid and kind.startswith(_PLAIN)
        )

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
    """How to call `call`: by the parameters that are named as fields are, those that `names` maps,
    and what is `given`.

    ValueError when it has parameters that must be given and nobody knows what for.
    """
    key = operation.conventions.fields.key
    fields = [
        name for name in (operation.request.properties if operation.request else {}) if name != key
    ]
    unknown = [name for name in names or {} if name not in fields]
    if unknown:
        raise ValueError(
            f"names has {', '.join(unknown)}, which the document does not declare; its fields are"
            f" {', '.join(fields)}"
        )
    parameters = inspect.signature(call).parameters
    takes_all = any(one.kind is one.VAR_KEYWORD for one in parameters.values())
    known = {field: (names or {}).get(field, field) for field in fields}
    known = {field: name for field, name in known.items() if takes_all or name in parameters}
    sample = smallest_request(operation)
    roles = operation.conventions.fields
    sample |= {
        name: text
        for name, text in (
            (roles.prompt, PROMPT),
            (roles.face_image, FACE),
            (roles.init_image, FACE),
        )
        if name in sample
    }
    base = {known[field]: value for field, value in sample.items() if field in known} | dict(
        given or {}
    )
    missing = [
        one.name
        for one in parameters.values()
        if one.default is one.empty
        and one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)
        and one.name not in base
    ]
    extra = {known[field]: _sample(operation, field) for field in known if known[field] in missing}
    missing = [name for name in missing if name not in extra]
    if missing:
        raise ValueError(
            f"the callable needs {', '.join(missing)}, which no field is called: give them in"
            " arguments, or map them in names"
        )
    return Arguments(operation, {**base, **extra}, known)


def _sample(operation: Operation, field: str) -> Any:
    found = [
        case.body[field]
        for case in boundary_requests(operation)
        if case.is_valid and field in case.body and case.label.startswith(field)
    ]
    return found[0] if found else None
