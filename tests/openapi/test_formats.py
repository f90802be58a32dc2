"""The formats that are really checked, and the addresses that a webhook may have."""

from __future__ import annotations

from collections.abc import Callable

import jsonschema_rs
import pytest

from fauxlab_contract.openapi.formats import MAX_URI_CHARS, is_uri, is_uuid, prove_formats


@pytest.mark.parametrize(
    "text",
    [
        "https://example.com/a",
        "http://127.0.0.1:8000/hook?x=1#y",
        "http://[::1]:80/",
        "urn:isbn:0451450523",
        "mailto:a@example.com",
        "data:image/png;base64,aGk=",
        "https://user:pw@example.com/%20",
        "x:",
        "https://example.com/".ljust(MAX_URI_CHARS, "a"),
    ],
)
def test_absolute_uris_are_uris(text: str) -> None:
    """Whatever RFC 3986 calls an absolute URI is one."""
    assert is_uri(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/relative",
        "//example.com",
        "example.com/a",
        "https://example.com/a\n",
        "\nhttps://example.com/a",
        "https://example.com/a b",
        "https://exa\tmple.com/",
        "https://example.com/ü",
        "https://example.com/%zz",
        "https://[::1/",
        "https://example.com/<>",
        "https://example.com/".ljust(MAX_URI_CHARS + 1, "a"),
    ],
)
def test_other_text_is_no_uri(text: str) -> None:
    """Relative references, control characters, spaces and other scripts are refused."""
    assert not is_uri(text)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("5f0c9d3e-0000-4000-8000-000000000001", True),
        ("5F0C9D3E-0000-4000-8000-00000000000A", True),
        ("5f0c9d3e00004000800000000000000a", False),
        ("5f0c9d3e-0000-4000-8000-000000000001\n", False),
        ("5f0c9d3e-0000-4000-8000-00000000000g", False),
        ("", False),
    ],
)
def test_uuids_have_their_hyphens(text: str, expected: bool) -> None:
    """A UUID is 32 hexadecimal digits in five groups."""
    assert is_uuid(text) is expected


def test_the_fast_validator_calls_our_formats() -> None:
    """The proof passes with the installed jsonschema-rs."""
    prove_formats()


def test_a_validator_that_ignores_formats_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the fast validator does not check a format, the proof says which, and what to do."""
    real: Callable[..., object] = jsonschema_rs.Draft202012Validator
    monkeypatch.setattr(jsonschema_rs, "Draft202012Validator", lambda schema, **_: real(schema))

    with pytest.raises(
        RuntimeError, match=r"does not check format: uri; reinstall fauxlab's dependencies$"
    ):
        prove_formats()
