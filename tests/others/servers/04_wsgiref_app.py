"""A plain WSGI application under wsgiref; single threaded, HTTP/1.0 replies, jobs finish by the clock.
Right: each request is answered at once, so one thread is enough, and the replies follow the published key order."""
import json
import os
import random
import sys
import time
import uuid
from wsgiref.simple_server import WSGIRequestHandler, make_server

port = int(sys.argv[1])
key = os.environ.get("KEY", "any")
seconds = float(os.environ.get("JOB_SECONDS", "0.3"))
jobs = {}


def submit(body):
    for name in ("prompt", "face_image"):
        if not isinstance(body.get(name), str) or not body[name].strip():
            return fail(f"The {name} field is required.")
    job = random.randint(100_000_000, 200_000_000)
    links = [f"http://127.0.0.1:{port}/static/{uuid.uuid4()}-{i}.png" for i in range(int(body.get("samples") or 1))]
    jobs[job] = (time.monotonic(), links)
    echo = {n: body[n] for n in ("prompt", "negative_prompt", "face_image", "width", "height", "num_inference_steps", "guidance_scale") if n in body}
    echo["seed"] = body.get("seed") if body.get("seed") is not None else random.randint(0, 4294967295)
    return dict(status="processing", tip="wait", eta=max(int(seconds), 1), message="Fetch it later.",
                fetch_result=f"http://127.0.0.1:{port}/api/v6/image_editing/fetch/{job}", id=job, output=[], future_links=links, proxy_links=links, meta=echo)


def fetch(job):
    try:
        born, links = jobs[int(job)]
    except (KeyError, ValueError):
        return dict(status="failed", id="", message="Request not found", output="", tip="")
    if time.monotonic() - born < seconds:
        return dict(status="processing", message="try again later.", output="", tip="")
    return dict(status="success", id=int(job), output=links)


def fail(message):
    return {"status": "error", "message": message}


def app(environ, start_response):
    def send(status, data):
        out = json.dumps(data).encode()
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(out)))])
        return [out]

    raw = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    path = environ["PATH_INFO"]
    if environ["REQUEST_METHOD"] != "POST":
        return send("405 Method Not Allowed", fail("Only POST is allowed"))
    try:
        body = json.loads(raw)
    except ValueError:
        return send("200 OK", fail("Invalid API Request"))
    if not isinstance(body, dict):
        return send("200 OK", fail("Invalid API Request"))
    if not body.get("key") or key not in ("any", body["key"]):
        return send("200 OK", fail("Invalid API key"))
    head, _, last = path.rstrip("/").rpartition("/")
    if (head, last) == ("/api/v6/image_editing", "flux_headshot"):
        return send("200 OK", submit(body))
    if head == "/api/v6/image_editing/fetch":
        return send("200 OK", fetch(last))
    return send("404 Not Found", fail("Route not found"))


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


make_server("127.0.0.1", port, app, handler_class=Quiet).serve_forever()
