"""Another document (35_other_declared_4xx.yaml): 400, 401 and 404 are declared with schemas of their own, fields have patterns; http.server.
Right: each refusal uses the declared code and exactly the declared shape."""
import itertools
import json
import os
import re
import sys
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = int(sys.argv[1])
PATTERNS = {"face_image": r"^https?://", "employee_number": r"^[A-Z]{2}-[0-9]{4}$", "background": r"^#[0-9a-f]{6}$"}
jobs, numbers = {}, itertools.count(1000)


def submit(body):
    errors = {}
    for name in ("face_image", "employee_number"):
        if name not in body:
            errors[name] = [f"The {name} field is required."]
    for name, pattern in PATTERNS.items():
        if name in body and not (isinstance(body[name], str) and re.search(pattern, body[name])):
            errors[name] = [f"The {name} field has the wrong form."]
    if "seed" in body and type(body["seed"]) is not int:
        errors["seed"] = ["The seed must be an integer."]
    if errors:
        return 400, {"status": "error", "message": next(iter(errors.values()))[0], "errors": errors}
    number = next(numbers)
    jobs[str(number)] = time.monotonic() + float(os.environ.get("JOB_SECONDS", 0.3)), f"http://127.0.0.1:{PORT}/b/{uuid.uuid4()}-0.png"
    return 200, {"status": "processing", "id": number, "eta": 1, "output": []}


def fetch(number):
    if number not in jobs:
        return 404, {"status": "error", "message": "Request not found", "code": "not_found"}
    ready, link = jobs[number]
    done = time.monotonic() >= ready
    return 200, {"status": "success" if done else "processing", "id": int(number), "output": [link] if done else []}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            code, reply = 400, {"status": "error", "message": "Invalid API Request", "errors": {}}
        elif not body.get("key") or os.environ.get("KEY", "any") not in ("any", body["key"]):
            code, reply = 401, {"status": "error", "message": "Invalid API key", "code": "invalid_key"}
        elif self.path == "/api/v5/badge_photo":
            code, reply = submit(body)
        else:
            code, reply = fetch(self.path.rstrip("/").rsplit("/", 1)[-1])
        data = json.dumps(reply).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
