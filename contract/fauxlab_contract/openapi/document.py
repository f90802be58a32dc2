"""Open an OpenAPI document: a checked document with its operations, or one `DocumentError`.

Only this module opens a contract file, and nothing is ever fetched. A defect that spoils a single
operation, or has no effect, becomes a `Notice`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from os import PathLike
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from fauxlab_contract.core.conventions import Conventions
from fauxlab_contract.core.text import counted, must_be
from fauxlab_contract.core.yaml12 import MAX_DOCUMENT_BYTES, ParseError, parse
from fauxlab_contract.openapi.operation import BaseUrl, Operation
from fauxlab_contract.openapi.positions import position_of
from fauxlab_contract.openapi.reader import DocumentReader
from fauxlab_contract.openapi.references import Node, NoticeKind, SchemaError

__all__ = [
    "Document",
    "DocumentError",
    "Match",
    "Notice",
    "bundled_path",
    "check_document",
    "check_served",
    "load_document",
    "read_document",
]


class DocumentError(ValueError):
    """A document that cannot be used.

    `source` is its name, `pointer` the place inside it; empty for the document as a whole. `line`
    and `column` count from 1; both are 0 if the place in the text is not known.
    """

    __module__ = "fauxlab_contract.openapi"  # tracebacks name the room

    def __init__(
        self, source: str, pointer: str, problem: str, line: int = 0, column: int = 0
    ) -> None:
        place = f"{source}:{line}:{column}" if line else source
        if pointer:
            place += f": at {pointer}"
        super().__init__(f"{place}: {problem}")
        self.source, self.pointer, self.problem = source, pointer, problem
        self.line, self.column = line, column

    def __reduce__(self) -> tuple[type[DocumentError], tuple[str, str, str, int, int]]:
        return DocumentError, (self.source, self.pointer, self.problem, self.line, self.column)


@dataclass(frozen=True, slots=True)
class Notice:
    """A defect that does not stop the document from being served, and all its places.

    `kind` is `default`, `no-value`, or the audit's rule that it breaks.
    """

    problem: str
    pointers: tuple[str, ...]
    kind: NoticeKind = "unchecked-part"

    def __str__(self) -> str:
        first, *others = self.pointers
        more = f" and {counted(len(others), 'more places')}" if others else ""
        return f"{self.problem} (at {first}{more})"


@dataclass(frozen=True, slots=True)
class Match:
    """An operation and the values of its path parameters."""

    operation: Operation
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Document:
    """A checked document, every schema of it in JSON Schema 2020-12.

    `origin` and `base_path` come from its first server: https://api.example and /v1; `servers` has
    these two of each server that the document or an operation names, `own_servers` without those
    of operations. The paths of operations start behind the base path. `data` is the text as it was
    read.
    """

    source: str
    version: str
    title: str
    origin: str
    base_path: str
    servers: tuple[BaseUrl, ...]
    own_servers: tuple[BaseUrl, ...]
    operations: tuple[Operation, ...]
    notices: tuple[Notice, ...]
    conventions: Conventions
    root: Node = field(repr=False)
    data: bytes = field(default=b"", repr=False, compare=False)

    @property
    def tree(self) -> Mapping[str, Any]:
        """The whole document as JSON values."""
        return self.root.tree.members

    def place_of(self, pointer: str) -> str:
        """Return where a JSON pointer leads: `openapi.yaml:12:3`, line and column from 1.

        The text is read once more for the first answer, so ask only when something is to be told.
        """
        position = position_of(self.data, pointer)
        return self.source if position is None else f"{self.source}:{position[0]}:{position[1]}"

    def error(self, defect: SchemaError) -> DocumentError:
        """Return the error that names file, line and column of a defect."""
        return _error(self.source, self.data, defect)

    def at(self, pointer: str) -> Node:
        """Return what stands at a JSON pointer such as /paths; raise SchemaError for nothing."""
        return self.root.target("#" + pointer)

    def fetch_of(self, operation: Operation) -> Operation | None:
        """Return the operation that fetches the jobs of a submit; None when there is none."""
        fetches = (other for other in self.operations if other.kind == "fetch")
        return next((other for other in fetches if other.path == operation.fetch_path), None)

    def match(self, method: str, path: str) -> Match | None:
        """Return the operation that a method and a full path mean; None when there is none.

        HEAD means what GET does, unless the document has an operation for it (RFC 9110, 9.3.2).
        `path` is as it stands in a URL, percent-encoded: `/models/acme%2Fface` has two segments.
        """
        matches = [match for match in self._matches(path) if match.operation.method == method]
        if not matches and method == "HEAD":
            return self.match("GET", path)
        return min(matches, key=_openness, default=None)

    def methods(self, path: str) -> tuple[str, ...]:
        """Return the methods that a full path takes; `()` when the path is unknown."""
        return tuple(dict.fromkeys(match.operation.method for match in self._matches(path)))

    def _matches(self, path: str) -> Iterator[Match]:
        if path.endswith("//"):
            return
        known: dict[str, list[str] | None] = {}
        for operation in self.operations:
            for _, base_path in operation.servers:
                if base_path not in known:
                    known[base_path] = _segments(path, base_path)
                parts = known[base_path]
                parameters = parts and _match_path(_template(operation.path), parts)
                if isinstance(parameters, dict):
                    yield Match(operation, parameters)
                    break


def _segments(path: str, base_path: str) -> list[str] | None:
    """Return the decoded segments of a path behind a base path; None if it is not below it."""
    if not path.startswith(base_path + "/"):
        return None
    return [unquote(part) for part in path.removeprefix(base_path).rstrip("/").split("/")]


def _openness(match: Match) -> tuple[int, int]:
    """Return how much a path leaves open: /a/b goes before /a/{id}, /a/{id}.json before that."""
    written = _EXPRESSION.sub("", match.operation.path)
    return len(match.parameters), -len(written)


_EXPRESSION = re.compile(r"\{([^{}]+)\}")
# the text, or what it ends with; a pattern; the names in it
_Segment = tuple[str, re.Pattern[str] | None, tuple[str, ...]]


@lru_cache(maxsize=4096)  # every call asks for the same few
def _template(path: str) -> tuple[_Segment, ...]:
    """Return the segments of a path template: its text, or a pattern and the names in it."""
    return tuple(map(_segment, path.rstrip("/").split("/")))


def _segment(text: str) -> _Segment:
    names = _EXPRESSION.findall(text)
    if not names:
        return unquote(text), None, ()
    written = _EXPRESSION.split(text)[::2]  # what stands around the expressions
    pattern = "(.+)".join(re.escape(unquote(part)) for part in written)
    return unquote(written[-1]), re.compile(pattern, re.DOTALL), tuple(names)


def _match_path(template: Sequence[_Segment], parts: Sequence[str]) -> dict[str, str] | None:
    """`/fetch/{id}`, `["", "fetch", "7"]` -> `{"id": "7"}`; None when they do not fit."""
    if len(template) != len(parts):
        return None
    parameters: dict[str, str] = {}
    for (text, pattern, names), part in zip(template, parts, strict=True):
        if pattern is None:
            if text != part:
                return None
            continue
        # the end first: only then does the pattern not try every way to take a long segment apart
        found = pattern.fullmatch(part) if part.endswith(text) else None
        if found is None:
            return None
        parameters.update(zip(names, found.groups(), strict=True))
    return parameters


def bundled_path() -> Path:
    """Return the path of openapi.yaml: in the package, or two folders above it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "openapi.yaml"
    return inside if inside.exists() else package.parents[1] / "openapi.yaml"


