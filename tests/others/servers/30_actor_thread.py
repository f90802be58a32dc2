"""An actor: one thread owns all state, handlers send it messages and wait for the reply by a Future.
Right: no locks are needed because only the actor touches the jobs; it answers every message, errors included."""
import json
import os
import queue
import sys
import threading
import time
import uuid
from concurrent.futures import Future
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = int(sys.argv[1])


class Actor(threading.Thread):
    def __init__(self):
        super().__init__(daemon=True)
        self.inbox, self.jobs = queue.Queue(), {}

    def ask(self, verb, *args):
        future = Future()
        self.inbox.put((verb, args, future))
        return future.result(10)

    def run(self):
        while True:
            verb, args, future = self.inbox.get()
            try:
                future.set_result(getattr(self, "on_" + verb)(*args))
            except Exception as exc:
                future.set_exception(exc)

    def on_submit(self, body):
        for name in ("prompt", "face_image"):
            if not body.get(name):
                return {"status": "error", "message": f"The {name} field is required."}
        number = len(self.jobs) + 12345678
        link = f"http://127.0.0.1:{PORT}/pic/{uuid.uuid4()}-0.png"
        self.jobs[str(number)] = (time.monotonic(), link)
        return {"status": "processing", "tip": "", "eta": 1, "message": "", "fetch_result": f"http://127.0.0.1:{PORT}/api/v6/image_editing/fetch/{number}", "id": number,
                "output": [], "future_links": [link], "proxy_links": [link], "meta": {k: v for k, v in body.items() if k != "key"}}

    def on_fetch(self, number):
        if number not in self.jobs:
            return {"status": "failed", "id": "", "message": "Request not found", "output": ""}
        born, link = self.jobs[number]
        if time.monotonic() - born > float(os.environ.get("JOB_SECONDS", 0.3)):
            return {"status": "success", "id": int(number), "output": [link]}
        return {"status": "processing", "message": "try again later.", "output": "", "tip": ""}


actor = Actor()
actor.start()


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        code, reply = 200, None
        try:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            if not isinstance(body, dict):
                raise ValueError
            if not body.get("key") or os.environ.get("KEY", "any") not in ("any", body["key"]):
                code, reply = 401, {"status": "error", "message": "Invalid API key"}
            elif self.path == "/api/v6/image_editing/flux_headshot":
                reply = actor.ask("submit", body)
                code = 400 if reply["status"] == "error" else 200
            else:
                reply = actor.ask("fetch", self.path.strip("/").split("/")[-1])
        except ValueError:
            code, reply = 400, {"status": "error", "message": "Invalid API Request"}
        data = json.dumps(reply).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
