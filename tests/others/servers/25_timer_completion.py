"""threading.Timer ends each job; a small class hierarchy for the phases (Running, Finished, Broken).
Right: a job changes its phase once, atomically, by replacing one reference; prompts with the word 'fail' end as failed."""
import json
import os
import sys
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = int(sys.argv[1])
ROOT = f"http://127.0.0.1:{PORT}"


class Running:
    def view(self, job):
        return {"status": "processing", "message": "Not ready yet.", "output": "", "tip": "Ask again in a few seconds."}


class Finished:
    def view(self, job):
        return {"status": "success", "id": job.id, "output": job.links}


class Broken:
    def view(self, job):
        return {"status": "failed", "id": job.id, "message": "The picture could not be made.", "output": ""}


class Job:
    def __init__(self, number, body):
        self.id, self.phase = number, Running()
        self.links = [f"{ROOT}/pics/{uuid.uuid4()}-0.png"]
        self.next = Broken() if "fail" in str(body["prompt"]).lower().split() else Finished()
        timer = threading.Timer(float(os.environ.get("JOB_SECONDS", "0.3")), self.end)
        timer.daemon = True
        timer.start()

    def end(self):
        self.phase = self.next


jobs, lock = {}, threading.Lock()


def answer(path, body):
    operation = path.removeprefix("/api/v6/image_editing/").rstrip("/")
    if operation == "flux_headshot":
        for name in ("prompt", "face_image"):
            if not body.get(name):
                return {"status": "error", "message": f"The {name} field is required."}
        with lock:
            job = Job(20000000 + len(jobs), body)
            jobs[str(job.id)] = job
        return {"status": "processing", "tip": "", "eta": 1, "message": "Started.", "fetch_result": f"{ROOT}/api/v6/image_editing/fetch/{job.id}", "id": job.id,
                "output": [], "future_links": job.links, "proxy_links": job.links, "meta": {k: v for k, v in body.items() if k != "key"}}
    if operation.startswith("fetch/"):
        job = jobs.get(operation[6:])
        if job is not None:
            return job.phase.view(job)
        return {"status": "failed", "id": "", "message": "Request not found", "output": ""}
    return {"status": "error", "message": "Not found"}


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        try:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            if not isinstance(body, dict):
                raise ValueError
        except ValueError:
            reply = {"status": "error", "message": "Invalid API Request"}
        else:
            good = body.get("key") and os.environ.get("KEY", "any") in ("any", body["key"])
            reply = answer(self.path, body) if good else {"status": "error", "message": "Invalid API key"}
        data = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *a):
        return None


ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
