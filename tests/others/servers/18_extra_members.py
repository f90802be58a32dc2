"""Random ids, and replies with members that the document does not name (request_id, queue_position, nsfw, cost).
Right: nothing forbids additional members, and the declared ones keep their types."""
import json
import os
import random
import sys
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

port, seconds = int(sys.argv[1]), float(os.environ.get("JOB_SECONDS", "0.3"))
jobs = {}
rng = random.SystemRandom()


def extra(reply):
    reply["request_id"] = str(uuid.uuid4())
    reply["server_time"] = int(time.time())
    return reply


def submit(body):
    if not body.get("prompt"):
        return {"status": "error", "message": "The prompt field is required.", "code": "validation_error"}
    if not body.get("face_image"):
        return {"status": "error", "message": "The face_image field is required.", "code": "validation_error"}
    number = rng.randrange(10**6, 2**31)
    links = [f"http://127.0.0.1:{port}/gen/{uuid.uuid4()}-0.png"]
    jobs[number] = {"links": links, "end": time.time() + seconds}
    meta = {k: v for k, v in body.items() if k != "key"}
    meta["file_prefix"] = str(uuid.uuid4())
    return {"status": "processing", "tip": "t", "eta": 1, "queue_position": len(jobs), "message": "m", "id": number, "output": [], "future_links": links,
            "fetch_result": f"http://127.0.0.1:{port}/api/v6/image_editing/fetch/{number}", "proxy_links": links, "nsfw_content_detected": None, "meta": meta}


def fetch(text):
    job = jobs.get(int(text)) if text.isdigit() else None
    if job is None:
        return {"status": "failed", "id": "", "message": "Request not found", "output": "", "tip": ""}
    if time.time() < job["end"]:
        return {"status": "processing", "message": "try again later.", "output": "", "tip": "", "progress": 0.5}
    return {"status": "success", "id": int(text), "output": job["links"], "proxy_links": job["links"], "cost": 0.02}


class H(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            body = json.loads(raw)
        except ValueError:
            body = 0
        secret = os.environ.get("KEY", "any")
        if type(body) is not dict:
            reply = {"status": "error", "message": "Invalid API Request", "code": "invalid_request"}
        elif not body.get("key"):
            reply = {"status": "error", "message": "API key required", "code": "invalid_api_key"}
        elif secret not in ("any", body["key"]):
            reply = {"status": "error", "message": "Invalid API key", "code": "invalid_api_key"}
        elif self.path.endswith("/image_editing/flux_headshot"):
            reply = submit(body)
        else:
            reply = fetch(self.path.rstrip("/").split("/")[-1])
        out = json.dumps(extra(reply)).encode()
        self.send_response(200)
        for pair in (("Content-Type", "application/json"), ("Content-Length", str(len(out))), ("X-Request-Id", reply["request_id"])):
            self.send_header(*pair)
        self.end_headers()
        self.wfile.write(out)

    log_message = lambda *a: None


ThreadingHTTPServer(("127.0.0.1", port), H).serve_forever()
