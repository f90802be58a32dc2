"""A schema of a document as one value: what it says, through `$ref` and `allOf`, and its validator.

>>> from fauxlab_contract.openapi.references import Tree
>>> tree = Tree({"components": {"schemas": {"Size": {"type": "integer", "maximum": 8}}}})
>>> schema = Schema(tree, {"$ref": "#/components/schemas/Size"}, "/here")
>>> schema.resolved.pointer, schema.validator.is_valid(9)
('/components/schemas/Size', False)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fauxlab_contract.core.pointers import value_at
from fauxlab_contract.core.violation import Violation
from fauxlab_contract.openapi.dialect import copied_with
from fauxlab_contract.openapi.keywords import LIST_KEYWORDS, MAP_KEYWORDS, SCHEMA_KEYWORDS
from fauxlab_contract.openapi.references import Direction, Node, Tree
from fauxlab_contract.openapi.validator import SchemaValidator

__all__ = ["Schema"]


@dataclass(frozen=True, slots=True)
class Schema(Node):
    """A schema and its place. Its value is an object of keywords, or true or false.

    A schema that was put together from others keeps the place of one of them.
    """

    @classmethod
    def of(cls, node: Node) -> Schema:
        return cls(node.tree, node.value, node.pointer)

    def but(self, value: Any) -> Schema:
        """Return another schema in the same place."""
        return Schema(self.tree, value, self.pointer)

    @property
    def keywords(self) -> Mapping[str, Any]:
        """The keywords of this schema itself; none for true and false."""
        return self.value if isinstance(self.value, dict) else {}

    def each(self, keyword: str) -> list[Schema]:
        """Return the schemas in the list of a keyword such as oneOf; `[]` when it is not there."""
        return list(self.member(keyword).items())

    @property
    def branches(self) -> list[Schema]:
        """The schemas of oneOf, else those of anyOf, else `[]`."""
        return self.each("oneOf") or self.each("anyOf")

    @property
    def properties(self) -> dict[str, Schema]:
        """The named properties, through `$ref` and allOf, in the document's order."""
        here = self.resolved
        found: dict[str, Schema] = {}
        for part in [*(part.properties for part in here.each("allOf")), here._own_properties]:
            for name, schema in part.items():
                known = found.get(name, schema)
                is_same = known.value == schema.value
                both = schema.but({"allOf": [known.value, schema.value]})
                found[name] = schema if is_same else both
        return found

    @property
    def _own_properties(self) -> dict[str, Schema]:
        return dict(self.member("properties").members())

    @property
    def required(self) -> tuple[str, ...]:
        """The required names, through `$ref` and allOf."""
        here = self.resolved
        names = [name for part in here.each("allOf") for name in part.required]
        own = here.keywords.get("required") or ()
        return tuple(dict.fromkeys([*names, *own]))

    @property
    def merged(self) -> Schema:
        """The schema that `$ref` leads to, with the keywords of its allOf beside its own.

        Its `properties` and `required` say the same as before. Of two values of one keyword the
        tighter bound counts, or what both list; else its own.
        """
        here = self.resolved
        parts = here.each("allOf")
        if not parts:
            return here
        keywords: dict[str, Any] = {}
        for part in [*(part.merged.keywords for part in parts), here.keywords]:
            for keyword, value in part.items():
                if keyword not in _COLLECTED:
                    known = keywords.get(keyword, value)
                    keywords[keyword] = _both(keyword, known, value)
        own = {name: value for name, value in here.keywords.items() if name in _COLLECTED}
        return here.but({**keywords, **own})

    def towards(self, direction: Direction) -> Schema:
        """Return the schema as it judges requests or replies.

        OpenAPI 3.0 requires what is readOnly in replies alone, what is writeOnly in requests alone.
        """
        tree = _view(self.tree, direction)
        return Schema(tree, value_at(tree.members, self.pointer), self.pointer)

    @property
    def is_left_out(self) -> bool:
        """True for a field that is not sent in this direction unless it is required.

        It is readOnly in a request, or writeOnly in a reply.
        """
        direction = self.tree.direction
        return direction is not None and self._is_flagged(_FLAGS[direction])

    def _is_flagged(self, flag: str) -> bool:
        return True in (self.keywords.get(flag), self.merged.keywords.get(flag))

    def broken_by(self, value: Any) -> tuple[Violation, ...]:
        """Return what `value` breaks both as part of a request and as part of a reply."""
        found: tuple[Violation, ...] = ()
        for direction in _FLAGS:
            found = self.towards(direction).validator.violations(value)
            if not found:
                break
        return found

    def requiring(self, names: Iterable[str]) -> Schema:
        """Return the schema that also requires `names`."""
        return self.but({"allOf": [self.value, {"required": [*names]}]})

    @property
    def refers(self) -> bool:
        """True when a `$ref` stands in this schema or below it."""
        return _holds_reference(self.value)

    @property
    def validator(self) -> SchemaValidator:
        """The compiled schema, one for each place; a reference alone has that of its target."""
        if self.keywords.keys() == {"$ref"}:
            return self.resolved.validator
        value, validator = self.tree.compiled.get(self.pointer, (None, None))
        if not isinstance(validator, SchemaValidator) or value is not self.value:
            validator = SchemaValidator(self._complete, self.pointer)
            self.tree.compiled[self.pointer] = self.value, validator
        return validator

    def _complete(self) -> dict[str, Any]:
        """Return a schema that holds all that it refers to, and nothing else.

        A whole document takes long to compile, once for each of its schemas.
        """
        value = self.value if isinstance(self.value, dict) else {"allOf": [self.value]}
        return {**self.tree.referred_to_by(value), **value}


