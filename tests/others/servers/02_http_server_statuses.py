"""http.server with HTTP/1.1 keep-alive; errors carry the codes of the vendor's prose (400, 401, 404) with the same envelope.
Right: integrators see both habits, and the body is the envelope in each case."""
import json
import os
import random
import sys
import time
import uuid
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = int(sys.argv[1])
HOME = f"http://127.0.0.1:{PORT}"


class Refusal(Exception):
    def __init__(self, code, message):
        self.code, self.message = code, message


@dataclass
class Job:
    id: int
    meta: dict
    links: list
    born: float = field(default_factory=time.monotonic)

    @property
    def done(self):
        return time.monotonic() - self.born >= float(os.getenv("JOB_SECONDS", 0.3))


class Api:
    def __init__(self, key):
        self.key, self.jobs = key, {}

    def authorise(self, body):
        if "key" not in body:
            raise Refusal(401, "API key required")
        if self.key != "any" and body["key"] != self.key:
            raise Refusal(401, "Invalid API key")

    def submit(self, body):
        missing = [n for n in ("prompt", "face_image") if n not in body]
        if missing:
            raise Refusal(400, f"The {missing[0]} field is required.")
        for name, top in (("width", 1024), ("height", 1024), ("num_inference_steps", 26)):
            if name in body and not isinstance(body[name], (int, str)):
                raise Refusal(400, f"The {name} must be an integer.")
            if name in body and int(body[name]) > top:
                raise Refusal(400, f"The {name} may not be greater than {top}.")
        number = random.randint(10**7, 10**9)
        links = [f"{HOME}/pictures/{uuid.uuid4()}-0.png"]
        meta = {k: v for k, v in body.items() if k not in ("key", "webhook")} | {"base64": "no", "temp": "no"}
        if meta.get("seed") is None:
            meta["seed"] = random.getrandbits(32)
        job = self.jobs[number] = Job(number, meta, links)
        return {"status": "processing", "eta": 1, "message": "Fetch the result after the estimated seconds.", "id": job.id, "output": [],
                "fetch_result": f"{HOME}/api/v6/image_editing/fetch/{number}", "future_links": links, "meta": meta}

    def fetch(self, number):
        job = self.jobs.get(int(number)) if number.isdigit() else None
        if job is None:
            return {"status": "failed", "id": "", "message": "Request not found", "output": ""}
        if not job.done:
            return {"status": "processing", "message": "Not ready yet.", "output": ""}
        return {"status": "success", "id": job.id, "output": job.links}


API = Api(os.getenv("KEY", "any"))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        code, answer = 200, None
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            try:
                body = json.loads(raw)
                body.items()
            except (ValueError, AttributeError):
                raise Refusal(400, "Invalid API Request") from None
            API.authorise(body)
            match self.path.rstrip("/").split("/")[1:]:
                case ["api", "v6", "image_editing", "flux_headshot"]:
                    answer = API.submit(body)
                case ["api", "v6", "image_editing", "fetch", number]:
                    answer = API.fetch(number)
                case _:
                    raise Refusal(404, "No such operation")
        except Refusal as refusal:
            code, answer = refusal.code, {"status": "error", "message": refusal.message}
        text = json.dumps(answer).encode("utf-8")
        self.send_response(code)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):
        self.send_response(405)
        self.send_header("Allow", "POST")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_request(self, *args):
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
