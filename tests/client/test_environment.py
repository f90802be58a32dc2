"""Whatever the environment says, a client is made and works, or a FauxlabError names the variable.

Every test runs on `Client` and on `AsyncClient`.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

import fauxlab_client as fc
from fauxlab_client._proxies import Proxies
from fauxlab_mock.server.serving import serve
from tls import ca_file, https_mock

KEY = "key-of-a-test"
REMOTE = "https://api.example.com/api/v6"
PROXY = "http://127.0.0.1:3128"
VARIABLES = (
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE", "NETRC", "FAUXLAB_BASE_URL"),
)
FIELDS: dict[str, Any] = {
    "prompt": "studio portrait",
    "face_image": "https://example.com/face.png",
    "seed": 7,
}


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=[fc.Client, fc.AsyncClient])
def twin(request: pytest.FixtureRequest) -> Any:
    return request.param


def closed(client: Any) -> None:
    if isinstance(client, fc.Client):
        client.close()
    else:
        asyncio.run(client.close())


def result_of(twin: Any, method: str, *arguments: Any, base_url: str, **fields: Any) -> Any:
    """Make a client, call one method, close it, and return the result."""
    if twin is fc.Client:
        with fc.Client(KEY, base_url=base_url) as client:
            return getattr(client, method)(*arguments, **fields)

    async def call() -> Any:
        async with fc.AsyncClient(KEY, base_url=base_url) as client:
            return await getattr(client, method)(*arguments, **fields)

    return asyncio.run(call())


FOREIGN: list[dict[str, str]] = [
    {"NO_PROXY": "localhost,127.0.0.1,::1,[::1]"},
    {"NO_PROXY": "fe80::/10, 10.0.0.0/8"},
    {"NO_PROXY": "http://, ://, [, ], %, *., .,,"},
    {"NO_PROXY": "[::1]:8080,example.org:x"},
    {"HTTPS_PROXY": PROXY, "NO_PROXY": "fe80::/10,[::1],[fe80::1%25eth0]:1"},
    {"HTTP_PROXY": "127.0.0.1:3128"},
    {"HTTP_PROXY": "socks://127.0.0.1:1"},
    {"HTTPS_PROXY": "127.0.0.1:3128"},
    {"ALL_PROXY": "socks5://127.0.0.1:1080", "NO_PROXY": "*"},
    {"ALL_PROXY": "socks5://127.0.0.1:1080", "HTTPS_PROXY": PROXY},
    {"HTTPS_PROXY": "nonsense://x", "NO_PROXY": ".example.com"},
    {"HTTPS_PROXY": "  "},
    {"SSL_CERT_FILE": ""},
    {"SSL_CERT_DIR": "/nowhere:/"},
]


@pytest.mark.parametrize("variables", FOREIGN, ids=str)
def test_what_others_write_is_no_trouble(
    twin: Any, monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str]
) -> None:
    """A client is made under variables that other programs understand, or that concern others."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    closed(twin(KEY, base_url=REMOTE))


def test_a_broken_netrc_is_not_read(
    twin: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The key is in the body; no other secret is looked for."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HOME", str(tmp_path))

    with serve(eta=0.0) as mock:
        assert result_of(twin, "generate", base_url=mock.url, **FIELDS).id == 100000001


BROKEN: list[tuple[dict[str, str], str]] = [
    ({"HTTPS_PROXY": "socks://127.0.0.1:1080"}, "HTTPS_PROXY is 'socks://127.0.0.1:1080'"),
    ({"https_proxy": "ftp://proxy:21"}, "https_proxy is 'ftp://proxy:21'"),
    ({"ALL_PROXY": "http://"}, "ALL_PROXY is 'http://'"),
    ({"all_proxy": "http://proxy:port"}, "all_proxy is 'http://proxy:port'"),
    ({"HTTPS_PROXY": "http://me:secret@[::1"}, "HTTPS_PROXY is 'http://***@[::1'"),
    ({"HTTPS_PROXY": "https://xn--/"}, "HTTPS_PROXY is 'https://xn--/'"),
    ({"SSL_CERT_FILE": "/nowhere/ca.pem"}, "SSL_CERT_FILE is '/nowhere/ca.pem', which cannot be"),
    ({"SSL_CERT_FILE": "/"}, "SSL_CERT_FILE is '/', which cannot be read"),
    ({"SSL_CERT_FILE": __file__}, "which holds no certificates in PEM form"),
    ({"SSL_CERT_DIR": "/nowhere"}, "SSL_CERT_DIR is '/nowhere', which is no folder"),
]


