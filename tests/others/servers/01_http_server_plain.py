"""http.server, one handler class, module-level dict of jobs; every error comes as HTTP 200 with the error envelope.
Right: the document declares only HTTP 200, and `status` tells the shapes apart."""
import json
import os
import random
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = os.environ.get("KEY", "any")
SECONDS = float(os.environ.get("JOB_SECONDS", "0.3"))
BASE = "/api/v6/image_editing/"
PORT = int(sys.argv[1])
jobs, lock = {}, threading.Lock()


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            return self.reply({"status": "error", "message": "Invalid API Request"})
        if not body.get("key"):
            return self.reply({"status": "error", "message": "API key required"})
        if KEY != "any" and body["key"] != KEY:
            return self.reply({"status": "error", "message": "Invalid API key"})
        if self.path == BASE + "flux_headshot":
            return self.submit(body)
        if self.path.startswith(BASE + "fetch/"):
            return self.fetch(self.path[len(BASE + "fetch/"):].strip("/"))
        self.reply({"status": "error", "message": "Unknown operation"}, 404)

    def submit(self, body):
        for name in ("prompt", "face_image"):
            if not body.get(name):
                return self.reply({"status": "error", "message": f"The {name} field is required."})
        if body.get("seed") is None:
            body["seed"] = random.randrange(2**32)
        with lock:
            number = 100000001 + len(jobs)
            link = f"http://127.0.0.1:{PORT}/generations/{uuid.uuid4()}-0.png"
            jobs[str(number)] = {"id": number, "link": link, "ready": time.time() + SECONDS}
        meta = {k: v for k, v in body.items() if k != "key"}
        self.reply({"status": "processing", "tip": "Your image is processing in background, you can get this image using fetch API",
                    "eta": max(1, round(SECONDS)), "message": "Try to fetch request after seconds estimated",
                    "fetch_result": f"http://127.0.0.1:{PORT}{BASE}fetch/{number}", "id": number, "output": [],
                    "future_links": [link], "proxy_links": [link], "meta": meta})

    def fetch(self, number):
        job = jobs.get(number)
        if job is None:
            self.reply({"status": "failed", "id": "", "message": "Request not found", "output": "", "tip": "Check the id."})
        elif time.time() < job["ready"]:
            self.reply({"status": "processing", "message": "try again later.", "output": "", "tip": "Ask again in a few seconds."})
        else:
            self.reply({"status": "success", "id": job["id"], "output": [job["link"]]})

    def reply(self, data, code=200):
        out = json.dumps(data).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(out)))
        self.end_headers()
        self.wfile.write(out)

    def log_message(self, *args):
        pass


ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
