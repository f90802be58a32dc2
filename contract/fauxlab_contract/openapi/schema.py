"""A schema of a document as one value: what it says, through `$ref` and `allOf`, and its validator.

>>> from fauxlab_contract.openapi.references import Tree
>>> tree = Tree({"components": {"schemas": {"Size": {"type": "integer", "maximum": 8}}}})
>>> schema = Schema(tree, {"$ref": "#/components/schemas/Size"}, "/here")
>>> schema.resolved.pointer, schema.validator.is_valid(9)
('/components/schemas/Size', False)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fauxlab_contract.openapi.references import Node
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
        for part in here.each("allOf"):
            found.update(part.properties)
        found.update(here.member("properties").members())
        return found

    @property
    def required(self) -> tuple[str, ...]:
        """The required names, through `$ref` and allOf."""
        here = self.resolved
        names = [name for part in here.each("allOf") for name in part.required]
        own = here.keywords.get("required") or ()
        return tuple(dict.fromkeys([*names, *own]))

    def requiring(self, names: Iterable[str]) -> Schema:
        """Return the schema that also requires `names`."""
        return self.but({"allOf": [self.value, {"required": [*names]}]})

    @property
    def refers(self) -> bool:
        """True when a `$ref` stands in this schema or below it."""
        return _holds_reference(self.value)

    @property
    def validator(self) -> SchemaValidator:
        """The compiled schema; compiled once for each place. Raise SchemaError if it is invalid."""
        value, validator = self.tree.compiled.get(self.pointer, (None, None))
        if not isinstance(validator, SchemaValidator) or value is not self.value:
            validator = SchemaValidator(self._complete(), self.pointer)
            self.tree.compiled[self.pointer] = self.value, validator
        return validator

    def _complete(self) -> dict[str, Any]:
        """Return a schema that holds all that it refers to.

        A whole document takes long to compile, so it is added only where something refers to it;
        and of its members only those that are no keywords: `$schema` would be obeyed.
        """
        value = self.value if isinstance(self.value, dict) else {"allOf": [self.value]}
        if not self.refers:
            return value
        members = self.tree.members
        names = [name for name in ("paths", "components", "webhooks") if name in members]
        return {name: members[name] for name in names} | value


def _holds_reference(value: Any) -> bool:
    if isinstance(value, dict):
        return "$ref" in value or any(map(_holds_reference, value.values()))
    return isinstance(value, list) and any(map(_holds_reference, value))
