"""Where a JSON pointer leads in a text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fauxlab_contract.core.pointers import parts_of, pointer_to
from fauxlab_contract.openapi.document import (
    DocumentError,
    bundled_path,
    load_document,
    read_document,
)
from fauxlab_contract.openapi.positions import position_of

YAML = b"""\
info:
  title: t
paths:
  /a/b:
    - x: 1
    -   y: *z
  200: {q: [1, 2]}
"""


@pytest.mark.parametrize(
    "pointer, position",
    [
        ("", (1, 1)),
        ("/info", (1, 1)),
        ("/info/title", (2, 3)),
        ("/paths/~1a~1b", (4, 3)),
        ("/paths/~1a~1b/0/x", (5, 7)),
        ("/paths/~1a~1b/1/y", (6, 9)),
        ("/paths/200/q/1", (7, 16)),
        ("/paths/~1a~1b/1/y/below/an/alias", (6, 9)),
        ("/nothing", (1, 1)),
    ],
)
def test_a_pointer_leads_to_a_line_and_a_column(pointer: str, position: tuple[int, int]) -> None:
    """A member is where its name is, an item where it begins; else the nearest value around."""
    assert position_of(YAML, pointer) == position


def test_json_with_tabs_and_escapes_has_places_too() -> None:
    """What YAML does not take of JSON is no obstacle, and moves no column."""
    text = json.dumps({"a": "\N{GRINNING FACE}", "b": {"c": [1]}}, indent="\t").encode()

    assert position_of(text, "/b/c/0") == (5, 4)


def test_a_text_that_cannot_be_read_has_no_places() -> None:
    """Without a place nothing is invented."""
    assert position_of(b"a: [", "/a") is None


def test_every_value_of_the_bundled_document_has_its_line() -> None:
    """The line of each member holds its name."""
    document = load_document()
    lines = bundled_path().read_text(encoding="utf-8").splitlines()
    pending, wrong = [(document.tree, "")], []
    while pending:
        value, pointer = pending.pop()
        members = value.items() if isinstance(value, dict) else ()
        items = enumerate(value) if isinstance(value, list) else members
        below = [(item, pointer + pointer_to([name])) for name, item in items]
        for _, place in below if isinstance(value, dict) else ():
            line = int(document.place_of(place).split(":")[1])
            wrong += [place] if parts_of(place)[-1] not in lines[line - 1] else []
        pending += below

    assert wrong == []


@pytest.mark.parametrize(
    "data, said",
    [
        (b"a: [", "d.yaml:2:1: it is neither JSON nor YAML: while parsing"),
        (b'{"a" 1}', "d.yaml:1:6: it is not JSON: Expecting ':' delimiter"),
        (b"openapi: 3.1.0\ninfo: []", "d.yaml:2:1: at /info: it must be of type object"),
        (b"a: 1", "d.yaml: it is not an OpenAPI document: the member openapi is missing"),
        (b"", "d.yaml: it is empty"),
        (b"\n\xff", "d.yaml:2:1: it is not UTF-8"),
    ],
)
def test_what_is_wrong_with_a_document_is_told_with_its_place(data: bytes, said: str) -> None:
    """Errors begin with file:line:column, as compilers write it and editors understand it."""
    with pytest.raises(DocumentError) as caught:
        read_document(data, "d.yaml")

    assert str(caught.value).startswith(said)


def test_a_file_is_named_as_it_was_given(tmp_path: Path) -> None:
    """The place begins with the path that the user wrote."""
    path = tmp_path / "d.yaml"
    path.write_bytes(bundled_path().read_bytes())

    assert load_document(path).place_of("/openapi") == f"{path}:5:1"
