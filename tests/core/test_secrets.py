"""Keeping keys and pictures out of what is written down."""

from __future__ import annotations

import json

import pytest

from fauxlab_contract.core.http import HttpRequest
from fauxlab_contract.core.secrets import (
    around_key,
    hidden,
    in_words,
    kept_reply,
    redact,
    safe_path,
    scrub,
)
from fauxlab_contract.core.violation import Violation


@pytest.mark.parametrize(
    "key, shown",
    [("", "***"), ("short-key", "***"), ("0123456789a", "***"), ("0123456789ab", "***89ab")],
)
def test_at_most_four_characters_of_a_long_key_are_shown(key: str, shown: str) -> None:
    """Short keys are hidden whole, long ones but for their last four characters."""
    assert hidden(key) == shown


def test_the_key_is_hidden_wherever_it_stands() -> None:
    """The key's field, other texts, nested values and member names lose the key."""
    body = {
        "key": "secret-key-1234",
        "prompt": "by secret-key-1234!",
        "more": [{"secret-key-1234": "secret-key-1234"}],
    }

    assert redact(body, json.dumps(body).encode(), "key", "secret-key-1234", 10_000) == {
        "prompt": "by ***!",
        "more": [{"***": "***"}],
        "key": "***1234",
    }


def test_a_key_of_the_wrong_type_is_hidden_too() -> None:
    """A key that is no text is not shown either."""
    assert redact({"key": 12345678}, b'{"key":12345678}', "key", None, 100) == {"key": "***"}


def test_pictures_are_kept_as_length_and_digest() -> None:
    """Long texts and data URIs are replaced by their length and digest."""
    assert scrub("DATA:,AAAA", None) == "(10 characters, sha256 145306be9f8bf106)"
    assert scrub("data:image/png;base64,AAAA", None) == "(26 characters, sha256 bde6da8e9d3902a8)"
    assert scrub("x" * 1_001, None).startswith("(1001 characters, sha256 ")
    assert scrub("x" * 1_000, None) == "x" * 1_000


def test_an_entry_over_the_limit_is_replaced_by_a_note() -> None:
    """A body that is still too large after that is not kept; the note says how large it was."""
    body = {f"field{i}": "x" * 900 for i in range(100)}

    kept = redact(body, json.dumps(body).encode(), "key", None, 50_000)

    assert list(kept) == ["(cut)"]


KEY = "secret-key-1234"


def redacted(raw: str, limit: int = 10_000) -> object:
    return redact(json.loads(raw), raw.encode(), "key", KEY, limit)


@pytest.mark.parametrize(
    "raw, expected",
    [
        (
            '{"key": "secret-key-1234", "prompt": "p", "seed": 7}',
            {"prompt": "p", "seed": 7, "key": "***1234"},
        ),
        # each of these needs a closer look than the common body above
        (
            '{"key": "secret-key-1234", "a": "secret-key-1234"}',
            {"a": "***", "key": "***1234"},
        ),
        (
            '{"key": "secret-key-1234", "a": "\\u0073ecret-key-1234"}',
            {"a": "***", "key": "***1234"},
        ),
        (
            '{"key": "\\u0073ecret-key-1234", "a": "secret-key-1234"}',
            {"a": "***", "key": "***1234"},
        ),
        ('{"key": "secret-key-1234", "api_token": "t"}', {"api_token": "***", "key": "***1234"}),
        (
            '{"key": "secret-key-1234", "a": {"password": "p"}}',
            {"a": {"password": "***"}, "key": "***1234"},
        ),
        (
            '{"key": "secret-key-1234", "a": [{"token": "t"}]}',
            {"a": [{"token": "***"}], "key": "***1234"},
        ),
        (
            '{"key": "secret-key-1234", "a": "data:,x"}',
            {
                "a": "(7 characters, sha256 707ce201c2f97b77)",
                "key": "***1234",
            },
        ),
        ('{"prompt": "p"}', {"prompt": "p"}),
    ],
)
def test_what_is_journaled_of_a_request_holds_no_secret(raw: str, expected: object) -> None:
    """A key, a token or a picture is found however it is written and wherever it stands."""
    assert redacted(raw) == expected


def test_a_long_text_is_not_journaled_whole() -> None:
    """A body whose text is longer than 1,000 characters keeps its length and digest."""
    raw = json.dumps({"key": KEY, "prompt": "x" * 1_001})

    assert str(redacted(raw)).count("x") == 0


def test_an_entry_is_kept_up_to_its_limit_in_bytes() -> None:
    """A request is replaced by a note when it is over the limit before and after redaction."""
    raw = json.dumps({"key": KEY, "prompt": "p" * 50})
    kept = {"prompt": "p" * 50, "key": "***1234"}
    size = len(json.dumps(kept))

    assert [redacted(raw, limit) for limit in (len(raw), len(raw) - 1, size)] == [kept] * 3
    assert redacted(raw, size - 1) == {
        "(cut)": f"{size} bytes of JSON; the journal keeps {size - 1}"
    }


