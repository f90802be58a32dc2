"""A server over loopback HTTP, for tools that need a real URL."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mutants.server import Response, Server

__all__ = ["serve"]

TICK_S = 0.02  # how often real time moves the virtual clock


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    server_under_test: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # TCP_NODELAY
    wbufsize = -1  # head and body leave together
    timeout = 30

    def answer(self) -> None:
        from mutants.server import Request

        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            request = Request(self.command, path, headers, self._body(), query)
            response = self.server_under_test.handle(request)
        except Exception:  # a mutant that crashes is seen as one
            self._crashed()
        else:
            self._send(response)

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("transfer-encoding", ""):
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        parts = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(parts)

    def _send(self, response: Response) -> None:
        chunked = response.headers.get("transfer-encoding") == "chunked"
        self.send_response(response.code)
        for name, value in response.headers.items():
            if not (chunked and name == "content-length") and response.code != 204:
                self.send_header(name, value)
        self.end_headers()
        body = b"" if response.code == 204 else response.body
        if chunked and self.command != "HEAD":
            body = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n"
        self.wfile.write(body)

    def _crashed(self) -> None:
        self.send_response(500)
        self.send_header("content-type", "text/plain")
        self.send_header("content-length", "21")
        self.end_headers()
        self.wfile.write(b"Internal Server Error")

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Any method at all is answered by the server."""
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


@contextlib.contextmanager
def serve(server: Server, *, realtime: bool = False, speed: float = 1.0) -> Iterator[str]:
    """Serve on a free loopback port and yield the API's base address, as
    http://127.0.0.1:port/api/v6.

    The server's origin becomes this listener's. With `realtime` its clock follows the real one,
    `speed` times as fast; otherwise only `advance` moves it.
    """
    listener = _Listener(
        ("127.0.0.1", 0), type("Handler", (_Handler,), {"server_under_test": server})
    )
    server.origin = f"http://127.0.0.1:{listener.server_address[1]}"
    stop = threading.Event()
    threads = [threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True)]
    if realtime:
        threads.append(threading.Thread(target=_follow, args=(server, stop, speed), daemon=True))
    for thread in threads:
        thread.start()
    try:
        yield f"{server.origin}/api/v6"
    finally:
        stop.set()
        listener.shutdown()
        listener.server_close()
        for thread in threads:
            thread.join(10)


def _follow(server: Server, stop: threading.Event, speed: float) -> None:
    last = time.monotonic()
    while not stop.wait(TICK_S):
        now = time.monotonic()
        server.advance(speed * (now - last))
        last = now
