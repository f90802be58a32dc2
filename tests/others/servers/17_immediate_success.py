"""Every second job is finished in the reply to its submit (status success), the others go through processing.
Right: the document allows success at once, and such a job can be fetched like any other."""
import json
import os
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = int(sys.argv[1])
BASE = f"http://127.0.0.1:{PORT}"


class Book:
    def __init__(self):
        self.pages, self.lock = [], threading.Lock()

    def new(self):
        with self.lock:
            quick = len(self.pages) % 2 == 0
            wait = 0 if quick else float(os.environ.get("JOB_SECONDS", "0.3"))
            page = {"id": 100000001 + len(self.pages), "links": [f"{BASE}/generations/{uuid.uuid4()}-0.png"], "ready": time.monotonic() + wait, "quick": quick}
            self.pages.append(page)
            return page

    def find(self, text):
        index = int(text) - 100000001 if text.isdecimal() else -1
        return self.pages[index] if 0 <= index < len(self.pages) else None


book = Book()


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers.get("Content-Length", "0"))
        result = self.work(self.rfile.read(length))
        data = json.dumps(result).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def work(self, raw):
        try:
            body = dict(json.loads(raw))
        except (ValueError, TypeError):
            return dict(status="error", message="Invalid API Request")
        if os.environ.get("KEY", "any") not in ("any", body.get("key")) or "key" not in body:
            return dict(status="error", message="Invalid API key")
        if self.path == "/api/v6/image_editing/flux_headshot":
            for name in ("prompt", "face_image"):
                if name not in body:
                    return dict(status="error", message=f"The {name} field is required.")
            page, meta = book.new(), {k: v for k, v in body.items() if k not in ("key", "webhook", "track_id")}
            if page["quick"]:
                return dict(status="success", generationTime=0.01, id=page["id"], output=page["links"], proxy_links=page["links"], meta=meta)
            return dict(status="processing", tip="", eta=1, message="Fetch it.", fetch_result=f"{BASE}/api/v6/image_editing/fetch/{page['id']}", id=page["id"],
                        output=[], future_links=page["links"], proxy_links=page["links"], meta=meta)
        page = book.find(self.path.rstrip("/").rpartition("/fetch/")[2])
        if page is None:
            return dict(status="failed", id="", message="Request not found", output="")
        if time.monotonic() < page["ready"]:
            return dict(status="processing", message="try again later.", output="", tip="")
        return dict(status="success", id=page["id"], output=page["links"])

    def log_message(self, *args):
        pass


ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
