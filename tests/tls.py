"""A mock behind https on loopback, with a certificate of a CA that is made for the test."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import trustme

from driving import make_mock
from fauxlab_mock.engine.messages import Call


def ca_file(ca: trustme.CA, folder: Path) -> str:
    """Write the certificate of a CA, and return the file."""
    file = folder / "ca.pem"
    ca.cert_pem.write_to_path(file)
    return str(file)


@contextlib.contextmanager
def https_mock(
    ca: trustme.CA, *, name: str = "localhost", asks_for_certificate: bool = False
) -> Iterator[str]:
    """Serve a mock whose jobs end at once; give its URL, https://localhost:…/api/v6.

    Its certificate is for `name`.
    """
    mock = make_mock(eta=0.0)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"] or 0))
            headers = {header.lower(): value for header, value in self.headers.items()}
            answer = mock.handle(Call(self.command, self.path, headers, content))
            self.send_response(answer.code)
            for header, value in answer.all_headers.items():
                if header.lower() != "content-length":
                    self.send_header(header, value)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else answer.content)

        do_GET = do_HEAD = do_POST = answer  # noqa: N815 # names of the base class

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that trusts nobody ends the handshake; that is what is tested."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(name).configure_cert(context)
    if asks_for_certificate:
        context.verify_mode = ssl.CERT_REQUIRED
        ca.configure_trust(context)
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"https://localhost:{server.server_address[1]}/api/v6"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        mock.close()
