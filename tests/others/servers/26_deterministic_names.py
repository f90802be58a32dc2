"""Same seed and same fields give the same picture name: uuid5 over the canonical request; null seed becomes a random one.
Right: the document promises it; ids still differ per submit."""
import hashlib
import itertools
import json
import os
import random
import sys
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = int(sys.argv[1])
BASE = "/api/v6/image_editing"
jobs, numbers = {}, itertools.count(5001)


def picture_name(fields):
    text = json.dumps(fields, sort_keys=True, ensure_ascii=False)
    return str(uuid.UUID(bytes=hashlib.sha256(text.encode()).digest()[:16], version=4)) + "-0.png"


def submit(body):
    for name in ("prompt", "face_image"):
        if not isinstance(body.get(name), str):
            return {"status": "error", "message": f"The {name} field is required."}
    fields = {n: body[n] for n in ("prompt", "face_image", "width", "height", "num_inference_steps", "guidance_scale", "negative_prompt") if body.get(n) is not None}
    fields["seed"] = random.getrandbits(32) if body.get("seed") is None else body["seed"]
    link = f"http://127.0.0.1:{PORT}/generations/{picture_name(fields)}"
    number = next(numbers)
    jobs[str(number)] = (time.monotonic(), link)
    return {"status": "processing", "tip": "", "eta": 1, "message": "", "fetch_result": f"http://127.0.0.1:{PORT}{BASE}/fetch/{number}", "id": number, "output": [],
            "future_links": [link], "proxy_links": [link], "meta": {**fields, "base64": "yes" if body.get("base64") else "no", "temp": "no"}}


def fetch(text):
    if text not in jobs:
        return {"status": "failed", "id": "", "message": "Request not found", "output": ""}
    born, link = jobs[text]
    if time.monotonic() - born < float(os.environ.get("JOB_SECONDS", 0.3)):
        return {"status": "processing", "message": "try again later.", "output": "", "tip": ""}
    return {"status": "success", "id": int(text), "output": [link]}


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            body = json.loads(raw)
        except ValueError:
            body = []
        if not isinstance(body, dict):
            out = {"status": "error", "message": "Invalid API Request"}
        elif os.environ.get("KEY", "any") not in ("any", body.get("key")) or not body.get("key"):
            out = {"status": "error", "message": "Invalid API key"}
        elif self.path == BASE + "/flux_headshot":
            out = submit(body)
        elif self.path.startswith(BASE + "/fetch/"):
            out = fetch(self.path[len(BASE) + 7:].rstrip("/"))
        else:
            out = {"status": "error", "message": "Unknown"}
        out = json.dumps(out).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(out)))
        self.end_headers()
        self.wfile.write(out)

    def log_message(self, format, *args):
        pass


ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
