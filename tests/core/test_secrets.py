"""Keeping keys and pictures out of what is written down."""

from __future__ import annotations

import json

import pytest

from fauxlab_contract.core.secrets import hidden, redact, safe_path, scrub


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
    assert scrub("data:image/png;base64,AAAA", None) == "(26 characters, sha256 bde6da8e9d3902a8)"
    assert scrub("x" * 1_001, None).startswith("(1001 characters, sha256 ")
    assert scrub("x" * 1_000, None) == "x" * 1_000


def test_an_entry_over_the_limit_is_replaced_by_a_note() -> None:
    """A body that is still too large after that is not kept; the note says how large it was."""
    body = {f"field{i}": "x" * 900 for i in range(100)}

    kept = redact(body, json.dumps(body).encode(), "key", None, 50_000)

    assert list(kept) == ["(cut)"]


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
    """Control characters are escaped, long paths cut, and in unknown paths what looks like a key is
    left out.
    """
    assert safe_path(path, known=known) == shown
