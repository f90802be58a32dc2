"""A server by https, and what answers no check: exit code 2 with one sentence, and no finding."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

from fauxlab.cli.main import main
from fauxlab_contract.check.options import Options
from fauxlab_contract.check.run import check
from fauxlab_contract.check.target import HttpTarget, TargetError
from fauxlab_contract.openapi.document import load_document
from fauxlab_mock.server.serving import serve
from tls import ca_file, https_mock

VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE", "HTTPS_PROXY", "ALL_PROXY")


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


def checked(url: str, *arguments: str) -> int:
    return main(["check", url, "--key", "any", "--any-key", "--only", "examples", *arguments])


@pytest.mark.parametrize("way", ["--ca", "SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_a_private_ca_is_trusted_by_option_or_variable(
    ca: trustme.CA, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its CA named, a right server by https passes; the environment's proxy is not asked."""
    file = ca_file(ca, tmp_path)
    report = tmp_path / "report.json"
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    if way == "SSL_CERT_DIR":
        Path(file).rename(tmp_path / f"{hash_of(ca)}.0")  # as openssl rehash names it
        monkeypatch.setenv(way, str(tmp_path))
    elif way == "SSL_CERT_FILE":
        monkeypatch.setenv(way, file)
    options = ["--ca", file] if way == "--ca" else []

    with https_mock(ca) as url:
        code = checked(url, "--report", str(report), *options)

    assert (code, json.loads(report.read_text())["findings"]) == (0, [])


def hash_of(ca: trustme.CA) -> str:
    """The name under which OpenSSL looks for a CA in a folder."""
    import subprocess

    return (
        subprocess.run(
            ["openssl", "x509", "-noout", "-hash"],
            input=ca.cert_pem.bytes(),
            capture_output=True,
            check=True,
        )
        .stdout.decode()
        .strip()
    )


