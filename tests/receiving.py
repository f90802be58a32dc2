"""A webhook receiver on loopback, in a thread: remembers what came, answers what it is told to."""

from __future__ import annotations

import contextlib
import json
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WAIT_S = 10


@dataclass
class Receiver:
    """`codes` are the next answers (200 when it is empty); `meanwhile` runs before each answer."""

    url: str = ""
    events: queue.Queue[dict[str, Any]] = field(default_factory=queue.Queue)
    codes: list[int] = field(default_factory=list)
    meanwhile: Callable[[dict[str, Any]], object] = lambda _: None

    def next(self) -> dict[str, Any]:
        return self.events.get(timeout=WAIT_S)

    def all(self) -> list[dict[str, Any]]:
        """What has come so far."""
        return [self.events.get_nowait() for _ in range(self.events.qsize())]


@contextlib.contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert self.headers["Content-Type"] == "application/json"
            receiver.meanwhile(event)
            receiver.events.put(event)
            code = receiver.codes.pop(0) if receiver.codes else 200
            self.send_response(code)
            if code in (301, 307):
                self.send_header("Location", receiver.url)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hook?job=1"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join(WAIT_S)
