"""What may travel: every limit at its edge, and everything that strict JSON is not."""

from __future__ import annotations

import gzip

import pytest

from fauxlab_contract.core.strict_json import (
    DEFAULT_LIMITS,
    JSON,
    JsonLimits,
    WireError,
    check_encoding,
    check_media_type,
    read_json,
)


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def keys(count: int) -> bytes:
    return b"{" + b",".join(b'"k%d":0' % i for i in range(count)) + b"}"


def refusal(data: bytes, limits: JsonLimits = DEFAULT_LIMITS) -> tuple[str, str]:
    with pytest.raises(WireError) as caught:
        read_json(data, limits)
    return caught.value.rule, str(caught.value)


def media_refusal(value: str | None) -> tuple[str, str]:
    with pytest.raises(WireError) as caught:
        check_media_type(value)
    return caught.value.rule, str(caught.value)


def test_the_default_limits_are_those_of_the_design() -> None:
    """Ten MiB, 64 levels, 1,000 keys and 64 characters in a number."""
    limits = JsonLimits()

    assert (limits.body_bytes, limits.json_depth, limits.object_keys, limits.number_chars) == (
        10_485_760,
        64,
        1_000,
        64,
    )


@pytest.mark.parametrize(
    "data, value",
    [
        pytest.param(
            b'"' + b"x" * (DEFAULT_LIMITS.body_bytes - 2) + b'"',
            "x" * (DEFAULT_LIMITS.body_bytes - 2),
            id="body bytes",
        ),
        pytest.param(keys(1_000), {f"k{i}": 0 for i in range(1_000)}, id="object keys"),
        pytest.param(b"0." + b"1" * 62, 0.1111111111111111, id="number characters"),
        pytest.param(b"9223372036854775807", 2**63 - 1, id="int64 maximum"),
        pytest.param(b"-9223372036854775808", -(2**63), id="int64 minimum"),
        pytest.param(b"1e308", 1e308, id="large double"),
        pytest.param(b"1e-400", 0.0, id="tiny number"),
        pytest.param(b'"\\ud83d\\ude00"', "\U0001f600", id="escaped surrogate pair"),
        pytest.param('{"é":"😀"}'.encode(), {"é": "😀"}, id="plain UTF-8"),
        pytest.param(b" \r\n\t{} \n", {}, id="white space around"),
        pytest.param(
            b"https://example.com".join([b'"', b'"']).replace(b"/", b"\\/"),
            "https://example.com",
            id="escaped slashes",
        ),
        pytest.param(b"null", None, id="null"),
    ],
)
def test_what_is_within_the_limits_is_read(data: bytes, value: JSON) -> None:
    """A value exactly at a limit is read as it is."""
    assert read_json(data) == value


def test_the_deepest_allowed_nesting_is_read() -> None:
    """Sixty-four levels of arrays are accepted."""
    value = read_json(nested(64))

    for _ in range(63):
        (value,) = value
    assert value == []


def test_more_brackets_than_levels_are_read() -> None:
    """What counts is the depth, not how many arrays there are around the deepest one."""
    assert read_json(b"[" + nested(63) + b",[],{}]")[1:] == [[], {}]


