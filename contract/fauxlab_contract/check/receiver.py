"""A webhook receiver on loopback: it answers 200, and remembers what came to which path."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["Event", "Receiver"]

MAX_BODY_BYTES = 2**20
JOIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Event:
    """One webhook: when it came on the target's clock, its media type and its body."""

    at: float
    media_type: str
    body: bytes = field(repr=False)


class Receiver:
    """Listens on a free port of 127.0.0.1 until it is closed.

    `events(name)` returns the webhooks that came to the address `url(name)`.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._events: dict[str, list[Event]] = {}
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 10.0

            def do_POST(self) -> None:
                header = self.headers.get("Content-Length", "0")
                length = int(header) if header.isdecimal() else 0
                body = self.rfile.read(min(length, MAX_BODY_BYTES))
                event = Event(now(), self.headers.get("Content-Type", ""), body)
                name = self.path.rpartition("/hook/")[2]
                receiver._events.setdefault(name, []).append(event)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="fauxlab-receiver", daemon=True
        )
        self._thread.start()

    def url(self, name: str) -> str:
        """Return the address for the webhooks of one name."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/hook/{name}?job={name}"

    def events(self, name: str) -> list[Event]:
        """Return the webhooks that came for a name, oldest first."""
        return list(self._events.get(f"{name}?job={name}", ()))

    def count(self, name: str) -> int:
        """Return how many webhooks came for a name until now."""
        return len(self.events(name))

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(JOIN_S)
