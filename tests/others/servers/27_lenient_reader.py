"""Very lenient: any content type, form bodies too, duplicate slashes, case of the path, the /images/fetch alias, numeric strings.
Right: the contract leaves leniency open; what is accepted is echoed in meta as it was applied."""
import itertools
import json
import os
import re
import sys
import time
import urllib.parse
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = int(sys.argv[1])
JOBS, NUMBERS = {}, itertools.count(90000000)


def understand(raw):
    try:
        body = json.loads(raw)
    except ValueError:
        pairs = urllib.parse.parse_qsl(raw.decode("utf-8", "replace"))
        return dict(pairs) if pairs else None
    return body if isinstance(body, dict) else None


def applied(body):
    meta = {}
    for name, value in body.items():
        if name == "key":
            continue
        if name in ("width", "height", "num_inference_steps", "seed") and isinstance(value, str) and re.fullmatch(r"-?\d+", value):
            value = int(value)
        meta[name] = "yes" if value is True else "no" if value is False else value
    return meta


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = understand(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        path = re.sub("/+", "/", self.path.split("?")[0]).rstrip("/").lower()
        self.out(self.decide(path, body))

    def decide(self, path, body):
        if body is None:
            return {"status": "error", "message": "Invalid API Request"}
        if not body.get("key") or os.environ.get("KEY", "any") not in ("any", body["key"]):
            return {"status": "error", "message": "Invalid API key"}
        if path == "/api/v6/image_editing/flux_headshot":
            for name in ("prompt", "face_image"):
                if not body.get(name):
                    return {"status": "error", "message": f"The {name} field is required."}
            number = str(next(NUMBERS))
            link = f"http://127.0.0.1:{PORT}/{uuid.uuid4()}-0.png"
            JOBS[number] = time.monotonic() + float(os.environ.get("JOB_SECONDS", 0.3)), link
            return {"status": "processing", "eta": 1, "tip": "", "message": "ok", "fetch_result": f"http://127.0.0.1:{PORT}/api/v6/image_editing/fetch/{number}",
                    "id": int(number), "output": [], "future_links": [link], "proxy_links": [link], "meta": applied(body)}
        found = re.fullmatch(r"/api/v6/(?:image_editing|images)/fetch/(\w+)", path)
        if not found or found[1] not in JOBS:
            return {"status": "failed", "id": "", "message": "Request not found", "output": "", "tip": ""}
        ready, link = JOBS[found[1]]
        if time.monotonic() < ready:
            return {"status": "processing", "message": "try again later.", "output": "", "tip": ""}
        return {"status": "success", "id": int(found[1]), "output": [link]}

    def out(self, reply):
        data = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=UTF-8" if "text/html" in self.headers.get("Accept", "") else "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
