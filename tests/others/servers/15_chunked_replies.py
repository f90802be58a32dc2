"""http.server with HTTP/1.1 and chunked replies cut into small pieces, also in the middle of a UTF-8 character.
Right: chunks are a transport matter; the reassembled body is the exact envelope, non-ASCII text unescaped."""
import json
import os
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT, KEY = int(sys.argv[1]), os.environ.get("KEY", "any")
SECONDS = float(os.environ.get("JOB_SECONDS", "0.3"))


class State:
    def __init__(self):
        self.lock, self.jobs, self.last = threading.Lock(), {}, 29000000

    def add(self, meta):
        with self.lock:
            self.last += 7
            self.jobs[self.last] = job = {"id": self.last, "meta": meta, "until": time.monotonic() + SECONDS,
                                          "links": [f"http://127.0.0.1:{PORT}/x/{uuid.uuid4()}-0.png"]}
            return job


STATE = State()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        out = json.dumps(self.route(data), ensure_ascii=False).encode("utf-8")
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for i in range(0, len(out), 37):
            piece = out[i:i + 37]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def route(self, data):
        try:
            body = json.loads(data)
            key = body.get("key")
        except (ValueError, AttributeError):
            return {"status": "error", "message": "Invalid API Request"}
        if not key:
            return {"status": "error", "message": "API key required"}
        if KEY != "any" and key != KEY:
            return {"status": "error", "message": "Invalid API key"}
        parts = self.path.strip("/").split("/")
        if parts == ["api", "v6", "image_editing", "flux_headshot"]:
            missing = next((n for n in ("prompt", "face_image") if not body.get(n)), None)
            if missing:
                return {"status": "error", "message": f"The {missing} field is required."}
            job = STATE.add({k: v for k, v in body.items() if k != "key"})
            return {"status": "processing", "tip": "Bitte warten …", "eta": 1, "message": "Try to fetch request after seconds estimated",
                    "fetch_result": f"http://127.0.0.1:{PORT}/api/v6/image_editing/fetch/{job['id']}", "id": job["id"], "output": [],
                    "future_links": job["links"], "proxy_links": job["links"], "meta": job["meta"]}
        if parts[:4] == ["api", "v6", "image_editing", "fetch"] and len(parts) == 5:
            job = STATE.jobs.get(int(parts[4])) if parts[4].isdecimal() else None
            if not job:
                return {"status": "failed", "id": "", "message": "Request not found", "output": "", "tip": ""}
            if time.monotonic() < job["until"]:
                return {"status": "processing", "message": "try again later.", "output": "", "tip": "gleich fertig …"}
            return {"status": "success", "id": job["id"], "output": job["links"]}
        return {"status": "error", "message": "Unknown operation"}

    def log_message(self, *a):
        pass


ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
