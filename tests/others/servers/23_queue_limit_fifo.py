"""At most five queued jobs per key, worked off one after the other; a sixth is refused with retry_after in the body.
Right: 'Rate limit exceeded' is part of the contract (here as HTTP 429 with the envelope), and a refused submit makes no job."""
import json
import os
import sys
import threading
import time
import uuid
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT, LIMIT = int(sys.argv[1]), int(os.environ.get("QUEUE", "5"))
SECONDS = float(os.environ.get("JOB_SECONDS", "0.3"))


class Account:
    def __init__(self):
        self.queue, self.free_at = deque(), 0.0

    def tidy(self, now):
        while self.queue and self.queue[0]["ready"] <= now:
            self.queue.popleft()


class Api:
    def __init__(self):
        self.lock, self.accounts, self.jobs = threading.Lock(), {}, {}

    def submit(self, body):
        for name in ("prompt", "face_image"):
            if not body.get(name):
                return 400, {"status": "error", "message": f"The {name} field is required."}
        with self.lock:
            now = time.monotonic()
            account = self.accounts.setdefault(body["key"], Account())
            account.tidy(now)
            if len(account.queue) >= LIMIT:
                return 429, {"status": "error", "message": f"Rate limit exceeded. Maximum {LIMIT} queued requests allowed.", "retry_after": 30}
            account.free_at = max(account.free_at, now) + SECONDS
            number = 100 + len(self.jobs)
            job = {"id": number, "ready": account.free_at, "links": [f"http://127.0.0.1:{PORT}/q/{uuid.uuid4()}-0.png"]}
            account.queue.append(job)
            self.jobs[str(number)] = job
        return 200, {"status": "processing", "tip": "queued", "eta": max(1, round(job["ready"] - now)), "message": f"Place {len(account.queue)}", "id": number,
                     "output": [], "fetch_result": f"http://127.0.0.1:{PORT}/api/v6/image_editing/fetch/{number}", "future_links": job["links"],
                     "proxy_links": job["links"], "meta": {"prompt": body["prompt"], "seed": body.get("seed")}}

    def fetch(self, number):
        job = self.jobs.get(number)
        if job is None:
            return 200, {"status": "failed", "id": "", "message": "Request not found", "output": ""}
        if time.monotonic() < job["ready"]:
            return 200, {"status": "processing", "message": "try again later.", "output": "", "tip": ""}
        return 200, {"status": "success", "id": job["id"], "output": job["links"]}


api = Api()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            code, reply = 400, {"status": "error", "message": "Invalid API Request"}
        elif not body.get("key") or os.environ.get("KEY", "any") not in ("any", body["key"]):
            code, reply = 401, {"status": "error", "message": "Invalid API key"}
        elif self.path == "/api/v6/image_editing/flux_headshot":
            code, reply = api.submit(body)
        else:
            code, reply = api.fetch(self.path.rstrip("/").rsplit("/", 1)[-1])
        out = json.dumps(reply).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(out)))
        self.end_headers()
        self.wfile.write(out)

    def log_message(self, *args):
        pass


ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
