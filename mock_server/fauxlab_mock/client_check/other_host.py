"""A host that a client under test must never send its key to: it answers, and keeps what it got."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from pathlib import Path
from typing import Any

from fauxlab_mock.clock.clock import THREAD_PREFIX
from fauxlab_mock.server.uvicorn_server import bind

__all__ = ["OtherHost"]

# a certificate of no authority, for localhost, and its key: neither is a secret
UNTRUSTED = Path(__file__).with_name("untrusted.pem")
READ_S = 2.0  # real seconds for which one connection is listened to
_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n"
    b"content-length: %d\r\n\r\n"
)


class OtherHost:
    """Listens on a loopback port as `localhost`, and answers every request with one reply.

    `heard` holds the requests, oldest first. With `tls` its certificate is one that no authority
    has signed.
    """

    def __init__(self, reply: Any, *, tls: bool = False) -> None:
        self.heard: list[bytes] = []
        self._reply = json.dumps(reply).encode()
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if tls else None
        if self._tls is not None:
            self._tls.load_cert_chain(UNTRUSTED)
        self._listener = bind("127.0.0.1", 0)
        scheme, port = "https" if tls else "http", self._listener.getsockname()[1]
        self.url = f"{scheme}://localhost:{port}"
        self._thread = threading.Thread(
            target=self._listen, name=f"{THREAD_PREFIX}elsewhere", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(READ_S * 2)

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed
                return
            # a client that does not trust the certificate ends in an SSLError, an OSError as well
            with contextlib.suppress(OSError), connection:
                connection.settimeout(READ_S)
                if self._tls is not None:
                    connection = self._tls.wrap_socket(connection, server_side=True)
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            request = b""
            while not _is_whole(request) and (chunk := connection.recv(65536)):
                request += chunk
            if request:
                self.heard.append(request)
                connection.sendall(_HEAD % len(self._reply) + self._reply)


def _is_whole(request: bytes) -> bool:
    """True once a request has its head and as many bytes as its content-length says."""
    head, end, body = request.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return bool(end) and len(body) >= length