# direction -> what marks fields that only the other one has
_FLAGS: Mapping[Direction, str] = {"request": "readOnly", "reply": "writeOnly"}
_COLLECTED = ("allOf", "properties", "required")
_TIGHTER: Mapping[str, Callable[[Any, Any], Any]] = {
    **dict.fromkeys(("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"), max),
    **dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"), min),
}


def _both(keyword: str, value: Any, other: Any) -> Any:
    """Return the value of a keyword that two parts of an allOf have; `other` unless one knows."""
    if keyword in _TIGHTER:
        return _TIGHTER[keyword](value, other)
    if keyword == "enum":
        return [item for item in value if item in other]
    if keyword == "type" and isinstance(value, list):
        others = [other] if isinstance(other, str) else other
        return [kind for kind in value if kind in others] or other
    return value if keyword == "type" and isinstance(other, list) else other


def _view(tree: Tree, direction: Direction) -> Tree:
    """Return a document as it judges requests or replies; both are made once."""
    for each, flag in _FLAGS.items() if not tree.views else ():
        members, compiled = tree.members, tree.compiled
        if tree.version == "3.0" and _says(members, flag):
            members, compiled = _directed_members(tree, flag), {}
        view = replace(tree, members=members, direction=each, compiled=compiled)
        tree.views[each] = view  # which has the same views
    return tree.views[direction]


def _says(value: Any, flag: str) -> bool:
    """Return True if a schema somewhere below says `readOnly: true`, or the other flag."""
    if isinstance(value, dict):
        return value.get(flag) is True or any(_says(member, flag) for member in value.values())
    return isinstance(value, list) and any(_says(item, flag) for item in value)


def _directed_members(tree: Tree, flag: str) -> dict[str, Any]:
    """Return a copy of a document in which no field with the flag is required."""
    return copied_with(tree.root, lambda node: _directed(Schema.of(node), flag))


def _directed(schema: Schema, flag: str, outer: frozenset[str] = frozenset()) -> Any:
    """Return a schema without flagged names in `required`, at any depth.

    `outer` are the flagged fields of schemas that this one is a part of by allOf: they may be
    required here. What is required inside `not`, `if` and branches tells shapes apart, and stays.
    """
    if not isinstance(schema.value, dict):
        return schema.value
    if "$ref" in schema.value:
        target = schema.resolved
        if outer.isdisjoint(target.required):
            return schema.value
        return _directed(target, flag, outer)
    flagged = outer | {name for name, field in schema.properties.items() if field._is_flagged(flag)}
    result = dict(schema.value)
    for keyword, part in schema.members():
        if keyword == "required" and isinstance(part.value, list):
            result[keyword] = [name for name in part.value if name not in flagged]
        elif keyword == "allOf":
            result[keyword] = [_directed(item, flag, flagged) for item in part.items()]
        elif keyword in LIST_KEYWORDS:
            result[keyword] = [_directed(item, flag) for item in part.items()]
        elif keyword in MAP_KEYWORDS:
            result[keyword] = {name: _directed(item, flag) for name, item in part.members()}
        elif keyword in SCHEMA_KEYWORDS and keyword not in ("not", "if"):
            result[keyword] = _directed(part, flag)
    return result


def _holds_reference(value: Any) -> bool:
    if isinstance(value, dict):
        return "$ref" in value or any(map(_holds_reference, value.values()))
    return isinstance(value, list) and any(map(_holds_reference, value))
