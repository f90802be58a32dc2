"""What a document's `x-fauxlab` says beside what its schemas say: names that nothing has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from fauxlab_contract.core.conventions import Conventions
from fauxlab_contract.core.text import nearest
from fauxlab_contract.openapi.dialect import subschemas
from fauxlab_contract.openapi.operation import Operation
from fauxlab_contract.openapi.schema import Schema
from fauxlab_contract.openapi.types import listed_values

__all__ = ["asks_for_one", "is_fetch_path", "lost_names", "shared_parts", "status_words"]

# words that other APIs have for the states of a job
_STATES = {
    "processing": {"processing", "queued", "pending", "running", "in_progress", "waiting"},
    "success": {"success", "succeeded", "done", "completed", "complete", "finished", "ready"},
    "failed": {"failed", "failure", "crashed", "aborted", "broken", "cancelled", "canceled"},
}


def lost_names(
    extension: Any, conventions: Conventions, schemas: Iterable[Schema]
) -> Iterator[tuple[str, str]]:
    """Yield (pointer, problem) for each role and word of `x-fauxlab` that no schema has."""
    asked = {member: (extension or {}).get(member) or {} for member in ("fields", "words")}
    fields = [field for top in schemas for one in subschemas(top) for field in _own_fields(one)]
    status = conventions.fields.status
    declared = {
        "fields": list(dict.fromkeys(name for name, _ in fields)),
        "words": _listed(schema for name, schema in fields if name == status),
    }
    for member, names in asked.items():
        known = declared[member]
        lost = f"no {status} lists" if member == "words" else "no schema has a field"
        for role, name in names.items():
            if known and name not in known:
                near = nearest(name, known)
                hint = f"; did you mean {near[0]}?" if near else ""
                yield f"/x-fauxlab/{member}/{role}", f"{lost} {name!a}{hint}"


def _own_fields(schema: Schema) -> Iterator[tuple[str, Schema]]:
    yield from schema.member("properties").members()


def _listed(schemas: Iterable[Schema]) -> list[str]:
    """Return the texts that enum and const of these schemas list."""
    lists = [values for one in schemas for values in listed_values(one.resolved.keywords)]
    return list(dict.fromkeys(word for words in lists for word in words if isinstance(word, str)))


def is_fetch_path(path: str) -> bool:
    """Return True for the path of an operation that fetches a job: it ends with /fetch/{id}."""
    return re.search(r"/fetch/\{[^{}]+\}/?$", path) is not None


def asks_for_one(operation: Operation) -> bool:
    """Return True if a path ends with an id, and the body holds no more than a key: it may ask.

    It is False for a body of which that is not known: of branches, of any members, not of JSON.
    """
    if not re.search(r"/\{[^{}]+\}/?$", operation.path):
        return False
    if operation.request is None:
        return not operation.has_other_body
    schema, names = operation.request.schema, {*operation.request.properties}
    parts = [schema, *(part.resolved for part in schema.each("allOf"))]
    is_known = bool(names) or not schema.keywords.get("additionalProperties")
    has_branches = any(part.branches for part in parts)
    return is_known and not has_branches and names <= {operation.conventions.fields.key}


def shared_parts(path: str, other: str) -> int:
    """Return how many parts two paths have in common at their beginning."""
    shared = 0
    for part, other_part in zip(path.split("/"), other.split("/"), strict=False):
        if part != other_part:
            break
        shared += 1
    return shared


def status_words(operation: Operation) -> dict[str, dict[str, str]]:
    """Return the fields of a reply that look like a status, each with what its words may mean.

    `{"state": {"processing": "queued", "success": "done"}}`: such a field lists a word for a job
    that runs, and one for a job that succeeded.
    """
    if operation.reply_schema is None:
        return {}
    whole = operation.reply_schema.resolved
    parts = [part.resolved for part in (whole, *whole.branches, *whole.each("allOf"))]
    fields: dict[str, list[Schema]] = {}
    for part in parts:
        for name, schema in part.properties.items():
            fields.setdefault(name, []).append(schema)
    found = {}
    for name, schemas in fields.items():
        words = _listed(schemas)
        meant = {
            state: next(word for word in words if word.lower() in known)
            for state, known in _STATES.items()
            if not known.isdisjoint(map(str.lower, words))
        }
        if {"processing", "success"} <= meant.keys():
            found[name] = meant
    return found
