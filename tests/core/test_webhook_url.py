"""The rule for webhook addresses, which the client has a generated copy of."""

from __future__ import annotations

import pytest

from fauxlab_contract.core.webhook_url import is_webhook_url
from fauxlab_contract.openapi.formats import is_uri


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
        "https://notmetadata.google.internal/",
        "https://example.com/a%20b;c=(1)?q=1/2#top",
    ],
)
def test_a_webhook_may_be_any_host_that_a_server_may_dial(text: str) -> None:
    """Loopback, private and public hosts are fine, over http or https."""
    assert (is_webhook_url(text), is_uri(text)) == (True, True)


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
        pytest.param("http://[64:ff9b:1::a9fe:a9fe]/", id="local NAT64"),
        pytest.param("http://[::169.254.169.254]/", id="IPv4-compatible"),
        pytest.param("http://a%00b/", id="null character"),
        pytest.param("http://%EF%BC%91%EF%BC%96%EF%BC%99.254.169.254/", id="full-width digits"),
        pytest.param("http://metadata%E3%80%82google.internal/", id="ideographic full stop"),
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
        pytest.param("http://instance-data.ec2.internal/", id="metadata name of another cloud"),
        pytest.param("http://example.com/" + "a" * 8_174, id="too long"),
        pytest.param("http://example.com/{id}", id="a character that must be encoded"),
        pytest.param("http://example.com/%zz", id="broken percent-encoding"),
        pytest.param("http://example.com/a#b#c", id="two fragments"),
        pytest.param("http://[1.2.3.4]/", id="brackets without need"),
    ],
)
def test_a_webhook_may_not_be(text: str) -> None:
    """Other schemes, URLs without a host, and every spelling of a metadata address are refused."""
    assert not is_webhook_url(text)