@pytest.mark.parametrize(
    "data, rule, message",
    [
        pytest.param(
            b" " * 10_485_761,
            "body-size",
            "The body may have at most 10485760 bytes.",
            id="body bytes",
        ),
        pytest.param(
            nested(65),
            "depth",
            "The JSON may be nested at most 64 levels deep.",
            id="depth of arrays",
        ),
        pytest.param(
            b'{"a":' * 65 + b"1" + b"}" * 65,
            "depth",
            "The JSON may be nested at most 64 levels deep.",
            id="depth of objects",
        ),
        pytest.param(
            b"[" * 100_000,
            "depth",
            "The JSON may be nested at most 64 levels deep.",
            id="100,000 open brackets",
        ),
        pytest.param(
            nested(100_000),
            "depth",
            "The JSON may be nested at most 64 levels deep.",
            id="100,000 levels",
        ),
        pytest.param(
            b'{"a":' * 100_000,
            "depth",
            "The JSON may be nested at most 64 levels deep.",
            id="100,000 open braces",
        ),
        pytest.param(
            keys(1_001),
            "object-keys",
            "An object may have at most 1000 keys, not 1001.",
            id="object keys",
        ),
        pytest.param(
            b"0." + b"1" * 63,
            "number-length",
            "A number may have at most 64 characters, not 65.",
            id="long fraction",
        ),
        pytest.param(
            b"1" * 5_000,
            "number-length",
            "A number may have at most 64 characters, not 5000.",
            id="5,000 digits",
        ),
        pytest.param(
            b"9223372036854775808",
            "integer-range",
            "The integer '9223372036854775808' does not fit into 64 bits.",
            id="past int64 maximum",
        ),
        pytest.param(
            b"-9223372036854775809",
            "integer-range",
            "The integer '-9223372036854775809' does not fit into 64 bits.",
            id="past int64 minimum",
        ),
        pytest.param(
            b"1" * 64,
            "integer-range",
            "The integer '1111111111111111111111111111111111111111...' does not fit into 64 bits.",
            id="64 digits",
        ),
        pytest.param(
            b"1e400",
            "number-range",
            "The number '1e400' is beyond the range of a double.",
            id="1e400",
        ),
        pytest.param(
            b"-1e400",
            "number-range",
            "The number '-1e400' is beyond the range of a double.",
            id="-1e400",
        ),
        pytest.param(b'{"a":NaN}', "constant", "NaN is not JSON.", id="NaN"),
        pytest.param(b"Infinity", "constant", "Infinity is not JSON.", id="Infinity"),
        pytest.param(b"[-Infinity]", "constant", "-Infinity is not JSON.", id="-Infinity"),
        pytest.param(
            b'{"a":1,"a":1}',
            "duplicate-key",
            "The key 'a' appears twice in one object.",
            id="duplicate key",
        ),
        pytest.param(
            b'{"a":1,"\\u0061":2}',
            "duplicate-key",
            "The key 'a' appears twice in one object.",
            id="escaped duplicate key",
        ),
        pytest.param(
            b'[{"b":{"a":1,"a":1}}]',
            "duplicate-key",
            "The key 'a' appears twice in one object.",
            id="nested duplicate key",
        ),
        pytest.param(
            b"\xef\xbb\xbf{}",
            "bom",
            "The body starts with a byte order mark; send plain UTF-8.",
            id="byte order mark",
        ),
        pytest.param(
            b'{"a":"\xff"}', "utf-8", "The body is not UTF-8 at byte 6.", id="invalid UTF-8"
        ),
        pytest.param(
            b'"\xed\xa0\x80"', "utf-8", "The body is not UTF-8 at byte 1.", id="encoded surrogate"
        ),
        pytest.param(
            gzip.compress(b"{}"),
            "encoding",
            "The body is compressed (gzip); send plain JSON.",
            id="gzip",
        ),
        pytest.param(
            "{}".encode("utf-16"), "utf-8", "The body is not UTF-8 at byte 0.", id="UTF-16"
        ),
        pytest.param(
            b'"\\ud800"',
            "surrogate",
            "A \\u escape is half of a surrogate pair; send whole characters.",
            id="lone surrogate value",
        ),
        pytest.param(
            b'{"\\udc00":1}',
            "surrogate",
            "A \\u escape is half of a surrogate pair; send whole characters.",
            id="lone surrogate key",
        ),
        pytest.param(b"", "empty", "The body is empty; send a JSON object.", id="empty"),
        pytest.param(
            b" \r\n\t", "empty", "The body is empty; send a JSON object.", id="only white space"
        ),
        pytest.param(
            b'{"a" 1}',
            "json",
            "The body is not JSON: Expecting ':' delimiter at line 1 column 6.",
            id="colon",
        ),
        pytest.param(
            b"{} {}",
            "json",
            "The body is not JSON: Extra data at line 1 column 4.",
            id="two values",
        ),
        pytest.param(
            b"key=x&prompt=y",
            "json",
            "The body is not JSON: Expecting value at line 1 column 1.",
            id="form",
        ),
        pytest.param("{}".encode("utf-16-le"), "json", None, id="UTF-16 without a mark"),
        pytest.param(
            b'"a\nb"',
            "json",
            "The body is not JSON: Invalid control character at at line 1 column 3.",
            id="raw newline",
        ),
        pytest.param(
            b"+1",
            "json",
            "The body is not JSON: Expecting value at line 1 column 1.",
            id="plus sign",
        ),
        pytest.param(
            b"01", "json", "The body is not JSON: Extra data at line 1 column 2.", id="leading zero"
        ),
    ],
)
def test_what_is_past_a_limit_is_refused(data: bytes, rule: str, message: str | None) -> None:
    """One past each limit, and what is not strict JSON, is refused by rule and with a sentence."""
    found = refusal(data)

    assert found == (rule, message or found[1])


