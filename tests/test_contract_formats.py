"""The formats that are really checked, and the addresses that a webhook may have."""

from __future__ import annotations

from collections.abc import Callable

import jsonschema_rs
import pytest

from fauxlab_contract.formats import MAX_URI_CHARS, is_uri, is_uuid, is_webhook_url, prove_formats


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
    """Relative references, control characters (a trailing newline too), spaces and other scripts are refused."""
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


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:8000/hook",
        "http://localhost/hook",
        "http://[::1]:9000/",
        "HTTPS://Example.com",
        "https://example.com:65535/hook?job=1",
        "https://user:pw@example.com/",
        "http://10.0.0.7/",
        "http://192.168.1.1/",
        "https://169.253.169.254/",
        "https://metadata.example.com/",
    ],
)
def test_a_webhook_may_be_any_host_that_a_server_may_dial(text: str) -> None:
    """Loopback, private and public hosts are fine, over http or https."""
    assert is_webhook_url(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("/hook", id="relative"),
        pytest.param("example.com/hook", id="no scheme"),
        pytest.param("//example.com/hook", id="no scheme but a host"),
        pytest.param("ftp://example.com/hook", id="ftp"),
        pytest.param("file:///etc/passwd", id="file"),
        pytest.param("javascript:alert(1)", id="javascript"),
        pytest.param("http://", id="no host"),
        pytest.param("http:///hook", id="empty host"),
        pytest.param("http://./hook", id="only a dot as host"),
        pytest.param("http://:8000/hook", id="only a port"),
        pytest.param("http://example.com:65536/", id="port too large"),
        pytest.param("http://example.com:x/", id="port is no number"),
        pytest.param("http://[::1/", id="broken bracket"),
        pytest.param("http://example.com/\n", id="trailing newline"),
        pytest.param("http://exa mple.com/", id="space in the host"),
        pytest.param("http://169.254.169.254/latest/meta-data/", id="metadata address"),
        pytest.param("http://169.254.0.1/", id="link-local"),
        pytest.param("http://169.254.169.254./", id="trailing dot"),
        pytest.param("http://2852039166/", id="decimal"),
        pytest.param("http://0xa9fea9fe/", id="hexadecimal"),
        pytest.param("http://0xA9.0xFE.0xA9.0xFE/", id="hexadecimal parts"),
        pytest.param("http://0251.0376.0251.0376/", id="octal"),
        pytest.param("http://169.254.43518/", id="three parts"),
        pytest.param("http://%31%36%39.254.169.254/", id="percent-encoded"),
        pytest.param("http://[::ffff:169.254.169.254]/", id="IPv6-mapped"),
        pytest.param("http://[::ffff:a9fe:a9fe]/", id="IPv6-mapped, hexadecimal"),
        pytest.param("http://[64:ff9b::a9fe:a9fe]/", id="NAT64"),
        pytest.param("http://[2002:a9fe:a9fe::]/", id="6to4"),
        pytest.param("http://[fe80::1]/", id="IPv6 link-local"),
        pytest.param("http://[fe80::1%25eth0]/", id="IPv6 link-local with a zone"),
        pytest.param("http://[fd00:ec2::254]/", id="metadata over IPv6"),
        pytest.param("http://metadata.google.internal/", id="metadata name"),
        pytest.param("http://METADATA.google.internal./", id="metadata name, capitals and dot"),
        pytest.param("http://metadata%2Egoogle.internal/", id="metadata name, percent-encoded"),
        pytest.param("http://metadata.goog/", id="metadata name, short"),
        pytest.param("http://metadata/", id="metadata alone"),
        pytest.param("http://100.100.100.200/", id="metadata of another cloud"),
        pytest.param("http://0.0.0.0/", id="unspecified"),
        pytest.param("http://0/", id="unspecified, short"),
        pytest.param("http://224.0.0.1/", id="multicast"),
        pytest.param("http://user@169.254.169.254/", id="behind a user name"),
    ],
)
def test_a_webhook_may_not_be(text: str) -> None:
    """Anything but http(s) with a host is refused, and so is a link-local or metadata address however it is written."""
    assert not is_webhook_url(text)


def test_the_fast_validator_calls_our_formats() -> None:
    """The proof passes with the installed jsonschema-rs."""
    prove_formats()


def test_a_validator_that_ignores_formats_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the fast validator does not check a format, the proof says which, and what to do."""
    real: Callable[..., object] = jsonschema_rs.Draft202012Validator
    monkeypatch.setattr(jsonschema_rs, "Draft202012Validator", lambda schema, **_: real(schema))

    with pytest.raises(RuntimeError, match=r"does not check format: uri; reinstall fauxlab's dependencies$"):
        prove_formats()
