"""A worker thread with a queue ends the jobs and sends each webhook twice, as the contract warns.
Right: duplicates are allowed; both events are equal, and the state of the job is final before the first is sent."""
import itertools
import json
import os
import queue
import sys
import threading
import time
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = int(sys.argv[1])
SECONDS = float(os.environ.get("JOB_SECONDS", "0.3"))
jobs, work, numbers = {}, queue.PriorityQueue(), itertools.count(880000000)


def worker():
    while True:
        when, number = work.get()
        time.sleep(max(0, when - time.monotonic()))
        job = jobs[number]
        job["state"] = "success"
        if job["webhook"]:
            threading.Thread(target=notify, args=(job,), daemon=True).start()


def notify(job):
    event = {"status": "success", "id": job["id"], "output": job["links"], "generationTime": SECONDS, "meta": job["meta"]}
    if job["track_id"] is not None:
        event["track_id"] = str(job["track_id"])
    for _ in range(2):
        try:
            urllib.request.urlopen(urllib.request.Request(job["webhook"], json.dumps(event).encode(), {"Content-Type": "application/json"}), timeout=5).close()
        except (OSError, ValueError):
            pass
        time.sleep(0.1)


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        out = json.dumps(self.decide(raw)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(out)))
        self.end_headers()
        self.wfile.write(out)

    def decide(self, raw):
        try:
            body = json.loads(raw)
            assert isinstance(body, dict)
        except (ValueError, AssertionError):
            return {"status": "error", "message": "Invalid API Request"}
        if not body.get("key") or os.environ.get("KEY", "any") not in ("any", body["key"]):
            return {"status": "error", "message": "Invalid API key"}
        if self.path == "/api/v6/image_editing/flux_headshot":
            for name in ("prompt", "face_image"):
                if not body.get(name):
                    return {"status": "error", "message": f"The {name} field is required."}
            number = next(numbers)
            jobs[number] = {"id": number, "state": "processing", "links": [f"http://127.0.0.1:{PORT}/g/{uuid.uuid4()}-0.png"], "webhook": body.get("webhook"),
                            "track_id": body.get("track_id"), "meta": {"prompt": body["prompt"], "seed": body.get("seed")}}
            work.put((time.monotonic() + SECONDS, number))
            links = jobs[number]["links"]
            return {"status": "processing", "tip": "", "eta": 1, "message": "wait", "fetch_result": f"http://127.0.0.1:{PORT}/api/v6/image_editing/fetch/{number}",
                    "id": number, "output": [], "future_links": links, "proxy_links": links, "meta": jobs[number]["meta"]}
        last = self.path.rstrip("/").split("/")[-1]
        job = jobs.get(int(last)) if last.isdigit() else None
        if job is None:
            return {"status": "failed", "id": "", "message": "Request not found", "output": ""}
        if job["state"] == "processing":
            return {"status": "processing", "message": "wait", "output": ""}
        return {"status": "success", "id": job["id"], "output": job["links"]}

    def log_message(self, *args):
        pass


threading.Thread(target=worker, daemon=True).start()
ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