def test_limits_are_settings() -> None:
    """Smaller limits are obeyed, and named in the message."""
    limits = JsonLimits(body_bytes=20, json_depth=1, object_keys=1, number_chars=2)

    assert [refusal(data, limits) for data in (b" " * 21, b"[[]]", b'{"a":1,"b":2}', b"123")] == [
        ("body-size", "The body may have at most 20 bytes."),
        ("depth", "The JSON may be nested at most 1 levels deep."),
        ("object-keys", "An object may have at most 1 keys, not 2."),
        ("number-length", "A number may have at most 2 characters, not 3."),
    ]


def test_wide_bodies_are_not_deep() -> None:
    """Many arrays side by side do not count as nesting."""
    assert read_json(b"[" + b"[]," * 999 + b"[]]") == [[]] * 1_000


@pytest.mark.parametrize(
    "value",
    [
        "application/json",
        "APPLICATION/JSON",
        "application/json; charset=utf-8",
        'application/json; charset="UTF-8"',
        "application/json;charset=utf8",
        "application/json; version=1",
        " application/json ;",
    ],
)
def test_json_media_types_are_accepted(value: str) -> None:
    """application/json is accepted in any case, in UTF-8 if it names a charset."""
    check_media_type(value)


@pytest.mark.parametrize(
    "value, rule, message",
    [
        (None, "media-type", "Content-Type is missing; send application/json."),
        ("", "media-type", "Content-Type must be application/json, not ''."),
        ("text/plain", "media-type", "Content-Type must be application/json, not 'text/plain'."),
        (
            "application/jsonx",
            "media-type",
            "Content-Type must be application/json, not 'application/jsonx'.",
        ),
        (
            "application/json, text/plain",
            "media-type",
            "Content-Type must be application/json, not 'application/json, text/plain'.",
        ),
        (
            "application/x-www-form-urlencoded",
            "media-type",
            "Content-Type must be application/json, not 'application/x-www-form-urlencoded'.",
        ),
        (
            "application/json; charset=latin-1",
            "charset",
            "The charset must be utf-8, not 'latin-1'.",
        ),
        ("application/json; charset=utf-16", "charset", "The charset must be utf-8, not 'utf-16'."),
        ("application/json; charset=", "charset", "The charset must be utf-8, not ''."),
        (
            "é" * 60,
            "media-type",
            "Content-Type must be application/json, not '" + "\\xe9" * 40 + "...'.",
        ),
    ],
)
def test_other_media_types_are_refused(value: str | None, rule: str, message: str) -> None:
    """Only application/json in UTF-8 is taken; other types are named in 40 characters of ASCII."""
    assert media_refusal(value) == (rule, message)


@pytest.mark.parametrize("value", [None, "", "identity", " Identity "])
def test_a_body_that_is_not_compressed_passes(value: str | None) -> None:
    """No Content-Encoding, and the one that changes nothing, are fine."""
    check_encoding(value)


@pytest.mark.parametrize("value", ["gzip", "br", "gzip, identity"])
def test_a_compressed_body_is_refused(value: str) -> None:
    """The text names the header, not the bytes that nobody can read."""
    with pytest.raises(WireError) as caught:
        check_encoding(value)

    assert (caught.value.rule, str(caught.value)) == (
        "encoding",
        f"Content-Encoding must not be {value!r}; send the body as it is.",
    )


@pytest.mark.parametrize(
    "declared, sent, is_right",
    [
        ("application/vnd.api+json", "application/vnd.api+json; charset=utf-8", True),
        ("application/vnd.api+json", "application/json", False),
        ("Application/HAL+JSON; v=1", "application/hal+json", True),
        ("*/*", "application/problem+json", True),
        ("application/*+json", "application/json", True),
        ("*/*", "text/plain", False),
    ],
)
def test_other_names_of_json_are_accepted_where_they_are_declared(
    declared: str, sent: str, is_right: bool
) -> None:
    """A media type fits the declared one, or a wildcard if it is JSON."""
    try:
        check_media_type(sent, [declared])
    except WireError:
        assert not is_right
    else:
        assert is_right
