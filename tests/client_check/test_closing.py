"""`check_client` and closing: what happens after a call has ended is no matter of the call."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

from fauxlab_mock.client_check.check import check_client


class Bell(BaseHTTPRequestHandler):
    """Takes every webhook."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


class Hooked:
    """Polls for its job, has its webhook sent to its own receiver, and closes that slowly."""

    def __init__(self, base_url: str, key: str) -> None:
        self.base_url, self.key = base_url, key
        self.receiver = ThreadingHTTPServer(("127.0.0.1", 0), Bell)
        threading.Thread(target=self.receiver.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.receiver.shutdown()
        self.receiver.server_close()
        time.sleep(30)

    def post(self, path: str, **body: Any) -> Any:
        url = f"{self.base_url}/image_editing/{path}"
        try:
            return requests.post(url, json={"key": self.key, **body}, timeout=30).json()
        except (requests.RequestException, ValueError) as error:
            raise RuntimeError(f"no answer: {error}") from None

    def __call__(self, prompt: str, face_image: str, seed: int) -> Any:
        hook = f"http://127.0.0.1:{self.receiver.server_port}/"
        fields = {"prompt": prompt, "face_image": face_image, "seed": seed, "webhook": hook}
        job = self.post("flux_headshot", **fields)
        number = job.get("id")
        while job["status"] == "processing":
            time.sleep(10)
            job = self.post(f"fetch/{number}")
        if job["status"] != "success":
            raise RuntimeError(job["message"])
        return job["output"]


def test_closing_is_not_judged() -> None:
    """A client may take its time to close; its receiver is gone meanwhile."""
    lost = ["submit empty response", "submit truncated json", "submit 502 yet accepted"]

    report = check_client(Hooked, trials=["success", "failed", *lost])

    assert (report.findings, report.not_judged) == ((), ())