@pytest.mark.parametrize(
    "pointer, found, field, words",
    [
        ("/width", "7", "", "width must be at most 5, not 7."),
        ("", "7", "width", "width must be at most 5, not 7."),
        ("", "7", "", "The body must be at most 5, not 7."),
        ("/depth", "7", "width", "depth must be at most 5, not 7."),
        ("/api_token", "7", "", "api_token holds a value of the wrong kind."),
        ("", "7", "password", "password holds a value of the wrong kind."),
    ],
)
def test_a_violation_in_words_names_its_field_and_no_secret(
    pointer: str, found: str, field: str, words: str
) -> None:
    """A violation of the whole value bears the given name; a secret's value is not repeated."""
    assert in_words((Violation(pointer, "maximum", 5, found),), field) == words


def test_violations_in_words_follow_each_other() -> None:
    """Several violations are several sentences, and a secret that is missing is named as such."""
    violations = (
        Violation("/a", "maximum", 5, "7"),
        Violation("/key", "required", True, "nothing"),
    )

    assert in_words(violations) == "a must be at most 5, not 7. The key field is required."


REPLY = {"status": "error", "message": "no job for secret-key-1234", "id": 7}


@pytest.mark.parametrize(
    "secret, message",
    [
        (KEY, "no job for ***"),
        ("another-key-9", "no job for secret-key-1234"),
        (None, "no job for secret-key-1234"),
    ],
)
def test_a_reply_that_holds_the_key_is_journaled_without_it(
    secret: str | None, message: str
) -> None:
    """The key of the call is blotted out of the reply's copy, and nothing else is."""
    content = json.dumps(REPLY).encode()

    assert kept_reply(REPLY, content, secret, 1_000) == REPLY | {"message": message}


def test_a_key_that_json_escapes_is_found_in_a_reply() -> None:
    """Quotes and letters beyond ASCII look different in the bytes that were sent."""
    body = {"message": 'for "schlüssel"'}

    assert kept_reply(body, json.dumps(body).encode(), '"schlüssel"', 1_000) == {
        "message": "for ***"
    }


def test_a_reply_over_the_limit_is_replaced_by_a_note() -> None:
    """The limit is in bytes of the reply as it was sent; one more is too many."""
    content = json.dumps(REPLY).encode()
    size = len(content)

    assert kept_reply(REPLY, content, None, size) == REPLY
    assert kept_reply(REPLY, content, None, size - 1) == {
        "(cut)": f"{size} bytes of JSON; the journal keeps {size - 1}"
    }


@pytest.mark.parametrize(
    "path, known, shown",
    [
        ("/api/v6/fetch/100000001", True, "/api/v6/fetch/100000001"),
        ("/api/v6/sk0123456789abcdefXYZ", False, "/api/v6/***"),
        ("/a\nb\x1b[31m", False, "/a\\nb\\x1b[31m"),
        ("/" + "x" * 300, False, "/" + "x" * 199),
    ],
)
def test_paths_in_logs_are_plain_and_without_tokens(path: str, known: bool, shown: str) -> None:
    """Control characters are escaped, long paths are cut, and unknown paths show no key."""
    assert safe_path(path, known=known) == shown


@pytest.mark.parametrize(
    "text, shown",
    [
        ("POST /image_editing/flux", "POST /image_editing/flux"),
        ('{"key": "a", "b": ["a","c"]}', '{"key": "$KEY", "b": ["$KEY","c"]}'),
        ('it is the text "a".', 'it is the text "a".'),
        ("GET https://a.test/a?a=a&b=a#a", "GET https://a.test/a?a=$KEY&b=$KEY#a"),
        ("authorization: Bearer a", "authorization: Bearer $KEY"),
        ('{"cut": "a', '{"cut": "a'),
    ],
)
def test_a_short_key_is_hidden_only_as_a_value_of_its_own(text: str, shown: str) -> None:
    """What may be a part of any word is a key in JSON, in a header and in a URL's parameters."""
    assert "$KEY".join(around_key(text, "a")) == shown
    assert "$KEY".join(around_key("a long-key here", "long-key")) == "a $KEY here"


def test_a_command_keeps_its_words_beside_a_short_key() -> None:
    """The command can be run as it stands, with the key in its variable."""
    sent = HttpRequest(
        "POST", "https://a.test/a?token=a", {"x-api-key": "a"}, b'{"key": "a", "prompt": "a cat"}'
    )

    assert sent.curl({"a": "KEY"}) == (
        "curl -sS -X POST 'https://a.test/a?token='\"$KEY\" -H 'x-api-key: '\"$KEY\""
        ' --data-binary \'{"key": "\'"$KEY"\'", "prompt": "a cat"}\''
    )
