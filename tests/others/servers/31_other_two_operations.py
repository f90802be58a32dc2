"""Another document (31_other_two_operations.yaml): text2img and img2img with a list of pictures, one fetch; http.server.
Right: both operations share one job store, and every field is checked against the document."""
import json
import os
import random
import sys
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = int(sys.argv[1])
BASE = "/api/v6/images"
JOBS = {}


def complain(op, body):
    if not isinstance(body.get("prompt"), str) or not body["prompt"]:
        return "The prompt field is required."
    if op == "img2img":
        pictures = body.get("init_image")
        if not isinstance(pictures, list) or not 1 <= len(pictures) <= 4 or not all(isinstance(p, str) for p in pictures):
            return "The init_image field must be a list of one to four links."
        strength = body.get("strength", 0.5)
        if isinstance(strength, bool) or not isinstance(strength, (int, float)) or not 0 < strength <= 1:
            return "The strength must be above 0 and at most 1."
    for side in ("width", "height"):
        value = body.get(side, 512)
        if op == "text2img" and (type(value) is not int or not 256 <= value <= 1024 or value % 8):
            return f"The {side} must be a multiple of 8 from 256 to 1024."
    return None


def route(path, body):
    op = path.removeprefix(BASE).strip("/")
    if op in ("text2img", "img2img"):
        text = complain(op, body)
        if text:
            return {"status": "error", "message": text}
        number = random.randint(10**7, 10**8)
        count = len(body["init_image"]) if op == "img2img" else 1
        JOBS[str(number)] = (number, time.monotonic() + float(os.environ.get("JOB_SECONDS", "0.3")), [f"http://127.0.0.1:{PORT}/f/{uuid.uuid4()}-{i}.png" for i in range(count)])
        return {"status": "processing", "id": number, "eta": 0.5, "message": "working", "output": [], "fetch_result": f"http://127.0.0.1:{PORT}{BASE}/fetch/{number}"}
    if op.startswith("fetch/"):
        if op[6:] not in JOBS:
            return {"status": "failed", "id": "", "message": "Request not found", "output": ""}
        number, ready, links = JOBS[op[6:]]
        if time.monotonic() < ready:
            return {"status": "processing", "message": "try again later.", "output": ""}
        return {"status": "success", "id": number, "output": links, "generationTime": 0.3}
    return {"status": "error", "message": "Unknown operation"}


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        try:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        except ValueError:
            body = None
        if not isinstance(body, dict):
            reply = {"status": "error", "message": "Invalid API Request"}
        elif not body.get("key") or os.environ.get("KEY", "any") not in ("any", body["key"]):
            reply = {"status": "error", "message": "Invalid API key"}
        else:
            reply = route(self.path, body)
        data = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
