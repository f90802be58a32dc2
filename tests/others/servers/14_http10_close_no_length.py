"""HTTP/1.0 replies without Content-Length: the end of the connection is the end of the body; jobs checked by datetime.
Right: HTTP/1.0 framing by close is legal, and clients must cope with it."""
import datetime as dt
import itertools
import json
import os
import sys
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

port = int(sys.argv[1])
jobs, numbers = {}, itertools.count(1000)


class Old(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"
    server_version = "Studio/1.0"

    def do_POST(self):
        raw = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(self.think(raw), indent=2).encode())

    def think(self, raw):
        try:
            body = json.loads(raw)
        except ValueError:
            return {"status": "error", "message": "Invalid API Request", "tip": "Send a POST with valid JSON"}
        if not isinstance(body, dict):
            return {"status": "error", "message": "Invalid API Request"}
        wanted = os.environ.get("KEY", "any")
        if not body.get("key") or (wanted != "any" and wanted != body["key"]):
            return {"status": "error", "message": "Invalid API key"}
        now = dt.datetime.now(dt.timezone.utc)
        if self.path.rstrip("/").endswith("/api/v6/image_editing/flux_headshot"):
            for name in ("prompt", "face_image"):
                if not body.get(name):
                    return {"status": "error", "message": f"The {name} field is required."}
            number = next(numbers)
            picture = f"http://127.0.0.1:{port}/g/{uuid.uuid4()}-0.png"
            jobs[number] = now + dt.timedelta(seconds=float(os.environ.get("JOB_SECONDS", "0.3"))), picture
            return {"status": "processing", "tip": "background", "eta": 1, "message": "fetch me", "fetch_result": f"http://127.0.0.1:{port}/api/v6/image_editing/fetch/{number}",
                    "id": number, "output": [], "future_links": [picture], "proxy_links": [picture], "meta": {k: v for k, v in body.items() if k != "key"}}
        if self.path.startswith("/api/v6/image_editing/fetch/"):
            last = self.path.rstrip("/").split("/")[-1]
            if not last.isdigit() or int(last) not in jobs:
                return {"status": "failed", "id": "", "message": "Request not found", "output": ""}
            ready, picture = jobs[int(last)]
            if now < ready:
                return {"status": "processing", "message": "try again later.", "output": "", "tip": ""}
            return {"status": "success", "id": int(last), "output": [picture]}
        return {"status": "error", "message": "What?"}

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", port), Old)
server.daemon_threads = True
server.serve_forever()
