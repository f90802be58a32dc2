"""WSGI app wrapped in a gzip middleware that compresses only when Accept-Encoding asks for it; threaded wsgiref.
Right: who does not ask gets plain JSON, and Content-Length is that of the bytes sent."""
import gzip
import itertools
import json
import os
import socketserver
import sys
import time
import uuid
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

PORT = int(sys.argv[1])
JOBS, NUMBERS = {}, itertools.count(int(time.time()) % 10**6 * 1000)


def gzipped(app):
    def wrapper(environ, start_response):
        captured = {}

        def capture(status, headers, exc_info=None):
            captured.update(status=status, headers=headers)

        body = b"".join(app(environ, capture))
        headers = [(n, v) for n, v in captured["headers"] if n.lower() != "content-length"]
        if "gzip" in environ.get("HTTP_ACCEPT_ENCODING", "").lower():
            body = gzip.compress(body)
            headers += [("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")]
        start_response(captured["status"], headers + [("Content-Length", str(len(body)))])
        return [body]
    return wrapper


@gzipped
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(api(environ)).encode()]


def api(environ):
    def err(text):
        return {"status": "error", "message": text}

    if environ["REQUEST_METHOD"] != "POST":
        return err("Use POST")
    try:
        body = json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
    except ValueError:
        return err("Invalid API Request")
    if not isinstance(body, dict):
        return err("Invalid API Request")
    if os.environ.get("KEY", "any") not in ("any", body.get("key")) or not body.get("key"):
        return err("Invalid API key")
    path = environ["PATH_INFO"].rstrip("/")
    if path == "/api/v6/image_editing/flux_headshot":
        for name in ("prompt", "face_image"):
            if not body.get(name):
                return err("The " + name + " field is required.")
        number = next(NUMBERS)
        JOBS[str(number)] = {"id": number, "links": ["http://127.0.0.1:%d/o/%s-0.png" % (PORT, uuid.uuid4())],
                             "ready": time.monotonic() + float(os.environ.get("JOB_SECONDS", 0.3))}
        job = JOBS[str(number)]
        return {"status": "processing", "tip": "", "eta": 1, "message": "Fetch.", "fetch_result": "http://127.0.0.1:%d/api/v6/image_editing/fetch/%d" % (PORT, number),
                "id": number, "output": [], "future_links": job["links"], "proxy_links": job["links"], "meta": {"prompt": body["prompt"], "seed": body.get("seed")}}
    if path.startswith("/api/v6/image_editing/fetch/"):
        job = JOBS.get(path.rsplit("/", 1)[1])
        if job is None:
            return {"status": "failed", "id": "", "message": "Request not found", "output": ""}
        if time.monotonic() >= job["ready"]:
            return {"status": "success", "id": job["id"], "output": job["links"]}
        return {"status": "processing", "message": "try again later.", "output": ""}
    return err("Unknown path")


class Threaded(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Silent(WSGIRequestHandler):
    def log_request(self, *args):
        pass


make_server("127.0.0.1", PORT, app, server_class=Threaded, handler_class=Silent).serve_forever()
