"""The parameters that an operation declares beside its body: in the path, the query, a header."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from fauxlab_contract.openapi.references import Node
from fauxlab_contract.openapi.schema import Schema
from fauxlab_contract.openapi.structure import resolve_as
from fauxlab_contract.openapi.types import TYPES, types_of

__all__ = ["DeclaredParameter", "declared_parameters"]

# how values are written where nothing is said
_PLAIN_STYLES = {"path": "simple", "header": "simple", "query": "form"}
_DELIMITED = ("spaceDelimited", "pipeDelimited")
_IGNORED = ("accept", "content-type", "authorization")  # OpenAPI gives headers of these names away
_SCALARS = frozenset({"string", "integer", "number", "boolean"})


@dataclass(frozen=True, slots=True)
class DeclaredParameter:
    """One parameter. `place` is path, query, header or cookie.

    `style` is how values are written (simple, form, deepObject, …), empty for a media type.
    `is_exploded` says that each item of a list comes as a parameter of its own: `?tag=a&tag=b`.
    `has_own_name` is False where a value may come under other names: `?page=0`, `?filter[a]=1`.
    `unjudged` says why a value is not judged; it is empty where it is.
    """

    name: str
    place: str
    pointer: str
    is_required: bool
    schema: Schema | None = field(repr=False)
    style: str = "form"
    is_exploded: bool = False
    has_own_name: bool = True
    may_be_empty: bool = False
    unjudged: str = ""

    def __str__(self) -> str:
        return f"the {self.place} parameter {self.name}"

    @property
    def is_ignored(self) -> bool:
        """True for a header that is no parameter to OpenAPI, whatever is declared: Accept."""
        return self.place == "header" and self.name.lower() in _IGNORED


def declared_parameters(nodes: Iterable[Node]) -> tuple[DeclaredParameter, ...]:
    """Read the parameters of a path, then of its operation: the later of a name counts."""
    found = {}
    for node in nodes:
        parameter = _read(resolve_as("parameter", node))
        if parameter.name:
            found[parameter.place, parameter.name] = parameter
    return tuple(found.values())


def _read(node: Node) -> DeclaredParameter:
    place, name = str(node.member("in").value), node.member("name").value
    schema = None
    if "schema" in node.value:
        schema = Schema.of(node.part("schema")).towards("request")
    style = node.member("style").value or _PLAIN_STYLES.get(place, "form")
    style = "" if "content" in node.value else str(style)
    explode = node.member("explode").value
    is_exploded = place == "query" and (explode is True or (style == "form" and explode is None))
    return DeclaredParameter(
        name=name if isinstance(name, str) else "",
        place=place,
        pointer=node.pointer,
        is_required=place == "path" or node.member("required").value is True,
        schema=schema,
        style=style[:40],
        is_exploded=is_exploded,
        has_own_name=place != "query" or _has_own_name(style, schema, is_exploded=is_exploded),
        may_be_empty=node.member("allowEmptyValue").value is True,
        unjudged=_unjudged(style, place, schema),
    )


def _has_own_name(style: str, schema: Schema | None, *, is_exploded: bool) -> bool:
    """Return False where a value in the query may come as members, each under a name of its own.

    Where nothing is said of the type it is no object.
    """
    if style != "form":
        return style == "" or style in _DELIMITED  # in a media type, it is one value
    if schema is None or not is_exploded or "object" not in types_of(schema):
        return True
    return types_of(schema) == frozenset(TYPES) and not schema.properties


def _unjudged(style: str, place: str, schema: Schema | None) -> str:
    """Return why values of a parameter are not judged: what it is, and how it is written."""
    if not style:
        return "it is in a media type"
    if place not in _PLAIN_STYLES:
        return "it is a cookie" if place == "cookie" else f"it is in {place[:40]}"
    if style != _PLAIN_STYLES[place]:
        return f"its style is {style[:40]}"
    if schema is not None and types_of(schema).isdisjoint(_SCALARS | {"array"}):
        return "it is an object"
    return ""