def check_document(value: object, name: str = "document") -> None:
    """Raise TypeError for what is no document, such as the path of one."""
    __tracebackhide__ = True  # pytest shows the caller's line
    if not isinstance(value, Document):
        raise TypeError(must_be(name, "what load_document returns", value))


def check_served(document: Document) -> None:
    """Raise DocumentError for a document without operations, such as one of webhooks alone."""
    if not document.operations:
        raise DocumentError(
            document.source, "/paths", "it has no operations, so there is nothing to serve"
        )


def load_document(path: str | Path | None = None) -> Document:
    """Read, check and compile a document, by default the bundled one. Raise DocumentError."""
    if not isinstance(path, str | PathLike | None):
        raise TypeError(must_be("path", "the path of an OpenAPI document", path))
    file = bundled_path() if path is None else Path(path)
    source = file.name if path is None else str(path)
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_DOCUMENT_BYTES + 1)
    except OSError as error:
        raise DocumentError(source, "", _unreadable(source, error)) from None
    except ValueError as error:  # a path with a null character
        raise DocumentError(source, "", f"it cannot be read: {error}") from None
    return read_document(data, source)


def _unreadable(source: str, error: OSError) -> str:
    if source.startswith(("http://", "https://")):
        return "nothing is ever fetched; download the document and name the file"
    return f"it cannot be read: {error.strerror or error}"


def _error(source: str, data: bytes, defect: SchemaError) -> DocumentError:
    place = (defect.pointer and position_of(data, defect.pointer)) or ()
    return DocumentError(source, defect.pointer, str(defect), *place)


def read_document(data: bytes, source: str = "document") -> Document:
    """Read, check and compile a document; `source` is its name. Raise DocumentError."""
    if not isinstance(data, bytes):
        raise TypeError(
            must_be("data", "the bytes of a document, such as Path(…).read_bytes()", data)
        )
    if not data.strip():
        raise DocumentError(source, "", "it is empty")
    try:
        reader = DocumentReader(parse(data))
        operations = reader.operations()
        origin, base_path = reader.servers[0]
    except ParseError as error:
        raise DocumentError(source, "", error.problem, error.line, error.column) from None
    except SchemaError as error:
        raise _error(source, data, error) from None
    notices = [
        Notice(problem.text, tuple(places), problem.kind)
        for problem, places in reader.notes.items()
    ]
    return Document(
        source=source,
        version=reader.version,
        title=reader.title,
        origin=origin,
        base_path=base_path,
        own_servers=reader.servers,
        servers=tuple(
            dict.fromkeys([*reader.servers, *(one for each in operations for one in each.servers)])
        ),
        operations=operations,
        notices=tuple(notices),
        conventions=reader.conventions,
        root=reader.root,
        data=data,
    )