@pytest.mark.parametrize("variables, text", BROKEN)
def test_what_cannot_be_used_is_named_before_anything_is_sent(
    twin: Any, monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str], text: str
) -> None:
    """A ConfigurationError says which variable, what is in it, and what to do; no password."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(fc.ConfigurationError) as caught:
        twin(KEY, base_url=REMOTE)

    assert text in str(caught.value)
    assert "unset it" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("variables, _", BROKEN)
def test_this_machine_needs_neither_proxy_nor_certificates(
    twin: Any, monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str], _: str
) -> None:
    """A mock on loopback is reached whatever is wrong with what leads elsewhere."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    with serve(eta=0.0) as mock:
        assert result_of(twin, "generate", base_url=mock.url, **FIELDS).id == 100000001


def test_a_download_elsewhere_is_told_what_is_wrong(
    twin: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A client of this machine meets the broken proxy with its first link elsewhere."""
    monkeypatch.setenv("HTTPS_PROXY", "socks://127.0.0.1:1080")

    with pytest.raises(fc.ConfigurationError, match="HTTPS_PROXY is 'socks:"):
        result_of(
            twin,
            "download",
            "https://cdn.example.com/a.png",
            tmp_path,
            base_url="http://127.0.0.1:1/api",
        )


def test_a_socks_proxy_without_its_package_is_told(
    twin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The package that is missing is named with the variable that asks for it."""
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    monkeypatch.setitem(__import__("sys").modules, "socksio", None)

    with pytest.raises(fc.ConfigurationError) as caught:
        twin(KEY, base_url=REMOTE)

    assert str(caught.value) == (
        "ALL_PROXY is 'socks5://127.0.0.1:1080', for which httpx needs another package: pip"
        " install 'httpx[socks]'; or unset it, or add the host to NO_PROXY."
    )


def test_a_log_of_tls_keys_that_cannot_be_written_is_told(
    twin: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Python opens SSLKEYLOGFILE with the certificates; what it cannot open is named."""
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "no folder" / "keys"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))

    with pytest.raises(fc.ConfigurationError, match=r"SSLKEYLOGFILE is .* cannot be written"):
        twin(KEY, base_url=REMOTE)


def test_a_base_url_of_the_environment_is_refused_by_its_name(
    twin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FAUXLAB_BASE_URL is named, not an argument that nobody gave."""
    monkeypatch.setenv("FAUXLAB_BASE_URL", "modelslab.com")

    with pytest.raises(fc.ValidationError, match="FAUXLAB_BASE_URL must be an absolute http"):
        twin(KEY)


def test_a_private_ca_is_trusted_by_variable(
    twin: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By https the whole way goes with SSL_CERT_FILE; without it the error says what is wrong.

    Nothing of the request has left then.
    """
    ca = trustme.CA()
    with https_mock(ca) as url:
        with pytest.raises(fc.ConnectionFailedError) as caught:
            result_of(twin, "submit", base_url=url, **FIELDS)
        monkeypatch.setenv("SSL_CERT_FILE", ca_file(ca, tmp_path))
        result = result_of(twin, "generate", base_url=url, **FIELDS)

    assert (result.id, caught.value.sent, str(caught.value)) == (
        100000001,
        False,
        "No response arrived (ConnectError: its certificate cannot be verified (unable to get"
        " local issuer certificate)). Nothing was sent.",
    )


@contextlib.contextmanager
def refusing_proxy() -> Iterator[tuple[str, list[bytes]]]:
    """Listen on loopback, and answer each request with 403; give the address and what came."""
    came: list[bytes] = []

    def answer() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection:
                    came.append(connection.recv(65_536).partition(b"\r\n")[0])
                    connection.sendall(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}", came
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def test_a_proxy_that_refuses_is_named(twin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy of the environment is asked, and its refusal names it, without the password.

    Nothing of the request can have arrived, so a submit may be sent again.
    """
    with refusing_proxy() as (place, came):
        monkeypatch.setenv("HTTPS_PROXY", f"me:secret@{place}")
        with pytest.raises(fc.ConnectionFailedError) as caught:
            result_of(twin, "submit", base_url=REMOTE, **FIELDS)

    assert came == [b"CONNECT api.example.com:443 HTTP/1.1"] * 2
    assert (caught.value.sent, str(caught.value)) == (
        False,
        f"No response arrived (ProxyError, by HTTPS_PROXY=http://***@{place}). Nothing was sent.",
    )


@pytest.mark.parametrize(
    "no_proxy, address, is_straight",
    [
        ("", "https://api.example.com/", False),
        ("*", "https://api.example.com/", True),
        ("example.com", "https://api.example.com/", True),
        (".example.com", "https://api.example.com/", True),
        ("*.example.com", "https://api.example.com/", True),
        ("https://example.com", "https://api.example.com/", True),
        ("http://example.com", "https://api.example.com/", False),
        ("EXAMPLE.com", "https://API.example.com./", True),
        ("ample.com", "https://api.example.com/", False),
        ("api.example.com:443", "https://api.example.com/", True),
        ("api.example.com:8443", "https://api.example.com/", False),
        ("a b example.com", "https://api.example.com/", True),
        ("10.0.0.0/8", "https://10.1.2.3/", True),
        ("10.0.0.0/8", "https://11.1.2.3/", False),
        ("10.0.0.0/8", "https://api.example.com/", False),
        ("10.1.2.3", "https://10.1.2.3:8443/", True),
        ("10.1.2.3:8443", "https://10.1.2.3:8443/", True),
        ("[fd00::1]", "https://[fd00::1]/", True),
        ("fd00::/8", "https://[fd00::1]/", True),
        ("[fd00::1]:443", "https://[fd00::1]/", True),
        ("fe80::/10,[::1]", "https://api.example.com/", False),
        ("", "https://localhost:8443/", True),
        ("", "https://[::1]:8443/", True),
        ("", "http://127.0.0.1:4010/", True),
    ],
)
def test_the_exceptions_from_the_proxy(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str, address: str, is_straight: bool
) -> None:
    """NO_PROXY holds names, addresses and networks; plain http and this machine need no entry."""
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", no_proxy)

    assert Proxies.of_environment().proxy_for(address) == ("" if is_straight else PROXY)


def test_a_transport_of_the_callers_own_asks_no_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who gives a transport has chosen the way."""
    monkeypatch.setenv("HTTPS_PROXY", "socks://127.0.0.1:1080")
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")

    transport = httpx.MockTransport(lambda _: httpx.Response(200))
    with fc.Client(KEY, base_url=REMOTE, transport=transport) as client:
        assert client.base_url == REMOTE


def test_certificates_are_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The usual certificates take 30 ms to load; all clients share them."""
    loads: list[str] = []
    real = ssl.create_default_context

    def load(*args: Any, **options: Any) -> ssl.SSLContext:
        loads.append("load")
        return real(*args, **options)

    closed(fc.Client(KEY, base_url=REMOTE))
    monkeypatch.setattr(ssl, "create_default_context", load)
    closed(fc.Client(KEY, base_url=REMOTE))
    closed(fc.Client(KEY, base_url="http://127.0.0.1:1/api"))

    assert loads == []
