"""Another document (37_other_picture_lists.yaml): lists of pictures and of objects, several samples, a server address with a variable; wsgiref.
Right: as many links as samples were asked for, in future_links and later in output."""
import json
import os
import sys
import time
import uuid
from wsgiref.simple_server import WSGIRequestHandler, make_server

PORT = int(sys.argv[1])
jobs = {}


def problem_with(body):
    if not body.get("prompt"):
        return "The prompt field is required."
    faces = body.get("faces")
    if not isinstance(faces, list) or not 2 <= len(faces) <= 6 or len(set(map(str, faces))) != len(faces):
        return "The faces field needs two to six different links."
    if type(body.get("samples", 1)) is not int or not 1 <= body.get("samples", 1) <= 4:
        return "The samples field must be from 1 to 4."
    for position in body.get("positions") or []:
        if not isinstance(position, dict) or not {"x", "y"} <= position.keys():
            return "Each position needs x and y."


def state(path, body):
    if path == "/api/v6/group/portrait":
        text = problem_with(body)
        if text:
            return {"status": "error", "message": text}
        number = 555000 + len(jobs)
        links = [f"http://127.0.0.1:{PORT}/group/{uuid.uuid4()}-{i}.png" for i in range(body.get("samples", 1))]
        jobs[str(number)] = number, links, time.monotonic() + float(os.environ.get("JOB_SECONDS", 0.3))
        return {"status": "processing", "id": number, "eta": 1, "message": "Composing.", "future_links": links}
    if path.startswith("/api/v6/group/fetch/"):
        found = jobs.get(path.rstrip("/").split("/")[-1])
        if not found:
            return {"status": "failed", "message": "Request not found"}
        number, links, ready = found
        if time.monotonic() < ready:
            return {"status": "processing", "id": number, "message": "Composing."}
        return {"status": "success", "id": number, "output": links}
    return {"status": "error", "message": "Unknown path"}


def app(environ, start_response):
    try:
        body = json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
    except ValueError:
        body = None
    if environ["REQUEST_METHOD"] != "POST" or not isinstance(body, dict):
        reply = {"status": "error", "message": "Invalid API Request"}
    elif not body.get("key") or os.environ.get("KEY", "any") not in ("any", body["key"]):
        reply = {"status": "error", "message": "Invalid API key"}
    else:
        reply = state(environ["PATH_INFO"], body)
    data = json.dumps(reply).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(data)))])
    return [data]


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


make_server("127.0.0.1", PORT, app, handler_class=Quiet).serve_forever()