def test_a_certificate_that_cannot_be_verified_is_no_finding(
    ca: trustme.CA, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is submitted, nothing is found: one sentence says what to name."""
    with https_mock(ca) as url:
        code = checked(url)

    captured = capsys.readouterr()
    assert (code, captured.out) == (2, "")
    assert captured.err == (
        f"fauxlab: {url} cannot be checked: its certificate cannot be verified (unable to"
        " get local issuer certificate); name the file of its CA with --ca, or by the variable"
        " SSL_CERT_FILE\n"
    )


def test_a_certificate_for_another_name_is_no_finding(
    ca: trustme.CA, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A trusted CA does not help where the name is another."""
    with https_mock(ca, name="another.example") as url:
        code = checked(url, "--ca", ca_file(ca, tmp_path))

    assert (code, capsys.readouterr().err.partition("certificate cannot be ")[2]) == (
        2,
        "verified (Hostname mismatch, certificate is not valid for 'localhost'); write the name"
        " that it is for in the URL\n",
    )


@pytest.mark.parametrize(
    "code, cure",
    [
        (9, "compare the clocks of both machines"),
        (10, "give the server a new one"),
        (18, "name its own file with --ca"),
        (19, "name the file of its CA with --ca"),
        (20, "name the file of its CA with --ca"),
        (62, "write the name that it is for in the URL"),
        (64, "write the name or address that it is for in the URL"),
    ],
)
def test_each_cause_of_distrust_has_its_cure(
    code: int,
    cure: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Another CA does not help against another name, nor against an expired certificate."""

    def distrust(*_: object, **__: object) -> None:
        error = ssl.SSLCertVerificationError(1, "no")
        error.verify_code, error.verify_message = code, "the cause."
        raise error

    monkeypatch.setattr(ssl.SSLContext, "wrap_socket", distrust)
    with answering(b"") as place:
        assert checked(f"https://{place}/") == 2

    said = capsys.readouterr().err
    assert f"its certificate cannot be verified (the cause); {cure}" in said


def test_a_server_that_asks_for_a_certificate_is_told(
    ca: trustme.CA, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The check has no certificate of its own, so a server that wants one cannot be checked."""
    with https_mock(ca, asks_for_certificate=True) as url:
        code = checked(url, "--ca", ca_file(ca, tmp_path))

    error = capsys.readouterr().err
    assert (code, "cannot be checked: TLS failed (" in error) == (2, True), error
    assert "does it ask for no certificate of yours?" in error


@contextlib.contextmanager
def answering(data: bytes) -> Iterator[str]:
    """Answer every connection on loopback with `data`, and give its place."""

    def answer() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(4_096)
                    connection.sendall(data)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


@pytest.mark.parametrize(
    "url, text",
    [
        ("http://PLACE/", "what answers there is not HTTP"),
        ("https://PLACE/", "TLS failed ("),
        ("http://127.0.0.1:1/", "cannot be reached: Connection refused"),
    ],
)
def test_what_is_no_server_exits_with_2(
    url: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another protocol or a closed port ends the check before its first call."""
    with answering(b"SSH-2.0-OpenSSH_9.6\r\n") as place:
        code = checked(url.replace("PLACE", place), "--yes")

    captured = capsys.readouterr()
    assert (code, captured.out, captured.err.count("\n"), text in captured.err) == (2, "", 1, True)


@pytest.mark.parametrize(
    "name, value, text",
    [
        ("SSL_CERT_FILE", "/nowhere.pem", "SSL_CERT_FILE is '/nowhere.pem', which cannot be read"),
        ("SSL_CERT_DIR", "/nowhere", "SSL_CERT_DIR is '/nowhere', which is no folder"),
        ("SSLKEYLOGFILE", "/nowhere/log", "SSLKEYLOGFILE is '/nowhere/log', which cannot be"),
    ],
)
def test_a_broken_variable_stops_https_alone(
    name: str,
    value: str,
    text: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The variable is named where certificates matter; a mock by http is checked all the same."""
    monkeypatch.setenv("SSL_CERT_DIR", "/")  # so that no httpx chooses how to load certificates
    monkeypatch.setenv(name, value)

    with serve(eta=0.0) as mock:
        codes = (checked(mock.url), checked("https://localhost:1/"))

    assert (codes, text in capsys.readouterr().err) == ((0, 2), True)


def test_an_unknown_name_exits_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What no resolver knows is a mistake in the command, told in the resolver's words."""

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    code = checked("http://nobody.example/api", "--yes")

    text = "fauxlab: http://nobody.example/api cannot be reached: Name or service not known\n"
    assert (code, capsys.readouterr().err) == (2, text)


def test_http_to_an_https_port_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """A missing s is named, where the server answers with an alert of TLS."""
    with answering(b"\x15\x03\x01\x00\x02\x02\x46") as place:
        code = checked(f"http://{place}/")

    error = (
        f"fauxlab: http://{place} cannot be checked: what answers there is TLS; write https://\n"
    )
    assert (code, capsys.readouterr().err) == (2, error)


def test_what_closes_each_connection_is_no_finding(
    ca: trustme.CA, capsys: pytest.CaptureFixture[str]
) -> None:
    """A server of TLS that says nothing to plain HTTP gets no report, but the advice."""
    with answering(b"") as place:
        code = checked(f"http://{place}")
    silent = capsys.readouterr()
    with https_mock(ca) as url:
        tls_code = checked(url.replace("https:", "http:"))
    tls = capsys.readouterr()

    assert (code, silent.out, tls_code, tls.out) == (2, "", 2, "")
    assert silent.err == (
        f"fauxlab: http://{place} cannot be checked: nothing there answers by HTTP"
        " (RemoteProtocolError: Server disconnected without sending a response); if it speaks TLS,"
        " write https://\n"
    )
    assert "write https://" in tls.err


def test_a_server_that_drops_head_and_get_is_checked() -> None:
    """Only POST is in the document, so that only its answer counts."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def do_HEAD(self) -> None:
            self.close_connection = True

        do_GET = do_HEAD  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        code = checked(f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
        thread.join()

    assert code == 1


def test_a_file_that_holds_no_ca_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """--ca with another file is a mistake in the command."""
    codes = [checked("https://localhost:1/", "--ca", file) for file in (__file__, "/x.pem")]

    error = capsys.readouterr().err
    assert codes == [2, 2]
    assert "which holds no certificates in PEM form; name a PEM file" in error
    assert "--ca is '/x.pem', which cannot be read: No such file or directory" in error


def test_a_check_from_python_is_told_at_its_first_request(ca: trustme.CA) -> None:
    """Who calls `check` with a target gets a TargetError, not findings about a server unseen."""
    with (
        https_mock(ca) as url,
        contextlib.closing(HttpTarget(url)) as target,
        pytest.raises(TargetError, match="its certificate cannot be verified"),
    ):
        check(target, load_document(), Options(key="any", only=("examples",)))
