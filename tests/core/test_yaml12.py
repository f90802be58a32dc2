"""Text of a document to a tree: JSON and YAML 1.2, without the traps of either."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from fauxlab_contract.core.yaml12 import (
    MAX_DOCUMENT_BYTES,
    MAX_DOCUMENT_DEPTH,
    MAX_DOCUMENT_VALUES,
    ParseError,
    parse,
)
from fauxlab_contract.openapi.document import bundled_path


def refusal(data: bytes) -> str:
    with pytest.raises(ParseError) as caught:
        parse(data)
    return str(caught.value)


def bomb(levels: int) -> bytes:
    """Ten aliases to the level below, on each level."""
    lines = [b"a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [
        b"a%d: &a%d [%s]" % (i, i, b", ".join([b"*a%d" % (i - 1)] * 10)) for i in range(1, levels)
    ]
    return b"\n".join(lines)


@pytest.mark.parametrize(
    "text, value",
    [
        pytest.param("yes", "yes", id="yes is text"),
        pytest.param("[on, off, no, y, n]", ["on", "off", "no", "y", "n"], id="so are on, off, no"),
        pytest.param("2024-01-02", "2024-01-02", id="a date is text"),
        pytest.param("2024-01-02T03:04:05Z", "2024-01-02T03:04:05Z", id="a time is text"),
        pytest.param("12:30:45", "12:30:45", id="base 60 is text"),
        pytest.param("1_000", "1_000", id="underscores make text"),
        pytest.param("010", 10, id="a leading zero is decimal"),
        pytest.param("[1, -2, +3]", [1, -2, 3], id="integers"),
        pytest.param("[1.5, .5, 1., 1e3, -1.5E-2]", [1.5, 0.5, 1.0, 1000.0, -0.015], id="floats"),
        pytest.param("[true, True, FALSE]", [True, True, False], id="booleans"),
        pytest.param("[null, ~, Null, ]", [None, None, None], id="nulls"),
        pytest.param("a:", {"a": None}, id="nothing is null"),
        pytest.param("['1', \"true\", 'null']", ["1", "true", "null"], id="quotes make text"),
        pytest.param(
            "[!!str 1, !!int '7', !!float '1', !!bool 'true', !!null '', ! 5]",
            ["1", 7, 1.0, True, None, "5"],
            id="tags of JSON",
        ),
        pytest.param(
            "{200: ok, '404': no}", {"200": "ok", "404": "no"}, id="whole numbers as keys"
        ),
        pytest.param(
            "a: |\n  x\n  y\nb: >-\n  x\n  y\n", {"a": "x\ny\n", "b": "x y"}, id="block text"
        ),
        pytest.param("{a: &a {b: 1}, c: *a}", {"a": {"b": 1}, "c": {"b": 1}}, id="aliases"),
        pytest.param("? a\n: 1\n", {"a": 1}, id="explicit key"),
        pytest.param('{"a": "\\ud83d\\ude00"}', {"a": "😀"}, id="surrogate pair in JSON"),
        pytest.param('\ufeff{"a": 1}', {"a": 1}, id="byte order mark"),
        pytest.param("{a: 1, b: [c]}", {"a": 1, "b": ["c"]}, id="flow mapping that is no JSON"),
        pytest.param("", None, id="nothing"),
        pytest.param("# only a comment", None, id="a comment"),
    ],
)
def test_values_are_those_of_yaml_1_2(text: str, value: Any) -> None:
    """Plain text is read as YAML 1.2 and JSON have it, not as YAML 1.1."""
    assert json.dumps(parse(text.encode())) == json.dumps(value)


@pytest.mark.parametrize(
    "text, message",
    [
        pytest.param(
            "a: [",
            "line 2, column 1: it is neither JSON nor YAML: while parsing",
            id="broken YAML",
        ),
        pytest.param(
            '{"a": 1', "line 1, column 8: it is not JSON: Expecting ',' delimiter", id="broken JSON"
        ),
        pytest.param(
            "a: 1\nb: 2\na: 3\n",
            "line 3, column 1: the key 'a' appears twice in one mapping",
            id="doubled key in YAML",
        ),
        pytest.param(
            "200: 1\n'200': 2\n",
            "line 2, column 1: the key '200' appears twice in one mapping",
            id="doubled key, number and text",
        ),
        pytest.param(
            '{"a": 1, "a": 2}',
            "line 1, column 10: the key 'a' appears twice in one mapping",
            id="doubled key in JSON",
        ),
        pytest.param(
            "? [a]\n: 1\n",
            "line 1, column 3: a key is not a string; put it in quotes",
            id="list as key",
        ),
        pytest.param(
            "? {a: 1}\n: 1\n",
            "line 1, column 3: a key is not a string; put it in quotes",
            id="mapping as key",
        ),
        pytest.param(
            "true: 1",
            "line 1, column 1: a key is not a string; put it in quotes",
            id="boolean as key",
        ),
        pytest.param(
            "1.5: 1", "line 1, column 1: a key is not a string; put it in quotes", id="float as key"
        ),
        pytest.param(
            "~: 1", "line 1, column 1: a key is not a string; put it in quotes", id="null as key"
        ),
        pytest.param(
            "a: &a {x: 1}\nb: {<<: *a}",
            "line 2, column 5: the merge key << is not part of YAML 1.2; write the members out",
            id="merge key",
        ),
        pytest.param(
            "a: *b", "line 1, column 4: the alias *b has no anchor", id="alias without anchor"
        ),
        pytest.param(
            "a: &a [*a]",
            "line 1, column 8: the alias *a is inside the value that it names",
            id="cycle in a list",
        ),
        pytest.param(
            "&a\nb: {c: *a}",
            "line 2, column 8: the alias *a is inside the value that it names",
            id="cycle in a mapping",
        ),
        pytest.param(
            "a: 1\n---\nb: 2",
            "line 2, column 1: a second document starts here; one is allowed",
            id="two documents",
        ),
        pytest.param(
            "a: !!python/name:os.system x",
            "line 1, column 4: the tag tag:yaml.org,2002:python/name:os.system does",
            id="Python tag",
        ),
        pytest.param(
            "a: !!timestamp x",
            "line 1, column 4: the tag tag:yaml.org,2002:timestamp does not fit",
            id="timestamp tag",
        ),
        pytest.param(
            "a: !!bool maybe",
            "line 1, column 4: the tag tag:yaml.org,2002:bool does not fit",
            id="bool tag around text",
        ),
        pytest.param(
            "a: !!int x",
            "line 1, column 4: the tag tag:yaml.org,2002:int does not fit",
            id="int tag around text",
        ),
        pytest.param(
            "a: !!set {x}",
            "line 1, column 4: the tag tag:yaml.org,2002:set does not fit",
            id="set tag",
        ),
        pytest.param(
            "a: !!binary aGk=",
            "line 1, column 4: the tag tag:yaml.org,2002:binary does not fit",
            id="binary tag",
        ),
        pytest.param('{"a": NaN}', "/a is nan, which is not a JSON number", id="NaN"),
        pytest.param(
            '{"a": [1e400]}', "/a/0 is inf, which is not a JSON number", id="infinity in JSON"
        ),
        pytest.param("a: -1e400", "/a is -inf, which is not a JSON number", id="infinity in YAML"),
        pytest.param(
            '{"a": ' + "1" * 65 + "}",
            "line 1, column 7: a number has more than 64 characters",
            id="long number in JSON",
        ),
        pytest.param(
            '{"a": ' + "1" * 5_000 + "}",
            "line 1, column 7: a number has more than 64 characters",
            id="very long number in JSON",
        ),
        pytest.param(
            "a: " + "1" * 65,
            "line 1, column 4: a number has more than 64 characters",
            id="long number in YAML",
        ),
        pytest.param(
            '{"a": "\\ud800"}',
            "'/a' holds half of a surrogate pair; write whole characters",
            id="lone surrogate value",
        ),
        pytest.param(
            '{"\\udc00": 1}',
            "the document holds half of a surrogate pair; write whole characters",
            id="lone surrogate key",
        ),
        pytest.param(
            "a: \x07", "line 1, column 4: it is neither JSON nor YAML: ", id="control character"
        ),
    ],
)
def test_defects_are_named(text: str, message: str) -> None:
    """What is no JSON or YAML 1.2 document is refused with what is wrong, and where."""
    assert refusal(text.encode()).startswith(message)


@pytest.mark.parametrize(
    "data, column", [("a: 1".encode("utf-16"), 1), (b"a: \xff", 4)], ids=["UTF-16", "latin-1"]
)
def test_only_utf_8_is_read(data: bytes, column: int) -> None:
    """Bytes that are not UTF-8 are refused with their place."""
    assert refusal(data) == f"line 1, column {column}: it is not UTF-8"


@pytest.mark.parametrize(
    "data",
    [bomb(9), bomb(5) + b"\nz: [*a4, *a4, *a4, *a4, *a4]"],
    ids=["billion", "half a million"],
)
def test_alias_bombs_are_refused(data: bytes) -> None:
    """Aliases that would write out to more than the limit are counted, not written out."""
    assert (
        refusal(data)
        == f"it holds more than {MAX_DOCUMENT_VALUES} values once its aliases are written out"
    )


def test_many_values_within_the_limit_are_read() -> None:
    """Aliases below the limit are written out, each as its own value."""
    tree = parse(bomb(4))

    tree["a1"][0][0] = "changed"
    assert (tree["a1"][1], tree["a0"]) == (["x"] * 10, ["x"] * 10)


@pytest.mark.parametrize("data", [b"{}" + b" " * (MAX_DOCUMENT_BYTES - 2)], ids=["limit"])
def test_a_document_at_the_size_limit_is_read(data: bytes) -> None:
    """Five MiB are accepted."""
    assert parse(data) == {}


def test_a_document_past_the_size_limit_is_refused() -> None:
    """One byte more than five MiB is refused."""
    assert (
        refusal(b"{}" + b" " * (MAX_DOCUMENT_BYTES - 1))
        == "it is larger than 5242880 bytes, the limit for a document"
    )


@pytest.mark.parametrize(
    "opening, closing", [("[", "]"), ('{"a":', "}")], ids=["arrays", "objects"]
)
@pytest.mark.parametrize("start", ["", "# YAML\n"], ids=["as JSON", "as YAML"])
def test_nesting_has_a_limit(start: str, opening: str, closing: str) -> None:
    """Two hundred levels are read; one more is refused."""
    inner = MAX_DOCUMENT_DEPTH - 1

    parse(f"{start}{opening * inner}1{closing * inner}".encode())

    assert (
        refusal(f"{start}{opening * (inner + 1)}1{closing * (inner + 1)}".encode())
        == "it is nested deeper than 200 levels"
    )


@pytest.mark.parametrize("opening", ["[", "- ", "{a: ", '{"a":', "{", "? "])
def test_hundreds_of_thousands_of_levels_are_refused(opening: str) -> None:
    """Nesting that would overflow the stack is refused like any other defect."""
    assert refusal(opening.encode() * 300_000) in (
        "it is nested deeper than 200 levels",
        "line 1, column 2: a key is not a string; put it in quotes",
        "line 1, column 3: a key is not a string; put it in quotes",
    )


def test_yaml_and_json_of_one_tree_are_the_same_document() -> None:
    """The bundled document reads the same as YAML, as JSON and as PyYAML reads it."""
    data = bundled_path().read_bytes()

    tree = parse(data)

    assert (tree, parse(json.dumps(tree).encode())) == (yaml.safe_load(data), tree)
