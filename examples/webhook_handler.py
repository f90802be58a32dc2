"""A webhook handler that trusts no event.

The vendor does not sign webhooks, so anybody who knows the address can post there. Therefore an
event is only a hint, and a fetch decides. A second delivery changes nothing. Run it beside a mock:

    fauxlab serve
    python examples/webhook_handler.py http://127.0.0.1:4010/api/v6
"""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from fauxlab_client import BadReplyError, Client, FauxlabError, WebhookEvent, parse_webhook

MAX_BODY_BYTES = 2**20


class Handler(BaseHTTPRequestHandler):
    base_url: ClassVar[str]
    key: ClassVar[str] = "any-key"
    done: ClassVar[dict[str, tuple[str, ...]]] = {}

    def do_POST(self) -> None:
        try:
            event = parse_webhook(
                self.rfile.read(min(int(self.headers.get("Content-Length", "0")), MAX_BODY_BYTES))
            )
        except (BadReplyError, ValueError):
            self.answer(400)
            return
        self.answer(200 if event.dedupe_key in self.done or self.confirmed(event) else 404)

    def confirmed(self, event: WebhookEvent) -> bool:
        """Return True if a fetch says that the job succeeded; only the API's answer counts."""
        try:
            with Client(self.key, base_url=self.base_url) as client:
                result = client.fetch(event.job_id)
        except FauxlabError:
            return False
        if result is not None:
            self.done[event.dedupe_key] = result.output
            print(f"job {event.job_id} is ready: {', '.join(result.output)}", flush=True)
        return result is not None

    def answer(self, code: int) -> None:
        self.send_response(code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    Handler.base_url = sys.argv[1]
    server = ThreadingHTTPServer(
        ("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 0), Handler
    )
    print(f"waiting for webhooks on http://127.0.0.1:{server.server_address[1]}/", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
