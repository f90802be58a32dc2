"""`fauxlab verdict` and what the environment says: a mock by http needs none of it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from driving import submit
from fauxlab.cli.main import main
from fauxlab_mock.server.serving import serve

VARIABLES: list[Mapping[str, str]] = [
    {"HTTP_PROXY": "http://127.0.0.1:9"},
    {"ALL_PROXY": "socks5://127.0.0.1:9", "NO_PROXY": "[::1],fe80::/10"},
    {"SSL_CERT_FILE": "/nowhere.pem"},
    {"SSLKEYLOGFILE": "/nowhere/log"},
]


@pytest.mark.parametrize("variables", VARIABLES, ids=str)
def test_the_environment_is_no_trouble(
    variables: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proxies are not asked, and certificates not read, for a mock on this machine by http."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    with serve() as mock:
        submit(mock)
        assert main(["verdict", mock.url]) == 0


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSLKEYLOGFILE"])
def test_a_variable_that_is_in_the_way_is_named(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By https the certificates matter; what cannot be used is named, with exit code 2."""
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv(name, "/nowhere/file")

    code = main(["verdict", "https://127.0.0.1:1/"])

    assert f"fauxlab: {name} is '/nowhere/file', which cannot be" in capsys.readouterr().err
    assert code == 2
